"""A visitor's history: every visit, what one of them did, and every call that came of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import calls, journey
from tracker.calls import visitor_calls
from tracker.errors import Rejected
from tracker.journey import Journey, read_journey
from tracker.models import Call, CodeLease, Lease, Visit, Visitor


@dataclass(frozen=True)
class History:
    """One visit in full, and the calls of its visitor, newest first."""

    journey: Journey
    calls: Sequence[Call]


def get_history(session: Session, company_ids: Iterable[int], visit_id: int, now: datetime) -> History:
    """The history around a visit. Raises Rejected `visit.unknown`, also for another company's."""
    ids = list(company_ids)
    visitor = _visitor(session, ids, visit_id)
    return History(read_journey(session, visit_id, now), visitor_calls(session, ids, visitor.id))


def company_of(session: Session, company_ids: Iterable[int], visit_id: int) -> int:
    """The company of a visit. Raises Rejected `visit.unknown`, also for another company's."""
    return _visitor(session, company_ids, visit_id).company_id


def _visitor(session: Session, company_ids: Iterable[int], visit_id: int) -> Visitor:
    visitor = session.scalar(
        sa.select(Visitor)
        .join(Visit, Visit.visitor_id == Visitor.id)
        .where(Visit.id == visit_id, Visitor.company_id.in_(list(company_ids)))
    )
    if visitor is None:
        raise Rejected("visit.unknown", "There is no such visit", "Open it from the page of a call")
    return visitor


def describe(history: History) -> dict[str, Any]:
    """A visit with what it was shown and the calls of its visitor, as JSON."""
    it = history.journey
    shown = [_lease(each.number.e164, each) for each in it.leases]
    shown += [_lease(each.code, each) for each in it.codes]
    told = [calls.describe(call) for call in history.calls]
    return journey.describe(it) | {"leases": shown, "calls": told}


def _lease(shown: str, lease: Lease | CodeLease) -> dict[str, Any]:
    return {
        "shown": shown,
        "from_at": journey.iso(lease.from_at),
        "until_at": journey.iso(lease.until_at),
    }
