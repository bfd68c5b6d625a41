"""The page in Russian, Ukrainian and Polish in Chromium: its script's words, and room for long ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect
from support.browser import SIZES, axe, browser, complaints, open_page, serving  # noqa: F401  (a fixture)
from support.catalogues import compile_catalogues
from support.facts import Pallets
from support.journeys import tell_journeys
from support.served import books_in
from support.showroom import Told, furnish

from tracker import logins, people
from tracker.database import Database
from tracker.models import User

CALLS = (
    Told(3, Pallets.billboard, "+79161234567", talk=4),
    Told(9, Pallets.leaflet, "+79161234567", "missed", wait=41),
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Database, str]]:
    """The address of a running page, its database, and a session's cookie."""
    compile_catalogues()
    folder, at = tmp_path_factory.mktemp("page"), datetime.now(UTC)
    with books_in(folder) as (settings, database):
        room = furnish(database, settings, at, CALLS)
        with database.write() as session:
            tell_journeys(session, room.pallets, at)
            user = people.find_user(session, "olga@pallets.example")
            token = logins.start_session(session, user, logins.Client("127.0.0.1"), at)
        with serving(settings) as url:
            yield url, database, token


def speak(database: Database, language: str) -> None:
    with database.write() as session:
        session.execute(sa.update(User).values(language=language))


@pytest.fixture(params=["desktop", "phone"])
def page(
    browser: Browser,  # noqa: F811
    served: tuple[str, Database, str],
    request: pytest.FixtureRequest,
) -> Iterator[Page]:
    url, _, token = served
    opened = open_page(browser, url)
    width, height = SIZES[request.param]
    opened.set_viewport_size({"width": width, "height": height})
    opened.context.add_cookies([{"name": "leaseline", "value": token, "url": url}])
    yield opened
    assert complaints(opened) == []
    opened.context.close()


def test_the_pages_script_speaks_the_pages_language(page: Page, served: tuple[str, Database, str]) -> None:
    speak(served[1], "ru")
    page.goto("/calls")
    page.get_by_label("Выбрать этот звонок").first.check()
    expect(page.locator("#bulk b")).to_have_text("Выбрано: 1")
    page.get_by_role("button", name="Отмена").click()
    player = page.locator("call-player").first
    player.get_by_role("button", name="Слушать запись").click()
    expect(player.get_by_role("button", name="Приостановить запись")).to_be_visible()
    page.goto("/calls/certain")
    expect(page.locator("[data-name-of=region]")).to_have_text("Россия")


@pytest.mark.parametrize("language", ["ru", "uk", "pl"])
def test_long_words_have_room(page: Page, served: tuple[str, Database, str], language: str) -> None:
    speak(served[1], language)
    for path in ("/calls", "/calls/certain", "/now", "/people", "/account"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    assert axe(page) == []
