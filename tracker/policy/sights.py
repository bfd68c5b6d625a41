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
from typing import NamedTuple

# A sign of life comes every 60 s while the page is visible: so long after one, without a word of leaving, the
# visitor is taken to be there.
PRESENT_SLACK = timedelta(seconds=75)
WINDOW = timedelta(days=7)  # how long a lease stays a candidate
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
    click_seconds: float | None
    device: str  # of DEVICES
    came_again: bool  # on a later visit


def sight_of(holder: Holder, at: datetime) -> Sight | None:
    """Where the lease stands at that instant; None before it began or when it is too old."""
    if not holder.from_at <= at < holder.from_at + WINDOW:
        return None
    place, away = _place(holder, at)
    since = _since_click(holder, at)
    return Sight(
        place,
        away,
        None if since is None else _bin(CLICK_EDGES, since),
        since,
        device_of(holder),
        holder.next_at is not None and holder.next_at <= at,
    )


def device_of(holder: Holder) -> str:
    """The visitor's device as the model knows it."""
    return holder.device if holder.device in DEVICES else "other"


def repeat_bin(seconds: float) -> int:
    """The bin of that time since the caller's last call."""
    return _bin(REPEAT_EDGES, seconds)


def _bin(edges: tuple[float, ...], seconds: float) -> int:
    return bisect_right(edges, seconds)


def _place(holder: Holder, at: datetime) -> tuple[int, float]:
    """The bin, and the seconds since he was last seen there."""
    last, said = holder.from_at, False
    for begun, ended in holder.seen:
        if begun > at:
            break
        last, said = max(holder.from_at, ended), holder.left and ended == holder.seen[-1][1]
    away = (at - last).total_seconds()
    if away <= 0:
        return _bin(HERE_EDGES, (at - holder.from_at).total_seconds()), 0.0
    if away < SILENT_EDGES[-1] and not said:
        return FIRST_SILENT + _bin(SILENT_EDGES, away), away
    return min(FIRST_AWAY + _bin(AWAY_EDGES, away), SIGHTS - 1), away


def _since_click(holder: Holder, at: datetime) -> float | None:
    """Seconds since the last click before that instant; None when there was none lately."""
    number = bisect_right(holder.clicks, at)
    if number == 0:
        return None
    since = (at - holder.clicks[number - 1]).total_seconds()
    return since if since < CLICK_EDGES[-1] else None


class Spell(NamedTuple):
    """Seconds that a lease spent in a cell."""

    bin: int
    came_again: bool
    began: float  # POSIX seconds
    seconds: float


def spells(holder: Holder, since: datetime, until: datetime) -> Iterator[Spell]:
    """The life of a lease between two instants, cut into the cells of the model."""
    first, last = max(holder.from_at, since), min(until, holder.from_at + WINDOW)
    if first >= last:
        return
    marks = sorted({first, last, *_turns(holder, first, last)})
    for begun, ended in itertools.pairwise(marks):
        middle = begun + (ended - begun) / 2
        sight = sight_of(holder, middle)
        if sight is not None:
            yield Spell(sight.bin, sight.came_again, begun.timestamp(), (ended - begun).total_seconds())


def click_spells(holder: Holder, since: datetime, until: datetime) -> Iterator[Spell]:
    """The time after each click on the phone link, until the next one, cut into the bins of CLICK_EDGES."""
    for number, click in enumerate(holder.clicks):
        following = holder.clicks[number + 1] if number + 1 < len(holder.clicks) else until
        begun = 0.0
        for place, edge in enumerate(CLICK_EDGES):
            first = max(click + timedelta(seconds=begun), since)
            last = min(click + timedelta(seconds=edge), following, until)
            if first < last:
                yield Spell(place, False, first.timestamp(), (last - first).total_seconds())
            begun = edge


def _turns(holder: Holder, first: datetime, last: datetime) -> Iterator[datetime]:
    """The instants at which the lease passes from one cell to another."""
    ends = [max(holder.from_at, ended) for _, ended in holder.seen] or [holder.from_at]
    starts = [begun for begun, _ in holder.seen]
    passing = [holder.from_at + timedelta(seconds=edge) for edge in HERE_EDGES]
    for ended in ends:
        passing += [ended + timedelta(seconds=edge) for edge in (0.0, *SILENT_EDGES, *AWAY_EDGES)]
    for at in (*starts, *passing, holder.next_at):
        if at is not None and first < at < last:
            yield at
