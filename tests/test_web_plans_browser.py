"""Plans in a real Chromium: made, tried out, kept, changed in forms; every page accessible."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, expect
from support.browser import SIZES, axe, browser, complaints, serving  # noqa: F401  (browser)
from support.served import Served, books_in
from support.showroom import furnish

HERE = "/settings/pallets/plans"
CALL = "?day=2026-12-01&time=10:00&does-1=busy&after-1=2&does-2=answers&after-2=5"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with books_in(tmp_path_factory.mktemp("plans")) as (settings, database):
        furnish(database, settings, datetime.now(UTC), ())
        with serving(settings) as url:
            yield Served(url, database)


@pytest.mark.parametrize(("size", "dark"), [("desktop", False), ("phone", True)])
def test_a_plan_is_made_tried_kept_and_changed(
    browser: Browser,  # noqa: F811
    served: Served,
    size: str,
    dark: bool,
) -> None:
    page = served.open(browser, size, dark=dark)
    page.goto(f"{HERE}/add?template=turn")
    page.get_by_label("Name").fill(f"Office {size}")
    expect(page.locator("#step-sales")).to_contain_text("office")
    page.get_by_text("Write it as text").click()
    editor = page.get_by_label("The plan as text")
    # Without words nothing has to be spoken, and no voice is needed.
    editor.fill("start: sales\nsteps:\n  sales:\n    kind: ring\n    targets: [nobody:20]\n    then: box\n")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".faults li")).to_have_count(2)
    assert axe(page) == []
    editor.fill("start: sales\nsteps:\n  sales:\n    kind: ring\n    targets: [office:20, mobile:25]\n")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#step-sales")).to_contain_text("office")
    here = page.url.partition("?")[0]
    page.goto(f"{here}/try{CALL}")
    expect(page.locator(".trial li").last).to_contain_text("mobile answers")
    page.get_by_label("Keep it as").fill("Morning")
    page.get_by_role("button", name="Keep this trial").click()
    expect(page.locator("#kept")).to_contain_text("As kept")
    page.goto(f"{here}/steps/sales")
    page.get_by_role("button", name="mobile not at all").click()
    expect(page.get_by_text("Not saved yet.")).to_be_visible()
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_text("1 kept trial would go another way")).to_be_visible()
    assert axe(page) == []
    page.get_by_role("button", name="keep their ways anew").click()
    expect(page.locator("#step-sales")).not_to_contain_text("mobile")
    page.goto(f"{here}/steps/sales")
    page.get_by_label("Nobody takes it").select_option(label="By source or caller")
    page.get_by_role("button", name="Save").last.click()
    page.get_by_role("button", name="keep their ways anew").click()
    page.get_by_label("Calls with").nth(1).fill("first")
    page.get_by_label("Where they go").nth(1).select_option(label="Hangs up")
    page.get_by_label("Name of the step").fill("known")
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_label("How it ends")).to_be_visible()
    page.goto(here)
    expect(page.locator("#step-known")).to_contain_text("calls for the first time → hangup")
    for address in (
        HERE,
        f"{HERE}/add",
        here,
        f"{here}/document",
        f"{here}/try{CALL}",
        f"{here}/steps",
        f"{here}/steps/sales",
        f"{here}/steps/known",
        f"{here}/steps/hangup",
    ):
        page.goto(address)
        assert axe(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0], address
    # Of the forms that were refused the browser's console tells by itself.
    assert [each for each in complaints(page) if "400 (Bad Request)" not in each] == []
    page.context.close()
