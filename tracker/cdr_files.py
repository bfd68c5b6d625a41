"""Reading the files in which phone systems keep their calls: growing ones from where reading ended.

How far each file has been read stands in `spool_files` and moves in the transaction that stores its calls. A
line that is no call goes to quarantine and stops nothing. A file that was cut, or put in another's place, is
read anew: the same calls again change nothing.
"""

from __future__ import annotations

import fnmatch
import logging
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import reported_calls, tail
from tracker.audit import By
from tracker.database import Database
from tracker.errors import Rejected, Said
from tracker.importer import DATABASE_TROUBLE, quarantine, store_all_or_each
from tracker.models import CallFolder, Company, SpoolFile
from tracker.policy.cdr import PRESETS, Shape, row_of, shape_of
from tracker.policy.cost_list import BadValue
from tracker.policy.detail import printable
from tracker.policy.reported_calls import FoundCalls, How, LeftOut, read_rows
from tracker.policy.tables import decode
from tracker.reported_calls import Source, Taken
from tracker.tail import Line, Unread

log = logging.getLogger("leaseline.calls")

_CHUNK_BYTES = 262_144
_HEAD_BYTES = 16_384
_LINES = 200  # a transaction
_BATCHES_A_TICK = 20
_WHOLE_AFTER_SECONDS = 60.0  # a last line without its end is taken when its file rests so long
_LONGEST_NAME = 100


@dataclass(frozen=True)
class FoldersRead:
    """What one tick did; `problem`: why the database could not be used."""

    lines: int = 0
    problem: str | None = None


@dataclass(frozen=True)
class _Reading:
    """A folder that is read, and how."""

    row: CallFolder
    source: Source
    how: How
    now: datetime

    @property
    def node(self) -> str:
        return node_of(self.row.id)


@dataclass(frozen=True)
class _Text:
    """How a file is written, found from its beginning."""

    encoding: str
    newline: bytes
    shape: Shape


def read_folders(database: Database, now: datetime) -> FoldersRead:
    """Reads what is new in every folder; what keeps one from being read is told, and keeps no other."""
    lines = 0
    try:
        with database.read() as session:
            ids = session.scalars(sa.select(CallFolder.id).order_by(CallFolder.id)).all()
        for folder_id in ids:
            lines += _read_folder(database, folder_id, now)
    except DATABASE_TROUBLE as error:
        return FoldersRead(lines, printable(str(error.__cause__ or error), 200))
    return FoldersRead(lines)


def read_whole(content: bytes, preset: str, chosen: dict[str, str], how: How) -> FoundCalls:
    """The calls of a whole file. Raises Rejected file.*."""
    text, _ = decode(content)
    lines = text.removeprefix("\ufeff").splitlines()
    first = next((line for line in lines if line.strip()), "")
    shape = shape_of(first, PRESETS[preset], chosen)
    return _found(shape, list(enumerate(lines, start=1)), how)


def node_of(folder_id: int) -> str:
    """Under which name `spool_files` and the quarantine have the folder's files."""
    return f"watch:{folder_id}"


def _read_folder(database: Database, folder_id: int, now: datetime) -> int:
    with database.read() as session:
        row = session.get(CallFolder, folder_id)
        if row is None:
            return 0
        owner = session.get_one(Company, row.company_id)
        how = reported_calls.how_of(
            session, owner, now, zone=row.zone, order=row.dates, did=row.did, strict=False
        )
        source = Source(owner.id, owner.default_region, row.system, By(now, f"watch:{row.system}"))
        problem, files = _unread(session, row)
        session.expunge(row)
    reading, lines = _Reading(row, source, how, now), 0
    for file in files:
        try:
            lines += _read_file(database, reading, file)
        except Rejected as why:
            problem = printable(f"{file.path.name}: {why}", 300)
        except OSError as why:
            problem = printable(f"{file.path.name}: {why.strerror}", 300)
    if problem != row.problem:
        _tell(database, row, problem)
    return lines


def _tell(database: Database, row: CallFolder, problem: str | None) -> None:
    if problem:
        log.warning("of %s: %s", row.folder, problem)
    with database.write() as session:
        session.execute(sa.update(CallFolder).where(CallFolder.id == row.id).values(problem=problem))


def _unread(session: Session, row: CallFolder) -> tuple[str | None, list[Unread]]:
    """Why the folder cannot be read, and its files with something new, oldest name first."""
    folder = Path(row.folder)
    try:
        names = sorted(name for name in os.listdir(folder) if fnmatch.fnmatch(name, row.files))  # noqa: PTH208
    except OSError as why:
        return printable(f"{row.folder}: {why.strerror}", 300), []
    offsets = _offsets(session, node_of(row.id))
    found, problem = [], None
    for name in names:
        if len(name) > _LONGEST_NAME:
            problem = f"{name[:60]}…: its name is too long"
            continue
        file = tail.whole(folder / name)
        if file is None or not (folder / name).is_file():
            continue
        inode, offset = offsets.get(name, (file.inode, 0))
        read = offset if inode == file.inode and offset <= file.size else 0
        if read < file.size:
            found.append(file.read_to(read))
    return problem, found


def _offsets(session: Session, node: str) -> dict[str, tuple[int, int]]:
    """How far each name's present file was read: a name may have had others before."""
    rows = session.execute(
        sa.select(SpoolFile.name, SpoolFile.inode, SpoolFile.offset)
        .where(SpoolFile.node == node)
        .order_by(SpoolFile.read_at, SpoolFile.id)
    )
    return {row.name: (row.inode, row.offset) for row in rows}


def _read_file(database: Database, reading: _Reading, file: Unread) -> int:
    count, text = 0, _text_of(file, reading.row)
    if text is None:
        return 0
    for _ in range(_BATCHES_A_TICK):
        lines, offset = _next_lines(file, text, reading.now)
        if not lines:
            break
        file = file.read_to(offset)
        with database.write() as session:
            _store(session, reading, file, text, lines)
        count += len(lines)
    return count


def _store(session: Session, reading: _Reading, file: Unread, text: _Text, lines: Sequence[Line]) -> None:
    numbered = [(at, line.text.decode(text.encoding, "replace")) for at, line in enumerate(lines)]
    found = _found(text.shape, numbered, reading.how)
    bad = [
        (lines[it.line], f"{it.column}: {it.problem}" if it.column else it.problem) for it in found.problems
    ]
    done, refused = store_all_or_each(
        session,
        file.path.name,
        found.lines,
        lambda calls: reported_calls.store(session, reading.source, calls),
    )
    bad += [(lines[it.line], why) for it, why in refused]
    taken = Taken()
    for each in done:
        taken.add(each)
    new_bad = quarantine(session, reading.node, file.path.name, bad, reading.now)
    tail.save(session, reading.node, file, reading.now)
    _count(session, reading, found, taken, new_bad)


def _count(session: Session, reading: _Reading, found: FoundCalls, taken: Taken, bad: int) -> None:
    values: dict[str, Any] = {
        "calls": CallFolder.calls + taken.new + taken.changed,
        "left_out": CallFolder.left_out + sum(found.left_out.values()) + taken.ours,
        "bad": CallFolder.bad + bad,
        "doubtful": CallFolder.doubtful + (sum(it.doubtful for it in found.lines) if taken.new else 0),
        "read_at": reading.now,
    }
    if found.strange:
        values["strange"] = [*found.strange][-1]
    session.execute(sa.update(CallFolder).where(CallFolder.id == reading.row.id).values(**values))


def _found(shape: Shape, lines: Sequence[tuple[int, str]], how: How) -> FoundCalls:
    """The calls of lines; titles and empty lines are nothing."""
    rows: list[tuple[int, Mapping[str, str] | Said]] = []
    out: Counter[str] = Counter()
    for number, line in lines:
        try:
            if (row := row_of(shape, line)) is not None:
                rows.append((number, row))
        except LeftOut as left:
            out[left.why] += 1
        except BadValue as bad:
            rows.append((number, bad.said))
    found = read_rows(rows, how)
    del out["titles"]
    return replace(found, left_out=out + Counter(found.left_out))


def _text_of(file: Unread, row: CallFolder) -> _Text | None:
    """How the file is written; None while its first line is not whole."""
    with file.path.open("rb") as opened:
        head = opened.read(_HEAD_BYTES)
    encoding = decode(head[: head.rfind(b"\n") + 1 or len(head)])[1] if b"\0" not in head else _wide(head)
    newline = "\n".encode(encoding)
    end = _end_of_line(head, newline, 0)
    if end is None and len(head) == file.size:
        return None
    first = head[:end].decode(encoding, "replace").removeprefix("\ufeff").rstrip("\r\n")
    return _Text(encoding, newline, shape_of(first, PRESETS[row.preset], row.columns))


def _wide(head: bytes) -> str:
    """UTF-16 of either order: its line ends are two bytes, the beginning of a file may say which."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16-le" if head[:1] == b"\xff" else "utf-16-be"
    return "utf-16-le" if head[1::2].count(0) >= head[::2].count(0) else "utf-16-be"


def _next_lines(file: Unread, text: _Text, now: datetime) -> tuple[list[Line], int]:
    """Up to some hundred whole lines from where reading ended, and the offset after them."""
    with file.path.open("rb") as opened:
        about = os.fstat(opened.fileno())
        if about.st_ino != file.inode:  # renamed in this very moment
            return [], file.offset
        opened.seek(file.offset)
        data = opened.read(_CHUNK_BYTES)
    lines: list[Line] = []
    at = 0
    while len(lines) < _LINES and (end := _end_of_line(data, text.newline, at)) is not None:
        lines.append(Line(file.offset + at, data[at:end]))
        at = end
    rests = now.timestamp() - about.st_mtime > _WHOLE_AFTER_SECONDS
    if not lines and data and (rests or len(data) == _CHUNK_BYTES):
        return [Line(file.offset, data)], file.offset + len(data)
    return lines, file.offset + at


def _end_of_line(data: bytes, newline: bytes, at: int) -> int | None:
    """Where the next line begins; in UTF-16 only at whole characters."""
    wide = len(newline)
    found = data.find(newline, at)
    while found >= 0 and (found - at) % wide:
        found = data.find(newline, found + 1)
    return None if found < 0 else found + wide
