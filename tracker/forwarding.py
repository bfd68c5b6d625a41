"""Who rings for a number: its own forwarding or plan, else its channel's or pool's, else the company's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.models import Forwarding, Number, NumberUse
from tracker.plan_uses import RANKS, InForce, in_force


@dataclass(frozen=True)
class Ring:
    """One target and how long it rings before the next one is tried."""

    target_id: int
    ring_seconds: int


Rings = tuple[Ring, ...]


@dataclass(frozen=True)
class Way:
    """What happens to a number's calls: targets ring in this order, or a plan has its way. False: neither."""

    rings: Rings = ()
    plan: InForce | None = None

    def __bool__(self) -> bool:
        return bool(self.rings) or self.plan is not None


def way_of(scope: str | None, rings: Rings, plan: InForce | None) -> Way:
    """The more particular of the two; `scope` is what the rings are set for, None: for nothing."""
    if plan is not None and (scope is None or RANKS[plan.scope] <= RANKS[scope]):
        return Way(plan=plan)
    return Way(rings)


def ways(session: Session, number_ids: Iterable[int] | None = None) -> dict[int, Way]:
    """What happens to the calls of each number. Five statements at most."""
    wanted = None if number_ids is None else list(number_ids)
    plans = in_force(session, wanted)
    return {
        number_id: way_of(scope, rings, plans.get(number_id))
        for number_id, (scope, rings) in _set_for(session, wanted).items()
    }


def rings_for(session: Session, number_ids: Iterable[int] | None = None) -> dict[int, Rings]:
    """The targets of each number in ringing order; an empty tuple where nothing is set. Two statements."""
    return {number_id: rings for number_id, (_, rings) in _set_for(session, number_ids).items()}


def _set_for(session: Session, number_ids: Iterable[int] | None) -> dict[int, tuple[str | None, Rings]]:
    table = _by_scope(session)
    numbers = sa.select(Number.id, Number.company_id, NumberUse.channel_id, NumberUse.pool_id).join_from(
        Number,
        NumberUse,
        sa.and_(NumberUse.number_id == Number.id, NumberUse.until_at.is_(None)),
        isouter=True,
    )
    if number_ids is not None:
        numbers = numbers.where(Number.id.in_(list(number_ids)))
    return {
        row.id: first_set(table, row.id, row.channel_id, row.pool_id, row.company_id)
        for row in session.execute(numbers)
    }


def first_set(
    table: dict[tuple[str, int | None], Rings],
    number_id: int,
    channel_id: int | None,
    pool_id: int | None,
    company_id: int,
) -> tuple[str | None, Rings]:
    """The most particular forwarding that is set: number before channel or pool before company."""
    scopes = (("number", number_id), ("channel", channel_id), ("pool", pool_id), ("company", company_id))
    return next(((scope[0], table[scope]) for scope in scopes if scope in table), (None, ()))


def _by_scope(session: Session) -> dict[tuple[str, int | None], Rings]:
    table: dict[tuple[str, int | None], Rings] = {}
    for row in session.scalars(sa.select(Forwarding).order_by(Forwarding.position, Forwarding.id)):
        scope = _scope(row)
        table[scope] = (*table.get(scope, ()), Ring(row.target_id, row.ring_seconds))
    return table


def _scope(row: Forwarding) -> tuple[str, int | None]:
    for name in ("number", "channel", "pool"):
        if (identity := getattr(row, f"{name}_id")) is not None:
            return name, identity
    return "company", row.company_id
