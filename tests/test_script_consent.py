"""The script and what visitors allow: Google's Consent Mode, IAB's TCF, the browser's signal, a site's word.

Each time the books, the cookies and the local storage are looked at, not only the page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import APIResponse, Browser, Page, Route, expect
from support.website import WRITTEN, Shop, Street, asked, eventually, listened, painted, shown, told, websites

from demo import visitors
from web.visits import COOKIE

PHONE = f'<body><a id="phone" href="tel:+74957654321">{WRITTEN}</a></body>'
GTAG = "<script>window.dataLayer = window.dataLayer || []; function gtag() { dataLayer.push(arguments); }"
DENIED = """gtag("consent", "default",
  {analytics_storage: "denied", ad_user_data: "denied", wait_for_update: 500});"""
GRANT = """gtag("consent", "update", {analytics_storage: "granted", ad_user_data: "granted"})"""
REVOKE = """gtag("consent", "update", {analytics_storage: "denied", ad_user_data: "denied"})"""
# A consent platform as a page sees it: `answer` is what the visitor clicks.
TCF = """<script>
  const listeners = [];
  let data = {gdprApplies: true, eventStatus: "cmpuishown", purpose: {consents: {}}};
  window.__tcfapi = (command, version, callback) => {
    if (command != "addEventListener" || version != 2) return;
    listeners.push(callback);
    setTimeout(callback, 0, data, true);
  };
  window.answer = (purposes, gdprApplies = true) => {
    data = {gdprApplies, eventStatus: "useractioncomplete", purpose: {consents: purposes}};
    listeners.forEach((listener) => listener(data, true));
  };
</script>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with visitors.browser() as started:
        yield started


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with websites(tmp_path_factory.mktemp("consent")) as street:
        yield street


def test_a_default_of_denied_leaves_no_trace(street: Street, browser: Browser) -> None:
    shop = street.shop({"/": f"{GTAG}{DENIED}</script>SCRIPT{PHONE}"}, source_number=True)
    page = _open(shop, browser)
    assert shop.source_number
    expect(page.locator("#phone")).to_have_text(shown(shop.source_number))
    _nothing_kept(page, shop)
    assert shop.misses() == {"consent": 1}


def test_without_consent_or_a_static_number_the_real_one_stays(street: Street, browser: Browser) -> None:
    shop = street.shop({"/": f"{GTAG}{DENIED}</script>SCRIPT{PHONE}"})
    page = _open(shop, browser)
    assert _phone(page) == WRITTEN
    _nothing_kept(page, shop)


def test_nothing_of_a_visitor_is_sent_before_he_allows_it(street: Street, browser: Browser) -> None:
    shop = street.shop({"/": f"{GTAG}{DENIED}</script>SCRIPT{PHONE}"})
    context = shop.profile(browser)
    context.add_cookies([{"name": "_ga", "value": "GA1.1.7.7", "url": shop.address}])
    page = listened(context.new_page())
    with told(page, "visits") as denied:
        page.goto("/")
    with told(page, "visits") as granted:
        page.evaluate(GRANT)
    assert "GA1.1.7.7" not in (denied.value.request.post_data or "")
    assert json.loads(granted.value.request.post_data or "")["ids"] == {"_ga": "GA1.1.7.7"}
    assert [visit.analytics_ids for visit in shop.visits()] == [{"_ga": "GA1.1.7.7"}]


def test_consent_given_later_brings_the_visitors_number_without_a_reload(
    street: Street, browser: Browser
) -> None:
    shop = street.shop({"/": f"{GTAG}{DENIED}</script>SCRIPT{PHONE}"}, source_number=True)
    page = _open(shop, browser, "/?utm_source=news&utm_medium=email")
    with told(page, "visits"):
        page.evaluate(GRANT)
    _remembered(page, shop)
    (visit,) = shop.visits()
    assert (visit.source, visit.consent) == ("news", {"storage": True, "ads": True})


def test_an_answer_from_an_earlier_page_is_waited_for(street: Street, browser: Browser) -> None:
    late = f"{GTAG}{DENIED} setTimeout(() => {GRANT}, 100)</script>"
    shop = street.shop({"/": f"{late}SCRIPT{PHONE}"}, source_number=True)
    page = _open(shop, browser)
    _remembered(page, shop)
    assert asked(page) == ["visits"]
    assert shop.misses() == {}


def test_consent_that_is_taken_back_takes_everything_along(street: Street, browser: Browser) -> None:
    shop = street.shop({"/": f"{GTAG}{DENIED} {GRANT}</script>SCRIPT{PHONE}"}, source_number=True)
    page = listened(shop.profile(browser).new_page())
    page.clock.install()
    with told(page, "visits"):
        page.goto("/")
    _remembered(page, shop)
    with told(page, "visits"):
        page.evaluate(REVOKE)
        page.clock.run_for(1000)
    assert shop.source_number
    expect(page.locator("#phone")).to_have_text(shown(shop.source_number))
    assert _traces(page) == []
    page.clock.run_for(200_000)  # three pings' time
    painted(page)
    assert asked(page) == ["visits", "visits"]
    with told(page, "visits"):
        page.reload()  # the page's own tag says yes again
    expect(page.locator("#phone")).to_have_text(shown(shop.numbers[1]))
    assert len(shop.visitors()) == 2


def test_analytics_may_be_allowed_and_advertising_not(street: Street, browser: Browser) -> None:
    said = """gtag("consent", "update", {analytics_storage: "granted", ad_user_data: "denied"})"""
    shop = street.shop({"/": f"{GTAG}{DENIED} {said}</script>SCRIPT{PHONE}"})
    page = _open(shop, browser)
    _remembered(page, shop)
    assert [visit.consent for visit in shop.visits()] == [{"storage": True, "ads": False}]


@pytest.mark.parametrize(
    ("entry", "kept"), [("{default: false}", False), ("{default: false, update: true}", True)]
)
def test_googles_tag_is_believed_rather_than_its_commands(
    street: Street, browser: Browser, entry: str, kept: bool
) -> None:
    """It has read the defaults by region; the commands alone may be those for another country."""
    state = f"window.google_tag_data = {{ics: {{entries: {{analytics_storage: {entry}}}}}}}"
    shop = street.shop({"/": f"{GTAG}{DENIED.replace('denied', 'granted')} {state}</script>SCRIPT{PHONE}"})
    page = _open(shop, browser)
    _remembered(page, shop) if kept else _nothing_kept(page, shop)


def test_of_defaults_by_region_the_strict_one_is_not_overruled(street: Street, browser: Browser) -> None:
    regional = DENIED.replace("wait_for_update: 500", 'region: ["DE", "FR"]')
    rest = DENIED.replace('"denied"', '"granted"')
    shop = street.shop({"/": f"{GTAG}{regional}{rest}</script>SCRIPT{PHONE}"})
    _nothing_kept(_open(shop, browser), shop)


def test_a_tcf_banner_is_asked_and_heard(street: Street, browser: Browser) -> None:
    shop = street.shop({"/": f"{TCF}SCRIPT{PHONE}"})
    page = _open(shop, browser)
    assert _phone(page) == WRITTEN
    _nothing_kept(page, shop)
    with told(page, "visits"):
        page.evaluate("answer({1: true, 7: true})")
    _remembered(page, shop)
    with told(page, "visits"):
        page.evaluate("answer({1: false})")
    expect(page.locator("#phone")).to_have_text(WRITTEN)
    assert _traces(page) == []


def test_a_tcf_banner_for_whom_the_law_does_not_hold_asks_nothing(street: Street, browser: Browser) -> None:
    shop = street.shop({"/": f"{TCF}<script>answer({{}}, false)</script>SCRIPT{PHONE}"})
    page = _open(shop, browser)
    _remembered(page, shop)


def test_a_browsers_privacy_signal_is_kept_for_the_advertisers(street: Street, browser: Browser) -> None:
    shop = street.shop({"/": f"{GTAG}{GRANT}</script>SCRIPT{PHONE}"})
    context = shop.profile(browser, extra_http_headers={"Sec-GPC": "1"})
    page = listened(context.new_page())
    with told(page, "visits"):
        page.goto("/")
    _remembered(page, shop)
    assert [visit.consent for visit in shop.visits()] == [{"storage": True, "ads": False}]


def test_a_site_that_needs_consent_waits_for_its_own_word(street: Street, browser: Browser) -> None:
    shop = street.shop({"/": f"SCRIPT{PHONE}"}, needs_consent=True)
    page = _open(shop, browser)
    assert _phone(page) == WRITTEN
    _nothing_kept(page, shop)
    with told(page, "visits"):
        page.evaluate("Leaseline.consent(true)")
    _remembered(page, shop)
    with told(page, "visits"):
        page.evaluate("Leaseline.consent(false)")
    expect(page.locator("#phone")).to_have_text(WRITTEN)
    assert _traces(page) == []


def test_another_tab_forgets_as_well(street: Street, browser: Browser) -> None:
    shop = street.shop({"/": f"SCRIPT{PHONE}"})
    first = _open(shop, browser)
    _remembered(first, shop)
    second = listened(first.context.new_page())
    kept = first.evaluate("localStorage._ll")
    second.goto("/")
    eventually(lambda: second.evaluate("localStorage._ll") != kept)  # its answer is there, and kept
    first.evaluate("Leaseline.consent(false)")
    expect(first.locator("#phone")).to_have_text(WRITTEN)
    expect(second.locator("#phone")).to_have_text(WRITTEN)
    assert _traces(second) == []


@pytest.mark.parametrize("visit", ["goes on", "is over"])
def test_an_answer_on_its_way_does_not_bring_back_who_was_forgotten_in_another_tab(
    street: Street, browser: Browser, visit: str
) -> None:
    shop = street.shop({"/": f"SCRIPT{PHONE}"})
    first = _open(shop, browser)
    _remembered(first, shop)
    second = listened(first.context.new_page())
    second.add_init_script("AbortSignal.timeout = undefined")  # as in old browsers: it waits
    held: list[tuple[Route, APIResponse]] = []
    second.route("**/pages", lambda route: held.append((route, route.fetch())))
    second.goto("/")
    eventually(lambda: _seen(second, held))
    first.evaluate("Leaseline.consent(false)")
    expect(second.locator("#phone")).to_have_text(WRITTEN)
    ((route, answer),) = held
    with told(second, "pages"):
        route.fulfill(response=answer) if visit == "goes on" else route.fulfill(response=answer, status=404)
    painted(second)
    assert [_phone(page) for page in (first, second)] == [WRITTEN] * 2
    assert _traces(second) == []
    assert [what for what in asked(second) if what != "leave"] == ["pages"]


def test_a_first_answer_that_comes_after_a_no_is_not_kept(street: Street, browser: Browser) -> None:
    shop = street.shop({"/": f"SCRIPT{PHONE}"})
    page = listened(shop.profile(browser).new_page())
    page.add_init_script("AbortSignal.timeout = undefined")
    held: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append((route, route.fetch()))

    page.route("**/api/v1/visits", hold)
    page.goto("/")
    eventually(lambda: _seen(page, held))
    with told(page, "visits"):
        page.evaluate("Leaseline.consent(false)")
    ((route, answer),) = held
    with told(page, "visits"):
        route.fulfill(response=answer)
    painted(page)
    assert _phone(page) == WRITTEN
    assert _traces(page) == []


def _seen(page: Page, held: list[tuple[Route, APIResponse]]) -> bool:
    """Whether a request is held; the page goes on meanwhile."""
    painted(page)
    return bool(held)


def _open(shop: Shop, browser: Browser, path: str = "/") -> Page:
    """A new visitor, whose page has had its first answer, and shows what it says."""
    page = listened(shop.profile(browser).new_page())
    with told(page, "visits"):
        page.goto(path)
    painted(page)
    return page


def _phone(page: Page) -> str:
    return page.locator("#phone").inner_text()


def _traces(page: Page) -> list[str]:
    """What the browser has kept of us: cookies and stored things by name."""
    names = {str(cookie.get("name")) for cookie in page.context.cookies()}
    stored = set(page.evaluate("[...Object.keys(localStorage), ...Object.keys(sessionStorage)]"))
    return sorted(name for name in names | stored if name in {"_ll", COOKIE})


def _nothing_kept(page: Page, shop: Shop) -> None:
    """Neither in the browser nor in the books."""
    assert _traces(page) == []
    assert (shop.visits(), shop.visitors(), shop.page_views(), shop.leases()) == ([], [], [], [])


def _remembered(page: Page, shop: Shop) -> None:
    """With a number of the visitor's own, in the browser and in the books."""
    expect(page.locator("#phone")).to_have_text(shown(shop.numbers[0]))
    eventually(shop.leases)
    cookies = {cookie.get("name"): cookie.get("value") for cookie in page.context.cookies()}
    assert cookies["_ll"] == shop.visitors()[-1].key
    assert json.loads(page.evaluate("localStorage._ll"))["visitor"] == cookies["_ll"]
