"""Paths to target calls and sales on real books: none is lost, who helped is seen, all doors say the same."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.command import Installation, furnish
from support.journeys import Came, add_visit, add_visitor
from support.recorded import settings_in
from support.site import Site, log_in
from test_overview import BERLIN, NOW, USUAL, told
from test_reports import ReportBooks

from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import Call, Category, Company, Role, Visit
from tracker.path_report import describe, flat, read_paths
from tracker.policy.journeys import Goal
from tracker.policy.path_table import BY, PathTable, PathWish, read_path_wish
from tracker.policy.report_words import By

PAGE = "/reports/paths"


class PathBooks(ReportBooks):
    def paths(self, wish: PathWish, **words: str) -> PathTable:
        asked = {name: [word] for name, word in (words or {"period": "90d"}).items()}
        with self.database.read() as session:
            company = session.get_one(Company, self.pallets.company_id)
            return read_paths(session, company, wish, asked, NOW)

    def buy(self) -> None:
        """An ad, a letter, the letter again, then a call that sold for 100; and one sale of nobody."""
        self.tell([])
        with self.database.write() as session:
            visitor = add_visitor(session, self.pallets, "buyer", NOW)
            visits = [
                add_visit(session, self.pallets, visitor, came(minutes, source), NOW)
                for minutes, source in ((3 * 1440, "ad"), (2 * 1440, "letter"), (60, "letter"))
            ]
            session.execute(
                sa.insert(Call), [self.row(0, USUAL | {"minutes": 20, "category": Category.TARGET})]
            )
            call = session.scalars(sa.select(Call)).one()
            call.visit_id, call.channel_id = visits[-1].id, None
            self.sell(session, Decimal(100), call=call)
            self.sell(session, Decimal(7))


def came(minutes: float, source: str) -> Came:
    return Came(minutes, "m", source, "Paid Search" if source == "ad" else "Email", (("", "", 1),))


@pytest.fixture
def books(database: Database) -> PathBooks:
    return PathBooks(database, BERLIN)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(told, max_size=40), by=st.sampled_from(BY), goal=st.sampled_from(Goal))
def test_paths_are_as_many_as_the_report_counts(
    books: PathBooks, told: list[dict[str, Any]], by: By, goal: Goal
) -> None:
    books.tell(told)
    whole = books.report(By.SOURCE, words={"period": "90d"}).whole.sums
    table = books.paths(PathWish(by, goal, top=3))
    rows = [*table.paths, *([table.others] if table.others else [])]
    assert sum(row.conversions for row in rows) == table.conversions
    assert table.conversions == (whole.orders if goal is Goal.SALE else whole.target)
    assert sum(row.revenue for row in rows) == ((whole.revenue or 0) if goal is Goal.SALE else 0)
    assert sum(row.share for row in rows if row.share is not None) == (1 if rows else 0)
    for part in ("began", "ended"):
        assert sum(getattr(it, part).conversions for it in table.origins) == table.known
    assert table.persons <= table.conversions
    assert table.several <= table.known <= table.conversions


def test_who_began_and_who_helped_is_told_beside_who_ended(books: PathBooks) -> None:
    books.buy()
    told = describe(books.paths(PathWish(By.SOURCE)))
    assert (told["goal"], told["conversions"], told["known"], told["over_several"]) == ("sale", 2, 1, 1)
    assert told["paths"] == [
        {"path": ["ad", "letter"], "conversions": 1, "share_percent": 50.0, "revenue": Decimal("100.00"),
         "median_touches": 3, "median_days": 2},
        {"path": [], "conversions": 1, "share_percent": 50.0, "revenue": Decimal("7.00"),
         "median_touches": None, "median_days": None},
    ]  # fmt: skip
    ad, letter = sorted(told["origins"], key=lambda it: str(it["source"]))
    assert (ad["first"]["conversions"], ad["last"]["conversions"], ad["assisted"]["conversions"]) == (1, 0, 1)
    assert (letter["last"]["revenue"], letter["assisted_per_last"], ad["assisted_per_last"]) == (100, 0, None)
    assert letter["filter"] == {"period": ["90d"], "source": ["letter"]}


def test_target_calls_are_told_where_nothing_was_sold(books: PathBooks) -> None:
    books.buy()
    early = books.paths(PathWish(By.CHANNEL), since="2026-10-01", until="2026-10-02")
    assert (early.goal, early.conversions, early.paths, early.has_money) == (Goal.TARGET_CALL, 0, [], False)
    table = books.paths(PathWish(By.CHANNEL, Goal.TARGET_CALL))
    assert [str(row["median_touches"]) for row in flat(table)] == ["3.0"]  # a median of two may be 1.5
    assert [row["path"] for row in flat(table)] == ["Paid Search → Email"]
    assert [row["revenue"] for row in flat(table)] == [None]


@pytest.mark.parametrize(
    "words", [{"by": "colour"}, {"by": "tag"}, {"goal": "joy"}, {"top": "0"}, {"top": "501"}, {"top": "many"}]
)
def test_words_that_are_none_are_refused(words: dict[str, str]) -> None:
    with pytest.raises(Rejected) as refused:
        read_path_wish(words)
    assert refused.value.id == "report.malformed"


@pytest.fixture
def site(sqlite: Database, tmp_path: Path) -> Site:
    PathBooks(sqlite, BERLIN).buy()
    with sqlite.write() as session:
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=NOW))
    return Site(sqlite, settings_in(tmp_path, secret_key="k" * 40), NOW)


def test_the_page_and_the_api_say_the_same(site: Site) -> None:
    ann = log_in(site, "ann@pallets.example", pallets=Role.MANAGER)
    told = ann.get("/api/v1/paths?by=source&period=90d").json or {}
    assert told["paths"][0]["path"] == ["ad", "letter"]
    page = ann.get(f"{PAGE}?by=source&period=90d").text
    assert '<ol class="path"><li>ad</li><li>letter</li></ol>' in page
    assert "2 sales" in page
    assert "/calls?period=90d&amp;source=letter" in page
    assert ann.get(f"{PAGE}?goal=target_call&period=90d&by=source").text.count("<li>letter</li>") == 1
    assert "No sales in these days" in ann.get(f"{PAGE}?goal=sale&since=2026-10-01&until=2026-10-02").text
    assert "Half of them took more than 2 days" in page
    refused = ann.get(f"{PAGE}?by=tag")
    assert (refused.status_code, 'role="alert"' in refused.text) == (400, True)


def test_paths_of_one_day_are_told_as_such(site: Site) -> None:
    early = NOW - timedelta(hours=1)
    with site.database.write() as session:
        session.execute(sa.update(Visit).where(Visit.started_at < early).values(started_at=early))
    page = log_in(site, "ann@pallets.example", pallets=Role.MANAGER).get(f"{PAGE}?by=source&period=90d").text
    assert "Half of them took less than a day" in page
    assert "more than 0 days" not in page


def test_only_managers_of_the_company_see_its_paths(site: Site) -> None:
    bob = log_in(site, "bob@pallets.example", pallets=Role.LISTENER)
    assert [bob.get(path).status_code for path in (PAGE, "/api/v1/paths")] == [403, 403]
    eve = log_in(site, "eve@rival.example", rival=Role.OWNER)
    assert "letter" not in eve.get(f"{PAGE}?by=source&period=90d").text
    assert (eve.get("/api/v1/paths?by=source&period=90d").json or {})["paths"] == []
    both = log_in(site, "eva@pallets.example", pallets=Role.OWNER, rival=Role.OWNER)
    chosen = both.get(f"{PAGE}?by=source").text
    assert "Which company?" in chosen
    assert f'href="{PAGE}?by=source&amp;company=pallets"' in chosen


def test_the_command_prints_tables_csv_and_json(tmp_path: Path, now: datetime) -> None:
    here = Installation(tmp_path / "home")
    furnish(here)
    here.done("sale", "add", "70", "--at", "2025-11-05T12:00")
    days = ("--since", "2025-11-01", "--until", "2025-11-30")
    assert list(csv.DictReader(io.StringIO(here.done("paths", "--csv", *days)))) == [
        {"path": "(nothing known)", "conversions": "1", "share_percent": "100.0", "revenue": "70.00",
         "median_touches": "", "median_days": ""},
    ]  # fmt: skip
    assert here.json("paths", *days)["conversions"] == 1
    assert "1 sales of 1 persons" in here.done("paths", *days)
    assert "No target calls" in here.done("paths", "--goal", "target_call", *days)
