"""A company whose calls are told to a destination, by a clock that stands until it is moved.

it = Told(database, tmp_path, now)
with it.pointing("ga4") as server: it.call("one"); it.send(); server.asked
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from support.couriers import Clock
from support.facts import add_pallets, answered, ended, started
from support.recorded import settings_in
from support.standin import StandIn
from support.standins import DOUBLES
from support.standins.double import Double

from tracker import deliveries, destination_list, destination_trial, worth
from tracker.audit import By
from tracker.books import record_all
from tracker.database import Database
from tracker.destination_list import Filled
from tracker.destination_safe import Safe
from tracker.destination_trial import Tried
from tracker.destinations import KINDS
from tracker.models import (
    Call,
    Category,
    Company,
    Delivery,
    Destination,
    PageView,
    Recording,
    RecordingState,
    Visit,
)
from tracker.policy.facts import Fact, Presentation
from tracker.postman import Postman
from tracker.vault import Vault

PAGE = "https://pallets.example/contact"
HOUSE = ("127.0.0.0/8",)
COOKIES = {
    "_ga": "GA1.1.1197596843.1673515099",
    "_ga_ABC1234567": "GS2.1.s1795170000$o4$g1$t1795170100$j60$l0$h0",
    "_fbp": "fb.1.1558571054389.1098115397",
    "_fbc": "fb.1.1554763741205.AbCdEfGhIjKlMnOpQrSt",
    "_ym_uid": "1689012345678901234",
}
CLICKS = {"gclid": "Cj0KCQiA-EXAMPLE-0001", "yclid": "1234567890123456789"}


class Told:
    def __init__(self, database: Database, folder: Path, now: datetime, **more: Any) -> None:
        self.database, self.clock = database, Clock(now)
        self.settings = settings_in(
            folder, web_url="https://calls.pallets.example", webhook_networks=HOUSE,
            secret_key="k" * 40, **more,
        )  # fmt: skip
        self.vault = Vault(self.settings.secret_key)
        self.postman = self.worker()
        with database.write() as session:
            self.pallets = add_pallets(session, now)
            visit = session.get_one(Visit, self.pallets.visit_id)
            visit.analytics_ids, visit.click_ids = dict(COOKIES), dict(CLICKS)
            visit.landing_url = "https://pallets.example/euro?gclid=Cj0KCQiA-EXAMPLE-0001"
            visit.consent = {"storage": True, "ads": True, "analytics": True}

    def worker(self, seconds: float = 10) -> Postman:
        """Another worker on the same books."""
        return Postman(self.database, self.settings, self.clock, seconds=seconds)

    @contextmanager
    def pointing(self, kind: str, **more: Any) -> Iterator[tuple[StandIn, Double]]:
        """A stand-in of that kind, and a destination that points at it."""
        double = DOUBLES[kind]()
        with double.serve() as server:
            if double.settings:
                self.settings = replace(self.settings, **double.settings)
                self.postman = self.worker()
            self.add(kind, double.values(server.url), **more)
            yield server, double

    def add(self, kind: str, values: dict[str, str], name: str | None = None, **more: Any) -> int:
        with self.database.write() as session:
            owner = session.get_one(Company, self.pallets.company_id)
            by = By(self.clock() - timedelta(days=20), "test")
            filled = Filled(values, more.get("events"), name or kind)
            return destination_list.add(session, by, owner, kind, filled, vault=self.vault).id

    def change(self, values: dict[str, str]) -> None:
        """Fill fields of the only destination in anew."""
        with self.database.write() as session:
            it = session.scalars(sa.select(Destination)).one()
            destination_list.change(session, By(self.clock(), "test"), it, Filled(values), vault=self.vault)

    def delete(self) -> None:
        """Take the only destination away, with what was on its way there."""
        with self.database.write() as session:
            session.execute(sa.delete(Delivery))
            session.execute(sa.delete(Destination))

    def try_out(self) -> Tried:
        """Send a test to the only destination."""
        it = self.destination()
        with self.database.read() as session:
            owner = session.get_one(Company, it.company_id)
        sample = destination_trial.sample_parcel(owner, KINDS[it.kind], "https://x.example", self.clock())
        safe = Safe(self.database, self.vault, it.id, self.clock)
        return destination_trial.try_out(it, safe, self.settings, sample, self.clock())

    def call(
        self, key: str, *, minutes: float = 0, presentation: Presentation = Presentation.ALLOWED,
        static: bool = False,
    ) -> None:  # fmt: skip
        """A call of a minute that has just ended, of the visit or of the billboard; judged already."""
        at = self.clock() - timedelta(minutes=minutes + 1)
        did = self.pallets.billboard if static else self.pallets.leased
        facts: list[Fact] = [
            started(did, at, key, presentation=presentation),
            answered(self.pallets.office_id, at + timedelta(seconds=5), key),
            ended(at + timedelta(minutes=1), key),
        ]
        with self.database.write() as session:
            record_all(session, facts)
            its: dict[str, Any] = {"attributed_at": self.clock()}
            its |= {} if static else {"visit_id": self._visited(session, at)}
            session.execute(sa.update(Call).where(Call.key == key).values(its))

    def _visited(self, session: Session, at: datetime) -> int:
        """A visit like the company's own, begun ten minutes before the call: its id."""
        like = session.get_one(Visit, self.pallets.visit_id)
        same = {each.key: getattr(like, each.key) for each in sa.inspect(Visit).column_attrs}
        made = Visit(**same | {"id": None, "started_at": at - timedelta(minutes=10)})
        session.add(made)
        session.flush()
        session.add(PageView(visit_id=made.id, at=at - timedelta(minutes=1), until_at=at, url=PAGE))
        return made.id

    def categorise(self, key: str, category: Category | None) -> None:
        with self.database.write() as session:
            call = session.scalars(sa.select(Call).where(Call.key == key)).one()
            worth.categorise(session, By(self.clock(), "ann@pallets.example"), [call], category)

    def recording(self, key: str, state: RecordingState, sound: bytes = b"") -> None:
        """What there is to hear of a call, as the worker that finishes recordings leaves it."""
        path = f"pallets/{key}.mp3"
        if sound:
            place = self.settings.recordings_folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(sound)
        with self.database.write() as session:
            call = session.scalars(sa.select(Call).where(Call.key == key)).one()
            it = call.recording or Recording(call=call)
            it.state, it.path, it.copies = state, f"pallets/{key}.wav", [path]
            session.add(it)
            if state is not RecordingState.PENDING:
                deliveries.release(session, [call.id], self.clock())

    def visit(self, **values: Any) -> None:
        """Change the visit."""
        with self.database.write() as session:
            session.execute(sa.update(Visit).where(Visit.id == self.pallets.visit_id).values(values))

    def send(self, postman: Postman | None = None) -> int:
        """One turn, and all that is on its way arrives."""
        sender = postman or self.postman
        count = sender.take_turn()
        sender.wait(60)
        return count

    def pass_time(self, **delta: float) -> None:
        self.clock.now += timedelta(**delta)

    def deliveries(self) -> list[Delivery]:
        with self.database.read() as session:
            return list(session.scalars(sa.select(Delivery).order_by(Delivery.id)))

    def destination(self) -> Destination:
        with self.database.read() as session:
            return session.scalars(sa.select(Destination)).one()
