"""Which row of a report a cost belongs to: the one that its words name, as the calls' visits say them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal

from tracker.policy.call_words import Kind
from tracker.policy.costs import Words
from tracker.policy.origins import NOT_SET
from tracker.policy.report_words import CALENDAR, CHANNEL, Blank, By, Cell, Weekday, calendar_cell

_FOLDED = frozenset({By.SOURCE, By.MEDIUM})  # the same in capital letters, as costs have it
Key = tuple[Cell, ...]
GroupOf = Callable[[str, str, str | None], str]  # the channel group of a source, medium and campaign


# By what the costs of a row's word are told apart.
_WORDS = {
    By.SOURCE: ("source",), By.MEDIUM: ("medium",), By.CAMPAIGN: ("campaign",), By.KEYWORD: ("keyword",),
    By.AD: ("content",), By.CHANNEL: ("source", "medium", "campaign"),
}  # fmt: skip
_DAYS = CALENDAR | {By.WEEKDAY}


def told_by(parts: Sequence[By]) -> tuple[set[str], bool]:
    """The words of costs that these columns need, and whether they need the day."""
    return {word for by in parts for word in _WORDS.get(by, ())}, not _DAYS.isdisjoint(parts)


def cell_of(by: By, day: date | None, words: Words, channel: str | None, group_of: GroupOf) -> Cell:
    """What stands for the cost in that column; Blank.UNDIVIDED where its words do not say it."""
    if by is By.WEEKDAY and day is not None:
        return Weekday(day.weekday())
    if by in CALENDAR and day is not None:
        return calendar_cell(by, day)
    if by is By.KIND:
        return Blank.UNDIVIDED if channel is None else Kind.STATIC.value
    if by is By.CHANNEL:
        if channel is not None:
            return CHANNEL + channel
        return group_of(words.source, words.medium, words.campaign) if words.medium else Blank.UNDIVIDED
    told = {
        By.SOURCE: words.source, By.MEDIUM: words.medium, By.CAMPAIGN: words.campaign,
        By.KEYWORD: words.keyword, By.AD: words.content,
    }.get(by)  # fmt: skip
    return Blank.UNDIVIDED if told is None else told or NOT_SET


def wanted(words: Words, only: Mapping[str, str]) -> bool:
    """Whether the cost is of what the report is narrowed to."""
    return all(
        (getattr(words, name) or "").casefold() == value.casefold()
        if By(name) in _FOLDED
        else getattr(words, name) == value
        for name, value in only.items()
    )


def placed(
    parts: Sequence[By], costs: Iterable[tuple[Key, Decimal]], calls: Mapping[Key, int]
) -> dict[Key, Decimal]:
    """The costs by row, each written as the rows of calls write it; a cost without calls has its own."""
    spelled = [_spellings(place, calls) if by in _FOLDED else {} for place, by in enumerate(parts)]
    found: defaultdict[Key, Decimal] = defaultdict(Decimal)
    for key, value in costs:
        row = tuple(
            known.get(cell.casefold(), cell) if isinstance(cell, str) else cell
            for cell, known in zip(key, spelled, strict=True)
        )
        found[row] += value
    return dict(found)


def _spellings(place: int, calls: Mapping[Key, int]) -> dict[str, str]:
    """Of words that differ in capitals alone the one with the most calls."""
    sums: defaultdict[str, int] = defaultdict(int)
    for key, count in calls.items():
        if isinstance(cell := key[place], str):
            sums[cell] += count
    return {word.casefold(): word for word in sorted(sums, key=lambda it: (sums[it], it))}
