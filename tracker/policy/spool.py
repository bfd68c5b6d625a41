"""The lines of the dialplan's spool: one JSON object each, read strictly.

Whatever stands in a line, reading it gives a fact or BadLine, never another exception and never half a fact.
Values may be strings or numbers; "" and null mean that Asterisk had nothing to say.
"""

from __future__ import annotations

import enum
import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn, TypeVar
from urllib.parse import unquote

from tracker.policy.detail import printable
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
    JudgedByPhone,
    LegEnded,
    Passed,
    Presentation,
    Refused,
    Started,
    Taped,
    Treatment,
)
from tracker.policy.taping import Taping
from tracker.policy.worth import CODED, Category

LONGEST_LINE = 16_384
Word = TypeVar("Word", bound=enum.StrEnum)
_EARLIEST = datetime(2020, 1, 1, tzinfo=UTC).timestamp()
_LATEST = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
_LARGEST_ID = 2**31 - 1
_DAY_MILLISECONDS = 86_400_000
_CALL = re.compile(r"[0-9A-Za-z._-]{1,40}")
_NODE = re.compile(r"[0-9a-z-]{1,40}")
_TRUNK = re.compile(r"(?:PJSIP/)?trunk-([0-9]{1,9})(?:-.*)?")
_PLAN = re.compile(r"[1-9][0-9]{0,8}-[1-9][0-9]{0,8}")
_STEP = re.compile(r"[a-z][a-z0-9-]{0,29}")
_STATUS = re.compile(r"[A-Z]{0,20}")


class BadLine(Exception):
    """A line that cannot be understood; `problem` says why in one sentence."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def parse_line(line: bytes) -> Fact | Refused:
    """The fact in one line of the spool. Raises BadLine."""
    values = _values(line)
    kind = values.get("e")
    read = _KINDS.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise BadLine(f"e is {_shown(kind)}: none of {', '.join(_KINDS)}")
    return read(values)


def presentation_of(text: str) -> Presentation:
    """Asterisk's CALLERID(num-pres) in our words."""
    if text.startswith("allowed"):
        return Presentation.ALLOWED
    return Presentation.WITHHELD if text.startswith("prohib") else Presentation.UNAVAILABLE


def instant(text: str, name: str) -> datetime:
    """Epoch seconds, to the microsecond. Raises BadLine outside 2020 to 2100: no clock is that wrong."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not _EARLIEST <= seconds < _LATEST:  # false for NaN too
        raise BadLine(f"{name} is {_shown(text)}: no instant between 2020 and 2100")
    return datetime.fromtimestamp(seconds, UTC)


def party(channel: str, callers_channel: str = "") -> HungUpBy | None:
    """Which side a channel name belongs to. None when Asterisk names none.

    An outside target is dialled over a trunk too: only the name of the caller's own channel tells them apart.
    """
    if not channel:
        return None
    if not channel.startswith("PJSIP/"):
        return HungUpBy.SYSTEM
    if callers_channel:
        return HungUpBy.CALLER if channel == callers_channel else HungUpBy.COMPANY
    if _TRUNK.fullmatch(channel):
        return HungUpBy.CALLER
    return HungUpBy.COMPANY


def _values(line: bytes) -> dict[str, Any]:
    if len(line) > LONGEST_LINE:
        raise BadLine(f"the line has {len(line)} bytes, more than {LONGEST_LINE}")
    try:
        # A power cut leaves zeros where the end of the file was; what comes after them is sound.
        values = json.loads(line.strip(b"\0\r\n\t ").decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadLine(f"not JSON: {printable(str(error), 200)}") from None
    if not isinstance(values, dict):
        raise BadLine("not a JSON object")
    return values


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no value")


def _shown(value: object) -> str:
    return printable(repr(value), 60)


def _text(values: dict[str, Any], name: str, longest: int = 200) -> str:
    """The value as printable text, "" when there is none."""
    value = values.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadLine(f"{name} is {_shown(value)}: neither text nor a number")
    try:
        return printable(str(value), longest)
    except ValueError:  # a whole number of more digits than Python writes out
        raise BadLine(f"{name} is a number without end") from None


def _matching(values: dict[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    text = _text(values, name)
    if not pattern.fullmatch(text):
        raise BadLine(f"{name} is {_shown(values.get(name))}")
    return text


def _whole(values: dict[str, Any], name: str, smallest: int, largest: int) -> int:
    text = _text(values, name)
    if not re.fullmatch(r"[0-9]{1,10}", text, re.ASCII) or not smallest <= int(text) <= largest:
        raise BadLine(f"{name} is {_shown(values.get(name))}: no whole number from {smallest} to {largest}")
    return int(text)


def _digits(values: dict[str, Any], name: str, longest: int = 80) -> str:
    return re.sub(r"[^0-9+*#]", "", _text(values, name, 1000))[:longest]


def _rang_at(values: dict[str, Any], until: datetime) -> datetime | None:
    """When the target began to ring; never after the event itself, whatever a clock did in between."""
    if not _text(values, "ring") or not _text(values, "t0"):
        return None
    waited = _whole(values, "ring", 0, _DAY_MILLISECONDS)
    return min(until, instant(_text(values, "t0"), "t0") + timedelta(milliseconds=waited))


def _cause(values: dict[str, Any]) -> int | None:
    return _whole(values, "hc", 0, 999) if _text(values, "hc") else None


def _trunk_id(values: dict[str, Any]) -> int | None:
    found = _TRUNK.fullmatch(_text(values, "trunk"))
    return int(found[1]) if found else None


def _common(values: dict[str, Any]) -> dict[str, Any]:
    return {
        "call": _matching(values, "call", _CALL),
        "node": _matching(values, "node", _NODE),
        "at": instant(_text(values, "t"), "t"),
    }


def _leg(values: dict[str, Any]) -> dict[str, Any]:
    return {
        "position": _whole(values, "n", 0, 1000),
        "target_id": _whole(values, "target", 1, _LARGEST_ID),
    }


def _started(values: dict[str, Any]) -> Started:
    presentation = presentation_of(_text(values, "pres"))
    shown = presentation is Presentation.ALLOWED
    did = _digits(values, "did")
    if not did:
        raise BadLine(f"did is {_shown(values.get('did'))}: no number")
    return Started(
        **_common(values),
        uniqueid=_text(values, "uid", 64),
        linkedid=_text(values, "lid", 64),
        trunk_id=_trunk_id(values),
        did=did,
        dialled=_digits(values, "dialled"),
        caller=_digits(values, "cli") if shown else "",
        presentation=presentation,
        caller_name=printable(unquote(_text(values, "name", 2000)), 200) if shown else "",
        direction=_direction(values),
        target_id=_target_id(values),
    )


def _direction(values: dict[str, Any]) -> Direction:
    """Lines without a word are of calls that came in."""
    word = _text(values, "dir") or Direction.IN
    if word not in set(Direction):
        raise BadLine(f"dir is {_shown(values.get('dir'))}: none of {', '.join(Direction)}")
    return Direction(word)


def _target_id(values: dict[str, Any]) -> int | None:
    return _whole(values, "target", 1, _LARGEST_ID) if _text(values, "target") else None


def _refused(values: dict[str, Any]) -> Refused:
    shown = presentation_of(_text(values, "pres") or "allowed") is Presentation.ALLOWED
    return Refused(
        **_common(values),
        trunk_id=_trunk_id(values),
        did=_text(values, "did", 80),
        caller=_digits(values, "cli", 40) if shown else "",
        reason=_text(values, "why", 40),
        target_id=_target_id(values),
    )


def _leg_ended(values: dict[str, Any]) -> LegEnded:
    common = _common(values)
    dialled_at = instant(_text(values, "t0"), "t0")
    return LegEnded(
        **common,
        **_leg(values),
        dialled_at=dialled_at,
        rang_at=_rang_at(values, common["at"]),
        status=_matching(values, "st", _STATUS),
        cause=_cause(values),
    )


def _answered(values: dict[str, Any]) -> Answered:
    common = _common(values)
    return Answered(**common, **_leg(values), rang_at=_rang_at(values, common["at"]))


def _ended(values: dict[str, Any]) -> Ended:
    common = _common(values)
    return Ended(
        **common,
        status=_matching(values, "st", _STATUS),
        cause=_cause(values),
        hung_up_by=party(_text(values, "by"), _text(values, "ch")),
        rang_at=_rang_at(values, common["at"]),
        seen_by_agi=_text(values, "ok") == "1",
    )


def _judged(values: dict[str, Any]) -> JudgedByPhone:
    word = _text(values, "worth")
    if word not in CODED:
        raise BadLine(f"worth is {_shown(values.get('worth'))}: none of {', '.join(CODED)}")
    category = None if word == "none" else Category(word)
    return JudgedByPhone(**_common(values), **_leg(values), category=category)


def _passed(values: dict[str, Any]) -> Passed:
    plan_id, _, version = _matching(values, "plan", _PLAN).partition("-")
    doing = _text(values, "what")
    if doing not in list(Doing):
        raise BadLine(f"what is {_shown(values.get('what'))}: none of {', '.join(Doing)}")
    return Passed(
        **_common(values),
        plan_id=int(plan_id),
        version=int(version),
        step=_matching(values, "step", _STEP),
        doing=Doing(doing),
        about=_text(values, "about", 40),
    )


def _taped(values: dict[str, Any]) -> Taped:
    word = _text(values, "what")
    if word not in set(Taping):
        raise BadLine(f"what is {_shown(values.get('what'))}: none of {', '.join(Taping)}")
    leg = _leg(values) if _text(values, "target") else {"position": 0, "target_id": 0}
    return Taped(**_common(values), **leg, what=Taping(word))


def _guarded(values: dict[str, Any]) -> Guarded:
    rule = _whole(values, "rule", 0, _LARGEST_ID) or None
    return Guarded(
        **_common(values),
        step=_one_of(GuardStep, values, "became"),
        ground=_one_of(GuardGround, values, "why"),
        rule_id=rule,
        treatment=_one_of(Treatment, values, "how"),
    )


def _one_of(kind: type[Word], values: dict[str, Any], name: str) -> Word:
    try:
        return kind(_text(values, name))
    except ValueError:
        raise BadLine(f"{name} is {_shown(values.get(name))}: none of {', '.join(kind)}") from None


_KINDS: dict[str, Callable[[dict[str, Any]], Fact | Refused]] = {
    "start": _started,
    "refused": _refused,
    "leg": _leg_ended,
    "answer": _answered,
    "judged": _judged,
    "step": _passed,
    "taped": _taped,
    "guard": _guarded,
    "end": _ended,
}
