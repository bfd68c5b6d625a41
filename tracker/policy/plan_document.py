"""The document of a plan, as people write it: what is usual is left out. tracker.policy.plan_text reads it.

read_plan(plan.name, document_of(plan)) == plan
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tracker.policy.plan import (
    FINISHED,
    Branch,
    Code,
    Consent,
    Hangup,
    Hours,
    Last,
    Member,
    Menu,
    Other,
    Plan,
    Prompt,
    Responsible,
    Ring,
    Say,
    Span,
    SpecialDay,
    Step,
    Voicemail,
)
from tracker.policy.plan_days import stretches
from tracker.policy.week import DAYS


def document_of(plan: Plan) -> dict[str, Any]:
    """Mappings and lists, as YAML and JSON have them."""
    return {"start": plan.start, "steps": {place: _step(step) for place, step in plan.steps.items()}}


def kind_of(step: Step) -> str:
    """The word for its kind: "ring", "menu"."""
    return word_of(type(step))


def word_of(kind: type[Step]) -> str:
    """The same of a kind: "ring" of Ring."""
    return _KINDS[kind][0]


def _step(step: Step) -> dict[str, Any]:
    kind, write = _KINDS[type(step)]
    return {"kind": kind, **write(step)}


def _hours(step: Hours) -> dict[str, Any]:
    told = {
        "open": {_days(it.days): _spans(it.spans) for it in step.openings},
        "special": {_stretch(it): _spans(it[0].spans) for it in stretches(step.special) if it[0].spans},
        "holidays": [_stretch(it) for it in stretches(step.special) if not it[0].spans],
        "then": step.then,
        "closed": step.closed,
    }
    return _without(told, special={}, holidays=[], closed=FINISHED)


def _ring(step: Ring) -> dict[str, Any]:
    told = {
        "targets": [_member(each) for each in step.members],
        "order": str(step.order),
        "then": step.then,
        "busy": step.busy,
        "unreachable": step.unreachable,
    }
    return _without(told, order="in turn", then=FINISHED, busy=None, unreachable=None)


def _menu(step: Menu) -> dict[str, Any]:
    told = {
        "say": _prompt(step.prompt),
        "keys": dict(step.keys),
        "then": step.then,
        "seconds": step.seconds,
        "tries": step.tries,
    }
    return _without(told, seconds=5, tries=2)


def _code(step: Code) -> dict[str, Any]:
    told = {"say": _prompt(step.prompt), "then": step.then, "digits": step.digits, "seconds": step.seconds}
    return _without(told, digits=4, seconds=4)


def _voicemail(step: Voicemail) -> dict[str, Any]:
    told = {"say": _prompt(step.prompt), "most_seconds": step.most_seconds, "mail": list(step.mail)}
    return _without(told, most_seconds=120, mail=[])


_KINDS: dict[type[Step], tuple[str, Callable[[Any], dict[str, Any]]]] = {
    Hours: ("hours", _hours),
    Ring: ("ring", _ring),
    Last: ("last", lambda it: _without({"seconds": it.seconds, "then": it.then}, seconds=20)),
    Responsible: ("responsible", lambda it: _without({"seconds": it.seconds, "then": it.then}, seconds=20)),
    Say: ("say", lambda it: {"say": _prompt(it.prompt), "then": it.then}),
    Menu: ("menu", _menu),
    Code: ("code", _code),
    Branch: ("branch", lambda it: {"by": str(it.by), "cases": dict(it.cases), "then": it.then}),
    Voicemail: ("voicemail", _voicemail),
    Consent: (
        "consent",
        lambda it: _without({"say": _prompt(it.prompt), "then": it.then, "refuse": it.refuse}, refuse=None),
    ),
    Other: ("plan", lambda it: {"plan": it.plan}),
    Hangup: ("hangup", lambda it: {"cause": str(it.cause)}),
}


def _without(told: dict[str, Any], **usual: Any) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in usual or value != usual[name]}


def _prompt(prompt: Prompt) -> str | dict[str, str]:
    if prompt.words is not None and prompt.language is None:
        return prompt.words
    given = {"sound": prompt.sound, "words": prompt.words, "language": prompt.language}
    return {name: value for name, value in given.items() if value is not None}


def _member(member: Member) -> str | dict[str, Any]:
    if (member.weight, member.most) == (1, 0):
        return f"{member.target}:{member.seconds}"
    told = {"target": member.target, "seconds": member.seconds, "weight": member.weight, "most": member.most}
    return _without(told, weight=1, most=0)


def _days(days: tuple[int, ...]) -> str:
    if len(days) > 2 and list(days) == list(range(days[0], days[-1] + 1)):
        return f"{DAYS[days[0]]}-{DAYS[days[-1]]}"
    return ", ".join(DAYS[day] for day in days)


def _spans(spans: tuple[Span, ...]) -> str:
    return ", ".join(f"{_clock(span.begin)}-{_clock(span.end)}" for span in spans)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _stretch(days: Sequence[SpecialDay]) -> str:
    return _day(days[0]) if len(days) == 1 else f"{_day(days[0])}..{_day(days[-1])}"


def _day(day: SpecialDay) -> str:
    return (f"{day.year}-" if day.year else "") + f"{day.month:02}-{day.day:02}"
