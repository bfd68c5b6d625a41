"""The script on a single-page shop in React, built from npm: rendered, rendered anew, routed, hydrated."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from support.browser import complaints
from support.website import (
    PAINTED,
    REAL,
    WRITTEN,
    Shop,
    Street,
    asked,
    listened,
    painted,
    shown,
    texts,
    told,
    websites,
)

from demo import visitors
from tracker.settings import CHECKOUT

DIST = CHECKOUT / "tests" / "spa" / "dist"
EMPTY = """<!doctype html><html lang="en"><head><title>Wooden pallets</title>SCRIPT</head>
<body><div id="root"></div><script src="/shop.js"></script></body></html>"""
# After every tick, what a person sees of an element once the frame is painted.
TICKING = f"""async ([selector, ticks]) => {{
  const seen = [];
  for (let tick = 0; tick < ticks; tick++) {{
    shop.tick();
    await {PAINTED};
    seen.push(document.querySelector(selector).textContent);
  }}
  return seen;
}}"""
# Counts from now on who writes into an element's texts, by whether the site's own number stands there then.
WRITES = """([selector, real]) => {
  window.writes = {real: 0, own: 0};
  new MutationObserver((records) => records.forEach(({target}) => {
    window.writes[target.textContent.includes(real) ? "real" : "own"]++;
  })).observe(document.querySelector(selector), {subtree: true, characterData: true});
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert DIST.exists(), f"{DIST} is missing: cd tests/spa && npm ci && npm run build"
    with visitors.browser() as started:
        yield started


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with websites(tmp_path_factory.mktemp("spa")) as street:
        yield street


@pytest.fixture
def shop(street: Street) -> Shop:
    return street.shop(dict.fromkeys(("/", "/euro", "/contact"), EMPTY) | {"/shop.js": _read("shop.js")})


def test_what_react_renders_first_is_swapped(shop: Shop, browser: Browser) -> None:
    page = _arrive(shop, browser)
    own = shown(shop.numbers[0])
    assert texts(page, ".phone") == [own]
    assert page.get_attribute("#header", "href") == f"tel:{shop.numbers[0]}"
    assert texts(page, "#apart") == [f"0 calls today: {own}"]
    assert texts(page, "#branches li") == [f"Branch 0: {own}"]
    _nothing_wrong(page)


def test_a_number_beside_what_changes_is_written_once(shop: Shop, browser: Browser) -> None:
    page = _arrive(shop, browser)
    page.evaluate(WRITES, ["#apart", WRITTEN])
    seen = page.evaluate(TICKING, ["#apart", 20])
    assert seen == [f"{tick} calls today: {shown(shop.numbers[0])}" for tick in range(1, 21)]
    assert page.evaluate("writes") == {"real": 0, "own": 20}  # React's, to the counter; none to the number
    _nothing_wrong(page)


def test_a_number_that_is_rendered_anew_is_never_painted_unswapped(shop: Shop, browser: Browser) -> None:
    page = _arrive(shop, browser)
    seen = page.evaluate(TICKING, ["#joined", 4])
    assert seen == [f"{shown(shop.numbers[0])} ({tick} calls today)" for tick in range(1, 5)]
    _nothing_wrong(page)


def test_who_writes_the_number_again_and_again_is_not_fought(shop: Shop, browser: Browser) -> None:
    page = _arrive(shop, browser)
    page.evaluate(WRITES, ["#joined", WRITTEN])
    page.evaluate(TICKING, ["#joined", 30])
    # React wrote 30 times, each seen with its own result or with ours; we wrote at most five times in all.
    writes = page.evaluate("writes")
    assert 30 <= writes["real"] + writes["own"] <= 35
    assert texts(page, "#apart") == [f"30 calls today: {shown(shop.numbers[0])}"]
    _nothing_wrong(page)


def test_a_list_that_grows_by_five_hundred_is_swapped(shop: Shop, browser: Browser) -> None:
    page = _arrive(shop, browser)
    page.evaluate("shop.more(500)")
    expect(page.locator("#branches li", has_text=shown(shop.numbers[0]))).to_have_count(501)
    expect(page.locator("#branches li", has_text=WRITTEN)).to_have_count(0)
    _nothing_wrong(page)


def test_routes_are_pages_of_one_visit_with_their_titles(shop: Shop, browser: Browser) -> None:
    page = _arrive(shop, browser, "/?utm_source=news&utm_medium=email")
    for go, title in (
        ("shop.go('/euro?size=2')", "Euro pallets"),
        ("shop.go('/contact')", "Contact"),
        ("history.back()", "Euro pallets"),
    ):
        with told(page, "pages"):
            page.evaluate(go)
        expect(page).to_have_title(title)
    assert [(view.url.removeprefix(shop.address), view.title) for view in shop.page_views()] == [
        ("/?utm_source=news&utm_medium=email", "Wooden pallets"),
        ("/euro?size=2", "Euro pallets"),
        ("/contact", "Contact"),
        ("/euro?size=2", "Euro pallets"),
    ]
    (visit,) = shop.visits()
    assert (visit.source, visit.medium) == ("news", "email")
    _nothing_wrong(page)


def test_every_route_shows_the_visitors_number(shop: Shop, browser: Browser) -> None:
    page = _arrive(shop, browser)
    own = shown(shop.numbers[0])
    page.evaluate("shop.go('/euro')")
    painted(page)
    assert texts(page, "#text") == [f"Order by phone: {own}"]
    page.evaluate("shop.go('/contact')")
    painted(page)
    assert texts(page, ".phone") == [own, own]
    page.evaluate("shop.go('/')")  # unmounted and mounted again
    painted(page)
    assert texts(page, "#branches li") == [f"Branch 0: {own}"]
    _nothing_wrong(page)


def test_an_address_that_flickers_is_one_page(shop: Shop, browser: Browser) -> None:
    page = _arrive(shop, browser)
    with told(page, "pages"):
        page.evaluate("shop.go('/contact'); shop.go('/'); shop.go('/euro#sizes'); location.hash = 'prices'")
    painted(page)
    assert [view.title for view in shop.page_views()] == ["Wooden pallets", "Euro pallets"]
    assert asked(page) == ["visits", "pages"]


def test_what_a_visitor_types_is_his_own(shop: Shop, browser: Browser) -> None:
    page = _arrive(shop, browser, "/contact")
    assert page.input_value("#mine") == WRITTEN
    page.fill("#mine", f"{WRITTEN} ext. 7")
    painted(page)
    assert page.input_value("#mine") == f"{WRITTEN} ext. 7"
    _nothing_wrong(page)


def test_a_rendered_page_is_hydrated_before_the_number_comes(shop: Shop, browser: Browser) -> None:
    shop.pages["/"] = _rendered(before="")
    page = shop.open(browser)
    with told(page, "visits"):  # as a tag manager does: after the page is ready
        page.evaluate(
            "(src) => document.head.append(Object.assign(document.createElement('script'), {src}))",
            shop.script,
        )
    expect(page.locator("#header")).to_have_text(shown(shop.numbers[0]))
    assert page.evaluate(TICKING, ["#joined", 2])[-1] == f"{shown(shop.numbers[0])} (2 calls today)"
    _nothing_wrong(page)


def test_a_page_swapped_before_it_is_hydrated_stays_swapped(shop: Shop, browser: Browser) -> None:
    """The visitor's number is known from the page before. React renders anew what is not as it was sent."""
    shop.pages["/"] = _rendered(before='<script src="ADDRESS"></script>')
    page = listened(shop.profile(browser).new_page())
    with told(page, "visits"):
        page.goto("/")
    expect(page.locator("#header")).to_have_text(shown(shop.numbers[0]))
    with told(page, "pages"):
        page.reload()
    page.wait_for_function("!!window.shop?.tick")
    painted(page)
    own = shown(shop.numbers[0])
    assert texts(page, ".phone") == [own]
    assert page.evaluate(TICKING, ["#joined", 2]) == [f"{own} ({tick} calls today)" for tick in (1, 2)]
    assert REAL not in page.content()
    assert all("418" in complaint for complaint in complaints(page))


def _arrive(shop: Shop, browser: Browser, path: str = "/") -> Page:
    """A new visitor, who has got his number."""
    page = listened(shop.profile(browser).new_page())
    with told(page, "visits"):
        page.goto(path)
    expect(page.locator("#header")).to_have_text(shown(shop.numbers[0]))
    return page


def _rendered(before: str) -> str:
    root = _read("root.html")
    return EMPTY.replace("SCRIPT", before).replace('<div id="root">', f'<div id="root">{root}')


def _read(name: str) -> str:
    return (DIST / name).read_text()


def _nothing_wrong(page: Page) -> None:
    assert complaints(page) == []
