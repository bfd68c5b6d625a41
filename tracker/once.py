"""Inserting what may be there already, in one statement, on either database."""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

Insert = sqlite.Insert | postgresql.Insert


def insert(session: Session, model: type[Any]) -> Insert:
    """An INSERT into the model's table that knows ON CONFLICT."""
    return _insert(session.get_bind().dialect.name, model.__table__)


def insert_once(
    session: Session,
    model: type[Any],
    rows: list[dict[str, Any]],
    unique: tuple[str, ...],
    returning: tuple[str, ...] = ("id",),
) -> list[sa.Row[Any]]:
    """Inserts the rows that are not there yet; gives those columns of the ones that were new.

    Where another transaction is just inserting the same row, this waits for it and gives way.
    """
    if not rows:
        return []
    statement = _once(session.get_bind().dialect.name, model.__table__, unique, returning)
    return list(session.connection().execute(statement, rows))


def _insert(dialect: str, table: sa.Table) -> Insert:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


@cache
def _once(
    dialect: str, table: sa.Table, unique: tuple[str, ...], returning: tuple[str, ...]
) -> sa.Executable:
    columns = [table.c[name] for name in returning]
    return _insert(dialect, table).on_conflict_do_nothing(index_elements=unique).returning(*columns)
