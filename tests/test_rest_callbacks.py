"""Callbacks and missed callers over the API: told, called off, tried again."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.facts import Pallets
from support.recorded import settings_in
from support.rest import Program, program
from support.showroom import Told, furnish
from support.site import Site

from tracker import recovery
from tracker.database import Database
from tracker.models import (
    AuditEntry,
    CallbackReason,
    CallbackRequest,
    CallbackState,
    CallbackVia,
    Company,
)
from tracker.models import Site as Website
from tracker.policy.rights import Scope

CALLS = (
    Told(3, Pallets.billboard, "+79161234567", "missed", wait=30),
    Told(9, Pallets.leaflet, "+79031112233", "missed", wait=41),
    Told(5, Pallets.leaflet, "+79031112233", talk=5, sound=False),
)
STATES = (CallbackState.WAITING, CallbackState.FAILED, CallbackState.TALKED, CallbackState.REFUSED)


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    settings = settings_in(tmp_path, secret_key="k" * 40)
    furnish(sqlite, settings, now, CALLS)
    with sqlite.write() as session:
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=now))
        site_id = session.scalars(sa.select(Website.id)).first()
        for number, state in enumerate(STATES):
            session.add(
                CallbackRequest(
                    key=f"wish{number}", company_id=1, site_id=site_id, via=CallbackVia.WIDGET,
                    token=f"token{number}", phone="+79160000009", written="8 916 000-00-09", state=state,
                    reason=CallbackReason.COUNTRY if state is CallbackState.REFUSED else None,
                    requested_at=now - timedelta(hours=number), story=[],
                )
            )  # fmt: skip
            session.flush()
    return Site(sqlite, settings, now)


@pytest.fixture
def crm(site: Site) -> Program:
    return program(site, *Scope)


def test_callbacks_are_listed_page_by_page(crm: Program) -> None:
    whole = crm.get("/callbacks").json
    assert [it["key"] for it in whole["callbacks"]] == ["wish0", "wish1", "wish2", "wish3"]
    assert whole["callbacks"][0]["requested_at"].endswith("Z")
    assert [it["key"] for it in crm.get("/callbacks", state="refused").json["callbacks"]] == ["wish3"]
    assert crm.get("/callbacks", state="lost").status_code == 400
    assert crm.get("/callbacks", cursor="x").json["error"]["id"] == "cursor.malformed"
    first = crm.get("/callbacks", limit=2).json
    rest = crm.get("/callbacks", limit=2, cursor=first["next"]).json
    assert first["callbacks"] + rest["callbacks"] == whole["callbacks"]
    assert rest["next"] is None


def test_what_waits_is_called_off_and_what_failed_tried_again(site: Site, crm: Program) -> None:
    gone = crm.post("/callbacks/wish0/cancel", {}).json["callback"]
    assert (gone["state"], gone["reason"], gone["story"][0]["what"]) == (
        "given_up", "cancelled", "cancelled",
    )  # fmt: skip
    assert crm.get("/callbacks/wish0").json == {"callback": gone}
    assert crm.post("/callbacks/wish1/again", {}).json["callback"]["state"] == "waiting"
    over = crm.post("/callbacks/wish2/cancel", {})
    assert (over.status_code, over.json["error"]["id"]) == (409, "callback.over")
    with site.database.read() as session:
        said = [(it.action, it.actor) for it in session.scalars(sa.select(AuditEntry))]
    assert ("callback.cancel", "key:crm") in said
    assert ("callback.again", "key:crm") in said
    rival = program(site, *Scope, company_id=2)
    assert rival.get("/callbacks/wish1").status_code == 404
    assert rival.post("/callbacks/wish1/cancel", {}).status_code == 404
    assert rival.get("/callbacks").json["callbacks"] == []


def test_missed_callers_are_told_as_the_command_line_has_them(site: Site, crm: Program) -> None:
    with site.database.read() as session:
        found = recovery.read_recovery(session, session.get_one(Company, 1), {"period": ["7d"]}, site.now)
    told = crm.get("/missed", period="7d").json
    assert told == recovery.describe(found)
    assert (told["missed_callers"], told["called_again"], told["waiting"]) == (2, 1, 1)
    assert crm.get("/missed", period="often").json["error"]["id"] == "filter.malformed"
    assert crm.get("/missed", colour="red").status_code == 400
