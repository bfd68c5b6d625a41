"""What is too odd to be chance: a website that has fallen silent, a number that nobody calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

ENOUGH_VISITS = 20  # fewer have no custom
WEEK = timedelta(weeks=1)  # holds a weekend
# The shortest silence worth a word: where a week is known, and where it is not.
SHORTEST, SHORTEST_OF_THE_YOUNG = timedelta(hours=2), timedelta(hours=24)
CHANCE = 0.01


@dataclass(frozen=True)
class Silence:
    """A website has had no visits for so long; `longest` is the longest time without one before that."""

    lasted: timedelta
    longest: timedelta


def silence(visits: Sequence[datetime], sign_at: datetime, now: datetime) -> Silence | None:
    """A silence since the last sign of the script more than twice as long as any between `visits`.

    `visits` are those of the weeks before, in order. None where all is as usual, or nothing is usual yet.
    """
    if len(visits) < ENOUGH_VISITS:
        return None
    longest = max(later - earlier for earlier, later in pairwise(visits))
    shortest = SHORTEST if visits[-1] - visits[0] >= WEEK else SHORTEST_OF_THE_YOUNG
    found = Silence(now - sign_at, longest)
    return found if found.lasted > max(2 * longest, shortest) else None


@dataclass(frozen=True)
class Heard:
    """A pool's number: to how many visitors it was shown, and how many callers called it."""

    e164: str
    visitors: int
    callers: int


def unheard(numbers: Sequence[Heard]) -> list[Heard]:
    """Numbers that nobody called, though others of the pool were called so often that it is hardly chance.

    A pool's numbers go round, so a caller is as likely to have seen any of them as it was shown. That one of
    them has no call of so many has a probability; that any of them looks so by chance stays below CHANCE.
    """
    visitors, callers = sum(each.visitors for each in numbers), sum(each.callers for each in numbers)
    return [
        each
        for each in numbers
        if not each.callers and each.visitors
        if len(numbers) * (1 - each.visitors / visitors) ** callers < CHANCE
    ]
