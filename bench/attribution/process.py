"""The process the simulated world is drawn from: who comes when, stays how long, calls when and dials what.

World (bench.attribution.world) draws from it; the perfect judge (bench.attribution.bayes) knows it. The
product is told nothing of it. Times are seconds since a Monday midnight, rates are per second.

A visitor's calls are a Poisson process, so that each of its causes has a rate at every instant:

    while he looks at the page      `on_site` calls a second
    a click on the phone link       `clicks` a second; a call follows with `call_after_click`, seconds later
    soon after he stopped looking   `soon` calls, log-normal: most within minutes
    long after                      `late` calls: hours, days

He dials the number he saw last; now and then one that he saw on an older visit. Who has called before calls
more readily (`boost`), mostly by the same phone (`same_phone`). Every call may be followed by another of the
same caller to the number saved in his phone (`again`), and by one of a friend who was given it (`friends`).
Strays (wrong numbers, robots) ring any number. All of it is thinned by the hour of day (`awake`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import erf, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
PING = 60.0  # a sign of life so often while the page is looked at
DEVICES = ("phone", "desktop", "tablet")
_erf = np.vectorize(erf, otypes=[float])


@dataclass(frozen=True)
class LogNormal:
    """Delays by their median in seconds and the spread of their logarithm."""

    median: float
    sigma: float

    def draw(self, rng: np.random.Generator) -> float:
        return float(self.median * np.exp(self.sigma * rng.standard_normal()))

    def density(self, seconds: Floats) -> Floats:
        """Per second; 0 where the delay is not positive."""
        x = np.maximum(seconds, 1e-3)
        z = np.log(x / self.median) / self.sigma
        scale: Floats = np.exp(-0.5 * z * z) / (x * self.sigma * sqrt(2 * np.pi))
        return np.where(seconds > 0, scale, 0.0)

    def until(self, seconds: Floats) -> Floats:
        """Share of the delays that are shorter."""
        z = np.log(np.maximum(seconds, 1e-3) / self.median) / self.sigma
        return np.where(seconds > 0, 0.5 * (1 + _erf(z / sqrt(2))), 0.0)


@dataclass(frozen=True)
class Mixture:
    """Delays of several kinds, each with its share."""

    parts: tuple[tuple[float, LogNormal], ...]

    def draw(self, rng: np.random.Generator) -> float:
        place = rng.choice(len(self.parts), p=[share for share, _ in self.parts])
        return self.parts[place][1].draw(rng)

    def density(self, seconds: Floats) -> Floats:
        total: Floats = sum((share * each.density(seconds) for share, each in self.parts), np.zeros(1))
        return total

    def until(self, seconds: Floats) -> Floats:
        total: Floats = sum((share * each.until(seconds) for share, each in self.parts), np.zeros(1))
        return total


@dataclass(frozen=True)
class Habits:
    """How visitors with one kind of device call."""

    share: float  # of the visitors
    on_site: float  # calls a second while he looks
    clicks: float  # on the phone link, a second while he looks
    soon: float  # calls to expect
    late: float  # calls to expect, before the hour of day thins them


def _by_hour(day: str) -> tuple[float, ...]:
    return tuple(int(each, 16) / 10 for each in day)


@dataclass(frozen=True)
class Process:
    """Every rate there is."""

    fresh_per_hour: float = 85.0  # new visitors at the busiest; with those who return about a hundred visits
    hours: tuple[float, ...] = _by_hour("111111234689aaaaaa999865")
    awake_hours: tuple[float, ...] = _by_hour("11111112579aaaaaaaa98643")
    weekdays: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0, 0.95, 0.6, 0.5)

    looking: LogNormal = LogNormal(2 * MINUTE, 0.9)  # mean 3 minutes
    pages: float = 1 / 50  # opened a second, after the first
    hides: float = 0.3  # visits that end in a tab nobody looks at
    hidden: float = 5 * MINUTE  # mean until that is closed
    beacon: float = 0.85  # leavings of which the server hears
    robots: float = 0.1  # visits with a desktop that are none: they never call

    returns: float = 0.3  # later visits a visit leads to, before the hour of day thins them
    return_delay: LogNormal = LogNormal(8 * HOUR, 1.6)
    other_cookie: float = 0.25  # of them with another device, browser, or cleared cookies

    habits: tuple[Habits, ...] = (
        Habits(0.60, 0.006 / 180, 0.045 / 180, 0.010, 0.010),
        Habits(0.35, 0.018 / 180, 0.0, 0.012, 0.007),
        Habits(0.05, 0.009 / 180, 0.006 / 180, 0.006, 0.004),
    )
    click_heard: float = 0.97
    call_after_click: float = 0.6
    click_delay: LogNormal = LogNormal(5.0, 0.5)
    soon_delay: LogNormal = LogNormal(2 * MINUTE, 1.2)
    late_delay: Mixture = Mixture(((0.7, LogNormal(5 * HOUR, 1.3)), (0.3, LogNormal(2.5 * DAY, 0.9))))

    saw_last: float = 0.85  # dial the number of the newest visit, the others that of an older one
    boost: float = 4.0  # of him who has called before
    click_boost: float = 1.3
    same_phone: float = 0.9
    withholds: float = 0.05
    again: float = 0.36  # calls after a call by the same phone, before the hour of day thins them
    again_delay: Mixture = Mixture(((0.3, LogNormal(3 * MINUTE, 1.0)), (0.7, LogNormal(1.5 * DAY, 1.6))))
    friends: float = 0.06
    friend_delay: LogNormal = LogNormal(4 * DAY, 1.0)
    strays: float = 0.2 / DAY  # of one number
    strays_withhold: float = 0.25

    talk: float = 2 * MINUTE  # mean, after the first minute
    _awake: Floats = field(init=False, repr=False, compare=False)
    _coming: Floats = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_awake", np.array(self.awake_hours * 7))
        coming = np.outer(self.weekdays, self.hours).reshape(-1)
        object.__setattr__(self, "_coming", coming * self.fresh_per_hour / HOUR)

    def awake(self, at: Any) -> Any:
        """Share of those who would call or come back at that hour who do."""
        return self._awake[(np.asarray(at) // HOUR).astype(int) % 168]

    def coming(self, at: Any) -> Any:
        """New visitors a second."""
        return self._coming[(np.asarray(at) // HOUR).astype(int) % 168]

    def humans(self, device: Ints) -> Floats:
        """Share of the visits with that device that are no robots'."""
        return np.where(device == DEVICES.index("desktop"), 1.0 - self.robots, 1.0)

    def habit(self, name: str, device: Ints) -> Floats:
        """A habit by device, robots counted in."""
        by_device = np.array([getattr(each, name) for each in self.habits])
        return by_device[device] * self.humans(device)
