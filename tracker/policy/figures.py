"""A group of calls in figures, each with the words that list exactly its calls; times; what has changed."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from tracker.policy.facts import Outcome
from tracker.policy.spans import Asks
from tracker.policy.worth import Category

LOST = (Outcome.MISSED, Outcome.GAVE_UP, Outcome.BUSY, Outcome.REFUSED, Outcome.FAILED)


class Counts(NamedTuple):
    """How many calls of a group are what; of the sums only those of answered calls, in seconds."""

    calls: int = 0
    answered: int = 0
    missed: int = 0
    busy: int = 0
    failed: int = 0
    gave_up: int = 0
    refused: int = 0
    target: int = 0
    service: int = 0
    non_target: int = 0
    unjudged: int = 0  # answered, and nobody has said what they were worth
    first: int = 0  # of callers whose number is known and had never called
    waited: float = 0.0
    talked: float = 0.0


def total(rows: Iterable[Counts]) -> Counts:
    """All of them together."""
    columns: Iterable[tuple[Any, ...]] = zip(Counts(), *rows, strict=True)
    return Counts._make(map(sum, columns))


@dataclass(frozen=True)
class Figure:
    """A count, and the words of the filter that finds exactly its calls."""

    count: int
    asks: Asks


@dataclass(frozen=True)
class Figures:
    """What can be said of a group of calls; `asks` finds all of them."""

    counts: Counts
    asks: Asks

    def _of(self, count: int, *asks: tuple[str, str]) -> Figure:
        return Figure(count, (*self.asks, *asks))

    @property
    def calls(self) -> Figure:
        return self._of(self.counts.calls)

    def ended(self, outcome: Outcome) -> Figure:
        return self._of(getattr(self.counts, outcome.value), ("outcome", outcome.value))

    def worth(self, category: Category) -> Figure:
        return self._of(getattr(self.counts, category.value), ("category", category.value))

    @property
    def answered(self) -> Figure:
        return self.ended(Outcome.ANSWERED)

    @property
    def missed(self) -> Figure:
        """All that nobody took, whyever."""
        lost = sum(self.ended(outcome).count for outcome in LOST)
        return self._of(lost, *(("outcome", outcome.value) for outcome in LOST))

    @property
    def target(self) -> Figure:
        return self.worth(Category.TARGET)

    @property
    def first(self) -> Figure:
        return self._of(self.counts.first, ("repeat", "no"), ("known", "yes"))

    @property
    def known(self) -> Asks:
        """What finds the calls whose callers can be told apart."""
        return (*self.asks, ("known", "yes"))

    @property
    def unjudged(self) -> Figure:
        return self._of(self.counts.unjudged, ("category", "none"), ("outcome", Outcome.ANSWERED.value))

    @property
    def judged(self) -> int:
        return self.counts.target + self.counts.service + self.counts.non_target

    @property
    def answered_share(self) -> float | None:
        """Of those that are over."""
        return share_of(self.answered.count, self.answered.count + self.missed.count)

    @property
    def missed_share(self) -> float | None:
        return share_of(self.missed.count, self.answered.count + self.missed.count)

    @property
    def target_share(self) -> float | None:
        """Of those that were judged."""
        return share_of(self.target.count, self.judged)

    @property
    def mean_wait(self) -> float | None:
        return self.counts.waited / self.counts.answered if self.counts.answered else None

    def all(self) -> Iterator[Figure]:
        yield from (self.calls, self.missed, self.first, self.unjudged)
        yield from (self.ended(outcome) for outcome in Outcome)
        yield from (self.worth(category) for category in Category)


class Spread:
    """How long things took, as counts of whole seconds."""

    def __init__(self, counts: Iterable[tuple[int, int]]) -> None:
        seen: defaultdict[int, int] = defaultdict(int)
        for seconds, count in counts:
            seen[seconds] += count
        self._seen = sorted(seen.items())
        self._all = sum(seen.values())

    def at(self, percent: int) -> int | None:
        """The shortest time within which so many per cent were done; None without any."""
        below = 0
        for seconds, count in self._seen:
            below += count
            if below * 100 >= percent * self._all:
                return seconds
        return None


class Better(enum.StrEnum):
    MORE = "more"
    LESS = "less"
    NEITHER = "neither"


@dataclass(frozen=True)
class Change:
    """A value and the one before it; shares differ by points, everything else by per cent."""

    now: float | None
    before: float | None
    better: Better
    is_share: bool = False

    @property
    def by(self) -> float | None:
        """As a fraction; None where there is nothing to compare with."""
        if self.now is None or self.before is None or (not self.is_share and self.before == 0):
            return None
        return self.now - self.before if self.is_share else self.now / self.before - 1

    @property
    def tone(self) -> str:
        """good, bad or mute; what rounds to no change is none."""
        by = self.by
        if by is None or self.better is Better.NEITHER or abs(by) < 0.005:
            return "mute"
        return "good" if (by > 0) == (self.better is Better.MORE) else "bad"


def share_of(part: int, of: int) -> float | None:
    """The part as a fraction; None of nothing."""
    return part / of if of else None
