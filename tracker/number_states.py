"""What a company's numbers do right now, counted: in use, leased, resting, free, retired, rung by nobody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.call_words import HAS_CALLED
from tracker.forwarding import ways
from tracker.models import Call, CallPlan, Company, Lease, Number, NumberState, NumberUse, Target


@dataclass(frozen=True)
class Tally:
    """Numbers by what they do. `static` belong to channels; leased, resting and free are in pools.

    `silent` are those that are answered and that nobody rings for, as E.164.
    """

    static: int
    leased: int
    resting: int
    free: int
    unused: int
    quarantined: int
    retired: int
    silent: tuple[str, ...]

    @property
    def active(self) -> int:
        return self.static + self.leased + self.resting + self.free + self.unused

    @property
    def all(self) -> int:
        return self.active + self.quarantined + self.retired


def tally(session: Session, company: Company, at: datetime) -> Tally:
    """The company's numbers at that instant. Five statements, however many there are."""
    doing = states(session, company, at)
    answered = {number_id for number_id, state in doing.items() if state != "retired"}
    rings = ways(session, answered)
    silent = [number_id for number_id in answered if not rings[number_id]]
    written = sa.select(Number.e164).where(Number.id.in_(silent)).order_by(Number.e164)
    return Tally(
        **{name: sum(state == name for state in doing.values()) for name in NAMES},
        silent=tuple(session.scalars(written)) if silent else (),
    )


NAMES = ("static", "leased", "resting", "free", "unused", "quarantined", "retired")


def states(session: Session, company: Company, at: datetime) -> dict[int, str]:
    """What each of the company's numbers does, one of NAMES, by its id."""
    held = sa.exists().where(Lease.number_id == Number.id, Lease.until_at.is_(None))
    state = sa.case(
        (Number.state == NumberState.QUARANTINED, "quarantined"),
        (Number.state == NumberState.RETIRED, "retired"),
        (NumberUse.channel_id.is_not(None), "static"),
        (NumberUse.id.is_(None), "unused"),
        (held, "leased"),
        (Number.free_at > at, "resting"),
        else_="free",
    )
    wanted = (
        sa.select(Number.id, state)
        .outerjoin(NumberUse, sa.and_(NumberUse.number_id == Number.id, NumberUse.until_at.is_(None)))
        .where(Number.company_id == company.id)
    )
    return {number_id: str(name) for number_id, name in session.execute(wanted)}


def last_called(session: Session, number_ids: Iterable[int]) -> dict[int, datetime]:
    """When each of the numbers was last called; those that never were are left out."""
    # Asked for each, the index answers at its end; grouped, all their calls would be read.
    theirs = sa.select(sa.func.max(Call.started_at)).where(Call.number_id == Number.id, HAS_CALLED)
    newest = theirs.scalar_subquery()
    wanted = sa.select(Number.id, newest).where(Number.id.in_(list(number_ids)))
    return {number_id: at for number_id, at in session.execute(wanted) if at is not None}


@dataclass(frozen=True)
class WhoRings:
    """What a number's calls do: a plan has its way, or targets ring in this order. False: neither."""

    plan: CallPlan | None
    rings: list[tuple[Target, int]]  # each with its seconds

    def __bool__(self) -> bool:
        return self.plan is not None or bool(self.rings)


def who_rings(session: Session, number_ids: Iterable[int]) -> dict[int, WhoRings]:
    """Who rings for each of the numbers."""
    found = ways(session, number_ids)
    target_ids = {ring.target_id for way in found.values() for ring in way.rings}
    plan_ids = {way.plan.plan_id for way in found.values() if way.plan}
    targets = {each.id: each for each in session.scalars(sa.select(Target).where(Target.id.in_(target_ids)))}
    plans = {each.id: each for each in session.scalars(sa.select(CallPlan).where(CallPlan.id.in_(plan_ids)))}
    return {
        number_id: WhoRings(
            plans[way.plan.plan_id] if way.plan else None,
            [(targets[ring.target_id], ring.ring_seconds) for ring in way.rings],
        )
        for number_id, way in found.items()
    }
