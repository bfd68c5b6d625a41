"""Missed callers and what became of them: called back, called again and answered, or still waiting.

A missed caller is a person, known by the telephone, who called and whom nobody took. All calls that person
makes in vain until somebody speaks with him are one: he waits once. He is recovered by the first answered
call with him afterwards, whoever made it; it took from the end of his first call in vain to the beginning of
that one.
"""

from __future__ import annotations

import enum
import statistics
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from tracker.policy.facts import Direction
from tracker.policy.origins import Origin

Group = TypeVar("Group", bound=Hashable)


class Recovered(enum.StrEnum):
    """What became of a missed caller."""

    NO = "no"
    YES = "yes"
    US = "us"  # we called back
    SELF = "self"  # he called again, and was answered


@dataclass(frozen=True)
class Spoken:
    """The first answered call with a person afterwards. `employee` is who spoke, where that is known."""

    call_id: int
    at: datetime
    direction: Direction
    employee: str | None


@dataclass(frozen=True)
class MissedCall:
    """A call that nobody took. `key` names it on pages and in the API."""

    key: str
    caller: str
    began_at: datetime
    ended_at: datetime
    origin: Origin
    spoken: Spoken | None


@dataclass(frozen=True)
class MissedCaller:
    """A person who waits or has waited: his calls in vain, the oldest first, and how that ended.

    `tries` are our calls to him in vain, where he still waits.
    """

    calls: Sequence[MissedCall]
    tries: int = 0

    @property
    def first(self) -> MissedCall:
        return self.calls[0]

    @property
    def spoken(self) -> Spoken | None:
        return self.first.spoken

    @property
    def how(self) -> Recovered:
        if self.spoken is None:
            return Recovered.NO
        return Recovered.SELF if self.spoken.direction is Direction.IN else Recovered.US

    @property
    def seconds(self) -> float | None:
        return None if self.spoken is None else seconds_until(self.first.ended_at, self.spoken.at)


@dataclass(frozen=True)
class Figures:
    """How many, and how long it took those who were recovered."""

    callers: int
    by_us: int
    by_self: int
    median_seconds: float | None
    p90_seconds: float | None

    @property
    def recovered(self) -> int:
        return self.by_us + self.by_self

    @property
    def waiting(self) -> int:
        return self.callers - self.recovered


@dataclass(frozen=True)
class Recovery:
    """A report: all together, by source, by who spoke with them, and who still waits, the newest first.

    `unknown` calls in vain came without a number: nobody can be called back.
    """

    calls: int
    unknown: int
    whole: Figures
    by_origin: Sequence[tuple[Origin, Figures]]
    by_employee: Sequence[tuple[str | None, Figures]]
    waiting: Sequence[MissedCaller] = field(default=())


def seconds_until(ended_at: datetime, spoken_at: datetime) -> float:
    """How long he waited; calls that overlap make it nothing."""
    return max(0.0, (spoken_at - ended_at).total_seconds())


def callers_of(calls: Iterable[MissedCall], tries: Mapping[str, int]) -> list[MissedCaller]:
    """Each person once for every time of waiting, the oldest first."""
    groups: dict[tuple[str, int | None], list[MissedCall]] = defaultdict(list)
    for call in sorted(calls, key=lambda it: (it.began_at, it.key)):
        groups[call.caller, call.spoken.call_id if call.spoken else None].append(call)
    return [
        MissedCaller(theirs, tries.get(caller, 0) if spoken is None else 0)
        for (caller, spoken), theirs in groups.items()
    ]


def recovery(calls: Sequence[MissedCall], unknown: int, tries: Mapping[str, int]) -> Recovery:
    """The report of these calls."""
    callers = callers_of(calls, tries)
    spoken = [each for each in callers if each.spoken is not None]
    waiting = sorted(
        (each for each in callers if each.spoken is None), key=lambda it: it.calls[-1].began_at, reverse=True
    )
    return Recovery(
        calls=len(calls),
        unknown=unknown,
        whole=figures(callers),
        by_origin=_by(callers, lambda it: it.first.origin, lambda it: it.word),
        by_employee=_by(spoken, _employee, lambda it: it or ""),
        waiting=waiting,
    )


def _employee(caller: MissedCaller) -> str | None:
    return caller.spoken.employee if caller.spoken else None


def figures(callers: Sequence[MissedCaller]) -> Figures:
    took = sorted(each.seconds for each in callers if each.seconds is not None)
    ways = [each.how for each in callers]
    return Figures(
        len(callers),
        ways.count(Recovered.US),
        ways.count(Recovered.SELF),
        statistics.median(took) if took else None,
        took[-(-9 * len(took) // 10) - 1] if took else None,  # of ten the ninth: nearest rank
    )


def _by(
    callers: Sequence[MissedCaller], group: Callable[[MissedCaller], Group], name: Callable[[Group], str]
) -> list[tuple[Group, Figures]]:
    """Groups, the largest first."""
    groups: dict[Group, list[MissedCaller]] = defaultdict(list)
    for each in callers:
        groups[group(each)].append(each)
    return [
        (key, figures(theirs))
        for key, theirs in sorted(groups.items(), key=lambda it: (-len(it[1]), name(it[0])))
    ]
