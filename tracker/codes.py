"""Visitor codes: short numbers shown beside the company's own one, leased to a visit as numbers are.

The caller's phone dials the code by itself, or he tells it. A code is one visit's alone within its company:
the database says so (uq_code_leases_active).
"""

from __future__ import annotations

import itertools
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import once
from tracker.models import CodeLease, Pool, Visit
from tracker.policy import leasing

_TRIES = 32  # of one length: half of which are free

_MINE = (
    sa.select(CodeLease.id, CodeLease.code, CodeLease.from_at, CodeLease.expires_at, CodeLease.until_at)
    .where(CodeLease.visit_id == sa.bindparam("visit"), CodeLease.pool_id == sa.bindparam("pool"))
    .order_by(CodeLease.id.desc())
    .limit(1)
)
_OPEN = (
    sa.select(
        CodeLease.id,
        CodeLease.from_at,
        CodeLease.expires_at,
        Pool.idle_seconds,
        Pool.hold_seconds,
        Pool.longest_seconds,
    )
    .join(Pool, Pool.id == CodeLease.pool_id)
    .where(CodeLease.visit_id == sa.bindparam("visit"), CodeLease.until_at.is_(None))
)
_RENEW = (
    sa.update(CodeLease)
    .where(CodeLease.id == sa.bindparam("lease"), CodeLease.until_at.is_(None))
    .values(expires_at=sa.bindparam("expires"))
)
_due = (
    sa.select(CodeLease.id)
    .where(CodeLease.until_at.is_(None), CodeLease.expires_at <= sa.bindparam("at"))
    .with_for_update(skip_locked=True, key_share=True)
)
_CLOSE_DUE = (
    sa.update(CodeLease).where(CodeLease.id.in_(_due)).values(until_at=CodeLease.expires_at)
)  # fmt: skip
_CLOSE_DUE_OF_COMPANY = (
    sa.update(CodeLease)
    .where(CodeLease.id.in_(_due.where(CodeLease.company_id == sa.bindparam("company"))))
    .values(until_at=CodeLease.expires_at)
)
_HOW_MANY = sa.select(sa.func.count()).where(
    CodeLease.company_id == sa.bindparam("company"), CodeLease.until_at.is_(None)
)


def lease(session: Session, visit: Visit, pool: Pool, at: datetime) -> str:
    """The visit's code in place of a number of that pool: the one it has, else a new one."""
    limits = leasing.Limits(pool.idle_seconds, pool.hold_seconds, pool.longest_seconds, pool.cooldown_seconds)
    connection = session.connection()
    mine = connection.execute(_MINE, {"visit": visit.id, "pool": pool.id}).one_or_none()
    if mine is not None and mine.until_at is None and mine.expires_at > at:
        expires = leasing.expiry(mine.from_at, at, limits)
        if expires > at:
            connection.execute(_RENEW, {"lease": mine.id, "expires": expires})
            return str(mine.code)
        connection.execute(_RENEW, {"lease": mine.id, "expires": at})
    connection.execute(_CLOSE_DUE_OF_COMPANY, {"company": pool.company_id, "at": at})
    return _new(session, visit, pool, at, leasing.expiry(at, at, limits), before=mine and mine.code)


def _new(
    session: Session, visit: Visit, pool: Pool, at: datetime, expires: datetime, *, before: str | None
) -> str:
    """The code the visit had before if it is free, else any of the free ones, chosen at random.

    Drawing until one is free is a fair choice among those that are, and each draw one statement.
    """
    connection = session.connection()
    taken = connection.execute(_HOW_MANY, {"company": pool.company_id}).scalar_one()
    digits = leasing.code_digits(taken)
    drawn = (_draw(digits + tries // _TRIES) for tries in itertools.count())
    insert = once.insert(session, CodeLease).on_conflict_do_nothing().returning(CodeLease.id)
    row = {
        "company_id": pool.company_id,
        "pool_id": pool.id,
        "visit_id": visit.id,
        "from_at": at,
        "expires_at": expires,
    }
    return next(
        code
        for code in itertools.chain([before] if before else [], drawn)
        if connection.execute(insert, {**row, "code": code}).first() is not None
    )


def _draw(digits: int) -> str:
    """Any number of so many digits; none begins with a zero, which people leave out."""
    least = 10 ** (digits - 1)
    return str(least + secrets.randbelow(9 * least))


def sign(session: Session, visit_id: int, at: datetime, *, left: bool) -> None:
    """A sign of life of the visit, or its leaving: its codes last accordingly."""
    connection = session.connection()
    renewed = [
        {"lease": row.id, "expires": leasing.expiry(row.from_at, at, leasing.Limits(*row[3:], 0), left=left)}
        for row in connection.execute(_OPEN, {"visit": visit_id})
        if row.expires_at > at
    ]
    if renewed:
        connection.execute(_RENEW, renewed)


def release_due(session: Session, at: datetime) -> None:
    """Close the codes that ran out, as of when they did."""
    session.connection().execute(_CLOSE_DUE, {"at": at})


def shift(session: Session, step: timedelta) -> None:
    """The clock was set: what is open lasts as long as it would have."""
    connection = session.connection()
    rows = connection.execute(
        sa.select(CodeLease.id, CodeLease.expires_at).where(CodeLease.until_at.is_(None))
    ).all()
    if rows:
        connection.execute(_RENEW, [{"lease": row.id, "expires": row.expires_at + step} for row in rows])
