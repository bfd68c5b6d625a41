"""How many visitors were shown a number of their own, and why the others were not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.models import Lease, MissCount, Visit

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
    without = sum(count for reason, count in missed.items() if reason not in NOT_VISITS)
    return Coverage(visits=with_number + without, own_number=with_number, missed=missed)
