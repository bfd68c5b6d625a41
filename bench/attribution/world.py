"""A world drawn from the process: visits as they were and as the server saw them, and who called why.

Nothing here depends on which numbers the visitors were shown; that is a rule's doing
(bench.attribution.dialled).
"""

from __future__ import annotations

import heapq
import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from bench.attribution.process import DAY, DEVICES, HOUR, MINUTE, PING, Process

SESSION = 30 * MINUTE  # who comes back sooner goes on with his visit


@dataclass(frozen=True, slots=True)
class Visit:
    """A session. `number` counts from 0 in the order of their beginnings."""

    number: int
    person: int
    cookie: int
    device: int  # of DEVICES
    is_robot: bool
    start: float
    looked_until: float  # nobody but he knows
    left: float | None  # as the beacon said; None: no word
    pages: tuple[float, ...]
    clicks: tuple[float, ...]
    heard_clicks: tuple[float, ...]

    def signs(self) -> tuple[float, ...]:
        """Every sign of life the server gets, leaving not counted."""
        pings = np.arange(self.start + PING, self.looked_until, PING)
        return tuple(sorted({*self.pages, *self.heard_clicks, *pings.tolist()}))


@dataclass(frozen=True, slots=True)
class Dial:
    """Somebody dials a number at an instant: that of a visit, that of an earlier call, or any.

    `cause`: click, present, soon, late, again, friend or stray.
    """

    number: int  # of the call, in the order of time
    at: float
    seconds: float
    caller: int
    is_withheld: bool
    cause: str
    visit: int | None = None
    call: int | None = None
    anywhere: float = 0.0  # share of the numbers below the one a stray dials


@dataclass(frozen=True)
class World:
    process: Process
    seconds: float
    visits: tuple[Visit, ...]
    dials: tuple[Dial, ...]


def draw_world(process: Process, days: float, most_numbers: int, seed: int) -> World:
    """A world of so many days, the same for the same seed; strays ring up to `most_numbers` numbers."""
    rng = np.random.default_rng(seed)
    visits = _visits(process, days * DAY, rng)
    callers = itertools.count()
    first = [each for each in _by_visitors(process, visits, callers, rng) if each.at < days * DAY]
    strays = _strays(process, days * DAY, most_numbers, callers, rng)
    dials = _with_followers(process, [*first, *strays], days * DAY, callers, rng)
    return World(process, days * DAY, tuple(visits), tuple(dials))


# ---- who comes ----


class _Coming(NamedTuple):
    at: float
    person: int
    cookie: int
    device: int


def _visits(process: Process, until: float, rng: np.random.Generator) -> list[Visit]:
    persons, cookies = itertools.count(), itertools.count()
    coming = [
        _Coming(at, next(persons), next(cookies), _device(process, rng))
        for at in _arrivals(process, until, rng)
    ]
    heapq.heapify(coming)
    visits: list[Visit] = []
    while coming:
        who = heapq.heappop(coming)
        visits.append(_visit(process, len(visits), who, rng))
        for back in _returns(process, who.at, until, rng):
            if rng.random() < process.other_cookie:
                heapq.heappush(coming, _Coming(back, who.person, next(cookies), _device(process, rng)))
            else:
                heapq.heappush(coming, who._replace(at=back))
    return visits


def _arrivals(process: Process, until: float, rng: np.random.Generator) -> list[float]:
    """A Poisson process whose rate changes by the hour of the week."""
    found: list[float] = []
    for begin in np.arange(0.0, until, HOUR):
        count = rng.poisson(float(process.coming(begin)) * HOUR)
        found += sorted((begin + rng.random(count) * HOUR).tolist())
    return [at for at in found if at < until]


def _device(process: Process, rng: np.random.Generator) -> int:
    return int(rng.choice(len(DEVICES), p=[each.share for each in process.habits]))


def _returns(process: Process, at: float, until: float, rng: np.random.Generator) -> Iterator[float]:
    for _ in range(rng.poisson(process.returns)):
        back = at + process.return_delay.draw(rng)
        if at + SESSION < back < until and rng.random() < process.awake(back):
            yield back


def _visit(process: Process, number: int, who: _Coming, rng: np.random.Generator) -> Visit:
    looked_until = who.at + process.looking.draw(rng)
    hidden = rng.exponential(process.hidden) if rng.random() < process.hides else 0.0
    left = looked_until + hidden if rng.random() < process.beacon else None
    pages = _moments(process.pages, who.at, looked_until, rng)
    clicks = _moments(process.habits[who.device].clicks, who.at, looked_until, rng)
    return Visit(
        number=number,
        person=who.person,
        cookie=who.cookie,
        device=who.device,
        is_robot=DEVICES[who.device] == "desktop" and rng.random() < process.robots,
        start=who.at,
        looked_until=looked_until,
        left=left,
        pages=(who.at, *pages),
        clicks=clicks,
        heard_clicks=tuple(each for each in clicks if rng.random() < process.click_heard),
    )


def _moments(rate: float, begin: float, end: float, rng: np.random.Generator) -> tuple[float, ...]:
    count = rng.poisson(rate * (end - begin))
    return tuple(sorted((begin + rng.random(count) * (end - begin)).tolist()))


# ---- who calls ----


def _by_visitors(
    process: Process, visits: list[Visit], callers: Iterator[int], rng: np.random.Generator
) -> Iterator[Dial]:
    by_person: dict[int, list[Visit]] = defaultdict(list)
    for visit in visits:
        by_person[visit.person].append(visit)
    for own in by_person.values():
        yield from _by_person(process, own, callers, rng)


def _by_person(
    process: Process, own: list[Visit], callers: Iterator[int], rng: np.random.Generator
) -> Iterator[Dial]:
    """A person's calls: of all he might make, those he does; the first makes the others likelier."""
    wishes = sorted(wish for visit in own if not visit.is_robot for wish in _wishes(process, visit, rng))
    caller, withholds = None, False
    for at, cause, number in wishes:
        if rng.random() > _ready(process, cause, caller is not None) * process.awake(at):
            continue
        if caller is None or rng.random() > process.same_phone:
            caller, withholds = next(callers), rng.random() < process.withholds
        visit = next(each for each in own if each.number == number)
        dialled = visit if cause == "click" else _remembered(process, own, visit, at, rng)
        yield Dial(-1, at, _talk(process, rng), caller, withholds, cause, visit=dialled.number)


def _ready(process: Process, cause: str, has_called: bool) -> float:
    """How likely a wish is to become a call; wishes are drawn as often as for him who has called."""
    if cause == "click":
        return process.call_after_click * (process.click_boost if has_called else 1.0)
    return 1.0 if has_called else 1.0 / process.boost


def _wishes(process: Process, visit: Visit, rng: np.random.Generator) -> Iterator[tuple[float, str, int]]:
    habits = process.habits[visit.device]
    for at in _moments(habits.on_site * process.boost, visit.start, visit.looked_until, rng):
        yield at, "present", visit.number
    for click in visit.clicks:
        yield click + process.click_delay.draw(rng), "click", visit.number
    for _ in range(rng.poisson(habits.soon * process.boost)):
        yield visit.looked_until + process.soon_delay.draw(rng), "soon", visit.number
    for _ in range(rng.poisson(habits.late * process.boost)):
        yield visit.looked_until + process.late_delay.draw(rng), "late", visit.number


def _remembered(
    process: Process, own: list[Visit], visit: Visit, at: float, rng: np.random.Generator
) -> Visit:
    """The visit whose number he dials: the newest in that browser, or the older one that made him call."""
    newest = max(
        (each for each in own if each.cookie == visit.cookie and each.start <= at),
        key=lambda each: each.start,
    )
    return newest if rng.random() < process.saw_last else visit


def _talk(process: Process, rng: np.random.Generator) -> float:
    return MINUTE + float(rng.exponential(process.talk))


def _strays(
    process: Process, until: float, numbers: int, callers: Iterator[int], rng: np.random.Generator
) -> Iterator[Dial]:
    for at in _moments(process.strays * numbers, 0.0, until, rng):
        if rng.random() < process.awake(at):
            withholds, anywhere = rng.random() < process.strays_withhold, rng.random() * numbers
            yield Dial(
                -1, at, _talk(process, rng), next(callers), withholds, "stray", anywhere=float(anywhere)
            )


def _with_followers(
    process: Process, first: list[Dial], until: float, callers: Iterator[int], rng: np.random.Generator
) -> list[Dial]:
    """All calls in the order of time, with those that follow from them."""
    waiting = [(each.at, place, each) for place, each in enumerate(first)]
    heapq.heapify(waiting)
    places = itertools.count(len(waiting))
    dials: list[Dial] = []
    while waiting:
        dial = replace(heapq.heappop(waiting)[2], number=len(dials))
        dials.append(dial)
        for follower in _followers(process, dial, callers, rng):
            if follower.at < until and rng.random() < process.awake(follower.at):
                heapq.heappush(waiting, (follower.at, next(places), follower))
    return dials


def _followers(
    process: Process, dial: Dial, callers: Iterator[int], rng: np.random.Generator
) -> Iterator[Dial]:
    talk = _talk(process, rng)
    for _ in range(rng.poisson(process.again)):
        at = dial.at + process.again_delay.draw(rng)
        yield Dial(-1, at, talk, dial.caller, dial.is_withheld, "again", call=dial.number)
    for _ in range(rng.poisson(process.friends)):
        at, withholds = dial.at + process.friend_delay.draw(rng), rng.random() < process.withholds
        yield Dial(-1, at, talk, next(callers), withholds, "friend", call=dial.number)
