"""Changes that may be sent again: with an `Idempotency-Key` the same request is done once, answered twice."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from flask import request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import answers
from tracker.answers import Answer, Marked
from tracker.errors import Rejected
from web.house import house
from web.rest.answering import answer_of
from web.rest.throttle import asker

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def once(session: Session, company_id: int, act: Callable[[], tuple[int, str, str]]) -> Response:
    """Does it and answers (status, body, location); or answers what the same request was answered before."""
    marked = _marked(company_id)
    if marked is None:
        return answer_of(*act())
    vault, now = house().vault, house().clock()
    if (before := answers.find(session, vault, marked, now)) is not None:
        response = answer_of(before.status, before.body, before.location)
        response.headers["Idempotency-Replayed"] = "true"
        return response
    answer = Answer(*act())
    answers.keep(session, vault, marked, answer, now)
    return answer_of(answer.status, answer.body, answer.location)


def _marked(company_id: int) -> Marked | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise Rejected(
            "idempotency.malformed",
            "This is no Idempotency-Key",
            "Give 1 to 255 letters, digits or signs without spaces, such as a UUID",
        )
    what = "\n".join((str(company_id), request.method, request.full_path, "")).encode() + request.get_data()
    return Marked(asker(), key, hashlib.sha256(what).hexdigest())
