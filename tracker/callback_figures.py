"""How long visitors wait for their callback, beside the promised minute; requests as JSON."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.models import CallbackRequest, CallbackSettings, CallbackState, Company, Site
from tracker.policy.callback import FARTHEST_DAYS, PROMISE_SECONDS, late_share, quantile
from tracker.policy.company_alerts import AskedBack, AskedOnSite

HOUR = timedelta(hours=1)
PROMISE_DAYS = 30  # that are looked back on
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


def promise_of(
    session: Session,
    company_ids: Collection[int],
    since: datetime,
    now: datetime,
    *,
    site_id: int | None = None,
) -> Promise:
    """How requests of these companies, or of one site, were served since then. Two statements."""
    ours = [CallbackRequest.company_id.in_(list(company_ids)), CallbackRequest.requested_at >= since]
    if site_id is not None:
        ours.append(CallbackRequest.site_id == site_id)
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


def asked_lately(session: Session, now: datetime) -> list[AskedOnSite]:
    """Who was due within the last hour on each site that calls back, or waits still. One statement."""
    it = CallbackRequest
    unrung = sa.and_(it.state == CallbackState.WAITING, it.employee_rang_at.is_(None))
    lately = sa.and_(it.promised_at <= now, sa.or_(it.promised_at > now - HOUR, unrung))
    asked_at = it.requested_at > now - timedelta(days=FARTHEST_DAYS + 1)  # for the index
    wanted = (
        sa.select(Site.id, Site.company_id, Site.name, Company.slug, it)
        .join(Company, Company.id == Site.company_id)
        .join(CallbackSettings, CallbackSettings.site_id == Site.id)
        .outerjoin(it, sa.and_(it.site_id == Site.id, it.company_id == Site.company_id, asked_at, lately))
        .order_by(Site.id)
    )
    found: dict[int, AskedOnSite] = {}
    for site_id, company_id, name, slug, request in session.execute(wanted):
        known = found.setdefault(site_id, AskedOnSite(site_id, company_id, name, slug, []))
        if request is not None:
            known.asked.append(_asked(request, now))
    return list(found.values())


def _asked(it: CallbackRequest, now: datetime) -> AskedBack:
    rang_at = it.employee_rang_at or it.over_at or now
    is_lost = it.state in {CallbackState.FAILED, CallbackState.GIVEN_UP}
    return AskedBack(_seconds(it.promised_at or now, rang_at), it.reason if is_lost else None)


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


def describe_promise(it: Promise) -> dict[str, Any]:
    """How the minute was kept, as JSON."""
    return {
        "seconds": it.seconds,
        "days": PROMISE_DAYS,
        **{
            name: {"count": side.count, "p50": side.p50_seconds, "p95": side.p95_seconds}
            for name, side in (("employee", it.employee), ("visitor", it.visitor))
        },
        "late": it.late,
    }


def _seconds(since: datetime, until: datetime) -> float:
    return max(0.0, (until - since).total_seconds())


def _waits(seconds: list[float]) -> Waits:
    return Waits(len(seconds), quantile(seconds, 0.5), quantile(seconds, 0.95))
