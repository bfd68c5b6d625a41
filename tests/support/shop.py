"""A company whose website leases numbers, and the visitors who come to it.

shop = Shop(session, now, numbers=3, hold_seconds=60)    # further words are the pool's
ann = shop.visitor(session, "ann")
visit = shop.visit(session, ann, at, paid=True)
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import leases
from tracker.leases import Shown
from tracker.models import (
    Channel,
    Company,
    Lease,
    MissCount,
    Number,
    NumberUse,
    Pool,
    Site,
    Visit,
    Visitor,
)


def numbered(position: int) -> str:
    """The pool's number at that position, counted from 0."""
    return f"+7495{1000000 + position}"


class Shop:
    """Ids only, so that it outlives sessions and fits through to other processes."""

    def __init__(self, session: Session, now: datetime, numbers: int = 3, **pool: Any) -> None:
        company = Company(slug="shop", name="Shop", default_region="RU", created_at=now)
        session.add(company)
        session.flush()
        self.company_id = company.id
        self.pool_id = self.add_pool(session, now, "Website", **pool).id
        site = Site(company_id=company.id, name="shop.example", key="shop", created_at=now)
        session.add(site)
        session.flush()
        self.site_id = site.id
        # The first is free the longest.
        for position in range(numbers):
            self.add_number(session, numbered(position), now - timedelta(hours=1, seconds=-position))

    def add_pool(self, session: Session, now: datetime, name: str, **more: Any) -> Pool:
        made = Pool(company_id=self.company_id, name=name, created_at=now, **more)
        session.add(made)
        session.flush()
        return made

    def add_number(self, session: Session, e164: str, since: datetime, **use: int) -> Number:
        """A number in the pool, or of a `channel_id`, or in another `pool_id`."""
        number = Number(company_id=self.company_id, e164=e164, created_at=since)
        session.add(number)
        session.flush()
        session.add(NumberUse(number_id=number.id, from_at=since, **(use or {"pool_id": self.pool_id})))
        session.flush()
        return number

    def add_channel(self, session: Session, now: datetime, e164: str, shown_to: str | None) -> Number:
        """A channel with one number, shown to visitors of that source or group."""
        channel = Channel(
            company_id=self.company_id, name=e164, source="shop", shown_to=shown_to, created_at=now
        )
        session.add(channel)
        session.flush()
        return self.add_number(session, e164, now, channel_id=channel.id)

    def visitor(self, session: Session, key: str, at: datetime) -> Visitor:
        visitor = Visitor(company_id=self.company_id, key=key, created_at=at)
        session.add(visitor)
        session.flush()
        return visitor

    def visit(self, session: Session, visitor: Visitor | str, at: datetime, **more: Any) -> Visit:
        """A visit of that visitor, or of a new one of that key."""
        if isinstance(visitor, str):
            visitor = self.visitor(session, visitor, at)
        said = {"medium": "organic", "source": "google", "group": "Organic Search"} | more
        visit = Visit(
            visitor_id=visitor.id, site_id=self.site_id, started_at=at, seen_at=at, missed_in=[], **said
        )
        session.add(visit)
        session.flush()
        return visit

    def pool(self, session: Session) -> Pool:
        return session.get_one(Pool, self.pool_id)

    def show(self, session: Session, visit: Visit, at: datetime, *, trusted: bool = True) -> Shown:
        return leases.show(session, visit, self.pool(session), at, trusted=trusted)

    def misses(self, session: Session) -> dict[str, int]:
        """Counted misses by reason."""
        rows = session.execute(
            sa.select(MissCount.reason, sa.func.sum(MissCount.count)).group_by(MissCount.reason)
        )
        return {row[0]: int(row[1]) for row in rows}


def history(session: Session) -> list[Lease]:
    """All leases, oldest first, as the database has them."""
    session.flush()
    session.expire_all()
    return list(session.scalars(sa.select(Lease).order_by(Lease.from_at, Lease.id)))


def overlaps(session: Session) -> int:
    """Pairs of leases that hold one number at one instant, or end before they begin: offline, pair by pair.

    Two in succession are enough to look at: if any two overlap, so do two neighbours.
    """
    following = sa.func.lead(Lease.from_at).over(
        partition_by=Lease.number_id, order_by=(Lease.from_at, Lease.id)
    )
    ordered = sa.select(Lease.from_at, Lease.until_at, following.label("next")).subquery()
    wrong = sa.or_(
        sa.and_(ordered.c.until_at.is_(None), ordered.c.next.is_not(None)),
        ordered.c.until_at > ordered.c.next,
        ordered.c.until_at < ordered.c.from_at,
    )
    return session.scalar(sa.select(sa.func.count()).select_from(ordered).where(wrong)) or 0
