"""The product itself in a simulated world: its leases, its judge and its learning, on a database in memory.

Visits are rows; leases are shown, renewed and left by `tracker.leases`; calls are recorded by `tracker.books`
and judged by `tracker.judge` when they end, with the model that it learned the night before from the calls
till then. Nothing of the world's truth is told.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, make_transient_to_detached

from bench.attribution.dialled import Exchange, Rang, Shown
from bench.attribution.process import DAY, DEVICES, HOUR
from bench.attribution.scores import Judged
from bench.attribution.traces import SITE_ID, Traces, instant, visit_id
from bench.attribution.world import Dial, Visit, World
from tracker import judge, leases
from tracker.books import record_all
from tracker.database import Database
from tracker.models import (
    Base,
    Call,
    Company,
    Lease,
    Number,
    NumberUse,
    Pool,
    Site,
    Visitor,
)
from tracker.models import Visit as VisitRow
from tracker.models.base import Instant
from tracker.policy.facts import Ended, Fact, HungUpBy, Presentation, Started

_RENEW = 480.0  # signs of life are told to the lease at least so often: its idle limit is 600 seconds
# The worker learns every night; here after these days, for it takes as long as a day of visits.
_LEARN_AFTER = (2, 4, 7, 10)
_FIRST_NUMBER = 74950000000

_VISITOR, _VISIT = sa.insert(Visitor), sa.insert(VisitRow)
_at = sa.bindparam("at", type_=Instant())
_ANY_FREE = sa.select(
    sa.exists().where(Number.free_at <= _at)
    | sa.exists().where(Lease.until_at.is_(None), Lease.expires_at <= _at)
)

Event = tuple[float, int, str, Any]


class Product:
    """A company with a site and a pool of so many numbers, living through a world."""

    def __init__(self, world: World, lines: int) -> None:
        self._world = world
        self._database = Database("sqlite://")
        Base.metadata.create_all(self._database.engine)
        with self._database.write() as session:
            self._pool = _found_company(session, lines)
        self.shown = Shown()
        self._traces = Traces(world)
        self._exchange = Exchange(world, self.shown, lines)
        self._visitors: set[int] = set()
        self._judged: dict[int, Judged] = {}
        self._order = itertools.count()
        self._coming: list[Event] = []

    def live(self) -> list[tuple[Rang, Judged]]:
        """The whole time, event by event; every call with what was said of it at its end."""
        self._coming = list(self._events())
        heapq.heapify(self._coming)
        rang: list[Rang] = []
        while self._coming:
            at, _, kind, what = heapq.heappop(self._coming)
            if kind == "dial":
                put_through = self._exchange.put_through(what)
                if put_through is not None:
                    rang.append(put_through)
                    self._ring(put_through)
            elif kind == "end":
                self._end(what, at)
            elif kind == "learn":
                self._learn(at)
            else:
                self._visit(kind, what, at)
        self._database.close()
        return [(each, self._judged.get(each.dial.number, Judged())) for each in rang]

    def _events(self) -> Iterator[Event]:
        for visit in self._world.visits:
            yield self._event(visit.start, "begin", visit)
        for dial in self._world.dials:
            yield self._event(dial.at, "dial", dial)
        for day in _LEARN_AFTER:
            yield self._event(day * DAY + 3 * HOUR, "learn", None)

    def _event(self, at: float, kind: str, what: Any) -> Event:
        return at, next(self._order), kind, what

    # ---- visits ----

    def _visit(self, kind: str, visit: Visit, at: float) -> None:
        with self._database.write() as session:
            if kind == "renew":
                leases.renew(session, visit_id(visit), instant(at))
            elif kind == "leave":
                leases.leave(session, visit_id(visit), instant(at))
            else:
                self._show(session, visit, at)

    def _show(self, session: Session, visit: Visit, at: float) -> None:
        """The page asks for a number: when it opens, and at each sign of life until it has one."""
        if at > visit.start and not session.connection().execute(_ANY_FREE, {"at": instant(at)}).scalar():
            self._ask_later(visit, at)  # he would be told the same as before
            return
        row = self._row(session, visit) if at == visit.start else session.get_one(VisitRow, visit_id(visit))
        pool = session.merge(self._pool, load=False)
        given = leases.show(session, row, pool, instant(at))
        if given.lease_id is not None and given.e164 is not None:
            self.shown.show(visit.number, at, int(given.e164) - _FIRST_NUMBER)
            for event in self._signs(visit, at):
                heapq.heappush(self._coming, event)
        else:
            self._ask_later(visit, at)

    def _ask_later(self, visit: Visit, at: float) -> None:
        later = next((sign for sign in visit.signs() if sign > at), None)
        if later is not None:
            heapq.heappush(self._coming, self._event(later, "ask", visit))

    def _row(self, session: Session, visit: Visit) -> VisitRow:
        at = instant(visit.start)
        if visit.cookie not in self._visitors:
            self._visitors.add(visit.cookie)
            values = {"id": visit.cookie + 1, "company_id": 1, "key": str(visit.cookie), "created_at": at}
            session.connection().execute(_VISITOR, values)
        values = {
            "id": visit_id(visit), "visitor_id": visit.cookie + 1, "site_id": SITE_ID, "started_at": at,
            "seen_at": at, "medium": "cpc", "source": "google", "group": "Paid Search", "paid": True,
            "device": DEVICES[visit.device], "country": "RU", "missed_in": [],
        }  # fmt: skip
        session.connection().execute(_VISIT, values)
        row = VisitRow(**values)
        make_transient_to_detached(row)  # it is there: one statement less than letting the session write it
        session.add(row)
        return row

    def _signs(self, visit: Visit, since: float) -> Iterator[Event]:
        """The signs of life that keep the lease: the last one, and so many before that it never runs out."""
        signs = [sign for sign in visit.signs() if sign > since]
        told = since
        for place, sign in enumerate(signs, start=1):
            following = signs[place] if place < len(signs) else visit.left
            if following is None or following - told > _RENEW:
                told = sign
                yield self._event(sign, "renew", visit)
        if visit.left is not None:
            yield self._event(visit.left, "leave", visit)

    # ---- calls ----

    def _ring(self, rang: Rang) -> None:
        if rang.line is None:
            return
        dial = rang.dial
        with self._database.write() as session:
            record_all(session, [_started(dial, rang.line)])
        heapq.heappush(self._coming, self._event(dial.at + dial.seconds, "end", dial))

    def _end(self, dial: Dial, at: float) -> None:
        """The call is over, and the worker judges it with all that is known by now."""
        with self._database.write() as session:
            self._traces.write(session, at)
            record_all(session, _ended(dial))
        judge.judge_pending(self._database, instant(at))
        with self._database.read() as session:
            self._judged[dial.number] = _said(session, dial)

    def _learn(self, at: float) -> None:
        with self._database.write() as session:
            self._traces.write(session, at)
        judge.learn_all(self._database, instant(at))


def _found_company(session: Session, lines: int) -> Pool:
    since = instant(0.0)
    session.add(
        Company(id=1, slug="shop", name="Shop", default_region="RU", timezone="UTC", created_at=since)
    )
    session.flush()
    pool = Pool(id=1, company_id=1, name="Website", created_at=since)
    session.add_all([pool, Site(id=SITE_ID, company_id=1, name="Shop", key="shop", created_at=since)])
    session.flush()
    for line in range(lines):
        e164 = f"+{_FIRST_NUMBER + line}"
        session.add(Number(id=line + 1, company_id=1, e164=e164, created_at=since))
        session.flush()
        session.add(NumberUse(number_id=line + 1, pool_id=1, from_at=since))
    session.flush()
    session.refresh(pool)
    session.expunge(pool)
    return pool


def _started(dial: Dial, line: int) -> Started:
    return Started(
        call=str(dial.number),
        node="asterisk",
        at=instant(dial.at),
        uniqueid=str(dial.number),
        linkedid=str(dial.number),
        trunk_id=None,
        did=f"+{_FIRST_NUMBER + line}",
        dialled=f"+{_FIRST_NUMBER + line}",
        caller="" if dial.is_withheld else f"+7916{dial.caller:07}",
        presentation=Presentation.WITHHELD if dial.is_withheld else Presentation.ALLOWED,
        caller_name="",
    )


def _ended(dial: Dial) -> list[Fact]:
    at = instant(dial.at + dial.seconds)
    return [
        Ended(
            call=str(dial.number), node="asterisk", at=at, status="", cause=16,
            hung_up_by=HungUpBy.CALLER, rang_at=None, seen_by_agi=True,
        )
    ]  # fmt: skip


def _said(session: Session, dial: Dial) -> Judged:
    call = session.scalars(sa.select(Call).where(Call.key == str(dial.number))).one()
    visit = None if call.visit_id is None else call.visit_id - 1
    return Judged(visit, call.probability, call.uncertain)
