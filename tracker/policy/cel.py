"""Asterisk's own record of channels (CEL), read as the witness that survives everything.

The columns are those of asterisk/templates/cel_custom.conf.j2: type, time, uniqueid, linkedid, accountcode
(our call id), channel, context, exten, caller, extra.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tracker.policy.books import UNKNOWN_TARGET
from tracker.policy.detail import printable
from tracker.policy.facts import Answered, Direction, Ended, Presentation, Started
from tracker.policy.spool import BadLine, instant, party

_COLUMNS = 10
_CALL = re.compile(r"[0-9A-Za-z._-]{1,40}")
_CALLERS_CHANNEL = re.compile(r"PJSIP/trunk-([0-9]{1,9})-[0-9a-f]+")
_TARGETS_CHANNEL = re.compile(r"PJSIP/target-([0-9]{1,9})-[0-9a-f]+")


@dataclass(frozen=True)
class CelRow:
    """One event of one channel."""

    kind: str
    at: datetime
    uniqueid: str
    linkedid: str
    call: str  # "" before the dialplan has minted it, and on channels that are no call of ours
    channel: str
    exten: str
    caller: str
    extra: str

    @property
    def is_callers(self) -> bool:
        """Whether it is about the channel that began it all: the caller's."""
        return self.uniqueid == self.linkedid


@dataclass(frozen=True)
class Rebuilt:
    """A call as CEL saw it. `dialled` is what the carrier sent; which number that is, the books know."""

    dialled: str
    started: Started
    answered: Answered | None
    ended: Ended | None


def parse_row(line: bytes) -> CelRow:
    """The event in one line of the CSV. Raises BadLine."""
    try:
        values = next(csv.reader([line.decode("utf-8", "replace").strip("\0\r\n")], strict=True))
    except (csv.Error, StopIteration) as error:
        raise BadLine(f"not CSV: {printable(str(error), 100)}") from None
    if len(values) != _COLUMNS:
        raise BadLine(f"{len(values)} columns instead of {_COLUMNS}")
    kind, time, uniqueid, linkedid, call, channel, _context, exten, caller, extra = values
    if not re.fullmatch(r"[A-Z_]{1,40}", kind):
        raise BadLine(f"type is {printable(repr(kind), 60)}")
    return CelRow(
        kind=kind,
        at=instant(time, "time"),
        uniqueid=printable(uniqueid, 64),
        linkedid=printable(linkedid, 64),
        call=call if _CALL.fullmatch(call) else "",
        channel=printable(channel, 120),
        exten=printable(exten, 80),
        caller=printable(caller, 80),
        extra=extra,
    )


def ends_a_call(row: CelRow) -> bool:
    """Whether this is the end of the caller's channel, of a call that has our id."""
    return row.kind == "HANGUP" and row.is_callers and bool(row.call)


def rebuild(call: str, node: str, rows: Sequence[CelRow]) -> Rebuilt | None:
    """The call in the rows of one linkedid; None when its beginning is not among them.

    CEL does not know whether the caller withholds the number, so the number is not taken from it.
    """
    events = sorted(rows, key=lambda row: row.at)
    first = next((row for row in events if row.is_callers and row.kind == "CHAN_START"), None)
    if first is None:
        return None
    if target := _TARGETS_CHANNEL.fullmatch(first.channel):
        return _went_out(call, node, events, first, int(target[1]))
    trunk = _CALLERS_CHANNEL.fullmatch(first.channel)
    if trunk is None:
        return None
    dialled = re.sub(r"[^0-9+]", "", first.exten)
    started = Started(
        call=call,
        node=node,
        at=first.at,
        uniqueid=first.uniqueid,
        linkedid=first.linkedid,
        trunk_id=int(trunk[1]),
        did=dialled,
        dialled="",
        caller="",
        presentation=Presentation.UNAVAILABLE,
        caller_name="",
    )
    return Rebuilt(dialled, started, _answer(call, node, events), _end(call, node, events))


def _went_out(
    call: str, node: str, events: Sequence[CelRow], first: CelRow, target_id: int
) -> Rebuilt | None:
    """A phone of ours called: it dialled the person, and at its end it showed our number."""
    shown = re.sub(r"[^0-9+]", "", next((row.caller for row in reversed(events) if row.is_callers), ""))
    wanted = re.sub(r"[^0-9+]", "", first.exten)
    started = Started(
        call=call,
        node=node,
        at=first.at,
        uniqueid=first.uniqueid,
        linkedid=first.linkedid,
        trunk_id=None,
        did=shown,
        dialled="",
        caller=wanted,
        presentation=Presentation.ALLOWED,
        caller_name="",
        direction=Direction.OUT,
        target_id=target_id,
    )
    answered = _answer(call, node, events)
    if answered is not None:
        answered = replace(answered, target_id=target_id)
    # Whoever was called may talk on, in a call of another linkedid, when the phone that called is gone.
    return Rebuilt(shown, started, answered, None if _talks_on(call, events) else _end(call, node, events))


def _talks_on(call: str, events: Sequence[CelRow]) -> bool:
    of_call = [row for row in events if row.call == call and not row.is_callers]
    gone = {row.uniqueid for row in of_call if row.kind == "HANGUP"}
    return any(row.kind == "BRIDGE_ENTER" and row.uniqueid not in gone for row in of_call)


def _answer(call: str, node: str, events: Sequence[CelRow]) -> Answered | None:
    """The caller is connected; who to is the target that answered last before."""
    talk = next((row for row in events if row.is_callers and row.kind == "BRIDGE_ENTER"), None)
    if talk is None:
        return None
    took = [
        found
        for row in events
        if row.kind == "ANSWER" and row.at <= talk.at and (found := _TARGETS_CHANNEL.fullmatch(row.channel))
    ]
    target_id = int(took[-1][1]) if took else UNKNOWN_TARGET
    return Answered(call=call, node=node, at=talk.at, position=0, target_id=target_id, rang_at=None)


def _end(call: str, node: str, events: Sequence[CelRow]) -> Ended | None:
    last = next((row for row in reversed(events) if ends_a_call(row) and row.call == call), None)
    if last is None:
        return None
    extra = _extra(last.extra)
    cause = extra.get("hangupcause")
    status = str(extra.get("dialstatus") or "")
    return Ended(
        call=call,
        node=node,
        at=last.at,
        status=status if re.fullmatch(r"[A-Z]{0,20}", status) else "",
        cause=cause if isinstance(cause, int) and 0 <= cause <= 999 else None,
        hung_up_by=party(printable(str(extra.get("hangupsource") or "")), last.channel),
        rang_at=None,
        seen_by_agi=False,
    )


def _extra(text: str) -> dict[str, object]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
