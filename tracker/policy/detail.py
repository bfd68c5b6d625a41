"""How a fact about a call is kept: a kind and plain JSON, and a digest that tells the same fact twice."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

from tracker.policy.facts import (
    Answered,
    Direction,
    Doing,
    Ended,
    Fact,
    Guarded,
    GuardGround,
    GuardStep,
    HungUpBy,
    Interrupted,
    JudgedByPhone,
    LegEnded,
    Outcome,
    Passed,
    Presentation,
    Reported,
    SpamSaid,
    Started,
    Taped,
    Treatment,
)
from tracker.policy.taping import Taping
from tracker.policy.worth import Category

KINDS: dict[str, type[Fact]] = {
    "started": Started,
    "leg_ended": LegEnded,
    "answered": Answered,
    "ended": Ended,
    "judged_by_phone": JudgedByPhone,
    "passed": Passed,
    "taped": Taped,
    "guarded": Guarded,
    "spam_said": SpamSaid,
    "interrupted": Interrupted,
    "reported": Reported,
}
_KIND_OF = {kind: word for word, kind in KINDS.items()}
_FIELDS = {kind: tuple(each.name for each in fields(kind) if each.name != "call") for kind in _KIND_OF}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LONGEST = {
    "node": 40, "uniqueid": 64, "linkedid": 64, "status": 20, "caller_name": 200, "employee": 100,
    "recording_url": 500, "actor": 200,
}  # fmt: skip


def printable(text: str, longest: int = 80) -> str:
    """The text without control characters or half characters, cut to what its column holds."""
    return _CONTROL.sub("", text)[:longest].strip()


def tidy(fact: Fact) -> Fact:
    """The fact as it may be kept: printable, in UTC, and silent about a caller who withheld the number."""
    values: dict[str, Any] = {}
    for name in _FIELDS[type(fact)]:
        value = getattr(fact, name)
        if type(value) is str:  # no word of an enumeration
            values[name] = printable(value, _LONGEST.get(name, 80))
        elif isinstance(value, datetime):
            values[name] = value.astimezone(UTC)
    if isinstance(fact, Started | Reported) and fact.presentation is not Presentation.ALLOWED:
        values |= {"caller": "", "caller_name": ""}
    return replace(fact, **values)


def kind_of(fact: Fact) -> str:
    """The word under which the fact is kept."""
    return _KIND_OF[type(fact)]


def as_detail(fact: Fact) -> dict[str, Any]:
    """The fact as plain JSON, without the call it belongs to."""
    detail = {name: _plain(getattr(fact, name)) for name in _FIELDS[type(fact)]}
    # What most calls have not is unsaid, so that old facts keep their digests.
    if isinstance(fact, Started):
        unsaid = {"direction": Direction.IN, "target_id": None}
        detail = {name: value for name, value in detail.items() if value != unsaid.get(name, ...)}
    return detail


def from_detail(kind: str, call: str, detail: dict[str, Any]) -> Fact:
    """The fact that `as_detail` wrote."""
    values = dict(detail)
    for name in ("at", "dialled_at", "rang_at", "answered_at", "ended_at"):
        if values.get(name) is not None:
            values[name] = datetime.fromisoformat(values[name])
    if kind in {"started", "reported"}:
        values["presentation"] = Presentation(values["presentation"])
        values["direction"] = Direction(values.get("direction", Direction.IN))
    if kind == "reported":
        values["outcome"] = Outcome(values["outcome"])
    if kind == "ended" and values["hung_up_by"] is not None:
        values["hung_up_by"] = HungUpBy(values["hung_up_by"])
    elif kind == "judged_by_phone" and values["category"] is not None:
        values["category"] = Category(values["category"])
    elif kind == "passed":
        values["doing"] = Doing(values["doing"])
    elif kind == "taped":
        values["what"] = Taping(values["what"])
    elif kind == "guarded":
        values["step"], values["ground"] = GuardStep(values["step"]), GuardGround(values["ground"])
        values["treatment"] = Treatment(values["treatment"])
    return KINDS[kind](call=call, **values)


def digest(kind: str, detail: dict[str, Any]) -> str:
    """32 hex digits, the same for the same fact."""
    text = json.dumps([kind, detail], sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    return str(value) if isinstance(value, str) else value
