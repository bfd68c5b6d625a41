"""The tables under the books: one statement for each way they are read and written.

Statements are built once: for a handful of calls, putting one together takes longer than running it. All of
them go by whole batches.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.call_words import TO_BE_RECORDED
from tracker.models import (
    Call,
    CallEvent,
    Number,
    Recording,
    RecordingState,
    Refusal,
    Target,
    Trunk,
    WaitingFact,
)
from tracker.once import insert, insert_once
from tracker.policy.books import Sound
from tracker.policy.detail import as_detail, from_detail, kind_of, printable
from tracker.policy.facts import Fact, Outcome, Refused

Facts = dict[str, Fact]  # by digest
Columns = dict[str, Any]


@dataclass
class Page:
    """A call as the books have it, and every fact known about it."""

    id: int
    started_at: datetime
    caller: str | None
    outcome: Outcome | None
    seen_by_agi: bool
    facts: Facts = field(default_factory=dict)


def _keys(name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(name, expanding=True)


_CALLS = sa.select(Call.id, Call.key, Call.started_at, Call.caller, Call.outcome, Call.seen_by_agi).where(
    Call.key.in_(_keys("keys"))
)
_CALLS_LOCKED = _CALLS.order_by(Call.id).with_for_update()
_EVENTS = sa.select(CallEvent.call_id, CallEvent.kind, CallEvent.detail, CallEvent.digest).where(
    CallEvent.call_id.in_(_keys("calls"))
)
_WAITING = sa.select(WaitingFact.key, WaitingFact.kind, WaitingFact.detail, WaitingFact.digest).where(
    WaitingFact.key.in_(_keys("keys"))
)
_FORGET_WAITING = sa.delete(WaitingFact).where(WaitingFact.key.in_(_keys("keys")))
_ADOPTABLE = sa.select(WaitingFact.key).join(Call, Call.key == WaitingFact.key).distinct()
_REFUSED = sa.select(Refusal.key).where(Refusal.key.in_(_keys("keys")))
_RECORDED = (
    sa.select(Call.id)
    .join(Number, Number.id == Call.number_id)
    .where(TO_BE_RECORDED, Call.id.in_(_keys("calls")))
)
_THERE = {
    "trunk_id": sa.select(Trunk.id).where(Trunk.id.in_(_keys("ids"))),
    "target_id": sa.select(Target.id).where(Target.id.in_(_keys("ids"))),
}


def load(session: Session, keys: Collection[str], *, lock: bool = True) -> dict[str, Page]:
    """The calls of these keys with their facts, locked until the transaction ends unless told not to."""
    if not keys:
        return {}
    connection = session.connection()
    found = connection.execute(_CALLS_LOCKED if lock else _CALLS, {"keys": list(keys)}).all()
    keys_by_id = {row.id: row.key for row in found}
    pages = {row.key: Page(row.id, row.started_at, row.caller, row.outcome, row.seen_by_agi) for row in found}
    if pages:
        for row in connection.execute(_EVENTS, {"calls": list(keys_by_id)}):
            key = keys_by_id[row.call_id]
            pages[key].facts[row.digest] = from_detail(row.kind, key, row.detail)
    return pages


def open_calls(session: Session, rows: Sequence[Columns]) -> dict[str, int]:
    """Inserts these calls; gives the ids of those that nobody else opened first."""
    forget_unknown(session, rows, "trunk_id")
    forget_unknown(session, rows, "target_id")
    # Always in the same order, so that two writers of the same calls cannot wait for each other.
    ordered = sorted(rows, key=lambda row: str(row["key"]))
    return {row.key: row.id for row in insert_once(session, Call, ordered, ("key",), ("key", "id"))}


def store_progress(session: Session, progress: Mapping[int, Columns]) -> None:
    """Writes what has become of calls; the same columns for all of them."""
    rows = list(progress.values())
    if not rows:
        return
    forget_unknown(session, rows, "target_id")
    values = [
        {"call": call_id} | {f"new_{name}": value for name, value in row.items()}
        for call_id, row in progress.items()
    ]
    session.connection().execute(_update(tuple(rows[0])), values)


def store_origin(session: Session, call_id: int, row: Columns) -> None:
    """Writes a start that another witness knew better."""
    forget_unknown(session, [row], "trunk_id")
    session.execute(sa.update(Call).where(Call.id == call_id).values(**row))


def keep(session: Session, facts: Mapping[int, Facts]) -> None:
    """Adds facts to the events of calls; those that are there stay as they are."""
    rows = [
        {
            "call_id": call_id,
            "kind": kind_of(fact),
            "at": fact.at,
            "position": getattr(fact, "position", 0),
            "detail": as_detail(fact),
            "digest": name,
        }
        for call_id, page in facts.items()
        for name, fact in page.items()
    ]
    insert_once(session, CallEvent, rows, ("call_id", "digest"))


def expect_recordings(session: Session, ended: Mapping[int, Sound]) -> None:
    """Calls that have just ended get their recording: to be finished when there was something to record."""
    if not ended:
        return
    connection = session.connection()
    talks = [call_id for call_id, sound in ended.items() if sound is Sound.TALK]
    recorded = set(connection.scalars(_RECORDED, {"calls": talks})) if talks else set()
    wanted = recorded | {call_id for call_id, sound in ended.items() if sound is Sound.MESSAGE}
    states = {True: RecordingState.PENDING, False: RecordingState.NONE}
    rows = [{"call_id": call_id, "state": states[call_id in wanted], "copies": []} for call_id in ended]
    # An answer that was learned after the end: what was "none" is looked for after all.
    statement = insert(session, Recording)
    statement = statement.on_conflict_do_update(
        index_elements=["call_id"],
        set_={"state": statement.excluded.state},
        where=Recording.state == RecordingState.NONE,
    )
    connection.execute(statement, rows)


def waiting(session: Session, keys: Collection[str]) -> dict[str, Facts]:
    """The facts that wait for the starts of these calls."""
    found: dict[str, Facts] = defaultdict(dict)
    if keys:
        for row in session.connection().execute(_WAITING, {"keys": list(keys)}):
            found[row.key][row.digest] = from_detail(row.kind, row.key, row.detail)
    return dict(found)


def wait(session: Session, pages: Mapping[str, Facts]) -> int:
    """Lets these facts wait; gives how many were new."""
    rows = [
        {"key": key, "kind": kind_of(fact), "at": fact.at, "detail": as_detail(fact), "digest": name}
        for key, page in pages.items()
        for name, fact in page.items()
    ]
    return len(insert_once(session, WaitingFact, rows, ("key", "digest")))


def forget_waiting(session: Session, keys: Collection[str]) -> None:
    """Their calls are there: these facts wait no longer."""
    if keys:
        session.connection().execute(_FORGET_WAITING, {"keys": list(keys)})


def adoptable(session: Session) -> list[str]:
    """The calls that have facts waiting although they are in the books."""
    return list(session.connection().scalars(_ADOPTABLE))


def refused_keys(session: Session, keys: Collection[str]) -> set[str]:
    """Those of the keys that were refused."""
    return set(session.connection().scalars(_REFUSED, {"keys": list(keys)})) if keys else set()


def refuse(session: Session, refused: Sequence[Refused]) -> int:
    """Notes calls that were turned away; gives how many were new."""
    rows: list[Columns] = [
        {
            "key": each.call,
            "at": each.at,
            "node": each.node,
            "trunk_id": each.trunk_id,
            "did": printable(each.did),
            "caller": printable(each.caller, 40) or None,
            "reason": printable(each.reason, 40),
            "target_id": each.target_id,
        }
        for each in refused
    ]
    forget_unknown(session, rows, "trunk_id")
    forget_unknown(session, rows, "target_id")
    return len(insert_once(session, Refusal, rows, ("key",)))


def forget_unknown(session: Session, rows: Sequence[Columns], name: str) -> None:
    """A target or trunk that was removed meanwhile, or a damaged id, must not keep a call out."""
    named = {row[name] for row in rows if row[name] is not None}
    if not named:
        return
    there = set(session.connection().scalars(_THERE[name], {"ids": list(named)}))
    for row in rows:
        if row[name] not in there:
            row[name] = None


@cache
def _update(names: tuple[str, ...]) -> sa.Update:
    values = {name: sa.bindparam(f"new_{name}", type_=getattr(Call, name).type) for name in names}
    return sa.update(Call).where(Call.id == sa.bindparam("call")).values(**values)
