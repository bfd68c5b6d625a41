"""Trials of a plan as people write them: when the call comes, and what everybody does.

read_script({"at": "2026-12-01 09:30", "targets": {"reception": ["busy:2", "answers:3"]},
             "keys": ["1"], "known": {"source": "google"}})
way(trial)       # a line an event: "sales: rings reception"
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tracker.errors import Rejected
from tracker.policy.plan import By, Plan
from tracker.policy.plan_trial import Answer, Event, Reaction, Script, Trial, tried

_WORDS = frozenset(
    (
        *("at", "targets", "keys", "gives_up", "known", "last", "responsible", "visitor", "turn", "chance"),
        *("taken", "listens"),
    )
)
_LONGEST_SECONDS = 86_400
_YEARS = range(2000, 2200)
_LINE = re.compile(r"(.+?)/([a-z][a-z0-9-]*): (.*)", re.DOTALL)  # the plan, its step, what happened


@dataclass(frozen=True)
class Case:
    """A call that comes in when the company's clocks show `at`."""

    at: datetime  # without a zone: as the company's clocks show it
    script: Script


def read_case(told: object) -> Case:
    """What a trial is told. Raises Rejected plan.script, naming what is wrong and what is meant."""
    if not isinstance(told, Mapping) or not told.keys() <= _WORDS:
        raise Rejected(
            "plan.script", "This is no trial of a call", "Give some of: %(words)s", words=sorted(_WORDS)
        )
    given = dict(told)
    return Case(_at(given.get("at")), _script(given))


def _script(given: Mapping[str, Any]) -> Script:
    targets = given.get("targets") or {}
    known = given.get("known", {})
    if not isinstance(targets, Mapping) or not (known is None or isinstance(known, Mapping)):
        raise Rejected("plan.script", "targets and known are lists of words and values", "Give them as such")
    return Script(
        targets={str(name): _reactions(told) for name, told in targets.items()},
        keys=tuple(str(key) for key in _several(given.get("keys"))),
        gives_up=None if given.get("gives_up") is None else _number(given, "gives_up", 0.0),
        known=None if known is None else {_by(word): str(value) for word, value in known.items()},
        turn=int(_number(given, "turn", 0)),
        chance=min(_number(given, "chance", 0.0), 0.999999),
        taken={str(name): int(count) for name, count in (given.get("taken") or {}).items()},
        last=None if given.get("last") is None else str(given["last"]),
        responsible=None if given.get("responsible") is None else str(given["responsible"]),
        visitor=bool(given.get("visitor", False)),
        listens=_number(given, "listens", 0.0),
    )


def _several(told: object) -> Sequence[object]:
    if told is None:
        return ()
    return list(told) if isinstance(told, Sequence) and not isinstance(told, str) else [told]


def _at(told: object) -> datetime:
    """ "2026-12-01 09:30", or with a T between."""
    try:
        at = told if isinstance(told, datetime) else datetime.fromisoformat(str(told))
        if at.year not in _YEARS:
            raise ValueError(at)
    except ValueError:
        raise Rejected(
            "plan.script", "at is %(told)r", "Give the day and time as 2026-12-01 09:30", told=str(told)[:40]
        ) from None
    return at.replace(tzinfo=None)


def _reactions(told: object) -> tuple[Reaction, ...]:
    """ "busy", "answers:3", or several of them for one call after the other."""
    return tuple(_reaction(str(each)) for each in _several(told))


def _reaction(told: str) -> Reaction:
    word, _, seconds = told.partition(":")
    if word.strip() not in list(Answer) or not _is_seconds(seconds or "0"):
        raise Rejected(
            "plan.script",
            "%(told)r is nothing a target does",
            "Give one of %(words)s, with seconds after a colon",
            told=told[:40],
            words=[str(each) for each in Answer],
        )
    return Reaction(Answer(word.strip()), float(seconds or 0))


def _is_seconds(text: str) -> bool:
    try:
        return 0 <= float(text) <= _LONGEST_SECONDS
    except ValueError:
        return False


def _number(given: Mapping[str, Any], name: str, usual: float) -> float:
    told = given.get(name, usual)
    if isinstance(told, bool) or not _is_seconds(str(told)):
        raise Rejected("plan.script", "%(name)s is %(told)r", "Give a number", name=name, told=str(told)[:40])
    return float(told)


def _by(word: object) -> By:
    if word not in list(By):
        raise Rejected(
            "plan.script",
            "%(word)r is nothing that is known of a call",
            "Give one of %(words)s",
            word=str(word)[:40],
            words=[str(each) for each in By],
        )
    return By(str(word))


def case_document(case: Case) -> dict[str, Any]:
    """The document of that trial: read_case reads it back."""
    script = case.script
    told: dict[str, Any] = {
        "at": case.at.isoformat(" ", "minutes"),
        "targets": {
            name: [f"{it.answer}:{it.seconds:g}" for it in reactions]
            for name, reactions in script.targets.items()
        },
        "keys": list(script.keys),
        "gives_up": script.gives_up,
        "known": None if script.known is None else {str(by): word for by, word in script.known.items()},
        "turn": script.turn,
        "chance": script.chance,
        "taken": dict(script.taken),
        "last": script.last,
        "responsible": script.responsible,
        "visitor": script.visitor,
        "listens": script.listens,
    }
    usual = {**told, "targets": {}, "keys": [], "gives_up": None, "known": {}, "turn": 0, "chance": 0.0}
    usual |= {"taken": {}, "last": None, "responsible": None, "visitor": False, "listens": 0.0, "at": None}
    return {word: value for word, value in told.items() if value != usual[word]}


def try_case(plans: Mapping[str, Plan], name: str, case: Case, zone: ZoneInfo) -> Trial:
    """What happens then, by the company's clocks."""
    return tried(plans, name, case.at.replace(tzinfo=zone), zone, case.script)


def way(trial: Trial) -> list[str]:
    """The way of a call, a line an event, without times: a plan that rings longer is the same way."""
    return [told(event) for event in trial.events]


def told(event: Event) -> str:
    """ "office/sales: rings reception"."""
    return f"{event.plan}/{event.place}: {event.what}" + (f" {event.about}" if event.about else "")


def renamed(lines: Iterable[str], before: tuple[str, str], after: tuple[str, str]) -> list[str]:
    """A way in which a plan ("office", "") or one of its steps has another name now."""
    found = []
    for line in lines:
        told = _LINE.fullmatch(line)
        is_meant = told is not None and told[1] == before[0] and before[1] in {"", told[2]}
        found.append(f"{after[0]}/{after[1] or told[2]}: {told[3]}" if told and is_meant else line)
    return found


def named(script: Script) -> list[str]:
    """The targets of which the script says something, each once."""
    one = [each for each in (script.last, script.responsible) if each is not None]
    return list(dict.fromkeys([*script.targets, *script.taken, *one]))


def same_way(expected: Iterable[str], trial: Trial) -> bool:
    return list(expected) == way(trial)
