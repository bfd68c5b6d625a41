"""Who visits the website in the demo, what brought them, and real browsers that play them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, Page, sync_playwright

from tracker.calls import Source

_FLAGS = (
    "--no-sandbox",  # Chromium's own sandbox does not run as root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-blink-features=AutomationControlled",
)
_DESKTOP = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/141.0.0.0 Safari/537.36"
)
_PHONE = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/141.0.0.0 Mobile Safari/537.36"
)
_PATIENCE_MS = 45_000


@dataclass(frozen=True)
class Visitor:
    """A person at a browser. `source` is what Leaseline should find out about the visit."""

    who: str
    comes: str  # in words
    lands_on: str
    source: Source
    referrer: str | None = None
    phone: bool = False  # reads on a telephone, and taps the number there before calling
    goes_on_to: str | None = None


BEN = Visitor(
    "Ben",
    "clicks a Google ad (utm)",
    "/euro-pallets?utm_source=google&utm_medium=cpc&utm_campaign=spring&utm_term=euro+pallets",
    Source("cpc", "google", "spring", "euro pallets", None, group="Paid Search"),
    referrer="https://www.google.com/",
    goes_on_to="/delivery",
)
GINA = Visitor(
    "Gina",
    "taps a Google ad on her phone (gclid)",
    "/used?gclid=EAIaIQobChMI6JzGkLeB_wIVk9jVCh2dXg0pEAAYASAAEgKcYfD_BwE"
    "&utm_campaign=used-pallets&keyword=sell+used+pallets",
    Source("cpc", "google", "used-pallets", "sell used pallets", None, group="Paid Search"),
    referrer="https://www.google.com/",
    phone=True,
)
HUGO = Visitor(
    "Hugo",
    "finds the shop with Bing (referrer)",
    "/",
    Source("organic", "bing", None, None, None, group="Organic Search"),
    referrer="https://www.bing.com/",
)
IRIS = Visitor(
    "Iris",
    "comes by an ad on Facebook (utm, fbclid)",
    "/?utm_source=facebook&utm_medium=paid_social&utm_campaign=warehouse&fbclid=IwAR0demo0demo0demo0demo",
    Source("paid_social", "facebook", "warehouse", None, None, group="Paid Social"),
    referrer="https://m.facebook.com/",
    phone=True,
)
JACK = Visitor(
    "Jack",
    "follows a link that ChatGPT gave him (referrer)",
    "/delivery",
    Source("ai-assistant", "chatgpt", "(ai-assistant)", None, None, group="AI Assistant"),
    referrer="https://chatgpt.com/",
)
KATE = Visitor(
    "Kate",
    "comes when all five numbers are taken",
    "/euro-pallets?utm_source=newsletter&utm_medium=email&utm_campaign=november",
    Source("email", "newsletter", "november", None, None, group="Email"),
)
VISITORS = (BEN, GINA, HUGO, IRIS, JACK, KATE)


@dataclass(frozen=True)
class Seen:
    """What stands on a visitor's page: the link's target and the text people read."""

    e164: str
    text: str


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium from the distribution."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(_FLAGS))
        try:
            yield started
        finally:
            started.close()


def visit(started: Browser, shop: str, visitor: Visitor) -> tuple[Page, Seen]:
    """The visitor opens the page he was sent to, reads on, and sees a telephone number."""
    context = started.new_context(
        user_agent=_PHONE if visitor.phone else _DESKTOP,
        viewport={"width": 390, "height": 844} if visitor.phone else {"width": 1280, "height": 800},
        is_mobile=visitor.phone,
        has_touch=visitor.phone,
        locale="en-GB",
    )
    page = context.new_page()
    page.set_default_timeout(_PATIENCE_MS)
    _open(page, shop + visitor.lands_on, visitor.referrer)
    if visitor.goes_on_to:
        _follow(page, visitor.goes_on_to)
    return page, _seen(page)


def tap_number(page: Page) -> None:
    """On a telephone: a tap on the number, a moment before the call."""
    with page.expect_response(lambda answer: answer.url.endswith("/events")):
        page.locator("a.phone").dispatch_event("click")


def ask_for_call(page: Page, phone: str) -> None:
    """The button of the site's pages: the visitor types his number and is told that he will be called."""
    page.get_by_role("button", name="Call me back").click()
    page.get_by_label("Your phone number").fill(phone)
    page.get_by_role("button", name="Call me", exact=True).click()
    page.get_by_text("We are calling you").wait_for()


def _open(page: Page, url: str, referrer: str | None) -> None:
    with page.expect_response(lambda answer: "/api/v1/visits" in answer.url):
        if referrer:
            page.goto(url, referer=referrer)
        else:
            page.goto(url)


def _follow(page: Page, path: str) -> None:
    with page.expect_response(lambda answer: answer.url.endswith("/pages")):
        page.locator(f'nav a[href="{path}"]').click()


def _seen(page: Page) -> Seen:
    """After the frame in which the script writes."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    link = page.locator("a.phone")
    return Seen((link.get_attribute("href") or "").removeprefix("tel:"), link.inner_text())
