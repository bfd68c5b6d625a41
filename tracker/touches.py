"""The touches of a visitor, out of the visits that are stored."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.models import Visit
from tracker.policy.touches import Touch, Touches, touches

__all__ = ["Touch", "Touches", "touches_of"]

MOST_VISITS = 1000  # of one visitor; beyond that it is no person, and only the latest ones are looked at


def touches_of(session: Session, visitor_id: int, at: datetime) -> Touches:
    """First, last and last non-direct touch of the visitor, as they stood at that instant."""
    columns = (
        Visit.id,
        Visit.started_at,
        Visit.medium,
        Visit.source,
        Visit.campaign,
        Visit.keyword,
        Visit.group,
    )
    past = sa.select(*columns).where(Visit.visitor_id == visitor_id, Visit.started_at <= at)
    first = session.execute(past.order_by(Visit.started_at, Visit.id).limit(1)).all()
    latest = session.execute(past.order_by(Visit.started_at.desc(), Visit.id.desc()).limit(MOST_VISITS)).all()
    return touches([Touch(*row) for row in {*first, *latest}], at)
