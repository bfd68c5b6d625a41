"""Two rules of others, to be measured against: who gets which number, and whom a call is put down to.

`random_free`: a random free number at the beginning of a visit, given back after five minutes without a sign
of life or fifteen minutes in all; a call belongs to whom holds the number then. That is
rockstat/calltracking-service (ctrack/main.py of 2018), the only open one there is.

`oldest_number`: the number whose assignment is oldest, held or not, so that the pool is never empty; a call
belongs to whom it was assigned to last. That is how the market leader says it does.
"""

from __future__ import annotations

import numpy as np

from bench.attribution.dialled import Rang, Shown, ring_all
from bench.attribution.scores import Judged
from bench.attribution.world import World

IDLE, LONGEST = 300.0, 900.0


def random_free(world: World, lines: int, seed: int) -> list[tuple[Rang, Judged]]:
    """The calls as they ring by the first rule, and what it says of them."""
    rng = np.random.default_rng(seed)
    shown = Shown()
    held: list[list[tuple[float, float, int]]] = [[] for _ in range(lines)]  # from, until, visit
    for visit in world.visits:
        free = [line for line in range(lines) if not held[line] or held[line][-1][1] <= visit.start]
        if not free:
            continue
        line = int(rng.choice(free))
        until = min(visit.start + LONGEST, visit.signs()[-1] + IDLE)
        held[line].append((visit.start, until, visit.number))
        shown.show(visit.number, visit.start, line)
        for page in visit.pages:
            if page >= until:
                shown.show(visit.number, page, None)
    return [
        (rang, _holder(held[rang.line], rang.dial.at)) if rang.line is not None else (rang, Judged())
        for rang in ring_all(world, shown, lines)
    ]


def _holder(held: list[tuple[float, float, int]], at: float) -> Judged:
    for begin, until, visit in reversed(held):
        if begin <= at < until:
            return Judged(visit, 1.0)
        if until <= at:
            break
    return Judged()


def oldest_number(world: World, lines: int) -> list[tuple[Rang, Judged]]:
    """The calls as they ring by the second rule, and what it says of them."""
    shown = Shown()
    assigned: list[list[tuple[float, int]]] = [[] for _ in range(lines)]
    for place, visit in enumerate(world.visits):
        line = place % lines  # assigned in turn, so the oldest is always the next
        assigned[line].append((visit.start, visit.number))
        shown.show(visit.number, visit.start, line)
    return [
        (rang, _last(assigned[rang.line], rang.dial.at)) if rang.line is not None else (rang, Judged())
        for rang in ring_all(world, shown, lines)
    ]


def _last(assigned: list[tuple[float, int]], at: float) -> Judged:
    return next((Judged(visit, 1.0) for begin, visit in reversed(assigned) if begin <= at), Judged())
