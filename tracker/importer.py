"""From the dialplan's spool into the books: every line once, in whatever state the database is.

Reading goes on where the last transaction ended. A line that cannot be understood, or cannot be stored, is
quarantined and never stops the rest. While the database is locked or down nothing is read; nothing is lost,
the next tick tries again.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from tracker import tail
from tracker.books import record_all, unwritten
from tracker.database import Database
from tracker.logs import of
from tracker.models import QuarantinedLine
from tracker.once import insert_once
from tracker.policy.detail import kind_of, printable
from tracker.policy.facts import Fact, Refused
from tracker.policy.spool import BadLine, parse_line
from tracker.tail import Line, Names, Unread

log = logging.getLogger("leaseline.importer")

T = TypeVar("T")
R = TypeVar("R")

SPOOL = Names("calls-", re.compile(r"calls-[0-9]{10}\.jsonl"))
DATABASE_TROUBLE = (OperationalError, InterfaceError, PoolTimeout)
_BATCH = 500
_BATCHES_A_TICK = 20
_ALWAYS_LOOKED_AT = timedelta(hours=36)  # the hour in a name is local: any time zone, and some
_TIME = re.compile(rb'"t": ?"?([0-9]{9,11}(?:\.[0-9]+)?)')


@dataclass(frozen=True)
class Imported:
    """What one tick did. `behind_seconds` is the age of the oldest unread line, None while nobody knows."""

    lines: int
    bad: int
    behind_seconds: float | None
    problem: str | None = None  # why the database could not be used


@dataclass(frozen=True)
class Reread:
    """What reading everything again found; `new` facts ought to be 0."""

    lines: int
    new: int
    bad: int


@dataclass(frozen=True)
class _Read:
    facts: list[tuple[Line, Fact | Refused]]
    bad: list[tuple[Line, str]]


def read_spool(database: Database, folder: Path, node: str, now: datetime) -> Imported:
    """Stores what is new in the spool of this node; cheap when nothing is.

    Never raises for a database that is locked or down: `problem` says so, and the next tick tries again.
    """
    lines = bad = 0
    files: list[Unread] | None = None
    try:
        with database.read() as session:
            files = _unread(session, folder, node, now)
        for _ in range(_BATCHES_A_TICK):
            if not files:
                break
            found, offset = tail.next_lines(files[0], _BATCH)
            if not found:
                files.pop(0)  # only the beginning of a line, so far
                continue
            file, read = files[0].read_to(offset), _read(found)
            with database.write() as session:
                bad += _store(session, node, file.path.name, read, now)
                tail.save(session, node, file, now)
            lines += len(found)
            files[0] = file
            _tell(read.facts)
    except DATABASE_TROUBLE as error:
        problem = printable(str(error.__cause__ or error), 200)
        return Imported(lines, bad, _behind(files, now) if files is not None else None, problem)
    return Imported(lines, bad, _behind(files, now))


def behind_seconds(session: Session, folder: Path, node: str, now: datetime) -> float:
    """The age of the oldest unread line of that spool, 0 when everything is in the books."""
    return _behind(_unread(session, folder, node, now), now)


def rerun(database: Database, folder: Path, node: str, days: int, now: datetime) -> Reread:
    """Reads the last days again from their first byte; what is in the books already changes nothing.

    Writes only when a fact is missing. Raises OperationalError when the database is locked or down.
    """
    lines = new = bad = 0
    since = f"calls-{now - timedelta(days=days):%Y%m%d%H}"
    for name in SPOOL.among(folder):
        file = tail.whole(folder / name) if name >= since else None
        while file is not None:
            found, offset = tail.next_lines(file, _BATCH)
            if not found:
                break
            read = _read(found)
            with database.read() as session:
                facts = unwritten(session, [fact for _, fact in read.facts])
            if facts or read.bad:
                with database.write() as session:
                    bad += _store(session, node, name, read, now)
            lines, new = lines + len(found), new + len(facts)
            file = file.read_to(offset)
    return Reread(lines, new, bad)


def quarantine(session: Session, node: str, name: str, bad: Sequence[tuple[Line, str]], now: datetime) -> int:
    """Keeps lines that could not be understood, each once; gives how many were new."""
    rows = [
        {
            "node": node,
            "name": name,
            "offset": line.offset,
            "digest": hashlib.sha256(line.text).hexdigest(),
            "line": printable(line.text[:4000].decode("utf-8", "backslashreplace"), 2000),
            "problem": printable(problem, 300),
            "at": now,
        }
        for line, problem in bad
    ]
    return len(insert_once(session, QuarantinedLine, rows, ("node", "name", "offset", "digest")))


def _unread(session: Session, folder: Path, node: str, now: datetime) -> list[Unread]:
    return tail.unread(session, folder, node, SPOOL, f"calls-{now - _ALWAYS_LOOKED_AT:%Y%m%d%H}")


def _read(lines: Sequence[Line]) -> _Read:
    facts: list[tuple[Line, Fact | Refused]] = []
    bad = []
    for line in lines:
        try:
            facts.append((line, parse_line(line.text)))
        except BadLine as error:
            bad.append((line, error.problem))
    return _Read(facts, bad)


def _store(session: Session, node: str, name: str, read: _Read, now: datetime) -> int:
    """Stores facts and bad lines in this transaction; gives how many bad lines were new."""
    _, refused = store_all_or_each(
        session, name, read.facts, lambda lines: record_all(session, [fact for _, fact in lines])
    )
    return quarantine(session, node, name, [*read.bad, *((it[0], why) for it, why in refused)], now)


def _tell(facts: Sequence[tuple[Line, Fact | Refused]]) -> None:
    """A line of the log for each call that something was read of."""
    calls: dict[str, list[str]] = defaultdict(list)
    for _, fact in facts:
        calls[fact.call].append(kind_of(fact) if not isinstance(fact, Refused) else "refused")
    for call, kinds in calls.items():
        log.info("read: %s", ", ".join(dict.fromkeys(kinds)), extra=of(call))


def store_all_or_each(
    session: Session, name: str, lines: Sequence[T], store: Callable[[Sequence[T]], R]
) -> tuple[list[R], list[tuple[T, str]]]:
    """Stores lines of that file at once, else one by one: what the books will not take holds up no other.

    What `store` gave, and the lines that were refused, each with why. Raises what the database's trouble is.
    """
    try:
        with session.begin_nested():
            return [store(lines)], []
    except DATABASE_TROUBLE:
        raise
    except Exception:
        log.exception("a batch of %s was refused; storing its lines one by one", name)
    done, refused = [], []
    for line in lines:
        try:
            with session.begin_nested():
                done.append(store([line]))
        except DATABASE_TROUBLE:
            raise
        except Exception as error:  # noqa: BLE001  (whatever it is, it is quarantined with its words)
            refused.append((line, f"cannot be stored: {error}"))
    return done, refused


def _behind(files: Sequence[Unread], now: datetime) -> float:
    """Since when the oldest whole line waits."""
    for file in files:
        lines, _ = tail.next_lines(file, 1)
        if lines:
            return max(0.0, (now - _written_at(file, lines[0])).total_seconds())
    return 0.0


def _written_at(file: Unread, line: Line) -> datetime:
    said = _TIME.search(line.text)
    if said:
        return datetime.fromtimestamp(float(said[1]), UTC)
    try:
        return datetime.fromtimestamp(file.path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return datetime.max.replace(tzinfo=UTC)
