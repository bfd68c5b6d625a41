"""Websites of all kinds with the script on them: the real web process, and pages on a port of their own.

with websites(folder) as street:                     # one web process, one server for all the pages
    shop = street.shop({"/": "<p>…</p>"})            # a site of its own: host, key, pool, numbers
    page = shop.open(browser, "/?gclid=x")           # a fresh profile; `told(page, "leave")` awaits a request
    shop.visits(), shop.page_views(), shop.events()  # what the books have of it

In the pages, SCRIPT stands for the site's snippet and ADDRESS for the script's address.
"""

from __future__ import annotations

import http.server
import json
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from playwright.sync_api import Browser, BrowserContext, Page, Response
from support import visiting
from support.browser import serving
from support.served import books_in
from support.visiting import CHROME

from tracker.database import Database
from tracker.models import (
    Channel,
    Lease,
    MissCount,
    Number,
    NumberUse,
    PageView,
    Site,
    Visit,
    VisitEvent,
    Visitor,
)
from tracker.policy.phone import display

REAL = visiting.REAL
WRITTEN = "8 (495) 765-43-21"  # as REAL stands on the pages
_KINDS = {".js": "text/javascript", ".html": "text/html"}


@dataclass
class Shop:
    """A website, the pages it has, and what is known of its visitors."""

    ids: visiting.Shop
    database: Database
    address: str  # http://host:port, no slash
    script: str  # the script's address
    pages: dict[str, str]
    source_number: str | None = None
    served: list[str] = field(default_factory=list)  # paths that were asked for

    @property
    def numbers(self) -> tuple[str, ...]:
        return self.ids.numbers

    def serve(self, path: str) -> str | None:
        """A page as it is sent."""
        self.served.append(path)
        page = self.pages.get(path)
        if page is None or path.endswith(".js"):
            return page
        snippet = f'<script async src="{self.script}"></script>'
        return page.replace("SCRIPT", snippet).replace("ADDRESS", self.script)

    def profile(self, browser: Browser, **more: Any) -> BrowserContext:
        """A browser nobody has used yet."""
        return browser.new_context(base_url=self.address, **{"user_agent": CHROME, "locale": "en-GB"} | more)

    def open(self, browser: Browser, path: str = "/", *, before: str | None = None, **more: Any) -> Page:
        """A page in a fresh profile, opened; `before` runs in it before all of its own scripts."""
        page = listened(self.profile(browser, **more).new_page())
        if before:
            page.add_init_script(before)
        page.goto(path)
        return page

    def visits(self) -> list[Visit]:
        return self._all(sa.select(Visit).where(Visit.site_id == self.ids.site_id).order_by(Visit.id))

    def page_views(self) -> list[PageView]:
        return self._of_visits(PageView)

    def events(self) -> list[VisitEvent]:
        return self._of_visits(VisitEvent)

    def leases(self) -> list[Lease]:
        return self._of_visits(Lease)

    def visitors(self) -> list[Visitor]:
        return self._all(sa.select(Visitor).where(Visitor.company_id == self.ids.company_id))

    def misses(self) -> dict[str, int]:
        """How often somebody was shown no number of his own, by reason."""
        rows = self._all(sa.select(MissCount).where(MissCount.site_id == self.ids.site_id))
        return {row.reason: row.count for row in rows}

    def _of_visits(self, model: Any) -> list[Any]:
        own = sa.select(Visit.id).where(Visit.site_id == self.ids.site_id)
        return self._all(sa.select(model).where(model.visit_id.in_(own)).order_by(model.id))

    def _all(self, wanted: Any) -> list[Any]:
        with self.database.read() as session:
            return list(session.scalars(wanted))


@dataclass
class Street:
    """All the websites of a module's tests."""

    web: str  # our server
    database: Database
    port: int = 0  # of the pages
    by_host: dict[str, Shop] = field(default_factory=dict)

    def shop(
        self,
        pages: dict[str, str],
        *,
        numbers: int = 4,
        needs_consent: bool = False,
        source_number: bool = False,
    ) -> Shop:
        """A company with a website of those pages; on request with a static number for every source."""
        place = len(self.by_host)
        host = f"shop{place}.localhost"  # a secure context, and Chromium finds it on this machine
        with self.database.write() as session:
            now = datetime.now(UTC)
            ids = visiting.add_shop(session, now, f"shop{place}", numbers=numbers, first=100 * place)
            site = session.get_one(Site, ids.site_id)
            site.domains, site.needs_consent = [host], needs_consent
            static = _static(session, ids, place) if source_number else None
        shop = Shop(
            ids, self.database, f"http://{host}:{self.port}", f"{self.web}/s/{ids.key}.js", pages, static
        )
        self.by_host[host] = shop
        return shop


@contextmanager
def websites(folder: Path) -> Iterator[Street]:
    """Our server on an empty database, and a server for whatever pages the tests' shops have."""
    with books_in(folder) as (settings, database), serving(settings) as web:
        street = Street(web, database)
        _wake(street)
        with _pages(street):
            yield street


def _wake(street: Street) -> None:
    """A first visit, for which the server reads its tables: a script waits two seconds and no longer."""
    with street.database.write() as session:
        site = visiting.add_shop(session, datetime.now(UTC), "wake", numbers=1, first=900_000)
    request = urllib.request.Request(
        f"{street.web}/api/v1/visits",
        json.dumps({"site": site.key, "url": f"https://{site.host}/", "title": "Wake"}).encode(),
        {"User-Agent": CHROME},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.load(answer)["visit"]


def shown(e164: str) -> str:
    """A number in the format in which WRITTEN stands."""
    return display(e164, "RU")


def listened(page: Page) -> Page:
    """Keeps what the page asks our server for, for `asked`, and what it complains of, for `complaints`."""
    asked: list[str] = []
    heard: list[str] = []
    page.on("request", lambda request: asked.append(_what(request.url)))
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.__dict__.update(asked=asked, complaints=heard)
    return page


def asked(page: Page) -> list[str]:
    """What the page's script has asked for so far: "visits", "pages", "ping", "leave", "events"."""
    return [what for what in page.__dict__["asked"] if what]


def told(page: Page, what: str) -> AbstractContextManager[Any]:
    """Awaits the answer to such a request of the script, made within the block."""

    def wanted(response: Response) -> bool:
        return _what(response.url) == what

    return page.expect_response(wanted)


def painted(page: Page) -> None:
    """Waits until what has changed so far is on the screen."""
    page.evaluate(PAINTED)


PAINTED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"


def eventually(condition: Any) -> None:
    """Waits for what another process is about to write: a beacon is not answered to anybody."""
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def _what(url: str) -> str:
    """Which of the visit API's calls an address is; "" for any other."""
    path = urlsplit(url).path
    return path.rpartition("/")[2] if path.startswith("/api/v1/visits") else ""


def _static(session: Any, ids: visiting.Shop, place: int) -> str:
    """A channel's number that visitors of any source are shown."""
    now, e164 = datetime.now(UTC), f"+7499{1000000 + place}"
    channel = Channel(
        company_id=ids.company_id, name="Website", source="website", shown_to="*", created_at=now
    )
    number = Number(company_id=ids.company_id, e164=e164, created_at=now)
    session.add_all([channel, number])
    session.flush()
    session.add(NumberUse(number_id=number.id, channel_id=channel.id, from_at=now))
    return e164


@contextmanager
def _pages(street: Street) -> Iterator[None]:
    class Pages(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            shop = street.by_host.get((self.headers["Host"] or "").partition(":")[0])
            path = urlsplit(self.path).path
            text = " " if path == "/favicon.ico" else shop.serve(path) if shop else None
            data = (text or "Not here").encode()
            self.send_response(200 if text else 404)
            kind = _KINDS.get(Path(path).suffix, "text/html")
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    street.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def texts(page: Page, selector: str) -> Sequence[str]:
    """What stands in all elements a selector finds."""
    return page.locator(selector).all_inner_texts()
