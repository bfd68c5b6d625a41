"""When a report is sent: each day, one weekday a week, or one day a month, at an hour of the zone's clocks.

    next_at(Schedule(Every.WEEK, 0, 8), ZoneInfo("Europe/Berlin"), now)     # Monday at eight

An hour that clocks strike twice counts once, the first time; one that they leave out is an hour later that
day. A month without the day wished for has its last one instead.
"""

from __future__ import annotations

import calendar
import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tracker.errors import Rejected
from tracker.policy.telling import EMAIL
from tracker.policy.week import DAYS

MOST_ADDRESSES = 20
LONGEST_ADDRESS = 200
_WHOLE = re.compile(r"[0-9]{1,2}", re.ASCII)
_LOOKED_AT = 63  # days: the longest that lies between two of a month, and two more for odd calendars


class Every(enum.StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True)
class Schedule:
    """`day`: of the week (0: Monday), of the month (1 to 31), or 0 where it is every day."""

    every: Every
    day: int
    hour: int

    def __post_init__(self) -> None:
        first, last = {Every.DAY: (0, 0), Every.WEEK: (0, 6), Every.MONTH: (1, 31)}[self.every]
        if not first <= self.day <= last:
            raise _no_day(self.every, str(self.day))
        if not 0 <= self.hour <= 23:
            raise Rejected("schedule.hour", "%(hour)s is no hour", "Give 0 to 23", hour=self.hour)


def next_at(it: Schedule, zone: ZoneInfo, after: datetime) -> datetime:
    """The first instant after that one at which it is due, in UTC."""
    return next(at for day in _days(it, zone, after) if (at := instant(day, it.hour, zone)) > after)


def instant(day: date, hour: int, zone: ZoneInfo) -> datetime:
    """When that day's clocks strike the hour first; where they leave it out, when they would have."""
    return datetime.combine(day, time(hour), zone).astimezone(UTC)


def _days(it: Schedule, zone: ZoneInfo, after: datetime) -> Iterator[date]:
    begun = after.astimezone(zone).date() - timedelta(days=1)  # its late hour may have slipped over midnight
    return (day for day in (begun + timedelta(days=past) for past in range(_LOOKED_AT)) if _fits(it, day))


def _fits(it: Schedule, day: date) -> bool:
    if it.every is Every.WEEK:
        return day.weekday() == it.day
    return it.every is Every.DAY or day.day == min(it.day, calendar.monthrange(day.year, day.month)[1])


def read_schedule(every: str, day: str, hour: str) -> Schedule:
    """A schedule as it is typed; a weekday is a number or as "mon". Raises Rejected schedule.malformed, …"""
    try:
        kind = Every(every)
    except ValueError:
        raise Rejected(
            "schedule.malformed", "%(every)r is no rhythm", "Choose one of %(words)s", every=every[:20],
            words=[each.value for each in Every],
        ) from None  # fmt: skip
    if kind is Every.WEEK and day.strip().lower() in DAYS:
        day = str(DAYS.index(day.strip().lower()))
    if kind is not Every.DAY and not _WHOLE.fullmatch(day.strip()):
        raise _no_day(kind, repr(day[:20]))
    place = 0 if kind is Every.DAY else int(day)
    if not _WHOLE.fullmatch(hour.strip()):
        raise Rejected("schedule.hour", "%(text)r is no whole number", "Give one as 8", text=hour[:20])
    return Schedule(kind, place, int(hour))


def _no_day(every: Every, day: str) -> Rejected:
    first, last = ("1", "31") if every is Every.MONTH else (DAYS[0], DAYS[-1])
    return Rejected(
        "schedule.day",
        "%(day)s is no such day",
        "Give %(first)s to %(last)s",
        day=day,
        first=first,
        last=last,
    )


def read_addresses(text: str) -> tuple[str, ...]:
    """E-mail addresses with commas, semicolons or spaces between them, each once, as they were typed.

    Raises Rejected schedule.nobody, schedule.many, address.malformed.
    """
    found = tuple({each.lower(): each for each in re.split(r"[\s,;]+", text) if each}.values())
    if not found:
        raise Rejected("schedule.nobody", "A report needs somebody to go to", "Give an e-mail address")
    if len(found) > MOST_ADDRESSES:
        raise Rejected(
            "schedule.many", "These are too many addresses", "Give %(most)s at most", most=MOST_ADDRESSES
        )
    for each in found:
        if not EMAIL.fullmatch(each) or len(each) > LONGEST_ADDRESS:
            raise Rejected(
                "address.malformed",
                "%(address)r is no e-mail address",
                "Give it as name@company.example",
                address=each[:60],
            )
    return found
