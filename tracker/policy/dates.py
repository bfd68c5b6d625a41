"""A column of days as programs and people write them: read in one way, or not at all.

2026-11-05 and 05.11.2026 are clear. 05/11/2026 is November's in Europe and May's in America: the other cells
of the column tell which, else whoever gives the file; where nobody tells, the cell is refused.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from tracker.errors import say
from tracker.policy.tables import Unreadable

FIRST_YEAR, LAST_YEAR = 2000, 2099


class Order(enum.StrEnum):
    """What comes first where slashes or dashes part a day."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


_ISO = re.compile(r"([0-9]{4})([-/.]?)([0-9]{2})\2([0-9]{2})")
_DOTS = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4}|[0-9]{2})")
_SLASHES = re.compile(r"([0-9]{1,2})([/-])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]{1,9})?)?")
_ZONED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{5,15}(?:Z|[+-][0-9]{2}:?[0-9]{2})")
_PARTED = re.compile(r"[T\s]+")


class Dates:
    """How the days of a column are written. `told` overrules what the cells say."""

    def __init__(self, cells: Iterable[str], told: Order | None = None) -> None:
        self.order = told or _only_order(cells)
        self._known: dict[str, date] = {}  # a table has few days and many rows

    def day(self, text: str) -> date:
        """The day of a cell; a time of day behind it is left out. Raises Unreadable."""
        return self._day(_PARTED.split(text.strip(), maxsplit=1)[0])

    def instant(self, text: str, zone: ZoneInfo) -> datetime:
        """The instant of a cell, by the zone's clocks unless it names its own; midnight where it is a day."""
        at = self.told(text)
        return (at.replace(tzinfo=zone) if at.tzinfo is None else at).astimezone(UTC)

    def told(self, text: str) -> datetime:
        """What a cell says: with a zone if it names one, else what a clock showed. Raises Unreadable."""
        text = text.strip()
        if _ZONED.fullmatch(text):
            try:
                at = datetime.fromisoformat(text)
            except ValueError:
                raise _no_day(text) from None
            _check_year(at, text)
            return at
        day, _, rest = _PARTED.sub(" ", text).partition(" ")
        return datetime.combine(self._day(day), _time(rest, text))

    def _day(self, text: str) -> date:
        if (found := self._known.get(text)) is None:
            found = self._known[text] = self._read(text)
        return found

    def _read(self, text: str) -> date:
        if found := _ISO.fullmatch(text):
            return _date(found[1], found[3], found[4], text)
        if found := _DOTS.fullmatch(text):
            return _date(found[3], found[2], found[1], text)
        if found := _SLASHES.fullmatch(text):
            return self._slashed(found, text)
        raise _no_day(text)

    def _slashed(self, found: re.Match[str], text: str) -> date:
        one, other, year = found[1], found[3], found[4]
        order = self.order or _order_of(one, other)
        if order is None and int(one) != int(other):
            raise Unreadable(
                say("'%(text)s' can be two days: say whether days or months come first", text=text[:40])
            )
        day, month = (one, other) if order is not Order.MONTH_FIRST else (other, one)
        return _date(year, month, day, text)


def _only_order(cells: Iterable[str]) -> Order | None:
    """What comes first, if all the cells that can be read in one way only agree on it."""
    seen = set()
    for text in cells:
        if found := _SLASHES.match(text.strip()):
            seen.add(_order_of(found[1], found[3]))
    seen.discard(None)
    return seen.pop() if len(seen) == 1 else None


def _order_of(one: str, other: str) -> Order | None:
    if int(one) > 12 >= int(other):
        return Order.DAY_FIRST
    return Order.MONTH_FIRST if int(other) > 12 >= int(one) else None


def _date(year: str, month: str, day: str, text: str) -> date:
    try:
        found = date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        raise _no_day(text) from None
    _check_year(found, text)
    return found


def _check_year(found: date, text: str) -> None:
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise _no_day(text)


def _time(text: str, whole: str) -> time:
    if not text:
        return time()
    found = _TIME.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError
        return time(int(found[1]), int(found[2]), int(found[3] or 0))
    except ValueError:
        raise _no_day(whole) from None


def _no_day(text: str) -> Unreadable:
    if not text.strip():
        return Unreadable(say("it is empty"))
    return Unreadable(say("'%(text)s' is no day: write it as 2026-11-30 or 30.11.2026", text=text[:40]))
