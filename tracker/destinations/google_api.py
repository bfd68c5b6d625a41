"""Google's Data Manager API: how it is asked, and how a user of the account lets us in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracker.destinations import oauth
from tracker.destinations.kind import Line, OAuth, post_json
from tracker.outside import Reply

ADDRESS = "https://datamanager.googleapis.com"
TOKEN_ADDRESS = "https://oauth2.googleapis.com/token"  # noqa: S105  (an address)
LOG_IN_ADDRESS = "https://accounts.google.com/o/oauth2/v2/auth"
SCOPE = "https://www.googleapis.com/auth/datamanager"
# `prompt`: without it whoever has agreed before brings no refresh token.
OAUTH = OAuth(
    authorize=lambda _: LOG_IN_ADDRESS,
    token=lambda options: options.get("token_address") or TOKEN_ADDRESS,
    ask=oauth.by_form,
    question={"scope": SCOPE, "access_type": "offline", "prompt": "consent"},
)


def ask(line: Line, method: str, what: str, body: Mapping[str, Any] | None = None) -> Reply:
    """Ask the API, with an access token that is good. Raises Stop, Trouble."""
    url = f"{(line.options.get('address') or ADDRESS).rstrip('/')}/v1/{what}"

    def with_token(token: str) -> Reply:
        headers = {"Authorization": f"Bearer {token}"}
        if body is None:
            return line.ask(method, url, b"", headers)
        return post_json(line, url, body, headers)

    return oauth.asked_with_access(OAUTH, line, with_token)


def receipt_of(reply: Reply) -> str | None:
    """The request's id, by which it can be asked what became of it."""
    told = reply.json()
    found = told.get("requestId") if isinstance(told, dict) else None
    return str(found)[:100] if found else None
