"""What the website script costs a page: bytes, requests, main-thread time, movement.

The page has 2,000 texts, in 50 of them the company's number, and 20 links that call it; Chromium runs at a
quarter of this machine's speed. In turn it is opened by new visitors as it is; with our script; with what is
commonly copied: the page's innerHTML searched and replaced; and with the least there could be: a script that
knows the 70 texts and links beforehand and only writes them, once. (The last two are given the visitor's
number for nothing, and ask no server.)

`main_thread_ms` is what our script adds to a load: all JavaScript and all style, layout and paint of a load
with it, less those of the page as it is, in CPU time; `least_ms` is the same for the least there could be,
most of it the browser's laying out 70 changed texts. `javascript_ms` is the part that is JavaScript: the
nearest to what Lighthouse calls a script's execution time (and third-party-web publishes of commercial
scripts, on pages of all kinds, also at a quarter of the speed); layout that JavaScript forces is in ours and
not in theirs.
Reading the page itself is not in it, the reading that replacing innerHTML causes is.
"""

from __future__ import annotations

import gzip
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page
from support.website import WRITTEN, Shop, listened, shown, told, websites

from bench.main_thread import CATEGORIES, Load, read_trace
from demo import visitors

LOADS = 9
THROTTLE = 4
TEXTS, WITH_NUMBER, LINKS = 2000, 50, 20
SETTLE_MS = 1500  # after the number has come, at a quarter of the speed
NAIVE = """addEventListener("load", () => {
  document.body.innerHTML = document.body.innerHTML
    .replace(/8 \\(495\\) 765-43-21/g, "OWN").replace(/tel:\\+74957654321/g, "tel:E164");
});"""
LEAST = """addEventListener("load", () => setTimeout(() => {
  const texts = document.body.getElementsByTagName("p"), found = [];
  for (let at = 3; at < 2000; at += 40) found.push(texts[at].firstChild);
  for (let at = 7; at < 2000; at += 100) found.push(texts[at].firstChild);
  for (const node of found)
    if (node.href) { node.href = "tel:E164"; node.firstChild.nodeValue = "OWN"; }
    else node.nodeValue = node.nodeValue.replace("8 (495) 765-43-21", "OWN");
}, 100));"""
# When the number was swapped, and how far things have moved; for loads that are not traced.
WATCHER = """window.dataLayer = [];
const push = dataLayer.push;
dataLayer.push = function (entry) {
  if (entry.event == "leaseline_number") window.swappedAt ??= performance.now();
  return push.apply(dataLayer, arguments);
};
window.shift = 0;
new PerformanceObserver((list) => list.getEntries().forEach((entry) => window.shift += entry.value))
  .observe({type: "layout-shift", buffered: true});"""
AFTER_PAINT = "swappedAt - performance.getEntriesByName('first-paint')[0].startTime"


@dataclass(frozen=True)
class Seen:
    """A visitor's two pages: requests to our server, and ms from the second's first paint to its swap."""

    new_requests: int
    requests: int
    after_paint: float
    shift: float  # Chromium's layout shift score, of his first page and of this one


def run() -> dict[str, float]:
    """All figures of DESIGN.md's contract for the script."""
    with (
        tempfile.TemporaryDirectory() as folder,
        websites(Path(folder)) as street,
        visitors.browser() as browser,
    ):
        shop = street.shop(_pages(), numbers=60)
        for path, text in (("/naive.js", NAIVE), ("/least.js", LEAST)):
            shop.pages[path] = text.replace("OWN", shown(shop.numbers[0])).replace("E164", shop.numbers[0])
        loads = _measure(browser, shop)
        seen = [_come_back(browser, shop) for _ in range(LOADS)]
        size = _gzip_bytes(shop)
    return _report(*loads) | _tell(seen) | {"gzip_bytes": size}


def _measure(browser: Browser, shop: Shop) -> list[list[Load]]:
    """Loads of the page as it is, with our script, the naive one and the least, taken in turn."""
    paths = "/bare", "/ours", "/naive", "/least"
    for path in paths:  # the first of each pays for what the browser starts once
        _load(browser, shop, path)
    rounds = [[_load(browser, shop, path) for path in paths] for _ in range(LOADS)]
    return [list(loads) for loads in zip(*rounds, strict=True)]


def _load(browser: Browser, shop: Shop, path: str) -> Load:
    """A new visitor's load."""
    context = shop.profile(browser)
    page = listened(context.new_page())
    _throttle(page)
    page.goto("about:blank")
    browser.start_tracing(page=page, categories=CATEGORIES)
    if path == "/ours":
        with told(page, "visits"):
            page.goto(path)
    else:
        page.goto(path)
    page.wait_for_timeout(SETTLE_MS)
    load = read_trace(browser.stop_tracing(), shop.address + path)
    _check(page, path)
    context.close()
    return load


def _check(page: Page, path: str) -> None:
    """What was measured has done its work."""
    left = page.evaluate(f"document.body.innerText.split('{WRITTEN}').length - 1")
    links = page.locator("a[href='tel:+74957654321']").count()
    assert (left, links) == ((WITH_NUMBER + LINKS, LINKS) if path == "/bare" else (0, 0)), path


def _come_back(browser: Browser, shop: Shop) -> Seen:
    """A visitor's second page, the number and the script remembered."""
    context = shop.profile(browser)
    page = listened(context.new_page())
    page.add_init_script(WATCHER)
    _throttle(page)
    sent: list[str] = []
    page.on("requestfinished", lambda request: _count(request.url, shop, sent))
    with told(page, "visits"):
        page.goto("/ours")
    page.wait_for_function("!!window.swappedAt")
    shift, new_requests = float(page.evaluate("shift")), len(sent)
    with told(page, "pages"):
        page.goto("/ours?page=2")
    page.wait_for_function("!!window.swappedAt && performance.getEntriesByName('first-paint').length > 0")
    after, moved = float(page.evaluate(AFTER_PAINT)), float(page.evaluate("shift"))
    requests = len(sent) - new_requests
    context.close()
    return Seen(new_requests, requests, after, shift + moved)


def _throttle(page: Page) -> None:
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": THROTTLE})


def _count(url: str, shop: Shop, sent: list[str]) -> None:
    if not url.startswith(shop.address):
        sent.append(url)


def _gzip_bytes(shop: Shop) -> int:
    """The script with the site's configuration, as it comes over the wire."""
    request = urllib.request.Request(shop.script, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request) as answer:
        packed: bytes = answer.read()
    assert gzip.decompress(packed).startswith(b"(")
    return len(packed)


def _report(bare: list[Load], ours: list[Load], copied: list[Load], written: list[Load]) -> dict[str, float]:
    base = median(load.cost for load in bare)
    added, naive, least = ([load.cost - base for load in loads] for loads in (ours, copied, written))
    named = (
        ("page as it is", bare),
        ("with the script", ours),
        ("innerHTML replaced", copied),
        ("least", written),
    )
    for name, loads in named:
        script, rendering, everything = (
            median(getattr(load, part) for load in loads) for part in ("script", "rendering", "all")
        )
        print(
            f"{name:>20}: JavaScript {script:6.1f} ms, style, layout and paint {rendering:6.1f} ms, "
            f"whole load {everything:6.1f} ms (medians of {len(loads)}, CPU at 1/{THROTTLE})"
        )
    print(
        f"  the script adds {median(added):.1f} ms (worst load {max(added):.1f} ms), replacing innerHTML "
        f"{median(naive):.1f} ms: {median(naive) / median(added):.1f} times as much; "
        f"the least there could be is {median(least):.1f} ms"
    )
    return {
        "main_thread_ms": median(added),
        "javascript_ms": median(load.script for load in ours) - median(load.script for load in bare),
        "worst_ms": max(added),
        "least_ms": median(least),
        "naive_ms": median(naive),
        "naive_ratio": median(naive) / median(added),
        "load_ratio": median(load.all for load in ours) / median(load.all for load in bare),
    }


def _tell(seen: list[Seen]) -> dict[str, float]:
    figures = {
        "new_requests": float(max(each.new_requests for each in seen)),
        "next_requests": float(max(each.requests for each in seen)),
        "layout_shift": max(each.shift for each in seen),
        "next_swap_after_paint_ms": median(each.after_paint for each in seen),
    }
    print(
        f"  requests: {figures['new_requests']:.0f} on the first page, {figures['next_requests']:.0f} on the "
        f"next (cached ones included); layout shift {figures['layout_shift']:.3f}"
    )
    print(
        f"  next page: the number stands {figures['next_swap_after_paint_ms']:+.1f} ms after the first paint "
        f"(worst {max(each.after_paint for each in seen):+.1f} ms)"
    )
    return figures


def _pages() -> dict[str, str]:
    body = _body()
    page = '<!doctype html><html lang="en"><head><title>Pallets</title>{}</head><body>{}</body></html>'
    return {
        "/bare": page.format("", body),
        "/ours": page.format("SCRIPT", body),
        "/naive": page.format('<script async src="/naive.js"></script>', body),
        "/least": page.format('<script async src="/least.js"></script>', body),
    }


def _body() -> str:
    """2,000 texts in articles of ten; every 40th has the number in it, and 20 are links that call it."""
    texts = []
    for index in range(TEXTS):
        if index % (TEXTS // LINKS) == 7:
            texts.append(f'<p><a href="tel:+74957654321">{WRITTEN}</a></p>')
        elif index % (TEXTS // WITH_NUMBER) == 3:
            texts.append(f"<p>Order {index} by phone: {WRITTEN}, day and night.</p>")
        else:
            texts.append(f"<p>Pallet {index}: 1200 × 800 mm, carries 1,500 kg, £{index % 90}.50 each.</p>")
    articles = ("".join(texts[start : start + 10]) for start in range(0, TEXTS, 10))
    return "".join(f"<article>{article}</article>" for article in articles)
