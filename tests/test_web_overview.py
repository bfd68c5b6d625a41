"""The overview in a real Chromium: figures that lead to their calls, drawings, tables, paper, phones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect
from support.browser import axe, browser, complaints, open_page, serving  # noqa: F401  (browser is a fixture)
from support.command import Installation, make_ready
from support.facts import Pallets, add_pallets
from support.journeys import tell_journeys
from support.recorded import settings_in
from support.served import books_in, log_in
from support.showroom import OWNER, Showroom, Told, furnish
from support.site import Site

from tracker import worth
from tracker.audit import By
from tracker.database import Database
from tracker.models import Call, Category, Company
from tracker.settings import Settings

P = Pallets
CALLS = (
    *(Told(30 + 7 * place, P.billboard, f"+7916000{place:04}", talk=60, sound=False) for place in range(6)),
    *(Told(4000 + 900 * place, P.leaflet, f"+7916111{place:04}", "missed", wait=20) for place in range(4)),
    Told(50000, P.leaflet, "+79162220000", talk=30, sound=False),
)

SHIFT = """() => new Promise((done) => {
  const sum = (list) => list.getEntries().reduce((all, it) => all + it.value, 0);
  new PerformanceObserver((list) => done(sum(list))).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(0), 300);
})"""


class Served:
    """A running page over a furnished house."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.at, self.database = datetime.now(UTC), database
        self.room: Showroom = furnish(database, settings, self.at, CALLS)
        with self.database.write() as session:
            tell_journeys(session, self.room.pallets, self.at)
            told = {call.key: call for call in session.scalars(sa.select(Call))}
            mine = By(self.at, OWNER)
            worth.categorise(session, mine, [told[self.room.keys[0]], told["certain"]], Category.TARGET)
            worth.categorise(session, mine, [told[self.room.keys[1]]], Category.NON_TARGET)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, str]]:
    with books_in(tmp_path_factory.mktemp("page")) as (settings, database):
        house = Served(settings, database)
        with serving(settings) as url:
            yield house, url


@pytest.fixture(params=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, served: tuple[Served, str]) -> Iterator[Page]:  # noqa: F811
    house, url = served
    opened = log_in(
        open_page(browser, url, size=request.param, dark=request.param == "phone"), url, house.database, OWNER
    )
    yield opened
    assert complaints(opened) == []
    opened.context.close()


def test_the_first_page_draws_what_its_tables_say(page: Page) -> None:
    page.goto("/")
    expect(page).to_have_url(re.compile("/overview$"))
    expect(page.locator(".plot.bars a").first).to_be_visible()
    expect(page.locator(".plot.flows .flow").first).to_be_attached()
    expect(page.locator(".spark .way").first).to_be_attached()
    rows = page.locator("#days tbody tr")
    assert rows.count() == page.locator(".plot.bars .bar").count() == 30
    drawn = page.locator(".plot.bars a").evaluate_all(
        "links => links.map(link => link.getAttribute('aria-label'))"
    )
    written = rows.evaluate_all(
        "rows => rows.filter(row => +row.cells[1].dataset.n).map(row => row.cells[1].dataset.n)"
    )
    assert [re.search(r"Calls (\d+)", each)[1] for each in drawn] == written  # type: ignore[index]
    assert axe(page) == []
    page.locator(".figures-of summary").first.click()
    expect(rows.first).to_be_visible()
    page.get_by_label("Missed", exact=True).check()
    expect(page.locator(".missed-of").first).to_be_visible()
    expect(page.locator(".heat .calls-of").first).to_be_hidden()
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_figure_leads_to_its_calls_by_press_and_by_key(page: Page) -> None:
    page.goto("/overview?period=30d")
    missed = page.locator(".tile", has_text="Missed").get_by_role("link").first
    count = int(missed.inner_text())
    missed.click()
    expect(page.locator("tr.call")).to_have_count(count)
    page.go_back()
    source = page.get_by_role("row", name=re.compile("^Billboard")).first
    source.get_by_role("link").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Without Channel: Billboard")).to_be_visible()
    page.go_back()
    bar = page.locator(".plot.bars a").last
    said = bar.get_attribute("aria-label") or ""
    bar.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/calls?*")
    expect(page.locator("tr.call")).to_have_count(int(re.search(r"Calls (\d+)", said)[1]))  # type: ignore[index]


def test_the_days_are_chosen_and_the_address_is_the_view(page: Page) -> None:
    page.goto("/overview")
    page.get_by_role("link", name="7 days").click()
    expect(page).to_have_url(re.compile(r"/overview\?period=7d$"))
    expect(page.locator("#days tbody tr")).to_have_count(7)
    page.get_by_label("From", exact=True).fill("2026-01-01")
    page.get_by_label("To", exact=True).fill("2026-01-01")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile(r"since=2026-01-01&until=2026-01-01$"))
    expect(page.get_by_text("No calls in these days")).to_be_visible()
    expect(page.get_by_text("1 Jan 2026, compared with 31 Dec 2025")).to_be_visible()
    assert axe(page) == []


def test_on_paper_everything_folded_away_is_there(page: Page) -> None:
    page.goto("/overview")
    expect(page.locator("#flows")).to_be_hidden()
    page.emulate_media(media="print")
    for table in ("#days", "#flows", "#worth"):
        expect(page.locator(table)).to_be_visible()
    expect(page.locator(".periods")).to_be_hidden()


def test_nothing_moves_when_the_drawings_come(page: Page) -> None:
    page.goto("/overview")
    expect(page.locator(".plot.bars svg")).to_be_visible()
    shift = page.evaluate(SHIFT)
    assert shift < 0.01


def test_a_first_visit_transfers_little(browser: Browser, served: tuple[Served, str]) -> None:  # noqa: F811
    house, url = served
    opened = log_in(open_page(browser, url), url, house.database, OWNER)
    opened.goto("/overview", wait_until="networkidle")
    sizes = opened.evaluate(
        "[...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]"
        ".map(it => it.transferSize)"
    )
    assert 10_000 < sum(sizes) < 150_000
    opened.context.close()


def test_without_a_script_the_tables_say_it_all(browser: Browser, served: tuple[Served, str]) -> None:  # noqa: F811
    house, url = served
    context = browser.new_context(base_url=url, java_script_enabled=False)
    plain = log_in(context.new_page(), url, house.database, OWNER)
    plain.goto("/overview")
    expect(plain.locator(".plot.bars")).to_be_hidden()
    plain.locator(".figures-of summary").first.click()
    expect(plain.locator("#days tbody tr").first).to_be_visible()
    context.close()


# ---- without a browser ----


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    return Site(sqlite, settings_in(tmp_path, secret_key="k" * 40), now)


def ann(site: Site, *company_ids: int) -> FlaskClient:
    return site.log_in("ann@pallets.example", *company_ids)


def test_who_has_no_calls_is_told_what_to_do(site: Site, now: datetime) -> None:
    with site.database.write() as session:
        pallets = add_pallets(session, now)
    assert "No calls yet" in ann(site, pallets.company_id).get("/overview").text
    assert "You see no company yet" in site.log_in("eve@pallets.example").get("/overview").text


def test_calls_that_nobody_judged_are_asked_for(site: Site, now: datetime, tmp_path: Path) -> None:
    room = furnish(site.database, settings_in(tmp_path), now, CALLS[:1])
    page = ann(site, room.pallets.company_id).get("/overview").text
    assert "Nobody has said yet what these calls were worth." in page
    assert "/calls?period=30d&amp;category=none&amp;outcome=answered" in page
    assert "1 not judged yet" in page


def test_figures_are_of_all_companies_that_are_seen(site: Site, now: datetime, tmp_path: Path) -> None:
    room = furnish(site.database, settings_in(tmp_path), now, CALLS[:2])
    with site.database.write() as session:
        other = Company(slug="other", name="Other", default_region="DE", created_at=now)
        session.add(other)
        session.flush()
        other_id = other.id
    both = ann(site, room.pallets.company_id, other_id)
    assert 'href="/calls?period=30d">2</a>' in both.get("/overview").text
    theirs = site.log_in("eve@other.example", other_id).get("/overview")
    assert "No calls yet" in theirs.text


@pytest.mark.parametrize("query", ["period=year", "since=2026-13-01", "since=2099-01-01", "since=1999-01-01"])
def test_days_that_cannot_be_meant_are_refused(site: Site, now: datetime, query: str) -> None:
    with site.database.write() as session:
        pallets = add_pallets(session, now)
    assert ann(site, pallets.company_id).get(f"/overview?{query}").status_code == 400


def test_the_command_line_tells_the_same(tmp_path: Path) -> None:
    here = Installation(tmp_path)
    make_ready(here)
    database = Database(f"sqlite:///{tmp_path / 'leaseline.db'}")
    furnish(database, settings_in(tmp_path), datetime.now(UTC), CALLS)
    database.close()
    told = here.json("overview", "--period", "90d")
    assert (told["figures"]["calls"], told["figures"]["missed"], told["figures"]["callers"]) == (11, 4, 11)
    assert {line["source"]: line["calls"] for line in told["sources"]} == {
        "channel/Billboard": 6,
        "channel/Leaflet": 4,
        "none": 1,  # before the number was the leaflet's
    }
    assert [it["name"] for it in told["employees"]] == ["office"]
    text = here.done("overview", "--period", "90d")
    for words in ("answered            64 %", "channel/Leaflet", "+74951234567"):
        assert words in text
    assert "has not come yet" in here.refused("overview", "--since", "2199-01-01")
