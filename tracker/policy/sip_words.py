"""A call's source as it may stand in a SIP header: plain ASCII, whatever an advertisement was called."""

from __future__ import annotations

from urllib.parse import quote

LONGEST_WORD = 60  # characters before they are escaped
LONGEST_ESCAPED = 270  # of a word: three of them fit into what Asterisk is told at once
_SAFE = "._ -"


def source_text(source: str | None, medium: str | None, campaign: str | None) -> str:
    """`google/cpc/pallets-autumn`; other letters percent-encoded, parts that are not known left out."""
    parts = [part.strip()[:LONGEST_WORD] for part in (source, medium, campaign) if part and part.strip()]
    return "/".join(_escaped(part) for part in parts)


def _escaped(part: str) -> str:
    """As many whole letters as there is room for: they are the visitor's own, out of an address."""
    found = ""
    for letter in part:
        more = quote(letter, safe=_SAFE, errors="replace")
        if len(found) + len(more) > LONGEST_ESCAPED:
            break
        found += more
    return found
