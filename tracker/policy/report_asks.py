"""The words of the filter of calls that list exactly the calls of a report's row, where there are such."""

from __future__ import annotations

from collections.abc import Sequence

from tracker.policy.addresses import clean
from tracker.policy.call_filter import LONGEST, MOST_INTERVALS
from tracker.policy.report_words import CHANNEL, FROM_SOURCE, Blank, By, Cell
from tracker.policy.spans import Asks, Span
from tracker.policy.week import WeekHour

# Words of the filter that ask for a row's word as it is.
_NAMES = {
    By.SOURCE: "source", By.MEDIUM: "medium", By.CAMPAIGN: "campaign", By.KEYWORD: "keyword",
    By.SITE: "site", By.NUMBER: "number", By.EMPLOYEE: "answered_by", By.CATEGORY: "category",
    By.TAG: "tag",
}  # fmt: skip


def asks_of(parts: Sequence[By], key: Sequence[Cell], span: Span, base: Asks) -> Asks | None:
    """The row's filter; None where the filter of calls has no words for it."""
    asks: list[tuple[str, str]] = []
    hours: set[str] | None = None
    for by, cell in zip(parts, key, strict=True):
        if by in {By.HOUR, By.WEEKDAY}:
            found = _hours(by, cell)
            hours = found if hours is None else hours & found
            continue
        words = _asks(by, cell)
        if words is None:
            return None
        asks += words
    if hours is not None:
        # Each hour of the week comes as often as there are weeks, and once more at most.
        if not hours or len(hours) * (span.days // 7 + 2) > MOST_INTERVALS:
            return None
        asks += [("hour", word) for word in sorted(hours)]
    return (*base, *dict.fromkeys(asks))


def _asks(by: By, cell: Cell) -> Asks | None:
    if cell is Blank.UNKNOWN:  # a sale that belongs to nobody known has no number, no employee either
        return (("attributed", "no"),) if by in FROM_SOURCE else None
    if by is By.CATEGORY and cell is Blank.NONE:
        return (("category", "none"),)
    if not isinstance(cell, str) or clean(cell, LONGEST) != cell:
        return None
    if by is By.CHANNEL:
        static = cell.startswith(CHANNEL)
        return (("channel", cell.removeprefix(CHANNEL)),) if static else (("group", cell),)
    return ((_NAMES[by], cell),) if by in _NAMES else None


def _hours(by: By, cell: Cell) -> set[str]:
    if not isinstance(cell, int):
        return set()
    pairs = ((cell, hour) for hour in range(24)) if by is By.WEEKDAY else ((day, cell) for day in range(7))
    return {WeekHour(int(day), int(hour)).word for day, hour in pairs}
