"""How far a zone's clocks are from UTC, and from when on: so a database can tell the days of any zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_STEP = timedelta(hours=12)  # no zone changes its clocks twice within it
_SECOND = timedelta(seconds=1)


def offsets(zone: ZoneInfo, since: datetime, until: datetime) -> Iterator[tuple[datetime, timedelta]]:
    """From which instant on the clocks are so far from UTC; the first begins with `since`."""
    at, now = since.astimezone(UTC), _offset(zone, since)
    yield at, now
    while at < until:
        later = min(at + _STEP, until)
        then = _offset(zone, later)
        if then != now:
            yield _change(zone, at, later), then
        at, now = later, then


def settle(clock: datetime, zone: ZoneInfo, near: datetime | None = None) -> tuple[datetime, bool] | None:
    """The instant (UTC) at which the zone's clocks showed that, and whether they showed it twice.

    Of two instants it is the one that is nearer to `near`, and without that the first. None: they never did.
    """
    first, second = (clock.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return first, False
    if first.astimezone(zone).replace(tzinfo=None, fold=0) != clock:  # skipped when they were put forward
        return None
    if near is None:
        return first, True
    return min(first, second, key=lambda at: abs(at - near)), False


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The second at which the clocks change between these instants."""
    then = _offset(zone, after)
    while after - before > _SECOND:
        middle = (before + (after - before) / 2).replace(microsecond=0)
        middle = max(middle, before + _SECOND)
        if _offset(zone, middle) == then:
            after = middle
        else:
            before = middle
    return after
