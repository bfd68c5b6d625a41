"""The hours of a week as a company's clocks show them: "mon-14" is Mondays from two to three."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Interval = tuple[datetime, datetime]  # half-open


@dataclass(frozen=True)
class WeekHour:
    """`day` 0 is Monday, `hour` 0 to 23."""

    day: int
    hour: int

    @property
    def word(self) -> str:
        return f"{DAYS[self.day]}-{self.hour:02}"


def read_week_hour(word: str) -> WeekHour | None:
    """The hour that is written so; None when none is."""
    found = re.fullmatch(r"([a-z]{3})-([0-9]{1,2})", word.lower(), re.ASCII)
    if found is None or found[1] not in DAYS or int(found[2]) > 23:
        return None
    return WeekHour(DAYS.index(found[1]), int(found[2]))


def week_hour_of(at: datetime, zone: ZoneInfo) -> WeekHour:
    """The hour of the week that the zone's clocks showed."""
    local = at.astimezone(zone)
    return WeekHour(local.weekday(), local.hour)


def intervals(hour: WeekHour, since: datetime, until: datetime, zone: ZoneInfo) -> Iterator[Interval]:
    """When it was that hour between these instants, in UTC.

    On the day on which the clocks go back an hour of it is two hours long, on the other none at all.
    """
    day, last = since.astimezone(zone).date(), until.astimezone(zone).date()
    day += timedelta(days=(hour.day - day.weekday()) % 7)
    while day <= last:
        begun, ended = _hour(day, hour.hour, zone)
        begun, ended = max(begun, since), min(ended, until)
        if begun < ended:
            yield begun, ended
        day += timedelta(days=7)


def joined(spans: Iterable[Interval]) -> tuple[Interval, ...]:
    """The same times in their order; what follows one another without a gap is one."""
    found: list[Interval] = []
    for begun, ended in sorted(spans):
        if found and begun <= found[-1][1]:
            found[-1] = found[-1][0], max(ended, found[-1][1])
        else:
            found.append((begun, ended))
    return tuple(found)


def _hour(day: date, hour: int, zone: ZoneInfo) -> Interval:
    begun = datetime.combine(day, time(hour), zone)
    # A clock that goes back in the middle of an hour shows part of it twice; whole hours end with the second.
    ended = begun.replace(tzinfo=None) + timedelta(hours=1)
    return begun.astimezone(UTC), ended.replace(tzinfo=zone).astimezone(UTC)
