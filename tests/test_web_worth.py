"""Saying in the page what a call was worth: forms, keys' requests, who may, what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from markupsafe import escape
from support.facts import Pallets
from support.recorded import settings_in
from support.showroom import Told, furnish
from support.site import Site, csrf_token
from werkzeug.test import TestResponse

from tracker import people
from tracker.books import record
from tracker.database import Database
from tracker.models import Call, Category, Company, Role, Target
from tracker.policy.facts import JudgedByPhone

CALLS = (
    Told(3, Pallets.billboard, "+79161234567", talk=30, sound=False),
    Told(9, Pallets.leaflet, "+79161234567", "missed", wait=41),
)
JSON = {"Accept": "application/json"}


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    settings = settings_in(tmp_path, secret_key="k" * 40)
    room = furnish(sqlite, settings, now, tuple(replace(call, sound=False) for call in CALLS))
    site = Site(sqlite, settings, now)
    site.app.config.update(KEY=room.keys[0])
    return site


@pytest.fixture
def ann(site: Site) -> FlaskClient:
    return site.log_in("ann@pallets.example", 1)


def send(site: Site, browser: FlaskClient, what: str, json: bool = False, **form: str) -> TestResponse:
    """Posts a form of the call's page, with its token."""
    token = csrf_token(browser)
    path = f"/calls/{site.app.config['KEY']}/{what}"
    return browser.post(path, data={"csrf": token, **form}, headers=JSON if json else {})


def page(site: Site, browser: FlaskClient) -> str:
    return browser.get(f"/calls/{site.app.config['KEY']}").text


def test_what_was_said_by_a_phones_key_stands_on_the_calls_page(
    site: Site, ann: FlaskClient, now: datetime
) -> None:
    with site.database.write() as session:
        office = session.scalars(sa.select(Target)).first()
        assert office
        office.name = "<b>Office</b>"
        key = site.app.config["KEY"]
        record(session, JudgedByPhone(key, "main", now, 1, office.id, Category.SERVICE))
    html = page(site, ann)
    assert "Set by &lt;b&gt;Office&lt;/b&gt;, on the phone" in html
    assert "&lt;b&gt;Office&lt;/b&gt; said by phone what it was worth" in html
    assert html.count('aria-pressed="true"') == 1
    newest = ann.get("/calls/now").text  # what an open list asks for
    assert newest.count('aria-pressed="true"') == 1
    assert "phone:" not in html


def test_a_category_set_by_form_leads_back_and_says_who(site: Site, ann: FlaskClient) -> None:
    answer = send(site, ann, "category", category="target")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/calls/{site.app.config['KEY']}#worth")
    html = page(site, ann)
    assert "Set by Ann" in html
    assert html.count('aria-pressed="true"') == 1
    assert 'value="none" data-word="target"' in html  # pressing it again takes it back
    assert ann.get("/calls").text.count('aria-pressed="true"') == 1


def test_a_category_set_by_a_script_is_answered_in_json(site: Site, ann: FlaskClient) -> None:
    assert send(site, ann, "category", json=True, category="non_target").json == {
        "key": site.app.config["KEY"], "category": "non_target",
    }  # fmt: skip
    assert send(site, ann, "category", json=True, category="none").json["category"] is None  # type: ignore[index]
    refused = send(site, ann, "category", json=True, category="lead")
    assert (refused.status_code, refused.json["error"]["id"]) == (400, "category.unknown")  # type: ignore[index]


def test_tags_notes_and_what_was_told_are_on_the_page_and_in_the_api(site: Site, ann: FlaskClient) -> None:
    send(site, ann, "tags", add="delivery")
    send(site, ann, "notes", text="Call back on Monday", second="12.5")
    send(site, ann, "notes", text="An invoice is wanted")
    send(site, ann, "told", heard_of="a friend", promo_code="spring")
    html = page(site, ann)
    for told in ("delivery", "Call back on Monday", 'data-seek="12.5"', "An invoice", "a friend", "SPRING"):
        assert told in html, told
    call = ann.get(f"/api/v1/calls/{site.app.config['KEY']}").json["call"]  # type: ignore[index]
    assert (call["tags"], call["heard_of"], call["promo_code"]) == (["delivery"], "a friend", "SPRING")
    send(site, ann, "tags", remove="delivery")
    send(site, ann, "notes/1/delete")
    html = page(site, ann)
    assert "Take the tag" not in html
    assert "Call back on Monday" not in html


def test_a_value_is_written_as_people_write_it_and_taken_back_empty(site: Site, ann: FlaskClient) -> None:
    answer = send(site, ann, "value", value=" 1\u00a0200,50 € ")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/calls/{site.app.config['KEY']}#worth")
    assert 'name="value" value="1,200.50"' in page(site, ann)
    assert send(site, ann, "value", value="1,200.50").status_code == 303  # what the field shows reads back
    send(site, ann, "value", value="  ")
    assert 'name="value" value=""' in page(site, ann)


def test_a_value_that_is_none_is_refused_beside_the_field(site: Site, ann: FlaskClient) -> None:
    send(site, ann, "value", value="99")
    for text, words in (
        ("1.200", "1.200 can be read in two ways"),
        ("-5", "never below zero"),
        ("<b>5", "in which this company counts"),
        ("1e99", "is no amount of money"),
    ):
        refused = send(site, ann, "value", value=text)
        assert (refused.status_code, words in refused.text) == (400, True), refused.text
        assert f'name="value" value="{escape(text)}"' in refused.text  # to be mended where it was typed
        assert 'aria-invalid="true"' in refused.text
    assert send(site, ann, "value", json=True, value="x").json["error"]["id"] == "value.malformed"  # type: ignore[index]
    assert 'name="value" value="99.00"' in page(site, ann)


@pytest.mark.parametrize(
    ("what", "form", "status"),
    [
        ("tags", {"add": " "}, 400),
        ("notes", {"text": ""}, 400),
        ("notes", {"text": "x", "second": "soon"}, 400),
        ("notes", {"text": "x", "second": "500"}, 400),
        ("notes/99/delete", {}, 404),
        ("told", {"heard_of": "x" * 101}, 400),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    site: Site, ann: FlaskClient, what: str, form: dict[str, str], status: int
) -> None:
    before = page(site, ann).count("<li")
    answer = send(site, ann, what, json=True, **form)
    assert answer.status_code == status
    assert set(answer.json["error"]) == {"id", "message", "fix"}  # type: ignore[index]
    assert page(site, ann).count("<li") == before


def test_a_listener_sees_what_was_said_and_cannot_say(site: Site, ann: FlaskClient) -> None:
    send(site, ann, "category", category="service")
    send(site, ann, "notes", text="Call back on Monday")
    send(site, ann, "value", value="1200")
    leo = site.log_in("leo@pallets.example", 1)
    with site.database.write() as session:
        user = people.find_user(session, "leo@pallets.example")
        people.give_role(session, user, session.get_one(Company, 1), Role.LISTENER)
    html = page(site, leo)
    assert "Service" in html
    assert "€1,200.00" in html
    assert "Call back on Monday" in html
    assert "formaction" not in html + leo.get("/calls").text
    for what in ("category", "tags", "notes", "told", "code", "notes/1/delete", "value"):
        answer = send(site, leo, what, json=True, category="target", add="x", text="x", code="123")
        assert answer.status_code == 403, what
        assert answer.json["error"]["id"] == "role.needed"  # type: ignore[index]
    with site.database.read() as session:
        wanted = sa.select(Call.category).where(Call.key == site.app.config["KEY"])
        assert session.scalar(wanted) is Category.SERVICE


def test_a_suggestion_stands_beside_and_is_never_set(site: Site, ann: FlaskClient) -> None:
    send(site, ann, "category", category="target")
    with site.database.write() as session:
        session.execute(sa.update(Call).where(Call.key == site.app.config["KEY"]).values(talk_seconds=3))
    assert "You decide" not in page(site, ann)
    send(site, ann, "category", category="none")
    html = page(site, ann)
    assert "Perhaps non-target: they talked for a few seconds only. You decide." in html
    assert 'aria-pressed="true"' not in html


def test_many_calls_are_judged_at_once_but_only_ones_own(site: Site, ann: FlaskClient, now: datetime) -> None:
    with site.database.read() as session:
        keys = list(session.scalars(sa.select(Call.key)))
    token = csrf_token(ann)
    form = {"csrf": token, "key": [*keys, "unknown"], "category": "service", "back": "?outcome=missed"}
    answer = ann.post("/calls/bulk", data=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/calls?outcome=missed")
    for back in ("//evil.example", "https://evil.example", "@evil.example"):
        answer = ann.post("/calls/bulk", data=form | {"back": back})
        assert answer.headers["Location"] == "/calls"
    with site.database.write() as session:
        assert set(session.scalars(sa.select(Call.category))) == {Category.SERVICE}
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=now))
    eve = site.log_in("eve@rival.example", 2)
    theirs = {"csrf": csrf_token(eve), "key": keys, "tag": "mine", "do": "tag"}
    assert eve.post("/calls/bulk", data=theirs, headers=JSON).json == {"changed": 0}
