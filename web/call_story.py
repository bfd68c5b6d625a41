"""The story of a call: every fact that was written down about it, in order and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from tracker.models import CallEvent
from tracker.policy.books import fold, turned
from tracker.policy.detail import from_detail
from tracker.policy.facts import (
    Answered,
    Direction,
    Doing,
    Ended,
    Fact,
    Guarded,
    Interrupted,
    JudgedByPhone,
    LegEnded,
    Passed,
    Reported,
    SpamSaid,
    Started,
    Taped,
)
from tracker.policy.outcome import is_declined, verdict
from tracker.policy.taping import Taping
from web import guard_words
from web.words import CATEGORIES, DECLINED_BY, ENDED_BY, LEGS, NOT_TAKEN, OUTCOMES, hand_words, outcome_badge

_SAID_ONCE = (JudgedByPhone, SpamSaid, Taped)  # by one witness only, and perhaps again
NO_MESSAGE = _("The caller hung up at the tone and left no message")
REFUSED_RECORDING = _("The caller refused to be recorded")
# What a call did in a step of its plan.
DOINGS = {
    Doing.CAME: _("Plan: %(step)s"),
    Doing.PRESSED: _("The caller pressed %(about)s"),
    Doing.CODE: _("The caller typed the code %(about)s"),
    Doing.FULL: _("%(about)s has as many calls as it may"),
    Doing.RECORDING: _("The caller was told of the recording"),
    Doing.MESSAGE: _("The caller began to leave a message"),
}

TAPED = {
    Taping.TOLD: _("The caller was told of the recording"),
    Taping.AGREED: _("The caller agreed to be recorded"),
    Taping.REFUSED: REFUSED_RECORDING,
    Taping.SILENT: _("The caller did not agree to be recorded"),
    Taping.UNASKED: _("The announcement could not be played"),
    Taping.FORBIDDEN: _("The employee forbade the recording"),
    Taping.PAUSED: _("Recording paused"),
    Taping.RESUMED: _("Recording resumed"),
    Taping.WORDLESS: _("The caller hung up without a word"),
}


@dataclass(frozen=True)
class Step:
    """A line of the call's story."""

    at: datetime
    title: str
    detail: str
    tone: str


def story(events: Sequence[CallEvent], targets: Mapping[int, str]) -> list[Step]:
    """What happened, in order, in words; a fact that two witnesses told is told once."""
    steps: dict[tuple[object, ...], Step] = {}
    facts = [fact for fact in map(fact_of, events) if fact is not None]
    wordless = any(isinstance(fact, Taped) and fact.what is Taping.WORDLESS for fact in facts)
    no_message = {Doing.MESSAGE} if fold(facts).message_at is None and not wordless else set()
    goes_out = any(isinstance(fact, Started) and fact.direction is Direction.OUT for fact in facts)
    for fact in facts:
        once = fact.at if isinstance(fact, _SAID_ONCE) else None
        if isinstance(fact, Passed) and fact.doing in no_message:
            steps[(fact.doing,)] = Step(fact.at, str(NO_MESSAGE), "", "warn")
            continue
        for step in (_steps_out if goes_out else _steps)(fact, targets):
            steps.setdefault((step.title, step.detail, once), step)
    return sorted(steps.values(), key=lambda step: step.at)


def _steps(fact: Fact, targets: Mapping[int, str]) -> list[Step]:
    match fact:
        case Started():
            return [Step(fact.at, gettext("Call arrived"), "", "mute")]
        case LegEnded():
            name = targets.get(fact.target_id, gettext("A target"))
            declined = is_declined(fact.status, fact.cause)
            ended = DECLINED_BY if declined else LEGS.get(fact.status, NOT_TAKEN)
            said = str(ended) % {"name": name}
            return [*_rang(fact.rang_at, name), Step(fact.at, said, _cause(fact.cause), "warn")]
        case Answered():
            name = targets.get(fact.target_id, gettext("Somebody"))
            return [
                *_rang(fact.rang_at, name),
                Step(fact.at, gettext("%(name)s answered", name=name), "", "good"),
            ]
        case Ended():
            by = str(ENDED_BY[fact.hung_up_by]) if fact.hung_up_by else ""
            rang = fact.rang_at if fact.status == "CANCEL" else None
            ring = [Step(rang, gettext("It rang"), "", "mute")] if rang else []
            return [*ring, Step(fact.at, gettext("Call ended"), by, "mute")]
    return _reported(fact) if isinstance(fact, Reported) else [_single(fact, targets)]


def _steps_out(fact: Fact, targets: Mapping[int, str]) -> list[Step]:
    """Of a call that we made: the target is who called, the rest is the person called."""
    rang = getattr(fact, "rang_at", None)
    ring = [Step(rang, gettext("It rang"), "", "mute")] if rang else []
    match fact:
        case Started():
            name = targets.get(fact.target_id or 0, gettext("Somebody"))
            return [Step(fact.at, gettext("%(name)s called", name=name), "", "mute")]
        case LegEnded():
            outcome, _rings = verdict(fact.status, fact.cause, rang is not None)
            word = outcome_badge(outcome, Direction.OUT).word
            return [*ring, Step(fact.at, str(word), _cause(fact.cause), "warn")]
        case Answered():
            return [*ring, Step(fact.at, gettext("The call was answered"), "", "good")]
        case Ended():
            by = turned(fact.hung_up_by, goes_out=True)
            return [*ring, Step(fact.at, gettext("Call ended"), str(ENDED_BY[by]) if by else "", "mute")]
    return _steps(fact, targets)


def _single(
    fact: Interrupted | JudgedByPhone | Passed | Taped | Guarded | SpamSaid, targets: Mapping[int, str]
) -> Step:
    match fact:
        case Guarded() | SpamSaid():
            return Step(fact.at, *guard_words.step(fact, hand_words))
        case Interrupted():
            return _crashed(fact.at)
        case JudgedByPhone():
            return _judged(fact, targets.get(fact.target_id, gettext("Somebody")))
        case Passed():
            return _passed(fact, targets)
        case Taped():
            return Step(fact.at, str(TAPED[fact.what]), "", "mute")


def fact_of(event: CallEvent) -> Fact | None:
    """The fact; None for one that another version wrote."""
    try:
        return from_detail(event.kind, "", event.detail)
    except (KeyError, TypeError, ValueError):
        return None


def _crashed(at: datetime) -> Step:
    return Step(at, gettext("Cut by a crash of the phone system"), gettext("last sign of life"), "warn")


def _reported(fact: Reported) -> list[Step]:
    """A call as another phone system told it; told once more, it is told otherwise."""
    again = gettext("told again") if fact.edition > 1 else ""
    steps = [Step(fact.at, gettext("Call arrived"), again, "mute")]
    if fact.answered_at is not None:
        name = fact.employee or gettext("Somebody")
        steps.append(Step(fact.answered_at, gettext("%(name)s answered", name=name), again, "good"))
    word = "" if fact.answered_at else str(OUTCOMES[fact.outcome].word)
    return [*steps, Step(fact.ended_at, gettext("Call ended"), word or again, "mute")]


def _judged(fact: JudgedByPhone, name: str) -> Step:
    word = CATEGORIES[fact.category].word if fact.category else gettext("taken back")
    return Step(fact.at, gettext("%(name)s said by phone what it was worth", name=name), str(word), "mute")


def _passed(fact: Passed, targets: Mapping[int, str]) -> Step:
    about = fact.about
    if fact.doing is Doing.FULL and about.isdigit():
        about = targets.get(int(about), gettext("A target"))
    tone = "warn" if fact.doing in {Doing.FULL, Doing.MESSAGE} else "mute"
    told = REFUSED_RECORDING if about == "refused" else DOINGS[fact.doing]
    title = str(told) % {"step": fact.step, "about": about}
    return Step(fact.at, title, "", tone)


def _rang(at: datetime | None, name: str) -> list[Step]:
    return [Step(at, gettext("%(name)s rang", name=name), "", "mute")] if at else []


def _cause(cause: int | None) -> str:
    return gettext("cause %(code)s", code=cause) if cause else ""
