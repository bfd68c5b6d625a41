"""The list of calls as a person sets it up: columns, views and exports, in a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect
from support.browser import axe, browser, complaints, open_page, serving  # noqa: F401  (browser is a fixture)
from support.facts import Pallets
from support.served import books_in, log_in
from support.showroom import OWNER, Showroom, Told, furnish

from tracker import people, preferences
from tracker.audit import By
from tracker.database import Database
from tracker.models import Call, SavedView
from tracker.policy.call_columns import CallColumn

CALLS = (
    Told(3, Pallets.billboard, "+79161234567", talk=80, sound=False, name="Anna"),
    Told(9, Pallets.leaflet, "+79161234567", "missed", wait=41),
    Told(20, Pallets.leased, "", "busy", wait=4),
    Told(40, Pallets.leased, "+79031112233", talk=41, sound=False),
)
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@dataclass
class Served:
    """A running page, and the books behind it."""

    url: str
    database: Database
    room: Showroom

    def open(self, browser: Browser, size: str, *, script: bool = True) -> Page:  # noqa: F811
        """A page of a browser that has logged in."""
        page = open_page(browser, self.url, size=size)
        if not script:
            page.context.close()
            page = browser.new_context(base_url=self.url, java_script_enabled=False).new_page()
        return log_in(page, self.url, self.database, OWNER)

    def set_up(self, *columns: CallColumn) -> None:
        """As if chosen on another device; none: the usual ones. Views are gone."""
        with self.database.write() as session:
            session.execute(sa.delete(SavedView))
            user = people.find_user(session, OWNER)
            preferences.keep_columns(session, By(datetime.now(UTC), OWNER), user.id, columns or None)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder, at = tmp_path_factory.mktemp("list"), datetime.now(UTC)
    with books_in(folder) as (settings, database):
        room = furnish(database, settings, at, CALLS)
        with database.write() as session:
            wanted = sa.update(Call).where(Call.key == room.keys[0])
            session.execute(wanted.values(value=Decimal("1250.5"), heard_of="a friend at the fair"))
        with serving(settings) as url:
            yield Served(url, database, room)


@pytest.fixture(params=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, served: Served) -> Iterator[Page]:  # noqa: F811
    served.set_up()
    opened = served.open(browser, request.param)
    yield opened
    assert complaints(opened) == []
    opened.context.close()


def test_a_person_chooses_the_columns_and_finds_them_again(page: Page, served: Served) -> None:
    page.goto("/calls?outcome=answered")
    page.locator("summary").filter(has_text="Columns").click()
    menu = page.get_by_role("group", name="What the list shows")
    for name in ("Value", "Answered by", "Heard of us"):
        menu.get_by_label(name).check()
    menu.get_by_label("Source").uncheck()
    assert axe(page) == []
    page.get_by_role("button", name="Show these").click()
    expect(page).to_have_url(re.compile(r"/calls\?outcome=answered$"))  # in the same view
    row = page.locator(f"#call-{served.room.keys[0]}")
    for told in ("€1,250.50", "a friend at the fair", "office"):
        expect(row.get_by_text(told)).to_be_visible()
    expect(page.locator("td.source")).to_have_count(0)
    assert not page.evaluate(WIDER)
    assert axe(page) == []
    page.goto("/calls")
    expect(row.get_by_text("a friend at the fair")).to_be_visible()
    page.locator("summary").filter(has_text="Columns").click()
    page.get_by_role("button", name="The usual ones").click()
    expect(page.locator("td.source")).to_have_count(4)


def test_every_column_at_once_leaves_the_page_as_wide_as_the_screen(page: Page, served: Served) -> None:
    served.set_up(*CallColumn)
    page.goto("/calls")
    expect(page.locator("tr.call")).to_have_count(4)
    assert not page.evaluate(WIDER)
    assert axe(page) == []


def test_the_rows_that_arrive_have_the_columns_of_now(page: Page, served: Served) -> None:
    page.goto("/calls")
    expect(page.locator("td.value")).to_have_count(0)
    served.set_up(CallColumn.VALUE, CallColumn.TALK)  # in another window
    expect(page.locator("td.value")).to_have_count(4, timeout=20_000)
    expect(page.locator("td.source")).to_have_count(0)


def test_a_view_is_saved_opened_and_deleted(page: Page, served: Served) -> None:
    page.goto("/calls?outcome=busy")
    page.locator("summary").filter(has_text="Save this view").click()
    page.get_by_label("Name", exact=True).fill("Engaged")
    page.get_by_label("Who sees it").select_option(label="Everybody at Pallets")
    assert axe(page) == []
    page.get_by_role("button", name="Save", exact=True).click()
    tabs = page.get_by_role("navigation", name="Views")
    expect(tabs.locator("[aria-current]")).to_have_text("Engaged")
    expect(tabs.locator("[aria-current]")).to_be_in_viewport()
    assert axe(page) == []
    tabs.get_by_role("link", name="To judge").click()
    expect(page.locator("tr.call")).to_have_count(2)
    tabs.get_by_role("link", name="Engaged").click()
    expect(page.locator("tr.call")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/calls\?outcome=busy$"))
    page.get_by_role("button", name="Delete this view").click()
    expect(tabs.get_by_role("link", name="Engaged")).to_have_count(0)
    expect(page.locator("tr.call")).to_have_count(1)  # what it showed stays, to be saved again
    expect(page.locator("summary").filter(has_text="Save this view")).to_be_visible()


def test_a_menu_closes_as_menus_do(page: Page) -> None:
    page.goto("/calls")
    menu, opener = page.locator("details.drop"), page.locator("summary").filter(has_text="Columns")
    opener.click()
    page.get_by_label("Value", exact=True).focus()
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    expect(opener).to_be_focused()
    opener.click()
    page.get_by_role("heading", name="Calls").click()
    expect(menu).not_to_have_attribute("open", "")


def test_the_workbook_is_saved_from_the_page(page: Page, tmp_path: Path) -> None:
    page.goto("/calls?outcome=missed")
    with page.expect_download() as download:
        page.get_by_role("link", name="XLSX").click()
    assert re.fullmatch(r"calls-[0-9-]+\.xlsx", download.value.suggested_filename)
    assert download.value.path().read_bytes()[:2] == b"PK"


def test_columns_and_views_need_no_script(browser: Browser, served: Served) -> None:  # noqa: F811
    served.set_up()
    page = served.open(browser, "desktop", script=False)
    page.goto("/calls?outcome=busy")
    page.locator("summary").filter(has_text="Columns").click()
    page.get_by_label("Value", exact=True).check()
    page.get_by_role("button", name="Show these").click()
    expect(page.get_by_role("columnheader", name="Value")).to_be_visible()
    page.locator("summary").filter(has_text="Save this view").click()
    page.get_by_label("Name", exact=True).fill("Engaged")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".views [aria-current]")).to_have_text("Engaged")
    page.context.close()
