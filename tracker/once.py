"""Inserting what may be there already, in one statement, on either database."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

Insert = sqlite.Insert | postgresql.Insert


def insert(session: Session, model: type[Any]) -> Insert:
    """An INSERT into the model's table that knows ON CONFLICT."""
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(model.__table__)
    return postgresql.insert(model.__table__)


def insert_once(session: Session, model: type[Any], rows: list[dict[str, Any]], *unique: str) -> list[Any]:
    """Inserts the rows that are not there yet; gives the ids of those that were new.

    Where another transaction is just inserting the same row, this waits for it and gives way.
    """
    if not rows:
        return []
    table = model.__table__
    statement = insert(session, model).on_conflict_do_nothing(index_elements=unique).returning(table.c.id)
    return list(session.execute(statement, rows).scalars())
