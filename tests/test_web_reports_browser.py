"""Reports in a real Chromium: the answer from the overview, sorting, drilling, paper, phones, no script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, expect
from support.browser import SIZES, axe, browser, complaints, open_page, serving  # noqa: F401  (browser)
from support.earnings import bring_by_yandex, tell_earnings
from support.served import Served, books_in, log_in
from support.showroom import OWNER, P, Told, furnish

from tracker import costs, sales
from tracker.audit import By
from tracker.models import Company

ADDRESSES = (
    "/reports?by=source&sort=net", "/reports?by=keyword&show=all&compare=yes", "/reports?by=hour&show=calls",
    "/reports?by=source&split=medium&model=position&campaign=autumn", "/reports?by=colour", "/overview",
)  # fmt: skip
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with books_in(tmp_path_factory.mktemp("reports")) as (settings, database):
        now = datetime.now(UTC)
        room = furnish(database, settings, now, (Told(5, P.billboard, "+79160000001", talk=3, sound=False),))
        with database.write() as session:
            tell_earnings(session, room.pallets, now)
            bring_by_yandex(session)
        with serving(settings) as url:
            yield Served(url, database)


def test_a_manager_finds_what_to_stop_paying_for(browser: Browser, served: Served) -> None:  # noqa: F811
    page = served.open(browser)
    page.goto("/overview")
    page.get_by_role("link", name="What should I stop paying for?").click()
    worst = page.locator(".answer li").first
    expect(worst).to_contain_text("facebook cost €17,900 and brought no sale.")
    expect(worst).to_contain_text("more than chance explains")
    worst.get_by_role("link", name="its 19 calls").click()
    expect(page.locator("tr.call")).to_have_count(19)
    page.go_back()
    expect(page.locator('.pair[aria-label^="facebook:"] .less')).to_be_attached()
    page.locator(".report").get_by_role("link", name="google").click()
    expect(page.get_by_role("link", name="Without Source: google")).to_be_visible()
    page.locator(".report").get_by_role("link", name="pallets-euro").click()
    expect(page.locator(".answer")).to_contain_text("“shower tray wooden”: 11 of 11 judged calls")
    assert complaints(page) == []


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_names_of_every_script_leave_the_bars_free(browser: Browser, served: Served, size: str) -> None:  # noqa: F811
    long_ago = (datetime.now(UTC) - timedelta(days=80)).date().isoformat()
    with served.database.write() as session:
        company, by = session.get_one(Company, 1), By(datetime.now(UTC), OWNER)
        for source in (
            "Контекстная реклама",
            "ШИРОКОФОРМАТНАЯ ПЕЧАТЬ ЩИТОВ В МЕТРО",
            "搜索引擎广告投放和社交媒体推广",
        ):
            row = {"day": long_ago, "source": source, "amount": "500"}
            costs.add_cost(session, by, company, costs.wanted_of(session, company), row)
        sold = {"at": long_ago, "revenue": "900", "profit": "300", "reference": size}
        sales.add_sale(session, by, company, sold)
    page = served.open(browser, size)
    page.goto(f"/reports?since={long_ago}&until={long_ago}")
    expect(page.locator(".pair")).to_have_count(3)
    rule = page.locator(".drawn .rule").bounding_box()
    assert rule
    for name in page.locator(".drawn .name").all():
        box = name.bounding_box()
        assert box
        assert box["width"] > 40
        assert box["x"] + box["width"] < rule["x"], name.text_content()


def test_a_column_sorts_and_a_choice_is_asked_for_at_once(browser: Browser, served: Served) -> None:  # noqa: F811
    page = served.open(browser)
    page.goto("/reports")
    page.get_by_role("columnheader", name="Cost").get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"sort=-cost#rows$"))
    expect(page.locator(".report tbody th").first).to_have_text("google")
    expect(page.get_by_role("columnheader", name="Cost")).to_have_attribute("aria-sort", "descending")
    page.get_by_label("Rows").select_option("Keywords")
    expect(page).to_have_url(re.compile(r"/reports\?by=keyword&leads=calls$"))
    page.get_by_label("Compare with the days before").check()
    expect(page.locator(".report .was").first).to_be_visible()
    assert complaints(page) == []


def test_what_chance_leaves_is_opened_by_keys_and_stands_on_paper(browser: Browser, served: Served) -> None:  # noqa: F811
    page = served.open(browser)
    page.goto("/reports?by=source&sort=net")
    closed = page.locator(".report td:not(:has(details))").all_text_contents()
    assert [text for text in closed if "~" in text] == []  # each ~ can be opened
    few = page.locator(".chance").first
    expect(few.locator("small")).to_be_hidden()
    few.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(few.locator("small")).to_have_text(re.compile(r"^0.00% to \d+\.\d\d%$"))
    page.emulate_media(media="print")
    expect(page.locator(".chance small").last).to_be_visible()
    for away in (".top", ".periods", ".reask", ".views", ".tools"):
        expect(page.locator(away).first).to_be_hidden()
    expect(page.locator(".answer")).to_be_visible()
    sheet = page.pdf(prefer_css_page_size=True)
    width, height = re.findall(rb"/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]", sheet)[0]
    assert float(width) > float(height)


@pytest.mark.parametrize("words", ["model=first&against=last", "split=campaign", "compare=yes"])
def test_all_columns_fit_a_sheet_also_with_a_second_figure(
    browser: Browser,  # noqa: F811
    served: Served,
    words: str,
) -> None:
    page = served.open(browser)
    page.goto(f"/reports?by=source&show=all&{words}")
    expect(page.locator(".on-paper").first).to_be_hidden()
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 1032, "height": 703})  # A4 on its side, within its margins
    assert page.evaluate(SIDEWAYS) == 0
    expect(page.locator(".on-paper").first).to_be_visible()
    expect(page.locator(".on-screen").first).to_be_hidden()


def test_without_a_script_it_is_a_form_and_a_table(browser: Browser, served: Served) -> None:  # noqa: F811
    context = browser.new_context(base_url=served.url, java_script_enabled=False)
    page = log_in(context.new_page(), served.url, served.database, OWNER)
    page.goto("/reports")
    expect(page.locator(".drawn")).to_be_hidden()
    page.get_by_label("Rows").select_option("Campaigns")
    page.locator(".asks").get_by_role("button", name="Show").click()
    page.get_by_role("columnheader", name="ROMI").get_by_role("link").click()
    expect(page.locator(".report tbody th").first).to_have_text("october")
    context.close()


@pytest.mark.parametrize(("size", "dark"), [("desktop", False), ("desktop", True), ("phone", True)])
def test_everybody_can_use_the_page(browser: Browser, served: Served, size: str, dark: bool) -> None:  # noqa: F811
    page = served.open(browser, size, dark=dark)
    for path in ADDRESSES:
        page.goto(path)
        page.evaluate("document.querySelectorAll('details:not(.menu)').forEach(it => { it.open = true })")
        assert axe(page) == [], path
        assert page.evaluate(SIDEWAYS) <= 0, path
    assert [it for it in complaints(page) if "400" not in it] == []


def test_on_a_phone_the_answer_comes_before_the_form(browser: Browser, served: Served) -> None:  # noqa: F811
    page = served.open(browser, "phone")
    page.goto("/reports?by=source&sort=net")
    expect(page.get_by_label("Rows")).to_be_hidden()
    box = page.locator(".answer li").first.bounding_box()
    assert box
    assert box["y"] < SIZES["phone"][1]
    page.get_by_text("Change the report").click()
    expect(page.get_by_label("Rows")).to_be_visible()
