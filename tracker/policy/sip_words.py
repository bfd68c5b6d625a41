"""A call's source as it may stand in a SIP header: plain ASCII, whatever an advertisement was called."""

from __future__ import annotations

from urllib.parse import quote

LONGEST_WORD = 60  # characters before they are escaped
_SAFE = "._ -"


def source_text(source: str | None, medium: str | None, campaign: str | None) -> str:
    """`google/cpc/pallets-autumn`; other letters percent-encoded, parts that are not known left out."""
    parts = [part.strip()[:LONGEST_WORD] for part in (source, medium, campaign) if part and part.strip()]
    return "/".join(quote(part, safe=_SAFE) for part in parts)
