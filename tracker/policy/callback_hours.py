"""When somebody is there to call back: hours of the week by the site's clocks, and the times offered outside.

{"mon": (("09:00", "18:00"),), …}       a day that is not named is closed; no day at all: always open
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tracker.errors import Rejected
from tracker.policy.week import DAYS

Hours = Mapping[str, tuple[tuple[str, str], ...]]
SLOT_MINUTES = 30
_LOOKED_AT = 15  # days ahead
_SPAN = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])-([01]?[0-9]|2[0-4]):([0-5][0-9])", re.ASCII)


def read_hours(text: str) -> dict[str, tuple[tuple[str, str], ...]]:
    """Hours as people type them: "mon-fri 9:00-18:00, sat 10:00-14:00"; nothing means always.

    Raises Rejected callback.hours.
    """
    hours: dict[str, tuple[tuple[str, str], ...]] = {}
    for part in re.split(r"[,;\n]", text.lower()):
        words = part.split()
        if not words:
            continue
        if len(words) < 2:
            raise _no_hours(part)
        spans = tuple(_span(word) for word in words[1:])
        for day in _days(words[0]):
            hours[day] = tuple(sorted({*hours.get(day, ()), *spans}))
    return hours


def write_hours(hours: Hours) -> str:
    """Hours as `read_hours` reads them, days with the same hours together."""
    groups: list[tuple[list[str], tuple[tuple[str, str], ...]]] = []
    for day in DAYS:
        spans = tuple(tuple(span) for span in hours.get(day, ()))
        if not spans:
            continue
        if groups and groups[-1][1] == spans and DAYS.index(groups[-1][0][-1]) + 1 == DAYS.index(day):
            groups[-1][0].append(day)
        else:
            groups.append(([day], spans))  # type: ignore[arg-type]
    return ", ".join(
        f"{days[0] if len(days) == 1 else f'{days[0]}-{days[-1]}'} {' '.join(f'{a}-{b}' for a, b in spans)}"
        for days, spans in groups
    )


def is_open(hours: Hours, zone: ZoneInfo, at: datetime) -> bool:
    """Whether somebody is there at that instant."""
    return not hours or any(begun <= at < ended for begun, ended in _openings(hours, zone, at, 1))


def next_opening(hours: Hours, zone: ZoneInfo, at: datetime) -> datetime | None:
    """That instant, if somebody is there; else when somebody comes. None where nobody ever does."""
    if is_open(hours, zone, at):
        return at
    return next((begun for begun, _ in _openings(hours, zone, at, _LOOKED_AT) if begun > at), None)


def slots(hours: Hours, zone: ZoneInfo, at: datetime, most: int = 24) -> list[datetime]:
    """The times that are offered to be called at, half an hour apart, from the next whole one on."""
    found: list[datetime] = []
    spans = _openings(hours, zone, at, _LOOKED_AT) if hours else _always(at)
    for begun, ended in spans:
        slot = begun
        while slot < ended and len(found) < most:
            if slot > at:
                found.append(slot)
            slot += timedelta(minutes=SLOT_MINUTES)
    return found


def _openings(hours: Hours, zone: ZoneInfo, at: datetime, days: int) -> Iterator[tuple[datetime, datetime]]:
    """When it is open, in order, from the day before on: in UTC, so that clocks may be set in between."""
    first = at.astimezone(zone).date()
    for day in (first + timedelta(days=number) for number in range(days + 1)):
        for begun, ended in hours.get(DAYS[day.weekday()], ()):
            yield _instant(day, begun, zone), _instant(day, ended, zone)


def _always(at: datetime) -> Iterator[tuple[datetime, datetime]]:
    half = at.replace(minute=0, second=0, microsecond=0)
    yield half, half + timedelta(days=1)


def _instant(day: date, clock: str, zone: ZoneInfo) -> datetime:
    hour, minute = map(int, clock.split(":"))
    if hour == 24:
        day, hour = day + timedelta(days=1), 0
    return datetime.combine(day, time(hour, minute), zone).astimezone(UTC)


def _days(word: str) -> tuple[str, ...]:
    first, dash, last = word.partition("-")
    if first not in DAYS or (dash and last not in DAYS):
        raise _no_hours(word)
    begin, end = DAYS.index(first), DAYS.index(last or first)
    if begin > end:
        raise _no_hours(word)
    return DAYS[begin : end + 1]


def _span(word: str) -> tuple[str, str]:
    found = _SPAN.fullmatch(word.replace("–", "-"))
    if found is None:
        raise _no_hours(word)
    begun, ended = f"{int(found[1]):02}:{found[2]}", f"{int(found[3]):02}:{found[4]}"
    if begun >= ended or ended > "24:00":
        raise _no_hours(word)
    return begun, ended


def _no_hours(text: str) -> Rejected:
    return Rejected(
        "callback.hours",
        "%(text)r are no hours",
        "Give them like mon-fri 9:00-18:00, sat 10:00-14:00; nothing at all means always",
        text=text.strip()[:40],
    )
