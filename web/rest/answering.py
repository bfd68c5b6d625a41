"""What goes out: JSON with an ETag, which a program may hold against what it has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from flask import request
from werkzeug.wrappers import Response

from tracker.spreadsheet import plain


def dumped(told: Mapping[str, Any] | None) -> str:
    """JSON; letters of every language as they are, instants in UTC, amounts as texts; "" for nothing."""
    return "" if told is None else json.dumps(told, ensure_ascii=False, default=plain) + "\n"


def tagged(body: str) -> str:
    """The entity tag of an answer (RFC 9110, 8.8.3): the same as long as it says the same."""
    return hashlib.sha256(body.encode()).hexdigest()[:32]


def settled(tag: str) -> str:
    """The part of a tag that stays until somebody changes something: what is before its dot."""
    return tag.partition(".")[0]


def answer_of(status: int, body: str, location: str = "", tag: str = "") -> Response:
    """The answer; to somebody who has it already (`If-None-Match`) 304 and nothing."""
    response = Response(body, status, mimetype="application/json" if body else None)
    if not body:
        response.headers.pop("Content-Type", None)
    if location:
        response.headers["Location"] = location
    if status == 200 and request.method in {"GET", "HEAD"}:
        response.headers["Cache-Control"] = "private, no-cache"
        response.set_etag(tag or tagged(body))
        response.make_conditional(request)
    return response
