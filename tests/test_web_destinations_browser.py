"""Every kind of destination in a real Chromium: filled in by keyboard, tried out, saved; it fits a phone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from support.browser import axe, browser, complaints, serving  # noqa: F401  (browser)
from support.served import Served, books_in
from support.showroom import furnish
from support.standins import DOUBLES

from tracker.destinations import KINDS

AT = "/settings/pallets/destinations"
SHOTS = os.environ.get("SHOTS")  # a folder: what is seen is kept there, for people


class Pointed(Served):
    """A running page, and what is filled in for a stand-in of each kind."""

    values: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pointed]:
    with ExitStack() as stack:
        settings, database = stack.enter_context(books_in(tmp_path_factory.mktemp("destinations")))
        furnish(database, settings, datetime.now(UTC), ())
        doubles = {word: DOUBLES[word]() for word in KINDS}
        servers = {word: stack.enter_context(it.serve()) for word, it in doubles.items()}
        mail = doubles["email"].settings
        lines = ['webhook_networks = "127.0.0.0/8"', f"smtp_port = {mail.pop('smtp_port')}"]
        lines += [f'{name} = "{value}"' for name, value in mail.items()]
        (settings.home / "leaseline.toml").write_text("\n".join(lines))
        found = Pointed(stack.enter_context(serving(settings)), database)
        found.values = {word: it.values(servers[word].url) for word, it in doubles.items()}
        yield found


def seen(page: Page, name: str) -> None:
    """Nothing is wrong with the page as it stands, and nothing sticks out."""
    assert axe(page) == [], name
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth"), name
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


def fill_by_keyboard(page: Page, values: dict[str, str]) -> None:
    """From the name on, from field to field by Tab, and sent by Enter at the button."""
    left = dict(values)
    page.get_by_label("Name", exact=True).focus()
    for _ in range(40):
        page.keyboard.press("Tab")
        name, kind = page.evaluate("[document.activeElement.name, document.activeElement.type]")
        if kind == "submit":
            break
        if value := left.pop(name, None):
            (page.keyboard.type if kind == "select-one" else page.keyboard.insert_text)(value)
    assert left == {}
    page.keyboard.press("Enter")


def test_each_kind_is_filled_in_by_keyboard_tried_out_and_saved(browser: Browser, served: Pointed) -> None:  # noqa: F811
    page = served.open(browser)
    for word, kind in KINDS.items():
        page.goto(f"{AT}/add/{word}")
        seen(page, f"{word}-desktop")
        fill_by_keyboard(page, served.values[word])
        expect(page.get_by_role("heading", level=1)).to_have_text(kind.title)
        page.get_by_role("button", name="Send a test").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="The test was taken"), word).to_be_visible()
        page.get_by_role("button", name="Save").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text("Saved."), word).to_be_visible()
    page.goto(AT)
    seen(page, "list-desktop")
    assert complaints(page) == []
    page.context.close()


def test_every_form_and_what_a_test_shows_fits_a_phone_in_the_dark(browser: Browser, served: Pointed) -> None:  # noqa: F811
    page = served.open(browser, "phone", dark=True)
    for word in KINDS:
        page.goto(f"{AT}/add/{word}")
        seen(page, f"{word}-phone")
    page.goto(AT)
    seen(page, "list-phone")
    page.get_by_role("link", name="Salesforce").first.click()
    expect(page.get_by_label("Take it away")).to_be_visible()
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_role("heading", name="The test was taken")).to_be_visible()
    seen(page, "tried-phone")
    assert complaints(page) == []
    page.context.close()
