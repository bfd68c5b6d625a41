"""The visit API: what a visit is, what is stored of it, which numbers it is shown."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.recorded import settings_in
from support.visiting import IPHONE, REAL, Api, Shop, add_shop, number_of

from tracker.database import Database
from tracker.models import (
    Channel,
    Lease,
    MissCount,
    Number,
    NumberUse,
    Pool,
    Site,
    Swap,
    VisitEvent,
    Visitor,
    WhenEmpty,
)

MINUTE = timedelta(minutes=1)


@pytest.fixture
def shop(database: Database, now: datetime) -> Shop:
    with database.write() as session:
        return add_shop(session, now)


@pytest.fixture
def api(database: Database, shop: Shop, tmp_path: Path, now: datetime) -> Api:
    assert shop
    return Api(database, settings_in(tmp_path, secret_key="k" * 40), now)


def test_a_new_visitor_gets_a_number_of_his_own(api: Api, shop: Shop) -> None:
    answer = api.visitor(shop).open("/?utm_source=x")
    assert answer["visit"].startswith("1.1.")
    assert len(answer["visitor"]) == 22
    assert answer["number"] == {"e164": "+74951000000", "display": "8 (495) 100-00-00"}
    assert answer["numbers"] == [
        {
            "from": REAL,
            "e164": "+74951000000",
            "display": "8 (495) 100-00-00",
            "international": "+7 495 100-00-00",
            "variants": ["74951000000", "84951000000", "4951000000"],
            "code": None,
        }
    ]
    assert answer["reason"] is None
    assert (answer["hold_seconds"], answer["ping_seconds"], answer["until"]) == (300, 60, 600)


def test_what_is_known_later_is_added_to_the_visit(api: Api, shop: Shop) -> None:
    ann = api.visitor(shop)
    ann.open("/", ids={"_ym_uid": "17"}, consent={"storage": True})
    ann.page("/prices", ids={"_ga": "GA1.1.5.6"}, consent={"ads": True})
    (visit,) = api.visits()
    assert visit.analytics_ids == {"_ym_uid": "17", "_ga": "GA1.1.5.6"}
    assert visit.consent == {"storage": True, "ads": True}


def test_five_visitors_see_five_numbers_and_the_sixth_the_real_one(api: Api, shop: Shop) -> None:
    seen = [number_of(api.visitor(shop).open()) for _ in range(5)]
    assert sorted(str(each) for each in seen) == sorted(shop.numbers)
    sixth = api.visitor(shop).open()
    assert (sixth["number"], sixth["numbers"], sixth["reason"]) == (None, [], "pool_empty")
    assert sixth["visit"]
    assert api.visits()[5].missed == "pool_empty"


def test_everything_known_of_a_visit_is_stored_with_it(api: Api, shop: Shop) -> None:
    ann = api.visitor(shop, agent=IPHONE, address="8.8.8.8", headers={"Sec-GPC": "1"})
    ann.open(
        "/landing?gclid=Cj0abcDEF123&utm_campaign=spring&email=ann@example.com",
        referrer="https://www.google.com/",
        title="Pallets",
        language="ru-RU",
        consent={"storage": True, "ads": True, "analytics": False},
        ids={"_ga": "GA1.1.5.6"},
    )
    (visit,) = api.visits()
    assert visit.landing_url == (
        "https://shop.example/landing?gclid=Cj0abcDEF123&utm_campaign=spring&email=hidden"
    )
    assert visit.referrer == "https://www.google.com/"
    assert (visit.source, visit.campaign, visit.paid) == ("google", "spring", True)
    assert visit.click_ids == {"gclid": "Cj0abcDEF123"}
    assert (visit.device, visit.browser, visit.language) == ("phone", visit.browser, "ru-RU")
    assert visit.country == "US"
    assert visit.consent == {"storage": True, "ads": False, "analytics": False}
    assert visit.analytics_ids == {"_ga": "GA1.1.5.6"}
    assert (visit.started_at, visit.seen_at, visit.left_at) == (api.now, api.now, None)
    (page,) = api.page_views()
    assert (page.title, page.at, page.until_at) == ("Pallets", api.now, api.now)


def test_pages_of_one_visit_keep_their_number_and_times(api: Api, shop: Shop) -> None:
    ann = api.visitor(shop)
    first = ann.open("/")
    api.later(seconds=60)
    ann.ping()
    api.later(seconds=30)
    second = ann.page("/prices", referrer=ann.url("/"))
    api.later(minutes=10)  # looked away
    third = ann.open("/contact")
    assert first["number"] == second["number"] == third["number"]
    assert first["visit"] == second["visit"] == third["visit"]
    pages = api.page_views()
    start = pages[0].at
    assert [(page.at - start, page.until_at - start) for page in pages] == [
        (0 * MINUTE, 1.5 * MINUTE), (1.5 * MINUTE, 1.5 * MINUTE), (11.5 * MINUTE, 11.5 * MINUTE),
    ]  # fmt: skip
    assert pages[1].title == "/prices"


def test_half_an_hour_of_silence_makes_the_next_page_another_visit(api: Api, shop: Shop) -> None:
    ann = api.visitor(shop)
    first = ann.open("/?utm_source=x&utm_medium=cpc", language="de", consent={"ads": True})
    api.later(minutes=30)
    answer = ann.page("/prices")
    assert answer["visit"] != first["visit"]
    assert answer["visitor"] == first["visitor"]
    assert answer["number"] == first["number"]  # free meanwhile, and hers when she comes back
    old, new = api.visits()
    assert (old.visitor_id, new.source, new.language) == (new.visitor_id, "(direct)", "de")
    assert new.consent == {"ads": True}


def test_another_advertisement_makes_another_visit_with_the_same_number(api: Api, shop: Shop) -> None:
    ann = api.visitor(shop)
    first = ann.open("/?gclid=Cj0first12345")
    api.later(minutes=2)
    assert ann.page("/prices?gclid=Cj0first12345")["visit"] == first["visit"]  # the same, passed along
    assert ann.page("/", referrer="https://www.bing.com/")["visit"] == first["visit"]
    second = ann.page("/?gclid=Cj0second1234")
    assert second["visit"] != first["visit"]
    assert second["number"] == first["number"]
    assert [visit.click_ids["gclid"] for visit in api.visits()] == ["Cj0first12345", "Cj0second1234"]
    assert api.open_leases() == 1


def test_a_visitor_is_known_again_by_key_or_by_token(api: Api, shop: Shop) -> None:
    ann = api.visitor(shop)
    first = ann.open()
    api.later(days=40)
    assert ann.open()["visitor"] == first["visitor"]
    ann.key = None  # the cookie is gone, local storage is not
    assert ann.open()["visitor"] == first["visitor"]
    ann.key, ann.token = "made-up", None
    assert ann.open()["visitor"] not in {"made-up", first["visitor"]}


def test_a_click_on_the_phone_link_is_stored_and_is_a_sign_of_life(api: Api, shop: Shop) -> None:
    ann = api.visitor(shop)
    ann.open()
    api.later(seconds=400)
    ann.event("phone_click", number="+74951000000", text="call us")
    ann.event("form", name="brochure")
    with api.books() as session:
        events = session.scalars(sa.select(VisitEvent).order_by(VisitEvent.id)).all()
        assert [(event.kind, event.detail.get("name")) for event in events] == [
            ("phone_click", None), ("form", "brochure"),
        ]  # fmt: skip
        assert session.scalars(sa.select(Lease.expires_at)).one() == api.now + timedelta(seconds=600)
    assert api.visits()[0].seen_at == api.now


def test_leaving_shortens_the_lease_and_a_sign_of_life_takes_it_back(api: Api, shop: Shop) -> None:
    ann = api.visitor(shop)
    ann.open()
    ann.leave()
    assert api.visits()[0].left_at == api.now
    with api.books() as session:
        assert session.scalars(sa.select(Lease.expires_at)).one() == api.now + timedelta(seconds=300)
    api.later(seconds=60)
    assert ann.ping()["until"] == 600
    assert api.visits()[0].left_at is None


def test_a_ping_after_the_lease_ran_out_may_bring_another_number(api: Api, shop: Shop) -> None:
    ann = api.visitor(shop)
    first = number_of(ann.open())
    api.later(minutes=11)  # asleep: the lease is over, the visit is not
    others = [api.visitor(shop) for _ in range(5)]
    theirs = [number_of(other.open()) for other in others]
    assert first in theirs
    answer = ann.ping()
    assert (answer["number"], answer["reason"]) == (None, "pool_empty")
    others[0].leave()
    api.later(minutes=6)
    answer = ann.ping()
    assert (number_of(answer), answer["reason"]) == (theirs[0], None)
    assert api.visits()[0].missed is None


def test_a_ping_after_half_an_hour_asks_for_a_new_visit(api: Api, shop: Shop) -> None:
    ann = api.visitor(shop)
    ann.open()
    api.later(minutes=31)
    answer = ann.speak("ping")
    assert (answer.status_code, answer.get_json()["error"]["id"]) == (410, "visit.over")
    ann.leave()  # says nothing any more, and hurts nobody
    ann.event("phone_click", number="+74951000000")  # is a fact, whenever it is told
    assert api.visits()[0].seen_at == api.now - 31 * MINUTE


def test_two_tabs_at_once_are_one_visit_with_one_number(api: Api, shop: Shop) -> None:
    ann = api.visitor(shop)
    ann.open()
    api.later(days=1)
    answers: list[dict[str, object]] = []
    tabs = [threading.Thread(target=lambda: answers.append(ann.open())) for _ in range(6)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert len({str(answer["visit"]) for answer in answers}) == 1
    assert len({str(answer["number"]) for answer in answers}) == 1
    assert (len(api.visits()), api.open_leases(), len(api.page_views())) == (2, 1, 7)


# ---- several numbers, other ways of showing ----


def test_each_number_on_the_page_is_swapped_by_the_visitors_country(
    api: Api, shop: Shop, database: Database, now: datetime
) -> None:
    with database.write() as session:
        other = Pool(company_id=shop.company_id, name="Abroad", created_at=now)
        session.add(other)
        session.flush()
        session.add(Swap(site_id=shop.site_id, position=2, e164=REAL, region="US", pool_id=other.id))
        session.add(Swap(site_id=shop.site_id, position=3, e164="+78001234567", pool_id=shop.pool_id))
        number = Number(company_id=shop.company_id, e164="+14155550100", created_at=now)
        session.add(number)
        session.flush()
        session.add(NumberUse(number_id=number.id, pool_id=other.id, from_at=now))
    at_home = api.visitor(shop, address="10.0.0.1").open()
    assert [each["from"] for each in at_home["numbers"]] == [REAL, "+78001234567"]
    assert at_home["numbers"][0]["e164"] == at_home["numbers"][1]["e164"] == "+74951000000"
    abroad = api.visitor(shop, address="8.8.8.8").open()
    assert [each["e164"] for each in abroad["numbers"]] == ["+14155550100", "+74951000001"]
    assert abroad["number"] == {"e164": "+14155550100", "display": "+1 415-555-0100"}


def test_a_visitor_code_decorates_the_number_that_stands_there(
    api: Api, shop: Shop, database: Database
) -> None:
    with database.write() as session:
        session.get_one(Pool, shop.pool_id).when_empty = WhenEmpty.CODE
    for _ in range(5):
        api.visitor(shop).open()
    answer = api.visitor(shop).open()
    (number,) = answer["numbers"]
    assert (number["from"], number["e164"], len(number["code"])) == (REAL, REAL, 3)
    assert answer["number"]["e164"] == REAL
    assert answer["reason"] == "pool_empty"


def test_a_site_that_swaps_nothing_still_knows_its_visits(api: Api, shop: Shop, database: Database) -> None:
    with database.write() as session:
        session.execute(sa.delete(Swap))
    answer = api.visitor(shop).open()
    assert (answer["numbers"], answer["reason"]) == ([], "no_pool")
    assert api.visits()[0].missed == "no_pool"


# ---- consent ----


def test_without_consent_nothing_is_kept_but_a_count(
    api: Api, shop: Shop, database: Database, now: datetime
) -> None:
    with database.write() as session:
        session.get_one(Site, shop.site_id).needs_consent = True
        channel = Channel(
            company_id=shop.company_id, name="Search", source="search", shown_to="google", created_at=now
        )
        number = Number(company_id=shop.company_id, e164="+74952223344", created_at=now)
        session.add_all([channel, number])
        session.flush()
        session.add(NumberUse(number_id=number.id, channel_id=channel.id, from_at=now))
    silent = api.visitor(shop, headers={"Cookie": "_llv=abc"})
    silent.key = "abc"
    response = silent.post("", {"site": shop.key, "url": silent.url("/"), "referrer": "https://google.com/"})
    answer = response.get_json()
    assert (answer["visit"], answer["visitor"], answer["reason"]) == (None, None, "consent")
    assert number_of(answer) == "+74952223344"
    assert "_llv=;" in response.headers["Set-Cookie"]  # taken back
    assert api.visitor(shop).open(consent={"storage": False})["number"] is None
    with api.books() as session:
        assert not session.scalars(sa.select(Visitor)).all()
        assert session.scalars(sa.select(MissCount.count)).all() == [2]
    assert (api.visits(), api.page_views(), api.open_leases()) == ([], [], 0)
    assert number_of(api.visitor(shop).open(consent={"storage": True})) == "+74951000000"


# ---- the cookie of a site that proxies us ----


@pytest.mark.parametrize(
    ("scheme", "cookie", "host", "is_set"),
    [
        ("https", None, "shop.example", True),  # the site's own proxy passes its host on
        ("https", None, "calls.example", False),  # third party
        ("https", "k", "calls.example", True),  # it was first party before
        ("http", None, "shop.example", True),
    ],
)
def test_a_first_party_visitor_is_remembered_by_a_cookie_of_the_server(
    api: Api, shop: Shop, scheme: str, cookie: str | None, host: str, is_set: bool
) -> None:
    ann = api.visitor(shop, origin=f"{scheme}://shop.example")
    if cookie:
        ann.headers["Cookie"] = f"_llv={cookie}"
    response = ann.post("", {"site": shop.key, "url": ann.url("/")}, base_url=f"http://{host}")
    key = response.get_json()["visitor"]
    found = response.headers.get("Set-Cookie", "")
    assert found.startswith(f"_llv={key}; ") is is_set
    if is_set:
        marks = set(found.split("; ")[1:])
        assert {"HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=34560000"} <= marks
        assert ("Secure" in marks) is (scheme == "https")


def test_the_cookie_stands_in_for_the_key_and_the_key_wins(api: Api, shop: Shop) -> None:
    ann, bob = api.visitor(shop), api.visitor(shop)
    hers, his = ann.open()["visitor"], bob.open()["visitor"]
    returning = api.visitor(shop, headers={"Cookie": f"_llv={hers}"})
    assert returning.open()["visitor"] == hers
    returning.key = his
    assert returning.open()["visitor"] == his
