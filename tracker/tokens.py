"""Visit tokens: what a page shows to speak for a running visit, signed and bound to its site and visitor.

    <visit id>.<site id>.<seal>

The seal is the visitor's id and an HMAC-SHA256 (its first 128 bits) over all three, so a token is judged
without asking the database: a flood of forged ones costs nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

_TOKEN = re.compile(r"([1-9][0-9]{0,17})\.([1-9][0-9]{0,17})\.([A-Za-z0-9_-]{32})", re.ASCII)
_ID_BYTES, _MAC_BYTES = 8, 16  # 24 bytes are 32 characters, without padding


@dataclass(frozen=True)
class Pass:
    """Whom a token speaks for."""

    visit_id: int
    site_id: int
    visitor_id: int


def make(secret: str, shown: Pass) -> str:
    """The token for a visit."""
    sealed = shown.visitor_id.to_bytes(_ID_BYTES, "big") + _mac(secret, shown)
    return f"{shown.visit_id}.{shown.site_id}.{base64.urlsafe_b64encode(sealed).decode()}"


def read(secret: str, text: str) -> Pass | None:
    """Whom the token speaks for; None when it was not made here, or not for what it says."""
    found = _TOKEN.fullmatch(text)
    if found is None:
        return None
    sealed = base64.urlsafe_b64decode(found[3])
    visitor_id = int.from_bytes(sealed[:_ID_BYTES], "big")
    claimed = Pass(int(found[1]), int(found[2]), visitor_id)
    return claimed if hmac.compare_digest(_mac(secret, claimed), sealed[_ID_BYTES:]) else None


def claimed_site(text: str) -> int | None:
    """The site a token names, whether or not it is genuine: only to say no to the right page."""
    found = _TOKEN.fullmatch(text)
    return int(found[2]) if found else None


def _mac(secret: str, shown: Pass) -> bytes:
    text = f"visit|{shown.visit_id}|{shown.site_id}|{shown.visitor_id}"
    return hmac.digest(secret.encode(), text.encode(), hashlib.sha256)[:_MAC_BYTES]
