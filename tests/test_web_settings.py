"""Settings in the page: company, numbers, channels; who may open them; refusals beside their fields."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from support.facts import Pallets
from support.settings_page import (
    HERE,
    JSON,
    actions,
    admin,
    done,
    field,
    number,
    refused,
    send,
    two_companies,
)
from support.site import Site, csrf_token, log_in

from tracker.database import Database
from tracker.models import AuditEntry, Channel, Company, Number, NumberState, NumberUse, Role


@pytest.fixture
def site(database: Database, tmp_path: Path, now: datetime) -> Site:
    return two_companies(database, tmp_path, now)


@pytest.fixture
def ann(site: Site) -> FlaskClient:
    return admin(site)


# ---- who may ----


@pytest.mark.parametrize("role", [Role.MANAGER, Role.LISTENER])
def test_only_owners_and_admins_see_settings(site: Site, role: Role) -> None:
    bob = log_in(site, "bob@pallets.example", pallets=role)
    assert ">Settings<" not in bob.get("/calls").text
    for path in ("/settings", HERE, f"{HERE}/numbers"):
        assert bob.get(path).status_code == 403
    assert send(bob, f"{HERE}/company", name="Mine").status_code == 403


def test_another_companys_things_are_unknown(site: Site, ann: FlaskClient) -> None:
    theirs = number(site, "+493011112222").id
    with site.database.read() as session:
        channel = session.scalars(sa.select(Channel.id).where(Channel.name == "Secret bus")).one()
    for path in (
        "/settings/rival",
        "/settings/nobody",
        "/settings/rival/numbers",
        f"{HERE}/numbers/{theirs}",
        f"{HERE}/numbers/x",
        f"{HERE}/channels/{channel}",
    ):
        assert ann.get(path).status_code == 404, path
        assert send(ann, path).status_code in {404, 405}, path
    answer = send(ann, f"{HERE}/numbers/add", numbers="8 495 111-22-33", place=f"channel-{channel}")
    assert answer.status_code == 404
    assert "Secret" not in ann.get(f"{HERE}/channels").text + ann.get(f"{HERE}/numbers").text


def test_who_administers_several_companies_chooses_one(site: Site) -> None:
    both = log_in(site, "both@agency.example", pallets=Role.OWNER, rival=Role.ADMIN)
    html = both.get("/settings").text
    assert 'href="/settings/pallets"' in html
    assert 'href="/settings/rival"' in html


def test_who_administers_one_is_led_there(ann: FlaskClient) -> None:
    answer = ann.get("/settings")
    assert (answer.status_code, answer.headers["Location"]) == (302, HERE)


# ---- company ----


def test_the_company_is_changed_and_only_what_differs_is_written_down(site: Site, ann: FlaskClient) -> None:
    form = {"name": "Pallets Ltd", "region": "RU", "timezone": "Europe/Moscow", "currency": "EUR",
            "language": "en", "judge_by_phone": "yes"}  # fmt: skip
    done(send(ann, f"{HERE}/company", **form))
    done(send(ann, f"{HERE}/company", **form))
    with site.database.read() as session:
        company = session.get_one(Company, 1)
        assert (company.name, company.timezone, company.judge_by_phone) == (
            "Pallets Ltd", "Europe/Moscow", True,
        )  # fmt: skip
        (entry,) = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "company.change"))
        assert entry.actor == "ann@pallets.example"
        assert entry.detail == {"name": "Pallets Ltd", "timezone": "Europe/Moscow", "judge_by_phone": True}


@pytest.mark.parametrize(
    ("name", "typed", "words"),
    [
        ("timezone", "Mars/Base", "no timezone"),
        ("region", "XX", "no country"),
        ("currency", "ZZZ", "no currency"),
        ("language", "xx", "does not speak"),
        ("name", " ", "cannot be used"),
    ],
)
def test_what_cannot_be_a_company_is_refused_as_typed(
    ann: FlaskClient, name: str, typed: str, words: str
) -> None:
    form = {"name": "Kept", "region": "DE", "timezone": "Europe/Berlin", "currency": "EUR", "language": "en"}
    answer = send(ann, f"{HERE}/company", **form | {name: typed})
    assert answer.status_code == 400
    assert words in field(answer.text, name)
    assert 'value="Europe/Berlin"' in answer.text or name == "timezone"
    assert 'value="Kept"' in answer.text or name == "name"


def test_a_program_gets_the_refusal_in_its_own_shape(ann: FlaskClient) -> None:
    token = csrf_token(ann)
    answer = ann.post(f"{HERE}/company", data={"csrf": token, "name": "x", "region": "XX"}, headers=JSON)
    assert answer.json
    assert (answer.status_code, answer.json["error"]["id"]) == (400, "company.region")


# ---- channels ----


def test_a_channel_is_added_changed_and_deleted(site: Site, ann: FlaskClient) -> None:
    at = done(send(ann, f"{HERE}/channels/add", name="Bus", medium="outdoor", campaign="spring"))
    done(send(ann, at, name="Bus 29", source="Bus", medium="outdoor", campaign="", shown_to="*"))
    with site.database.read() as session:
        bus = session.scalars(sa.select(Channel).where(Channel.name == "Bus 29")).one()
        assert (bus.source, bus.medium, bus.campaign, bus.shown_to) == ("Bus", "outdoor", None, "*")
    assert "Bus 29" in ann.get(f"{HERE}/channels").text
    assert done(send(ann, at, do="delete")) == f"{HERE}/channels"
    assert "Bus 29" not in ann.get(f"{HERE}/channels").text
    assert actions(site)[-3:] == ["channel.add", "channel.change", "channel.delete"]


def test_a_channel_that_cannot_be_is_refused_beside_its_field(site: Site, ann: FlaskClient) -> None:
    refused(send(ann, f"{HERE}/channels/add", name="Leaflet"), "name", "already")
    html = refused(send(ann, f"{HERE}/channels/add", name="Bus", campaign="x" * 300), "campaign", "200")
    assert 'value="Bus"' in html
    path = f"{HERE}/channels/1"
    refused(send(ann, path, name="Billboard", source="billboard", medium=""), "medium", "1 to 100")
    refused(send(ann, path, do="delete"), "", "is used by 1 number")


# ---- numbers ----


def test_one_number_is_added_to_a_channel(site: Site, ann: FlaskClient) -> None:
    at = done(
        send(
            ann, f"{HERE}/numbers/add", numbers="8 495 111-22-33", place="channel-1", label="M11", record="y"
        )
    )
    added = number(site, "+74951112233")
    assert (at, added.label, added.record) == (f"{HERE}/numbers/{added.id}", "M11", True)
    assert "Billboard" in ann.get(at).text


def test_many_numbers_are_added_or_none(site: Site, ann: FlaskClient) -> None:
    typed = "8 495 111-22-31\n8 495 111-22-3\n8 495 123-45-67"
    html = refused(
        send(ann, f"{HERE}/numbers/add", numbers=typed, place="pool-1"), "numbers", "Line 2", "Line 3"
    )
    assert "8 495 111-22-31" in html
    with site.database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).where(Number.company_id == 1)) == 4
    typed = "number,label\n8 495 111-22-31,First\n8 495 111-22-32,"
    done(send(ann, f"{HERE}/numbers/add", numbers=typed, place="pool-1"))
    found = number(site, "+74951112231")
    assert (found.label, found.record) == ("First", False)
    with site.database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).where(NumberUse.pool_id == 1)) == 4


@pytest.mark.parametrize(
    ("typed", "words"),
    [("12", "12"), ("8 495 123-45-67", "already a number"), ("", "no rows"), ("a,b\n1,2", "not name")],
)
def test_a_number_that_cannot_be_is_refused(ann: FlaskClient, typed: str, words: str) -> None:
    refused(send(ann, f"{HERE}/numbers/add", numbers=typed), "numbers", words)


def test_a_number_is_labelled_moved_retired_and_taken_back(site: Site, ann: FlaskClient) -> None:
    found = number(site, Pallets.billboard)
    at = f"{HERE}/numbers/{found.id}"
    done(send(ann, at, do="change", label="M4"))
    assert (number(site, Pallets.billboard).label, number(site, Pallets.billboard).record) == ("M4", False)
    refused(send(ann, at, do="move", place="channel-1"), "place", "there already")
    done(send(ann, at, do="move", place="channel-2"))
    assert "Leaflet" in ann.get(at).text
    refused(send(ann, at, do="retire", days="soon"), "days", "whole days")
    done(send(ann, at, do="retire", days="30"))
    assert number(site, Pallets.billboard).state is NumberState.QUARANTINED
    assert "Quarantined" in ann.get(f"{HERE}/numbers?state=quarantined").text
    done(send(ann, at, do="restore"))
    assert number(site, Pallets.billboard).state is NumberState.ACTIVE
    refused(send(ann, at, do="delete"), "", "earlier use")
    assert actions(site)[-4:] == ["number.change", "number.move", "number.retire", "number.restore"]
    refused(send(ann, at, do="dance"), "", "what to do")


def test_a_number_added_by_mistake_is_deleted(site: Site, ann: FlaskClient) -> None:
    at = done(send(ann, f"{HERE}/numbers/add", numbers="8 495 111-22-33"))
    assert done(send(ann, at, do="delete")) == f"{HERE}/numbers"
    assert ann.get(at).status_code == 404


def test_numbers_are_found_by_digits_label_and_state(site: Site, ann: FlaskClient) -> None:
    done(send(ann, f"{HERE}/numbers/1", do="change", label="Meadow lane"))
    for query, there in (
        ("q=meadow", ["123-45-67"]),
        ("q=123-45-68", ["123-45-68"]),
        ("state=leased", ["123-45-71"]),
        ("state=free", ["123-45-72"]),
        ("q=zzz", []),
    ):
        html = ann.get(f"{HERE}/numbers?{query}").text
        assert re.findall(r"123-45-\d\d", html.split("<table")[-1] if there else "") == there, query


def test_numbers_that_nobody_rings_for_are_told(site: Site, ann: FlaskClient) -> None:
    assert "Nobody rings" not in ann.get(HERE).text
    with site.database.write() as session:
        session.execute(sa.text("DELETE FROM forwardings"))
    assert "Nobody rings for 4 numbers" in ann.get(HERE).text
    assert "Nobody" in ann.get(f"{HERE}/numbers").text
    assert "4 numbers in use" in ann.get(HERE).text
