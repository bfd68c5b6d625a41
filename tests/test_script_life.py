"""The script over the life of a page: seen, hidden, left, come back to, rendered ahead; and its interface."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from support.browser import CHROMIUM, FLAGS, complaints
from support.visiting import CHROME
from support.website import (
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

PHONE = f'<a id="phone" href="tel:+74957654321">{WRITTEN}</a>'
HOME = f'<!doctype html><html lang="en"><head><title>Home</title>SCRIPT</head><body>{PHONE}</body></html>'
NEXT = HOME.replace("Home", "Next")
# A tab that is behind another until it is looked at.
BEHIND = """let hidden = true;
Object.defineProperty(document, "hidden", {get: () => hidden});
Object.defineProperty(document, "visibilityState", {get: () => hidden ? "hidden" : "visible"});
window.look = (to) => {
  hidden = !to;
  document.dispatchEvent(new Event("visibilitychange", {bubbles: true}));
};"""
AHEAD = """<script type="speculationrules">
  {"prerender": [{"source": "list", "urls": ["/next"], "eagerness": "immediate"}]}
</script><script>
  const go = setInterval(async () => {
    if (!(await fetch("/go")).ok) return;
    clearInterval(go);
    location.href = "/next";
  }, 100);
</script>"""
RENDERED_AHEAD = """<script src="ADDRESS"></script><script>
  document.addEventListener("prerenderingchange", () => document.title = "Rendered ahead");
  if (document.prerendering) setTimeout(() => fetch("/rendered"), 1000);
</script>"""
# What Google's container does: loads after the page, then puts the site's tags into it.
CONTAINER = """setTimeout(() => {
  dataLayer.push({event: "gtm.load"});
  const tag = document.createElement("script");
  tag.type = "text/javascript";
  tag.src = "ADDRESS";
  document.body.appendChild(tag);
  window.tag = tag;
}, 50);"""
LOADER = """<script>(function (w, d, s, l, i) {
  w[l] = w[l] || []; w[l].push({"gtm.start": new Date().getTime(), event: "gtm.js"});
  var f = d.getElementsByTagName(s)[0], j = d.createElement(s); j.async = true; j.src = "/gtm.js?id=" + i;
  f.parentNode.insertBefore(j, f);
})(window, document, "script", "dataLayer", "GTM-TEST");</script>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One that keeps pages in memory to come back to, as people's do."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=[*FLAGS, "--disable-blink-features=AutomationControlled"],
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield started
        started.close()


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with websites(tmp_path_factory.mktemp("life")) as street:
        yield street


@pytest.fixture
def shop(street: Street) -> Shop:
    return street.shop({"/": HOME, "/next": NEXT})


def test_a_page_rendered_ahead_gets_no_number_until_somebody_looks(shop: Shop, tmp_path: Path) -> None:
    shop.pages |= {"/": AHEAD, "/next": f"<title>Next</title>{RENDERED_AHEAD}<body>{PHONE}</body>"}
    # Without a debugger attached: with one, Chromium renders nothing ahead.
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-blink-features=AutomationControlled", f"--user-agent={CHROME}",
        f"--user-data-dir={tmp_path}", "--remote-debugging-port=0", f"{shop.address}/",
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: "/rendered" in shop.served)
        assert shop.visits() == []
        shop.pages["/go"] = "Go"
        eventually(shop.page_views)
    finally:
        process.terminate()
        process.wait(15)
    assert [view.title for view in shop.page_views()] == ["Rendered ahead"]
    assert len(shop.leases()) == 1


def test_a_tab_behind_others_gets_no_number_until_somebody_looks(shop: Shop, browser: Browser) -> None:
    page = listened(shop.profile(browser).new_page())
    page.add_init_script(BEHIND)
    page.goto("/")
    painted(page)
    assert asked(page) == []
    with told(page, "visits"):
        page.evaluate("look(true)")
    expect(page.locator("#phone")).to_have_text(shown(shop.numbers[0]))


def test_signs_of_life_come_while_the_page_is_looked_at(shop: Shop, browser: Browser) -> None:
    page = listened(shop.profile(browser).new_page())
    page.add_init_script(BEHIND.replace("hidden = true", "hidden = false"))
    page.clock.install()
    with told(page, "visits"):
        page.goto("/")
    (before,) = shop.leases()
    with told(page, "ping"):
        page.clock.run_for(61_000)
    (after,) = shop.leases()
    (visit,) = shop.visits()
    assert after.expires_at > before.expires_at
    assert after.until_at is None
    assert (visit.seen_at or visit.started_at) > visit.started_at
    page.evaluate("look(false)")
    page.clock.run_for(600_000)
    assert asked(page) == ["visits", "ping"]
    with told(page, "ping"):
        page.evaluate("look(true)")
        page.clock.run_for(10)


def test_who_leaves_is_gone_and_his_number_held(shop: Shop, browser: Browser) -> None:
    page = _arrive(shop, browser)
    page.goto("about:blank")
    eventually(lambda: shop.visits()[0].left_at)
    ((visit,), (lease,)) = shop.visits(), shop.leases()
    assert lease.until_at is None
    assert visit.left_at
    assert lease.expires_at == visit.left_at + timedelta(seconds=300)


def test_who_comes_back_by_the_browsers_button_is_a_page_on(shop: Shop, browser: Browser) -> None:
    page = _arrive(shop, browser)
    page.evaluate("window.kept = true")
    with told(page, "pages"):
        page.goto("/next")
    with told(page, "pages"):
        page.go_back(wait_until="commit")
    assert page.evaluate("window.kept"), "it was loaded anew"
    assert [view.title for view in shop.page_views()] == ["Home", "Next", "Home"]
    assert texts(page, "#phone") == [shown(shop.numbers[0])]
    with told(page, "pages"):  # the beacon of the page that was left may have been overtaken
        page.evaluate("Leaseline.page()")
    assert [visit.left_at for visit in shop.visits()] == [None]


def test_several_tabs_are_one_visit_with_one_number(shop: Shop, browser: Browser) -> None:
    first = _arrive(shop, browser)
    second = listened(first.context.new_page())
    with told(second, "pages"):
        second.goto("/next")
    assert [texts(page, "#phone") for page in (first, second)] == [[shown(shop.numbers[0])]] * 2
    assert [view.title for view in shop.page_views()] == ["Home", "Next"]
    assert (len(shop.visits()), len(shop.leases())) == (1, 1)


def test_the_second_page_shows_the_number_before_anything_is_answered(shop: Shop, browser: Browser) -> None:
    page = _arrive(shop, browser)
    page.route("**/api/v1/visits/*/pages", lambda route: route.abort())
    page.goto("/next")
    expect(page.locator("#phone")).to_have_text(shown(shop.numbers[0]))


def test_a_page_that_changes_before_anything_is_answered_is_unharmed(shop: Shop, browser: Browser) -> None:
    page = listened(shop.profile(browser).new_page())
    page.route("**/api/v1/visits", lambda _: None)  # as if it took for ever
    page.goto("/")
    page.evaluate(f"document.body.append('Call {WRITTEN}', document.createElement('hr'))")
    painted(page)
    assert page.locator("body").inner_text().strip() == f"{WRITTEN}Call {WRITTEN}"
    assert complaints(page) == []


def test_a_tap_on_the_number_is_told_to_the_books_and_to_the_page(shop: Shop, browser: Browser) -> None:
    page = _arrive(shop, browser)
    page.evaluate("Leaseline.on('click', (number) => window.clicked = number)")
    with told(page, "events"):
        page.locator("#phone").dispatch_event("click")
    own = shop.numbers[0]
    (event,) = shop.events()
    assert (event.kind, event.detail) == ("phone_click", {"number": own, "text": shown(own)})
    assert _entries(page) == [
        {"event": "leaseline_number", "leaseline": own},
        {"event": "leaseline_phone_click", "leaseline": own},
    ]
    page.wait_for_function("own => window.clicked == own", arg=own)


def test_of_a_form_only_its_name_is_told(shop: Shop, browser: Browser) -> None:
    form = """<form name="order" id="f1" action="/order?token=secret" onsubmit="return false">
      <input name="phone" value="+79991234567"><button>Send</button></form>"""
    shop.pages["/"] = HOME.replace(PHONE, PHONE + form)
    page = _arrive(shop, browser)
    with told(page, "events"):
        page.locator("button").click()
    (event,) = shop.events()
    assert (event.kind, event.detail) == ("form", {"name": "order", "id": "f1", "action": "/order"})


def test_the_page_may_ask_swap_and_put_back(shop: Shop, browser: Browser) -> None:
    page = _arrive(shop, browser)
    own = shop.numbers[0]
    assert page.evaluate("Leaseline.number") == own
    assert page.evaluate("new Promise((done) => Leaseline.numbers(['+7 495 765-43-21', '112'], done))") == {
        "+7 495 765-43-21": "+7 495 100-" + shown(own)[-5:],
        "112": "112",
    }
    page.evaluate("Leaseline.restore()")
    assert texts(page, "#phone") == [WRITTEN]
    assert page.get_attribute("#phone", "href") == "tel:+74957654321"
    page.evaluate("Leaseline.swap()")
    assert texts(page, "#phone") == [shown(own)]


def test_a_shadow_root_is_swapped_when_it_is_shown(shop: Shop, browser: Browser) -> None:
    page = _arrive(shop, browser)
    page.evaluate(f"""() => {{
      window.root = document.body.appendChild(document.createElement("div")).attachShadow({{mode: "closed"}});
      root.textContent = "{WRITTEN}";
      Leaseline.swap(root);
    }}""")
    assert page.evaluate("root.textContent") == shown(shop.numbers[0])
    page.evaluate(f"root.textContent = 'Call {WRITTEN}'")
    painted(page)
    assert page.evaluate("root.textContent") == f"Call {shown(shop.numbers[0])}"


def test_the_page_hears_of_its_number_and_of_swaps(shop: Shop, browser: Browser) -> None:
    shop.pages["/"] = HOME.replace(
        PHONE,
        PHONE
        + """<script src="ADDRESS"></script><script>window.heard = [];
        Leaseline.on("number", () => { throw new Error("the page's own mistake"); });
        Leaseline.on("number", (number) => heard.push(["number", number]));
        Leaseline.on("swap", () => heard.push(["swap"]));</script>""",
    ).replace("SCRIPT", "")
    page = _arrive(shop, browser)
    page.wait_for_function("heard.length == 2")
    assert sorted(page.evaluate("heard")) == [["number", shop.numbers[0]], ["swap"]]
    assert complaints(page) == ["the page's own mistake"]


def test_the_page_may_tell_of_a_page_of_its_own(shop: Shop, browser: Browser) -> None:
    page = _arrive(shop, browser)
    with told(page, "pages"):
        page.evaluate("document.title = 'Step 2'; Leaseline.page()")
    assert [view.title for view in shop.page_views()] == ["Home", "Step 2"]


def test_what_was_written_for_others_scripts_goes_on_working(shop: Shop, browser: Browser) -> None:
    page = _arrive(shop, browser)
    page.evaluate("CallTrk.swap(); __ctm.main.runNow()")
    assert page.evaluate("new Promise((done) => CallTrk.getSwapNumbers(['84957654321'], done))") == {
        "84957654321": shop.numbers[0].replace("+7", "8")
    }
    assert texts(page, "#phone") == [shown(shop.numbers[0])]


def test_others_scripts_that_are_there_keep_their_names(shop: Shop, browser: Browser) -> None:
    shop.pages["/"] = "<script>CallTrk = 'theirs'; __ctm = 'theirs as well'</script>" + HOME
    page = _arrive(shop, browser)
    assert page.evaluate("[CallTrk, __ctm]") == ["theirs", "theirs as well"]


@pytest.mark.parametrize("leaving", ["", "window.tag.remove();"], ids=["kept", "taken out at once"])
def test_a_tag_manager_may_bring_the_script_late(shop: Shop, browser: Browser, leaving: str) -> None:
    shop.pages["/"] = HOME.replace("SCRIPT", LOADER)
    shop.pages["/gtm.js"] = CONTAINER.replace("ADDRESS", shop.script).replace(
        "window.tag = tag;", f"window.tag = tag; {leaving}"
    )
    page = _arrive(shop, browser)
    assert page.evaluate("document.readyState") == "complete"
    assert [entry["event"] for entry in _entries(page)] == ["gtm.js", "gtm.load", "leaseline_number"]
    assert complaints(page) == []


def _arrive(shop: Shop, browser: Browser) -> Page:
    """A new visitor, who has got his number."""
    page = listened(shop.profile(browser).new_page())
    with told(page, "visits"):
        page.goto("/")
    expect(page.locator("#phone")).to_have_text(shown(shop.numbers[0]))
    return page


def _entries(page: Page) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = page.evaluate(
        "dataLayer.map(({event, leaseline}) => ({event, leaseline}))"
    )
    return [{name: value for name, value in entry.items() if value is not None} for entry in entries]
