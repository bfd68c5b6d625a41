"""Many rows into a table, made ready before anybody has to wait for them.

SQLite has one writer. What a driver takes is worked out by whoever may take his time; only the rows
themselves go in while others wait.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from tracker.models import Base
from tracker.portions import portions


@dataclass(frozen=True)
class Ready:
    """Rows as the driver takes them; each has these columns."""

    names: tuple[str, ...] = ()
    rows: Sequence[tuple[Any, ...]] = ()


def make_ready(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> Ready:
    """The rows, whose columns are those of the first."""
    if not rows:
        return Ready()
    names = tuple(rows[0])
    columns = (_values(session, model, name, [row[name] for row in rows]) for name in names)
    return Ready(names, list(zip(*columns, strict=True)))


def pour(session: Session, model: type[Base], ready: Ready, **same: Any) -> None:
    """Insert them, each with the values of `same` as well. Raises sqlalchemy.exc.IntegrityError."""
    if not ready.rows:
        return
    more = tuple(_values(session, model, name, [value])[0] for name, value in same.items())
    names = (*ready.names, *same)
    mark = "?" if session.get_bind().dialect.name == "sqlite" else "%s"
    marks = ", ".join(mark for _ in names)
    statement = f"INSERT INTO {model.__tablename__} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608
    connection = session.connection()
    for part in portions(ready.rows):
        connection.exec_driver_sql(statement, [row + more for row in part])


def _values(session: Session, model: type[Base], name: str, values: Sequence[Any]) -> list[Any]:
    dialect = session.get_bind().dialect
    process = model.__table__.c[name].type.dialect_impl(dialect).bind_processor(dialect)
    return list(values) if process is None else [process(value) for value in values]
