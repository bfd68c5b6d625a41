"""The page of reports: the worked tables to the printed digit, links to exactly the calls, whose it is."""

from __future__ import annotations

import csv
import html
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from support.books import fill
from support.command import Installation
from support.earnings import bring_by_yandex, tell_earnings
from support.facts import add_pallets
from support.recorded import settings_in
from support.report_page import Table, read_table
from support.site import Site, log_in
from test_report_tables import AD, FIRST, TRAY, here  # noqa: F401  (here is a fixture)

from tracker.database import Database
from tracker.models import AuditEntry, Call, Category, ChannelRent, Company, Cost, Role, Sale, Visit
from tracker.policy.credit import Model
from tracker.policy.report import Leads
from tracker.policy.report_words import Blank, By
from web.report_names import BLANKS, BY, LEADS, MODELS

AFTER = datetime(2025, 12, 3, 9, tzinfo=UTC)
MONTH = "since=2025-11-01&until=2025-11-30"
MINUS = "\N{MINUS SIGN}"


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    """Pallets with a month of earnings, and a rival."""
    fill(sqlite, "earnings and a rival", lambda: _tell(sqlite, now))
    return Site(sqlite, settings_in(tmp_path, secret_key="k" * 40), now)


def _tell(database: Database, now: datetime) -> None:
    with database.write() as session:
        pallets = add_pallets(session, now)
        tell_earnings(session, pallets, now)
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=now))


@pytest.fixture
def ann(site: Site) -> FlaskClient:
    return log_in(site, "ann@pallets.example", pallets=Role.ADMIN)


def table(browser: FlaskClient, words: str) -> Table:
    answer = browser.get(f"/reports?{words}")
    assert answer.status_code == 200, answer.text
    return read_table(answer.text)


def listed(browser: FlaskClient, link: str) -> int:
    """How many calls a link of the page lists."""
    path, _, query = link.partition("?")
    assert path == "/calls"
    text = browser.get(f"/calls.csv?{query}").text
    return len(list(csv.reader(io.StringIO(text)))) - 1


# ---- the worked tables ----


def test_the_worked_tables_are_printed_as_they_should_be(
    here: Installation,  # noqa: F811
    database: Database,
    tmp_path: Path,
) -> None:
    browser = Site(database, settings_in(tmp_path / "web", secret_key="k" * 40), AFTER).log_in(
        "ann@pallets.example", 1
    )
    campaigns_have_their_shares(browser)
    keywords_have_their_shares(browser)
    sources_have_their_returns(browser)
    what_dropping_loses_is_told(browser)
    with database.write() as session:
        tray = sa.select(Visit.id).where(Visit.keyword == TRAY)
        session.execute(sa.update(Call).values(category=Category.TARGET))
        session.execute(sa.update(Call).where(Call.visit_id.in_(tray)).values(category=Category.NON_TARGET))
    page = browser.get(f"/reports?by=keyword&{MONTH}").text
    assert f"“{TRAY}”: 12 of 12 judged calls were non-target" in page


def campaigns_have_their_shares(browser: FlaskClient) -> None:
    """T1."""
    page = table(browser, f"by=campaign&source={AD}&{MONTH}")
    assert {name: (row["Calls"].text, row["Share of calls"].text) for name, row in page.rows.items()} == {
        "772040791973": ("36", "15.1%"), "592928737383": ("54", "22.6%"), "687268291002": ("72", "30.1%"),
        "781827892373": ("12", "5.0%"), "734861291821": ("65", "27.2%"), "(not divided)": ("0", "0.0%"),
    }  # fmt: skip
    assert (page.total["Calls"].text, page.total["Share of calls"].text) == ("239", "100.0%")
    assert page.rows["(not divided)"]["Cost"].text == page.total["Cost"].text == "50,000"


def keywords_have_their_shares(browser: FlaskClient) -> None:
    """T2, with 2.8 for 1 of 36; the total says 100."""
    page = table(browser, f"by=keyword&campaign={FIRST}&{MONTH}")
    shares = [(row["Calls"].text, row["Share of calls"].text) for row in page.rows.values()]
    assert shares == [
        ("12", "33.3%"), ("8", "22.2%"), ("6", "16.7%"), ("3", "8.3%"), ("3", "8.3%"), ("3", "8.3%"),
        ("1", "2.8%"),
    ]  # fmt: skip
    assert page.total["Share of calls"].text == "100.0%"


def sources_have_their_returns(browser: FlaskClient) -> None:
    """T3 and T4."""
    page = table(browser, f"by=source&show=all&{MONTH}")
    figures = (
        "Cost", "Leads", "Orders", "Gross profit", "Conversion", "Per order", "ROMI", "Net", "Per lead",
        "Gross return",
    )  # fmt: skip
    assert {name: [row[it].text for it in figures] for name, row in page.rows.items()} == {
        AD: ["50,000", "239", "71", "617,700", "29.71%", "704", "1,135.40%", "567,700", "209", "1,235.40%"],
        "seo": ["25,000", "82", "21", "182,700", "25.61%", "1,190", "630.80%", "157,700", "305", "730.80%"],
        "социальные сети": [
            "35,000", "30", "7", "60,900", "~23.33%", "~5,000", "~74.00%", "~25,900", "1,167", "174.00%",
        ],
        "Билборд": [
            "8,000", "6", "1", "8,700", "~16.67%", "~8,000", "~8.75%", "~700", "1,333", "108.75%",
        ],
    }  # fmt: skip
    assert [page.total[it].text for it in figures] == [
        "118,000", "357", "100", "870,000", "28.01%", "1,180", "637.29%", "752,000", "331", "737.29%",
    ]  # fmt: skip
    assert page.rows["Билборд"]["Per order"].inside == ["1,436 to 315,983"]
    assert page.rows[AD]["ROMI"].inside == []


def what_dropping_loses_is_told(browser: FlaskClient) -> None:
    """T5: a ROMI below 100 % is no loss, and a higher ratio may be less money."""
    page = html.unescape(browser.get(f"/reports?by=source&sort=net&{MONTH}").text)
    assert (
        "Dropping социальные сети and Билборд would lose RUB\N{NO-BREAK SPACE}26,600, though the ROMI of the"
        " rest would rise from 637.29% to 967.20%. It pays only if the RUB\N{NO-BREAK SPACE}43,000 spent"
        " there earn a ROMI above 61.86% elsewhere."
    ) in page
    assert "Each of the 4 rows with a cost brought at least what it cost." in page
    assert "There is nothing here to stop paying for." in page
    assert "Nobody has judged a call of these days: spam and repeated calls count as leads too." in page
    assert "357 of 357 calls have a source" in page
    assert "100 of 100 orders belong to a known call or visitor." in page
    assert list(read_table(page).rows) == ["Билборд", "социальные сети", "seo", AD]


# ---- what a manager came for ----


def test_what_to_stop_paying_for_is_the_first_thing_said(ann: FlaskClient) -> None:
    page = ann.get("/reports?by=source&sort=net").text
    answer = page[page.index("What follows from this") : page.index('id="rows"')]
    told = [
        "facebook cost €17,900 and brought no sale.", "more than chance explains",
        "billboard cost €8,903 and brought no sale.", "may be chance",
        "yandex cost €4,250 more than it brought.",
    ]  # fmt: skip
    places = [answer.index(words) for words in told]
    assert places == sorted(places)
    assert "/calls?period=30d&amp;source=facebook" in answer
    assert "by=campaign&amp;source=facebook" in answer


def test_the_overview_and_the_costs_lead_there(ann: FlaskClient) -> None:
    assert 'href="/reports?period=7d&amp;by=source&amp;sort=net"' in ann.get("/overview?period=7d").text
    link = 'href="/reports?by=source&amp;sort=net&amp;since=2026-11-01&amp;until=2026-11-30"'
    assert link in ann.get("/costs?month=2026-11").text


@pytest.mark.parametrize("words", ["by=source", "by=campaign&split=medium", "by=keyword", "by=device",
                                   "by=hour", "by=category", "by=weekday&split=source",
                                   "by=employee"])  # fmt: skip
def test_each_count_leads_to_exactly_its_calls(ann: FlaskClient, words: str) -> None:
    page, followed = table(ann, f"{words}&show=calls"), 0
    for row in (*page.rows.values(), page.total):
        for title in ("Calls", "Missed", "Target", "Judged", "Non-target"):
            if row[title].links:
                followed += 1
                assert listed(ann, row[title].link) == int(row[title].text), (words, title)
    assert followed >= 5


def test_what_a_model_shares_leads_to_no_calls(ann: FlaskClient) -> None:
    page = table(ann, "by=source&model=linear&show=calls")
    assert page.rows["google"]["Calls"].links
    assert page.rows["google"]["Target"].links == []


def test_each_row_leads_to_a_narrower_report(ann: FlaskClient) -> None:
    sources = table(ann, "by=source")
    campaigns = table(ann, sources.rows["google"][""].link.partition("?")[2])
    assert campaigns.total["Calls"].text == sources.rows["google"]["Calls"].text
    keywords = table(ann, campaigns.rows["pallets-euro"][""].link.partition("?")[2])
    assert list(keywords.rows) == ["euro pallets buy", "pallet prices", "shower tray wooden"]
    assert keywords.total["Calls"].text == campaigns.rows["pallets-euro"]["Calls"].text == "82"
    ads = table(ann, keywords.rows["pallet prices"][""].link.partition("?")[2])
    assert ads.total["Calls"].text == "22"
    assert all(row[""].links == [] for row in ads.rows.values())


def test_the_table_is_sorted_by_the_column_that_is_pressed(ann: FlaskClient) -> None:
    page = table(ann, "by=source")
    for title, column in (("Cost", "Cost"), ("ROMI", "ROMI"), ("Calls", "Calls")):
        down = table(ann, page.heads[title].link.partition("?")[2].partition("#")[0])
        up = table(ann, down.heads[title].link.partition("?")[2].partition("#")[0])
        known = [[value for row in it.rows.values() if (value := number(row[column].text)) is not None]
                 for it in (down, up)]  # fmt: skip
        assert known[0] == sorted(known[0], reverse=True)
        assert known[1] == sorted(known[1])
        assert all(number(row[column].text) is None for row in list(down.rows.values())[len(known[0]) :])
    names = list(table(ann, "by=source&sort=name").rows)
    assert names == sorted(names, key=str.casefold)


def number(text: str) -> float | None:
    plain = text.replace(MINUS, "-").strip("~%").replace(",", "")
    return None if plain == "–" else float(plain)


def test_the_days_before_stand_beneath(ann: FlaskClient) -> None:
    page = table(ann, "by=source&since=2026-11-13&until=2026-11-19&compare=yes")
    before = table(ann, "by=source&since=2026-11-06&until=2026-11-12")
    for title in ("Calls", "Orders", "Cost"):
        beneath = {name: row[title].inside[1] for name, row in page.rows.items()}
        told = {name: before.rows[name][title].text if name in before.rows else "0" for name in page.rows}
        assert {name: told[name] for name in before.rows} == {name: beneath[name] for name in before.rows}
        assert page.total[title].inside[1] == before.total[title].text


def test_another_model_stands_beneath_where_it_differs(site: Site, ann: FlaskClient) -> None:
    with site.database.write() as session:
        bring_by_yandex(session)
    page = ann.get("/reports?by=source&model=first&against=last").text
    assert "The smaller figures, where they differ, are by the model “Last touch”." in page
    orders = {name: (row["Orders"].text, row["Orders"].inside) for name, row in read_table(page).rows.items()}
    assert orders["yandex"] == ("7", ["Last touch:", "6", "+17%"])
    assert orders["google"] == ("28", ["Last touch:", "29", f"{MINUS}3%"])
    assert orders["vk.com"] == ("1", [])


def test_many_rows_come_in_portions_and_all_are_in_the_csv(site: Site, ann: FlaskClient) -> None:
    page = ann.get("/reports?by=source&first=3").text
    assert len(read_table(page).rows) == 3
    assert "3 of 8 rows; the total counts all, and all are in the CSV." in page
    assert "first=1000" in page
    assert len(ann.get("/reports.csv?by=source&first=3").text.splitlines()) == 1 + 8 + 1


# ---- the form, and what cannot be ----


@pytest.mark.parametrize("words", ["by=colour", "split=x", "model=guess", "leads=all", "by=tag&model=first",
                                   "since=yesterday", "since=2099-01-01", "period=year", "against=x",
                                   "against=first&model=first", "by=source&split=source"])  # fmt: skip
def test_an_address_that_cannot_be_meant_shows_the_form_and_why(ann: FlaskClient, words: str) -> None:
    answer = ann.get(f"/reports?{words}")
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert '<select id="by" name="by">' in answer.text
    told = ann.get(f"/reports?{words}", headers={"Accept": "application/json"}).json
    assert told
    assert told["error"]["id"] in {
        "report.malformed", "filter.malformed", "filter.future",
    }  # fmt: skip


def test_looks_that_mean_nothing_are_the_usual_ones(ann: FlaskClient) -> None:
    usual = table(ann, "by=source").rows
    for words in ("sort=colour", "show=x", "first=-3", "first=9999999", "first=x", "colour=red"):
        assert list(table(ann, f"by=source&{words}").rows) == list(usual), words


def test_who_has_entered_no_money_is_told_how(site: Site, now: datetime) -> None:
    with site.database.write() as session:
        for model in (Sale, Cost, ChannelRent):
            session.execute(sa.delete(model))
    admin = log_in(site, "ada@pallets.example", pallets=Role.ADMIN)
    manager = log_in(site, "max@pallets.example", pallets=Role.MANAGER)
    page = admin.get("/reports").text
    assert "Nobody has said what advertising cost in these days" in page
    assert "/costs?month=2026-11#import" in page
    assert "No sale is known of these days" in page
    assert "Ask an owner or an admin to write the costs down." in manager.get("/reports").text
    assert "Nothing in these days" in manager.get("/reports?since=2026-01-01&until=2026-01-02").text
    new = log_in(site, "eve@rival.example", rival=Role.OWNER).get("/reports").text
    assert "No calls yet" in new


# ---- whose it is ----


def test_a_manager_may_and_a_listener_may_not(site: Site) -> None:
    manager = log_in(site, "max@pallets.example", pallets=Role.MANAGER)
    listener = log_in(site, "lea@pallets.example", pallets=Role.LISTENER)
    for path in ("/reports", "/reports.csv"):
        assert [who.get(path).status_code for who in (manager, listener)] == [200, 403]
    assert 'href="/reports"' in manager.get("/overview").text
    assert "/reports" not in listener.get("/overview").text


def test_each_company_has_its_own_report(site: Site) -> None:
    rival = log_in(site, "eve@rival.example", rival=Role.OWNER)
    for path in ("/reports?by=keyword", "/reports?by=source&compare=yes", "/reports.csv"):
        assert "pallet" not in rival.get(path).text.lower(), path
    assert rival.get("/reports?company=pallets").status_code == 404


def test_who_sees_several_companies_chooses_one(site: Site) -> None:
    both = log_in(site, "bea@agency.example", pallets=Role.MANAGER, rival=Role.MANAGER)
    asked = both.get("/reports?by=keyword&period=90d").text
    assert "Which company?" in asked
    assert 'href="/reports?by=keyword&amp;period=90d&amp;company=pallets"' in asked
    assert both.get("/reports.csv").status_code == 400
    page = table(both, "by=source&company=pallets")
    link = page.rows["facebook"]["Calls"].link
    assert "company=pallets" in link
    both.get("/calls?company=")
    assert listed(both, link) == int(page.rows["facebook"]["Calls"].text)


# ---- as CSV ----


def test_the_csv_is_the_report_and_no_formula(site: Site, ann: FlaskClient) -> None:
    with site.database.write() as session:
        evil = '=HYPERLINK("http://evil.example","prices")'
        session.execute(sa.update(Visit).where(Visit.source == "facebook").values(source=evil))
    answer = ann.get("/reports.csv?by=source&period=30d")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="report-source-2026-')
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"))))
    assert "'" + evil in {row["source"] for row in rows}
    assert (rows[-1]["source"], rows[-1]["cost"]) == ("total", "76903.23")
    with site.database.read() as session:
        (entry,) = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "report.export"))
        assert entry.detail == {"report": "?by=source&period=30d", "format": "csv"}
        assert entry.actor == "ann@pallets.example"
    assert "Exported a report" in ann.get("/audit").text


# ---- words ----


def test_every_kind_of_row_and_every_choice_has_a_name() -> None:
    assert set(BY) == set(By)
    assert set(BLANKS) == set(Blank)
    assert set(MODELS) == {None, *Model}
    assert set(LEADS) == set(Leads)


@pytest.mark.parametrize("by", By)
def test_every_kind_of_row_is_shown(ann: FlaskClient, by: By) -> None:
    assert table(ann, f"by={by.value}").rows
