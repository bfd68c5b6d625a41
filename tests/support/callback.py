"""A site that calls back, for real calls: its employees' phones, and a carrier for its visitors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from support.house import House, Line, _listens, until

from demo import scenario
from demo.sipp import Party
from tracker import callbacks, sites
from tracker.audit import By
from tracker.callbacks import Asking
from tracker.models import (
    Call,
    CallbackRequest,
    CallbackSettings,
    CallbackVia,
    Company,
    Site,
    Trunk,
)
from tracker.policy.callback import OPEN_STATES

WIRE = ("-trace_msg", "-message_file", "wire")


@dataclass(frozen=True)
class Shop:
    """The site, the line that rings for it and whose number visitors are shown, the carrier."""

    house: House
    site_id: int
    line: Line
    trunk: Trunk

    def employee(self, steps: Iterable[str], *, place: int = 0, calls: int = 1) -> Party:
        """A phone of the company's."""
        return self.house.phone(self.line.phones[place], steps, calls=calls, options=WIRE)

    def visitor(self, steps: Iterable[str], *, calls: int = 1) -> Party:
        """Where the carrier delivers: all visitors at once."""
        party = Party(
            scenario.phone(steps),
            address=self.trunk.host,
            port=self.trunk.port,
            media_port=self.house._media_port(self.trunk.host),
            calls=calls,
            options=WIRE,
        )
        self.house.parties.append(party)
        until(lambda: _listens(self.trunk.port), why="SIPp listens")
        return party

    def ask(self, phone: str, **more: Any) -> CallbackRequest:
        """A visitor's wish, as it stands in the books."""
        with self.house.database.write() as session:
            site = session.get_one(Site, self.site_id)
            asking = replace(Asking(phone, CallbackVia.WIDGET), **more)
            return callbacks.ask(session, site, asking, datetime.now(UTC))

    def over(self, request: CallbackRequest, seconds: float = 30) -> CallbackRequest:
        """The request, once it is over."""

        def ended() -> CallbackRequest | None:
            now = self.now(request)
            return None if now.state in OPEN_STATES else now

        try:
            return until(ended, seconds)
        except TimeoutError:
            last = self.now(request)
            raise TimeoutError(f"{last.state} {last.story}{self.house.logs()}") from None

    def tale(self, request: CallbackRequest) -> str:
        """What became of it, for somebody who looks for a mistake."""
        now = self.now(request)
        return f"{now.state} {now.reason} {now.story} " + " ".join(
            party.tale() for party in self.house.parties if isinstance(party, Party)
        )

    def name(self) -> str:
        with self.house.database.read() as session:
            return session.get_one(Site, self.site_id).name

    def newest(self) -> CallbackRequest:
        """The last wish of the site."""
        wanted = sa.select(CallbackRequest).where(CallbackRequest.site_id == self.site_id)
        with self.house.database.read() as session:
            return session.scalars(wanted.order_by(CallbackRequest.id.desc()).limit(1)).one()

    def now(self, request: CallbackRequest) -> CallbackRequest:
        with self.house.database.read() as session:
            return session.get_one(CallbackRequest, request.id)

    def call(self, request: CallbackRequest) -> Call:
        """The call it became, once it has ended."""
        key = self.now(request).call_key
        return until(
            lambda: next(iter(self.house.calls(Call.key == key, Call.ended_at.is_not(None))), None),
            why="the callback in the books",
        )


def shop(
    house: House, *, phones: int = 1, ring_seconds: int = 5, company_id: int | None = None, **wish: Any
) -> Shop:
    """A site of its own with a line and a carrier of its own."""
    trunk = house.trunk()
    line = house.line(phones=phones, ring_seconds=ring_seconds, company_id=company_id)
    with house.database.write() as session:
        company = session.get_one(Company, company_id or house.company_id)
        by = By(datetime.now(UTC), "test")
        site = sites.add(session, by, company, f"shop-{uuid4().hex[:8]}", domains=["127.0.0.1"])
        session.add(
            CallbackSettings(
                site_id=site.id, is_on=True, trunk_id=trunk.id, number_id=line.number_id,
                **{"visitor_seconds": 5, "retry_minutes": 0} | wish,
            )
        )  # fmt: skip
        return Shop(house, site.id, line, trunk)
