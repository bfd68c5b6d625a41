"""How long visitors wait for their callback, beside the promised minute; requests as JSON."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.models import CallbackRequest, CallbackState
from tracker.policy.callback import PROMISE_SECONDS, late_share, quantile

MOST = 5_000  # the newest are enough to say how long it takes


@dataclass(frozen=True)
class Waits:
    """Seconds from the promise to the first ring, of half and of 95 in 100; None while nobody was rung."""

    count: int
    p50_seconds: float | None
    p95_seconds: float | None


@dataclass(frozen=True)
class Promise:
    """How the minute is kept: by the employee's phone and the visitor's, and what share was late."""

    employee: Waits
    visitor: Waits
    late: float | None  # of those who were rung, or should have been
    states: dict[CallbackState, int]
    seconds: float = PROMISE_SECONDS


def promise_of(session: Session, company_ids: Collection[int], since: datetime, now: datetime) -> Promise:
    """How requests of these companies since then were served. Two statements."""
    ours = CallbackRequest.company_id.in_(list(company_ids)), CallbackRequest.requested_at >= since
    counted = session.execute(
        sa.select(CallbackRequest.state, sa.func.count()).where(*ours).group_by(CallbackRequest.state)
    )
    rows = session.execute(
        sa.select(
            CallbackRequest.promised_at, CallbackRequest.employee_rang_at, CallbackRequest.visitor_rang_at
        )
        .where(*ours, CallbackRequest.promised_at <= now)
        .order_by(CallbackRequest.requested_at.desc())
        .limit(MOST)
    ).all()
    employee = [_seconds(row.promised_at, row.employee_rang_at) for row in rows if row.employee_rang_at]
    visitor = [_seconds(row.promised_at, row.visitor_rang_at) for row in rows if row.visitor_rang_at]
    waited = [_seconds(row.promised_at, row.employee_rang_at or now) for row in rows]
    return Promise(_waits(employee), _waits(visitor), late_share(waited), {row[0]: row[1] for row in counted})


def describe(request: CallbackRequest) -> dict[str, Any]:
    """A request as JSON, without the address it was asked from."""
    return {
        "key": request.key,
        "site": request.site.name,
        "state": request.state,
        "reason": request.reason,
        "phone": request.phone or None,
        "written": request.written,
        "name": request.name,
        "note": request.note,
        "via": request.via,
        "requested_at": request.requested_at,
        "wanted_at": request.wanted_at,
        "due_at": request.due_at,
        "employee_rang_at": request.employee_rang_at,
        "visitor_rang_at": request.visitor_rang_at,
        "over_at": request.over_at,
        "tries": request.tries,
        "target": request.target.name if request.target else None,
        "visit": request.visit_id,
        "call": request.call_key if request.target_id else None,
        "story": request.story,
    }


def _seconds(since: datetime, until: datetime) -> float:
    return max(0.0, (until - since).total_seconds())


def _waits(seconds: list[float]) -> Waits:
    return Waits(len(seconds), quantile(seconds, 0.5), quantile(seconds, 0.95))
