"""What Asterisk asks when a number rings: whose it is, what it stands for, who is to ring.

Two statements answer it, on indexes only, so that the look-up costs the caller well under a millisecond; what
a plan has to know of the call besides is read only where the plan asks for it (tracker.known_callers).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.forwarding import Ring, Rings, Way, first_set, way_of
from tracker.models import Company, Forwarding, Lease, Number, NumberState, NumberUse
from tracker.models.base import Instant
from tracker.plan_uses import Place, of_number


@dataclass(frozen=True)
class Inbound:
    """A number as it stood at one instant. `way` is false where neither forwarding nor a plan is set."""

    number_id: int
    company_id: int
    region: str  # the company's, by which national numbers are read
    channel_id: int | None
    pool_id: int | None
    lease_id: int | None
    record: bool
    way: Way

    @property
    def rings(self) -> Rings:
        return self.way.rings


def look_up(session: Session, did: str, at: datetime) -> Inbound | None:
    """What `did` (E.164) stood for at `at`; None for a number that is not ours any more.

    A number in quarantine is answered as before: its poster still hangs somewhere.
    """
    rows = session.execute(_STATEMENT, {"did": did, "at": at}).all()
    if not rows:
        return None
    first = rows[0]
    place = Place(first.company_id, first.id, first.channel_id, first.pool_id)
    scope, rings = _rings(rows)
    return Inbound(
        number_id=first.id,
        company_id=first.company_id,
        region=first.region,
        channel_id=first.channel_id,
        pool_id=first.pool_id,
        lease_id=first.lease_id,
        record=first.record,
        way=way_of(scope, rings, of_number(session, place)),
    )


def _rings(rows: Iterable[sa.Row[Any]]) -> tuple[str | None, Rings]:
    table: dict[tuple[str, int | None], Rings] = {}
    for row in rows:
        if row.target_id is None:
            continue
        scope = (row.scope, getattr(row, f"{row.scope}_id") if row.scope != "number" else row.id)
        table[scope] = (*table.get(scope, ()), Ring(row.target_id, row.ring_seconds))
    first = next(iter(rows))
    return first_set(table, first.id, first.channel_id, first.pool_id, first.company_id)


def _covering(table: type[NumberUse] | type[Lease]) -> sa.ScalarSelect[int]:
    """The id of the row whose interval holds the instant, by the index on (number_id, from_at)."""
    at = sa.bindparam("at", type_=Instant())
    return (
        sa.select(table.id)
        .where(table.number_id == Number.id, table.from_at <= at)
        .where(table.until_at.is_(None) | (table.until_at > at))
        .order_by(table.from_at.desc())
        .limit(1)
        .correlate(Number)
        .scalar_subquery()
    )


def _forwardings() -> sa.ColumnElement[bool]:
    """Every forwarding that could apply; each alternative is one seek in ix_forwardings_scope."""
    ours = Forwarding.company_id == Number.company_id
    no_number, no_channel = Forwarding.number_id.is_(None), Forwarding.channel_id.is_(None)
    return sa.or_(
        sa.and_(ours, Forwarding.number_id == Number.id),
        sa.and_(ours, no_number, Forwarding.channel_id == NumberUse.channel_id),
        sa.and_(ours, no_number, no_channel, Forwarding.pool_id == NumberUse.pool_id),
        sa.and_(ours, no_number, no_channel, Forwarding.pool_id.is_(None)),
    )


_REGION = (
    sa.select(Company.default_region)
    .where(Company.id == Number.company_id)
    .correlate(Number)
    .scalar_subquery()
    .label("region")
)


def _statement() -> sa.Select[Any]:
    scope = sa.case(
        (Forwarding.number_id.is_not(None), "number"),
        (Forwarding.channel_id.is_not(None), "channel"),
        (Forwarding.pool_id.is_not(None), "pool"),
        else_="company",
    )
    return (
        sa.select(
            Number.id,
            Number.company_id,
            _REGION,
            Number.record,
            NumberUse.channel_id,
            NumberUse.pool_id,
            _covering(Lease).label("lease_id"),
            scope.label("scope"),
            Forwarding.target_id,
            Forwarding.ring_seconds,
        )
        .join_from(Number, NumberUse, NumberUse.id == _covering(NumberUse), isouter=True)
        .join(Forwarding, _forwardings(), isouter=True)
        .where(Number.e164 == sa.bindparam("did"), Number.state != NumberState.RETIRED)
        .order_by(Forwarding.position, Forwarding.id)
    )


_STATEMENT = _statement()
