"""The ways that led to conversions: which were gone most, who helped without being last, how long it took."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from tracker.policy.journeys import Journey, Reached, collapsed, reached
from tracker.policy.touches import LOOK_BACK

DAY = timedelta(days=1)


@dataclass
class Won:
    """How many conversions, and what they brought."""

    conversions: int = 0
    revenue: Decimal = Decimal(0)

    def add(self, found: Reached) -> None:
        self.conversions += found.times
        self.revenue += found.conversion.revenue


@dataclass(frozen=True)
class Path:
    """Origins one after the other, without repetitions; none: nothing is known of what led to it."""

    keys: tuple[str, ...]
    won: Won
    touches: float = 0  # visits and calls, repetitions included: half of the conversions had more, half fewer
    days: float | None = None  # from the first of them to the conversion, likewise


@dataclass(frozen=True)
class Part:
    """A key's part in conversions: those it began, ended, and helped with (had part in, and did not end)."""

    began: Won
    ended: Won
    helped: Won

    @property
    def helps_per_end(self) -> float | None:
        """Above 1: it rather prepares sales than closes them."""
        return self.helped.conversions / self.ended.conversions if self.ended.conversions else None


@dataclass(frozen=True)
class Ways:
    """All that is told of the ways to conversions.

    `steps` counts conversions by the number of their steps (0: nothing is known), `days` those of which a
    step is known by the whole days from the first step to the conversion.
    """

    paths: tuple[Path, ...]
    parts: dict[str, Part]
    steps: dict[int, int]
    days: dict[int, int]

    @property
    def conversions(self) -> int:
        return sum(path.won.conversions for path in self.paths)

    @property
    def median_days(self) -> float | None:
        """Half of the conversions of which a step is known took more days, half fewer."""
        return _median(self.days.items()) if self.days else None

    @property
    def over_several(self) -> int:
        """Conversions with more than one origin on their way."""
        return sum(path.won.conversions for path in self.paths if len(set(path.keys)) > 1)


def ways(journeys: Iterable[Journey], look_back: timedelta = LOOK_BACK) -> Ways:
    """The ways of these journeys to their conversions, those gone most first."""
    found = [each for journey in journeys for each in reached(journey, look_back)]
    known = [each for each in found if each.steps]
    return Ways(
        _paths(found),
        _parts(known),
        _counted((len(each.steps), each.times) for each in found),
        _counted((_days(each), each.times) for each in known),
    )


def _counted(values: Iterable[tuple[int, int]]) -> dict[int, int]:
    found: Counter[int] = Counter()
    for value, count in values:
        found[value] += count
    return dict(sorted(found.items()))


def _paths(found: Iterable[Reached]) -> tuple[Path, ...]:
    gone: defaultdict[tuple[str, ...], list[Reached]] = defaultdict(list)
    for each in found:
        gone[collapsed(step.key for step in each.steps)].append(each)
    paths = [_path(keys, all_) for keys, all_ in gone.items()]
    return tuple(sorted(paths, key=lambda path: (-path.won.conversions, -path.won.revenue, path.keys)))


def _path(keys: tuple[str, ...], gone: Sequence[Reached]) -> Path:
    won = Won()
    for each in gone:
        won.add(each)
    touches = _median((len(each.steps), each.times) for each in gone)
    days = _median((_days(each), each.times) for each in gone) if keys else None
    return Path(keys, won, touches, days)


def _days(found: Reached) -> int:
    """Whole ones from the first step."""
    return (found.conversion.at - found.steps[0].at) // DAY


def _median(values: Iterable[tuple[int, int]]) -> float:
    return float(statistics.median(value for value, times in values for _ in range(times)))


def _parts(found: Iterable[Reached]) -> dict[str, Part]:
    parts: defaultdict[str, Part] = defaultdict(lambda: Part(Won(), Won(), Won()))
    for each in found:
        parts[each.steps[0].key].began.add(each)
        last = each.steps[-1].key
        parts[last].ended.add(each)
        for key in {step.key for step in each.steps} - {last}:
            parts[key].helped.add(each)
    return dict(sorted(parts.items()))
