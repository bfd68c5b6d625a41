"""Settings in the page: how a site calls back, part by part; for its own company's admins alone."""

from __future__ import annotations

from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from support.settings_page import HERE, actions, admin, done, field, refused, send, two_companies
from support.site import Site as House
from support.site import csrf_token, log_in

from tracker import callback_settings, callbacks, plan_uses, plans
from tracker.audit import By
from tracker.callbacks import Asking
from tracker.database import Database
from tracker.models import (
    AuditEntry,
    CallbackReason,
    CallbackRequest,
    CallbackState,
    CallbackVia,
    Company,
    Forwarding,
    Number,
    Role,
    Site,
    Target,
    Trunk,
)

AT = f"{HERE}/sites/1/callback"
LOOKS = {
    "do": "looks", "color": "#11653b", "text_color": "#FFFFFF", "position": "bottom-left", "language": "ru",
}  # fmt: skip
WAY = {"do": "way", "trunk": "pallets-carrier", "hours": "", "timezone": "", "is_on": "yes"}
LIMITS = {
    "do": "limits", "countries": "", "prefixes": "", "visitor_seconds": "40", "tries": "3",
    "retry_minutes": "5", "per_client": "5", "per_number": "3", "per_day": "200", "seconds_per_day": "14400",
}  # fmt: skip


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> House:
    return two_companies(sqlite, tmp_path, now)


@pytest.fixture
def ann(site: House) -> FlaskClient:
    return admin(site)


@pytest.fixture
def shown(site: House) -> str:
    """A number of Pallets."""
    with site.database.read() as session:
        return session.scalars(sa.select(Number.e164).where(Number.company_id == 1)).first() or ""


def said(site: House) -> dict[str, Any]:
    with site.database.read() as session:
        found = session.get_one(Site, 1)
        return callback_settings.describe(session, found, callback_settings.of_site(session, found))


def test_a_site_is_set_to_call_back_part_by_part(site: House, ann: FlaskClient, shown: str) -> None:
    html = ann.get(AT).text
    assert "office for 25 s" not in html  # no number is shown yet, so nothing is forwarded
    assert "Off" in ann.get(f"{HERE}/sites/1").text
    refused(send(ann, AT, **WAY | {"number": ""}), "", "cannot be turned on without a trunk and a number")
    hours = {"hours": "mon-fri 9:00-18:00", "timezone": "Europe/Berlin"}
    assert done(send(ann, AT, **WAY | hours, number=shown)) == AT
    html = ann.get(AT).text
    assert "As calls to the shown number: office for 25 s, mobile for 25 s" in " ".join(html.split())
    assert "The next times:" in html
    with site.database.read() as session:
        names = {each.name: str(each.id) for each in session.scalars(sa.select(Target))}
    order = {"csrf": csrf_token(ann), "target": [names["mobile"], names["office"]], "seconds": ["20", "15"]}
    up = ann.post(AT, data={**order, "do": "up-2"}).text
    assert "Not saved yet" in up
    assert said(site)["rings"] == []
    assert ann.post(AT, data={**order, "do": "rings"}).status_code == 303
    assert said(site)["rings"] == [
        {"target": "mobile", "seconds": 20}, {"target": "office", "seconds": 15},
    ]  # fmt: skip
    done(send(ann, AT, **LIMITS | {"countries": "ru, kz", "prefixes": "+4930", "tries": "2"}))
    done(
        send(
            ann, AT, do="looks", color="#11653b", text_color="#FFFFFF", position="bottom-left", language="ru"
        )
    )
    done(send(ann, AT, do="texts", language="pl", **{"text-button": "Oddzwoń"}))
    it = said(site)
    assert (it["on"], it["hours"], it["timezone"]) == (True, "mon-fri 09:00-18:00", "Europe/Berlin")
    assert (it["countries"], it["prefixes"], it["tries"]) == (["RU", "KZ"], ["+4930"], 2)
    assert it["looks"] == {"color": "#11653b", "text": "#ffffff", "position": "bottom-left"}
    assert (it["language"], it["texts"]) == ("ru", {"pl": {"button": "Oddzwoń"}})
    assert 'value="Oddzwoń"' in ann.get(f"{AT}?language=pl").text
    done(send(ann, AT, do="texts", language="pl", **{"text-button": ""}))
    done(send(ann, AT, do="forwarded"))
    assert (said(site)["texts"], said(site)["rings"]) == ({}, [])
    assert set(actions(site)[-7:]) == {"callback.set"}
    with site.database.read() as session:
        detail = session.scalars(
            sa.select(AuditEntry.detail).where(AuditEntry.action == "callback.set").order_by(AuditEntry.id)
        ).all()[2]
    assert detail == {"countries": ["RU", "KZ"], "prefixes": ["+4930"], "tries": 2}


@pytest.mark.parametrize(
    ("form", "name", "words"),
    [
        (WAY | {"hours": "always"}, "hours", "are no hours"),
        (WAY | {"timezone": "Mars"}, "timezone", "Mars"),
        (WAY | {"trunk": "nobody"}, "trunk", "no trunk"),
        (WAY | {"number": "+493011112222"}, "number", "is no number of"),  # the rival's
        (LIMITS | {"countries": "XX"}, "countries", "is no country"),
        (LIMITS | {"prefixes": "0049"}, "prefixes", "is no prefix"),
        (LIMITS | {"per_client": "many"}, "per_client", "Give a whole number"),
        (LIMITS | {"seconds_per_day": "7"}, "seconds_per_day", "from 60 to"),
        (LOOKS | {"color": "red"}, "color", "is no colour"),
        (LOOKS | {"position": "top"}, "position", "no place for the button"),
        (LOOKS | {"language": "deutsch"}, "language", "is no language"),
        ({"do": "rings"}, "", "No target is named"),
        ({"do": "test", "phone": "112"}, "phone", "Emergency numbers"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_beside_its_field_as_typed(
    site: House, ann: FlaskClient, form: dict[str, str], name: str, words: str
) -> None:
    before = said(site)
    if form["do"] == "test":
        turn_on(site)
        before = said(site)
    html = refused(send(ann, AT, **form), name, words)
    if name and name not in {"trunk", "number", "position"}:
        assert f'value="{form[name]}"' in field(html, name)
    assert said(site) == before


def turn_on(site: House) -> None:
    with site.database.write() as session:
        company = session.get_one(Company, 1)
        shown = session.scalars(sa.select(Number.e164).where(Number.company_id == 1)).first()
        wish = callback_settings.Change(is_on=True, trunk="pallets-carrier", number=shown)
        callback_settings.change(session, By(site.now, "test"), company, session.get_one(Site, 1), wish)


def test_a_trunk_that_is_switched_off_calls_nobody(site: House, ann: FlaskClient, shown: str) -> None:
    with site.database.write() as session:
        session.execute(sa.update(Trunk).values(retired_at=site.now))
    assert "There is no trunk to dial over yet" in ann.get(AT).text
    assert "is switched off" in send(ann, AT, **WAY | {"number": shown}).text
    assert said(site)["trunk"] is None


def test_somebody_tries_it_out_and_is_refused_as_a_visitor_would_be(site: House, ann: FlaskClient) -> None:
    turn_on(site)
    answer = send(ann, AT, do="test", phone="8 916 555-01-01")
    assert answer.headers["Location"].startswith("/callbacks#")
    refused(send(ann, AT, do="test", phone="+49 30 123456"), "phone", "A number of another country")
    with site.database.read() as session:
        rows = session.scalars(sa.select(CallbackRequest).order_by(CallbackRequest.id)).all()
        assert [(row.state, row.via) for row in rows] == [
            (CallbackState.WAITING, CallbackVia.PERSON), (CallbackState.REFUSED, CallbackVia.PERSON),
        ]  # fmt: skip
    assert actions(site)[-2:] == ["callback.test", "callback.test"]


def test_a_plan_that_rings_for_the_shown_number_is_named_with_its_hours(
    site: House, ann: FlaskClient
) -> None:
    turn_on(site)
    with site.database.write() as session:
        company, by = session.get_one(Company, 1), By(site.now, "test")
        hours = {"kind": "hours", "open": {"mon": "09:00-18:00"}, "then": "day", "closed": "box"}
        steps = {
            "hours": hours,
            "day": {"kind": "ring", "targets": ["office:20"], "then": "box"},
            "box": {"kind": "voicemail", "say": "Speak"},
        }
        session.execute(sa.delete(Forwarding))
        plan_uses.use(session, by, company, plans.add(session, by, company, "Daily", {"steps": steps}))
    html = ann.get(AT).text
    assert "by the plan" in html
    assert ">Daily</a>" in html
    assert "This plan has hours of its own" in html
    done(send(ann, AT, **WAY | {"number": said(site)["number"], "hours": "mon 9:00-18:00"}))
    assert "This plan has hours of its own" not in ann.get(AT).text


def test_a_reason_leads_an_admin_to_the_settings_that_it_is_about(site: House, ann: FlaskClient) -> None:
    assert f'href="{HERE}/sites"' in ann.get("/callbacks").text  # nobody has asked yet
    turn_on(site)
    with site.database.write() as session:
        found = session.get_one(Site, 1)
        made = callbacks.ask(session, found, Asking("+49 30 123456", CallbackVia.LEAD), site.now)
        assert made.reason is CallbackReason.COUNTRY
    assert f'href="{AT}#limits"' in ann.get("/callbacks").text
    olga = log_in(site, "olga@pallets.example", pallets=Role.MANAGER)
    assert "A number of another country" in olga.get("/callbacks").text
    assert AT not in olga.get("/callbacks").text
    with site.database.write() as session:
        session.execute(sa.delete(CallbackRequest))
    assert "Who administers your company turns it on" in unescape(olga.get("/callbacks").text)


def test_only_admins_of_the_company_see_or_change_it(site: House, ann: FlaskClient) -> None:
    turn_on(site)
    before = said(site)
    eve = log_in(site, "eve@rival.example", rival=Role.OWNER)
    olga = log_in(site, "olga@pallets.example", pallets=Role.MANAGER)
    for browser, status in ((eve, 404), (olga, 403)):
        assert browser.get(AT).status_code == status
        for do in ("way", "rings", "forwarded", "limits", "looks", "texts", "test", "up-1"):
            assert send(browser, AT, do=do, phone="89165550101").status_code == status, do
    for path in ("/settings/rival/sites/1/callback", "/settings/rival/sites/x/callback"):
        assert eve.get(path).status_code == 404
        assert send(eve, path, do="forwarded").status_code == 404
    assert said(site) == before
    with site.database.write() as session:
        assert session.scalars(sa.select(CallbackRequest)).all() == []
        mine = session.scalars(sa.select(Target.id).where(Target.company_id == 1)).first()
        session.add(Site(company_id=2, name="rival", key="rivalkey", domains=[], created_at=site.now))
    path = "/settings/rival/sites/2/callback"
    form = {"csrf": csrf_token(eve), "do": "rings", "target": str(mine), "seconds": "20"}
    assert eve.post(path, data=form).status_code == 400  # nothing of theirs is in the order
    assert "123-45-67" not in eve.get(path).text
