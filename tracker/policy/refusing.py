"""What a fact says of the recording of its call, be it outside of plans or in a step of one."""

from __future__ import annotations

from collections.abc import Iterable

from tracker.policy.facts import Doing, Fact, Passed, Taped
from tracker.policy.taping import Taping


def said_by(fact: Fact) -> Taping | None:
    """What the caller was told or said, or an employee's code; None where it is about something else."""
    if isinstance(fact, Taped):
        return fact.what
    refused = isinstance(fact, Passed) and (fact.doing, fact.about) == (Doing.RECORDING, "refused")
    return Taping.REFUSED if refused else None


def speaking(facts: Iterable[Fact]) -> list[Taped | Passed]:
    """Those of the facts that say something of the recording."""
    return [fact for fact in facts if isinstance(fact, Taped | Passed) and said_by(fact) is not None]
