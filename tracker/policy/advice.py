"""How a pool would have done with other numbers and other hold times: a replay of its visits.

    own      share of the visits that are shown a number of their own
    in_time  share of the calls to be expected that come before their number is somebody else's

    in_time = (here + after(gap), summed over visits with a number) / (here + after(ever), over all visits)

where, by the delay model, `here` are the calls expected of the visitor while he is on the site, `after(gap)`
those within `gap` seconds of his going, and `gap` the time until his number was given to another visitor.
This is the share that the number alone attributes right: of the later calls caller history saves some, the
others are marked uncertain.
"""

from __future__ import annotations

import itertools
import random
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import cached_property
from heapq import heappop, heappush
from math import inf, nextafter
from typing import NamedTuple

from tracker.policy.delays import DelayModel
from tracker.policy.sights import AWAY_EDGES, FIRST_AWAY, HERE_EDGES

ENOUGH_VISITS, ENOUGH_DAYS = 300, 7  # less than a week has not seen every hour of it
_TRIAL_VISITS = 10_000  # drawn where there are no real ones: shares come out within half a per cent


class Stay(NamedTuple):
    """A visit as the pool met it: who, and from when to when he was there (POSIX seconds)."""

    visitor: int
    came: float
    seen: float
    left: bool = True  # he took leave; else the idle time runs


@dataclass(frozen=True)
class Rules:
    """A pool's times, in seconds."""

    hold: float = 300.0
    idle: float = 600.0
    longest: float = 14400.0
    cooldown: float = 0.0

    def until(self, stay: Stay) -> float:
        """When the number of this stay is given back."""
        return min(stay.seen + (self.hold if stay.left else self.idle), stay.came + self.longest)


@dataclass(frozen=True)
class Replayed:
    """What became of the visits."""

    visits: int
    with_number: int
    in_time: float  # share of the calls to be expected, 0 to 1

    @property
    def own(self) -> float:
        return self.with_number / self.visits if self.visits else 1.0


@dataclass(frozen=True)
class CallTimes:
    """The calls that the delay model expects of one visitor, summed up over time."""

    model: DelayModel

    def here(self, seconds: float) -> float:
        """Within the first `seconds` of his being there."""
        return _summed((*HERE_EDGES, inf), self._here, self.model.sight, seconds)

    def after(self, seconds: float) -> float:
        """Within `seconds` of his going."""
        return _summed(AWAY_EDGES, self._away, self._away_rates, min(seconds, AWAY_EDGES[-1]))

    @cached_property
    def ever(self) -> float:
        """At any time after his going."""
        return self.after(AWAY_EDGES[-1])

    @cached_property
    def _here(self) -> list[float]:
        return _sums(HERE_EDGES, self.model.sight)

    @cached_property
    def _away(self) -> list[float]:
        return _sums(AWAY_EDGES, self._away_rates)

    @cached_property
    def _away_rates(self) -> tuple[float, ...]:
        return self.model.sight[FIRST_AWAY:]


def _sums(edges: Sequence[float], rates: Sequence[float]) -> list[float]:
    """The calls expected until the beginning of each bin."""
    wide = [edge - begun for begun, edge in itertools.pairwise((0.0, *edges))]
    return [0.0, *itertools.accumulate(width * rate for width, rate in zip(wide, rates, strict=False))]


def _summed(edges: Sequence[float], sums: Sequence[float], rates: Sequence[float], seconds: float) -> float:
    place = min(bisect_right(edges, seconds), len(edges) - 1)
    begun = edges[place - 1] if place else 0.0
    return sums[place] + (seconds - begun) * rates[place]


def replay(stays: Sequence[Stay], numbers: int, rules: Rules, times: CallTimes) -> Replayed:
    """Lease `numbers` numbers to the visits, in the order they came, as tracker.leases does.

    A visitor goes on with the number he has, else gets the one he had last if nobody else has it, else the
    longest free. Who finds none free stays without.
    """
    pool = _Numbers(numbers, rules)
    expected = saved = 0.0
    for stay in stays:
        here = times.here(stay.seen - stay.came)
        expected += here + times.ever
        before = pool.take(stay)
        if stay.visitor in pool.held:
            saved += here + times.ever
        if before is not None:  # his number is another's from now on: later calls of his come too late
            saved -= times.ever - times.after(max(0.0, stay.came - before.seen))
    return Replayed(len(stays), pool.taken, saved / expected if expected else 1.0)


class _Numbers:
    """The numbers of a replay: who had each last, and until when."""

    def __init__(self, count: int, rules: Rules) -> None:
        self.rules = rules
        self.until = [-inf] * count
        self.last: list[Stay | None] = [None] * count
        self.held: dict[int, int] = {}  # visitor: the number that is, or was last, his
        self.queue = [(-inf, number) for number in range(count)]  # by when it is free
        self.taken = 0

    def take(self, stay: Stay) -> Stay | None:
        """Give the stay a number if there is one; the other visitor's stay that had it before."""
        number = self.held.get(stay.visitor)
        if number is None and (number := self._longest_free(stay.came)) is None:
            return None
        before = self.last[number]
        if before is not None and before.visitor != stay.visitor:
            del self.held[before.visitor]
        else:
            before = None
        self.held[stay.visitor], self.last[number] = number, stay
        self.until[number] = max(self.until[number], self.rules.until(stay))
        heappush(self.queue, (self.until[number] + self.rules.cooldown, number))
        self.taken += 1
        return before

    def _longest_free(self, at: float) -> int | None:
        while self.queue and self.queue[0][0] <= at:
            free_at, number = heappop(self.queue)
            if free_at == -inf or free_at == self.until[number] + self.rules.cooldown:
                return number  # else the number was taken again since this entry was made
        return None


def fewest(stays: Sequence[Stay], rules: Rules, target: float, times: CallTimes) -> int:
    """The fewest numbers with which at most the share `target` of these visits would have had none."""
    sizes = range(1, busiest_instant(stays, rules) + 1)
    return bisect_left(sizes, True, key=lambda size: 1 - replay(stays, size, rules, times).own <= target) + 1


def busiest_instant(stays: Sequence[Stay], rules: Rules) -> int:
    """How many numbers were wanted at the same time at most."""
    steps = [(stay.came, 1) for stay in stays]
    # However short a stay, it needs a number.
    steps += [(max(rules.until(stay) + rules.cooldown, nextafter(stay.came, inf)), -1) for stay in stays]
    return max(itertools.accumulate(step for _, step in sorted(steps)), default=0)


@dataclass(frozen=True)
class Hour:
    """An hour of the week (weekday 0 is Monday) as it was on average."""

    weekday: int
    hour: int
    visits: float
    load: float  # erlangs offered


def hours_of_week(
    stays: Sequence[Stay], rules: Rules, zone: tzinfo, since: datetime, until: datetime
) -> list[Hour]:
    """The 168 hours of the week: visits begun in them, and how many numbers those would keep busy."""
    lived = [0] * 168
    hour = since.replace(minute=0, second=0, microsecond=0)
    while hour < until:
        lived[_place(hour, zone)] += 1
        hour += timedelta(hours=1)
    visits, busy = [0] * 168, [0.0] * 168
    for stay in stays:
        place = _place(datetime.fromtimestamp(stay.came, zone), zone)
        visits[place] += 1
        busy[place] += rules.until(stay) - stay.came
    return [
        Hour(*divmod(place, 24), visits[place] / max(1, times), busy[place] / 3600 / max(1, times))
        for place, times in enumerate(lived)
    ]


def _place(at: datetime, zone: tzinfo) -> int:
    local = at.astimezone(zone)
    return local.weekday() * 24 + local.hour


def trial(visitors_per_hour: float, minutes: float) -> list[Stay]:
    """Visits as they might come: independent of each other, mostly short; always the same ones."""
    chance = random.Random(1917)  # noqa: S311  (no secret: a replay has to come out the same each time)
    came, stays = 0.0, []
    for visitor in range(_TRIAL_VISITS):
        came += chance.expovariate(visitors_per_hour / 3600)
        stays.append(Stay(visitor, came, came + chance.expovariate(1 / (minutes * 60))))
    return stays
