"""How leases end: by time, by a call, when the number is moved, when the same visitor comes anew.

Whoever ends a lease holds the number's row first and then the lease's, so no two wait for each other; the
jobs pass over what somebody else has in hand. On SQLite the one writer's place does all that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import codes
from tracker.call_words import HAS_CALLED
from tracker.models import Call, Lease, Number, NumberUse, Pool
from tracker.policy import leasing
from tracker.policy.leasing import LeaseEnd, Limits

Found = sa.Row[*tuple[Any, ...]]

BATCH = 500  # leases ended in one transaction of the job

_open = (
    sa.select(
        Lease.id,
        Lease.number_id,
        Lease.from_at,
        Lease.expires_at,
        Lease.ended_by,
        Pool.idle_seconds,
        Pool.hold_seconds,
        Pool.longest_seconds,
        Pool.cooldown_seconds,
    )
    .join(Number, Number.id == Lease.number_id)
    .join(Pool, Pool.id == Lease.pool_id)
    .where(Lease.until_at.is_(None))
)
_in_turn = _open.with_for_update(of=[Number.id, Lease.id], key_share=True)
_passing_over = _open.with_for_update(of=[Number.id, Lease.id], key_share=True, skip_locked=True)

_ONE = _in_turn.where(Lease.id == sa.bindparam("lease"))
_OF_NUMBER = _in_turn.where(Lease.number_id == sa.bindparam("number"))
_DUE = _passing_over.where(Lease.expires_at <= sa.bindparam("at")).order_by(Lease.expires_at).limit(BATCH)
_DUE_IN_POOL = _DUE.where(Lease.pool_id == sa.bindparam("pool"))

_on_it = (
    Call.company_id == Pool.company_id,
    Call.number_id == Lease.number_id,
    Call.started_at >= Lease.from_at,
    HAS_CALLED,
)
_CALLED = _passing_over.where(
    Pool.release_after_call,
    Lease.expires_at > sa.bindparam("at"),
    sa.exists().where(*_on_it, Call.ended_at <= sa.bindparam("at")),
    ~sa.exists().where(*_on_it, Call.ended_at.is_(None)),
)

_LOCK_NUMBER = sa.select(Number.id).where(Number.id == sa.bindparam("number")).with_for_update(key_share=True)
_END = (
    sa.update(Lease)
    .where(Lease.id == sa.bindparam("lease"))
    .values(until_at=sa.bindparam("until"), ended_by=sa.bindparam("by"))
)
_FREE = sa.update(Number).where(Number.id == sa.bindparam("number")).values(free_at=sa.bindparam("free"))


@dataclass(frozen=True)
class Ending:
    """When and by what a lease ends."""

    until_at: datetime
    by: LeaseEnd


def release_due(session: Session, at: datetime) -> int:
    """End the leases that ran out, as of when they did: at most BATCH. How many; again while it was all."""
    codes.release_due(session, at)
    return _end(session, _DUE, {"at": at}, _run_out)


def release_due_in(session: Session, pool_id: int, at: datetime) -> int:
    """The same for one pool, now: somebody wants a number."""
    return _end(session, _DUE_IN_POOL, {"at": at, "pool": pool_id}, _run_out)


def released_after_call(session: Session, at: datetime) -> int:
    """End the leases whose visitor has called and hung up, in pools that release then. How many."""
    return _end(session, _CALLED, {"at": at}, lambda row: Ending(max(at, row.from_at), LeaseEnd.CALL))


def end_own(session: Session, lease_id: int, until_at: datetime) -> bool:
    """End the lease somebody asks for, which has run out at `until_at`; False if it was ended meanwhile."""

    def run_out(row: Found) -> Ending:
        return Ending(until_at, _what_ran_out(row, until_at))

    return bool(_end(session, _ONE, {"lease": lease_id}, run_out))


def hand_over(session: Session, lease_id: int, at: datetime) -> datetime | None:
    """End the lease so that the same visitor's next visit has the number, which stays taken.

    The instant it changes hands; None if the lease was ended meanwhile.
    """
    connection = session.connection()
    row = connection.execute(_ONE, {"lease": lease_id}).one_or_none()
    if row is None:
        return None
    until_at: datetime = max(at, row.from_at)
    connection.execute(_END, {"lease": row.id, "until": until_at, "by": LeaseEnd.NEXT})
    return until_at


def end_on(session: Session, number_id: int, at: datetime) -> None:
    """The number leaves its pool: whoever has it has it no more. Keeps claims off it until the commit."""
    session.flush()
    session.connection().execute(_LOCK_NUMBER, {"number": number_id})

    def moved(row: Found) -> Ending:
        return _run_out(row) if row.expires_at <= at else Ending(max(at, row.from_at), LeaseEnd.MOVED)

    _end(session, _OF_NUMBER, {"number": number_id}, moved)


def _end(
    session: Session,
    which: sa.Select[*tuple[Any, ...]],
    values: dict[str, Any],
    how: Callable[[Found], Ending],
) -> int:
    """End the leases found, each in its way, and say from when on their numbers are free."""
    connection = session.connection()
    rows = connection.execute(which, values).all()
    if rows:
        endings = [(row, how(row)) for row in rows]
        connection.execute(_END, [{"lease": r.id, "until": e.until_at, "by": e.by} for r, e in endings])
        connection.execute(
            _FREE,
            [{"number": r.number_id, "free": leasing.rested(e.until_at, limits(r))} for r, e in endings],
        )
    return len(rows)


def _run_out(row: Found) -> Ending:
    return Ending(row.expires_at, _what_ran_out(row, row.expires_at))


def _what_ran_out(row: Found, until_at: datetime) -> LeaseEnd:
    return leasing.ended_by(row.from_at, until_at, limits(row), left=row.ended_by is LeaseEnd.LEFT)


def limits(pool: Pool | Found) -> Limits:
    """A pool's times."""
    return Limits(pool.idle_seconds, pool.hold_seconds, pool.longest_seconds, pool.cooldown_seconds)


# ---- when the clock was set ----


def shift(session: Session, seconds: float, at: datetime) -> int:
    """The clock was set forward by so many seconds (negative: back) and shows `at`. How many leases moved.

    Leases last as long as they would have, and numbers rest as long. What was renewed since is right already.
    A lease from what is now the future begins that much earlier, so that calls find it.
    """
    step = timedelta(seconds=seconds)
    connection = session.connection()
    moved = [
        {"lease": row.id, "from": row.from_at + min(step, timedelta(0)), "expires": row.expires_at + step}
        for row in connection.execute(_in_turn)
        if leasing.is_before_step(_alive_at(row), at)
    ]
    if moved:
        connection.execute(_SHIFT_LEASE, moved)
    resting = connection.execute(_FREE_NUMBERS).all()
    if resting:
        connection.execute(_FREE, [{"number": row.id, "free": row.free_at + step} for row in resting])
    codes.shift(session, step)
    return len(moved)


_SHIFT_LEASE = (
    sa.update(Lease)
    .where(Lease.id == sa.bindparam("lease"))
    .values(from_at=sa.bindparam("from"), expires_at=sa.bindparam("expires"))
)
_FREE_NUMBERS = (
    sa.select(Number.id, Number.free_at)
    .join(NumberUse, NumberUse.number_id == Number.id)
    .where(NumberUse.pool_id.is_not(None), NumberUse.until_at.is_(None), Number.free_at.is_not(None))
    .with_for_update(of=Number.id, key_share=True)
)


def _alive_at(row: Found) -> datetime:
    """The last sign of life, by the clock of its time."""
    seconds = row.hold_seconds if row.ended_by is LeaseEnd.LEFT else row.idle_seconds
    expires_at: datetime = row.expires_at
    return expires_at - timedelta(seconds=seconds)
