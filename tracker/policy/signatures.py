"""Who a message from outside is from: what proves it, in the ways that CRMs and shops know.

    problem = wrong(Signature.STANDARD, "", secret, received, now)    # None: it is proven

How each vendor signs stands in this file alone.
"""

from __future__ import annotations

import base64
import enum
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tracker.errors import Rejected, Said, say
from tracker.policy.mapped_rows import value_at
from tracker.policy.telling import SECRET, is_secret

WINDOW = timedelta(minutes=5)  # a message that says when it was sent is believed for so long


class Signature(enum.StrEnum):
    """What proves where a message comes from."""

    STANDARD = "standard"  # https://www.standardwebhooks.com
    HUBSPOT = "hubspot"  # HubSpot's version 3
    SHA256_HEX = "sha256-hex"  # HMAC of the body in a header
    SHA256_BASE64 = "sha256-base64"
    SHA1_HEX = "sha1-hex"
    SHA1_BASE64 = "sha1-base64"
    TOKEN_HEADER = "token-header"  # noqa: S105  (a secret text as it is, in a header)
    TOKEN_QUERY = "token-query"  # noqa: S105  (in the address)
    TOKEN_FIELD = "token-field"  # noqa: S105  (in the message)


USUAL_PLACES: Mapping[Signature, str] = {
    Signature.STANDARD: "",
    Signature.HUBSPOT: "",
    Signature.SHA256_HEX: "X-Signature",
    Signature.SHA256_BASE64: "X-Signature",
    Signature.SHA1_HEX: "X-Signature",
    Signature.SHA1_BASE64: "X-Signature",
    Signature.TOKEN_HEADER: "X-Token",
    Signature.TOKEN_QUERY: "token",
    Signature.TOKEN_FIELD: "token",
}
_HMACS = {
    Signature.SHA256_HEX: (hashlib.sha256, False),
    Signature.SHA256_BASE64: (hashlib.sha256, True),
    Signature.SHA1_HEX: (hashlib.sha1, False),
    Signature.SHA1_BASE64: (hashlib.sha1, True),
}
_HEADER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}")
_PLACE = re.compile(r"[!-~]{1,100}")
_NAMED = re.compile(r"(?i:sha1|sha256)=")
# What HubSpot leaves unescaped in the address that it signs.
_UNESCAPED = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$", "%27": "'", "%28": "(",
    "%29": ")", "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip
_ESCAPED = re.compile("|".join(_UNESCAPED), re.IGNORECASE)


@dataclass(frozen=True)
class Received:
    """A message as it came in; `url` as its sender has it, names of headers in small letters."""

    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    told: Any = None


def read_place(signature: Signature, place: str) -> str:
    """Where what proves a message stands: a header, a word of the address, a path. "": where it usually is.

    Raises Rejected inlet.place.
    """
    usual = USUAL_PLACES[signature]
    if not usual or not place.strip():
        return usual
    pattern = _PLACE if signature in {Signature.TOKEN_QUERY, Signature.TOKEN_FIELD} else _HEADER
    if not pattern.fullmatch(place.strip()):
        raise Rejected(
            "inlet.place",
            "%(place)r is no place of a signature",
            "Give a header such as X-Signature, or the name of a field",
            place=place[:40],
        )
    return place.strip()


def read_secret(signature: Signature, secret: str) -> str:
    """A secret as somebody typed it. Raises Rejected inlet.secret."""
    if signature is Signature.STANDARD and not is_secret(secret):
        raise Rejected(
            "inlet.secret",
            "It is no secret of Standard Webhooks",
            "Give whsec_ and 24 to 64 bytes in base64, or nothing to have one made",
        )
    if not 8 <= len(secret) <= 300 or not secret.isprintable():
        raise Rejected(
            "inlet.secret",
            "The secret is too short, too long, or no text",
            "Give 8 to 300 characters",
        )
    return secret


def wrong(signature: Signature, place: str, secret: str, it: Received, now: datetime) -> Said | None:
    """Why the message is not believed; None: it is proven, and it was sent just now where it says when."""
    if not secret.removeprefix(SECRET):  # a signature with no key is anybody's
        return say("The signature is not that of this inlet")
    match signature:
        case Signature.STANDARD:
            return _wrong_standard(secret, it, now)
        case Signature.HUBSPOT:
            return _wrong_hubspot(secret, it, now)
        case Signature.TOKEN_HEADER:
            # "Authorization: Bearer TOKEN" is a token with a word before it.
            shown = it.headers.get(place.lower(), "").removeprefix("Bearer ")
        case Signature.TOKEN_QUERY:
            shown = it.query.get(place, "")
        case Signature.TOKEN_FIELD:
            shown = str(value_at(it.told, place) or "")
        case _:
            return _wrong_hmac(signature, place, secret, it)
    return None if _same(shown, secret) else _unlike(shown)


def message_id(signature: Signature, it: Received) -> str | None:
    """What the sender calls the message, the same each time it is sent; None where nothing signed says so."""
    return it.headers.get("webhook-id", "")[:100] or None if signature is Signature.STANDARD else None


def _wrong_standard(secret: str, it: Received, now: datetime) -> Said | None:
    stamp = it.headers.get("webhook-timestamp", "")
    signed = b".".join((it.headers.get("webhook-id", "").encode(), stamp.encode(), it.body))
    key = _key_of(secret)
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    shown = it.headers.get("webhook-signature", "")
    if not any(_same(each, expected) for each in shown.split(" ")[:20]):
        return _unlike(shown)
    return _late(stamp, 1, now)


def _key_of(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(SECRET), validate=True)
    except ValueError:  # also letters that are not ASCII
        key = b""
    return key or secret.encode()


def _wrong_hubspot(secret: str, it: Received, now: datetime) -> Said | None:
    """https://developers.hubspot.com: method, address, body and timestamp, signed with the app's secret."""
    stamp = it.headers.get("x-hubspot-request-timestamp", "")
    url = _ESCAPED.sub(lambda found: _UNESCAPED[found[0].upper()], it.url)
    signed = it.method.encode() + url.encode() + it.body + stamp.encode()
    expected = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
    shown = it.headers.get("x-hubspot-signature-v3", "")
    return _late(stamp, 1000, now) if _same(shown, expected) else _unlike(shown)


def _wrong_hmac(signature: Signature, place: str, secret: str, it: Received) -> Said | None:
    kind, in_base64 = _HMACS[signature]
    made = hmac.new(secret.encode(), it.body, kind)
    expected = base64.b64encode(made.digest()).decode() if in_base64 else made.hexdigest()
    shown = _NAMED.sub("", it.headers.get(place.lower(), "").strip(), count=1)
    return None if _same(shown if in_base64 else shown.lower(), expected) else _unlike(shown)


def _same(shown: str, expected: str) -> bool:
    return bool(expected) and hmac.compare_digest(shown.encode(errors="replace"), expected.encode())


def _unlike(shown: str) -> Said:
    return say("The signature is not that of this inlet") if shown else say("There is no signature")


def _late(stamp: str, per_second: int, now: datetime) -> Said | None:
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) < 15):
        return say("It does not say when it was sent")
    sent_at = datetime.fromtimestamp(min(int(stamp) / per_second, 4e9), UTC)
    return None if abs(now - sent_at) <= WINDOW else say("It was sent too long ago, or its clock is wrong")
