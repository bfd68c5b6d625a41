"""Tones by country: what a caller hears where it is we who ring.

They are those of Asterisk's own package where it brings any; for the rest, those of ITU-T E.180 that matter.
"""

from __future__ import annotations

import configparser
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

_SHIPPED = "conf/samples/indications.conf.sample"  # below Asterisk's data
_KINDS = ("ringcadence", "dial", "busy", "ring", "congestion")
_TONES = re.compile(r"[0-9!*+/,]{1,500}")
_NAMES = {"GB": "uk"}  # as Asterisk calls them
Zone = Mapping[str, str]


def _zone(ring: str, busy: str, congestion: str, dial: str = "425") -> Zone:
    cadence = ",".join(each.partition("/")[2] for each in ring.split(","))
    return dict(zip(_KINDS, (cadence, dial, busy, ring, congestion), strict=True))


_MOST = _zone("425/1000,0/4000", "425/500,0/500", "425/250,0/250")  # of Europe, and of much of the world
_AMERICA = _zone("440+480/2000,0/4000", "480+620/500,0/500", "480+620/250,0/250", "350+440")
_OWN: Mapping[str, Zone] = {
    "us": _AMERICA,
    "ca": _AMERICA,
    "uk": _zone("400+450/400,0/200,400+450/400,0/2000", "400/375,0/375", "400/400,0/350", "350+440"),
    "ie": _zone("400+450/400,0/200,400+450/400,0/2000", "425/500,0/500", "425/250,0/250"),
    "fr": _zone("440/1500,0/3500", "440/500,0/500", "440/250,0/250", "440"),
}
DEFAULT = "us"


def zone_name(country: str) -> str:
    """A country's zone: `de` for DE."""
    return _NAMES.get(country.upper(), country.lower())


def zones(data: Path, names: Iterable[str]) -> dict[str, Zone]:
    """The tones of each of these zones, the most frequent first; `data` is where Asterisk keeps its own."""
    shipped = _shipped(data / _SHIPPED)
    found = [name for name, _ in sorted(Counter(names).items(), key=lambda it: (-it[1], it[0]))] or [DEFAULT]
    return {name: shipped.get(name) or _OWN.get(name) or _MOST for name in found}


@cache
def _shipped(file: Path) -> Mapping[str, Zone]:
    reader = configparser.ConfigParser(
        delimiters="=", comment_prefixes=";", inline_comment_prefixes=";", strict=False, interpolation=None
    )
    try:
        reader.read_string(file.read_text(errors="replace"))
    except (OSError, configparser.Error):
        return {}
    return {name: read for name in reader.sections() if (read := _read(reader[name]))}


def _read(section: Mapping[str, str]) -> Zone | None:
    """Only what is plain, and rings."""
    given = {kind: section.get(kind, "").replace(" ", "") for kind in _KINDS}
    plain = {kind: tones for kind, tones in given.items() if _TONES.fullmatch(tones)}
    return plain if "ring" in plain else None
