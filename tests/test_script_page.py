"""The script on pages of all kinds: as they grow, are written anew, are locked down, or do without us."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from support.browser import complaints
from support.website import (
    PAINTED,
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

PAGE = f"""<!doctype html><html lang="en"><head><title>Shop</title>SCRIPT</head><body>
<p id="first">{WRITTEN}</p><a id="link" href="tel:+74957654321">{WRITTEN}</a><div id="more"></div></body>
</html>"""
API = "**/api/v1/visits**"
# What stood in an element when a frame was painted, from the first frame on.
FRAMES = """
window.frames_ = [];
const look = () => {
  const found = document.querySelector("#first");
  if (found) new ResizeObserver((_, self) => {
    frames_.push(found.textContent);
    self.disconnect();
  }).observe(found);
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => shifts.push(...list.getEntries().map((entry) => entry.value)))
  .observe({type: "layout-shift", buffered: true});
"""
STRICT = (
    "default-src 'none'; script-src HOST; connect-src HOST; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with visitors.browser() as started:
        yield started


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with websites(tmp_path_factory.mktemp("page")) as street:
        yield street


@pytest.fixture
def shop(street: Street) -> Shop:
    return street.shop({"/": PAGE})


@pytest.fixture
def page(shop: Shop, browser: Browser) -> Iterator[Page]:
    """A page whose visitor has his number."""
    page = shop.open(browser)
    expect(page.locator("#first")).to_have_text(shown(shop.numbers[0]))
    yield page
    page.context.close()


def arrive(shop: Shop, browser: Browser) -> Page:
    """A new visitor of the page, who is shown the number."""
    page = shop.open(browser)
    expect(page.locator("#first")).to_have_text(shown(shop.numbers[0]))
    return page


# ---- what changes on the page ----


def test_what_is_added_and_what_is_rewritten_is_swapped_before_it_is_painted(shop: Shop, page: Page) -> None:
    seen = page.evaluate(
        """async (painted) => {
          const more = document.querySelector("#more");
          more.innerHTML = "<p>8 (495) 765-43-21</p><a href='tel:84957654321'>us</a>";
          await eval(painted);
          const added = more.textContent + more.querySelector("a").href;
          more.firstChild.firstChild.nodeValue = "Call +7 495 765-43-21 now";
          more.querySelector("a").href = "tel:+74957654321";
          await eval(painted);
          return [added, more.textContent + more.querySelector("a").href];
        }""",
        PAINTED,
    )
    own = shop.numbers[0].removeprefix("+7")
    assert seen[0] == f"{shown(shop.numbers[0])}ustel:8{own}"
    assert (
        seen[1] == f"Call +7 {shown(shop.numbers[0])[2:].replace('(', '').replace(')', '')} nowustel:+7{own}"
    )
    assert complaints(page) == []


def test_a_translated_page_whose_texts_are_made_anew_shows_the_number(shop: Shop, page: Page) -> None:
    """Google Translate wraps texts in elements of its own; iOS does so with what it takes for a number."""
    page.evaluate(
        """() => {
          const first = document.querySelector("#first");
          const font = document.createElement("font");
          font.append("Rufen Sie ", document.createElement("font"));
          font.lastChild.append("8 (495) 765-43-21");
          first.replaceChildren(font);
        }"""
    )
    expect(page.locator("#first")).to_have_text(f"Rufen Sie {shown(shop.numbers[0])}")


def test_a_huge_list_is_swapped_in_slices(page: Page) -> None:
    frames = page.evaluate(
        """async () => {
          const list = document.createElement("ul");
          for (let row = 0; row < 20000; row++) {
            const item = document.createElement("li");
            item.append(`${row}: `, row % 10 ? "text" : "8 (495) 765-43-21");
            list.append(item);
          }
          document.querySelector("#more").append(list);
          let frames = 0;
          while (list.textContent.includes("765-43-21")) {
            await new Promise(requestAnimationFrame);
            frames++;
          }
          return frames;
        }"""
    )
    assert frames > 1


def test_a_number_in_an_image_of_svg_is_swapped_and_none_is_looked_for_elsewhere(
    shop: Shop, browser: Browser
) -> None:
    shop.pages["/"] = PAGE.replace(
        "SCRIPT", f"<style>#more::after {{ content: '{WRITTEN}' }}</style>SCRIPT"
    ).replace(
        "</body>", f"<svg><a href='/'><text>{WRITTEN}</text></a></svg><canvas>{WRITTEN}</canvas></body>"
    )
    page = arrive(shop, browser)
    expect(page.locator("svg text")).to_have_text(shown(shop.numbers[0]))
    after = page.evaluate("getComputedStyle(document.querySelector('#more'), '::after').content")
    assert after == f'"{WRITTEN}"'
    page.locator("svg a").dispatch_event("click")
    assert complaints(page) == []


def test_an_open_shadow_root_is_swapped_and_watched_once_it_is_shown_to_us(shop: Shop, page: Page) -> None:
    page.evaluate(
        """() => {
          window.root = document.querySelector("#more").attachShadow({mode: "open"});
          root.innerHTML = "<b>8 (495) 765-43-21</b>";
        }"""
    )
    painted(page)
    assert page.evaluate("root.textContent") == WRITTEN
    page.evaluate("Leaseline.swap(root)")
    assert page.evaluate("root.textContent") == shown(shop.numbers[0])
    page.evaluate("root.firstChild.textContent = 'or 8 (495) 765-43-21'")
    painted(page)
    assert page.evaluate("root.textContent") == f"or {shown(shop.numbers[0])}"


def test_nothing_is_added_to_the_page_and_the_focus_stays(shop: Shop, browser: Browser) -> None:
    page = listened(shop.profile(browser).new_page())

    def focused(route: Route) -> None:
        page.focus("#link")
        route.continue_()

    page.route(API, focused)
    page.goto("/")
    expect(page.locator("#first")).to_have_text(shown(shop.numbers[0]))
    assert page.evaluate("document.activeElement.id") == "link"
    assert page.evaluate("document.querySelectorAll('body *').length") == 3


def test_restore_puts_everything_back_until_swap(shop: Shop, page: Page) -> None:
    page.evaluate("Leaseline.restore()")
    assert texts(page, "#first, #link") == [WRITTEN] * 2
    assert page.get_attribute("#link", "href") == "tel:+74957654321"
    page.evaluate("document.querySelector('#more').textContent = '8 (495) 765-43-21'")
    painted(page)
    assert texts(page, "#more") == [WRITTEN]
    page.evaluate("__ctm.main.runNow()")
    assert texts(page, "#first, #link, #more") == [shown(shop.numbers[0])] * 3


# ---- no flash, no shift ----


def test_a_returning_visitor_never_sees_the_sites_own_number(shop: Shop, browser: Browser) -> None:
    shop.pages["/"] = PAGE.replace("SCRIPT", '<script src="ADDRESS"></script>')
    page = arrive(shop, browser)
    page.add_init_script(FRAMES)
    with told(page, "pages"):
        page.reload()
    painted(page)
    assert set(page.evaluate("frames_")) == {shown(shop.numbers[0])}


def test_the_layout_does_not_shift(shop: Shop, browser: Browser) -> None:
    shop.pages["/"] = PAGE.replace("</head>", "<style>p { width: 9em; font: 40px serif }</style></head>")
    page = listened(shop.profile(browser).new_page())
    page.add_init_script(SHIFTS)
    page.goto("/")
    expect(page.locator("#first")).to_have_text(shown(shop.numbers[0]))
    painted(page)
    assert page.evaluate("shifts") == []


# ---- locked down, twice, late ----


def test_a_strict_content_security_policy_with_trusted_types_is_enough(shop: Shop, browser: Browser) -> None:
    host = shop.script.partition("/s/")[0]
    policy = STRICT.replace("HOST", host)
    shop.pages["/"] = PAGE.replace(
        "<title>", f'<meta http-equiv="Content-Security-Policy" content="{policy}"><title>'
    )
    page = arrive(shop, browser)
    with told(page, "events"):
        page.locator("#link").dispatch_event("click")
    assert complaints(page) == []


def test_a_policy_that_forbids_to_ask_leaves_the_page_as_it_is(shop: Shop, browser: Browser) -> None:
    policy = f"script-src {shop.script.partition('/s/')[0]}; connect-src 'none'"
    shop.pages["/"] = PAGE.replace(
        "<title>", f'<meta http-equiv="Content-Security-Policy" content="{policy}"><title>'
    )
    page = shop.open(browser)
    page.wait_for_function("window.Leaseline")
    painted(page)
    assert texts(page, "#first") == [WRITTEN]
    assert all("Content Security Policy" in each for each in complaints(page))


def test_the_script_twice_on_a_page_is_one(shop: Shop, browser: Browser) -> None:
    shop.pages["/"] = PAGE.replace("</body>", "SCRIPT<script src='ADDRESS?theme'></script></body>")
    page = arrive(shop, browser)
    page.wait_for_load_state("load")
    painted(page)
    assert asked(page) == ["visits"]
    assert len(shop.visits()) == 1


def test_what_a_page_has_of_another_vendor_stays(shop: Shop, browser: Browser) -> None:
    page = shop.open(browser, before="window.CallTrk = {swap: 'theirs'}; window.__ctm = {theirs: 1}")
    page.wait_for_function("window.Leaseline")
    assert page.evaluate("[CallTrk, __ctm]") == [{"swap": "theirs"}, {"theirs": 1}]


def test_without_javascript_the_page_shows_its_own_number(shop: Shop, browser: Browser) -> None:
    page = shop.open(browser, java_script_enabled=False)
    expect(page.locator("#first")).to_have_text(WRITTEN)


# ---- our server away ----


@pytest.mark.parametrize("why", ["connectionrefused", "blockedbyclient", "timedout"])
def test_a_server_that_is_down_or_blocked_leaves_the_page_as_it_is(
    shop: Shop, browser: Browser, why: str
) -> None:
    page = listened(shop.profile(browser).new_page())
    page.route(API, lambda route: route.abort(why))
    with page.expect_event("requestfailed"):
        page.goto("/")
    painted(page)
    assert texts(page, "#first") == [WRITTEN]
    assert all("Failed to load resource" in each for each in complaints(page))
    page.unroute(API)
    with told(page, "visits"):
        page.evaluate("Leaseline.page()")
    expect(page.locator("#first")).to_have_text(shown(shop.numbers[0]))


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
def test_a_server_that_refuses_leaves_the_page_as_it_is_and_is_asked_once(
    shop: Shop, browser: Browser, status: int
) -> None:
    page = listened(shop.profile(browser).new_page())
    page.route(API, lambda route: route.fulfill(status=status, json={"error": {}}, headers=_cors(shop)))
    with told(page, "visits"):
        page.goto("/")
    painted(page)
    assert texts(page, "#first") == [WRITTEN]
    assert asked(page) == ["visits"]
    assert all(str(status) in each for each in complaints(page))


@pytest.mark.parametrize("body", ["", "null", "<html>", '{"numbers": 7, "until": 600}'])
def test_an_answer_that_makes_no_sense_leaves_the_page_as_it_is(
    shop: Shop, browser: Browser, body: str
) -> None:
    page = listened(shop.profile(browser).new_page())
    page.route(API, lambda route: route.fulfill(status=200, body=body, headers=_cors(shop)))
    with told(page, "visits"):
        page.goto("/")
    painted(page)
    assert texts(page, "#first") == [WRITTEN]
    assert complaints(page) == []


def test_a_slow_server_swaps_when_it_answers(shop: Shop, browser: Browser) -> None:
    held: list[Route] = []
    page = listened(shop.profile(browser).new_page())
    page.route(API, lambda route: held.append(route))  # noqa: PLW0108  (Playwright marks the function)
    page.goto("/", wait_until="load")
    page.wait_for_timeout(1000)  # what is slow must be waited for
    assert texts(page, "#first") == [WRITTEN]
    held[0].continue_()
    expect(page.locator("#first")).to_have_text(shown(shop.numbers[0]))
    assert complaints(page) == []


def test_a_pool_without_numbers_leaves_the_sites_own(shop: Shop, browser: Browser) -> None:
    for own in shop.numbers:
        page = shop.open(browser)
        expect(page.locator("#first")).to_have_text(shown(own))
    page = listened(shop.profile(browser).new_page())
    with told(page, "visits"):
        page.goto("/")
    painted(page)
    assert texts(page, "#first") == [WRITTEN]
    assert page.evaluate("Leaseline.number") is None
    assert shop.misses() == {"pool_empty": 1}


def _cors(shop: Shop) -> dict[str, str]:
    return {"Access-Control-Allow-Origin": shop.address}
