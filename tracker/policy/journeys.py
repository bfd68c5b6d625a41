"""Journeys: what a person did in the order of time, and the target calls and sales it led to.

    journeys = gather([(person, Step(…)), …], [(person, Conversion(…)), …])

A step is a visit, or a call that no visit explains (a channel's: the billboard). A call that came from a
visit is that visit's, and no step of its own, else it would count twice. Who is one person:
tracker.policy.persons.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, TypeVar

from tracker.policy.touches import LOOK_BACK


class Kind(enum.StrEnum):
    VISIT = "visit"
    CALL = "call"


class Step(NamedTuple):
    """A visit or a call; `key` names what is credited: an origin's word, a campaign, a keyword."""

    at: datetime
    key: str
    is_direct: bool = False
    kind: Kind = Kind.VISIT
    fact_id: int = 0  # the visit's, or the call's


class Goal(enum.StrEnum):
    TARGET_CALL = "target_call"
    SALE = "sale"


class Conversion(NamedTuple):
    """A target call or a sale, and what it brought; gross profit None: nobody has said.

    A sale that is known to come of a call is made at the call's instant: who looks at the website again
    before he pays has decided already.
    """

    at: datetime
    goal: Goal
    fact_id: int
    revenue: Decimal = Decimal(0)
    gross_profit: Decimal | None = None


@dataclass(frozen=True)
class Journey:
    """Of one person, both in the order of time; as `gather` makes it.

    Or of so many (`times`) persons who went alike: then the money of the conversions is that of all of them.
    """

    steps: tuple[Step, ...]
    conversions: tuple[Conversion, ...] = ()
    times: int = 1


class Reached(NamedTuple):
    """A conversion (or as many alike as `times` says), and the steps that may have led to it."""

    conversion: Conversion
    steps: Sequence[Step]
    times: int = 1


Person = TypeVar("Person", bound=Hashable)


def gather(
    steps: Iterable[tuple[Person, Step]], conversions: Iterable[tuple[Person, Conversion]]
) -> list[Journey]:
    """A journey for each person, from facts in any order; the journeys in the order in which they began."""
    walked: defaultdict[Person, list[Step]] = defaultdict(list)
    won: defaultdict[Person, list[Conversion]] = defaultdict(list)
    for person, step in steps:
        walked[person].append(step)
    for person, conversion in conversions:
        won[person].append(conversion)
    found = [journey_of(walked.get(person, ()), won.get(person, ())) for person in walked.keys() | won.keys()]
    return sorted(found, key=_began)


def journey_of(steps: Iterable[Step], conversions: Iterable[Conversion] = ()) -> Journey:
    """One person's journey, from facts in any order."""
    return Journey(tuple(sorted(steps, key=_order)), tuple(sorted(conversions, key=_conversion_order)))


def _began(journey: Journey) -> tuple[datetime, int, int]:
    step, conversion = (facts[0] if facts else None for facts in (journey.steps, journey.conversions))
    began_at = min(each.at for each in (step, conversion) if each is not None)
    return began_at, step.fact_id if step else 0, conversion.fact_id if conversion else 0


def _order(step: Step) -> tuple[datetime, bool, int, str]:
    return step.at, step.kind is Kind.CALL, step.fact_id, step.key  # whoever calls at once has looked first


def _conversion_order(conversion: Conversion) -> tuple[datetime, str, int]:
    return conversion.at, conversion.goal.value, conversion.fact_id


def reached(journey: Journey, look_back: timedelta = LOOK_BACK) -> list[Reached]:
    """Each conversion with the steps up to it, none older than the look-back.

    A step counts for every conversion after it, also for the second sale to the same person.
    """
    return [
        Reached(
            each,
            [step for step in journey.steps if each.at - look_back <= step.at <= each.at],
            journey.times,
        )
        for each in journey.conversions
    ]


def led_nowhere(journey: Journey) -> list[Step]:
    """The steps after the last conversion; all of them, where there is none."""
    last = journey.conversions[-1].at if journey.conversions else None
    return [step for step in journey.steps if last is None or step.at > last]


def collapsed(keys: Iterable[str]) -> tuple[str, ...]:
    """The keys without repetitions one after the other."""
    path: list[str] = []
    for key in keys:
        if not path or path[-1] != key:
            path.append(key)
    return tuple(path)
