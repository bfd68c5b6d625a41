"""What the script tells of a visit: pages, signs of life, clicks and forms, over tabs, hosts and frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from support.browser import complaints
from support.visiting import HEADLESS
from support.website import (
    REAL,
    WRITTEN,
    Shop,
    Street,
    asked,
    eventually,
    listened,
    painted,
    shown,
    texts,
    told,
    websites,
)

from demo import visitors
from tracker.models import Site

PAGE = f"""<!doctype html><html lang="en"><head><title>Pallets</title>SCRIPT</head><body>
<p id="first">{WRITTEN}</p><a id="link" href="tel:+74957654321">Call {WRITTEN}</a>
<a id="next" href="/next">Next</a></body></html>"""
HIDE = """
window.seen = false;
Object.defineProperty(Document.prototype, "hidden", {get: () => !seen});
window.look = (now) => {
  seen = now;
  document.dispatchEvent(new Event("visibilitychange", {bubbles: true}));
};
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with visitors.browser() as started:
        yield started


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with websites(tmp_path_factory.mktemp("visit")) as street:
        yield street


@pytest.fixture
def shop(street: Street) -> Shop:
    return street.shop({"/": PAGE, "/next": PAGE.replace("Pallets", "Next")})


def open_shop(shop: Shop, browser: Browser, path: str = "/", **more: Any) -> Page:
    """A new visitor of the page, who is shown the number."""
    page = shop.open(browser, path, **more)
    expect(page.locator("#first")).to_have_text(shown(shop.numbers[0]))
    return page


def also_at(street: Street, shop: Shop, *hosts: str) -> None:
    """The shop has further domains, before anybody has come."""
    with street.database.write() as session:
        site = session.get_one(Site, shop.ids.site_id)
        site.domains = [*site.domains, *hosts]
    street.by_host.update(dict.fromkeys(hosts, shop))


def told_of(shop: Shop) -> list[tuple[str, dict[str, str]]]:
    return [(str(event.kind), event.detail) for event in shop.events()]


# ---- pages ----


def test_every_page_of_a_visit_is_told_with_its_title(shop: Shop, browser: Browser) -> None:
    page = open_shop(shop, browser, "/?utm_source=news&gclid=Abc-1")
    with told(page, "pages"):
        page.click("#next")
    (visit,) = shop.visits()
    assert [view.title for view in shop.page_views()] == ["Pallets", "Next"]
    assert visit.landing_url == f"{shop.address}/?utm_source=news&gclid=Abc-1"
    assert (visit.language, visit.click_ids) == ("en-GB", {"gclid": "Abc-1"})
    assert [what for what in asked(page) if what != "leave"] == ["visits", "pages"]
    assert complaints(page) == []


def test_a_visit_that_is_over_begins_anew_with_the_same_visitor(shop: Shop, browser: Browser) -> None:
    page = open_shop(shop, browser)
    page.evaluate("""() => {
      const kept = JSON.parse(localStorage._ll);
      localStorage._ll = JSON.stringify({...kept, visit: "1.1.forged"});
    }""")
    with told(page, "visits"):
        page.reload()
    expect(page.locator("#first")).to_have_text(shown(shop.numbers[0]))
    assert len(shop.visitors()) == 1
    assert asked(page)[-2:] == ["pages", "visits"]


def test_analytics_cookies_come_along(shop: Shop, browser: Browser) -> None:
    open_shop(
        shop,
        browser,
        before="for (const it of ['_ga=GA1.1.7.8', '_ym_uid=42', '_pk_id.3.1fff=c0ffee01.1.', 'sid=x'])"
        " document.cookie = it",
    )
    assert shop.visits()[0].analytics_ids == {
        "_ga": "GA1.1.7.8", "_ym_uid": "42", "_pk_id.3.1fff": "c0ffee01.1.",
    }  # fmt: skip


def test_a_crawler_learns_nothing_and_sees_the_sites_number(shop: Shop, browser: Browser) -> None:
    page = listened(shop.profile(browser, user_agent=HEADLESS).new_page())
    with told(page, "visits"):
        page.goto("/")
    painted(page)
    assert texts(page, "#first") == [WRITTEN]
    assert (shop.visits(), page.context.cookies()) == ([], [])


# ---- signs of life ----


def test_a_page_gives_signs_of_life_only_while_it_is_looked_at(shop: Shop, browser: Browser) -> None:
    page = listened(shop.profile(browser).new_page())
    page.clock.install()
    page.add_init_script(HIDE + "seen = true;")
    with told(page, "visits"):
        page.goto("/")
    with told(page, "ping"):
        page.clock.run_for(61_000)
    page.evaluate("look(false)")
    page.clock.run_for(600_000)
    assert asked(page) == ["visits", "ping"]
    with told(page, "ping"):
        page.evaluate("look(true)")
        page.clock.run_for(1)
    page.evaluate("look(false)")
    page.evaluate("look(true)")
    page.clock.run_for(1000)
    assert asked(page) == ["visits", "ping", "ping"]


def test_a_page_opened_in_the_background_asks_when_it_is_looked_at(shop: Shop, browser: Browser) -> None:
    page = listened(shop.profile(browser).new_page())
    page.add_init_script(HIDE)
    page.goto("/")
    painted(page)
    assert asked(page) == []
    with told(page, "visits"):
        page.evaluate("look(true)")
    expect(page.locator("#first")).to_have_text(shown(shop.numbers[0]))


def test_leaving_is_told_by_a_beacon(shop: Shop, browser: Browser) -> None:
    page = open_shop(shop, browser)
    page.goto("about:blank")
    eventually(lambda: shop.visits()[0].left_at)


def test_a_page_that_comes_back_as_it_was_is_a_page_view(shop: Shop, browser: Browser) -> None:
    page = open_shop(shop, browser)
    with told(page, "pages"):
        page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    assert len(shop.page_views()) == 2


def test_a_page_that_comes_back_too_late_shows_no_stale_number(shop: Shop, browser: Browser) -> None:
    page = open_shop(shop, browser)
    page.route("**/api/v1/**", lambda route: route.abort())
    page.evaluate("""() => {
      localStorage._ll = JSON.stringify({...JSON.parse(localStorage._ll), until: Date.now() - 1});
      dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}));
    }""")
    assert texts(page, "#first") == [WRITTEN]


def test_a_browser_whose_clock_is_years_off_shows_the_number(shop: Shop, browser: Browser) -> None:
    page = listened(shop.profile(browser).new_page())
    page.clock.install(time="2001-01-01")
    with told(page, "visits"):
        page.goto("/")
    expect(page.locator("#first")).to_have_text(shown(shop.numbers[0]))


# ---- clicks and forms ----


def test_a_click_on_the_number_is_told_at_once_and_to_the_data_layer(shop: Shop, browser: Browser) -> None:
    page = open_shop(shop, browser)
    page.evaluate("Leaseline.on('click', (number) => { window.clicked = number; })")
    page.locator("#link").dispatch_event("click")
    own = shop.numbers[0]
    eventually(shop.events)
    assert told_of(shop) == [("phone_click", {"number": own, "text": f"Call {shown(own)}"})]
    page.wait_for_function("window.clicked")
    assert page.evaluate("clicked") == own
    events = page.evaluate("dataLayer.map(({event, leaseline}) => [event, leaseline])")
    assert events == [["leaseline_number", own], ["leaseline_phone_click", own]]


def test_a_form_is_told_by_its_name_never_with_what_was_typed(shop: Shop, browser: Browser) -> None:
    shop.pages["/"] = PAGE.replace(
        "</body>",
        '<form name="order" id="f" action="/send?token=secret" onsubmit="return false">'
        '<input name="id" value="typed"><input name="action" value="typed"><button>Go</button></form></body>',
    )
    page = open_shop(shop, browser)
    with told(page, "events"):
        page.click("button")
    eventually(shop.events)
    assert told_of(shop) == [("form", {"name": "order", "id": "f", "action": "/send"})]


# ---- tabs, hosts, frames, stores ----


def test_tabs_share_one_visit_and_one_number(shop: Shop, browser: Browser) -> None:
    first = open_shop(shop, browser)
    second = listened(first.context.new_page())
    with told(second, "pages"):
        second.goto("/next")
    assert texts(second, "#first") == [shown(shop.numbers[0])]
    assert len(shop.visits()) == 1
    second.evaluate("""() => {
      const kept = JSON.parse(localStorage._ll);
      const variants = ["74951009999", "84951009999", "4951009999"];
      const number = {...kept.numbers[0], e164: "+74951009999", variants};
      localStorage._ll = JSON.stringify({...kept, numbers: [number]});
    }""")
    expect(first.locator("#first")).to_have_text("8 (495) 100-99-99")


def test_a_visitor_is_known_on_every_subdomain(street: Street, shop: Shop, browser: Browser) -> None:
    host = shop.address.removeprefix("http://").partition(":")[0]
    also_at(street, shop, f"help.{host}")
    page = open_shop(shop, browser)
    (cookie,) = page.context.cookies()
    assert (cookie["name"], cookie["domain"], cookie["sameSite"]) == ("_ll", f".{host}", "Lax")
    assert cookie["secure"]
    with told(page, "visits"):
        page.goto(shop.address.replace("//", "//help."))
    expect(page.locator("#first")).to_have_text(shown(shop.numbers[0]))
    assert len(shop.visitors()) == 1


def test_a_link_to_another_domain_of_the_site_takes_the_visitor_along(
    street: Street, shop: Shop, browser: Browser
) -> None:
    also_at(street, shop, "order.localhost")
    other = f"http://order.localhost:{street.port}"
    shop.pages["/"] = PAGE.replace(
        "</body>",
        f'<a id="order" href="{other}/next?a=1#form">Order</a><a id="out" href="/#x">Out</a></body>',
    )
    page = open_shop(shop, browser)
    with told(page, "visits"):
        page.click("#order")
    expect(page.locator("#first")).to_have_text(shown(shop.numbers[0]))
    assert page.url == f"{other}/next?a=1#form"
    assert len(shop.visitors()) == 1
    page.wait_for_timeout(200)  # longer than the script waits for the title of a new page
    assert [view.url for view in shop.page_views()] == [f"{shop.address}/", f"{other}/next?a=1#form"]
    page.goto(shop.address)
    page.click("#out")
    assert page.url == f"{shop.address}/#x"


def test_only_links_to_where_the_cookie_does_not_reach_take_the_visitor_along(
    street: Street, shop: Shop, browser: Browser
) -> None:
    host = shop.address.removeprefix("http://").partition(":")[0]
    also_at(street, shop, f"help.{host}", "www.order.test", "*.parts.test")
    marked = {
        "http://order.test/": True,
        "http://www.order.test/": True,
        "http://eu.order.test/a": True,
        "http://1.parts.test/?b": True,
        "http://border.test/": False,
        "http://order.test.example/": False,
        f"http://www.{host}/": False,
        f"http://help.{host}/": False,
        "/next": False,
        "#first": False,
    }
    shop.pages["/"] = PAGE.replace("</body>", "".join(f'<a class=to href="{to}"></a>' for to in marked))
    page = open_shop(shop, browser)
    searched = page.eval_on_selector_all(
        ".to",
        """links => {
          addEventListener("click", (event) => event.preventDefault());
          links.forEach((link) => link.click());
          return links.map(({search}) => /&_ll=[\\w-]+[.]\\d+$/.test(search));
        }""",
    )
    assert dict(zip(marked, searched, strict=True)) == marked


def test_a_link_to_another_domain_is_good_for_two_minutes(
    street: Street, shop: Shop, browser: Browser
) -> None:
    page = open_shop(shop, browser)
    visitor = page.evaluate("JSON.parse(localStorage._ll).visitor")
    stranger = listened(shop.profile(browser).new_page())
    old = stranger.evaluate("Date.now() - 121000")
    with told(stranger, "visits"):
        stranger.goto(f"/next?&_ll={visitor}.{old}")
    expect(stranger.locator("#first")).to_have_text(shown(shop.numbers[1]))
    assert stranger.url == f"{shop.address}/next"


def test_a_frame_shows_its_pages_number_and_asks_for_none(
    street: Street, shop: Shop, browser: Browser
) -> None:
    also_at(street, shop, "widget.localhost")
    foreign = f"http://widget.localhost:{street.port}/next"
    shop.pages["/"] = PAGE.replace(
        "</body>", f'<iframe src="/next"></iframe><iframe src="{foreign}"></iframe></body>'
    )
    page = open_shop(shop, browser)
    expect(page.frame_locator("iframe >> nth=0").locator("#first")).to_have_text(shown(shop.numbers[0]))
    expect(page.frame_locator("iframe >> nth=1").locator("#first")).to_have_text(WRITTEN)
    assert asked(page) == ["visits"]


def test_a_browser_that_stores_nothing_is_shown_the_number_on_each_page(shop: Shop, browser: Browser) -> None:
    blocked = """
      const refuse = () => { throw new DOMException("blocked", "SecurityError"); };
      Object.defineProperty(window, "localStorage", {get: refuse});
      Object.defineProperty(Document.prototype, "cookie", {get: () => "", set: () => {}});
    """
    page = open_shop(shop, browser, before=blocked)
    with told(page, "pages"):
        page.evaluate("Leaseline.page()")
    assert texts(page, "#first") == [shown(shop.numbers[0])]
    assert complaints(page) == []


def test_a_visitor_code_stands_beside_the_number_and_is_dialled_by_the_link(
    shop: Shop, browser: Browser
) -> None:
    """What the server answers where the pool is empty and the company asks for codes."""
    answer = {
        "visit": None, "visitor": None, "reason": "pool_empty", "hold_seconds": 300, "ping_seconds": 60,
        "until": 600, "number": {"e164": REAL, "display": WRITTEN},
        "numbers": [{"from": REAL, "e164": REAL, "display": WRITTEN, "international": "+7 495 765-43-21",
                     "variants": ["74957654321", "84957654321", "4957654321"], "code": "482"}],
    }  # fmt: skip
    page = listened(shop.profile(browser).new_page())
    page.route("**/api/v1/visits", lambda route: route.fulfill(
        json=answer, headers={"Access-Control-Allow-Origin": shop.address}))  # fmt: skip
    page.goto("/")
    coded = f"{WRITTEN}\u00a0#482"
    expect(page.locator("#first")).to_have_text(coded)
    assert page.get_attribute("#link", "href") == "tel:+74957654321,,482"
    page.evaluate("""() => {
      document.body.append(document.querySelector('#first').cloneNode(true));
      document.querySelector('#first').firstChild.nodeValue = 'or 8 (495) 765-43-21';
      Leaseline.swap();
    }""")
    painted(page)
    assert page.locator("p").all_text_contents() == [f"or {coded}", coded]
