"""Reading files that Asterisk appends to: from where the last reading ended, whole lines only.

How far each file has been read stands in `spool_files` and moves in the transaction that stores what was
read, so a crash in between loses and doubles nothing. Files are read in the order of their names, oldest
first.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.models import SpoolFile
from tracker.once import insert

_CHUNK_BYTES = 262_144
_REMEMBERED = 64  # files looked up in the books; at most about 40 are ever considered
_STILL_GROWING = 3  # before the newest one begun: around a full hour, or with a clock set back

_OFFSETS = (
    sa.select(SpoolFile.name, SpoolFile.inode, SpoolFile.offset)
    .where(
        SpoolFile.node == sa.bindparam("node"),
        SpoolFile.name >= sa.bindparam("begin"),
        SpoolFile.name < sa.bindparam("end"),
    )
    .order_by(SpoolFile.name.desc())
    .limit(_REMEMBERED)
)


@dataclass(frozen=True)
class Names:
    """Which files of a folder belong together: their names begin alike, match, and sort by age."""

    begin: str
    pattern: re.Pattern[str]

    def among(self, folder: Path) -> list[str]:
        """The names in that folder, oldest first; none when it is not there yet."""
        try:
            return sorted(name for name in os.listdir(folder) if self.pattern.fullmatch(name))  # noqa: PTH208
        except FileNotFoundError:
            return []


@dataclass(frozen=True)
class Unread:
    """A file with bytes that have not been read: from `offset` to `size`."""

    path: Path
    inode: int
    offset: int
    size: int

    def read_to(self, offset: int) -> Unread:
        return replace(self, offset=offset)


@dataclass(frozen=True)
class Line:
    offset: int
    text: bytes


def unread(session: Session, folder: Path, node: str, names: Names, since: str) -> list[Unread]:
    """The files with something new, oldest first. One query, and a stat of the files that may still grow.

    Those are the files named `since` or later, the newest one that was ever begun, a few before it and all
    after it: files are read in order, so everything older was read to its end.
    """
    offsets = _offsets(session, node, names)
    begun = max((name for name, _ in offsets), default="")
    every = names.among(folder)
    first = max(0, sum(name < begun for name in every) - _STILL_GROWING)
    found = []
    for name in every[first:] + [name for name in every[:first] if name >= since]:
        file = whole(folder / name)
        if file is None:
            continue
        read = offsets.get((name, file.inode), 0)
        if read > file.size:  # somebody cut the file: what it holds now is new
            read = 0
        if read < file.size:
            found.append(file.read_to(read))
    return sorted(found, key=lambda file: file.path.name)


def whole(path: Path) -> Unread | None:
    """The file from its first byte; None when it is gone."""
    try:
        about = path.stat()
    except FileNotFoundError:
        return None
    return Unread(path, about.st_ino, 0, about.st_size)


def next_lines(file: Unread, most: int) -> tuple[list[Line], int]:
    """Up to that many whole lines from where reading ended, and the offset after them.

    A last line without its end is left for later, unless it is longer than any line can be.
    """
    try:
        with file.path.open("rb") as opened:
            if os.fstat(opened.fileno()).st_ino != file.inode:  # renamed in this very moment
                return [], file.offset
            opened.seek(file.offset)
            data = opened.read(_CHUNK_BYTES)
    except FileNotFoundError:
        return [], file.offset
    if b"\n" not in data and len(data) == _CHUNK_BYTES:
        return [Line(file.offset, data)], file.offset + len(data)
    lines = list(_whole_lines(data, file.offset, most))
    return lines, (lines[-1].offset + len(lines[-1].text) + 1) if lines else file.offset


def save(session: Session, node: str, file: Unread, now: datetime) -> None:
    """Notes that the file has been read up to its `offset`."""
    statement = insert(session, SpoolFile).values(
        node=node, name=file.path.name, inode=file.inode, offset=file.offset, read_at=now
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["node", "name", "inode"],
            set_={"offset": statement.excluded.offset, "read_at": statement.excluded.read_at},
        )
    )


def _offsets(session: Session, node: str, names: Names) -> dict[tuple[str, int], int]:
    rows = session.execute(
        sa.select(SpoolFile.name, SpoolFile.inode, SpoolFile.offset)
        .where(SpoolFile.node == node, SpoolFile.name >= names.begin, SpoolFile.name < names.begin + "\x7f")
        .order_by(SpoolFile.name.desc())
        .limit(_REMEMBERED)
    )
    return {(row.name, row.inode): row.offset for row in rows}


def _whole_lines(data: bytes, offset: int, most: int) -> Iterator[Line]:
    *parts, _partial = data.split(b"\n", most)
    for part in parts:
        yield Line(offset, part)
        offset += len(part) + 1
