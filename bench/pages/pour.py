"""Rows by the million into an empty database: SQLite's executemany, PostgreSQL's COPY.

    pour(database, Visit, {"id": ids, "started_at": instants(seconds)})

Values go in as the driver takes them: instants as text in UTC, JSON as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import sqlalchemy as sa

from tracker.database import Database
from tracker.models import Base

Column = Iterable[Any]


def instants(seconds: np.ndarray) -> list[str]:
    """Epoch seconds as both databases read them."""
    return [each.replace("T", " ") for each in np.datetime_as_string(stamps(seconds), unit="us").tolist()]


def stamps(seconds: np.ndarray) -> np.ndarray:
    return (seconds * 1e6).astype("int64").astype("datetime64[us]")


def pour(database: Database, model: type[Base], columns: Mapping[str, Column]) -> int:
    """Insert the rows whose values stand in these columns; gives how many there were."""
    table, names = model.__tablename__, ", ".join(f'"{name}"' for name in columns)
    rows = zip(*columns.values(), strict=False)  # a column may go on for ever
    raw = database.engine.raw_connection()
    try:
        if database.is_sqlite:
            marks = ", ".join("?" for _ in columns)
            raw.execute("BEGIN")
            made = raw.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows).rowcount
        else:
            made = _copy(raw.cursor(), f"COPY {table} ({names}) FROM STDIN", rows)
        raw.commit()
    finally:
        raw.close()
    return int(made)


def _copy(cursor: Any, statement: str, rows: Iterable[tuple[Any, ...]]) -> int:
    cursor.execute("SET LOCAL statement_timeout = 0")  # a million rows at once
    with cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
    return int(cursor.rowcount)


def settle(database: Database) -> None:
    """What a database and our worker do in their own time: the log emptied, the planner's statistics made.

    On PostgreSQL also the next free ids, which rows with ids of their own have not moved.
    """
    with database.engine.connect() as connection:
        if database.is_sqlite:
            database.analyse()
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        for table in Base.metadata.tables.values():
            column = table.autoincrement_column
            if column is not None:
                newest = f"SELECT coalesce(max({column.name}), 1) FROM {table.name}"
                sequence = f"pg_get_serial_sequence('{table.name}', '{column.name}')"
                connection.exec_driver_sql(f"SELECT setval({sequence}, ({newest}))")
        connection.commit()
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))
