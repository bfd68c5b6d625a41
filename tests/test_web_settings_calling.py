"""Callbacks and calls out set in a real Chromium, on desktop and phone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, expect
from support.browser import SIZES, axe, browser, complaints, serving  # noqa: F401  (browser)
from support.served import Served, books_in
from support.showroom import furnish

HERE = "/settings/pallets"
CALLBACK, OUTGOING = f"{HERE}/sites/1/callback", f"{HERE}/outgoing"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with books_in(tmp_path_factory.mktemp("calling")) as (settings, database):
        furnish(database, settings, datetime.now(UTC), ())
        with serving(settings) as url:
            yield Served(url, database)


@pytest.mark.parametrize(("size", "dark"), [("desktop", False), ("phone", True)])
def test_an_admin_has_a_site_call_back_and_a_phone_system_call_out(
    browser: Browser,  # noqa: F811
    served: Served,
    size: str,
    dark: bool,
) -> None:
    page = served.open(browser, size, dark=dark)
    page.goto(f"{HERE}/sites/1")
    page.locator("section", has=page.locator("#callback")).get_by_role("link").click()
    way, rings = page.locator("#way"), page.locator("#rings")
    way.get_by_label("This site calls visitors back").check()
    way.get_by_label("Visitors are called over").select_option("pallets-carrier")
    way.get_by_label("They are shown").select_option(index=1)
    way.get_by_label("Hours").fill("mon-fri 9:00-18:00")
    way.get_by_role("button", name="Save").click()
    expect(way.get_by_text("On", exact=True)).to_be_visible()
    expect(way).to_contain_text("The next times:")
    rings.get_by_label("Then ring").select_option(label="mobile")
    rings.get_by_role("button", name="Add", exact=True).click()
    expect(rings).to_contain_text("Not saved yet.")
    rings.get_by_role("button", name="Save").last.click()
    expect(rings.locator("li b").first).to_have_text("1. mobile")
    assert axe(page) == []
    page.goto(OUTGOING)
    page.get_by_label("Called over").select_option("pallets-carrier")
    page.get_by_label("Is shown").select_option(index=1)
    page.locator("form", has=page.locator("#rule")).get_by_role("button").click()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    who = page.locator("form", has=page.locator("#who"))
    who.get_by_label("office").check()
    who.get_by_role("button", name="Save").click()
    expect(who.get_by_label("office")).to_be_checked()
    page.get_by_label("From the phone").select_option(label="office")
    page.get_by_label("Dials").fill("8 916 555-01-01")
    page.get_by_role("button", name="Try").click()
    expect(page.locator(".decided")).to_contain_text("Is called")
    expect(page.locator(".decided")).to_contain_text("pallets-carrier")
    for path in (OUTGOING, CALLBACK, f"{CALLBACK}?language=pl", f"{HERE}/targets/1", "/callbacks"):
        page.goto(path)
        assert axe(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0], path
    assert complaints(page) == []
    page.context.close()
