"""The spool as the dialplan writes it: facts as lines, lines appended to the file of their hour."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tracker.policy.facts import (
    Answered,
    Ended,
    Fact,
    HungUpBy,
    LegEnded,
    Presentation,
    Refused,
    Started,
)

_PRESENTATION = {
    Presentation.ALLOWED: "allowed_not_screened",
    Presentation.WITHHELD: "prohib_not_screened",
    Presentation.UNAVAILABLE: "unavailable",
}
_CHANNEL = {HungUpBy.CALLER: "PJSIP/trunk-1-00000001", HungUpBy.COMPANY: "PJSIP/target-1-00000002"}


def spool_line(fact: Fact | Refused) -> bytes:
    """One line, with its end."""
    values = {"call": fact.call, "node": fact.node} | _values(fact) | {"t": _epoch(fact.at)}
    return json.dumps(values, separators=(",", ":")).encode() + b"\n"


def append(folder: Path, at: datetime, *facts: Fact | Refused) -> Path:
    """Writes the facts into the file of that hour; gives the file."""
    file = folder / f"calls-{at:%Y%m%d%H}.jsonl"
    folder.mkdir(parents=True, exist_ok=True)
    with file.open("ab") as opened:
        opened.write(b"".join(map(spool_line, facts)))
    return file


def _values(fact: Fact | Refused) -> dict[str, Any]:
    match fact:
        case Started():
            return {
                "e": "start", "uid": fact.uniqueid, "lid": fact.linkedid, "trunk": _trunk(fact.trunk_id),
                "did": fact.did, "dialled": fact.dialled, "cli": fact.caller,
                "pres": _PRESENTATION[fact.presentation], "name": quote(fact.caller_name),
            }  # fmt: skip
        case Refused():
            return {"e": "refused", "trunk": _trunk(fact.trunk_id), "did": fact.did, "cli": fact.caller,
                    "why": fact.reason}  # fmt: skip
        case LegEnded():
            return {"e": "leg", "st": fact.status, "hc": _text(fact.cause)} | _leg(fact, fact.dialled_at)
        case Answered():
            return {"e": "answer"} | _leg(fact, fact.rang_at)
        case Ended():
            return {
                "e": "end", "st": fact.status, "hc": _text(fact.cause), "ok": "1" if fact.seen_by_agi else "",
                "by": _CHANNEL.get(fact.hung_up_by, "") if fact.hung_up_by else "",
            } | _ring(fact.rang_at, fact.rang_at)  # fmt: skip
    raise TypeError(f"{fact!r} is in no spool")


def _leg(fact: LegEnded | Answered, dialled_at: datetime | None) -> dict[str, Any]:
    return {"n": str(fact.position), "target": str(fact.target_id)} | _ring(dialled_at, fact.rang_at)


def _ring(dialled_at: datetime | None, rang_at: datetime | None) -> dict[str, Any]:
    if dialled_at is None or rang_at is None:
        return {"t0": _epoch(dialled_at) if dialled_at else "", "ring": ""}
    return {"t0": _epoch(dialled_at), "ring": str(round((rang_at - dialled_at).total_seconds() * 1000))}


def _trunk(trunk_id: int | None) -> str:
    return f"trunk-{trunk_id}" if trunk_id else ""


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


def _epoch(at: datetime) -> float:
    return round(at.timestamp(), 3)
