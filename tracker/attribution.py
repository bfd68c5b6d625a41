"""What is known about a number at an instant: whose it is, and where a call to it came from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.models import Company, Lease, Number, NumberUse
from tracker.policy.attribution import Attribution, Held, Used, attribute


@dataclass(frozen=True)
class Arrival:
    """The number that was dialled, its company, and where the call came from."""

    number_id: int
    company_id: int
    region: str
    attribution: Attribution


# Built once: putting a statement together takes longer than running it.
_NUMBER = (
    sa.select(Number.id, Number.company_id, Company.default_region)
    .join(Company, Company.id == Number.company_id)
    .where(Number.e164 == sa.bindparam("did"))
)
_LEASES = (
    sa.select(
        sa.literal("held").label("what"),
        Lease.id.label("first"),
        Lease.visit_id.label("second"),
        Lease.from_at,
        Lease.until_at,
    )
    .where(Lease.number_id == sa.bindparam("number"), Lease.from_at <= sa.bindparam("at"))
    .order_by(Lease.from_at.desc())
    .limit(2)
    .subquery()
)
_USES = (
    sa.select(
        sa.literal("used"), NumberUse.channel_id, NumberUse.pool_id, NumberUse.from_at, NumberUse.until_at
    )
    .where(NumberUse.number_id == sa.bindparam("number"), NumberUse.from_at <= sa.bindparam("at"))
    .order_by(NumberUse.from_at.desc())
    .limit(1)
    .subquery()
)
_CANDIDATES = sa.union_all(sa.select(_LEASES), sa.select(_USES))


def arrival(session: Session, did: str, at: datetime) -> Arrival | None:
    """Whose number that is and what it stood for at that instant; None when nobody's. Two indexed reads."""
    found = session.connection().execute(_NUMBER, {"did": did}).one_or_none()
    if found is None:
        return None
    held, used = candidates(session, found.id, at)
    return Arrival(found.id, found.company_id, found.default_region, attribute(at, held, used))


def candidates(session: Session, number_id: int, at: datetime) -> tuple[list[Held], list[Used]]:
    """The last leases and the last use of a number that began before that instant, in one indexed read.

    Leases of a number do not overlap, so an older one cannot hold; the second last shows if that were untrue.
    """
    rows = session.connection().execute(_CANDIDATES, {"number": number_id, "at": at}).all()
    held = [Held(*row[1:]) for row in rows if row.what == "held"]
    return held, [Used(*row[1:]) for row in rows if row.what == "used"]
