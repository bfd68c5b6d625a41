"""Settings in the page: destinations are added, tried out, paused; what was given up is sent again."""

from __future__ import annotations

from datetime import datetime
from html import unescape
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from support.settings_page import HERE, actions, admin, done, refused, send, two_companies
from support.site import Site as House
from support.standin import stand_in
from support.standins import DOUBLES
from support.standins.bitrix24 import Portal
from support.standins.salesforce import Org
from support.standins.webhook import SECRET, Receiver
from support.told import Told

from tracker.database import Database
from tracker.destinations import KINDS
from tracker.models import Delivery, Destination
from tracker.policy.delivering import Why

AT = f"{HERE}/destinations"
GA4 = {"name": "Analytics", "measurement_id": "G-ABC1234567", "api_secret": "s3cr3t-of-analytics"}


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> House:
    return two_companies(sqlite, tmp_path, now)


@pytest.fixture
def ann(site: House) -> FlaskClient:
    return admin(site)


def its(site: House) -> Destination:
    with site.database.read() as session:
        return session.scalars(sa.select(Destination)).one()


def test_the_page_names_every_kind_and_each_has_a_form(ann: FlaskClient) -> None:
    page = unescape(ann.get(AT).text)
    for kind in KINDS.values():
        assert kind.title in page
        form = ann.get(f"{AT}/add/{kind.word}").text
        assert all(f'name="{each.name}"' in form for each in kind.fields)
    assert ann.get(f"{AT}/add/fax").status_code == 404


def test_a_destination_is_added_changed_paused_and_deleted(site: House, ann: FlaskClient) -> None:
    there = done(send(ann, f"{AT}/add/ga4", **GA4, event="call.completed"))
    assert (its(site).events, its(site).options["measurement_id"]) == (["call.completed"], "G-ABC1234567")
    page = ann.get(there).text
    assert "s3cr3t" not in page
    assert "kept as it is" in page
    changed = GA4 | {"api_secret": "", "measurement_id": "G-XYZ7654321", "do": "change"}
    done(send(ann, there, **changed, event="call.categorised"))
    assert its(site).options["measurement_id"] == "G-XYZ7654321"
    assert its(site).events == ["call.categorised"]
    assert its(site).secrets
    done(send(ann, there, do="pause"))
    assert "Paused" in ann.get(AT).text
    done(send(ann, there, do="resume"))
    assert done(send(ann, there, do="delete")) == AT
    assert actions(site)[1:] == [
        "destination.add", "destination.change", "destination.pause", "destination.resume",
        "destination.delete",
    ]  # fmt: skip


def test_what_is_filled_in_wrongly_is_refused_beside_its_field(ann: FlaskClient) -> None:
    refused(send(ann, f"{AT}/add/ga4", **GA4 | {"measurement_id": "UA-1"}), "measurement_id", "G-…")
    refused(send(ann, f"{AT}/add/ga4", **GA4 | {"api_secret": ""}), "api_secret", "needs api_secret")


def test_a_webhooks_secret_is_shown_once(site: House, ann: FlaskClient) -> None:
    answer = send(ann, f"{AT}/add/webhook", name="Shop", url="https://hooks.pallets.example/x")
    assert "whsec_" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert "whsec_" not in ann.get(f"{AT}/{its(site).id}").text.replace("whsec_ and", "")


def test_a_test_shows_the_request_and_the_answer(tmp_path: Path, sqlite: Database, now: datetime) -> None:
    told = Told(sqlite, tmp_path, now)
    house = House(sqlite, told.settings, now)
    ann, receiver = admin(house), Receiver()
    with stand_in(receiver.answer) as server:
        made = told.add("webhook", {"url": f"{server.url}/hook", "secret": SECRET})
        page = unescape(send(ann, f"{AT}/{made}", do="test").text)
    assert "The test was taken" in page
    assert "webhook-signature" in page
    assert "204" in page
    page = unescape(send(ann, f"{AT}/{made}", do="test").text)  # nobody is there any more
    assert "The test was not taken" in page
    assert "refused" in page


def test_a_test_keeps_the_token_that_it_renewed(tmp_path: Path, sqlite: Database, now: datetime) -> None:
    told, portal = Told(sqlite, tmp_path, now), Portal()
    house = House(sqlite, told.settings, now)
    ann = admin(house)
    with stand_in(portal.answer) as server:
        made = told.add("bitrix24", portal.values(server.url))
        page = unescape(send(ann, f"{AT}/{made}", do="test").text)
    assert "The test was taken" in page
    assert "access-1" not in page
    assert "refresh-1" not in page
    secrets = told.vault.open(its(house).secrets)
    assert (secrets["access_token"], secrets["refresh_token"]) == ("access-1", "refresh-1")


def test_a_call_says_where_it_went_and_is_sent_again(tmp_path: Path, sqlite: Database, now: datetime) -> None:
    told = Told(sqlite, tmp_path, now)
    ann = admin(House(sqlite, told.settings, now))
    made = told.add("webhook", {"url": "https://hooks.pallets.example/x"}, "Shop", events=["call.completed"])
    told.call("one")
    page = unescape(ann.get("/calls/one").text)
    assert "Where it went" in page
    assert "Waiting" in page
    with sqlite.write() as session:
        session.execute(sa.update(Delivery).values(given_up_at=now, why=Why.REFUSED, answer="400 Bad"))
    assert "It was not taken" in unescape(ann.get("/calls/one").text)
    done(send(ann, f"{AT}/{made}", do="replay", delivery=str(told.deliveries()[0].id)))
    assert told.deliveries()[0].given_up_at is None
    refused(send(ann, f"{AT}/{made}", do="replay"), "", "Nothing was chosen")


def test_an_optional_secret_is_taken_away(tmp_path: Path, sqlite: Database, now: datetime) -> None:
    told, org = Told(sqlite, tmp_path, now), Org()
    house = House(sqlite, told.settings, now)
    ann = admin(house)
    made = told.add("salesforce", org.values("https://shop.my.salesforce.com"))
    there = f"{AT}/{made}"
    page = unescape(ann.get(there).text)
    assert "Take it away: Refresh token" in page
    assert "without_client_secret" not in page  # it is needed
    kept = {"name": "CRM", "address": "https://shop.my.salesforce.com", "do": "change"}
    done(send(ann, there, **kept, event="call.completed"))
    assert "refresh_token" in told.vault.open(its(house).secrets)
    done(send(ann, there, **kept, event="call.completed", without_refresh_token="yes"))
    assert set(told.vault.open(its(house).secrets)) == {"client_id", "client_secret"}
    assert "Take it away" not in ann.get(there).text


def test_a_secret_is_asked_for_anew_beside_its_field_when_the_address_changes(
    site: House, ann: FlaskClient
) -> None:
    there = done(send(ann, f"{AT}/add/ga4", **GA4, event="call.completed"))
    moved = GA4 | {"api_secret": "", "address": "https://evil.example", "do": "change"}
    refused(send(ann, there, **moved), "api_secret", "The stored api_secret would be sent to another address")
    assert "address" not in its(site).options
    done(send(ann, there, **moved | {"api_secret": "typed-anew"}, event="call.completed"))
    assert its(site).options["address"] == "https://evil.example"


def test_a_webhook_s_headers_are_taken_away_and_its_secret_is_not(
    tmp_path: Path, sqlite: Database, now: datetime
) -> None:
    told = Told(sqlite, tmp_path, now)
    house = House(sqlite, told.settings, now)
    ann = admin(house)
    url = "https://hooks.pallets.example/x"
    made = told.add("webhook", {"url": url, "secret": SECRET, "headers": "X-Api-Key: abc"})
    assert "without_secret" not in ann.get(f"{AT}/{made}").text
    form = {"name": "Shop", "url": "https://hooks.other.example/x", "headers": "", "event": "call.completed"}
    form["do"] = "change"
    refused(send(ann, f"{AT}/{made}", **form), "headers", "headers")
    done(send(ann, f"{AT}/{made}", **form, without_headers="yes"))
    assert told.vault.open(its(house).secrets) == {"secret": SECRET}


def test_what_failed_is_sent_again_by_day_and_seen_by_state(
    tmp_path: Path, sqlite: Database, now: datetime
) -> None:
    told = Told(sqlite, tmp_path, now)
    ann = admin(House(sqlite, told.settings, now))
    made = told.add("webhook", {"url": "https://hooks.pallets.example/x"}, events=["call.completed"])
    for key, days in (("old", 2), ("new", 0)):
        told.call(key, minutes=days * 1440)
    with sqlite.write() as session:
        session.execute(sa.update(Delivery).values(given_up_at=now, why=Why.REFUSED, answer="400 Bad"))
    there = f"{AT}/{made}"
    assert "/calls/old" in ann.get(f"{there}?state=failed").text
    assert "There is none." in ann.get(f"{there}?state=waiting").text
    day = f"{now:%Y-%m-%d}"
    done(send(ann, there, do="replay", since=day, until=day))
    assert [each.given_up_at is None for each in told.deliveries()] == [False, True]
    refused(send(ann, there, do="replay", since="yesterday", until=day), "", "is no day")
    with sqlite.write() as session:
        session.execute(sa.update(Destination).values(disabled_at=now, disabled_because="410 Gone"))
    refused(send(ann, there, do="replay", since=day, until=day), "", "410 Gone")


def test_a_call_says_of_each_destination_what_it_waits_for_or_why_it_was_not_told(
    tmp_path: Path, sqlite: Database, now: datetime
) -> None:
    told = Told(sqlite, tmp_path, now)
    ann = admin(House(sqlite, told.settings, now))
    told.add("google_ads", DOUBLES["google_ads"]().values("https://google.example"))
    told.call("one")
    later = told.add("telegram", DOUBLES["telegram"]().values("https://telegram.example"), "Chat")
    with sqlite.write() as session:
        session.execute(sa.update(Destination).where(Destination.id == later).values(created_at=now))
    told.send()
    page = unescape(ann.get("/calls/one").text)
    assert "It waits for a category" in page
    assert "The call began before the destination was added" in page
    with sqlite.write() as session:
        session.execute(sa.update(Destination).values(paused_at=now))
    assert "The destination is paused" in unescape(ann.get("/calls/one").text)
    assert "held: 1" in unescape(ann.get(AT).text)
