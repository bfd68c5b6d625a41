"""What the facts about a call add up to.

The fold looks at a set of facts, so their order and repetition cannot matter. Adding a fact never lowers what
is known: an answer stays, the earliest one counts; an end stays, and replaces a guess made after a crash.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from tracker.policy.facts import (
    Answered,
    Direction,
    Doing,
    Ended,
    Fact,
    Guarded,
    GuardStep,
    HungUpBy,
    Interrupted,
    LegEnded,
    Outcome,
    Passed,
    Presentation,
    Reported,
    Spam,
    SpamSaid,
    Started,
    Taped,
)
from tracker.policy.outcome import LastWord, outcome_of
from tracker.policy.taping import Taping

Kind = TypeVar("Kind", Started, LegEnded, Answered, Ended, Interrupted, Passed, Reported, Guarded, SpamSaid)
# Whoever leaves a message has waited until the plan took him there: he is missed, and has not given up.
_UNHEARD = {Outcome.GAVE_UP, Outcome.FAILED}
# What says most of several parts nobody answered: a caller who gave up ends all of them.
_TELLING = (Outcome.FAILED, Outcome.REFUSED, Outcome.BUSY, Outcome.MISSED, Outcome.GAVE_UP, Outcome.ANSWERED)
_FURTHEST = (GuardStep.PASSED, GuardStep.FAILED, GuardStep.BLOCKED, GuardStep.CHALLENGED)
_TURNED_AWAY = frozenset({GuardStep.BLOCKED, GuardStep.FAILED})
_SPAM = {GuardStep.BLOCKED: Spam.BLOCKED, GuardStep.FAILED: Spam.FAILED}
SHORTEST_MESSAGE = timedelta(seconds=1)  # whoever hangs up at the tone has left none
UNKNOWN_TARGET = 0  # who answered, when the witness (CEL) cannot tell


class Sound(enum.StrEnum):
    """What there was to be recorded of a call that we could hear."""

    NOTHING = "nothing"
    TALK = "talk"
    MESSAGE = "message"  # whatever the number's calls are: it is left to be heard


@dataclass(frozen=True)
class CallState:
    """A call as far as it is known. `started` is None while only later facts have come in."""

    started: Started | None = None
    rang_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    message_at: datetime | None = None
    wait_seconds: float | None = None
    talk_seconds: float | None = None
    outcome: Outcome | None = None
    interrupted: bool = False
    target_id: int | None = None
    hung_up_by: HungUpBy | None = None
    dial_status: str | None = None
    hangup_cause: int | None = None
    seen_by_agi: bool = False
    guard: GuardStep | None = None
    spam: Spam | None = None
    sound: Sound = Sound.NOTHING


def fold(facts: Iterable[Fact]) -> CallState:
    """The state of one call from everything its witnesses said."""
    known = frozenset(facts)
    if reported := _only(known, Reported):  # of such a call there is no other witness
        return replace(
            _told_by_others(list(newest_parts(reported).values())), spam=_spam(known, None, has_left=False)
        )
    started = max(_only(known, Started), key=_tells_more, default=None)
    answer = min(_only(known, Answered), key=_answers_first, default=None)
    end = max(_only(known, Ended), key=_ends_better, default=None)
    legs = sorted(_only(known, LegEnded), key=lambda leg: (leg.position, leg.at))
    interrupted = end is None and any(isinstance(fact, Interrupted) for fact in known)
    answered_at = answer.at if answer else None
    # After a crash the last thing anyone wrote down is the last sign of life.
    ended_at = end.at if end else _last_sign(known) if interrupted else None
    began_at = min((fact.at for fact in _only(known, Passed) if fact.doing is Doing.MESSAGE), default=None)
    guard, outcome = _guard(known), None
    if ended_at is not None:
        turned_away = guard in _TURNED_AWAY and answer is None
        outcome = Outcome.REFUSED if turned_away else outcome_of(answer is not None, legs, _last_word(end))
        if began_at is not None and outcome in _UNHEARD:
            outcome = Outcome.MISSED
    started_at = started.at if started else None
    out = started if started and started.direction is Direction.OUT else None
    taken = outcome is Outcome.ANSWERED and answered_at is None  # answered, but when was lost
    return CallState(
        started=started,
        rang_at=_first_ring(known),
        answered_at=answered_at,
        ended_at=ended_at,
        message_at=None if _is_wordless(known) else _message_at(began_at, ended_at),
        wait_seconds=None if taken else _seconds(started_at, answered_at or ended_at),
        talk_seconds=_seconds(answered_at, ended_at),
        outcome=outcome,
        interrupted=interrupted,
        target_id=(answer.target_id if answer else None) or (out.target_id if out else None),
        hung_up_by=turned(_hung_up_by(outcome, end, interrupted), out is not None),
        dial_status=(end.status or None) if end else None,
        hangup_cause=end.cause if end else None,
        seen_by_agi=any(fact.seen_by_agi for fact in _only(known, Ended)),
        guard=guard,
        spam=_spam(known, guard, has_left=end is not None and answer is None and not legs),
        sound=_sound(outcome, began_at is not None),
    )


def _last_sign(facts: Iterable[Fact]) -> datetime:
    """Of the call itself: what a person says of it later is none."""
    return max(fact.at for fact in facts if not isinstance(fact, SpamSaid))


def _is_wordless(facts: Iterable[Fact]) -> bool:
    return any(isinstance(fact, Taped) and fact.what is Taping.WORDLESS for fact in facts)


def _message_at(began_at: datetime | None, ended_at: datetime | None) -> datetime | None:
    if began_at is None or ended_at is None or ended_at - began_at >= SHORTEST_MESSAGE:
        return began_at
    return None


def _sound(outcome: Outcome | None, is_message: bool) -> Sound:
    if outcome is Outcome.ANSWERED:
        return Sound.TALK
    return Sound.MESSAGE if is_message else Sound.NOTHING


def newest_parts(reported: Iterable[Reported]) -> dict[str, Reported]:
    """What was told last of each part of a call."""
    parts: dict[str, Reported] = {}
    for each in sorted(reported, key=lambda it: (it.edition, repr(it))):
        parts[each.part] = each
    return parts


def _told_by_others(parts: Sequence[Reported]) -> CallState:
    """A call as another phone system tells it: from its first part's beginning to its last one's end."""
    first = min(parts, key=lambda it: (it.at, it.part))
    answers = [it.answered_at for it in parts if it.answered_at is not None]
    taken = any(it.outcome is Outcome.ANSWERED for it in parts)
    answered_at, ended_at = min(answers, default=None), max(it.ended_at for it in parts)
    outcome = Outcome.ANSWERED if taken else max((it.outcome for it in parts), key=_TELLING.index)
    return CallState(
        started=_start_of(first, parts),
        answered_at=answered_at if taken else None,
        ended_at=ended_at,
        wait_seconds=_seconds(first.at, answered_at if taken else ended_at),
        talk_seconds=_seconds(answered_at, ended_at) if taken else None,
        outcome=outcome,
        hung_up_by=HungUpBy.CALLER if outcome is Outcome.GAVE_UP else None,
    )


def _start_of(first: Reported, parts: Sequence[Reported]) -> Started:
    """The beginning; who called is what any part says, for a later one may know the caller alone."""
    known = next((it for it in (first, *parts) if it.caller), first)
    return Started(
        call=first.call,
        node=first.node,
        at=first.at,
        uniqueid="",
        linkedid="",
        trunk_id=None,
        did=first.did,
        dialled=first.did,
        caller=known.caller,
        presentation=known.presentation,
        caller_name=known.caller_name,
        direction=first.direction,
    )


def _guard(facts: Iterable[Fact]) -> GuardStep | None:
    """The furthest that the call came at the guard."""
    steps = {fact.step for fact in _only(facts, Guarded)}
    return next((step for step in _FURTHEST if step in steps), None)


def _spam(facts: Iterable[Fact], guard: GuardStep | None, *, has_left: bool) -> Spam | None:
    """What a person said last; before anybody has said a word, what the guard found."""
    said = max(_only(facts, SpamSaid), key=lambda fact: (fact.at, repr(fact)), default=None)
    if said is not None:
        return Spam.PERSON if said.is_spam else None
    if guard is GuardStep.CHALLENGED:
        return Spam.LEFT if has_left else None
    return _SPAM.get(guard) if guard else None


def _only(facts: Iterable[Fact], kind: type[Kind]) -> list[Kind]:
    return [fact for fact in facts if isinstance(fact, kind)]


def _tells_more(fact: Started) -> tuple[object, ...]:
    """The spool and the AGI know the presentation and what was dialled, CEL does not; then the earliest."""
    return (
        fact.presentation is not Presentation.UNAVAILABLE,
        bool(fact.dialled),
        bool(fact.caller),
        bool(fact.caller_name),
        fact.trunk_id is not None,
        -fact.at.timestamp(),
        repr(fact),
    )


def _answers_first(fact: Answered) -> tuple[object, ...]:
    return fact.target_id == UNKNOWN_TARGET, fact.at, fact.position, fact.target_id, repr(fact)


def _ends_better(fact: Ended) -> tuple[object, ...]:
    return bool(fact.status), fact.seen_by_agi, fact.at, repr(fact)


def _last_word(end: Ended | None) -> LastWord | None:
    if end is None:
        return None
    return LastWord(end.status, end.cause, end.rang_at is not None, end.hung_up_by)


def _first_ring(facts: Iterable[Fact]) -> datetime | None:
    rings = (getattr(fact, "rang_at", None) for fact in facts)
    return min((ring for ring in rings if ring is not None), default=None)


def _seconds(since: datetime | None, until: datetime | None) -> float | None:
    """A length of time; a clock that was set back in between makes it zero, never negative."""
    if since is None or until is None:
        return None
    return max(0.0, round((until - since).total_seconds(), 3))


def _hung_up_by(outcome: Outcome | None, end: Ended | None, interrupted: bool) -> HungUpBy | None:
    if interrupted:
        return HungUpBy.SYSTEM
    if outcome is Outcome.GAVE_UP:
        return HungUpBy.CALLER  # after CANCEL Asterisk often names nobody
    return end.hung_up_by if end else None


def turned(found: HungUpBy | None, goes_out: bool) -> HungUpBy | None:
    """Of a call that goes out the channel that began it is the company's."""
    if not goes_out or found not in {HungUpBy.CALLER, HungUpBy.COMPANY}:
        return found
    return HungUpBy.COMPANY if found is HungUpBy.CALLER else HungUpBy.CALLER
