"""Holding a row while it is changed, so that two who do the same at once do it once."""

from __future__ import annotations

from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session

from tracker.errors import Rejected
from tracker.models import Base


def hold(session: Session, row: Base, gone: Rejected) -> None:
    """Read the row anew and keep others from changing it; raises `gone` where it is there no more."""
    session.flush()
    try:
        session.refresh(row, with_for_update=True)
    except InvalidRequestError:
        raise gone from None
