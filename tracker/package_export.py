"""Everything into a folder: each table as JSON Lines and Parquet, the audio, and what describes them.

    write(database, settings, Path("/srv/leaving"), now, revision="0026", kinds=(Kind.JSONL,), secrets=False)

All tables are of one instant, while calls go on. The folder is there whole or not at all.
tracker/package_import.py reads it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import package
from tracker.column_notes import table_note
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import Call, Recording
from tracker.package import AUDIO, DESCRIPTION, FORMAT, SECRETS, Kind, Portion
from tracker.package_values import arrow_schema, to_arrow, to_json
from tracker.parquet_export import need_pyarrow
from tracker.sealed import Sealed
from tracker.settings import Settings

_ROWS = 5_000  # in memory at a time
_README = """Everything that Leaseline held at the instant that {name} tells.

{name}      each table's columns with type, meaning and references, and the SHA-256 of each file:
                      a Data Package, https://datapackage.org
tables/*.jsonl        a table's rows, a JSON object a line (UTF-8)
tables/*.parquet      the same with exact types, for pandas, DuckDB and the like
audio/                recordings, where the column `path` of `recordings` says; audio.jsonl lists them

Instants are in UTC, amounts are texts with exact decimals, bytes are in base64.
`leaseline import everything FOLDER` brings it into an empty installation on either kind of database.
"""


@dataclass
class Written:
    """What an export holds: rows by table, audio files, what is not in it and why."""

    rows: dict[str, int] = field(default_factory=dict)
    audio: int = 0
    audio_bytes: int = 0
    left_out: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def write(
    database: Database, settings: Settings, folder: Path, now: datetime, *, revision: str,
    kinds: Collection[Kind], secrets: bool, recordings: bool = True,
    seen: Callable[[str], object] = lambda _what: None,
) -> Written:  # fmt: skip
    """Writes the export; `seen` is told each table and file.

    Raises Rejected export.folder, export.parquet.
    """
    if Kind.PARQUET in kinds:
        need_pyarrow()
    with _folder_of(folder) as unfinished, snapshot(database) as session:
        told = _Telling(Written(left_out=package.left_out(secrets=secrets)), unfinished)
        (unfinished / "tables").mkdir()
        for portion in package.portions(secrets=secrets):
            seen(portion.table.name)
            told.resources += _write_table(session, portion, kinds, told)
        if recordings:
            _write_audio(session, settings, told, seen)
        _tell_unfinished(session, told.written)
        kept = _copy_secrets(settings, unfinished) if secrets else None
        _describe(told, now, revision, kept, recordings=recordings)
    return told.written


@contextmanager
def snapshot(database: Database) -> Iterator[Session]:
    """The database as it is at one instant, however long it takes to read it."""
    with database.read() as session:
        if not database.is_sqlite:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            session.execute(sa.text("SET LOCAL statement_timeout = 0"))
        yield session


@dataclass
class _Telling:
    written: Written
    folder: Path
    resources: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def _folder_of(folder: Path) -> Iterator[Path]:
    """A folder beside the one wanted, which takes its name at the end."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Rejected(
            "export.folder",
            "There is something in %(folder)s already",
            "Name a new folder",
            folder=str(folder),
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        yield unfinished
        if folder.exists():
            folder.rmdir()
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write_table(
    session: Session, portion: Portion, kinds: Collection[Kind], told: _Telling
) -> list[dict[str, Any]]:
    name = portion.table.name
    paths = {kind: f"tables/{name}.{kind}" for kind in sorted(kinds)}
    rows = 0
    with ExitStack() as stack:
        writers = [
            stack.enter_context(_WRITERS[kind](told.folder / path, portion)) for kind, path in paths.items()
        ]
        for part in _parts(session, portion):
            rows += len(part)
            for put in writers:
                put(part)
    told.written.rows[name] = rows
    about = {"description": note} if (note := table_note(name)) else {}
    return [
        {"name": name if kind is min(paths) else f"{name}_{kind}", **about, "rows": rows,
         **_file_of(told.folder, path), "format": kind.value, "schema": package.schema_of(portion)}
        for kind, path in paths.items()
    ]  # fmt: skip


def _parts(session: Session, portion: Portion) -> Iterator[Sequence[tuple[Any, ...]]]:
    """What is sealed leaves sealed, beside its key (`_copy_secrets`)."""
    columns = [
        sa.null().label(it.name)
        if it.name in portion.blank
        else sa.type_coerce(it, sa.Text).label(it.name)
        if isinstance(it.type, Sealed)
        else it
        for it in portion.columns
    ]
    order = list(portion.table.primary_key) or list(portion.table.columns)
    wanted = sa.select(*columns).select_from(portion.table).order_by(*order)
    streamed = wanted.execution_options(stream_results=True, max_row_buffer=_ROWS)
    for part in session.connection().execute(streamed).partitions(_ROWS):
        yield [tuple(row) for row in part]


Put = Callable[[Sequence[tuple[Any, ...]]], None]


@contextmanager
def _json_lines(path: Path, portion: Portion) -> Iterator[Put]:
    names = [it.name for it in portion.columns]
    with path.open("x", encoding="utf-8", newline="\n") as file:

        def put(rows: Sequence[tuple[Any, ...]]) -> None:
            for row in rows:
                thing = dict(zip(names, map(to_json, row), strict=True))
                file.write(json.dumps(thing, ensure_ascii=False, separators=(",", ":")) + "\n")

        yield put


@contextmanager
def _parquet(path: Path, portion: Portion) -> Iterator[Put]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = arrow_schema(portion)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:

        def put(rows: Sequence[tuple[Any, ...]]) -> None:
            arrays = [
                pa.array([to_arrow(column, row[at]) for row in rows], schema.field(at).type)
                for at, column in enumerate(portion.columns)
            ]
            writer.write_table(pa.table(arrays, schema))

        yield put


_WRITERS = {Kind.JSONL: _json_lines, Kind.PARQUET: _parquet}


def _write_audio(session: Session, settings: Settings, told: _Telling, seen: Callable[[str], object]) -> None:
    """Every file that a recording names, with its SHA-256; one that is not there is told."""
    wanted = sa.select(Recording.path, Recording.copies, Recording.sha256, Call.key)
    rows = session.execute(wanted.join(Call).where(Recording.path.is_not(None)).order_by(Recording.id)).all()
    with (told.folder / "audio.jsonl").open("x", encoding="utf-8") as listed:
        for path, copies, sha256, key in rows:
            for name in (str(path), *copies):
                made = _copy(settings.recordings_folder, told.folder / AUDIO, name)
                if made is None or (name == path and sha256 not in {None, made["sha256"]}):
                    told.written.problems.append(
                        f"{name}: the recording of call {key} "
                        + ("is not there" if made is None else "has changed since it was made")
                    )
                if made is not None:
                    seen(name)
                    told.written.audio += 1
                    told.written.audio_bytes += made["bytes"]
                    listed.write(json.dumps({"path": name, "call": key} | made) + "\n")
    fields = [{"name": name, "type": kind} for name, kind in (
        ("path", "string"), ("call", "string"), ("bytes", "integer"), ("sha256", "string"),
    )]  # fmt: skip
    told.resources.append(
        {"name": AUDIO, "description": "The files below audio/, and the key of the call of each.",
         "rows": told.written.audio, **_file_of(told.folder, "audio.jsonl"), "format": "jsonl",
         "schema": {"fields": fields, "primaryKey": ["path"]}}
    )  # fmt: skip


def _copy(store: Path, into: Path, name: str) -> dict[str, Any] | None:
    source = Path(os.path.realpath(store / name))
    if not source.is_relative_to(os.path.realpath(store)) or not source.is_file():
        return None
    place = into / name
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, place)
    return {"bytes": place.stat().st_size, "sha256": sha256_of(place)}


def sha256_of(path: Path) -> str:
    """Of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _file_of(folder: Path, path: str) -> dict[str, Any]:
    return {
        "path": path,
        "bytes": (folder / path).stat().st_size,
        "hash": f"sha256:{sha256_of(folder / path)}",
    }


def _tell_unfinished(session: Session, written: Written) -> None:
    """Calls that go on, and sound that is not finished, are not in it as they will be."""
    still = session.scalar(sa.select(sa.func.count()).select_from(Call).where(Call.ended_at.is_(None)))
    pending = sa.select(sa.func.count()).select_from(Recording).where(Recording.state == "pending")
    if still:
        written.problems.append(f"{still} calls were going on: export again when they are over")
    if count := session.scalar(pending):
        written.problems.append(f"{count} recordings were not finished: their sound is not in it")


def _copy_secrets(settings: Settings, folder: Path) -> dict[str, str]:
    """The keys of this installation, without which nothing of what they seal can be read; their SHA-256."""
    source, place = settings.home / SECRETS, folder / SECRETS
    place.mkdir()
    for file in sorted(source.iterdir()) if source.is_dir() else ():
        if file.is_file() and not file.is_symlink():
            shutil.copyfile(file, place / file.name)
    return {file.name: sha256_of(file) for file in sorted(place.iterdir())}


def _describe(
    told: _Telling, now: datetime, revision: str, secrets: dict[str, str] | None, *, recordings: bool
) -> None:
    description = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "leaseline-export",
        "created": to_json(now),
        "leaseline": {
            "format": FORMAT, "revision": revision, "recordings": recordings, "secrets": secrets,
            "left_out": told.written.left_out, "problems": told.written.problems,
        },
        "resources": told.resources,
    }  # fmt: skip
    text = json.dumps(description, ensure_ascii=False, indent=1)
    (told.folder / DESCRIPTION).write_text(text, encoding="utf-8")
    (told.folder / "README.txt").write_text(_README.format(name=DESCRIPTION), encoding="utf-8")
    for path in told.folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
