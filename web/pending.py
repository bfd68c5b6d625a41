"""A log-in that still waits for its code: kept by the browser in a sealed cookie, for five minutes."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime

from flask import request
from werkzeug.wrappers import Response

from tracker.logins import Pending
from tracker.policy.second_factor import PENDING_LIVES
from web.house import house
from web.security import set_cookie
from web.viewer import cookie_name

_KEPT = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})\.([0-9a-f]{16})\.([0-9a-f]{64})", re.ASCII)


def keep(response: Response, pending: Pending) -> None:
    """Gives the browser that gave the password its pending log-in; no script sees it."""
    text = f"{pending.user_id}.{int(pending.at.timestamp())}.{pending.mark}"
    value = f"{text}.{_seal(text)}"
    set_cookie(response, _name(), value, int(PENDING_LIVES.total_seconds()))  # type: ignore[arg-type]


def kept() -> Pending | None:
    """This browser's pending log-in, however old; None when there is none or it was not made here."""
    found = _KEPT.fullmatch(request.cookies.get(_name(), ""))
    if found is None or not hmac.compare_digest(_seal(found[0].rpartition(".")[0]), found[4]):
        return None
    return Pending(int(found[1]), datetime.fromtimestamp(int(found[2]), UTC), found[3])


def forget(response: Response) -> None:
    response.delete_cookie(_name(), path="/", secure=house().settings.cookie_secure, httponly=True)


def _name() -> str:
    return cookie_name() + "-pending"


def _seal(text: str) -> str:
    secret = house().settings.secret_key.encode()
    return hmac.new(secret, f"pending|{text}".encode(), hashlib.sha256).hexdigest()
