"""What a call came to, from what Dial left behind for each of its targets.

Measured on Asterisk 22.10.1: DIALSTATUS and the Q.850 cause, and whether the target rang at all.

    503        CONGESTION   34             a target that cannot take calls
    404        CHANUNAVAIL   1             no such target
    dead host  NOANSWER     16  no ring    looks like a time-out; only the missing ring tells
    603        CHANUNAVAIL  21             a person declined
    480        NOANSWER     19  no ring    switched off: nobody was there
    time-out   NOANSWER     16  it rang
    486        BUSY         17
    caller     CANCEL      127             the caller hung up first
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracker.policy.facts import HungUpBy, LegEnded, Outcome

DECLINED = 21
NOBODY_THERE = {18, 19}  # no user responding, no answer


@dataclass(frozen=True)
class LastWord:
    """What the hang-up handler saw: status and cause of the last Dial, and whether its target rang."""

    status: str
    cause: int | None
    rang: bool
    hung_up_by: HungUpBy | None


def outcome_of(answered: bool, legs: Sequence[LegEnded], end: LastWord | None) -> Outcome:
    """How the call ended. `end` is None when nobody saw it end (a crash): then the legs alone speak."""
    if answered or (end is not None and end.status == "ANSWER"):
        return Outcome.ANSWERED
    if end is not None and _gave_up(end, bool(legs)):
        return Outcome.GAVE_UP
    verdicts = [verdict(leg.status, leg.cause, leg.rang_at is not None) for leg in legs]
    # With legs known the end adds nothing: its cause is then the one that was sent to the caller's network.
    if not verdicts and end is not None and end.status:
        verdicts.append(verdict(end.status, end.cause, end.rang))
    return max(verdicts, key=_strength)[0] if verdicts else Outcome.FAILED


def verdict(status: str, cause: int | None, rang: bool) -> tuple[Outcome, bool]:
    """One target that did not take the call: the outcome, and whether it rang."""
    if status == "BUSY":
        return Outcome.BUSY, rang
    if is_declined(status, cause):
        return Outcome.REFUSED, rang
    if rang or (status == "NOANSWER" and cause in NOBODY_THERE):
        return Outcome.MISSED, rang
    return Outcome.FAILED, False


def is_declined(status: str, cause: int | None) -> bool:
    """Whether a person declined. After a time-out the cause is still that of the target before."""
    return cause == DECLINED and status not in {"BUSY", "NOANSWER"}


def _gave_up(end: LastWord, any_leg: bool) -> bool:
    return end.status == "CANCEL" or (not any_leg and not end.status and end.hung_up_by is HungUpBy.CALLER)


def _strength(found: tuple[Outcome, bool]) -> int:
    """A phone that rang in an empty office says more than one that was busy, declined, off or unreachable."""
    outcome, rang = found
    if outcome is Outcome.MISSED:
        return 4 if rang else 1
    return {Outcome.BUSY: 3, Outcome.REFUSED: 2}.get(outcome, 0)
