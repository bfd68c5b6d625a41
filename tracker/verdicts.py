"""What a destination says, some time later, of what it took: what it refuses then is a dead letter after all.

Google answers a request with an id, and looks at each click afterwards. A receipt is asked for on the lane of
its destination, when everything that waited has gone out; while it is open it is asked again, for two days.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tracker.database import Database
from tracker.destination_line import Way
from tracker.destinations.kind import Follow, Parcel, Stop, Verdict
from tracker.models import Delivery
from tracker.outside import Trouble
from tracker.parcels import read_calls
from tracker.policy.delivering import Why

log = logging.getLogger("leaseline.deliveries")

AT_ONCE = 20  # receipts of a turn: what is to be delivered comes first
AGAIN = timedelta(hours=1)
LONGEST = timedelta(days=2)  # after a delivery; whoever says nothing by then says nothing more


def settle(
    database: Database, writing: AbstractContextManager[object], way: Way, lane_id: int, follow: Follow
) -> None:
    """Ask for the receipts of a destination that are due, one after the other, and some of them in a turn."""
    for _ in range(AT_ONCE):
        receipt = _next(database, lane_id, way.now)
        if receipt is None:
            return
        found = _read(database, way, lane_id, receipt)
        try:
            told = follow(way, receipt, [parcel for _, parcel in found.values()])
        except (Trouble, Stop) as why:
            log.warning("what became of %s could not be asked: %s", receipt, why)
            its = Delivery.destination_id == lane_id, Delivery.verdict_at <= way.now
            later = sa.case((Delivery.sent_at > way.now - LONGEST, way.now + AGAIN), else_=None)
            with writing, database.write() as session:
                session.execute(sa.update(Delivery).where(*its).values(verdict_at=later))
            return
        _write(database, writing, way.now, found, told)


def _next(database: Database, lane_id: int, now: datetime) -> str | None:
    wanted = sa.select(Delivery.receipt).where(Delivery.destination_id == lane_id, Delivery.verdict_at <= now)
    with database.read() as session:
        return session.scalar(wanted.order_by(Delivery.verdict_at, Delivery.id).limit(1))


def _read(database: Database, way: Way, lane_id: int, receipt: str) -> Mapping[int, tuple[datetime, Parcel]]:
    """The deliveries of a receipt by their ids: since when they count as sent, and what they tell."""
    wanted = sa.select(Delivery).where(
        Delivery.destination_id == lane_id, Delivery.receipt == receipt, Delivery.verdict_at.is_not(None)
    )
    with database.read() as session:
        rows = session.scalars(wanted.order_by(Delivery.id)).all()
        calls = read_calls(session, {row.call_id for row in rows}, way.settings.web_url)
        return {
            it.id: (
                it.sent_at or it.created_at,
                Parcel(it.key, it.event, it.revision, it.created_at, calls[it.call_id][0], {}),
            )
            for it in rows
        }


def _write(
    database: Database,
    writing: AbstractContextManager[object],
    now: datetime,
    found: Mapping[int, tuple[datetime, Parcel]],
    told: Sequence[Verdict],
) -> None:
    with writing, database.write() as session:
        for (delivery_id, (sent_at, parcel)), verdict in zip(found.items(), told, strict=True):
            if verdict.refused:
                log.warning("%s was refused after all: %s", parcel.key, verdict.text)
            # Who replayed it meanwhile has sent it anew: that one's verdict is another.
            which = Delivery.id == delivery_id, Delivery.verdict_at.is_not(None)
            session.execute(sa.update(Delivery).where(*which).values(_values(verdict, sent_at, now)))


def _values(verdict: Verdict, sent_at: datetime, now: datetime) -> dict[str, Any]:
    """What is written of a delivery after such a verdict."""
    values: dict[str, Any] = {"verdict_at": None}
    if verdict.text:
        values["answer"] = verdict.text[:300]
    if verdict.refused:
        return values | {"sent_at": None, "given_up_at": now, "why": Why.REFUSED}
    if verdict.after is not None and now < sent_at + LONGEST:
        values["verdict_at"] = now + verdict.after
    if verdict.receipt is not None:
        values["receipt"] = verdict.receipt
    return values
