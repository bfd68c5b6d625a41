"""What an admin may type: names, hosts, ports, secrets.

Much of it ends up in Asterisk's configuration, so the patterns say what is allowed, never what is forbidden.
Every function returns the cleaned value or raises Rejected with what would be accepted.
"""

from __future__ import annotations

import enum
import ipaddress
import re
from collections.abc import Sequence
from typing import TypeVar

from tracker.errors import Rejected

Word = TypeVar("Word", bound=enum.StrEnum)
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_NARROWEST = {4: 16, 6: 32}


def read_slug(text: str) -> str:
    """A company's short name for commands and addresses: small letters, digits, hyphens."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,38}", text):
        raise Rejected(
            "company.slug",
            "%(text)r cannot be a company's short name",
            "Give 1 to 39 small letters, digits and hyphens, beginning with a letter or digit",
            text=text,
        )
    return text


def read_name(text: str, what: str) -> str:
    """The name of a trunk or target: it is typed on command lines and shown beside SIP entries."""
    name = " ".join(text.split(" ")).strip()
    if not re.fullmatch(r"[^\W_][\w .+-]{0,39}", name):
        raise Rejected(
            f"{what}.name",
            "%(text)r cannot be the name of a trunk"
            if what == "trunk"
            else "%(text)r cannot be the name of a target",
            "Give 1 to 40 letters, digits, spaces and . + -, beginning with a letter or digit",
            text=text,
        )
    return name


def read_title(text: str, what: str, longest: int = 100) -> str:
    """A name or label that only people read: any printable text on one line."""
    title = text.strip()
    if not 1 <= len(title) <= longest or not title.isprintable():
        raise Rejected(
            f"{what}.text",
            "%(text)r cannot be used as text here",
            "Give 1 to %(longest)s printable characters on one line",
            text=text[:60],
            longest=longest,
        )
    return title


def read_host(text: str, what: str) -> str:
    """A host by name or address, without asking DNS. IPv6 comes without its brackets."""
    host = text.strip()
    try:
        return str(ipaddress.ip_address(host.removeprefix("[").removesuffix("]")))
    except ValueError:
        pass
    last = host.rstrip(".").rsplit(".", 1)[-1]
    if len(host) > 253 or not _HOST.fullmatch(host) or last.isdigit():
        raise Rejected(
            f"{what}.host",
            "%(text)r is no host",
            "Give a host name such as sip.example.net or an IP address, without sip: and without a port",
            text=text[:80],
        )
    return host.rstrip(".").lower()


def read_port(port: int, what: str) -> int:
    if not 1 <= port <= 65535:
        raise Rejected(
            f"{what}.port", "%(port)s is no port", "Give a whole number from 1 to 65535", port=port
        )
    return port


def read_networks(texts: Sequence[str], what: str) -> list[str]:
    """Addresses a carrier sends from: IPs or networks, none so wide that strangers would be let in."""
    return [_network(part.strip(), what) for text in texts for part in text.split(",") if part.strip()]


def _network(text: str, what: str) -> str:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise Rejected(
            f"{what}.match",
            "%(text)r is no address",
            "Give IP addresses or networks such as 203.0.113.7 or 203.0.113.0/24",
            text=text[:80],
        ) from None
    narrowest = _NARROWEST[network.version]
    if network.prefixlen < narrowest:
        raise Rejected(
            f"{what}.match",
            "%(text)s would let strangers in",
            "Give the carrier's own addresses: networks of /%(narrowest)s or narrower",
            text=text,
            narrowest=narrowest,
        )
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def read_username(text: str, what: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+@-]{0,63}", text):
        raise Rejected(
            f"{what}.username",
            "%(text)r cannot be a SIP user name",
            "Give 1 to 64 letters, digits and . _ + @ -, beginning with a letter or digit",
            text=text[:80],
        )
    return text


def read_phone_username(text: str) -> str:
    """What a phone registers as: like a company's short name."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,38}", text):
        raise Rejected(
            "target.username",
            "%(text)r cannot be a phone's user name",
            "Give 1 to 39 small letters, digits and hyphens, beginning with a letter or digit",
            text=text[:80],
        )
    return text


def read_password(text: str, what: str) -> str:
    """A SIP password as the carrier gave it; it is never repeated in a message."""
    if not re.fullmatch(r"[!-:<-\[\]-~]{1,128}", text):
        raise Rejected(
            f"{what}.password",
            "The password has characters that Asterisk's configuration cannot hold",
            "Ask for one of 1 to 128 ASCII characters without spaces, semicolons and backslashes",
        )
    return text


def read_extension(text: str, what: str) -> str:
    """What to dial at a PBX: an extension or number."""
    if not re.fullmatch(r"[0-9A-Za-z+*][0-9A-Za-z+*._-]{0,39}", text):
        raise Rejected(
            f"{what}.dial",
            "%(text)r cannot be dialled at a PBX",
            "Give an extension or number such as 100 or +74951234567: digits, letters, + * . _ -",
            text=text[:60],
        )
    return text


def read_inside(text: str) -> str:
    """An extension of an Asterisk: a phone's name there, or EXTEN@CONTEXT."""
    if not re.fullmatch(r"[0-9A-Za-z_+*][0-9A-Za-z_+*.-]{0,19}(@[0-9A-Za-z_][0-9A-Za-z_-]{0,18})?", text):
        raise Rejected(
            "target.dial",
            "%(text)r is no extension of a phone system",
            "Give a phone there such as 101, or EXTENSION@CONTEXT such as 600@from-internal",
            text=text[:60],
        )
    return text


def read_word(kind: type[Word], text: str, what: str) -> Word:
    """One of an enumeration's words: a transport, a caller-id policy."""
    try:
        return kind(text)
    except ValueError:
        raise Rejected(
            what,
            "%(text)r is not known here",
            "Give one of: %(accepted)s",
            text=text[:40],
            accepted=list(kind),
        ) from None


def read_ring_seconds(seconds: int) -> int:
    if not 1 <= seconds <= 300:
        raise Rejected(
            "forward.seconds",
            "%(seconds)s seconds is no time to ring",
            "Give 1 to 300 whole seconds",
            seconds=seconds,
        )
    return seconds


def count_of(number: int, one: str, many: str | None = None) -> str:
    """ "1 call", "3 calls"."""
    return f"{number} {one if number == 1 else many or one + 's'}"
