"""A page in the installed Chromium: looked at with our script held back, and with it.

    with chromium() as browser:
        looks = look_at(browser, url, known, inject=None, patience_seconds=10)

`known` says which site a script's key stands for. The visitor of the second look is a real one: it gets a
number like anybody, and takes leave at the end, so that the number goes back.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import click

from tracker.policy.page_check import Place, Wanted

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Frame, Page, Request, Response

COLLECT = Path(__file__).parent / "page_places.js"
SCRIPT = re.compile(r"/s/([A-Za-z0-9_-]{1,40})(?:\.[0-9a-f]+)?\.js$")
VISITS = re.compile(r"/api/v1/visits$")
LEAVE = re.compile(r"/api/v1/visits/[^/]+/leave$")
# For the whole browser: what is set for one page is not what that page says as it goes.
AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)
FLAGS = (
    f"--user-agent={AGENT}",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-blink-features=AutomationControlled",  # what says so gets no number while few are free
    "--no-first-run",
)
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# What Chromium says when a page does not open, and what to do.
UNOPENED = {
    "ERR_NAME_NOT_RESOLVED": "Correct its host: there is none of that name",
    "ERR_CONNECTION": "Correct the address, or start that server: nobody answers there",
    "ERR_TUNNEL": "Correct the address: nobody answers there, or it is one of an inner network",
    "ERR_CERT": "Renew its certificate: visitors' browsers refuse it too",
    "ERR_SSL": "Give the address with http://, or set up https there",
    "ERR_HTTP_RESPONSE_CODE_FAILURE": "Give another address: this one answers with an error and no page",
    "": "Open it in another browser on this machine",
}
LATE_SECONDS = 3.0  # a tag manager may take so long to put the script on the page
INJECT = """
document.addEventListener("DOMContentLoaded", () => {
  const script = document.createElement("script");
  script.src = %s;
  document.head.append(script);
});
"""
VIOLATIONS = """
window.__violations = [];
addEventListener("securitypolicyviolation", (event) =>
  window.__violations.push(`${event.effectiveDirective} forbids ${event.blockedURI}`));
"""


class Shop(Protocol):
    """What has to be known of a site: what it looks for, and whether it waits for consent."""

    @property
    def wanted(self) -> tuple[Wanted, ...]: ...
    @property
    def needs_consent(self) -> bool: ...


Known = Callable[[str], "Shop | None"]


@dataclass
class Look:
    """What was heard and seen while a page was open."""

    host: str = ""  # of the page, wherever its address led
    page_status: int | None = None  # of its answer
    address: str | None = None  # of our script
    key: str | None = None
    status: int | None = None  # of its answer; None: it never came
    trouble: str | None = None  # why it did not come
    answered: Response | None = None  # of the visit API
    answer: Any = None
    violations: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)


@dataclass(frozen=True)
class Looks:
    """The page without our script, and with it."""

    before: Look
    after: Look


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """The installed Chromium, with more flags.

    Raises click.ClickException when it, or Playwright, is not installed.
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise click.ClickException(
            "Playwright is not installed: `.venv/bin/pip install playwright`"
        ) from None
    flags = [
        *FLAGS,
        *more,
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
    ]  # Chromium refuses root otherwise
    with sync_playwright() as playwright:
        program = next(filter(None, map(shutil.which, PROGRAMS)), None)
        try:
            started = playwright.chromium.launch(executable_path=program, args=flags)
        except Error as error:
            missing = program is None
            said = "Chromium is not installed: `apt-get install chromium`"
            raise click.ClickException(said if missing else f"{program}: {error.message}") from None
        yield started
        started.close()


def look_at(
    browser: Browser,
    url: str,
    known: Known,
    *,
    inject: str | None = None,
    screenshot: Path | None = None,
    patience_seconds: float = 10.0,
) -> Looks:
    """Open the page twice; consent is given where the site waits for it. `inject`: a script to put on it.

    Raises click.ClickException when the page cannot be opened.
    """
    before = Look()
    with _page(browser, before, hold_back=True, inject=inject) as page:
        _open(page, url, before)
        _await(page, lambda: _written(page, before), min(LATE_SECONDS, patience_seconds))
        shop = known(before.key) if before.key else None
        wanted = shop.wanted if shop else ()
        before.places = _collect(page, wanted, [])
    after = Look()
    with _page(browser, after, hold_back=False, inject=inject) as page:
        _open(page, url, after)
        if shop and shop.needs_consent:
            _await(page, lambda: page.evaluate("!!window.Leaseline"), patience_seconds)
            page.evaluate("window.Leaseline?.consent(true)")
        if before.key is not None:
            _await(page, lambda: _settled(page, after), patience_seconds)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        after.places = _collect(page, wanted, [place.key for place in before.places])
        after.violations = page.evaluate("window.__violations")
        after.answer = _json(after.answered)
        if screenshot is not None:
            page.screenshot(path=screenshot, full_page=True)
        if isinstance(after.answer, dict) and after.answer.get("visit"):
            _leave(page)
    return Looks(before, after)


@contextmanager
def _page(browser: Browser, look: Look, *, hold_back: bool, inject: str | None) -> Iterator[Page]:
    """A page of a visitor of its own, who says that he is a Chrome like any other."""
    context = browser.new_context(viewport={"width": 1360, "height": 900})
    context.add_init_script(VIOLATIONS)
    page = context.new_page()
    if inject:
        page.add_init_script(f"if (window === top) {{ {INJECT % json.dumps(inject)} }}")
    page.on("request", lambda request: _hear_request(look, request))
    page.on("requestfailed", lambda request: _hear_failure(look, request))
    page.on("response", lambda response: _hear_response(look, response))
    page.on("console", lambda said: look.console.append(_complaint(said)) if said.type == "error" else None)
    page.on("pageerror", lambda error: look.console.append(error.message))
    if hold_back:
        page.route(lambda address: _key(address) is not None, lambda route: route.abort())
    yield page
    context.close()


def _complaint(said: ConsoleMessage) -> str:
    """A line of the console, with the address of what it is about where it names none."""
    about = said.location.get("url") if said.text.startswith("Failed to load resource") else None
    return f"{said.text}: {about}" if about else said.text


def _open(page: Page, url: str, look: Look) -> None:
    from playwright.sync_api import Error
    from playwright.sync_api import TimeoutError as TookTooLong

    try:
        answer = page.goto(url, wait_until="load", timeout=30_000)
    except Error as error:
        reason = error.message.splitlines()[0].removeprefix("Page.goto: ").split(" at ")[0]
        fix = next(fix for sign, fix in UNOPENED.items() if sign in reason)
        raise click.ClickException(f"{url} cannot be opened: {reason}. {fix}") from None
    look.host, look.page_status = urlsplit(page.url).netloc, answer.status if answer else None
    try:
        page.wait_for_load_state("networkidle", timeout=LATE_SECONDS * 1000)
    except TookTooLong:
        return  # a page that never rests is looked at as it is


def _await(page: Page, what: Callable[[], bool], seconds: float) -> None:
    """Let the page go on until it is so, or no longer than this."""
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        page.wait_for_timeout(50)


def _settled(page: Page, look: Look) -> bool:
    """The visit API has answered, or the script cannot ask it."""
    refused = bool(look.trouble) or (look.status is not None and look.status >= 400)
    return look.answered is not None or refused or bool(page.evaluate("window.__violations.length"))


def _collect(page: Page, wanted: tuple[Wanted, ...], also: list[str]) -> list[Place]:
    """The places of the page and its frames."""
    from playwright.sync_api import Error

    asked = {
        "digits": [digits for each in wanted for digits in each.variants],
        "aliases": [each.alias.lower() for each in wanted if each.alias],
    }
    found = []
    for number, frame in enumerate(page.frames):
        prefix = "" if number == 0 else f"frame {number} "
        mine = [key.removeprefix(prefix) for key in also if key.startswith("frame ") == bool(prefix)]
        try:
            rows = frame.evaluate(COLLECT.read_text(), {**asked, "also": mine})
        except Error:  # it went away meanwhile
            continue
        found += [_place(row, prefix, frame) for row in rows]
    return found


def _place(row: dict[str, str], prefix: str, frame: Frame) -> Place:
    inside = f"frame {urlsplit(frame.url).netloc}: " if prefix else ""
    return Place(
        key=prefix + row["place"],
        kind=row["kind"],
        attribute=row["attribute"],
        where=inside + row["where"],
        context=row["context"] or ("frame" if prefix else ""),
        text=row["text"],
    )


def _leave(page: Page) -> None:
    """Go away as a visitor does, and see that he is let go."""
    from playwright.sync_api import Error

    try:
        with page.expect_request(LEAVE, timeout=2000):
            page.goto("about:blank")
    except Error:
        return  # then the idle time ends the lease


def _json(response: Response | None) -> Any:
    from playwright.sync_api import Error

    try:
        return response.json() if response is not None else None
    except (ValueError, Error):
        return None


def _written(page: Page, look: Look) -> bool:
    """Our script is on the page, asked for or (forbidden by a policy) not."""
    if look.key is None:
        for address in page.evaluate("[...document.scripts].map((script) => script.src)"):
            if key := _key(address):
                look.address, look.key = address, key
    return look.key is not None


def _key(address: str) -> str | None:
    match = SCRIPT.search(urlsplit(address).path)
    return match[1] if match else None


def _hear_request(look: Look, request: Request) -> None:
    if key := _key(request.url):
        look.address, look.key = request.url, key


def _hear_failure(look: Look, request: Request) -> None:
    if _key(request.url):
        look.trouble = request.failure


def _hear_response(look: Look, response: Response) -> None:
    if _key(response.url):
        look.status = response.status
    if VISITS.search(urlsplit(response.url).path) and response.request.method == "POST":
        look.answered = response
