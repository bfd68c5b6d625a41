"""Costs and sales in a real Chromium: a list is looked at and taken; everybody can use the pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from support.browser import SIZES, axe, browser, complaints, open_page, serving  # noqa: F401  (browser)
from support.served import Served, books_in
from support.showroom import P, Told, furnish

from tracker.database import Database


class Sold(Served):
    """A running page over a call, and its database."""

    def __init__(self, url: str, database: Database, call: str) -> None:
        super().__init__(url, database)
        self.call = call


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sold]:
    with books_in(tmp_path_factory.mktemp("money")) as (settings, database):
        told = (Told(5, P.billboard, "+79160000001", talk=3),)
        room = furnish(database, settings, datetime.now(UTC), told)
        with serving(settings) as url:
            yield Sold(url, database, room.keys[0])


def listed(folder: Path, *rows: str) -> Path:
    file = folder / "costs.csv"
    file.write_text("\n".join(("day;source;medium;campaign;amount", *rows)), encoding="utf-16")
    return file


@pytest.mark.parametrize("size", SIZES)
def test_a_list_is_looked_at_mended_and_taken(
    browser: Browser,  # noqa: F811
    served: Sold,
    tmp_path: Path,
    size: str,
) -> None:
    page = served.open(browser, size)
    day = f"{datetime.now(UTC) - timedelta(days=1):%d.%m.%Y}"
    page.goto(f"{served.url}/costs?month={datetime.now(UTC) - timedelta(days=1):%Y-%m}")
    page.get_by_text("Import a CSV file").click()
    page.get_by_label("File").set_input_files(listed(tmp_path, f"{day};google;cpc;spring {size};many"))
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("alert")).to_contain_text("1 value cannot be read; nothing was imported.")
    expect(page.locator(".problems")).to_contain_text("'many' is no amount of money")
    assert axe(page) == []
    page.get_by_label("File").set_input_files(
        listed(tmp_path, f"{day};google;cpc;spring {size};1 200,50", "Total;;;;1 200,50")
    )
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("status")).to_contain_text("New: 1, changed: 0, the same: 0")
    page.get_by_role("button", name="Import it").click()
    expect(page.get_by_role("status")).to_contain_text("Imported.")
    expect(page.locator(".money .list")).to_contain_text(f"spring {size}")
    assert complaints(page) == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dark", [False, True])
def test_everybody_can_use_the_pages(browser: Browser, served: Sold, size: str, dark: bool) -> None:  # noqa: F811
    page = served.open(browser, size, dark=dark)
    page.goto(f"{served.url}/calls/{served.call}")
    form = page.locator("#sold form.value")
    form.get_by_label("Revenue").fill("20,000")
    form.get_by_label("Gross profit").fill("8700")
    form.get_by_role("button", name="Sold").click()
    expect(page.locator("#sold .entries").first).to_contain_text("20,000")
    for path in (f"/calls/{served.call}", "/sales", "/sales?unmatched", "/costs"):
        page.goto(served.url + path)
        assert axe(page) == [], path
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, path
    assert complaints(page) == []
