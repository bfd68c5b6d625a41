"""Calls that a phone system beside us reports, into the books: attributed, judged and listed like any other.

Each is a fact of its own kind (tracker.policy.facts.Reported). The same told again changes nothing; told
otherwise, it is the fact's next edition, and the call is added up anew. No audit entry is made of calls: who
told of each, and when, stands beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import ledger, once
from tracker.audit import By
from tracker.books import record_all
from tracker.database import Database
from tracker.models import Call, Company, Number, NumberState, ReportedCall, Visit
from tracker.policy.attribution import Attribution, told_by_others
from tracker.policy.books import newest_parts
from tracker.policy.dates import Dates, Order
from tracker.policy.detail import tidy
from tracker.policy.facts import Presentation, Reported
from tracker.policy.phone import normalise_caller
from tracker.policy.reported_calls import NODE, Dids, How, ReportedLine, key_of
from tracker.portions import portions

AT_A_TIME = 200  # calls a transaction, so that ringing ones need not wait
_ALIKE = timedelta(seconds=60)  # how far two phone systems' clocks may differ about the same call
_SILENT = ("caller_name", "employee", "recording_url")  # what a later telling need not say again


# Built once: putting a statement together takes longer than running it.
_OURS = (
    sa.select(Call.id)
    .join(Number, Number.id == Call.number_id)
    .where(
        Call.company_id == sa.bindparam("company"),
        Call.caller == sa.bindparam("caller"),
        Call.started_at.between(
            sa.bindparam("since", type_=Call.started_at.type),
            sa.bindparam("until", type_=Call.started_at.type),
        ),
        Number.e164 == sa.bindparam("did"),
        Call.node.not_like(NODE + "%"),
    )
    .limit(1)
)


@dataclass(frozen=True)
class Source:
    """Which phone system tells, by whose hand."""

    company_id: int
    region: str
    system: str
    by: By


@dataclass
class Taken:
    """What became of calls; `ours` are those that came through us as well: they are in the books already."""

    new: int = 0
    changed: int = 0
    same: int = 0
    ours: int = 0

    def add(self, other: Taken) -> None:
        """Counts what became of others as well."""
        self.new += other.new
        self.changed += other.changed
        self.same += other.same
        self.ours += other.ours


@dataclass
class _Batch:
    facts: list[Reported] = field(default_factory=list)
    taken: Taken = field(default_factory=Taken)


def how_of(
    session: Session, company: Company, now: datetime, *, zone: str | None = None, zoned: bool = False,
    order: str | None = None, did: str | None = None, strict: bool = True,
) -> How:  # fmt: skip
    """How the company's rows are read: its numbers, and its clocks unless each row has to say (`zoned`)."""
    wanted = sa.select(Number.e164).where(
        Number.company_id == company.id, Number.state != NumberState.RETIRED
    )
    return How(
        dids=Dids(session.scalars(wanted), company.default_region),
        region=company.default_region,
        zone=None if zoned else ZoneInfo(zone or company.timezone),
        now=now,
        dates=Dates((), Order(order) if order else None),
        did=did,
        strict=strict,
    )


def take(database: Database, source: Source, lines: Sequence[ReportedLine]) -> Taken:
    """Writes these calls down, a few hundred a transaction; whoever is killed in between tells all again."""
    taken = Taken()
    for part in portions(lines, AT_A_TIME):
        with database.write() as session:
            taken.add(store(session, source, part))
    return taken


def would_take(session: Session, source: Source, lines: Sequence[ReportedLine]) -> Taken:
    """What `take` would do; only looks."""
    taken = Taken()
    for part in portions(lines, AT_A_TIME):
        taken.add(_compare(session, source, part, lock=False).taken)
    return taken


def store(session: Session, source: Source, lines: Sequence[ReportedLine]) -> Taken:
    """Writes these calls down, in the caller's write transaction."""
    batch = _compare(session, source, lines, lock=True)
    record_all(session, batch.facts)
    _mark(session, source, lines, {fact.call for fact in batch.facts})
    return batch.taken


def told_origins(session: Session, call_ids: Collection[int]) -> dict[int, Attribution]:
    """Of those of the calls whose source the system that had them tells: that source."""
    if not call_ids:
        return {}
    rows = session.execute(
        sa.select(
            ReportedCall.call_id, ReportedCall.visit_id, Visit.visitor_id, ReportedCall.channel_id
        )
        .outerjoin(Visit, Visit.id == ReportedCall.visit_id)
        .where(
            ReportedCall.call_id.in_(list(call_ids)),
            sa.or_(ReportedCall.visit_id.is_not(None), ReportedCall.channel_id.is_not(None)),
        )
    )  # fmt: skip
    return {row.call_id: told_by_others(row.visit_id, row.visitor_id, row.channel_id) for row in rows}


def _compare(session: Session, source: Source, lines: Sequence[ReportedLine], *, lock: bool) -> _Batch:
    """What the books do not know yet of these lines."""
    keys = {_key(source, line) for line in lines}
    pages = ledger.load(session, keys, lock=lock)
    known = {
        (key, part): fact
        for key, page in pages.items()
        for part, fact in newest_parts(it for it in page.facts.values() if isinstance(it, Reported)).items()
    }
    there, batch = set(pages), _Batch()
    for line in lines:
        fact = tidy(_fact(source, line))
        assert isinstance(fact, Reported)  # noqa: S101  (as what was tidied)
        before = known.get((fact.call, fact.part))
        fact = _after(before, fact)
        if before == fact:
            batch.taken.same += 1
        elif fact.call not in there and _is_ours(session, source, fact):
            batch.taken.ours += 1
        else:
            batch.taken.new += fact.call not in there
            batch.taken.changed += fact.call in there
            batch.facts.append(fact)
            there.add(fact.call)
            known[fact.call, fact.part] = fact
    return batch


def _after(before: Reported | None, fact: Reported) -> Reported:
    """The fact as it stands after what was told of it before."""
    if before is None:
        return fact
    kept = {name: getattr(before, name) for name in _SILENT if not getattr(fact, name)}
    same = replace(fact, edition=before.edition, **kept)
    return same if same == before else replace(same, edition=before.edition + 1)


def _key(source: Source, line: ReportedLine) -> str:
    return key_of(source.company_id, source.system, line.reference)


def _fact(source: Source, line: ReportedLine) -> Reported:
    return Reported(
        call=_key(source, line),
        node=NODE + source.system,
        at=line.at,
        part=line.part,
        edition=1,
        did=line.did,
        caller=line.caller,
        presentation=line.presentation,
        caller_name=line.caller_name,
        answered_at=line.answered_at,
        ended_at=line.ended_at,
        outcome=line.outcome,
        employee=line.employee,
        recording_url=line.recording_url,
        direction=line.direction,
    )


def _is_ours(session: Session, source: Source, fact: Reported) -> bool:
    """Whether the call came through us: a phone system behind us reports what we have seen ourselves."""
    caller = normalise_caller(fact.caller, fact.presentation, source.region)
    if caller is None or fact.presentation is not Presentation.ALLOWED:
        return False
    wanted = {
        "company": source.company_id, "caller": caller, "did": fact.did,
        "since": fact.at - _ALIKE, "until": fact.at + _ALIKE,
    }  # fmt: skip
    return session.connection().execute(_OURS, wanted).first() is not None


def _mark(session: Session, source: Source, lines: Iterable[ReportedLine], fresh: set[str]) -> None:
    """Says of each call that was told anew who reported it, and what only he knows."""
    told = {key: line for line in lines if (key := _key(source, line)) in fresh}
    if not told:
        return
    found = session.execute(sa.select(Call.key, Call.id).where(Call.key.in_(told)))
    ids = {row.key: row.id for row in found}
    pages = ledger.load(session, ids.keys(), lock=False)
    rows = [
        _row(source, told[key].reference, call_id, [*pages[key].facts.values()])
        for key, call_id in sorted(ids.items())
    ]
    if not rows:
        return
    statement = once.insert(session, ReportedCall)
    changing = ("employee", "recording_url", "actor", "changed_at")
    statement = statement.on_conflict_do_update(
        index_elements=["call_id"], set_={name: statement.excluded[name] for name in changing}
    )
    session.connection().execute(statement, rows)


def _row(source: Source, reference: str, call_id: int, facts: Sequence[Any]) -> dict[str, Any]:
    parts = newest_parts(fact for fact in facts if isinstance(fact, Reported)).values()
    # Of several parts the one that was answered knows who took the call.
    best = sorted(parts, key=lambda it: (it.answered_at is None, it.at, it.part))
    return {
        "call_id": call_id,
        "system": source.system,
        "reference": reference,
        "employee": next((it.employee for it in best if it.employee and it.answered_at), None),
        "recording_url": next((it.recording_url for it in best if it.recording_url), None),
        "actor": source.by.actor,
        "created_at": source.by.at,
        "changed_at": source.by.at,
    }
