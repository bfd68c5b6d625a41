"""The words of the filter of calls that list exactly the calls of a report's row, where there are such."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from tracker.policy.addresses import clean
from tracker.policy.call_filter import MOST_INTERVALS, WITHOUT, longest
from tracker.policy.call_words import Heard
from tracker.policy.report_words import CALENDAR, CHANNEL, FROM_SOURCE, Blank, By, Cell
from tracker.policy.spans import Asks, Span
from tracker.policy.week import WeekHour

# Words of the filter that ask for a row's word as it is.
_NAMES = {
    By.SOURCE: "source", By.MEDIUM: "medium", By.CAMPAIGN: "campaign", By.KEYWORD: "keyword", By.AD: "ad",
    By.LANDING: "landing", By.SITE: "site", By.NUMBER: "number", By.KIND: "kind", By.DELAY: "delay",
    By.REGION: "region", By.COUNTRY: "country", By.DEVICE: "device", By.EMPLOYEE: "answered_by",
    By.CATEGORY: "category", By.TAG: "tag",
}  # fmt: skip
_HEARD: dict[str, Asks] = {
    Heard.FIRST: (("known", "yes"), ("repeat", "no")),
    Heard.REPEAT: (("known", "yes"), ("repeat", "yes")),
    Heard.WITHHELD: (("known", "no"),),
}
_DAYS = ("period", "since", "until")
_HOURS = {By.HOUR, By.WEEKDAY}


def asks_of(parts: Sequence[By], key: Sequence[Cell], span: Span, base: Asks) -> Asks | None:
    """The row's filter; None where the filter of calls has no words for it."""
    asks: list[tuple[str, str]] = []
    hours: set[int] | None = None
    days = (span.first, span.last)
    for by, cell in zip(parts, key, strict=True):
        if by in _HOURS:
            found = _hours(by, cell)
            hours = found if hours is None else hours & found
        elif by in CALENDAR:
            days = _days(cell, *days)
        elif (words := _asks(by, cell)) is None:
            return None
        else:
            asks += words
    if days[0] > days[1]:
        return None
    if hours is not None:
        # Each hour of the week comes as often as there are weeks, and once more at most.
        if not hours or _stretches(hours) * (span.days // 7 + 2) > MOST_INTERVALS:
            return None
        asks += [("hour", word) for word in sorted(WeekHour(*divmod(each, 24)).word for each in hours)]
    return (*_narrowed(base, span, days), *dict.fromkeys(asks))


def _asks(by: By, cell: Cell) -> Asks | None:
    if cell is Blank.UNKNOWN:  # a sale that belongs to nobody known has no number, no employee either
        return (("attributed", "no"),) if by in FROM_SOURCE else None
    if cell is Blank.NONE:
        if by is By.CATEGORY:
            return (("category", "none"),)
        return (("without", by.value),) if by in WITHOUT else None
    if not isinstance(cell, str):
        return None
    if by is By.CALLER:
        return _HEARD[cell]
    if by is By.CHANNEL:
        static = cell.startswith(CHANNEL)
        name, cell = ("channel", cell.removeprefix(CHANNEL)) if static else ("group", cell)
    else:
        name = _NAMES[by]
    return ((name, str(cell)),) if clean(cell, longest(name)) == cell else None


def _days(cell: Cell, first: date, last: date) -> tuple[date, date]:
    """Those of these days that are of the row."""
    if not isinstance(cell, str):
        return last, first - timedelta(days=1)
    if len(cell) > len("2026-11"):
        begun = ended = date.fromisoformat(cell)
    else:
        begun = date.fromisoformat(f"{cell}-01")
        ended = (begun + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return max(first, begun), min(last, ended)


def _narrowed(base: Asks, span: Span, days: tuple[date, date]) -> Asks:
    if days == (span.first, span.last):
        return base
    kept = tuple(each for each in base if each[0] not in _DAYS)
    return (*kept, ("since", days[0].isoformat()), ("until", days[1].isoformat()))


def _hours(by: By, cell: Cell) -> set[int]:
    """Hours since Monday."""
    if not isinstance(cell, int):
        return set()
    return (
        {cell * 24 + hour for hour in range(24)}
        if by is By.WEEKDAY
        else {day * 24 + cell for day in range(7)}
    )


def _stretches(hours: set[int]) -> int:
    """How many there are without a gap between them, in a week."""
    return sum(each - 1 not in hours for each in hours)
