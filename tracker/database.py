"""The database: engines, and the one way to open a transaction.

    with database.write() as session: ...    # one transaction; commits at the end, rolls back on an exception
    with database.read() as session: ...     # a snapshot; never waits for a writer on SQLite

SQLite runs in WAL with full sync: what was committed survives a power cut. A write transaction takes the one
writer's place at its start (BEGIN IMMEDIATE), so it waits there or nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session


class Database:
    """A database by its SQLAlchemy URL. `wait_seconds` bounds waiting for a lock or a connection."""

    def __init__(self, url: str, *, wait_seconds: float = 10.0, connections: int = 5) -> None:
        self.url = sa.make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _engine(self.url, wait_seconds, connections)
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

    def close(self) -> None:
        self.engine.dispose()


def _engine(url: sa.URL, wait_seconds: float, connections: int) -> sa.Engine:
    if url.get_backend_name() == "sqlite":
        engine = (
            sa.create_engine(
                url, connect_args={"timeout": wait_seconds}, pool_size=connections, pool_timeout=wait_seconds
            )
            if url.database not in {None, "", ":memory:"}
            else sa.create_engine(url, connect_args={"check_same_thread": False}, poolclass=sa.StaticPool)
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    timeout = f"-c lock_timeout={int(wait_seconds * 1000)} -c statement_timeout={int(wait_seconds * 3000)}"
    return sa.create_engine(
        url,
        pool_size=connections,
        pool_timeout=wait_seconds,
        pool_pre_ping=True,
        connect_args={"connect_timeout": max(2, int(wait_seconds)), "options": f"-c timezone=UTC {timeout}"},
    )


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: the driver would say it too late
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA temp_store = MEMORY")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("leaseline_begin", "BEGIN"))
