"""What looks wrong in the books of a website: its silence, its visitors' addresses, numbers nobody calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.call_words import IS_COUNTED
from tracker.models import Call, Lease, MissCount, Number, NumberState, NumberUse, Visit
from tracker.policy import oddities
from tracker.policy.leasing import Miss
from tracker.policy.oddities import Heard, Silence

LATELY = timedelta(weeks=4)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def sign_at(session: Session, site_id: int) -> datetime | None:
    """When the site's script asked for a number last, whatever it was answered; None: never.

    Who left no visit (robots, visitors without consent) is known by the hour: its end counts.
    """
    visit = session.scalar(sa.select(sa.func.max(Visit.started_at)).where(Visit.site_id == site_id))
    hour = session.scalar(sa.select(sa.func.max(MissCount.hour_at)).where(MissCount.site_id == site_id))
    return max((each for each in (visit, hour and hour + HOUR) if each), default=None)


def silence(session: Session, site_id: int, now: datetime) -> Silence | None:
    """The site's silence, if it lasts longer than is usual there."""
    last = sign_at(session, site_id)
    if last is None or now - last < oddities.SHORTEST:
        return None
    wanted = sa.select(Visit.started_at).where(Visit.site_id == site_id, Visit.started_at > last - LATELY)
    return oddities.silence(session.scalars(wanted.order_by(Visit.started_at)).all(), last, now)


@dataclass(frozen=True)
class Crowd:
    """What is known of the addresses behind a day's visits of a site."""

    visits: int
    placed: int  # whose address lies in a known country
    too_many: int  # refused (`limited`) or distrusted (`untrusted`), for so many came from one place


def crowd(session: Session, site_id: int, now: datetime) -> Crowd:
    """What a site's visits of the last 24 hours tell of their addresses, which themselves are not kept."""
    since = now - DAY
    counted = sa.select(sa.func.count(Visit.id), sa.func.count(Visit.country))
    lately = counted.where(Visit.site_id == site_id, Visit.started_at > since)
    visits, placed = session.execute(lately).one()
    # Once a request and pool: the site's fullest pool tells of requests.
    by_pool = sa.select(sa.func.sum(MissCount.count)).where(
        MissCount.site_id == site_id, MissCount.hour_at > since - HOUR
    )
    reasons = MissCount.reason.in_((Miss.LIMITED, Miss.UNTRUSTED))
    too_many = max(session.scalars(by_pool.where(reasons).group_by(MissCount.pool_id)), default=0)
    return Crowd(visits, placed, int(too_many))


def unheard(session: Session, pool_id: int, now: datetime) -> list[tuple[Heard, datetime]]:
    """Numbers in the pool that nobody has called, against all likelihood, and since when that is.

    Each is judged by the last four weeks, or by the time since it came into the pool.
    """
    since = now - LATELY
    begun = {e164: max(from_at, since) for e164, from_at in _in_use(session, pool_id)}
    return [
        (each, start)
        for start in sorted(set(begun.values()))
        for each in oddities.unheard(_heard(session, pool_id, start))
        if begun[each.e164] == start
    ]


def _in_use(session: Session, pool_id: int) -> Sequence[sa.Row[str, datetime]]:
    wanted = (
        sa.select(Number.e164, NumberUse.from_at)
        .join(NumberUse, NumberUse.number_id == Number.id)
        .where(NumberUse.pool_id == pool_id, NumberUse.until_at.is_(None))
        .where(Number.state == NumberState.ACTIVE)
        .order_by(Number.e164)
    )
    return session.execute(wanted).all()


def _heard(session: Session, pool_id: int, since: datetime) -> list[Heard]:
    """The pool's numbers with their visitors and callers since then; callers who withhold theirs left out."""
    visitors = (
        sa.select(sa.func.count(Visit.visitor_id.distinct()))
        .join(Lease, Lease.visit_id == Visit.id)
        .where(Lease.number_id == Number.id, Lease.pool_id == pool_id, Lease.from_at >= since)
    )
    callers = sa.select(sa.func.count(Call.caller.distinct())).where(
        Call.number_id == Number.id,
        Call.started_at >= since,
        Call.started_at >= NumberUse.from_at,
        IS_COUNTED,
    )
    wanted = (
        sa.select(
            Number.e164,
            visitors.correlate(Number).scalar_subquery(),
            callers.correlate(Number, NumberUse).scalar_subquery(),
        )
        .join(NumberUse, NumberUse.number_id == Number.id)
        .where(NumberUse.pool_id == pool_id, NumberUse.until_at.is_(None))
        .where(Number.state == NumberState.ACTIVE)
    )
    return [Heard(*row) for row in session.execute(wanted)]
