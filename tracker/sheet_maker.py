"""Making day sheets, and checking that they say what the calls say.

    take_turn(database, now)        # a few of the days that have none that holds, the newest first

A sheet is begun before its calls are counted: in a first transaction what was noted of its day is forgotten
and the sheet emptied, then the calls are counted, in a last one the sheet is stored. Whatever is changed
after the beginning is noted again, and the sheet will not hold; so nobody has to be kept waiting while it is
counted. Killed in between, the maker leaves an empty sheet, which is made in the next turn.

On PostgreSQL who began to write before a sheet was begun may commit after it was counted, and of calls that
he could not see yet he noted nothing. The counting therefore waits until all these have ended.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import once, overview, report_columns, visit_columns
from tracker.database import Database
from tracker.models import Company, DaySheet, SheetColumn, sheet_changes
from tracker.policy.sheets import Day, Interval, days_over
from tracker.sheet_kinds import digest
from tracker.sheets import CHANGED, Written

# Who writes a sheet of which kind. One that is to count otherwise gets another name.
KINDS = {
    overview.KIND: overview.write_sheet,
    report_columns.KIND.name: report_columns.write_sheet,
    visit_columns.KIND.name: visit_columns.write_sheet,
}
MOST = 30  # days a turn
PATIENCE_SECONDS = 3.0


@dataclass(frozen=True)
class Turn:
    """How many days got their sheets; `problem`: why none did, though some need them."""

    days: int
    problem: str | None = None


@dataclass(frozen=True)
class _Work:
    missing: Sequence[Day]  # the newest first
    needless: Sequence[Day]  # sheets of what is no day of the company's, as after a change of its time zone

    @property
    def is_done(self) -> bool:
        return not self.missing and not self.needless


def take_turn(
    database: Database, now: datetime, most: int = MOST, patience_seconds: float = PATIENCE_SECONDS
) -> Turn:
    """Make the sheets of so many days that are over and have none that holds, the newest first."""
    with database.read() as session:
        if _work(session, now).is_done:
            return Turn(0)
    draft = secrets.token_hex(16)
    with database.write() as session:
        # Once more: sheets of two time zones, which overlap, never stand beside each other.
        work = _work(session, now)
        days = work.missing[:most]
        _drop(session, work.needless)
        _begin(session, days, draft, now)
    if not _older_writers_ended(database, patience_seconds):
        return Turn(0, f"somebody has been writing for more than {patience_seconds:g} s")
    written = [_write(database, day) for day in days]
    with database.write() as session:
        _store(session, [row for rows in written for row in rows], draft)
    return Turn(len(days))


def forget_all(session: Session) -> None:
    """Drop every sheet: the maker makes all of them anew."""
    session.execute(sa.delete(DaySheet))


def missing(session: Session, now: datetime) -> Sequence[Day]:
    """The days that are over and have no sheet that holds, the newest first."""
    return _work(session, now).missing


def _work(session: Session, now: datetime) -> _Work:
    missing: list[Day] = []
    needless: set[Day] = set()
    for company_id, zone in session.execute(sa.select(Company.id, Company.timezone)).all():
        first_at = _first_at(session, company_id)
        days = days_over(first_at, now, ZoneInfo(zone)) if first_at else ()
        if not _is_complete(session, company_id, days):
            held = _sheets(session, company_id)
            missing += [Day(company_id, time) for time in days if held[time] < len(KINDS)]
            needless |= {Day(company_id, time) for time in held.keys() - set(days)}
    missing.sort(key=lambda day: (day.time.since, day.company_id), reverse=True)
    return _Work(missing, sorted(needless, key=lambda day: (day.company_id, day.time)))


def _first_at(session: Session, company_id: int) -> datetime | None:
    """When the company's first call or visit was."""
    firsts = (kind.first_at(session, company_id) for kind in (report_columns.KIND, visit_columns.KIND))
    return min((at for at in firsts if at is not None), default=None)


def _is_complete(session: Session, company_id: int, days: Sequence[Interval]) -> bool:
    """Whether as many sheets as there should be reach from the first to the last day, and all hold.

    Those of another time zone do not begin at these midnights; or they do, and are as good.
    """
    first, last = (days[0].since, days[-1].until) if days else (None, None)
    made = sa.select(sa.func.count(), sa.func.min(DaySheet.since_at), sa.func.max(DaySheet.until_at)).where(
        DaySheet.company_id == company_id, DaySheet.draft.is_(None), DaySheet.kind.in_(KINDS)
    )
    if tuple(session.execute(made).one()) != (len(days) * len(KINDS), first, last):
        return False
    if first is None or last is None:
        return True
    changed = sa.exists().where(
        sheet_changes.c.company_id == company_id, sheet_changes.c.at >= first, sheet_changes.c.at < last
    )
    return not session.scalar(sa.select(changed))


def _sheets(session: Session, company_id: int) -> Counter[Interval]:
    """The company's times that have sheets, and how many of these hold."""
    holds = sa.and_(DaySheet.draft.is_(None), ~CHANGED, DaySheet.kind.in_(KINDS))
    wanted = sa.select(DaySheet.since_at, DaySheet.until_at, holds)
    found: Counter[Interval] = Counter()
    for since, until, does_hold in session.execute(wanted.where(DaySheet.company_id == company_id)):
        found[Interval(since, until)] += bool(does_hold)
    return found


def _drop(session: Session, days: Iterable[Day]) -> None:
    _each_day(session, sa.delete(DaySheet).where(*_OF_DAY), days)


_company = sa.bindparam("of_company", type_=DaySheet.company_id.type)
_since = sa.bindparam("from_at", type_=DaySheet.since_at.type)
_until = sa.bindparam("to_at", type_=DaySheet.until_at.type)
_OF_DAY = DaySheet.company_id == _company, DaySheet.since_at == _since, DaySheet.until_at == _until
_FORGET = sa.delete(sheet_changes).where(
    sheet_changes.c.company_id == _company, sheet_changes.c.at >= _since, sheet_changes.c.at < _until
)
_STORE = (
    sa.update(DaySheet)
    .where(*_OF_DAY, DaySheet.kind == sa.bindparam("of_kind"), DaySheet.draft == sa.bindparam("of_draft"))
    .values(data=sa.bindparam("written"), draft=None)
)
_drawn = sa.select(
    DaySheet.company_id,
    DaySheet.kind,
    sa.bindparam("of_name", type_=SheetColumn.name.type),
    DaySheet.since_at,
    sa.bindparam("column", type_=SheetColumn.data.type),
).where(*_OF_DAY, DaySheet.kind == sa.bindparam("of_kind"), DaySheet.draft == sa.bindparam("of_draft"))
_STORE_COLUMN = sa.insert(SheetColumn).from_select(["company_id", "kind", "name", "since_at", "data"], _drawn)


def _begin(session: Session, days: Sequence[Day], draft: str, now: datetime) -> None:
    """Forget what was noted of these days, and empty their sheets in the same moment."""
    if not days:
        return
    _each_day(session, _FORGET, days)
    _drop(session, days)  # of kinds that were written once, too
    rows = [
        {
            "company_id": day.company_id, "since_at": day.time.since, "until_at": day.time.until,
            "kind": kind, "made_at": now, "draft": draft, "data": None,
        }
        for day in days
        for kind in KINDS
    ]  # fmt: skip
    new = once.insert(session, DaySheet)
    fresh = {name: new.excluded[name] for name in ("until_at", "made_at", "draft", "data")}
    key = ("company_id", "since_at", "kind")
    session.connection().execute(new.on_conflict_do_update(index_elements=key, set_=fresh), rows)


def _older_writers_ended(database: Database, patience_seconds: float) -> bool:
    """Wait until whoever was writing has committed or given up; False when that takes too long."""
    if database.is_sqlite:
        return True
    begun = _number(database, "pg_snapshot_xmax(pg_current_snapshot())")
    patient_until = time.monotonic() + patience_seconds
    while _number(database, "pg_snapshot_xmin(pg_current_snapshot())") < begun:
        if time.monotonic() > patient_until:
            return False
        time.sleep(0.02)
    return True


def _number(database: Database, transaction: str) -> int:
    with database.read() as session:
        return int(session.scalar(sa.text(f"SELECT {transaction}::text")) or 0)


def _write(database: Database, day: Day) -> list[tuple[dict[str, Any], Written]]:
    with database.read() as session:
        return [
            (_named(day) | {"of_kind": kind}, write(session, day.company_id, day.time))
            for kind, write in KINDS.items()
        ]


def _store(session: Session, sheets: Sequence[tuple[Mapping[str, Any], Written]], draft: str) -> None:
    """Unless another maker has begun the same sheet meanwhile: then his holds, or none."""
    mine = [({**named, "of_draft": draft}, written) for named, written in sheets]
    columns = [
        {**named, "of_name": name, "column": data}
        for named, written in mine
        for name, data in written.columns.items()
    ]
    if columns:
        session.connection().execute(_STORE_COLUMN, columns)
    if mine:
        rows = [{**named, "written": written.data} for named, written in mine]
        session.connection().execute(_STORE, rows)


def _each_day(session: Session, statement: sa.Executable, days: Iterable[Day]) -> None:
    if rows := [_named(day) for day in days]:
        session.connection().execute(statement, rows)


def _named(day: Day) -> dict[str, Any]:
    return {"of_company": day.company_id, "from_at": day.time.since, "to_at": day.time.until}


# ---- are they right? ----


@dataclass(frozen=True)
class Checked:
    """A sheet that held while its calls were counted anew, and whether they say the same."""

    day: Day
    kind: str
    agrees: bool


def check(database: Database) -> Iterator[Checked]:
    """Count the calls of every sheet that holds again; one that changes meanwhile is left out."""
    with database.read() as session:
        holding = sa.select(DaySheet.company_id, DaySheet.since_at, DaySheet.until_at, DaySheet.kind)
        wanted = holding.where(DaySheet.draft.is_(None), ~CHANGED, DaySheet.kind.in_(KINDS))
        rows = session.execute(wanted.order_by(DaySheet.company_id, DaySheet.since_at)).all()
    for company_id, since, until, kind in rows:
        day = Day(company_id, Interval(since, until))
        found = _check_one(database, day, kind)
        if found is not None:
            yield Checked(day, kind, found)


def _check_one(database: Database, day: Day, kind: str) -> bool | None:
    with database.read() as session:
        before = _held(session, day, kind)
        counted = KINDS[kind](session, day.company_id, day.time)
    if before is None or before[0] == counted.data:
        return None if before is None else True
    # A new transaction: what others have committed meanwhile is seen in it.
    with database.read() as session:
        return False if _held(session, day, kind) == before else None


def _held(session: Session, day: Day, kind: str) -> tuple[str, datetime] | None:
    """What the sheet says, and when it was begun; None when it does not hold."""
    wanted = sa.select(DaySheet.data, DaySheet.made_at).where(
        *_OF_DAY, DaySheet.kind == kind, DaySheet.draft.is_(None), ~CHANGED
    )
    found = session.execute(wanted, _named(day)).one_or_none()
    if found is None:
        return None
    columns = sa.select(SheetColumn.name, SheetColumn.data).where(
        SheetColumn.company_id == day.company_id,
        SheetColumn.kind == kind,
        SheetColumn.since_at == day.time.since,
    )
    stored = {row.name: row.data for row in session.execute(columns)}
    said = digest(stored) if stored else None
    return str(found.data) if said in {None, found.data} else "its columns are others", found.made_at
