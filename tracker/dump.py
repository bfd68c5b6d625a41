"""A consistent copy of the database in one file, and back: SQLite by VACUUM INTO, PostgreSQL by pg_dump."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import sqlalchemy as sa

from tracker.database import Database
from tracker.errors import Rejected

_SIDE_FILES = ("", "-wal", "-shm")


def name_of(database: Database) -> str:
    """The dump's name inside a backup: says which kind of database it is for."""
    return "database.sqlite" if database.is_sqlite else "database.pgdump"


def dump(database: Database, path: Path) -> None:
    """Write everything committed at this instant to `path`; writers are not held up."""
    if database.is_sqlite:
        source = sqlite3.connect(file_of(database))
        try:
            source.execute("VACUUM INTO ?", (str(path),))
        finally:
            source.close()
    else:
        _run(
            database,
            "pg_dump",
            "--format=custom",
            "--schema=public",
            "--no-owner",
            "--no-acl",
            f"--file={path}",
        )


def load(database: Database, path: Path) -> None:
    """Fill an empty database from a dump."""
    if database.is_sqlite:
        file_of(database).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, file_of(database))
        return
    options = ("--schema=public", "--no-owner", "--no-acl", "--single-transaction", "--exit-on-error")
    _run(database, "pg_restore", *options, f"--dbname={_address(database)}", str(path))


def is_empty(database: Database) -> bool:
    """Whether nothing is in it yet; a SQLite file that does not exist is not made."""
    if database.is_sqlite:
        path = file_of(database)
        return not path.exists() or path.stat().st_size == 0
    with database.read() as session:
        return not sa.inspect(session.connection()).get_table_names()


def move_aside(database: Database, stamp: str) -> None:
    """Keep what is there under another name, so that the database is empty."""
    if database.is_sqlite:
        for side in _SIDE_FILES:
            path = Path(f"{file_of(database)}{side}")
            if path.exists():
                path.rename(f"{file_of(database)}.before-{stamp}{side}")
        return
    with database.write() as session:
        session.execute(sa.text(f'ALTER SCHEMA public RENAME TO "before_{stamp}"'))
        session.execute(sa.text("CREATE SCHEMA public"))


def file_of(database: Database) -> Path:
    """A SQLite database's file."""
    return Path(database.url.database or "")


def _run(database: Database, program: str, *options: str) -> None:
    address = (_address(database),) if program == "pg_dump" else ()
    environment = {**os.environ}
    if database.url.password:
        environment["PGPASSWORD"] = str(
            database.url.password
        )  # never on the command line, where `ps` shows it
    try:
        done = subprocess.run(
            [program, *options, *address], env=environment, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise Rejected(
            "backup.program", f"{program} is not on this machine", "apt-get install postgresql-client"
        ) from None
    if done.returncode:
        told = (done.stderr.strip().splitlines() or ["it gave no reason"])[0]
        raise Rejected("backup.program", f"{program} failed: {told}", "Put that right and try again")


def _address(database: Database) -> str:
    return database.url.set(drivername="postgresql", password=None).render_as_string()
