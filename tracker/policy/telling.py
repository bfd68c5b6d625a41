"""How people and programs are told: when a message is tried again, how a webhook is signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import SplitResult, urlsplit

from tracker.errors import Said, say

FIRST, LONGEST = timedelta(seconds=10), timedelta(hours=1)
GIVEN_UP = timedelta(days=1)  # after so long nobody wants to know any more
SECRET = "whsec_"  # noqa: S105  (how a secret begins)
EMAIL = re.compile(r"[^@\s,;<>\"\x00-\x1f]{1,64}@[A-Za-z0-9.-]{1,190}\.?[A-Za-z0-9]")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Where clouds keep what a machine may know of itself, besides the link-local ones.
_METADATA = (
    ipaddress.ip_address("fd00:ec2::254"),
    ipaddress.ip_address("fd20:ce::254"),
    ipaddress.ip_address("100.100.100.200"),
    ipaddress.ip_address("168.63.129.16"),
    ipaddress.ip_address("192.0.0.192"),
)
# In which the last 32 bits are an address of IPv4: RFC 6052 (NAT64), 4291 2.5.5.1, 2765 2.1.
_WRAPS_IPV4 = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "::/96", "::ffff:0:0:0/96")))
# Beyond this nothing of IPv6 is routed in public (RFC 4291 2.4); these are in it, or of IPv4, and are not.
_UNICAST = ipaddress.IPv6Network("2000::/3")
_NOWHERE = tuple(map(ipaddress.ip_network, ("3fff::/20", "192.0.0.0/24", "192.88.99.0/24")))
# Above 1023, those at which other protocols listen (https://fetch.spec.whatwg.org/#port-blocking).
_OTHERS_PORTS = frozenset((
    1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679,
    6697, 10080,
))  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What became of a try. `text` is what was answered, or what went wrong."""

    ok: bool
    text: str
    final: bool = False  # trying again changes nothing
    gone: bool = False  # the receiver wants no more, ever
    retry_after: timedelta | None = None  # it asked to be left alone for so long
    receipt: str | None = None  # by which it can be asked later what became of it


def next_try(tries: int, created_at: datetime, now: datetime, dice: float) -> datetime | None:
    """When to try again after so many tries; `dice` from 0 to 1 spreads them. None: given up.

    Ten seconds, twice that, and so on up to an hour, each shortened by up to a half.
    """
    pause = min(LONGEST, FIRST * 2 ** min(tries - 1, 20)) * (1 - dice / 2)
    return now + pause if now + pause < created_at + GIVEN_UP else None


def sign(secret: str, key: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of a webhook by https://www.standardwebhooks.com: id, timestamp, signature."""
    stamp = str(int(at.timestamp()))
    signed = b".".join((key.encode(), stamp.encode(), body))
    digest = hmac.new(base64.b64decode(secret.removeprefix(SECRET)), signed, hashlib.sha256).digest()
    return {
        "webhook-id": key,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def is_secret(text: str) -> bool:
    """Whether it is a secret of that specification: 24 to 64 bytes in base64 behind "whsec_"."""
    try:
        return text.startswith(SECRET) and 24 <= len(base64.b64decode(text[6:], validate=True)) <= 64
    except ValueError:  # also letters that are not ASCII
        return False


def url_problem(url: str) -> Said | None:
    """What is wrong with a webhook's address as it is typed; None when nothing is."""
    parts = _parts(url)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        return say("It is no address of the web")
    if parts.username or parts.password or parts.fragment:
        return say("It holds a user name, a password or a fragment")
    if parts.port is not None and not is_web_port(parts.port):
        return say("It names a port at which no web server answers")
    plain = url.isascii() and url.isprintable() and " " not in url
    return None if plain else say("It holds a strange letter")


def is_web_port(port: int) -> bool:
    """Whether a server of the web may be there: 80, 443, or from 1024 on any that is no other protocol's."""
    return port in {80, 443} or (port >= 1024 and port not in _OTHERS_PORTS)


def address_problem(scheme: str, address: str, allowed: Sequence[str]) -> str | None:
    """Why nothing is sent to an IP address; None when it may be. `allowed` networks are those of the house.

    Addresses in which machines tell of themselves are never spoken to; the house's own, and plain http, only
    where an admin has named the network.
    """
    ip = _plain(ipaddress.ip_address(address.split("%", maxsplit=1)[0]))
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip in _METADATA:
        return f"{ip} is an address that nothing is ever sent to"
    networks = [ipaddress.ip_network(each, strict=False) for each in allowed]
    named = any(ip.version == network.version and ip in network for network in networks)
    if not _is_outside(ip) and not named:
        return f"{ip} is inside the house: name its network in webhook_networks"
    if scheme == "http" and not named:
        return f"{ip} would be told in plain text: use https, or name its network in webhook_networks"
    return None


def _is_outside(ip: Address) -> bool:
    """Whether it is somewhere on the internet, and nowhere else."""
    if not ip.is_global or any(ip.version == net.version and ip in net for net in _NOWHERE):
        return False
    return ip.version == 4 or ip in _UNICAST


def masked(url: str) -> str:
    """An address without what may be a secret in it: the way is shown by its beginning, values not at all."""
    parts = _parts(url)
    if parts is None:
        return "…"
    path = parts.path if len(parts.path) <= 12 else parts.path[:8] + "…"
    return f"{parts.scheme}://{parts.netloc}{path}{'?…' if parts.query else ''}"


def _plain(ip: Address) -> Address:
    """What an address of IPv6 that stands for one of IPv4 really is."""
    if not isinstance(ip, ipaddress.IPv6Address):
        return ip
    if int(ip) > 1 and any(ip in network for network in _WRAPS_IPV4):
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else ip)


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for one that is none
    except ValueError:
        return None
    return parts
