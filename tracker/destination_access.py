"""Connecting a destination: a person lets us in over there and comes back with a code (OAuth 2, RFC 6749).

The question carries a `state` that is bound to whoever asked it, a browser's session or the command line: an
answer that somebody else slips in is not taken.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime, timedelta
from typing import NoReturn

from sqlalchemy.orm import Session

from tracker.audit import By
from tracker.destination_line import Way
from tracker.destination_safe import Safe
from tracker.destinations import oauth
from tracker.destinations.fields import kind_of
from tracker.destinations.kind import OAuth, Stop
from tracker.errors import Rejected
from tracker.models import Destination
from tracker.outside import Trouble
from tracker.settings import Settings

PLACE = "/connected"  # where the other system sends the browser back to
LIVES = timedelta(minutes=30)  # a question
COMMAND = "command"  # who asked: the command line, which has no session
_STATE = re.compile(r"([a-z0-9-]{1,60})\.([0-9]{1,18})\.([0-9]{1,12})\.([0-9a-f]{64})", re.ASCII)


def redirect_of(settings: Settings) -> str:
    """The address to come back to, as it is to be filled in over there."""
    return settings.web_url.rstrip("/") + PLACE


def question(it: Destination, safe: Safe, settings: Settings, asker: tuple[str, str], now: datetime) -> str:
    """The address at which a person lets us in. `asker`: the company's short name, and who asks.

    Raises Rejected destination.connect.
    """
    secrets = safe.vault.open(it.secrets)
    way = _way(it)
    if not secrets.get("client_id") or not secrets.get("client_secret"):
        raise Rejected(
            "destination.connect",
            "%(name)s has no application over there to be connected by",
            "Fill in client_id and client_secret first",
            name=it.name,
        )
    company, who = asker
    text = f"{company}.{it.id}.{int((now + LIVES).timestamp())}"
    state = f"{text}.{_seal(settings, who, text)}"
    return oauth.question(way, it.options, secrets, redirect_of(settings), state)


def read_state(settings: Settings, who: str, state: str, now: datetime) -> tuple[str, int]:
    """The company's short name and the destination's id. Raises Rejected destination.state."""
    found = _STATE.fullmatch(state)
    ours = found and hmac.compare_digest(_seal(settings, who, state.rpartition(".")[0]), found[4])
    if found and ours and now.timestamp() < int(found[3]):
        return found[1], int(found[2])
    raise Rejected(
        "destination.state",
        "That is no answer to a question of yours, or it came too late",
        "Connect the destination again; what `leaseline destination connect` asked is answered there",
    )


def connect(it: Destination, safe: Safe, settings: Settings, code: str, now: datetime) -> None:
    """Have the code turned into tokens over there, and keep them. Raises Rejected destination.refused."""
    line = Way(it.options, safe.vault.open(it.secrets), settings, lambda: now, safe=safe)
    try:
        oauth.connect(_way(it), line, code, redirect_of(settings))
    except Stop as stop:
        _refuse(it.name, stop.answer.text)
    except Trouble as trouble:
        _refuse(it.name, str(trouble))


def note(session: Session, by: By, it: Destination) -> None:
    """It is connected: what waits for it goes out at once."""
    it.retry_at = None
    by.note(session, "destination.connect", it.company_id, subject=it.name)


def _way(it: Destination) -> OAuth:
    if (way := kind_of(it.kind).oauth) is not None:
        return way
    raise Rejected(
        "destination.connect",
        "%(name)s is not connected in this way",
        "Fill in its fields: `leaseline destination kinds`",
        name=it.name,
    )


def _seal(settings: Settings, who: str, text: str) -> str:
    told = f"connect|{who}|{text}".encode()
    return hmac.new(settings.secret_key.encode(), told, hashlib.sha256).hexdigest()


def _refuse(name: str, answer: str) -> NoReturn:
    raise Rejected(
        "destination.refused",
        "%(name)s was not connected: %(answer)s",
        "See that the address to come back to is the one over there, and connect it again",
        name=name,
        answer=answer[:200],
    )
