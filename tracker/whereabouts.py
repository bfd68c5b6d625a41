"""Where a call went, and if not, why not: what a delivery waits for, and which destinations have none."""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.destinations import KINDS
from tracker.models import Call, Delivery, Destination
from tracker.policy.delivering import Hold
from tracker.policy.facts import Direction


class WaitsFor(enum.StrEnum):
    """What a delivery waits for."""

    PERSON = "person"  # who paused its destination goes on with it
    ACCESS = "access"  # a person connects its destination
    ANSWER = "answer"  # its destination fails, and is tried again later
    CATEGORY = "category"
    RECORDING = "recording"
    CLOCK = "clock"  # its destination takes it no sooner
    TURN = "turn"


class Untold(enum.StrEnum):
    """Why a destination was told nothing of a call."""

    BEFORE = "before"  # the call began before the destination was there
    OUTGOING = "outgoing"  # its kind is not told of calls that go out
    SPAM = "spam"
    EVENTS = "events"  # nothing that it is told of has happened


def waits_for(it: Delivery, now: datetime) -> WaitsFor | None:
    """What keeps a delivery; None: it does not wait. Its destination and call are loaded."""
    if it.sent_at is not None or it.given_up_at is not None:
        return None
    to = it.destination
    if to.paused_at is not None:
        return WaitsFor.PERSON
    if to.disconnected_at is not None:
        return WaitsFor.ACCESS
    if it.due_at <= now or it.tries:
        return WaitsFor.ANSWER if to.failures or it.tries else WaitsFor.TURN
    kind = KINDS.get(to.kind)
    hold = kind.timing(to.options, it.event).hold if kind else Hold.NOTHING
    if hold is Hold.CATEGORY and it.call.category is None:
        return WaitsFor.CATEGORY
    return WaitsFor.RECORDING if hold is Hold.RECORDING else WaitsFor.CLOCK


def untold(session: Session, call: Call, told: Collection[int]) -> Sequence[tuple[Destination, Untold]]:
    """The destinations of a call's company that were told nothing of it, and why; `told` are the others."""
    its = sa.select(Destination).where(
        Destination.company_id == call.company_id,
        Destination.id.not_in(told),
        Destination.disabled_at.is_(None),
    )
    found = session.scalars(its.order_by(sa.func.lower(Destination.name), Destination.id)).all()
    return [(it, _why(it, call)) for it in found]


def _why(it: Destination, call: Call) -> Untold:
    if call.started_at < it.created_at:
        return Untold.BEFORE
    kind = KINDS.get(it.kind)
    if call.direction is Direction.OUT and not (kind and kind.outgoing):
        return Untold.OUTGOING
    return Untold.SPAM if call.spam is not None else Untold.EVENTS
