"""How long ago a visitor was last on the site: what a lease looks like from the moment of a call.

A `Holder` is a lease with everything that bears on whether its visitor is the caller. `sight_of` says in
which cell of the delay model it stands at an instant; `spells` cuts the whole life of a lease into the same
cells, so that the rates learned from the one are the rates used with the other.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

# A sign of life comes every 60 s while the page is visible: so long after one, without a word of leaving, the
# visitor is taken to be there.
PRESENT_SLACK = timedelta(seconds=75)
WINDOW = timedelta(days=7)  # how long a lease stays a candidate
WINDOW_SECONDS = WINDOW.total_seconds()
NEWEST = 400  # leases of a number that are looked at one by one

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
# Seconds since he was first shown the number, while he is there; the last bin has no end.
HERE_EDGES = (10.0, 30.0, _MINUTE, 3 * _MINUTE, 10 * _MINUTE)
# Seconds since his last sign of life, when he has not said that he leaves: he may or may not be there.
SILENT_EDGES = (20.0, 45.0, PRESENT_SLACK.total_seconds())
# Seconds since he was last there.
AWAY_EDGES = (
    15.0, 30.0, _MINUTE, 1.5 * _MINUTE, 2 * _MINUTE, 3 * _MINUTE, 5 * _MINUTE, 7 * _MINUTE, 10 * _MINUTE,
    15 * _MINUTE, 20 * _MINUTE, 30 * _MINUTE, 45 * _MINUTE, _HOUR, 2 * _HOUR, 3 * _HOUR, 6 * _HOUR,
    12 * _HOUR, _DAY, 3 * _DAY, 7 * _DAY,
)  # fmt: skip
# Seconds since he pressed the phone link.
CLICK_EDGES = (5.0, 10.0, 20.0, 40.0, 90.0, 3 * _MINUTE, 10 * _MINUTE)
# Seconds since the caller's last call to the number.
REPEAT_EDGES = (
    _MINUTE, 5 * _MINUTE, 20 * _MINUTE, _HOUR, 3 * _HOUR, 12 * _HOUR, _DAY, 2 * _DAY, 4 * _DAY, 7 * _DAY,
    14 * _DAY, 30 * _DAY, 90 * _DAY,
)  # fmt: skip
FIRST_SILENT = len(HERE_EDGES) + 1
FIRST_AWAY = FIRST_SILENT + len(SILENT_EDGES)  # the first of the bins in which he is gone
SIGHTS = FIRST_AWAY + len(AWAY_EDGES)
DEVICES = ("phone", "tablet", "desktop", "other")


@dataclass(frozen=True)
class Holder:
    """A lease of a number, its visitor, and what he was seen doing.

    `seen`: when he was on the site during that visit, in order, not overlapping; empty: all that is known is
    that he was shown the number at `from_at`. `left`: he took leave at the end of the last of them.
    `next_at`: when his next visit began, if he came again.
    """

    lease_id: int
    visit_id: int
    visitor_id: int
    from_at: datetime
    until_at: datetime | None = None
    seen: tuple[tuple[datetime, datetime], ...] = ()
    left: bool = False
    clicks: tuple[datetime, ...] = ()  # on the phone link, in order
    device: str | None = None  # phone, tablet, desktop, other
    country: str | None = None
    next_at: datetime | None = None

    @cached_property
    def began(self) -> float:
        """`from_at` in POSIX seconds."""
        return self.from_at.timestamp()

    @cached_property
    def again(self) -> float | None:
        """`next_at` in POSIX seconds."""
        return None if self.next_at is None else self.next_at.timestamp()

    @cached_property
    def looks(self) -> tuple[tuple[float, float], ...]:
        """When he was there and could see the number, POSIX seconds; first when he was shown it."""
        looks = [
            (max(self.began, begun.timestamp()), max(self.began, ended.timestamp()))
            for begun, ended in self.seen
        ]
        shown = [] if looks and looks[0][0] == self.began else [(self.began, self.began)]
        return (*shown, *looks)


def seen_of(
    looks: Sequence[tuple[datetime, datetime]], left_at: datetime | None
) -> tuple[tuple[tuple[datetime, datetime], ...], bool]:
    """`seen` and `left` of a Holder, from when his pages were looked at and when he took leave.

    Looks that a sign of life may join are one. A tab that was closed long after anybody looked at it tells
    nothing: its visitor was gone before.
    """
    seen: list[tuple[datetime, datetime]] = []
    for begun, ended in sorted(looks):
        if seen and begun <= seen[-1][1] + PRESENT_SLACK:
            seen[-1] = seen[-1][0], max(seen[-1][1], ended)
        else:
            seen.append((begun, ended))
    if left_at is None or not seen or not seen[-1][0] <= left_at <= seen[-1][1] + PRESENT_SLACK:
        return tuple(seen), False
    return (*seen[:-1], (seen[-1][0], left_at)), True


class Sight(NamedTuple):
    """The cell of the delay model in which a lease stands at an instant."""

    bin: int  # of SIGHTS
    seconds: float  # since he was last seen there
    click: int | None  # bin of CLICK_EDGES
    device: str  # of DEVICES
    came_again: bool  # on a later visit


def sight_of(holder: Holder, at: float) -> Sight | None:
    """Where the lease stands at that POSIX time; None before it began or when it is too old."""
    if not holder.began <= at < holder.began + WINDOW_SECONDS:
        return None
    place, away = _place(holder, at)
    return Sight(
        place,
        away,
        _click_bin(holder, at) if holder.clicks else None,
        device_of(holder),
        holder.again is not None and holder.again <= at,
    )


def device_of(holder: Holder) -> str:
    """The visitor's device as the model knows it."""
    return holder.device if holder.device in DEVICES else "other"


def repeat_bin(seconds: float) -> int:
    """The bin of that time since the caller's last call."""
    return bisect_right(REPEAT_EDGES, seconds)


def _place(holder: Holder, at: float) -> tuple[int, float]:
    """The bin, and the seconds since he was last seen there."""
    number = len(holder.looks) - 1
    while holder.looks[number][0] > at:
        number -= 1
    away = at - holder.looks[number][1]
    if away <= 0:
        return bisect_right(HERE_EDGES, at - holder.began), 0.0
    if away < SILENT_EDGES[-1] and not (holder.left and number == len(holder.looks) - 1):
        return FIRST_SILENT + bisect_right(SILENT_EDGES, away), away
    return min(FIRST_AWAY + bisect_right(AWAY_EDGES, away), SIGHTS - 1), away


def _click_bin(holder: Holder, at: float) -> int | None:
    """The bin of the time since the last click before that instant; None when there was none lately."""
    before = [each for each in holder.clicks if each.timestamp() <= at]
    if not before or at - before[-1].timestamp() >= CLICK_EDGES[-1]:
        return None
    return bisect_right(CLICK_EDGES, at - before[-1].timestamp())


class Spell(NamedTuple):
    """Seconds that a lease spent in a cell."""

    bin: int
    came_again: bool
    began: float  # POSIX seconds
    seconds: float


def spells(holder: Holder, since: float, until: float) -> Iterator[Spell]:
    """The life of a lease between two POSIX times, cut into the cells of the model."""
    first, last = max(holder.began, since), min(until, holder.began + WINDOW_SECONDS)
    again = last if holder.again is None else holder.again
    for place, began, ended in _stretches(holder, last):
        begins, ends = max(began, first), min(ended, last)
        if begins < min(ends, again):
            yield Spell(place, False, begins, min(ends, again) - begins)
        if max(begins, again) < ends:
            yield Spell(place, True, max(begins, again), ends - max(begins, again))


def _stretches(holder: Holder, until: float) -> Iterator[tuple[int, float, float]]:
    """Bin, begin and end of every stretch of the lease's life, in order."""
    for number, (began, ended) in enumerate(holder.looks):
        following = holder.looks[number + 1][0] if number + 1 < len(holder.looks) else until
        yield from _steps(0, HERE_EDGES, holder.began, began, min(ended, following))
        gone = ended
        if not (holder.left and number == len(holder.looks) - 1):
            gone = ended + SILENT_EDGES[-1]
            yield from _steps(FIRST_SILENT, SILENT_EDGES, ended, ended, min(gone, following))
        yield from _steps(FIRST_AWAY, AWAY_EDGES, ended, gone, following)


def _steps(
    bins: int, edges: tuple[float, ...], zero: float, began: float, ended: float
) -> Iterator[tuple[int, float, float]]:
    """The stretch cut at the edges, which count from `zero`."""
    place = bisect_right(edges, began - zero)
    while began < ended:
        edge = zero + edges[place] if place < len(edges) else ended
        yield min(bins + place, SIGHTS - 1), began, min(edge, ended)
        began, place = edge, place + 1


def click_spells(holder: Holder, since: float, until: float) -> Iterator[Spell]:
    """The time after each click on the phone link, until the next one, cut into the bins of CLICK_EDGES."""
    clicks = [each.timestamp() for each in holder.clicks]
    for click, following in itertools.zip_longest(clicks, clicks[1:], fillvalue=until):
        for place, began, ended in _steps(0, CLICK_EDGES, click, click, min(following, until)):
            begins = max(began, since)
            if place < len(CLICK_EDGES) and begins < ended:
                yield Spell(place, False, begins, ended - begins)
