"""Takes deliveries to their destinations: a thread for each that has something due, in the calls' order.

A destination is a lane. One worker at a time holds it, by one statement, for a minute that it keeps renewing;
another takes over from one that died. A destination that does not answer is left alone for longer each time,
with all that waits for it; the other lanes never notice. Sent and not yet settled when a worker dies is sent
again, with the same key: at least once.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import outside, verdicts
from tracker.database import Database
from tracker.deliveries import WAITING
from tracker.destination_line import Way
from tracker.destination_safe import Safe
from tracker.destinations import KINDS, Kind, Parcel
from tracker.errors import Rejected
from tracker.models import Delivery, Destination
from tracker.parcels import read_calls
from tracker.policy.delivering import (
    POISON_TRIES,
    SET_ASIDE,
    Standing,
    Why,
    closes_at,
    due_at,
    pause,
)
from tracker.policy.telling import Answer
from tracker.settings import Settings
from tracker.telling import Translate, in_english
from tracker.vault import Vault

log = logging.getLogger("leaseline.deliveries")

HOLD = timedelta(seconds=60)
AT_ONCE = 32  # lanes
BATCH = 50  # deliveries read at once, of destinations that take one at a time


@dataclass(frozen=True)
class _Lane:
    """A destination in our hands."""

    id: int
    name: str
    kind: Kind
    options: Mapping[str, str]


@dataclass(frozen=True)
class _Item:
    """A delivery in our hands, and how often it was tried before."""

    id: int
    tries: int
    parcel: Parcel


class Postman:
    """Takes turns; a turn starts lanes and does not wait for them."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Callable[[], datetime],
        *,
        at_once: int = AT_ONCE,
        seconds: float = outside.SECONDS,
        translator: Callable[[str], Translate] = in_english,
    ) -> None:
        self._database, self._settings, self._clock, self._at_once = database, settings, clock, at_once
        self._vault = Vault(settings.secret_key)
        self._me = uuid4().hex
        self._seconds, self._translator = seconds, translator
        self.lanes: dict[int, threading.Thread] = {}
        self._writing = threading.Lock()  # SQLite has one writer's place: our own threads wait here for it

    def take_turn(self) -> int:
        """Keep the lanes that are under way, start those that have something due. How many were started."""
        self.lanes = {lane: thread for lane, thread in self.lanes.items() if thread.is_alive()}
        now = self._clock()
        self._renew(now)
        room = self._at_once - len(self.lanes)
        if room <= 0:
            return 0
        with self._database.read() as session:
            waiting = session.scalars(_due_lanes(now).limit(room + len(self.lanes))).all()
        due = [lane for lane in waiting if lane not in self.lanes][:room]
        if not due:
            return 0
        with self._writing, self._database.write() as session:
            lanes = self._claim(session, due, now)
        for lane in lanes:
            # A daemon: a worker that is told to stop does not wait, and the hold runs out by itself.
            thread = threading.Thread(target=self._run, args=(lane,), daemon=True)
            self.lanes[lane.id] = thread
            thread.start()
        return len(lanes)

    def wait(self, seconds: float) -> None:
        """Wait for what is on its way, each lane for so long at most."""
        for thread in list(self.lanes.values()):
            thread.join(seconds)

    def _renew(self, now: datetime) -> None:
        if not self.lanes:
            return
        soon = now + HOLD / 2
        mine = sa.and_(Destination.held_by == self._me, Destination.id.in_(list(self.lanes)))
        with self._database.read() as session:
            ending = session.scalars(
                sa.select(Destination.id).where(mine, Destination.held_until < soon)
            ).all()
        if ending:
            with self._writing, self._database.write() as session:
                session.execute(sa.update(Destination).where(mine).values(held_until=now + HOLD))

    def _claim(self, session: Session, wanted: Sequence[int], now: datetime) -> list[_Lane]:
        take = (
            sa.update(Destination)
            .where(Destination.id.in_(wanted), _free(now))
            .values(held_by=self._me, held_until=now + HOLD)
            .returning(Destination.id, Destination.name, Destination.kind, Destination.options)
        )
        return [
            _Lane(row.id, row.name, KINDS[row.kind], row.options)
            for row in session.connection().execute(take)
            if row.kind in KINDS
        ]

    def _run(self, lane: _Lane) -> None:
        """Everything that is due on a lane, until it is empty or the destination fails."""
        try:
            while self._round(lane):
                pass
            if lane.kind.follow is not None:
                verdicts.settle(self._database, self._writing, self._way(lane), lane.id, lane.kind.follow)
        except Rejected as shut:  # its secrets: everything waits until the key is the right one again
            self._fail(lane, Answer(False, str(shut)))
        except Exception:
            log.exception("destination %d (%s)", lane.id, lane.name)
            self._fail(lane, Answer(False, "An error of ours: the worker's log tells more"))
        finally:
            self._give_back(lane)

    def _round(self, lane: _Lane) -> bool:
        """One batch; whether another may follow."""
        now = self._clock()
        with self._database.read() as session:
            ready, settled = self._sort(session, lane, now)
        if settled:
            with self._writing, self._database.write() as session:
                for delivery_id, values in settled.items():
                    session.execute(
                        sa.update(Delivery).where(Delivery.id == delivery_id, WAITING).values(values)
                    )
        if not ready:
            return bool(settled)
        return self._send(lane, ready)

    def _sort(
        self, session: Session, lane: _Lane, now: datetime
    ) -> tuple[list[_Item], dict[int, dict[str, Any]]]:
        """What is to be sent now, and what becomes of the rest: held on, or not sent and why."""
        wanted = (
            sa.select(Delivery)
            .where(Delivery.destination_id == lane.id, WAITING, Delivery.due_at <= now)
            .order_by(Delivery.id)
            .limit(max(BATCH, lane.kind.batch))
        )
        found = session.scalars(wanted).all()
        ids = {each.call_id for each in found}
        calls = read_calls(session, ids, self._settings.web_url, self._settings.recordings_folder)
        ready: list[_Item] = []
        settled: dict[int, dict[str, Any]] = {}
        for it in found:
            call, standing = calls[it.call_id]
            parcel = Parcel(it.key, it.event, it.revision, it.created_at, call, dict(it.progress))
            otherwise = _otherwise(lane, parcel, standing, now)
            if otherwise is None:
                ready.append(_Item(it.id, it.tries, parcel))
            else:
                settled[it.id] = otherwise
        return ready, settled

    def _send(self, lane: _Lane, ready: Sequence[_Item]) -> bool:
        """Send them in their order; whether all of them were answered.

        One that fails again and again may be what the other side stumbles over: then the next is tried, and
        where that one is taken, the first is set aside.
        """
        way = self._way(lane)
        at, size = 0, lane.kind.batch
        suspect: Sequence[_Item] = ()
        while at < len(ready):
            part = ready[at : at + size]
            at += size
            trouble = self._try(lane, way, part)
            if trouble is None:
                self._set_aside(suspect)
                suspect = ()
            elif suspect or part[0].tries + 1 < POISON_TRIES or at >= len(ready):
                self._fail(lane, trouble)
                return False
            else:
                suspect = part
        return True

    def _way(self, lane: _Lane) -> Way:
        """The line to it, with its secrets as the last batch, or a person, left them."""
        with self._database.read() as session:
            sealed = session.scalar(sa.select(Destination.secrets).where(Destination.id == lane.id))
        secrets = self._vault.open(sealed or "")
        safe = Safe(self._database, self._vault, lane.id, self._clock, self._writing)
        return Way(lane.options, secrets, self._settings, self._clock, self._translator, self._seconds, safe)

    def _try(self, lane: _Lane, way: Way, part: Sequence[_Item]) -> Answer | None:
        """One request or so; gives the answer that says that the destination itself fails."""
        answers: list[Answer] = []
        for item, answer in zip(part, lane.kind.send(way, [it.parcel for it in part]), strict=False):
            answers.append(answer)
            if not answer.ok:
                log.warning("%s was not delivered to %s: %s", item.parcel.key, lane.name, answer.text)
        now = self._clock()
        with self._writing, self._database.write() as session:
            for item, answer in zip(part, answers, strict=False):
                values = _settled(lane.kind, item, answer, now)
                session.execute(sa.update(Delivery).where(Delivery.id == item.id).values(values))
            self._note(session, lane, answers, now)
        return next((each for each in answers if not each.ok and not each.final), None)

    def _set_aside(self, suspect: Sequence[_Item]) -> None:
        """Let the others pass for some hours."""
        if not suspect:
            return
        until = self._clock() + SET_ASIDE
        with self._writing, self._database.write() as session:
            which = Delivery.id.in_([item.id for item in suspect])
            session.execute(sa.update(Delivery).where(which, WAITING).values(due_at=until))

    def _fail(self, lane: _Lane, trouble: Answer) -> None:
        """Leave the destination alone for a while."""
        now = self._clock()
        with self._writing, self._database.write() as session:
            it = session.get_one(Destination, lane.id, with_for_update=True)
            it.failures += 1
            it.failing_since = it.failing_since or now
            it.retry_at = now + pause(it.failures, random.random(), trouble.retry_after)  # noqa: S311
            it.answer = trouble.text[:300]

    def _note(self, session: Session, lane: _Lane, answers: Sequence[Answer], now: datetime) -> None:
        """What the destination said last; what wants no more gets no more."""
        values: dict[str, Any] = {"answer": answers[-1].text[:300]} if answers else {}
        if any(answer.ok for answer in answers):
            values |= {"failures": 0, "failing_since": None, "retry_at": None, "sent_at": now}
            values["disconnected_at"] = None
        if values:
            session.execute(sa.update(Destination).where(Destination.id == lane.id).values(values))
        if gone := next((answer for answer in answers if answer.gone), None):
            _disable(session, lane.id, gone.text, now)

    def _give_back(self, lane: _Lane) -> None:
        mine = sa.and_(Destination.id == lane.id, Destination.held_by == self._me)
        with self._writing, self._database.write() as session:
            session.execute(sa.update(Destination).where(mine).values(held_by=None, held_until=None))


def _otherwise(lane: _Lane, parcel: Parcel, it: Standing, now: datetime) -> dict[str, Any] | None:
    """What becomes of a delivery that is not sent now; None: it is."""
    timing = lane.kind.timing(lane.options, parcel.event)
    if now >= closes_at(timing, parcel.created_at, it):
        return {"given_up_at": now, "why": Why.TOO_LATE}
    if it.spam:
        return {"given_up_at": now, "why": Why.UNWANTED}
    due = due_at(timing, parcel.created_at, it)
    if due > now:
        return {"due_at": due if it.attributed else min(due, now + timedelta(seconds=1))}
    why = lane.kind.why_not(lane.options, parcel)
    return {"given_up_at": now, "why": why} if why else None


def _settled(kind: Kind, item: _Item, answer: Answer, now: datetime) -> dict[str, Any]:
    """What is written of a delivery that was tried."""
    told = {
        "tries": item.tries + 1, "tried_at": now, "answer": answer.text[:300],
        "progress": dict(item.parcel.progress),
    }  # fmt: skip
    if answer.ok:
        asked = kind.follow is not None and answer.receipt is not None
        told |= {"receipt": answer.receipt, "verdict_at": now + kind.follow_after if asked else None}
        return told | {"sent_at": now}
    return told | ({"given_up_at": now, "why": Why.REFUSED} if answer.final else {})


def _free(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        Destination.paused_at.is_(None),
        Destination.disabled_at.is_(None),
        sa.or_(Destination.retry_at.is_(None), Destination.retry_at <= now),
        sa.or_(Destination.held_until.is_(None), Destination.held_until <= now),
    )


def _due_lanes(now: datetime) -> sa.Select[int]:
    its = Delivery.destination_id == Destination.id
    waiting = sa.exists().where(its, WAITING, Delivery.due_at <= now)
    asked = sa.exists().where(its, Delivery.verdict_at <= now)
    return sa.select(Destination.id).where(_free(now), sa.or_(waiting, asked)).order_by(Destination.id)


def _disable(session: Session, destination_id: int, because: str, now: datetime) -> None:
    """It is told no more, and what waits for it is given up."""
    session.execute(
        sa.update(Destination)
        .where(Destination.id == destination_id, Destination.disabled_at.is_(None))
        .values(disabled_at=now, disabled_because=because[:300])
    )
    session.execute(
        sa.update(Delivery)
        .where(Delivery.destination_id == destination_id, WAITING)
        .values(given_up_at=now, why=Why.DISABLED)
    )
