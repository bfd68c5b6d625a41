"""What an admin may say of a SIP connection beside host and password: codecs, headers, proxies, files.

As in tracker.policy.entries, the patterns say what is allowed: it ends up in Asterisk's configuration.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import phonenumbers

from tracker.errors import Rejected
from tracker.policy.entries import read_host, read_port

CODECS = ("alaw", "ulaw", "g722")
DID_HEADERS = ("P-Called-Party-ID", "Diversion", "X-…")
_HEADER = re.compile(r"(?:P-Called-Party-ID|Diversion|History-Info|X-[A-Za-z0-9-]{1,40})", re.IGNORECASE)
_FILE = re.compile(r"/[A-Za-z0-9._/+-]{1,250}")
_PROXY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\s]+)(?::(?P<port>[0-9]{1,6}))?")
LONGEST_QUALIFY_SECONDS = 3600


def read_codecs(texts: Sequence[str], what: str) -> list[str]:
    """Codecs in order of preference, each once."""
    found = [part.strip().lower() for text in texts for part in text.split(",") if part.strip()]
    unknown = [each for each in found if each not in CODECS]
    if unknown or not found or len(set(found)) < len(found):
        raise Rejected(
            f"{what}.codecs",
            "%(text)r is no list of codecs",
            "Give one or more of %(known)s, the preferred one first, each once",
            text=",".join(texts)[:60],
            known=list(CODECS),
        )
    return found


def read_did_in(text: str) -> str:
    """Where a carrier writes the number dialled: `uri`, `to` or `header:NAME`."""
    if text in {"uri", "to"}:
        return text
    name = text.removeprefix("header:")
    if name == text or not _HEADER.fullmatch(name):
        raise Rejected(
            "trunk.did_in",
            "%(text)r is no place where a carrier writes the number dialled",
            "Give uri, to, or header:NAME with P-Called-Party-ID, Diversion, History-Info or X-…",
            text=text[:60],
        )
    return f"header:{name}"


def read_country(text: str, what: str) -> str:
    """A country by its two letters (ISO 3166)."""
    country = text.upper()
    if country not in phonenumbers.SUPPORTED_REGIONS:
        raise Rejected(
            f"{what}.country",
            "%(text)r is no country",
            "Give its two letters, such as DE or GB",
            text=text[:20],
        )
    return country


def read_proxy(text: str, what: str) -> str:
    """An outbound proxy as HOST or HOST:PORT; an IPv6 address in brackets."""
    found = _PROXY.fullmatch(text.strip())
    if not found:
        raise Rejected(
            f"{what}.outbound_proxy",
            "%(text)r is no proxy",
            "Give HOST or HOST:PORT, without sip:",
            text=text[:80],
        )
    host = read_host(found["host"], what)
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{read_port(int(found['port']), what)}" if found["port"] else shown


def read_file(text: str, what: str) -> str:
    """The path of a file; whether it can be read is seen when it is used."""
    if not _FILE.fullmatch(text):
        raise Rejected(
            f"{what}.file",
            "%(text)r is no path that Asterisk's configuration can hold",
            "Give an absolute path of letters, digits and . _ + - /",
            text=text[:80],
        )
    return text


def read_qualify_seconds(seconds: int, what: str) -> int:
    """How often the other side is asked whether it is alive; 0: never."""
    if not 0 <= seconds <= LONGEST_QUALIFY_SECONDS:
        raise Rejected(
            f"{what}.qualify_seconds",
            "%(seconds)s is no number of seconds to ask after",
            "Give 0 (never) to %(longest)s whole seconds",
            seconds=seconds,
            longest=LONGEST_QUALIFY_SECONDS,
        )
    return seconds
