"""Leases: which number a visit is shown, for how long, and what it is shown when there is none for it.

A claim is one transaction: the number's row is taken in one statement (on PostgreSQL past the rows others
are just taking, on SQLite in the one writer's place), the lease is written with it, and a crash leaves
neither. That no number is leased twice is the database's word (uq_leases_active).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from tracker import codes, misses
from tracker.models import Channel, Lease, Number, NumberState, NumberUse, Pool, Visit, Visitor
from tracker.models.base import Instant
from tracker.policy import leasing
from tracker.policy.leasing import LeaseEnd, Miss, Offer, ShownKind, Stock
from tracker.releases import (
    BATCH,
    end_own,
    hand_over,
    limits,
    release_due,
    release_due_in,
    released_after_call,
    shift,
)

__all__ = [
    "BATCH", "Shown", "leave", "release_due", "released_after_call", "renew", "shift", "show", "show_first",
    "show_locked", "source_number",
]  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """What a visit is shown in place of a number on the page. Without `e164`, that number stays."""

    kind: ShownKind
    e164: str | None
    code: str | None
    reason: str | None  # why it is no number of the visitor's own
    lease_id: int | None
    expires_at: datetime | None = field(default=None, compare=False)  # of the lease, without a sign of life


# Statements are built once: putting one together takes longer than running it.
_at = sa.bindparam("at", type_=Instant())
_LOCK_VISITOR = (
    sa.select(Visitor.id).where(Visitor.id == sa.bindparam("visitor")).with_for_update(key_share=True)
)
_LOCK_POOL = sa.select(Pool.id).where(Pool.id == sa.bindparam("pool")).with_for_update(key_share=True)
_RUNNING = (
    sa.select(Lease.id, Lease.visit_id, Lease.from_at, Lease.expires_at, Lease.number_id, Number.e164)
    .join(Visit, Visit.id == Lease.visit_id)
    .join(Number, Number.id == Lease.number_id)
    .where(
        Visit.visitor_id == sa.bindparam("visitor"),
        Lease.pool_id == sa.bindparam("pool"),
        Lease.until_at.is_(None),
    )
    .order_by(Lease.id.desc())
    .limit(1)
)
_SIGN = (
    sa.update(Lease)
    .where(Lease.id == sa.bindparam("lease"), Lease.until_at.is_(None))
    .values(expires_at=sa.bindparam("expires"), ended_by=sa.bindparam("by"))
)

# The number the visitor had last in the pool; `_his` if nobody has had it since.
_last = (
    sa.select(Lease.number_id, Lease.from_at)
    .join(Visit, Visit.id == Lease.visit_id)
    .where(Visit.visitor_id == sa.bindparam("visitor"), Lease.pool_id == sa.bindparam("pool"))
    .order_by(Lease.from_at.desc(), Lease.id.desc())
    .limit(1)
    .subquery("last")
)
_number = aliased(Number, name="candidate")
_newer = aliased(Lease, name="newer")
_his = sa.and_(
    _last.c.number_id.is_not(None),
    ~sa.exists().where(_newer.number_id == _number.id, _newer.from_at > _last.c.from_at),
)
_leasable = sa.and_(_number.free_at.is_not(None), sa.or_(_number.free_at <= _at, _his))
_in_pool = sa.and_(
    NumberUse.pool_id == sa.bindparam("pool"),
    NumberUse.until_at.is_(None),
    _number.state == NumberState.ACTIVE,
)
_choice = (
    sa.select(_number.id)
    .join(NumberUse, NumberUse.number_id == _number.id)
    .outerjoin(_last, _last.c.number_id == _number.id)
    .where(_in_pool, _leasable)
    .order_by(sa.case((_last.c.number_id.is_(None), 1), else_=0), _number.free_at, _number.id)
    .limit(1)
    .with_for_update(of=_number.id, key_share=True, skip_locked=True)
)
_TAKE = (
    sa.update(Number)
    .where(Number.id == _choice.scalar_subquery())
    .values(free_at=None)
    .returning(Number.id, Number.e164)
)
_GIVE_BACK = sa.update(Number).where(Number.id == sa.bindparam("number")).values(free_at=_at)

# Intervals of a number never overlap, even if two requests came in another order than they were stamped.
_until = (
    sa.select(_newer.until_at)
    .where(_newer.number_id == sa.bindparam("number"))
    .order_by(_newer.from_at.desc())
    .limit(1)
    .scalar_subquery()
)
# Only while the number is in the pool: it may have been moved between the choice and its row's lock.
_WRITE = (
    sa.insert(Lease)
    .from_select(
        ["number_id", "pool_id", "visit_id", "from_at", "expires_at"],
        sa.select(
            NumberUse.number_id,
            NumberUse.pool_id,
            sa.bindparam("visit", type_=Lease.visit_id.type),
            sa.case((_until > _at, _until), else_=_at),
            sa.bindparam("expires", type_=Instant()),
        ).where(
            NumberUse.number_id == sa.bindparam("number"),
            NumberUse.pool_id == sa.bindparam("pool"),
            NumberUse.until_at.is_(None),
        ),
        include_defaults=False,
    )
    .returning(Lease.id)
)

_held = aliased(Lease, name="held")
_holder = aliased(Visit, name="holder")
_STOCK = (
    sa.select(
        sa.func.count(),
        sa.func.coalesce(sa.func.sum(sa.case((_leasable, 1), else_=0)), 0),
        sa.func.coalesce(sa.func.sum(sa.case((_holder.paid, 1), else_=0)), 0),
    )
    .select_from(_number)
    .join(NumberUse, NumberUse.number_id == _number.id)
    .outerjoin(_last, _last.c.number_id == _number.id)
    .outerjoin(_held, sa.and_(_held.number_id == _number.id, _held.until_at.is_(None)))
    .outerjoin(_holder, _holder.id == _held.visit_id)
    .where(_in_pool)
)
_OPEN = (
    sa.select(
        Lease.id,
        Lease.from_at,
        Lease.expires_at,
        Pool.idle_seconds,
        Pool.hold_seconds,
        Pool.longest_seconds,
        Pool.cooldown_seconds,
    )
    .join(Pool, Pool.id == Lease.pool_id)
    .where(Lease.visit_id == sa.bindparam("visit"), Lease.until_at.is_(None))
)
_MISSED_IN = sa.select(Visit.missed_in).where(Visit.id == sa.bindparam("visit"))
_SOURCES = (
    sa.select(Channel.shown_to, Number.e164)
    .join(NumberUse, NumberUse.channel_id == Channel.id)
    .join(Number, Number.id == NumberUse.number_id)
    .where(Channel.company_id == sa.bindparam("company"), Channel.shown_to.is_not(None))
    .where(NumberUse.until_at.is_(None), Number.state == NumberState.ACTIVE)
    .order_by(Number.id)
)
_OVERFLOW = (
    sa.select(Number.e164)
    .where(Number.id == sa.bindparam("number"), Number.state == NumberState.ACTIVE)
    .where(
        ~sa.exists().where(
            NumberUse.number_id == Number.id, NumberUse.until_at.is_(None), NumberUse.pool_id.is_not(None)
        )
    )
)


def show(session: Session, visit: Visit, pool: Pool, at: datetime, *, trusted: bool = True) -> Shown:
    """What the visit is shown in place of a number of that pool, from `at` on; a sign of life besides.

    Its visitor's running lease, else one claimed now, else what the pool shows instead. Asking again gives
    the same. Who asks for several pools asks in one order everywhere, the pools' ids' best.
    """
    session.flush()
    session.connection().execute(_LOCK_VISITOR, {"visitor": visit.visitor_id})
    return show_locked(session, visit, pool, at, trusted=trusted)


def show_locked(session: Session, visit: Visit, pool: Pool, at: datetime, *, trusted: bool = True) -> Shown:
    """The same for who has locked the visitor's row already."""
    shown = _running(session, session.connection(), visit, pool, at)
    return shown or show_first(session, visit, pool, at, trusted=trusted)


def show_first(session: Session, visit: Visit, pool: Pool, at: datetime, *, trusted: bool = True) -> Shown:
    """The same for a visitor who has no lease in the pool, and whom nobody else can speak for meanwhile."""
    claimed = _allowed(session, session.connection(), visit, pool, at, trusted=trusted)
    if isinstance(claimed, Shown):
        if pool.id in visit.missed_in:
            visit.missed = None
        return claimed
    _count(session, visit, pool, claimed, at)
    return _instead(session, visit, pool, claimed, at)


def renew(session: Session, visit_id: int, at: datetime) -> None:
    """A sign of life: the visit's numbers and codes are its own for a while again."""
    _sign(session, visit_id, at, left=False)


def leave(session: Session, visit_id: int, at: datetime) -> None:
    """The visitor has left: his numbers and codes are held a while, in case he calls or comes back."""
    _sign(session, visit_id, at, left=True)


def source_number(session: Session, company_id: int, source: str, group: str) -> str | None:
    """The static number shown to visitors of that source or channel group; None if there is none."""
    rows = session.execute(_SOURCES, {"company": company_id})
    return leasing.source_number((Offer(row.shown_to or "", row.e164) for row in rows), source, group)


def _running(session: Session, on: sa.Connection, visit: Visit, pool: Pool, at: datetime) -> Shown | None:
    """The visitor's lease, renewed; None if he has none, or it has run out and is ended with that.

    An earlier visit's lease passes to this one. A tab left open in an earlier visit shows the later one's.
    """
    values = {"visitor": visit.visitor_id, "pool": pool.id}
    lease = on.execute(_RUNNING, values).one_or_none()
    if lease is None:
        return None
    ends_at = lease.expires_at
    if ends_at > at:
        ends_at = leasing.expiry(lease.from_at, at, limits(pool))
    if ends_at <= at:
        end_own(session, lease.id, ends_at)
        return None
    if lease.visit_id < visit.id:
        from_at = hand_over(session, lease.id, at)
        return _write(on, visit, pool, from_at, (lease.number_id, lease.e164)) if from_at else None
    renewed = on.execute(_SIGN, {"lease": lease.id, "expires": ends_at, "by": None})
    return _own(lease.id, lease.e164, ends_at) if renewed.rowcount else None


def _allowed(
    session: Session, on: sa.Connection, visit: Visit, pool: Pool, at: datetime, *, trusted: bool
) -> Shown | Miss:
    """A number claimed, if the pool's rules let the visit have one; else why not.

    Leases that ran out are ended first where they stand in the way, whether the job has come round or not.
    """
    if leasing.may_share_only(visit.group, pool.dynamic_for):
        return Miss.SHARED
    claimed = _claimed(on, visit, pool, at, trusted=trusted)
    if isinstance(claimed, Miss) and release_due_in(session, pool.id, at):
        claimed = _claimed(on, visit, pool, at, trusted=trusted)
    return claimed


def _claimed(on: sa.Connection, visit: Visit, pool: Pool, at: datetime, *, trusted: bool) -> Shown | Miss:
    values = {"visitor": visit.visitor_id, "pool": pool.id, "at": at}
    if leasing.needs_stock(pool.paid_percent, paid=visit.paid, trusted=trusted):
        on.execute(_LOCK_POOL, {"pool": pool.id})  # what is counted now is so until the commit
        stock = Stock(*on.execute(_STOCK, values).one())
        if no := leasing.refusal(stock, pool.paid_percent, paid=visit.paid, trusted=trusted):
            return no
    while (number := on.execute(_TAKE, values).one_or_none()) is not None:
        if lease := _write(on, visit, pool, at, (number.id, number.e164)):
            return lease
        on.execute(_GIVE_BACK, {"number": number.id, "at": at})
    return Miss.POOL_EMPTY


def _write(
    on: sa.Connection, visit: Visit, pool: Pool, at: datetime, number: tuple[int, str]
) -> Shown | None:
    """The lease of a number whose row is ours; None if it is in the pool no more."""
    expires_at = leasing.expiry(at, at, limits(pool))
    values = {"number": number[0], "pool": pool.id, "visit": visit.id, "at": at, "expires": expires_at}
    lease_id = on.execute(_WRITE, values).scalar_one_or_none()
    return _own(lease_id, number[1], expires_at) if lease_id is not None else None


def _own(lease_id: int, e164: str, expires_at: datetime) -> Shown:
    return Shown(ShownKind.LEASE, e164, None, None, lease_id, expires_at)


def _count(session: Session, visit: Visit, pool: Pool, reason: Miss, at: datetime) -> None:
    """Note why, and count it if it is the visit's first miss in this pool.

    Read anew: another tab may have counted it since the visit was loaded.
    """
    counted: list[int] = session.connection().execute(_MISSED_IN, {"visit": visit.id}).scalar_one()
    visit.missed = reason
    if pool.id not in {*counted, *visit.missed_in}:
        visit.missed_in = [*visit.missed_in, pool.id]
        misses.count(session, visit.site_id, pool.id, reason, at)


def _instead(session: Session, visit: Visit, pool: Pool, reason: Miss, at: datetime) -> Shown:
    kind = leasing.instead(reason, pool.when_empty)
    e164: str | None = None
    code: str | None = None
    if kind is ShownKind.SOURCE:
        e164 = source_number(session, pool.company_id, visit.source, visit.group)
    elif kind is ShownKind.OVERFLOW:
        found = session.connection().execute(_OVERFLOW, {"number": pool.overflow_number_id})
        e164 = found.scalar_one_or_none()
    elif kind is ShownKind.CODE:
        code = codes.lease(session, visit, pool, at)
    return Shown(kind if e164 or code else ShownKind.REAL, e164, code, reason, None)


def _sign(session: Session, visit_id: int, at: datetime, *, left: bool) -> None:
    session.flush()
    connection = session.connection()
    signed: list[dict[str, Any]] = []
    for row in connection.execute(_OPEN, {"visit": visit_id}).all():
        if row.expires_at <= at:
            end_own(session, row.id, row.expires_at)
        else:
            expires = leasing.expiry(row.from_at, at, limits(row), left=left)
            signed.append({"lease": row.id, "expires": expires, "by": LeaseEnd.LEFT if left else None})
    if signed:
        connection.execute(_SIGN, signed)
    codes.sign(session, visit_id, at, left=left)
