"""A website's visitors without a browser: a company with a site and a pool, and who speaks the visit API.

shop = add_shop(session, now, numbers=5)          # shop.example, +74957654321 swapped for 5 numbers
api = Api(database, settings, now)                # the application; its clock stands until `api.later(...)`
ann = api.visitor(shop)                           # an address, a browser, a memory of its own
ann.open("/?gclid=x"), ann.page("/prices"), ann.ping(), ann.leave()
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from support.app import make_app
from werkzeug.test import TestResponse

from tracker.database import Database
from tracker.models import Company, Lease, Number, NumberUse, PageView, Pool, Site, Swap, Visit
from tracker.settings import Settings

REAL = "+74957654321"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)
HEADLESS = CHROME.replace("Chrome/", "HeadlessChrome/")


@dataclass(frozen=True)
class Shop:
    """The ids of what `add_shop` made."""

    company_id: int
    pool_id: int
    site_id: int
    key: str
    host: str
    numbers: tuple[str, ...]


def add_shop(
    session: Session, now: datetime, slug: str = "shop", *, numbers: int = 5, first: int = 0, **pool: Any
) -> Shop:
    """A company whose site `<slug>.example` swaps REAL for numbers of a pool of its own.

    `first` moves its numbers away from another shop's; `pool` are columns of the pool.
    """
    since = now - timedelta(days=30)
    company = Company(slug=slug, name=slug.title(), default_region="RU", created_at=since)
    session.add(company)
    session.flush()
    leased = Pool(company_id=company.id, name="Website", created_at=since, **pool)
    site = Site(
        company_id=company.id, name=slug, key=f"key-{slug}", domains=[f"{slug}.example"], created_at=since
    )
    session.add_all([leased, site])
    session.flush()
    session.add(Swap(site_id=site.id, position=1, e164=REAL, pool_id=leased.id))
    texts = tuple(f"+7495{1000000 + first + index}" for index in range(numbers))
    for text in texts:
        add_to_pool(session, company.id, leased.id, text, since)
    return Shop(company.id, leased.id, site.id, site.key, f"{slug}.example", texts)


def add_to_pool(session: Session, company_id: int, pool_id: int, e164: str, since: datetime) -> None:
    """A free number of the pool."""
    number = Number(company_id=company_id, e164=e164, created_at=since)
    session.add(number)
    session.flush()
    session.add(NumberUse(number_id=number.id, pool_id=pool_id, from_at=since))


class Api:
    """The application as the script's requests reach it; both its clocks stand until a test moves them."""

    def __init__(self, database: Database, settings: Settings, now: datetime) -> None:
        self.database, self.now = database, now
        self.app = make_app(settings, database, lambda: self.now, self.seconds)
        self._addresses = itertools.count(1)

    def seconds(self) -> float:
        return self.now.timestamp()

    def later(self, **more: float) -> None:
        self.now += timedelta(**more)

    def visitor(self, shop: Shop, **more: Any) -> Visitor:
        """Somebody with an address in a network of his own, whom nobody has seen before."""
        count = next(self._addresses)
        address = f"{11 + count // 65536}.{count // 256 % 256}.{count % 256}.1"
        return Visitor(self, shop, **{"address": address} | more)

    @contextmanager
    def books(self) -> Iterator[Session]:
        with self.database.read() as session:
            yield session

    def visits(self) -> list[Visit]:
        with self.books() as session:
            return list(session.scalars(sa.select(Visit).order_by(Visit.id)))

    def page_views(self) -> list[PageView]:
        with self.books() as session:
            return list(session.scalars(sa.select(PageView).order_by(PageView.id)))

    def open_leases(self) -> int:
        with self.books() as session:
            counted = sa.select(sa.func.count()).select_from(Lease).where(Lease.until_at.is_(None))
            return session.scalar(counted) or 0


@dataclass
class Visitor:
    """A browser with the script: it remembers what it was answered, and says it with the next request."""

    api: Api
    shop: Shop
    address: str
    agent: str = CHROME
    origin: str | None = ""  # "": a page of the shop's; None: no Origin is sent
    headers: dict[str, str] = field(default_factory=dict)
    key: str | None = None
    token: str | None = None
    said: dict[str, Any] = field(default_factory=dict)

    def open(self, path: str = "/", **more: Any) -> dict[str, Any]:
        """`POST /api/v1/visits`; the answer, which has to be a 200."""
        body = {"site": self.shop.key, "url": self.url(path), "title": "Shop"}
        if self.key:
            body["visitor"] = self.key
        if self.token:
            body["visit"] = self.token
        return self._heard(self.post("", body | more))

    def page(self, path: str, **more: Any) -> dict[str, Any]:
        return self._heard(self.speak("pages", {"url": self.url(path), "title": path} | more))

    def ping(self) -> dict[str, Any]:
        return self._heard(self.speak("ping"))

    def leave(self) -> None:
        assert self.speak("leave").status_code == 204

    def event(self, kind: str, **detail: str) -> None:
        assert self.speak("events", {"kind": kind, "detail": detail}).status_code == 204

    def url(self, path: str) -> str:
        return path if "://" in path else f"https://{self.shop.host}{path}"

    def speak(self, what: str, body: dict[str, Any] | None = None, token: str | None = None) -> TestResponse:
        """`POST /api/v1/visits/<token>/<what>`, whatever the answer."""
        return self.post(f"/{token or self.token}/{what}", body or {})

    def post(self, path: str, body: object, **more: Any) -> TestResponse:
        """A request as the script sends it, whatever the answer."""
        origin = f"https://{self.shop.host}" if self.origin == "" else self.origin
        headers = {"User-Agent": self.agent, "Content-Type": "text/plain;charset=UTF-8"} | self.headers
        if origin is not None:
            headers["Origin"] = origin
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.api.app.test_client(use_cookies=False).post(
            f"/api/v1/visits{path}",
            data=data,
            headers=headers,
            environ_overrides={"REMOTE_ADDR": self.address},
            **more,
        )

    def _heard(self, response: TestResponse) -> dict[str, Any]:
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.get_json()
        self.token = answer["visit"] or self.token
        self.key = answer["visitor"] or self.key
        return answer


def number_of(answer: dict[str, Any]) -> str | None:
    """The E.164 of the first number in an answer."""
    number: dict[str, str] | None = answer["number"]
    return number["e164"] if number else None
