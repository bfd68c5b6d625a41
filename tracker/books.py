"""The books: what the witnesses of a call say, merged into one row a call.

Every fact is kept in `call_events`; the call's row is the fold of its facts (tracker.policy.books). Facts
come from the AGI, the spool and CEL, in any order and any number of times. A fact whose call is not known yet
waits in `waiting_facts` until a start arrives: a call must belong to a company, and only its start names the
number.

Two processes may write the same call at the same moment: the insert gives way to the one that was first, and
a row is locked while its facts are added up again. A batch takes about eight statements, however long it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.attribution import Arrival, arrival
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
from tracker.policy.attribution import Seen, Visited
from tracker.policy.books import CallState, fold
from tracker.policy.detail import as_detail, digest, from_detail, kind_of, printable, tidy
from tracker.policy.facts import Fact, Outcome, Refused, Started
from tracker.policy.phone import normalise_caller
from tracker.repeats import Heard, mark_repeats

Pages = dict[str, dict[str, Fact]]  # call key -> digest -> fact


@dataclass
class _Page:
    """A call as the books have it, and every fact known about it."""

    id: int
    started_at: datetime
    caller: str | None
    outcome: Outcome | None
    facts: dict[str, Fact] = field(default_factory=dict)


def record(session: Session, fact: Fact | Refused) -> Call | None:
    """Merges one fact into the books; any order, any repetition. None while the call's start is not known."""
    record_all(session, [fact])
    found = sa.select(Call).where(Call.key == fact.call).execution_options(populate_existing=True)
    return session.scalars(found).one_or_none()


def record_all(session: Session, facts: Iterable[Fact | Refused]) -> int:
    """Merges facts into the books, in a write transaction; gives how many were new."""
    pages: Pages = defaultdict(dict)
    refused: list[Refused] = []
    for each in facts:
        if isinstance(each, Refused):
            refused.append(each)
        else:
            fact = tidy(each)
            pages[fact.call][_name(fact)] = fact
    new = _refuse(session, refused)
    if not pages:
        return new
    known = _load(session, pages.keys())
    new += _begin(session, {key: page for key, page in pages.items() if key not in known}, known)
    return new + _continue(session, {key: page for key, page in pages.items() if key in known}, known)


def unwritten(session: Session, facts: Iterable[Fact | Refused]) -> list[Fact | Refused]:
    """Those of the facts that the books do not hold; only looks."""
    given = [each if isinstance(each, Refused) else tidy(each) for each in facts]
    keys = {each.call for each in given}
    pages = {key: call.facts for key, call in _load(session, keys, lock=False).items()}
    pages |= _waiting(session, keys - pages.keys())
    refused = set(session.scalars(sa.select(Refusal.key).where(Refusal.key.in_(keys))))

    def is_known(each: Fact | Refused) -> bool:
        if isinstance(each, Refused | Started) and each.call in refused:
            return True
        return not isinstance(each, Refused) and _name(each) in pages.get(each.call, {})

    return [each for each in given if not is_known(each)]


def adopt_waiting(session: Session) -> int:
    """Gives waiting facts to their call when another process opened it in between; gives how many."""
    keys = list(
        session.scalars(sa.select(WaitingFact.key).join(Call, Call.key == WaitingFact.key).distinct())
    )
    if not keys:
        return 0
    waiting = _waiting(session, keys)
    session.execute(sa.delete(WaitingFact).where(WaitingFact.key.in_(keys)))
    return record_all(session, [fact for page in waiting.values() for fact in page.values()])


def _name(fact: Fact) -> str:
    return digest(kind_of(fact), as_detail(fact))


def _load(session: Session, keys: Collection[str], *, lock: bool = True) -> dict[str, _Page]:
    """The calls of these keys with their facts, locked until the end of the transaction."""
    calls = sa.select(Call.id, Call.key, Call.started_at, Call.caller, Call.outcome).where(Call.key.in_(keys))
    found = session.execute(calls.order_by(Call.id).with_for_update() if lock else calls).all()
    keys_by_id = {row.id: row.key for row in found}
    known = {row.key: _Page(row.id, row.started_at, row.caller, row.outcome) for row in found}
    if known:
        events = sa.select(CallEvent.call_id, CallEvent.kind, CallEvent.detail, CallEvent.digest)
        for row in session.execute(events.where(CallEvent.call_id.in_(keys_by_id))):
            key = keys_by_id[row.call_id]
            known[key].facts[row.digest] = from_detail(row.kind, key, row.detail)
    return known


def _begin(session: Session, pages: Pages, known: dict[str, _Page]) -> int:
    """Opens the calls whose start is among the facts; the facts of others wait.

    Adds to `known` the calls that another process has opened meanwhile.
    """
    if not pages:
        return 0
    waiting = _waiting(session, pages.keys())
    whole = {key: page | waiting.get(key, {}) for key, page in pages.items()}
    rows = _openings(session, whole)
    ids = _open(session, list(rows.values()))
    if adopted := [key for key in ids if key in waiting]:
        session.execute(sa.delete(WaitingFact).where(WaitingFact.key.in_(adopted)))
    _keep(session, {call_id: whole[key] for key, call_id in ids.items()})
    known.update(_load(session, [key for key in rows if key not in ids]))
    new = _wait(session, {key: page for key, page in pages.items() if key not in rows})
    return new + sum(len(whole[key]) for key in ids)


def _openings(session: Session, pages: Pages) -> dict[str, dict[str, Any]]:
    """The rows of the calls that can be opened; a start for a number that is nobody's becomes a refusal."""
    rows, unowned = {}, []
    for key, page in pages.items():
        state = fold(page.values())
        if state.started is None:
            continue
        place = arrival(session, state.started.did, state.started.at)
        if place is None:
            unowned.append(_unowned(state.started))
        else:
            rows[key] = {"key": key} | _origin(state.started, place) | _progress(state)
    _refuse(session, unowned)
    return rows


def _open(session: Session, rows: list[dict[str, Any]]) -> dict[str, int]:
    """Inserts these calls; gives the ids of those that nobody else opened first."""
    if not rows:
        return {}
    _forget_unknown(session, rows, "trunk_id", Trunk)
    _forget_unknown(session, rows, "target_id", Target)
    table = Call.__table__
    statement = insert(session, Call).on_conflict_do_nothing(index_elements=["key"])
    # Always in the same order, so that two writers of the same calls cannot wait for each other.
    ordered = sorted(rows, key=lambda row: str(row["key"]))
    made = session.execute(statement.returning(table.c.key, table.c.id), ordered)
    ids = {row.key: row.id for row in made}
    opened = [row for row in rows if row["key"] in ids]
    mark_repeats(session, [Heard(row["company_id"], row["caller"], row["started_at"]) for row in opened])
    _expect_recordings(session, {ids[row["key"]]: row["outcome"] for row in opened if row["outcome"]})
    return ids


def _continue(session: Session, pages: Pages, known: dict[str, _Page]) -> int:
    """Adds new facts to calls that are in the books."""
    added: dict[int, dict[str, Fact]] = {}
    progress, ended = [], {}
    for key, page in pages.items():
        call = known[key]
        fresh = {name: fact for name, fact in page.items() if name not in call.facts}
        if not fresh:
            continue
        added[call.id] = fresh
        before, state = fold(call.facts.values()), fold((*call.facts.values(), *fresh.values()))
        if state.started is not None and state.started != before.started:
            _restart(session, call, state.started)
        progress.append({"call": call.id} | _progress(state))
        if state.outcome is not None and state.outcome is not call.outcome:
            ended[call.id] = state.outcome
    _keep(session, added)
    _store(session, progress)
    _expect_recordings(session, ended)
    return sum(len(fresh) for fresh in added.values())


def _store(session: Session, progress: list[dict[str, Any]]) -> None:
    if not progress:
        return
    _forget_unknown(session, progress, "target_id", Target)
    table = Call.__table__
    columns = {
        name: sa.bindparam(f"new_{name}", type_=table.c[name].type) for name in progress[0] if name != "call"
    }
    rows = [
        {name if name == "call" else f"new_{name}": value for name, value in row.items()} for row in progress
    ]
    session.connection().execute(
        sa.update(table).where(table.c.id == sa.bindparam("call")).values(**columns),  # type: ignore[arg-type]
        rows,
    )


def _restart(session: Session, call: _Page, started: Started) -> None:
    """A witness that knows more about the start came later: who, when and where from are decided again."""
    place = arrival(session, started.did, started.at)
    if place is None:
        return
    rows = [_origin(started, place)]
    _forget_unknown(session, rows, "trunk_id", Trunk)
    session.execute(sa.update(Call).where(Call.id == call.id).values(**rows[0]))
    since = min(call.started_at, started.at)
    heard = [Heard(place.company_id, caller, since) for caller in {call.caller, rows[0]["caller"]}]
    mark_repeats(session, heard, afresh=True)


def _origin(started: Started, place: Arrival) -> dict[str, Any]:
    """The columns that the start of a call decides."""
    source = place.attribution
    return {
        "node": started.node,
        "uniqueid": started.uniqueid or None,
        "linkedid": started.linkedid or None,
        "company_id": place.company_id,
        "number_id": place.number_id,
        "trunk_id": started.trunk_id,
        "caller": normalise_caller(started.caller, started.presentation, place.region),
        "caller_name": started.caller_name or None,
        "presentation": started.presentation,
        "channel_id": source.channel_id if isinstance(source, Seen) else None,
        "lease_id": source.lease_id if isinstance(source, Visited) else None,
        "started_at": started.at,
    }


def _progress(state: CallState) -> dict[str, Any]:
    """The columns that change while a call goes on."""
    return {
        "rang_at": state.rang_at,
        "answered_at": state.answered_at,
        "ended_at": state.ended_at,
        "wait_seconds": state.wait_seconds,
        "talk_seconds": state.talk_seconds,
        "outcome": state.outcome,
        "interrupted": state.interrupted,
        "target_id": state.target_id,
        "hung_up_by": state.hung_up_by,
        "dial_status": state.dial_status,
        "hangup_cause": state.hangup_cause,
        "seen_by_agi": state.seen_by_agi,
    }


def _forget_unknown(session: Session, rows: list[dict[str, Any]], name: str, model: type[Any]) -> None:
    """A target or trunk that was removed meanwhile, or a damaged id, must not keep a call out."""
    named = {row[name] for row in rows if row[name] is not None}
    if not named:
        return
    there = set(session.scalars(sa.select(model.id).where(model.id.in_(named))))
    for row in rows:
        if row[name] not in there:
            row[name] = None


def _keep(session: Session, facts: dict[int, dict[str, Fact]]) -> None:
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
    insert_once(session, CallEvent, rows, "call_id", "digest")


def _expect_recordings(session: Session, ended: dict[int, Outcome]) -> None:
    """A call that has just ended gets its recording row: to be finished when there was a talk to record."""
    if not ended:
        return
    answered = [call_id for call_id, outcome in ended.items() if outcome is Outcome.ANSWERED]
    recorded = sa.select(Call.id).join(Number, Number.id == Call.number_id).where(Number.record)
    pending = set(session.scalars(recorded.where(Call.id.in_(answered)))) if answered else set()
    rows: list[dict[str, Any]] = [
        {
            "call_id": call_id,
            "state": RecordingState.PENDING if call_id in pending else RecordingState.NONE,
            "copies": [],
        }
        for call_id in ended
    ]
    statement = insert(session, Recording)
    # An answer that was learned after the end: what was "none" is looked for after all.
    statement = statement.on_conflict_do_update(
        index_elements=["call_id"],
        set_={"state": statement.excluded.state},
        where=Recording.state == RecordingState.NONE,
    )
    session.connection().execute(statement, rows)


def _waiting(session: Session, keys: Collection[str]) -> Pages:
    waiting: Pages = defaultdict(dict)
    for row in session.scalars(sa.select(WaitingFact).where(WaitingFact.key.in_(keys))):
        waiting[row.key][row.digest] = from_detail(row.kind, row.key, row.detail)
    return dict(waiting)


def _wait(session: Session, pages: Pages) -> int:
    rows = [
        {"key": key, "kind": kind_of(fact), "at": fact.at, "detail": as_detail(fact), "digest": name}
        for key, page in pages.items()
        for name, fact in page.items()
        if not isinstance(fact, Started)
    ]
    return len(insert_once(session, WaitingFact, rows, "key", "digest"))


def _refuse(session: Session, refused: list[Refused]) -> int:
    rows: list[dict[str, Any]] = [
        {
            "key": each.call,
            "at": each.at,
            "node": each.node,
            "trunk_id": each.trunk_id,
            "did": printable(each.did),
            "caller": printable(each.caller, 40) or None,
            "reason": printable(each.reason, 40),
        }
        for each in refused
    ]
    _forget_unknown(session, rows, "trunk_id", Trunk)
    return len(insert_once(session, Refusal, rows, "key"))


def _unowned(started: Started) -> Refused:
    """A start for a number that is nobody's: not a call of any company, but not forgotten either."""
    return Refused(
        call=started.call,
        node=started.node,
        at=started.at,
        trunk_id=started.trunk_id,
        did=started.did,
        caller=started.caller,
        reason="unknown_number",
    )
