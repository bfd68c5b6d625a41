"""Asking to be called back from outside: the button's endpoint, lead forms, the plain page, their limits."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session
from support.recorded import settings_in
from support.site import csrf_of
from support.visiting import CHROME, Api, Shop, add_shop
from werkzeug.test import TestResponse

from tracker import api_keys, callback_settings, callbacks, sites
from tracker.audit import By
from tracker.callback_settings import Change
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import (
    CallbackReason,
    CallbackRequest,
    CallbackState,
    CallbackVia,
    Company,
    Forwarding,
    Number,
    Site,
    Target,
    TargetKind,
    Trunk,
    TrunkKind,
    Visit,
)
from web.assets import Assets
from web.script import callback_face, text_of

PHONE = "+79165550101"


@pytest.fixture
def shop(sqlite: Database, now: datetime) -> Shop:
    with sqlite.write() as session:
        shop = add_shop(session, now)
        turn_on(session, shop, now)
        add_shop(session, now, "rival", first=1000)
        return shop


def turn_on(session: Session, shop: Shop, now: datetime, **more: Any) -> None:
    """The least that a site needs to call back."""
    company = session.get_one(Company, shop.company_id)
    target = Target(
        company_id=company.id, name="Desk", kind=TargetKind.PEER, host="192.0.2.2", port=5060, dial="100",
        created_at=now,
    )  # fmt: skip
    number = Number(company_id=company.id, e164="+74951112233", created_at=now)
    trunk = Trunk(name="carrier", kind=TrunkKind.IP, host="192.0.2.1", match=[], created_at=now)
    session.add_all([target, number, trunk])
    session.flush()
    session.add(Forwarding(company_id=company.id, position=0, target_id=target.id, ring_seconds=20))
    session.flush()
    wish = Change(is_on=True, trunk="carrier", number="+74951112233", **more)
    callback_settings.change(session, By(now, "test"), company, session.get_one(Site, shop.site_id), wish)


@pytest.fixture
def api(sqlite: Database, shop: Shop, tmp_path: Path, now: datetime) -> Api:
    assert shop
    return Api(sqlite, settings_in(tmp_path, secret_key="k" * 40), now)


def ask(api: Api, body: Any, address: str = "198.51.100.7", **headers: str) -> TestResponse:
    sent = {"User-Agent": CHROME, "Origin": "https://shop.example"} | headers
    return api.app.test_client(use_cookies=False).post(
        "/api/v1/callbacks/ask",
        data=body if isinstance(body, str) else json.dumps(body),
        headers={name: value for name, value in sent.items() if value},
        environ_overrides={"REMOTE_ADDR": address},
    )


def requests(api: Api) -> list[CallbackRequest]:
    with api.books() as session:
        return list(callbacks.listed(session, [1, 2]))


def test_a_click_of_the_button_is_a_request_with_its_visit(api: Api, shop: Shop) -> None:
    ann = api.visitor(shop)
    ann.open("/?utm_source=google&utm_medium=cpc&utm_campaign=spring")
    answer = ask(api, {"site": shop.key, "phone": "8 916 555 01 01", "token": "c1", "visit": ann.token})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    told = answer.get_json()["callback"]
    (request,) = requests(api)
    assert told == {"key": request.key, "state": "waiting", "at": None}
    assert (request.phone, request.via, request.client) == (PHONE, CallbackVia.WIDGET, "198.51.100.7")
    assert request.visit_id == api.visits()[0].id


def test_the_same_click_sent_twice_is_one_request(api: Api, shop: Shop) -> None:
    body = {"site": shop.key, "phone": PHONE, "token": "c1"}
    first, second = ask(api, body).get_json(), ask(api, body).get_json()
    assert first == second
    assert len(requests(api)) == 1


@pytest.mark.parametrize(
    ("phone", "reason"),
    [("112", "short"), ("+49 30 123456", "country"), ("8 809 123 45 67", "premium"), ("x", "malformed")],
)
def test_a_number_that_is_not_called_is_refused_kept_and_explained(
    api: Api, shop: Shop, phone: str, reason: str
) -> None:
    answer = ask(api, {"site": shop.key, "phone": phone, "token": "c1"})
    assert (answer.status_code, answer.get_json()["error"]["id"]) == (422, f"callback.{reason}")
    (request,) = requests(api)
    assert (request.state, request.reason) == (CallbackState.REFUSED, CallbackReason(reason))


def test_pages_of_other_sites_forged_visits_robots_and_strangers_get_nowhere(api: Api, shop: Shop) -> None:
    body = {"site": shop.key, "phone": PHONE, "token": "c1"}
    assert ask(api, body, Origin="https://evil.example").status_code == 403
    assert ask(api, body | {"site": "nobody"}).status_code == 404
    assert ask(api, body, **{"User-Agent": "curl/8"}, Origin="").status_code == 403
    assert ask(api, "[1]").status_code == 400
    assert ask(api, body | {"website": "http://spam.example"}).status_code == 200  # and nothing is kept
    for at in ("tomorrow", "2026-12-01T10:00:00", "9999-12-31T23:59:00-10:00"):
        assert ask(api, body | {"at": at}).status_code == 400
    assert ask(api, body | {"note": "x" * 20_000}).status_code == 413
    assert requests(api) == []
    rival = api.visitor(add_to(api, "rival"))
    rival.open("/")
    assert ask(api, body | {"visit": rival.token}).status_code == 200
    (request,) = requests(api)
    assert request.visit_id is None  # another company's visit is none of ours


def add_to(api: Api, slug: str) -> Shop:
    with api.books() as session:
        site = session.query(Site).filter_by(name=slug).one()
        return Shop(site.company_id, 0, site.id, site.key, f"{slug}.example", ())


def test_a_flood_is_held_off_the_books(api: Api, shop: Shop) -> None:
    answers = [
        ask(api, {"site": shop.key, "phone": f"+7916555{number:04}", "token": f"c{number}"})
        for number in range(14)
    ]
    statuses = [answer.status_code for answer in answers]
    assert statuses[:5] == [200] * 5  # as often as the site allows one address
    assert set(statuses[5:10]) == {422}
    assert set(statuses[10:]) == {429}
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert len(requests(api)) == 10


def test_a_lead_form_shows_an_api_key_and_tells_where_the_lead_came_from(
    api: Api, shop: Shop, now: datetime
) -> None:
    with api.database.write() as session:
        _, token = api_keys.add_key(
            session, By(now, "test"), session.get_one(Company, shop.company_id), "leads"
        )
        _, foreign = api_keys.add_key(
            session, By(now, "test"), session.query(Company).filter_by(slug="rival").one(), "leads"
        )
    form = "phone=8+916+555-01-01&name=Ann&note=20+pallets&url=https://vk.com/ad?utm_source%3Dvk%26utm_medium%3Dcpc"
    headers = {
        "Content-Type": "application/x-www-form-urlencoded", "Origin": "", "User-Agent": "CRM/1",
    }  # fmt: skip
    answer = ask(api, form, Authorization=f"Bearer {token}", **headers)
    assert answer.status_code == 200, answer.text
    (request,) = requests(api)
    assert (request.via, request.client, request.note) == (CallbackVia.LEAD, None, "20 pallets")
    with api.books() as session:
        visit = session.get_one(Visit, request.visit_id)
        assert (visit.source, visit.medium) == ("vk", "cpc")
    assert ask(api, form, Authorization="Bearer llk_wrong", **headers).status_code == 401
    stolen = ask(api, form + f"&site={shop.key}", Authorization=f"Bearer {foreign}", **headers)
    assert stolen.status_code == 404
    assert len(requests(api)) == 1


def test_outside_the_hours_times_are_offered_and_kept(
    sqlite: Database, tmp_path: Path, shop: Shop, now: datetime
) -> None:
    with sqlite.write() as session:
        company, site = session.get_one(Company, shop.company_id), session.get_one(Site, shop.site_id)
        wish = Change(hours="mon-fri 9:00-18:00", timezone="Europe/Berlin")
        callback_settings.change(session, By(now, "test"), company, site, wish)
    api = Api(sqlite, settings_in(tmp_path, secret_key="k" * 40), now)
    api.later(days=1)
    client = api.app.test_client(use_cookies=False)
    offer = client.get(f"/api/v1/callbacks/offer?site={shop.key}", headers={"Origin": "https://shop.example"})
    told = offer.get_json()
    assert (told["open"], told["zone"], told["times"][0]) == (
        False, "Europe/Berlin", "2026-11-23T08:00:00+00:00",
    )  # fmt: skip
    body = {"site": shop.key, "phone": PHONE, "token": "c1", "at": told["times"][1]}
    assert ask(api, body).get_json()["callback"]["at"] == "2026-11-23T08:30:00+00:00"
    night = ask(api, body | {"phone": "+79165550102", "token": "c2", "at": "2026-11-23T23:00:00+00:00"})
    assert night.get_json()["error"]["id"] == "callback.hours"


def test_the_plain_page_needs_no_javascript_and_speaks_the_visitors_language(api: Api, shop: Shop) -> None:
    client = api.app.test_client()
    where = {"headers": {"Accept-Language": "ru", "User-Agent": CHROME, "Referer": "https://vk.com/shop"}}
    page = client.get(f"/cb/{shop.key}?utm_source=vk&utm_medium=social", **where)
    assert page.status_code == 200
    assert "Мы вам перезвоним" in page.text
    sent = {"csrf": csrf_of(page.text), "phone": "8 916 555-01-01", "from": "https://vk.com/shop", "at": ""}
    thanks = client.post(f"/cb/{shop.key}?utm_source=vk&utm_medium=social", data=sent, **where)
    assert thanks.status_code == 200
    (request,) = requests(api)
    assert (request.via, request.phone) == (CallbackVia.PAGE, PHONE)
    with api.books() as session:
        assert session.get_one(Visit, request.visit_id).source == "vk"
    wrong = client.post(f"/cb/{shop.key}", data=sent | {"phone": "112"}, **where)
    assert wrong.status_code == 422
    assert 'value="112"' in wrong.text
    assert client.post(f"/cb/{shop.key}", data={"phone": PHONE}).status_code == 403
    assert client.get("/cb/key-rival").status_code == 404


def test_only_sites_that_call_back_load_the_button(sqlite: Database, shop: Shop, now: datetime) -> None:
    with sqlite.write() as session:
        site = sites.by_key(session, shop.key)
        assert site is not None
        plain = text_of(sites.by_key(session, "key-rival") or site, Assets.read())
        company = session.get_one(Company, shop.company_id)
        wish = Change(texts={"ru": {"button": "Перезвоните мне </script>"}}, color="#116a3c")
        callback_settings.change(session, By(now, "test"), company, site, wish)
        face, text = callback_face(site), text_of(site, Assets.read())
    assert face is not None
    assert face["looks"]["color"] == "#116a3c"
    assert face["texts"]["ru"]["button"].startswith("Перезвоните мне")
    assert b"__CALLBACK__" not in text.plain
    assert b"</script>" not in text.plain
    assert b"attachShadow" in text.plain
    assert b"attachShadow" not in plain.plain
    assert len(text.packed) - len(plain.packed) < 5_500


@pytest.mark.parametrize(
    ("wish", "problem"),
    [
        (Change(color="red; background: url(x)"), "callback.color"),
        (Change(position="middle"), "callback.position"),
        (Change(prefixes=["+49x"]), "callback.prefix"),
        (Change(counts={"tries": 1000}), "callback.tries"),
        (Change(hours="always"), "callback.hours"),
        (Change(number="+79165550101"), "callback.number"),
        (Change(trunk=""), "callback.unready"),
        (Change(texts={"<x>": {"button": "x"}}), "callback.language"),
    ],
)
def test_settings_that_could_not_work_are_refused(
    sqlite: Database, shop: Shop, now: datetime, wish: Change, problem: str
) -> None:
    with pytest.raises(Rejected) as refused, sqlite.write() as session:
        company, site = session.get_one(Company, shop.company_id), session.get_one(Site, shop.site_id)
        callback_settings.change(session, By(now, "test"), company, site, wish)
    assert refused.value.id == problem
