"""A call's page in a real Chromium: its value, links for others, the call that ends while one looks at it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect
from support.browser import axe, browser, complaints, open_page, serving  # noqa: F401  (browser is a fixture)
from support.facts import Pallets, answered, ended, started
from support.served import books_in, log_in
from support.showroom import OWNER, Showroom, Told, finish_all, furnish, two_tones

from tracker import people
from tracker.books import record, record_all
from tracker.database import Database
from tracker.models import Call, ShareLink
from tracker.settings import Settings

CALLS = (
    Told(3, Pallets.billboard, "+79161234567", "mobile", talk=8, wait=27, name="Secret Caller"),
    Told(9, Pallets.leaflet, "+79161234567", "missed", wait=41),
    Told(20, Pallets.billboard, "", "gave_up", wait=12),
    Told(1500, Pallets.billboard, "+4915112345678", "interrupted", talk=5),
)


@dataclass
class Served:
    """A running page, and the house behind it."""

    url: str
    settings: Settings
    database: Database
    room: Showroom
    at: datetime

    def log_in(self, page: Page) -> Page:
        return log_in(page, self.url, self.database, OWNER)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder, at = tmp_path_factory.mktemp("page"), datetime.now(UTC)
    with books_in(folder) as (settings, database):
        room = furnish(database, settings, at, CALLS)
        with serving(settings) as url:
            yield Served(url, settings, database, room, at)


@pytest.fixture(params=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, served: Served) -> Iterator[Page]:  # noqa: F811
    opened = served.log_in(open_page(browser, served.url, size=request.param))
    yield opened
    assert complaints(opened) == []
    opened.context.close()


def make_link(page: Page, served: Served) -> str:
    """Makes a link as a manager does; its path."""
    page.goto(f"/calls/{served.room.keys[0]}")
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("Link to this call").input_value()
    return link[link.index("/shared/") :]


def test_a_manager_says_what_a_call_was_worth_in_money(page: Page, served: Served) -> None:
    page.goto(f"/calls/{served.room.keys[0]}")
    field = page.get_by_label("Value", exact=True)
    field.fill("1.200")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("1.200 can be read in two ways")
    expect(field).to_be_focused()
    expect(field).to_have_value("1.200")
    assert axe(page) == []
    field.fill("1 200,50 €")
    page.locator("form.value").get_by_role("button", name="Save").click()
    expect(field).to_have_value("1,200.50")
    field.fill("")
    field.press("Enter")
    expect(page).to_have_url(re.compile("#worth$"))
    expect(field).to_have_value("")
    assert [it for it in complaints(page) if "400" not in it] == []
    complaints(page).clear()


def test_a_link_is_made_opened_by_a_stranger_and_taken_back(
    browser: Browser,  # noqa: F811
    page: Page,
    served: Served,
) -> None:
    path = make_link(page, served)
    assert axe(page) == []
    stranger = open_page(browser, served.url, size="phone")
    stranger.goto(path)
    expect(stranger.get_by_role("heading", name="A call to Pallets")).to_be_visible()
    expect(stranger.get_by_text("Secret Caller")).to_have_count(0)
    stranger.get_by_role("button", name="Play the recording").click()
    expect(stranger.locator(".time")).to_have_text(re.compile(r"0:0[1-9] / 0:08"), timeout=15_000)
    assert axe(stranger) == []
    page.reload()  # it is the call's page, and makes no second link
    row = page.locator(".links li").first
    expect(row).to_contain_text("Opened 1 time · Played 1 time")
    row.get_by_role("button", name="Take back").click()
    expect(row).to_contain_text("Taken back")
    stranger.reload()
    expect(stranger.get_by_role("heading", name="This link was taken back")).to_be_visible()
    assert axe(stranger) == []
    assert [it for it in complaints(stranger) if "410" not in it] == []
    stranger.context.close()


def test_a_link_that_has_expired_says_so(browser: Browser, page: Page, served: Served) -> None:  # noqa: F811
    path = make_link(page, served)
    with served.database.write() as session:
        session.execute(sa.update(ShareLink).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    stranger = open_page(browser, served.url)
    stranger.goto(path)
    expect(stranger.get_by_role("heading", name="This link has expired")).to_be_visible()
    expect(stranger.get_by_text("Pallets")).to_have_count(0)
    stranger.context.close()


def test_a_call_that_ends_while_one_looks_brings_its_recording_to_the_open_page(
    page: Page, served: Served
) -> None:
    key, now = f"live-{page.viewport_size['width']}", datetime.now(UTC)  # type: ignore[index]
    office = served.room.pallets.office_id
    with served.database.write() as session:
        record(session, started(Pallets.billboard, now - timedelta(seconds=9), key, caller="+79165554433"))
        record(session, answered(office, now - timedelta(seconds=5), key))
    page.goto(f"/calls/{key}")
    expect(page.get_by_text("Its recording will be here when it is over")).to_be_visible()
    page.get_by_label("New tag").fill("being typed")
    with served.database.write() as session:
        record_all(session, [ended(now, key)])
    expect(page.locator("#story-card")).to_contain_text("Call ended", timeout=15_000)
    expect(page.get_by_text("will be here in a moment")).to_be_visible()
    two_tones(served.settings, key, 5)
    finish_all(served.database, served.settings, now + timedelta(minutes=1))
    play = page.get_by_role("button", name="Play the recording")
    expect(play).to_be_visible(timeout=15_000)
    expect(page.get_by_label("New tag")).to_have_value("being typed")
    expect(page.get_by_role("button", name="Make a link")).to_be_visible()
    play.click()
    expect(page.get_by_label("of the recording")).to_be_attached()


def test_the_facts_say_where_the_caller_is_and_which_way_the_call_took(page: Page, served: Served) -> None:
    keys = served.room.keys
    page.goto(f"/calls/{keys[0]}")
    facts = page.locator("#facts-card")
    expect(facts).to_contain_text("Russia, mobile phone")
    expect(facts.locator(".way")).to_have_text(
        re.compile(r"office\s+4 s\s+no answer\s+mobile\s+2 s\s+answered")
    )
    page.goto(f"/calls/{keys[1]}")
    expect(facts.locator(".way")).to_have_text(re.compile(r"office\s+4 s\s+no answer"))
    expect(page.locator("section", has=page.get_by_role("heading", name="Later calls"))).to_contain_text(
        "Answered"
    )
    page.goto(f"/calls/{keys[2]}")  # withheld
    expect(facts.get_by_text("Place")).to_have_count(0)
    expect(facts.locator(".way")).to_have_text(re.compile(r"It rang\s+11 s\s+the caller hung up"))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_every_state_of_a_call_is_accessible_and_fits(
    browser: Browser,  # noqa: F811
    served: Served,
    size: str,
    dark: bool,
) -> None:
    page = served.log_in(open_page(browser, served.url, size=size, dark=dark))
    path = make_link(page, served)
    for each in (*(f"/calls/{key}" for key in served.room.keys), path, "/shared/none"):
        page.goto(each)
        assert axe(page) == [], each
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), each
    assert [it for it in complaints(page) if "404" not in it] == []
    page.context.close()


def test_a_value_is_said_and_shown_beside_what_the_call_was_worth_in_another_language(
    browser: Browser,  # noqa: F811
    served: Served,
) -> None:
    page = served.log_in(open_page(browser, served.url))
    with served.database.write() as session:
        people.find_user(session, "olga@pallets.example").language = "pl"
        session.execute(sa.update(Call).where(Call.key == served.room.keys[1]).values(value=Decimal(1200)))
    page.goto(f"/calls/{served.room.keys[1]}")
    expect(page.locator("#value")).to_have_value("1\u00a0200,00")
    page.locator("#value").press("Enter")  # what it shows reads back
    expect(page.locator("#value")).to_have_value("1\u00a0200,00")
    assert complaints(page) == []
    with served.database.write() as session:
        people.find_user(session, "olga@pallets.example").language = None
    page.context.close()
