"""Everything from an export into an empty installation: verified as a whole, then all of it or nothing.

    read(database, settings, Path("/srv/leaving"), revision="0026")

The rows keep their ids, so what refers to them outside goes on doing so. The database may be of the other
kind than the one exported.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import package
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import Base, sheet_changes
from tracker.package import AUDIO, DESCRIPTION, FORMAT, SECRETS, Kind, Portion
from tracker.package_export import sha256_of
from tracker.package_values import from_arrow, readers
from tracker.parquet_export import need_pyarrow
from tracker.settings import Settings

_ROWS = 2_000  # a statement
_LARGEST_DESCRIPTION = 64 << 20
# What an installation writes of itself as soon as it runs; it gives way.
_OF_ITSELF = (
    "nodes", "node_configurations", "spool_files", "login_attempts", "sheet_changes", "apply_requests",
)  # fmt: skip


@dataclass
class Read:
    """What came in: rows by table, audio files; and what the export itself said was missing."""

    rows: dict[str, int] = field(default_factory=dict)
    audio: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Export:
    folder: Path
    about: Mapping[str, Any]
    resources: Mapping[str, Mapping[str, Any]]


def read(
    database: Database, settings: Settings, folder: Path, *, revision: str,
    seen: Callable[[str], object] = lambda _what: None,
) -> Read:  # fmt: skip
    """Brings an export in; `seen` is told each table.

    Raises Rejected import.damaged, import.format, import.revision, import.occupied, import.refused; nothing
    is changed then.
    """
    export = _open(folder, revision)
    done = Read(problems=list(export.about.get("problems", ())))
    settings.home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.home, prefix=".import-") as staged:
        audio = _stage_audio(export, Path(staged) / AUDIO)
        keys = _stage_secrets(export, Path(staged) / SECRETS)
        done.audio = len(audio)
        try:
            with database.write() as session:
                _refuse_occupied(session, settings)
                _fill(session, export, done, seen)
                _place(Path(staged) / AUDIO, settings.recordings_folder, audio)
                _place(Path(staged) / SECRETS, settings.home / SECRETS, keys)
        except sa.exc.DBAPIError as error:
            raise Rejected(
                "import.refused",
                "The database does not take it: %(why)s",
                "Nothing was changed; was the export changed by hand?",
                why=str(error.orig).splitlines()[0][:200],
            ) from None
    return done


def _open(folder: Path, revision: str) -> _Export:
    """The export's description, after every file of it was found to be as it was written."""
    path = folder / DESCRIPTION
    if not path.is_file() or path.stat().st_size > _LARGEST_DESCRIPTION:
        raise _damaged(f"{path} is not there")
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        about = told["leaseline"]
        resources = {it["name"]: it for it in told["resources"]}
        known = (about["format"], about["revision"])
        files = [(it["path"], it["hash"]) for it in resources.values()]
    except (ValueError, KeyError, TypeError):
        raise _damaged(f"{path} does not describe an export of Leaseline") from None
    if known != (FORMAT, revision):
        raise Rejected(
            "import.revision",
            "The export is of revision %(theirs)s, this Leaseline is at %(ours)s",
            "Import it with the Leaseline that wrote it, then run `leaseline db upgrade`",
            theirs=f"{known[1]} (format {known[0]})"[:60],
            ours=f"{revision} (format {FORMAT})",
        )
    for name, told_hash in files:
        if f"sha256:{sha256_of(_inside(folder, name))}" != told_hash:
            raise _damaged(f"{name} is not what was written")
    return _Export(folder, about, resources)


def _inside(folder: Path, name: str) -> Path:
    """A file of the export: nowhere else, and no link to anywhere else."""
    path = Path(os.path.realpath(folder / str(name)))
    if not path.is_relative_to(os.path.realpath(folder)) or not path.is_file():
        raise _damaged(f"{str(name)[:80]!r} is not in it")
    return path


def _stage_audio(export: _Export, staged: Path) -> list[str]:
    """The audio files, copied and verified; their names below the recordings folder."""
    if AUDIO not in export.resources:
        return []
    names = []
    for told in _json_lines(export.folder / "audio.jsonl"):
        name = str(told.get("path", ""))
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*", name):
            raise _damaged(f"{name[:80]!r} is no name of a recording")
        place = staged / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_inside(export.folder, f"{AUDIO}/{name}"), place)
        if sha256_of(place) != told.get("sha256"):
            raise _damaged(f"{name} is not what was written")
        names.append(name)
    return names


def _stage_secrets(export: _Export, staged: Path) -> list[str]:
    """The keys, where the export has them."""
    told: Mapping[str, str] = export.about.get("secrets") or {}
    staged.mkdir()
    for name, sha256 in told.items():
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
            raise _damaged(f"{name[:80]!r} is no name of a key")
        place = staged / name
        shutil.copyfile(_inside(export.folder, f"{SECRETS}/{name}"), place)
        place.chmod(0o600)
        if sha256_of(place) != sha256:
            raise _damaged(f"{name} is not what was written")
    return list(told)


def _refuse_occupied(session: Session, settings: Settings) -> None:
    """Raises Rejected import.occupied where anything would be mixed with what is there."""
    for table in Base.metadata.sorted_tables:
        if table.name not in _OF_ITSELF and session.execute(sa.select(table).limit(1)).first():
            raise _occupied(f"the table {table.name}")
    folder = settings.recordings_folder
    if folder.is_dir() and any(folder.iterdir()):
        raise _occupied(str(folder))


def _fill(session: Session, export: _Export, done: Read, seen: Callable[[str], object]) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("SET LOCAL statement_timeout = 0"))
    for name in _OF_ITSELF:
        session.execute(sa.delete(Base.metadata.tables[name]))
    for portion in package.portions(secrets=True):
        name = portion.table.name
        if name in export.resources:
            seen(name)
            done.rows[name] = _fill_table(session, portion, export)
    # Noted by triggers while the rows came in; no sheet is there that could be outdated.
    session.execute(sa.delete(sheet_changes))


def _fill_table(session: Session, portion: Portion, export: _Export) -> int:
    table, read = portion.table, readers(portion)
    told = export.resources[table.name]
    rows = _ROWS_OF[Kind(told["format"])](export.folder / told["path"], portion)
    count = 0
    connection = session.connection()
    while part := list(islice(rows, _ROWS)):
        try:
            values = [{name: how(row.get(name)) for name, how in read.items()} for row in part]
        except (ValueError, TypeError, ArithmeticError):
            raise _damaged(f"{told['path']} holds a value that is none") from None
        connection.execute(sa.insert(table), values)
        count += len(part)
    _go_on_counting(session, table)
    return count


def _json_lines(path: Path, _portion: Portion | None = None) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            if not isinstance(row, dict):
                raise _damaged(f"{path.name} has a line that is no JSON object")
            yield row


def _parquet(path: Path, portion: Portion) -> Iterator[dict[str, Any]]:
    need_pyarrow()
    import pyarrow.parquet as pq

    columns = {it.name: it for it in portion.columns}
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_ROWS):
            for row in batch.to_pylist():
                known = {name: value for name, value in row.items() if name in columns}
                yield {name: from_arrow(columns[name], value) for name, value in known.items()}


_ROWS_OF: dict[Kind, Callable[[Path, Portion], Iterator[dict[str, Any]]]] = {
    Kind.JSONL: _json_lines,
    Kind.PARQUET: _parquet,
}


def _go_on_counting(session: Session, table: sa.Table) -> None:
    """New rows get ids after those that came in; SQLite sees to that itself."""
    column = table.autoincrement_column
    if column is None or session.get_bind().dialect.name != "postgresql":
        return
    sequence = session.scalar(sa.select(sa.func.pg_get_serial_sequence(table.name, column.name)))
    highest = session.scalar(sa.select(sa.func.max(column)))
    if sequence and highest:
        session.execute(sa.select(sa.func.setval(sequence, highest)))


def _place(staged: Path, store: Path, names: Iterable[str]) -> None:
    """The audio and keys to where they belong, before the rows that name them are there for anybody.

    Keys that were made when an empty installation started give way to those of the export.
    """
    for name in names:
        place = store / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(staged / name, place)


def _occupied(what: str) -> Rejected:
    return Rejected(
        "import.occupied",
        "This installation is not empty: there is something in %(what)s",
        "Import into an empty one: another LEASELINE_HOME or LEASELINE_DATABASE_URL",
        what=what,
    )


def _damaged(what: str) -> Rejected:
    return Rejected(
        "import.damaged",
        "The export is damaged: %(what)s",
        "Export again; nothing was changed here",
        what=what,
    )
