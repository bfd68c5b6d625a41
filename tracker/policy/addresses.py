"""Web addresses as browsers, and whoever pretends to be one, send them: taken apart without ever failing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote, unquote_plus, urlsplit

LONGEST_ADDRESS = 2048  # characters; more is cut off
LONGEST_VALUE = 512  # characters of a parameter
MOST_PARAMETERS = 50

# Control characters, marks that turn the direction of writing, and halves of surrogate pairs: none of them
# belongs into an address, some cannot be stored, and the rest lie to whoever reads a report.
_UNWANTED = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)*|[0-9a-f:.]+")
_STARTS_WITH_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+(?::\d+)?(?:[/?#]|$)")
_SPOKEN = frozenset({"http", "https", "android-app", "ios-app"})


@dataclass(frozen=True)
class Address:
    """`host` is small and without a trailing dot; parameters' names are small, the first value counts."""

    host: str
    path: str
    parameters: dict[str, str] = field(default_factory=dict)


def clean(text: str | None, longest: int = LONGEST_ADDRESS) -> str:
    """The text without what may not be stored or shown, at most `longest` characters."""
    return _UNWANTED.sub("", (text or "")[: longest * 2]).strip()[:longest]


def readable(text: str | None) -> str:
    """An address as a person would write it: percent signs resolved, as far as they can be."""
    return clean(unquote(clean(text), errors="replace"))


def read_address(text: str | None) -> Address | None:
    """The address in that text; None when there is none, or none of the web or of an app.

    "/page?a=b" is an address without a host, "shop.example/page" one without a scheme.
    """
    kept = clean(text)
    if _STARTS_WITH_HOST.match(kept):
        kept = "https://" + kept
    scheme = _SCHEME.match(kept)
    if not kept or (scheme and scheme[1].lower() not in _SPOKEN):
        return None
    try:
        parts = urlsplit(kept)
        host = (parts.hostname or "").strip(".")
    except ValueError:  # brackets that are no IPv6 address, characters that pretend to be a slash
        return None
    if len(host) > 253 or (host and not _HOST.fullmatch(host)) or (scheme and not host):
        return None
    return Address(host, parts.path, _parameters(parts.query, parts.fragment))


def shown_host(host: str) -> str:
    """The host as people know it: without www., international names in their own letters."""
    bare = host.removeprefix("www.") or host
    if "xn--" not in bare:
        return bare
    try:
        return clean(bare.encode("ascii").decode("idna")) or bare
    except UnicodeError:
        return bare


def _parameters(query: str, fragment: str) -> dict[str, str]:
    found: dict[str, str] = {}
    # Some campaigns are tagged behind the #, where single-page sites also keep their own page: "#/page?a=b".
    for name, value in [*_pairs(query), *_pairs(fragment.rpartition("?")[2])][:MOST_PARAMETERS]:
        found.setdefault(name, value)
    return found


def _pairs(query: str) -> Iterator[tuple[str, str]]:
    for pair in query.split("&", MOST_PARAMETERS)[:MOST_PARAMETERS]:
        name, _, value = pair.partition("=")
        text = clean(unquote_plus(value, errors="replace"), LONGEST_VALUE)
        if text:
            yield clean(unquote_plus(name, errors="replace"), 64).lower(), text
