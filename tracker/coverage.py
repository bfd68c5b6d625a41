"""How many visitors were shown a number of their own, and why the others were not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.models import Lease, MissCount, Pool, Site, Visit

# Counted, but nobody who could have called: robots, and requests beyond every measure.
NOT_VISITS = frozenset({"bot", "limited"})


@dataclass(frozen=True)
class Coverage:
    """Visits that asked a pool for a number, those that had one of their own, and the misses by reason."""

    visits: int
    own_number: int
    missed: dict[str, int]

    @property
    def share(self) -> float | None:
        """From 0 to 1; None when nobody asked."""
        return self.own_number / self.visits if self.visits else None


def coverage(
    session: Session,
    *,
    pool_id: int | None = None,
    site_id: int | None = None,
    since: datetime,
    until: datetime,
) -> Coverage:
    """Of a pool, of a site, or of both together, for visits begun in [since, until).

    Misses are counted by the hour, so `since` and `until` reach as far as the hours they lie in. A visit that
    asks two pools counts for each; one that had to wait for its number is a miss and a number.
    """
    own = (
        sa.select(Lease.visit_id, Lease.pool_id)
        .join(Visit, Visit.id == Lease.visit_id)
        .where(Visit.started_at >= since, Visit.started_at < until)
        .distinct()
    )
    counted = sa.select(MissCount.reason, sa.func.sum(MissCount.count)).group_by(MissCount.reason)
    hour = since.replace(minute=0, second=0, microsecond=0)
    counted = counted.where(MissCount.hour_at >= hour, MissCount.hour_at < until)
    if pool_id is not None:
        own, counted = own.where(Lease.pool_id == pool_id), counted.where(MissCount.pool_id == pool_id)
    if site_id is not None:
        own, counted = own.where(Visit.site_id == site_id), counted.where(MissCount.site_id == site_id)
    with_number = session.scalar(sa.select(sa.func.count()).select_from(own.subquery())) or 0
    missed = {reason: int(count) for reason, count in session.execute(counted.order_by(MissCount.reason))}
    return _coverage(with_number, missed)


def last_day(session: Session, pool: Pool, now: datetime) -> dict[str, Any]:
    """A pool's last 24 hours as JSON."""
    found = coverage(session, pool_id=pool.id, since=now - timedelta(days=1), until=now)
    return {**asdict(found), "share": found.share}


def coverage_by_site(session: Session, company_ids: Iterable[int], hour_at: datetime) -> dict[int, Coverage]:
    """Of each of these companies' sites, since the beginning of that hour. Two statements.

    Visits begun since then count; sites where nobody asked are left out.
    """
    company_ids = list(company_ids)
    own = (
        sa.select(Visit.site_id, Lease.visit_id, Lease.pool_id)
        .join(Visit, Visit.id == Lease.visit_id)
        .join(Site, Site.id == Visit.site_id)
        .where(Site.company_id.in_(company_ids), Visit.started_at >= hour_at)
        .distinct()
        .subquery()
    )
    counted = (
        sa.select(MissCount.site_id, MissCount.reason, sa.func.sum(MissCount.count))
        .join(Site, Site.id == MissCount.site_id)
        .where(Site.company_id.in_(company_ids), MissCount.hour_at >= hour_at)
        .group_by(MissCount.site_id, MissCount.reason)
        .order_by(MissCount.reason)
    )
    by_site = sa.select(own.c.site_id, sa.func.count().label("visits")).group_by(own.c.site_id)
    with_number = {row.site_id: row.visits for row in session.execute(by_site)}
    missed: dict[int, dict[str, int]] = defaultdict(dict)
    for site_id, reason, count in session.execute(counted):
        missed[site_id][reason] = int(count)
    return {
        site_id: _coverage(with_number.get(site_id, 0), missed[site_id])
        for site_id in sorted({*with_number, *missed})
    }


def together(parts: Iterable[Coverage]) -> Coverage:
    """Several coverages as one."""
    parts, missed = list(parts), defaultdict[str, int](int)
    for part in parts:
        for reason, count in part.missed.items():
            missed[reason] += count
    return _coverage(sum(part.own_number for part in parts), dict(missed))


def _coverage(with_number: int, missed: dict[str, int]) -> Coverage:
    without = sum(count for reason, count in missed.items() if reason not in NOT_VISITS)
    return Coverage(visits=with_number + without, own_number=with_number, missed=missed)
