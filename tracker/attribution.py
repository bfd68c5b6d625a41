"""What is known about a number at an instant: whose it is, and where a call to it came from at first sight.

The first judgement is made while the caller waits: from the number's last leases alone, by the model that
needs no learning. The worker judges every call again with all that is known (tracker.judge).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.call_words import HAS_CALLED
from tracker.models import Call, Company, Lease, Number, NumberUse, Visit
from tracker.policy.attribution import Attribution, CallFacts, History, Used, attribute
from tracker.policy.delays import PRIOR
from tracker.policy.sights import Holder


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
    sa.select(Lease.id, Lease.visit_id, Lease.from_at, Lease.until_at)
    .where(Lease.number_id == sa.bindparam("number"), Lease.from_at <= sa.bindparam("at"))
    .order_by(Lease.from_at.desc())
    .limit(2)
    .subquery()
)
_USES = (
    sa.select(NumberUse.channel_id, NumberUse.pool_id, NumberUse.from_at, NumberUse.until_at)
    .where(NumberUse.number_id == sa.bindparam("number"), NumberUse.from_at <= sa.bindparam("at"))
    .order_by(NumberUse.from_at.desc())
    .limit(1)
    .subquery()
)
_JUDGE_AGAIN = (
    sa.update(Call)
    .where(Call.id.in_(sa.bindparam("calls", expanding=True)), HAS_CALLED)
    .values(attributed_at=None)
)
_CANDIDATES = sa.union_all(
    sa.select(
        sa.literal("held").label("what"),
        _LEASES.c.id.label("first"),
        _LEASES.c.visit_id.label("second"),
        _LEASES.c.from_at,
        _LEASES.c.until_at,
        Visit.visitor_id,
        Visit.seen_at,
        Visit.left_at,
        Visit.device,
        Visit.country,
    ).join_from(_LEASES, Visit, Visit.id == _LEASES.c.visit_id),
    sa.select(
        sa.literal("used"),
        _USES.c.channel_id,
        _USES.c.pool_id,
        _USES.c.from_at,
        _USES.c.until_at,
        *(sa.cast(sa.null(), column.type) for column in (
            Visit.visitor_id, Visit.seen_at, Visit.left_at, Visit.device, Visit.country
        )),
    ),
)  # fmt: skip


def arrival(session: Session, did: str, at: datetime) -> Arrival | None:
    """Whose number that is and what it stood for at that instant; None when nobody's. Two indexed reads."""
    found = session.connection().execute(_NUMBER, {"did": did}).one_or_none()
    if found is None:
        return None
    holders, used = candidates(session, found.id, at)
    judged = attribute(CallFacts(found.id, at), holders, History(uses=tuple(used)), PRIOR)
    return Arrival(found.id, found.company_id, found.default_region, judged)


def candidates(session: Session, number_id: int, at: datetime) -> tuple[list[Holder], list[Used]]:
    """The last two leases and the last use of a number that began by that instant, in one indexed read."""
    rows = session.connection().execute(_CANDIDATES, {"number": number_id, "at": at}).all()
    held = [_holder(row, at) for row in rows if row.what == "held"]
    return held, [Used(*row[1:5]) for row in rows if row.what == "used"]


def _holder(row: sa.Row[Any], at: datetime) -> Holder:
    """The lease as its visit's last sign of life shows it; the pages are looked up later, by the worker."""
    ended = [each for each in (row.seen_at, row.left_at) if each is not None]
    seen = ((row.from_at, max(row.from_at, *ended)),) if ended else ()
    left = row.left_at is not None and row.left_at <= at
    return Holder(
        row.first, row.second, row.visitor_id, row.from_at, row.until_at, seen, left,
        device=row.device, country=row.country,
    )  # fmt: skip


def named_by(judged: Attribution) -> dict[str, Any]:
    """The columns of a call that say where it came from."""
    named = judged.named
    return {
        "basis": named and named.basis,
        "channel_id": named and named.channel_id,
        "lease_id": named and named.lease_id,
        "visit_id": named and named.visit_id,
        "probability": named and named.probability,
        "uncertain": judged.uncertain,
    }


def judge_again(session: Session, call_ids: Collection[int]) -> None:
    """More may be known about these calls than when they were judged: the worker looks at them again."""
    if call_ids:
        session.connection().execute(_JUDGE_AGAIN, {"calls": list(call_ids)})
