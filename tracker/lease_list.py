"""Who holds which number, and who held it before: leases as a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.journey import iso
from tracker.models import Company, Lease, Number, NumberUse, Pool, Site, Visit
from tracker.newest import Sought, newest, read_place

MOST = 500  # leases a page


@dataclass(frozen=True)
class Wish:
    """Which leases somebody wants to see; None: any. They began in a half-open interval."""

    number: Number | None = None
    pool: Pool | None = None
    site: Site | None = None
    is_open: bool = False  # only those that go on
    since: datetime | None = None
    until: datetime | None = None


def list_leases(
    session: Session, company: Company, wish: Wish, *, before: str | None = None, limit: int = 50
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of the company's leases as JSON, newest first, and the `before` of the page after it.

    Raises Rejected `page.malformed`.
    """
    place = read_place(before) if before else None
    places = newest(session, _sought(company, wish), _numbers(session, company, wish), limit + 1, place)
    shown = [it.id for it in places[:limit]]
    return _described(session, shown), str(places[limit - 1]) if len(places) > limit else None


def _sought(company: Company, wish: Wish) -> Sought:
    pools = sa.select(Pool.id).where(Pool.company_id == company.id)
    where = [Lease.pool_id == wish.pool.id if wish.pool else Lease.pool_id.in_(pools)]
    where += [Lease.until_at.is_(None)] if wish.is_open else []
    where += [Lease.from_at >= wish.since] if wish.since else []
    where += [Lease.from_at < wish.until] if wish.until else []
    if wish.site is not None:
        theirs = sa.select(Visit.id).where(Visit.id == Lease.visit_id, Visit.site_id == wish.site.id)
        where.append(theirs.exists())
    return Sought(Lease.number_id, Lease.from_at, Lease.id, where)


def _numbers(session: Session, company: Company, wish: Wish) -> Sequence[int]:
    """The numbers that may have such leases."""
    if wish.number is not None:
        return [wish.number.id]
    wanted = sa.select(Number.id).where(Number.company_id == company.id).order_by(Number.id)
    if wish.pool is not None:
        were_in = sa.select(NumberUse.number_id).where(NumberUse.pool_id == wish.pool.id)
        wanted = wanted.where(Number.id.in_(were_in))
    return session.scalars(wanted).all()


def _described(session: Session, ids: Sequence[int]) -> list[dict[str, Any]]:
    wanted = (
        sa.select(Lease, Number.e164, Pool.name.label("pool"), Site.name.label("site"))
        .join(Number, Number.id == Lease.number_id)
        .join(Pool, Pool.id == Lease.pool_id)
        .join(Visit, Visit.id == Lease.visit_id)
        .join(Site, Site.id == Visit.site_id)
        .where(Lease.id.in_(ids))
        .order_by(Lease.from_at.desc(), Lease.id.desc())
    )
    return [
        {
            "id": it.id,
            "number": e164,
            "pool": pool,
            "site": site,
            "visit_id": it.visit_id,
            "from_at": iso(it.from_at),
            "expires_at": iso(it.expires_at),
            "until_at": iso(it.until_at),
            # While it goes on, it tells only whether its visitor has left.
            "ended_by": it.ended_by if it.until_at is not None else None,
        }
        for it, e164, pool, site in session.execute(wanted)
    ]
