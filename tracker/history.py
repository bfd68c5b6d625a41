"""A visitor's history: every visit, what one of them did, and every call that came of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.calls import visitor_calls
from tracker.errors import Rejected
from tracker.journey import Journey, read_journey
from tracker.models import Call, Visit, Visitor


@dataclass(frozen=True)
class History:
    """One visit in full, and the calls of its visitor, newest first."""

    journey: Journey
    calls: Sequence[Call]


def get_history(session: Session, company_ids: Iterable[int], visit_id: int, now: datetime) -> History:
    """The history around a visit. Raises Rejected `visit.unknown`, also for another company's."""
    ids = list(company_ids)
    visitor_id = session.scalar(
        sa.select(Visit.visitor_id)
        .join(Visitor, Visitor.id == Visit.visitor_id)
        .where(Visit.id == visit_id, Visitor.company_id.in_(ids))
    )
    if visitor_id is None:
        raise Rejected("visit.unknown", "There is no such visit", "Open it from the page of a call")
    return History(read_journey(session, visit_id, now), visitor_calls(session, ids, visitor_id))
