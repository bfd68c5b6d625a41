"""The page of missed callers and the marks of outgoing calls in a real Chromium: everybody can read them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, expect
from support.browser import SIZES, axe, browser, complaints, open_page, serving  # noqa: F401
from support.served import books_in, log_in
from test_recovery import write

from tracker import people
from tracker.database import Database
from tracker.models import Company, Role

EVE = "eve@pallets.example"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Database]]:
    with books_in(tmp_path_factory.mktemp("missed")) as (settings, database):
        now = datetime.now(UTC)
        pallets = write(database, now)
        with database.write() as session:
            user = people.add_user(session, EVE, "Eve", now)
            people.give_role(session, user, session.get_one(Company, pallets.company_id), Role.MANAGER)
        with serving(settings) as url:
            yield url, database


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dark", [False, True])
def test_everybody_can_read_who_waits(
    browser: Browser,  # noqa: F811
    address: tuple[str, Database],
    size: str,
    dark: bool,
) -> None:
    url, database = address
    page = log_in(open_page(browser, url, size=size, dark=dark), url, database, EVE)
    empty = "/reports/missed?since=2026-01-01&until=2026-01-02"
    for path in ("/reports/missed", empty, "/calls?direction=any", "/calls/call-2"):
        page.goto(url + path)
        assert axe(page) == [], path
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, path
    assert complaints(page) == []


def test_figures_lead_to_the_calls_behind_them(
    browser: Browser,  # noqa: F811
    address: tuple[str, Database],
) -> None:
    url, database = address
    page = log_in(open_page(browser, url), url, database, EVE)
    page.goto(f"{url}/reports")
    page.get_by_role("link", name="Missed callers").first.click()
    page.locator(".tile", has_text="Waiting").get_by_role("link").click()
    expect(page.locator("tr.call")).to_have_count(1)
    expect(page.locator("tr.call")).to_contain_text("waits for a call")
    # The rows that the page fetches anew say so too.
    assert "waits for a call" in page.request.get(f"{url}/calls/now").text()
