"""Saved reports in a real Chromium: saved, sent, shared and read; everybody can use the pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, expect
from support.browser import SIZES, axe, browser, complaints, open_page, serving  # noqa: F401  (browser)
from support.served import Served, books_in
from support.showroom import DAY, OWNER, add_company, place

from tracker import costs, people, saved_reports
from tracker.audit import By
from tracker.models import Company, Role
from tracker.policy.tongue import Tongue
from tracker.report_mail import Told, html
from tracker.reports import read_asked


class Saved(Served):
    """A running page over some days of calls, and its database."""

    def save(self, name: str) -> int:
        with self.database.write() as session:
            by, company = By(datetime.now(UTC), OWNER), session.get_one(Company, 1)
            return saved_reports.save(session, by, company, name, {"by": "source", "compare": "yes"}).id


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saved]:
    with books_in(tmp_path_factory.mktemp("saved")) as (settings, database):
        now = datetime.now(UTC)
        with database.write() as session:
            pallets = add_company(session, now, "pallets")
            place(session, pallets, now, DAY)
            company, owner = session.get_one(Company, 1), people.add_user(session, OWNER, "Olga Orlova", now)
            people.give_role(session, owner, company, Role.OWNER)
            row = {
                "day": (now - timedelta(days=1)).date().isoformat(),
                "channel": "Billboard",
                "amount": "900",
            }
            costs.add_cost(session, By(now, OWNER), company, costs.wanted_of(session, company), row)
        with serving(settings) as url:
            yield Saved(url, database)


@pytest.mark.parametrize("size", SIZES)
def test_a_report_is_sent_regularly_and_shared_with_somebody_without_an_account(
    browser: Browser,  # noqa: F811
    served: Saved,
    size: str,
) -> None:
    name = f"Sources, {size}"
    served.save(name)
    page = served.open(browser, size)
    page.goto(f"{served.url}/reports/saved")
    card = page.locator("article", has_text=name)
    card.get_by_text("Send it regularly").click()
    card.get_by_label("Every month, day").check()
    card.get_by_label("Day of the month").select_option("31")
    card.get_by_label("E-mail addresses").fill("boss")
    card.get_by_role("button", name="Send it then").click()
    expect(card.get_by_role("alert")).to_contain_text("'boss' is no e-mail address")
    expect(card.get_by_label("E-mail addresses")).to_have_value("boss")
    assert axe(page) == []
    card.get_by_label("E-mail addresses").fill("boss@pallets.example")
    card.get_by_role("button", name="Send it then").click()
    expect(card).to_contain_text("Every month: day 31, 08:00")
    card.get_by_role("button", name="Make a link").click()
    link = card.get_by_label("Link to this report").input_value()
    stranger = open_page(browser, served.url, size=size)
    stranger.goto(served.url + link[link.index("/shared/") :])
    expect(stranger.get_by_role("heading", level=1)).to_have_text(name)
    expect(stranger.locator("tfoot")).to_contain_text("900")
    assert axe(stranger) == []
    assert complaints(stranger) == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("words", [{}, {"compare": "yes"}, {"model": "first", "against": "last"}])
def test_its_mail_is_read_on_any_screen(
    browser: Browser,  # noqa: F811
    served: Saved,
    size: str,
    words: dict[str, str],
) -> None:
    with served.database.read() as session:
        company = session.get_one(Company, 1)
        report = read_asked(session, company, {"by": "source", **words}, datetime.now(UTC))
    told = Told("Pallets", "Spring", served.url, served.url, "Olga", "Every day: 08:00", "UTC", "a.xlsx")
    page = open_page(browser, served.url, size=size)
    page.set_content(html(report, told, Tongue()))
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0
    expect(page.get_by_role("link", name="Open the report")).to_be_visible()


@pytest.mark.parametrize("size", SIZES)
def test_a_report_is_saved_from_its_page_as_it_is_shown(
    browser: Browser,  # noqa: F811
    served: Saved,
    size: str,
) -> None:
    page = served.open(browser, size)
    page.goto(f"{served.url}/reports?by=medium&period=7d&sort=-calls")
    page.get_by_text("Save this report").click()
    page.get_by_label("Name").fill(f"Media, {size}")
    assert axe(page) == []
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    page.get_by_role("button", name="Save", exact=True).click()
    card = page.locator("article", has_text=f"Media, {size}")
    expect(card).to_contain_text("Medium · 7 days")
    expect(card.get_by_role("link", name="Open")).to_have_attribute("href", re.compile("sort=-calls"))
    with page.expect_download() as downloading:
        card.get_by_role("link", name="Excel").click()
    assert downloading.value.suggested_filename.endswith(".xlsx")
    assert complaints(page) == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dark", [False, True])
def test_everybody_can_use_the_pages(browser: Browser, served: Saved, size: str, dark: bool) -> None:  # noqa: F811
    report = served.save(f"Looked at, {size}, {dark}")
    with served.database.write() as session:
        saved = saved_reports.get_report(session, [1], report)
        token = saved_reports.make_link(session, By(datetime.now(UTC), OWNER), saved, days=7)
    page = served.open(browser, size, dark=dark)
    for path in ("/reports/saved", f"/shared/reports/{token}"):
        page.goto(served.url + path)
        if path == "/reports/saved":
            page.locator(".kept-report .fold > summary").last.click()
            page.locator(".kept-report .drop > summary").first.click()
        assert axe(page) == [], path
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, path
    assert complaints(page) == []
