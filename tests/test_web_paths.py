"""The page of paths in a real Chromium: everybody can use it, and its links keep what was chosen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, expect
from sqlalchemy.orm import Session
from support.browser import SIZES, axe, browser, complaints, open_page, serving  # noqa: F401  (browser)
from support.facts import Pallets, answered, ended, started
from support.journeys import Came, add_visit, add_visitor
from support.served import Served, books_in
from support.showroom import P, Told, furnish

from tracker.books import record_all
from tracker.models import Call, Category, Sale
from tracker.policy.attribution import Basis
from tracker.policy.costs import Entered
from tracker.policy.facts import Fact
from tracker.policy.sales import Match, SaleStatus

ORIGINS = {
    "a": ("cpc", "google", "Paid Search"), "m": ("email", "newsletter", "Email"),
    "o": ("organic", "google", "Organic Search"), "d": ("(none)", "(direct)", "Direct"),
    "r": ("referral", "forum.example", "Referral"), "s": ("social", "vk.com", "Organic Social"),
}  # fmt: skip
# Each person's visits, the last of which brought a call that sold.
WAYS = ("ad", "ad", "aod", "mm", "od", "a", "asomrdaomd", "r", "ad", "smd", "o")
EMPTY = "?since=2026-01-01&until=2026-01-02"


def tell(session: Session, pallets: Pallets, now: datetime) -> None:
    for place, way in enumerate(WAYS):
        visitor = add_visitor(session, pallets, f"walker-{place}", now)
        for step, each in enumerate(way):
            minutes = 30 + place + 1440 * 2 * (len(way) - 1 - step)
            visit = add_visit(session, pallets, visitor, Came(minutes, *ORIGINS[each], (("", "", 9),)), now)
        call = _call(session, now - timedelta(minutes=20, seconds=place), f"walk-{place}")
        call.visit_id, call.channel_id, call.basis, call.uncertain = visit.id, None, Basis.LEASE, False
        call.category = Category.TARGET
        revenue = Decimal(1000 * (place + 1))
        session.add(
            Sale(
                company_id=pallets.company_id, revenue=revenue, profit=revenue / 4, currency="EUR", at=now,
                status=SaleStatus.WON, entered=Entered.HAND, matched_by=Match.CALL, call_id=call.id,
                created_at=now, changed_at=now,
            )
        )  # fmt: skip


def _call(session: Session, at: datetime, key: str) -> Call:
    took = at + timedelta(seconds=6)
    caller = f"+791600{key.removeprefix('walk-'):0>5}"
    facts: list[Fact] = [
        started(P.billboard, at, key, caller=caller), answered(1, took, key),
        ended(took + timedelta(seconds=60), key),
    ]  # fmt: skip
    record_all(session, facts)
    return session.scalars(sa.select(Call).where(Call.key == key)).one()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with books_in(tmp_path_factory.mktemp("paths")) as (settings, database):
        now = datetime.now(UTC)
        room = furnish(database, settings, now, (Told(5, P.leaflet, "+79160000001", talk=3, sound=False),))
        with database.write() as session:
            tell(session, room.pallets, now)
        with serving(settings) as url:
            yield Served(url, database)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dark", [False, True])
def test_everybody_can_read_paths(browser: Browser, served: Served, size: str, dark: bool) -> None:  # noqa: F811
    page = served.open(browser, size, dark=dark)
    for words in ("", "?by=source&top=3", "?goal=target_call&by=campaign", EMPTY):
        page.goto(f"{served.url}/reports/paths{words}")
        assert axe(page) == [], words
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, words
    assert complaints(page) == []


def test_links_keep_what_was_chosen_and_lead_to_the_calls(browser: Browser, served: Served) -> None:  # noqa: F811
    page = served.open(browser, "desktop")
    page.goto(f"{served.url}/reports/paths?top=3")
    expect(page.locator(".ways tbody tr")).to_have_count(4)
    page.get_by_role("link", name="Show more paths").click()
    expect(page.locator(".ways tbody tr")).to_have_count(9)
    page.get_by_role("link", name="Target calls").click()
    page.get_by_role("link", name="Sources", exact=True).click()
    expect(page).to_have_url(f"{served.url}/reports/paths?goal=target_call&top=100&by=source")
    page.get_by_role("row", name="newsletter").get_by_role("link", name="Calls").click()
    expect(page.locator("tr.call")).to_have_count(1)
