"""Which numbers the visitors were shown by a rule, and so which number every call of the world rings.

What a call is due to (`truth`): the visit of the number dialled. Of a caller who dials a number that he was
shown on several visits, the newest of them. Of one who dials a number saved in his phone, what the call was
due to by which he saved it. Of friends and strays, nobody's.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass

from bench.attribution.world import Dial, World


@dataclass(frozen=True, slots=True)
class Rang:
    """A call as it came in. `line`: the pool's number it rang; None: the company's own, unheard here."""

    dial: Dial
    line: int | None
    truth: int | None  # number of the visit
    caller: int | None  # as shown; None: withheld
    is_known: bool  # the same phone has rung a number of the pool before


class Shown:
    """What each visit was shown from when on: a number of the pool, from 0, or None: the company's own."""

    def __init__(self) -> None:
        self._by_visit: dict[int, list[tuple[float, int | None]]] = defaultdict(list)

    def show(self, visit: int, at: float, line: int | None) -> None:
        """From then on the visit sees that number."""
        history = self._by_visit[visit]
        if not history or history[-1][1] != line:
            history.append((at, line))

    def line_at(self, visit: int, at: float) -> int | None:
        """The number the visit saw last by then."""
        history = self._by_visit.get(visit, [])
        place = bisect_right(history, at, key=lambda each: each[0])
        return history[place - 1][1] if place else None

    def first(self, visit: int) -> tuple[float, int] | None:
        """The first number of the pool that the visit was shown, and when."""
        return next(((at, line) for at, line in self._by_visit[visit] if line is not None), None)


class Exchange:
    """Puts the world's calls through to numbers, one after the other in the order of time."""

    def __init__(self, world: World, shown: Shown, lines: int) -> None:
        self._world, self._shown, self._lines = world, shown, lines
        self._rang: dict[int, Rang] = {}
        self._heard: set[int] = set()
        self._visits_of: dict[int, list[int]] = defaultdict(list)
        for visit in world.visits:
            self._visits_of[visit.cookie].append(visit.number)

    def put_through(self, dial: Dial) -> Rang | None:
        """The call as it comes in; None when it never does: a number not there, a friend elsewhere."""
        found = self._target(dial)
        if found is None:
            return None
        line, truth = found
        caller = None if dial.is_withheld else dial.caller
        rang = Rang(dial, line, truth, caller, caller in self._heard)
        if caller is not None and line is not None:
            self._heard.add(caller)
        self._rang[dial.number] = rang
        return rang

    def _target(self, dial: Dial) -> tuple[int | None, int | None] | None:
        if dial.visit is not None:
            line = self._shown.line_at(dial.visit, dial.at)
            return line, self._newest(dial.visit, line, dial.at)
        if dial.call is None:
            line = int(dial.anywhere)
            return (line, None) if line < self._lines else None
        before = self._rang.get(dial.call)
        if before is None or (dial.cause == "friend" and before.line is None):
            return None
        return before.line, None if dial.cause == "friend" else before.truth

    def _newest(self, visit: int, line: int | None, at: float) -> int:
        if line is None:
            return visit
        cookie = self._world.visits[visit].cookie
        return max(
            each
            for each in self._visits_of[cookie]
            if self._world.visits[each].start <= at and self._shown.line_at(each, at) == line
        )


def ring_all(world: World, shown: Shown, lines: int) -> list[Rang]:
    """All calls of a world whose visitors were shown these numbers."""
    exchange = Exchange(world, shown, lines)
    rang = (exchange.put_through(dial) for dial in world.dials)
    return [each for each in rang if each is not None]
