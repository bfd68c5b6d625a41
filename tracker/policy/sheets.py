"""Which of a company's days have sheets, and what of a time is left to be counted call by call.

A day is a half-open interval in UTC, from a midnight of the company's clocks to the next: 23 to 25 hours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from tracker.policy.spans import DAY, midnight

# Times that are left in between: of more, everything is counted at once.
MOST_GAPS = 60


@dataclass(frozen=True, order=True)
class Interval:
    since: datetime
    until: datetime

    @property
    def step_seconds(self) -> int:
        """Of the steps of UTC in which a day is told: hours where its midnights are whole ones."""
        return 3600 if self.since.minute == self.until.minute == 0 else 900


@dataclass(frozen=True)
class Day:
    """A day of a company's."""

    company_id: int
    time: Interval


@dataclass(frozen=True)
class Sheet:
    """A day's sheet that holds; `data` as the report wrote it."""

    company_id: int
    time: Interval
    data: str


@dataclass(frozen=True)
class Gap:
    """A time in which these companies' calls are to be counted themselves."""

    company_ids: tuple[int, ...]
    time: Interval


@dataclass(frozen=True)
class Plan:
    sheets: Sequence[Sheet] = ()
    gaps: Sequence[Gap] = ()


def plan(company_ids: Iterable[int], wanted: Interval, sheets: Iterable[Sheet]) -> Plan:
    """How to make up that time of sheets that lie within it and the rest: each instant once a company.

    Whose midnights they begin at makes no difference.
    """
    used: list[Sheet] = []
    gaps: defaultdict[Interval, list[int]] = defaultdict(list)
    theirs = _by_company(sheets)
    for company_id in sorted(set(company_ids)):
        begun = wanted.since
        for sheet in theirs.get(company_id, ()):
            if sheet.time.since < begun or sheet.time.until > wanted.until:
                continue
            if sheet.time.since > begun:
                gaps[Interval(begun, sheet.time.since)].append(company_id)
            used.append(sheet)
            begun = sheet.time.until
        if begun < wanted.until:
            gaps[Interval(begun, wanted.until)].append(company_id)
    if len(gaps) > MOST_GAPS:
        return Plan((), (Gap(tuple(sorted(set(company_ids))), wanted),))
    return Plan(used, [Gap(tuple(whose), time) for time, whose in sorted(gaps.items())])


def _by_company(sheets: Iterable[Sheet]) -> Mapping[int, list[Sheet]]:
    found: defaultdict[int, list[Sheet]] = defaultdict(list)
    for sheet in sorted(sheets, key=lambda sheet: sheet.time):
        found[sheet.company_id].append(sheet)
    return found


def days_over(first_at: datetime, now: datetime, zone: ZoneInfo) -> Sequence[Interval]:
    """The zone's days that are over, from that of `first_at` on, in their order."""
    return _days(first_at.astimezone(zone).date(), now.astimezone(zone).date(), zone)


@lru_cache(256)
def _days(first: date, end: date, zone: ZoneInfo) -> Sequence[Interval]:
    midnights = [midnight(first + day * DAY, zone) for day in range((end - first).days + 1)]
    # Who moves over the date line leaves out a day.
    return tuple(Interval(since, until) for since, until in pairwise(midnights) if since < until)
