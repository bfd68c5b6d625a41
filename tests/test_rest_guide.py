"""The API's page in a real Chromium: found, read and tried, on desktop and phone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, expect
from support.browser import SIZES, axe, browser, complaints, serving  # noqa: F401  (browser)
from support.served import Served, books_in
from support.showroom import furnish


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with books_in(tmp_path_factory.mktemp("guide")) as (settings, database):
        furnish(database, settings, datetime.now(UTC), ())
        with serving(settings) as url:
            yield Served(url, database)


@pytest.mark.parametrize("size", SIZES)
def test_an_operation_is_found_read_and_tried(
    browser: Browser,  # noqa: F811
    served: Served,
    size: str,
) -> None:
    page = served.open(browser, size, dark=size == "phone")
    complained = complaints(page)
    page.goto(f"{served.url}/settings/pallets/keys")
    page.get_by_role("link", name="What programs can do").click()
    page.get_by_role("navigation", name="Contents").get_by_role("link", name="channels").click()
    it = page.locator("details#rest_channels_list_channels")
    it.locator("summary").click()
    expect(it.get_by_text("settings:read")).to_be_visible()
    it.get_by_label("limit").fill("1")
    it.get_by_role("button", name="Try it").click()
    expect(it.locator("output")).to_contain_text("/api/v1/channels?limit=1 · 200")
    expect(it.locator("output pre")).to_contain_text('"channels"')
    it.get_by_label("limit").fill("none")
    it.get_by_role("button", name="Try it").click()
    expect(it.locator("output pre")).to_contain_text("query.limit")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")
    assert axe(page) == []
    assert all("400" in each for each in complained), complained
    page.context.close()


def test_an_address_leads_to_its_operation(browser: Browser, served: Served) -> None:  # noqa: F811
    page = served.open(browser)
    page.goto(f"{served.url}/api/docs#rest_channels_add_channel")
    it = page.locator("details#rest_channels_add_channel")
    expect(it).to_have_attribute("open", "")
    expect(it.locator("pre.example")).to_contain_text("curl -X POST")
    expect(it.locator("pre.example")).to_contain_text(f"{served.url}/api/v1/channels")
    expect(it.get_by_role("button", name="Try it")).to_have_count(0)
    page.context.close()
