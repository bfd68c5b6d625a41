"""The backstop of the books: calls that the spool does not know, rebuilt from Asterisk's channel events.

The CEL file is followed like the spool. For every caller's channel that ended a while ago the books are
asked; only when they lack something are the call's rows collected from the file. Nothing of CEL is stored.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import tail
from tracker.books import record_all
from tracker.database import Database
from tracker.importer import DATABASE_TROUBLE, quarantine
from tracker.models import Call, Company, Number, SpoolFile
from tracker.policy.cel import CelRow, Rebuilt, ends_a_call, parse_row, rebuild
from tracker.policy.detail import printable
from tracker.policy.facts import Fact, Outcome, Presentation
from tracker.policy.phone import normalise_caller
from tracker.policy.spool import BadLine
from tracker.tail import Line, Names

CEL = Names("cel", re.compile(r"cel(-[0-9]{14})?\.csv"))  # cel.csv is the youngest, and sorts last
_LIVE = "cel.csv"
_BATCH = 1000
_BATCHES_A_TICK = 20
_SETTLED = timedelta(seconds=30)  # by then the spool's own line has been read
_LARGEST_BYTES = 64 * 2**20


@dataclass(frozen=True)
class CelRead:
    """What one tick did; `rebuilt` counts facts that only CEL knew."""

    rows: int
    bad: int
    rebuilt: int
    problem: str | None = None


def read_cel(database: Database, folder: Path, node: str, now: datetime) -> CelRead:
    """Compares what is new in CEL with the books and adds what they lack.

    Looks only at rows older than half a minute. Never raises for a database that is locked or down.
    """
    rows = bad = rebuilt = 0
    try:
        with database.read() as session:
            files = tail.unread(session, folder, node, CEL, "")
        for _ in range(_BATCHES_A_TICK):
            if not files:
                break
            found, _offset = tail.next_lines(files[0], _BATCH)
            read, unreadable, offset = _settled(found, files[0].offset, now)
            if offset == files[0].offset:
                files.pop(0)
                continue
            files[0] = files[0].read_to(offset)
            missing = _missing(database, folder, node, read)
            with database.write() as session:
                rebuilt += record_all(session, missing)
                bad += quarantine(session, node, files[0].path.name, unreadable, now)
                tail.save(session, node, files[0], now)
            rows += len(read)
    except DATABASE_TROUBLE as error:
        return CelRead(rows, bad, rebuilt, printable(str(error.__cause__ or error), 200))
    return CelRead(rows, bad, rebuilt)


def rows_of(folder: Path, linkedids: Collection[str]) -> dict[str, list[CelRow]]:
    """Every row of these linkedids, from all the files there are: a reading of megabytes, for rare use."""
    wanted = {linkedid.encode() for linkedid in linkedids}
    found: dict[str, list[CelRow]] = defaultdict(list)
    for name in CEL.among(folder) if wanted else []:
        with (folder / name).open("rb") as lines:
            for line in lines:
                columns = line.split(b'","', 4)
                if len(columns) == 5 and columns[3] in wanted:
                    try:
                        row = parse_row(line)
                    except BadLine:
                        continue
                    found[row.linkedid].append(row)
    return dict(found)


def last_signs(folder: Path, linkedids: Collection[str]) -> dict[str, datetime]:
    """When each of these linkedids was last heard of."""
    return {linkedid: max(row.at for row in rows) for linkedid, rows in rows_of(folder, linkedids).items()}


def rotate(database: Database, folder: Path, node: str, now: datetime, days: int = 30) -> None:
    """Gives a large CEL file a name of its own (Asterisk then begins a new one) and forgets old ones."""
    live = tail.whole(folder / _LIVE)
    if live is not None and live.size > _LARGEST_BYTES:
        aside = f"cel-{now:%Y%m%d%H%M%S}.csv"
        with database.write() as session:
            # First the name in the books, then the file: should we die in between, it is read once more.
            session.execute(
                sa.update(SpoolFile)
                .where(SpoolFile.node == node, SpoolFile.name == _LIVE, SpoolFile.inode == live.inode)
                .values(name=aside)
            )
            live.path.rename(folder / aside)
    oldest = f"cel-{now - timedelta(days=days):%Y%m%d%H%M%S}.csv"
    for name in CEL.among(folder):
        if name < oldest:
            (folder / name).unlink(missing_ok=True)


def _settled(
    lines: Sequence[Line], offset: int, now: datetime
) -> tuple[list[CelRow], list[tuple[Line, str]], int]:
    """The rows old enough to be judged, the unreadable lines among them, and the offset after them."""
    rows: list[CelRow] = []
    bad: list[tuple[Line, str]] = []
    for line in lines:
        try:
            row = parse_row(line.text)
        except BadLine as error:
            bad.append((line, error.problem))
        else:
            if row.at > now - _SETTLED and row.at < now + _SETTLED:  # later still: a clock was set back
                break
            rows.append(row)
        offset = line.offset + len(line.text) + 1
    return rows, bad, offset


def _missing(database: Database, folder: Path, node: str, rows: Sequence[CelRow]) -> list[Fact]:
    """The facts of calls that ended in these rows and whose end the books do not know."""
    ended = {row.call: row.linkedid for row in rows if ends_a_call(row)}
    if not ended:
        return []
    with database.read() as session:
        known = _known(session, ended.keys())
        lacking = {key: linkedid for key, linkedid in ended.items() if _lacks_something(known.get(key))}
        collected = rows_of(folder, lacking.values())
        missing: list[Fact] = []
        for key, linkedid in lacking.items():
            call = rebuild(key, node, collected.get(linkedid, []))
            if call is not None:
                missing += _facts(session, call, known.get(key))
    return missing


def _known(session: Session, keys: Collection[str]) -> dict[str, sa.Row[Any]]:
    columns = sa.select(Call.key, Call.answered_at, Call.ended_at, Call.interrupted, Call.outcome)
    rows: Iterable[sa.Row[Any]] = session.execute(columns.where(Call.key.in_(keys)))
    return {row.key: row for row in rows}


def _lacks_something(call: sa.Row[Any] | None) -> bool:
    if call is None or call.ended_at is None or call.interrupted:
        return True
    return call.outcome is Outcome.ANSWERED and call.answered_at is None


def _facts(session: Session, call: Rebuilt, known: sa.Row[Any] | None) -> list[Fact]:
    """What CEL adds; where a better witness spoke, it is silent."""
    facts: list[Fact] = []
    if known is None:
        facts.append(replace(call.started, did=_did(session, call.dialled)))
    if call.answered is not None and (known is None or known.answered_at is None):
        facts.append(call.answered)
    if call.ended is not None and (known is None or known.ended_at is None or known.interrupted):
        facts.append(call.ended)
    return facts


def _did(session: Session, dialled: str) -> str:
    """Our number in the form the carrier sent it; as sent when it cannot be only one of ours."""
    regions = session.scalars(sa.select(Company.default_region).distinct())
    forms = {normalise_caller(dialled, Presentation.ALLOWED, region) for region in regions}
    ours = session.scalars(sa.select(Number.e164).where(Number.e164.in_({dialled, *forms} - {None}))).all()
    return ours[0] if len(ours) == 1 else dialled
