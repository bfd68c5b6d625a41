"""What a person has set up of the page for himself."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from tracker.audit import By
from tracker.models import User
from tracker.policy.call_columns import CallColumn

COLUMNS = "columns"


def keep_columns(session: Session, by: By, user_id: int, columns: Iterable[CallColumn] | None) -> None:
    """The columns of the list of calls from now on; None: the usual ones, whatever they will be."""
    user = session.get_one(User, user_id)
    kept = dict(user.preferences)
    kept.pop(COLUMNS, None)
    if columns is not None:
        kept[COLUMNS] = [column.value for column in columns]
    if kept != user.preferences:
        user.preferences = kept
        by.note(session, "user.columns", subject=user.email, detail={"columns": kept.get(COLUMNS)})
