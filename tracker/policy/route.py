"""The way a call took: which targets were rung, in which order, for how long, and what came of each."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tracker.policy.facts import Answered, Ended, Fact, LegEnded, Outcome
from tracker.policy.outcome import verdict


class Result(enum.StrEnum):
    """What came of ringing a target."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    DECLINED = "declined"
    UNREACHABLE = "unreachable"
    GAVE_UP = "gave_up"  # the caller hung up while it rang


@dataclass(frozen=True)
class Leg:
    """A target that was tried. `target_id` and `seconds` are None where no witness told."""

    target_id: int | None
    seconds: float | None
    result: Result


_RESULTS = {
    Outcome.MISSED: Result.NO_ANSWER,
    Outcome.BUSY: Result.BUSY,
    Outcome.REFUSED: Result.DECLINED,
    Outcome.FAILED: Result.UNREACHABLE,
}


def route(facts: Iterable[Fact]) -> list[Leg]:
    """The legs in their order; what two witnesses told stands once, as the one told it who knows more.

    Only what was written down: nobody writes down to whom a person handed the call on afterwards.
    """
    known = list(facts)
    tried = {fact.position: fact for fact in known if isinstance(fact, LegEnded)}
    way = [_tried(tried[position]) for position in sorted(tried)]
    last = _answered([fact for fact in known if isinstance(fact, Answered)])
    last = last or _gave_up([fact for fact in known if isinstance(fact, Ended)])
    return [*way, last] if last else way


def _tried(leg: LegEnded) -> Leg:
    if leg.status == "CANCEL":
        result = Result.GAVE_UP
    else:
        result = _RESULTS[verdict(leg.status, leg.cause, leg.rang_at is not None)[0]]
    return Leg(leg.target_id, _seconds(leg.rang_at or leg.dialled_at, leg.at), result)


def _answered(facts: Sequence[Answered]) -> Leg | None:
    if not facts:
        return None
    best = max(facts, key=lambda fact: (bool(fact.target_id), fact.rang_at is not None, -fact.at.timestamp()))
    return Leg(best.target_id or None, _seconds(best.rang_at, best.at), Result.ANSWERED)


def _gave_up(facts: Sequence[Ended]) -> Leg | None:
    """What was ringing when the caller hung up; which target it was, the end of a call does not tell."""
    ring = next((fact for fact in facts if fact.status == "CANCEL" and fact.rang_at is not None), None)
    return Leg(None, _seconds(ring.rang_at, ring.at), Result.GAVE_UP) if ring else None


def _seconds(since: datetime | None, until: datetime) -> float | None:
    return None if since is None else max(0.0, (until - since).total_seconds())
