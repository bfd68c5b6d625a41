"""What is to be told of calls: rows written in the transaction of the fact itself, one a destination.

What a row tells is read when it is sent, so a row says only that there is something to tell. The same event
of the same call is one row a destination, however often a witness repeats it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager

from tracker.audit import By
from tracker.destinations import KINDS
from tracker.errors import Rejected
from tracker.mailing import new_key
from tracker.models import Call, Company, Delivery, Destination
from tracker.once import insert_once
from tracker.policy.delivering import NOT_SENT, Event
from tracker.policy.facts import Direction

KEPT = timedelta(days=400)  # as long as somebody may ask where a call went
_UNIQUE = ("destination_id", "event", "call_id", "revision")
WAITING = sa.and_(Delivery.sent_at.is_(None), Delivery.given_up_at.is_(None))

_STATES = {
    "waiting": WAITING,
    "sent": Delivery.sent_at.is_not(None),
    "not_sent": sa.and_(Delivery.given_up_at.is_not(None), Delivery.why.in_(NOT_SENT)),
    "failed": sa.and_(Delivery.given_up_at.is_not(None), Delivery.why.not_in(NOT_SENT)),
}

_WHO = sa.select(
    Destination.id, Destination.company_id, Destination.kind, Destination.events, Destination.created_at
).where(Destination.disabled_at.is_(None))
_WHAT = sa.select(Call.id, Call.company_id, Call.direction, Call.spam, Call.started_at, Call.ended_at).where(
    Call.id.in_(sa.bindparam("calls", expanding=True))
)


def tell(session: Session, call_ids: Collection[int], event: Event, at: datetime | None = None) -> int:
    """Have every destination that takes it told of an event of these calls; gives how many rows are new.

    `at` is the fact's instant; without one the call's end, or its start. Calls that began before the
    destination was there are history to it, and spam is nothing to tell.
    """
    if not call_ids:
        return 0
    connection = session.connection()
    wanted = [each for each in connection.execute(_WHO) if event in each.events]
    if not wanted:
        return 0
    calls = connection.execute(_WHAT, {"calls": list(call_ids)}).all()
    rows = [
        _row(who.id, call.id, event, at or call.ended_at or call.started_at)
        for call in sorted(calls, key=lambda call: (call.started_at, call.id))
        for who in wanted
        if _concerns(who, call)
    ]
    return len(insert_once(session, Delivery, rows, _UNIQUE))


def tell_again(session: Session, call_ids: Collection[int], event: Event, at: datetime) -> None:
    """As `tell`, of what may happen again: a row that still waits tells the newest, else one follows."""
    session.flush()
    if not tell(session, call_ids, event, at) and call_ids:
        revisions = (
            sa.select(Delivery.destination_id, Delivery.call_id, sa.func.max(Delivery.revision))
            .where(Delivery.call_id.in_(call_ids), Delivery.event == event)
            .group_by(Delivery.destination_id, Delivery.call_id)
        )
        waits = (
            sa.select(Delivery.destination_id, Delivery.call_id)
            .where(Delivery.call_id.in_(call_ids), Delivery.event == event, WAITING)
        )  # fmt: skip
        waiting = {tuple(row) for row in session.execute(waits)}
        rows = [
            _row(destination, call, event, at) | {"revision": newest + 1}
            for destination, call, newest in session.execute(revisions)
            if (destination, call) not in waiting
        ]
        insert_once(session, Delivery, rows, _UNIQUE)
    release(session, call_ids, at)


def release(session: Session, call_ids: Collection[int], at: datetime) -> None:
    """What was held for these calls goes out now, if its destination's clock lets it."""
    held = sa.update(Delivery).where(Delivery.call_id.in_(call_ids), WAITING, Delivery.due_at > at)
    if call_ids:
        session.execute(held.where(Delivery.tries == 0).values(due_at=at))


@dataclass(frozen=True)
class Asked:
    """Which deliveries somebody wants to see; None: any."""

    call: str | None = None  # its key
    destination_id: int | None = None
    state: str | None = None  # see `state_of`
    since: datetime | None = None  # of the facts
    until: datetime | None = None


def list_deliveries(
    session: Session, company_ids: Collection[int], asked: Asked, limit: int, before: int | None = None
) -> Sequence[Delivery]:
    """Deliveries of these companies, the newest first, before that id."""
    wanted = (
        sa.select(Delivery)
        .join(Delivery.destination)
        .join(Delivery.call)
        .where(Destination.company_id.in_(company_ids))
        .options(contains_eager(Delivery.destination), contains_eager(Delivery.call))
        .order_by(Delivery.id.desc())
        .limit(limit)
    )
    if asked.call is not None:
        wanted = wanted.where(Call.key == asked.call)
    if asked.destination_id is not None:
        wanted = wanted.where(Delivery.destination_id == asked.destination_id)
    if asked.state is not None:
        wanted = wanted.where(_STATES[asked.state])
    if asked.since is not None:
        wanted = wanted.where(Delivery.created_at >= asked.since)
    if asked.until is not None:
        wanted = wanted.where(Delivery.created_at < asked.until)
    if before is not None:
        wanted = wanted.where(Delivery.id < before)
    return session.scalars(wanted).all()


def get_delivery(session: Session, company: Company, delivery_id: int) -> Delivery:
    """One of the company's. Raises Rejected delivery.unknown."""
    wanted = (
        sa.select(Delivery)
        .join(Delivery.destination)
        .join(Delivery.call)
        .where(Destination.company_id == company.id, Delivery.id == delivery_id)
        .options(contains_eager(Delivery.destination), contains_eager(Delivery.call))
    )
    if found := session.scalars(wanted).one_or_none():
        return found
    raise Rejected("delivery.unknown", "There is no such delivery", "See `leaseline delivery list`")


def state_of(it: Delivery) -> str:
    """waiting; sent; not_sent: by a rule of ours; failed: given up."""
    if it.sent_at is not None:
        return "sent"
    if it.given_up_at is None:
        return "waiting"
    return "not_sent" if it.why in NOT_SENT else "failed"


def describe(it: Delivery) -> dict[str, Any]:
    """A delivery as JSON; its destination and call are loaded."""
    return {
        "id": it.id,
        "key": it.key,
        "call": it.call.key,
        "destination": it.destination.name,
        "event": it.event.value,
        "revision": it.revision,
        "state": state_of(it),
        "why": it.why and it.why.value,
        "tries": it.tries,
        "created_at": it.created_at,
        "due_at": it.due_at if state_of(it) == "waiting" else None,
        "tried_at": it.tried_at,
        "sent_at": it.sent_at,
        "answer": it.answer,
        "receipt": it.receipt,
        "verdict_at": it.verdict_at,
    }


def replay(
    session: Session,
    by: By,
    destination: Destination,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    ids: Iterable[int] = (),
    everything: bool = False,
) -> int:
    """Send again what was given up (with `everything`: what was taken, too), by ids or of a period.

    Gives how many. Raises Rejected `delivery.nothing` where neither is given, `delivery.disabled` for one
    that wants no more.
    """
    chosen = list(ids)
    if not chosen and since is None:
        raise Rejected("delivery.nothing", "Nothing was chosen", "Name deliveries, or the day from which on")
    if destination.disabled_at is not None:
        raise Rejected(
            "delivery.disabled",
            "%(name)s is told nothing any more, because it answered: %(answer)s",
            "Save its settings anew first, or `leaseline destination change`",
            name=destination.name,
            answer=destination.disabled_because,
        )
    which: list[Any] = [Delivery.destination_id == destination.id]
    which.append(~WAITING if everything else Delivery.given_up_at.is_not(None))
    which += [Delivery.id.in_(chosen)] if chosen else []
    which += [Delivery.created_at >= since] if since else []
    which += [Delivery.created_at < until] if until else []
    again = sa.update(Delivery).where(*which).values(
        sent_at=None, given_up_at=None, why=None, due_at=by.at, tries=0, progress={}, receipt=None,
        verdict_at=None,
    )  # fmt: skip
    count = session.connection().execute(again).rowcount
    detail = {"count": count}
    by.note(session, "delivery.replay", destination.company_id, subject=destination.name, detail=detail)
    return count


def forget_old(session: Session, now: datetime) -> int:
    """Delete what was settled long ago. How many."""
    old = sa.delete(Delivery).where(Delivery.created_at < now - KEPT, ~WAITING)
    return session.connection().execute(old).rowcount


def _concerns(who: Any, call: Any) -> bool:
    """Whether that call is one of the destination's."""
    kind = KINDS.get(who.kind)
    ours = who.company_id == call.company_id and call.started_at >= who.created_at
    takes = kind is not None and (kind.outgoing or call.direction is not Direction.OUT)
    return ours and takes and call.spam is None


def _row(destination_id: int, call_id: int, event: Event, at: datetime) -> dict[str, Any]:
    return {
        "key": new_key(), "destination_id": destination_id, "call_id": call_id, "event": event,
        "revision": 0, "created_at": at, "due_at": at, "tries": 0, "progress": {},
    }  # fmt: skip
