"""Days with hours of their own as people write them: one, or all from one to another, over New Year too.

days_between(SpecialDay(12, 24), SpecialDay(1, 6))     # fourteen days of each year
stretches(hours.special)                               # and back: those that follow each other, together
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta

from tracker.policy.plan import SpecialDay

MOST_DAYS = 62  # that are told as one stretch
_TOLD_TOGETHER = 3
_LEAP = 2028  # a year that has every day
_ONE = timedelta(days=1)


def days_between(first: SpecialDay, last: SpecialDay) -> list[SpecialDay]:
    """Each day from the first to the last, with the first one's hours; of each year where they name none.

    None at all where they are no days, name a year on one side alone, or are more than MOST_DAYS apart.
    """
    begin, end = _date(first), _date(last)
    if begin is None or end is None or (first.year is None) != (last.year is None):
        return []
    if first.year is None and end < begin:
        end = end.replace(year=_LEAP + 1)
    count = (end - begin).days + 1
    if not 1 <= count <= MOST_DAYS:
        return []
    return [_day(begin + number * _ONE, first) for number in range(count)]


def stretches(days: Iterable[SpecialDay]) -> Iterator[list[SpecialDay]]:
    """The days in their order; from three on, those that follow each other with the same hours are one."""
    run: list[SpecialDay] = []
    for day in days:
        if run and (_next(run[-1]) != day or len(run) == MOST_DAYS):
            yield from _told(run)
            run = []
        run.append(day)
    yield from _told(run)


def _told(run: list[SpecialDay]) -> Iterator[list[SpecialDay]]:
    if len(run) >= _TOLD_TOGETHER:
        yield run
    else:
        yield from ([day] for day in run)


def _next(day: SpecialDay) -> SpecialDay | None:
    found = _date(day)
    return _day(found + _ONE, day) if found else None


def _day(day: date, like: SpecialDay) -> SpecialDay:
    return replace(like, month=day.month, day=day.day, year=None if like.year is None else day.year)


def _date(day: SpecialDay) -> date | None:
    try:
        return date(_LEAP if day.year is None else day.year, day.month, day.day)
    except ValueError:
        return None
