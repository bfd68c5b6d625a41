"""The database: engines, and the one way to open a transaction.

    with database.write() as session: ...    # one transaction; commits at the end, rolls back on an exception
    with database.read() as session: ...     # a snapshot; never waits for a writer on SQLite
    Database(url, read_only=True)            # nothing can be written through it, whoever tries

SQLite runs in WAL with full sync: what was committed survives a power cut. A write transaction takes the one
writer's place at its start (BEGIN IMMEDIATE), so it waits there or nowhere.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from tracker.sealed import KEPT_AT
from tracker.vault import Vault


class Database:
    """A database by its SQLAlchemy URL. `wait_seconds` bounds waiting for a lock or a connection.

    `secret_key` opens what is sealed in it (tracker.sealed); without one it stays shut.

    On PostgreSQL a connection is asked whether it still stands before it is used, unless it was used within
    `trusted_seconds`: then whoever comes first after a restart of the server gets an error.

    `read_only`: the database itself refuses every change, and an SQLite file that is not there is not made.
    """

    def __init__(
        self,
        url: str,
        *,
        secret_key: str = "",
        wait_seconds: float = 10.0,
        connections: int = 5,
        trusted_seconds: float = 0.0,
        read_only: bool = False,
    ) -> None:
        self.url = sa.make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if read_only and self.is_sqlite:
            self.engine = _sqlite_to_read(self.url, wait_seconds, connections)
        else:
            self.engine = _engine(self.url, wait_seconds, connections, trusted_seconds, read_only=read_only)
        if secret_key:
            setattr(self.engine.dialect, KEPT_AT, Vault(secret_key))
        self._writing = self.engine.execution_options(leaseline_begin="BEGIN IMMEDIATE")

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for looking only; whatever it changed is dropped."""
        with Session(self.engine, autoflush=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction for one thing that happened.

        Raises sqlalchemy.exc.OperationalError when it had to wait longer than `wait_seconds` or the server is
        gone; nothing is stored then.
        """
        # Nobody looks at an object after the commit: it need not be forgotten, one attribute at a time.
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def analyse(self) -> None:
        """Count what the planner chooses its indices by; 0.2 s for a million calls.

        PostgreSQL does it by itself. SQLite without it takes a company's calls for a handful, and reads them
        all. Connections already open learn of it when they are made anew, within the hour.
        """
        if self.is_sqlite:
            with self.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA analysis_limit = 1000")
                connection.exec_driver_sql("ANALYZE")
                connection.commit()

    def close(self) -> None:
        self.engine.dispose()


def _engine(
    url: sa.URL, wait_seconds: float, connections: int, trusted_seconds: float, *, read_only: bool
) -> sa.Engine:
    more = _pool(wait_seconds, connections)
    if url.get_backend_name() == "sqlite":
        engine = (
            sa.create_engine(
                url, connect_args={"timeout": wait_seconds}, json_serializer=_json, pool_recycle=3600, **more
            )
            if url.database not in {None, "", ":memory:"}
            else sa.create_engine(url, connect_args={"check_same_thread": False}, poolclass=sa.StaticPool)
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    timeout = f"-c lock_timeout={int(wait_seconds * 1000)} -c statement_timeout={int(wait_seconds * 3000)}"
    refusing = " -c default_transaction_read_only=on" if read_only else ""
    connect = {
        "connect_timeout": max(2, int(wait_seconds)),
        "options": f"-c timezone=UTC {timeout}{refusing}",
    }
    engine = sa.create_engine(url, connect_args=connect, **more)
    event.listen(engine, "checkin", _note_idle)
    event.listen(engine, "checkout", _ping_of(engine.dialect, trusted_seconds))
    return engine


def _sqlite_to_read(url: sa.URL, wait_seconds: float, connections: int) -> sa.Engine:
    """SQLite opens the file itself so that it cannot be written; only an address of that form can say so."""
    path = Path(url.database or "").absolute()
    only = url.set(database=f"file:{quote(str(path))}", query={"mode": "ro", "uri": "true"})
    engine = sa.create_engine(
        only, connect_args={"timeout": wait_seconds}, pool_recycle=3600, **_pool(wait_seconds, connections)
    )
    event.listen(engine, "connect", _prepare_reading)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _pool(wait_seconds: float, connections: int) -> dict[str, Any]:
    # The connection used last comes first: what it has read and prepared is still in its memory.
    # Errors are logged, and what a statement is about may be a caller's number.
    return {
        "pool_size": connections, "pool_timeout": wait_seconds, "pool_use_lifo": True, "hide_parameters": True
    }  # fmt: skip


def _json(value: Any) -> str:
    """Most are empty, and to make an encoder for each costs as much as a row."""
    return "{}" if value == {} else "[]" if value == [] else json.dumps(value)


def _note_idle(_connection: Any, record: Any) -> None:
    record.info["idle_since"] = time.monotonic()


def _ping_of(dialect: sa.Dialect, trusted_seconds: float) -> Callable[[Any, Any, Any], None]:
    """Asks a connection that idled whether it still stands; the server may have been restarted meanwhile.

    pool_pre_ping asks before every transaction: a tenth of what a page view costs.
    """

    def ping(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("idle_since", float("inf")) < trusted_seconds:
            return  # used a moment ago, or new
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise sa.exc.InvalidatePoolError from error

    return ping


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: the driver would say it too late
    # SQLite's own knows A to Z only; PostgreSQL's every letter, and so do people who search.
    connection.create_function("lower", 1, _lower, deterministic=True)
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA temp_store = MEMORY")
    cursor.close()


def _prepare_reading(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    connection.create_function("lower", 1, _lower, deterministic=True)
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only = ON")
    cursor.execute("PRAGMA temp_store = MEMORY")
    cursor.close()


def _lower(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("leaseline_begin", "BEGIN"))
