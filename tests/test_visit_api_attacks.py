"""Who should get nothing from the visit API: robots, floods, forgers, strangers' pages, hostile words."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.recorded import settings_in
from support.visiting import HEADLESS, Api, Shop, Visitor, add_shop, number_of

from tracker import tokens
from tracker.database import Database
from tracker.models import MissCount, PageView, VisitEvent
from tracker.tokens import Pass

SECRET = "k" * 40
HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{7*7}}${7*7}",
    "'; DROP TABLE visits; --", "\x00\x08\x1b[2J", "\u202egnp.exe", "\ud800", "=cmd|' /C calc'!A0",
    "%00%0d%0aSet-Cookie: a=b", "a" * 100_000, "ü" * 3000, "javascript:alert(1)", "https://[::1",
    "http://\\evil", "\U0001f4a9" * 500,
)  # fmt: skip


@pytest.fixture
def shop(sqlite: Database, now: datetime) -> Shop:
    with sqlite.write() as session:
        return add_shop(session, now)


@pytest.fixture
def rival(sqlite: Database, shop: Shop, now: datetime) -> Shop:
    assert shop
    with sqlite.write() as session:
        return add_shop(session, now, "rival", first=500)


@pytest.fixture
def api(sqlite: Database, shop: Shop, tmp_path: Path, now: datetime) -> Api:
    assert shop
    return Api(sqlite, settings_in(tmp_path, secret_key=SECRET), now)


def missed(api: Api) -> dict[str, int]:
    """Misses counted so far, by reason; what is still in memory is written first."""
    api.later(seconds=10)
    api.app.extensions["leaseline.visits"].tally.write_when_due()
    with api.books() as session:
        rows = session.execute(
            sa.select(MissCount.reason, sa.func.sum(MissCount.count)).group_by(MissCount.reason)
        )
        return {reason: int(count) for reason, count in rows}


# ---- robots ----


@pytest.mark.parametrize(
    ("agent", "headers"),
    [
        (HEADLESS, {}),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", {}),
        ("curl/8.5.0", {}),
        ("", {}),
        (None, {"Sec-Purpose": "prefetch;prerender"}),
        (None, {"Purpose": "prefetch"}),
        (None, {"X-Moz": "prefetch"}),
    ],
)
def test_a_robot_gets_nothing_and_learns_nothing(
    api: Api, shop: Shop, agent: str | None, headers: dict[str, str]
) -> None:
    robot = api.visitor(shop, headers=headers, **({} if agent is None else {"agent": agent}))
    person = api.visitor(shop).open()
    answer = robot.open("/?gclid=Cj0abcDEF123")
    assert answer.keys() == person.keys()
    assert (answer["visit"], answer["visitor"], answer["number"], answer["numbers"]) == (None, None, None, [])
    assert answer["reason"] == "none"
    assert len(api.visits()) == api.open_leases() == 1
    assert missed(api) == {"bot": 1}


def test_a_browser_that_says_it_is_automated_gets_a_number_while_there_are_plenty(
    api: Api, shop: Shop
) -> None:
    answers = [api.visitor(shop).open(automated=True) for _ in range(5)]
    assert [number_of(answer) is not None for answer in answers] == [True, True, True, False, False]
    assert answers[4]["reason"] == "untrusted"
    assert number_of(api.visitor(shop).open()) is not None


# ---- floods (faults and attacks, C2 row 12) ----

POOL, RESERVED_PERCENT = 50, 30
REAL_VISITORS, EVERY_SECONDS, STAY_SECONDS = 100, 60, 120  # 7 minutes of a number each: 7 of 15 reserved ones
FLOOD_AT_ONCE, FLOOD_EACH = 100, 4  # and so ten times the pool in all, who hold what they get for ten minutes


def addresses(kind: str) -> Iterator[str]:
    if kind == "one address":
        return itertools.repeat("203.0.113.7")
    if kind == "one /24":
        return itertools.cycle(f"203.0.113.{host}" for host in range(256))
    places = [f"{first}.{second}.7.7" for first in range(60, 100) for second in range(25)]
    return itertools.cycle(places)  # a thousand addresses, each in a network of its own


@pytest.mark.parametrize(
    ("kind", "goal"),
    [
        ("one address", 0.99),
        ("one /24", 0.99),
        ("1,000 addresses", 0.95),
        ("headless", 0.90),
        ("driven", 0.90),
    ],
)
def test_a_flood_leaves_the_numbers_to_paid_visitors(
    sqlite: Database, tmp_path: Path, now: datetime, kind: str, goal: float
) -> None:
    """Robots want ten times the pool, while people come by paid clicks, at random, one a minute."""
    with sqlite.write() as session:
        shop = add_shop(session, now, "flooded", numbers=POOL, first=1000, paid_percent=RESERVED_PERCENT)
    api = Api(sqlite, settings_in(tmp_path, secret_key=SECRET), now)
    robots, chance = addresses(kind), random.Random(7)
    driven: dict[str, Any] = {"automated": True} if kind == "driven" else {}
    agent: dict[str, Any] = {"agent": HEADLESS} if kind == "headless" else {}
    own, here = 0, list[tuple[datetime, Visitor]]()
    for turn in range(REAL_VISITORS):
        for _ in range(FLOOD_EACH + (0 if turn else FLOOD_AT_ONCE)):
            api.visitor(shop, address=next(robots), **agent).open(f"/{chance.random()}", **driven)
        ann = api.visitor(shop)
        own += number_of(ann.open(f"/?gclid=Cj0KCQiA{turn:040}")) in shop.numbers
        here.append((api.now + timedelta(seconds=STAY_SECONDS), ann))
        api.later(seconds=chance.expovariate(1 / EVERY_SECONDS))
        while here and here[0][0] <= api.now:
            here.pop(0)[1].leave()
    assert own / REAL_VISITORS >= goal


def test_a_flood_is_answered_without_the_database(api: Api, shop: Shop) -> None:
    robot = api.visitor(shop, address="203.0.113.7")
    answers = []
    for _ in range(200):
        robot.key = robot.token = None
        answers.append(robot.open())
    assert sum(answer["visit"] is not None for answer in answers) == 60
    limited = answers[-1]
    assert (limited["number"], limited["reason"], limited["visitor"]) == (None, "limited", None)
    assert missed(api)["limited"] == 140
    assert number_of(api.visitor(shop, address="203.0.113.8").open()) is None  # the pool is small and empty


def test_who_is_known_is_not_limited_by_those_who_are_not(api: Api, shop: Shop) -> None:
    ann = api.visitor(shop, address="203.0.113.7")
    ann.open()
    for _ in range(100):
        api.visitor(shop, address="203.0.113.7").open()
    assert number_of(ann.open("/next")) is not None
    assert number_of(ann.ping()) is not None


def test_too_many_signs_of_life_are_told_to_wait(api: Api, shop: Shop) -> None:
    ann = api.visitor(shop)
    ann.open()
    statuses = [ann.speak("ping").status_code for _ in range(250)]
    assert statuses.count(200) == 240
    refused = ann.speak("pages", {"url": "/"})
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert refused.get_json()["error"]["id"] == "visit.limited"
    api.later(seconds=1)
    ann.ping()


def test_an_invented_forwarding_header_changes_nothing(api: Api, shop: Shop) -> None:
    answers = []
    for index in range(70):
        robot = api.visitor(shop, address="203.0.113.7", headers={"X-Forwarded-For": f"198.51.100.{index}"})
        answers.append(robot.open()["reason"])
    assert answers.count("limited") == 10


# ---- forgers (row 13) ----


def test_ten_thousand_tokens_replayed_on_another_site_open_nothing(api: Api, shop: Shop, rival: Shop) -> None:
    victim = api.visitor(shop)
    victim.open()
    thief = api.visitor(rival)
    thief.open()
    accepted = 0
    for visit in range(1, 10_001):
        token = tokens.make(SECRET, Pass(visit, shop.site_id, visit))
        what = ("pages", "ping", "leave", "events")[visit % 4]
        if visit % 100 == 0 or visit < 9:  # through the whole application
            body = {"url": "/", "kind": "phone_click"}
            accepted += thief.speak(what, body, token=token).status_code != 403
        accepted += tokens.read("x" * 40, token) is not None
    assert accepted == 0
    assert len(api.page_views()) == 2
    assert victim.ping()["visit"] == victim.token


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: "2" + token[1:],
        lambda token: token.replace(".1.", ".2.", 1),
        lambda token: token.upper(),
        lambda token: token + "A",
        lambda _token: "%00",
        lambda _token: "1.1." + "A" * 32,
    ],
)
def test_a_forged_token_is_refused(api: Api, shop: Shop, spoil: Any) -> None:
    ann = api.visitor(shop)
    ann.open()
    for what in ("pages", "ping", "leave", "events"):
        answer = ann.speak(what, {"url": "/", "kind": "form"}, token=spoil(ann.token))
        assert (answer.status_code, answer.get_json()["error"]["id"]) == (403, "visit.token")
        assert answer.headers["Access-Control-Allow-Origin"] in {"*", "https://shop.example"}
    assert len(api.page_views()) == 1


def test_a_forged_old_token_is_no_way_to_another_visitor(api: Api, shop: Shop, rival: Shop) -> None:
    ann = api.visitor(shop)
    hers = ann.open()
    thief = api.visitor(shop, token=(ann.token or "")[:-1] + "_")
    assert thief.open()["visitor"] != hers["visitor"]
    abroad = api.visitor(rival, token=ann.token, key=ann.key)
    assert abroad.open()["visitor"] != hers["visitor"]


# ---- strangers' pages (row 21) ----


def test_no_page_is_told_another_companys_facts(api: Api, shop: Shop, rival: Shop) -> None:
    ann, eve = api.visitor(shop), api.visitor(rival)
    ann.open()
    eve.open()
    origins = {"https://shop.example": shop, "https://www.shop.example": shop, "https://rival.example": rival}
    strangers = ["https://evil.example", "https://shop.example.evil.example", "null", "https://xshop.example",
                 "", "https://[", "shop.example", "https://shop.example@evil.example"]  # fmt: skip
    for origin, (who, site) in itertools.product([*origins, *strangers], [(ann, shop), (eve, rival)]):
        may = origins.get(origin) is site
        for answer in answers_to(api, who, site, origin):
            assert (answer.status_code < 400) is may, (origin, site.host)
            allowed = answer.headers["Access-Control-Allow-Origin"]
            assert allowed == (origin if may else "*")
            assert answer.headers["Vary"] == "Origin"
            assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
            assert "Access-Control-Allow-Credentials" not in answer.headers
            other = rival if site is shop else shop
            secrets = [other.key, *other.numbers] + ([] if may else [site.key, *site.numbers])
            assert not [secret for secret in secrets if secret in answer.text]


def answers_to(api: Api, who: Visitor, site: Shop, origin: str) -> Iterator[Any]:
    page = api.visitor(site, origin=origin or "about:", address=who.address)
    yield page.post("", {"site": site.key, "url": "/", "visitor": who.key, "visit": who.token})
    yield page.speak("pages", {"url": "/"}, token=who.token)
    yield page.speak("ping", token=who.token)
    yield page.speak("leave", token=who.token)
    yield page.speak("events", {"kind": "form"}, token=who.token)


def test_a_preflight_is_answered_alike_for_everybody(api: Api) -> None:
    for path in ("", "/x/ping", "/1.1.x/events"):
        answer = api.app.test_client().options(
            f"/api/v1/visits{path}", headers={"Origin": "https://evil.example"}
        )
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Access-Control-Allow-Methods"] == "POST"
        assert answer.headers["Access-Control-Allow-Headers"] == "Content-Type"


def test_a_request_that_no_page_sends_is_taken(api: Api, shop: Shop) -> None:
    assert number_of(api.visitor(shop, origin=None).open()) is not None


def test_a_log_in_cookie_makes_no_difference(api: Api, shop: Shop) -> None:
    ann = api.visitor(shop, headers={"Cookie": "leaseline=planted", "Sec-Fetch-Site": "cross-site"})
    assert number_of(ann.open()) is not None


# ---- hostile words (row 10) ----


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_stored_bounded_in_every_field(
    database: Database, tmp_path: Path, now: datetime, text: str
) -> None:
    with database.write() as session:
        shop = add_shop(session, now)
    api = Api(database, settings_in(tmp_path, secret_key=SECRET), now)
    agent = "Mozilla/5.0 " + "".join(each for each in text[:300] if each.isascii() and each.isprintable())
    mallory = api.visitor(shop, agent=agent)
    more: dict[str, Any] = {
        "url": f"https://shop.example/?utm_source={text[:500]}&utm_campaign={text[:500]}&gclid={text[:500]}",
        "referrer": text[:4000], "title": text[:4000], "language": text[:100], "visitor": text[:100],
        "visit": text[:100], "ids": {text[:40]: text[:100]},
    }  # fmt: skip
    assert mallory.open(**more)["visit"]
    mallory.page(f"/{text[:4000]}", title=text[:1000])
    mallory.event("custom", name=text[:100])
    (visit,) = api.visits()
    assert len(visit.landing_url or "") <= 2048
    assert max(map(len, [visit.medium, visit.source, visit.campaign or "", visit.language or ""])) <= 200
    with api.books() as session:
        pages = session.scalars(sa.select(PageView).order_by(PageView.id)).all()
        assert [len(page.title or "") <= 300 and len(page.url) <= 2048 for page in pages] == [True, True]
        assert session.scalars(sa.select(VisitEvent)).one().detail.keys() == {"name"}


@pytest.mark.parametrize(
    ("body", "status", "id_"),
    [
        (b"", 404, "site.unknown"),
        (b"{", 400, "visit.malformed"),
        (b"[]", 400, "visit.malformed"),
        (b"[" * 16_000, 400, "visit.malformed"),
        (b"\xff\xfe", 400, "visit.malformed"),
        (b'{"site": ' + b"9" * 5000 + b"}", 400, "visit.malformed"),
        (b'{"site": "' + b"x" * 70_000 + b'"}', 413, "http.too_large"),
        (b'{"site": "nobody"}', 404, "site.unknown"),
        (b'{"site": null}', 404, "site.unknown"),
        (b'{"site": "key-shop"}', 400, "visit.malformed"),
        (b'{"site": "key-shop", "url": {"a": 1}}', 400, "visit.malformed"),
    ],
)
def test_a_malformed_request_is_refused_with_a_reason(
    api: Api, shop: Shop, body: bytes, status: int, id_: str
) -> None:
    answer = api.visitor(shop).post("", body)
    assert (answer.status_code, answer.get_json()["error"]["id"]) == (status, id_)
    assert api.visits() == []


def test_an_event_of_too_much_detail_is_refused(api: Api, shop: Shop) -> None:
    ann = api.visitor(shop)
    ann.open()
    answer = ann.speak("events", {"kind": "custom", "detail": {"text": "x" * 2000}})
    assert (answer.status_code, answer.get_json()["error"]["id"]) == (400, "visit.malformed")
    assert "1024 bytes" in answer.get_json()["error"]["fix"]
