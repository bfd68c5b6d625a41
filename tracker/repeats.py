"""First-time and repeat callers: whether the company has had an earlier call of the same caller.

A callback is a call of his, for he has asked for it; a call that we made of ourselves is none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from tracker.models import Call
from tracker.models.base import Instant
from tracker.policy.facts import COUNTED


@dataclass(frozen=True)
class Heard:
    """A caller, and since when that caller's calls have to be looked at again."""

    company_id: int
    caller: str | None
    since: datetime


def _is_his(call: type[Call]) -> sa.ColumnElement[bool]:
    return sa.or_(*(call.direction == each for each in sorted(COUNTED)))  # a list cannot stand in many rows'


_CALLED = sa.select(
    sa.exists().where(
        Call.company_id == sa.bindparam("of"),
        Call.caller == sa.bindparam("by"),
        _is_his(Call),
        Call.started_at < sa.bindparam("at", type_=Instant()),
    )
)
_earlier = aliased(Call)
_CALLS = sa.update(Call).where(
    Call.company_id == sa.bindparam("of"),
    Call.caller == sa.bindparam("by"),
    Call.started_at >= sa.bindparam("since"),
)
_FORGET = _CALLS.values(repeat=False)
_MARK = _CALLS.where(
    Call.repeat.is_(False),
    sa.exists()
    .where(
        _earlier.company_id == Call.company_id,
        _earlier.caller == Call.caller,
        _is_his(_earlier),
        sa.or_(
            _earlier.started_at < Call.started_at,
            sa.and_(_earlier.started_at == Call.started_at, _earlier.key < Call.key),
        ),
    )
    .correlate(Call),
).values(repeat=True)


def has_called(session: Session, company_id: int, caller: str | None, at: datetime) -> bool:
    """Whether the company's books have an earlier call of that caller: what its mark will say."""
    return caller is not None and bool(
        session.connection().scalar(_CALLED, {"of": company_id, "by": caller, "at": at})
    )


def mark_repeats(session: Session, heard: Iterable[Heard], *, afresh: bool = False) -> None:
    """Marks the calls that have an earlier one, from that instant on: a late call makes later ones repeats.

    `afresh` also takes the mark away, for a call whose start turned out to be another.
    """
    rows = [{"of": each.company_id, "by": each.caller, "since": each.since} for each in heard if each.caller]
    if not rows:
        return
    connection = session.connection()  # the connection's own execute: plain SQL for every row of parameters
    if afresh:
        connection.execute(_FORGET, rows)
    connection.execute(_MARK, rows)
