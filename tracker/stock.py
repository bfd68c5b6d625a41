"""What pools have at this moment: numbers leased, free, resting and in quarantine, and how low it got."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.models import Company, Lease, Number, NumberState, NumberUse, Pool
from tracker.policy.leasing import Held, most_at_once

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class PoolStock:
    """A pool's numbers by what they are at. `size` is what it leases from: all but the quarantined ones."""

    pool_id: int
    company_id: int
    company: str
    name: str
    longest_seconds: int  # of a lease
    leased: int
    free: int
    resting: int  # given back, and kept a while for the visitor who had them
    quarantined: int

    @property
    def size(self) -> int:
        return self.leased + self.free + self.resting


def stocks(session: Session, company_ids: Iterable[int] | None, at: datetime) -> list[PoolStock]:
    """Every pool of these companies, or of all, by company and name. One statement."""
    active = Number.state == NumberState.ACTIVE

    def number(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.coalesce(sa.func.sum(sa.case((sa.and_(*conditions), 1), else_=0)), 0)

    wanted = (
        sa.select(
            Pool.id,
            Pool.company_id,
            Company.name,
            Pool.name,
            Pool.longest_seconds,
            number(active, Number.free_at.is_(None)),
            number(active, Number.free_at <= at),
            number(active, Number.free_at > at),
            number(Number.state == NumberState.QUARANTINED),
        )
        .join(Company, Company.id == Pool.company_id)
        .outerjoin(NumberUse, sa.and_(NumberUse.pool_id == Pool.id, NumberUse.until_at.is_(None)))
        .outerjoin(Number, Number.id == NumberUse.number_id)
        .group_by(Pool.id, Company.name)
        .order_by(Company.name, Pool.name)
    )
    if company_ids is not None:
        wanted = wanted.where(Pool.company_id.in_(list(company_ids)))
    return [PoolStock(*row[:5], *(int(count) for count in row[5:])) for row in session.execute(wanted)]


def lowest_free(session: Session, pools: Iterable[PoolStock], at: datetime) -> dict[int, int]:
    """How few numbers each pool had left at its fullest in the last hour. One statement.

    By the numbers that are in it now; those that rest are nobody's, and count as left.
    """
    pools = [each for each in pools if each.size]
    held: dict[int, list[Held]] = defaultdict(list)
    longest = timedelta(seconds=max((each.longest_seconds for each in pools), default=0))
    wanted = _leases([each.pool_id for each in pools], at - HOUR, longest)
    for pool_id, from_at, until_at in session.execute(wanted):
        held[pool_id].append(Held(max(from_at, at - HOUR), until_at))
    return {each.pool_id: each.size - max(each.leased, most_at_once(held[each.pool_id])) for each in pools}


def _leases(
    pool_ids: list[int], since: datetime, longest: timedelta
) -> sa.Select[int, datetime, datetime | None]:
    """Leases that lasted until after `since`: what began too long before that is over."""
    return (
        sa.select(Lease.pool_id, Lease.from_at, Lease.until_at)
        .join(NumberUse, sa.and_(NumberUse.number_id == Lease.number_id, NumberUse.until_at.is_(None)))
        .where(
            NumberUse.pool_id.in_(pool_ids),
            Lease.pool_id == NumberUse.pool_id,
            Lease.from_at > since - longest,
        )
        .where(sa.or_(Lease.until_at.is_(None), Lease.until_at > since))
    )
