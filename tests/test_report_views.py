"""Views for engineers' own tools: they say what reports say, nobody writes by them, upgrades keep them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.postgres import Postgres
from test_overview import BERLIN, NOW, USUAL, told
from test_reports import ReportBooks

import migrations
from tracker.database import Database
from tracker.models import Base, Call, Sale
from tracker.policy.costs import Entered
from tracker.policy.facts import Presentation
from tracker.policy.report_words import By
from tracker.policy.sales import SaleStatus
from tracker.report_views import VIEWS, as_markdown, drop_views, make_views

DOCS = Path(__file__).parents[1] / "docs" / "integrator.md"
COLUMNS = {
    By.SOURCE: "source", By.MEDIUM: "medium", By.CAMPAIGN: "campaign", By.KEYWORD: "keyword", By.AD: "ad",
    By.CHANNEL: "channel", By.LANDING: "landing_page", By.SITE: "site", By.COUNTRY: "country",
    By.DEVICE: "device", By.KIND: "kind", By.DELAY: "delay", By.CALLER: "first_or_repeat",
    By.NUMBER: "number", By.EMPLOYEE: "answered_by", By.CATEGORY: "category",
}  # fmt: skip
SECRET = {"visitor_key", "click_ids", "parameters", "analytics_ids", "consent", "password", "note", "phone"}


@pytest.fixture
def books(database: Database) -> ReportBooks:
    with database.engine.begin() as connection:
        make_views(connection)
    return ReportBooks(database, BERLIN)


def rows(books: ReportBooks, statement: str) -> list[Any]:
    with books.database.read() as session:
        return list(session.execute(sa.text(statement)))


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(told, max_size=40))
def test_views_count_what_reports_count(books: ReportBooks, told: list[dict[str, Any]]) -> None:
    books.tell(told)
    within = f"company_id = {books.pallets.company_id}"
    for by, column in COLUMNS.items():
        found = Counter(
            {row[0]: row[1] for row in rows(books, f"SELECT {column}, count(*) FROM report_calls"
                                                   f" WHERE {within} GROUP BY 1")}
        )  # fmt: skip
        report = books.report(by, words={"since": "2026-01-01"})
        expected = Counter[Any]()
        for line in report.lines:
            expected[line.key[0] if isinstance(line.key[0], str) else None] += int(line.sums.calls)
        assert +found == +expected, by
    ((orders, revenue),) = rows(
        books, f"SELECT count(*), sum(revenue) FROM report_sales WHERE {within} AND status = 'won'"
    )
    whole = books.report(By.SOURCE, words={"since": "2026-01-01"}).whole.sums
    assert (orders, round(Decimal(revenue or 0), 4)) == (whole.orders, whole.revenue or 0)


def test_costs_stand_in_the_words_of_their_channels(books: ReportBooks) -> None:
    books.spend(100, "Yandex", medium="cpc", campaign="Spring", content="ad-1")
    books.spend(50, "old word", channel_id=books.pallets.leaflet_channel_id)
    found = rows(books, "SELECT source, medium, campaign, ad, channel, amount, currency, entered"
                        " FROM report_costs ORDER BY cost_id")  # fmt: skip
    assert [tuple(row) for row in found] == [
        ("Yandex", "cpc", "Spring", "ad-1", None, 100, "RUB", "hand"),
        ("leaflet", "offline", None, None, "Leaflet", 50, "RUB", "hand"),
    ]


def test_steps_are_visits_and_calls_of_channels(books: ReportBooks) -> None:
    books.tell([USUAL | {"minutes": 9, "origin": place} for place in (0, 40, 43, 42)])
    found = dict(tuple(row) for row in rows(books, "SELECT kind, count(*) FROM report_touches GROUP BY kind"))
    assert found == {"visit": len(books.visits) + 1, "call": 2}


def test_no_view_tells_a_secret_or_can_be_written_by(books: ReportBooks) -> None:
    with books.database.write() as session:
        session.add(
            Sale(
                company_id=books.pallets.company_id, at=NOW, revenue=Decimal("1.2345"), currency="RUB",
                status=SaleStatus.WON, entered=Entered.HAND, reference="row:abc", visitor_key="cookie",
                created_at=NOW, changed_at=NOW,
            )
        )  # fmt: skip
    for name, view in VIEWS.items():
        assert view.columns[0].name == "company_id"
        assert {column.name for column in view.columns}.isdisjoint(SECRET)
        assert "cookie" not in str(rows(books, f"SELECT * FROM {name}"))
        for statement in (f"UPDATE {name} SET company_id = 2", f"DELETE FROM {name}"):
            with pytest.raises(sa.exc.DBAPIError), books.database.write() as session:
                session.execute(sa.text(statement))
    ((reference, revenue),) = rows(books, "SELECT reference, revenue FROM report_sales")
    assert (reference, round(Decimal(revenue), 4)) == (None, Decimal("1.2345"))


def test_withheld_callers_stay_withheld(books: ReportBooks) -> None:
    books.tell([USUAL | {"minutes": 9}, USUAL | {"minutes": 8, "shown": Presentation.WITHHELD}])
    with books.database.write() as session:
        session.execute(sa.update(Call).values(caller="+4930998877"))
    assert sorted(str(row[0]) for row in rows(books, "SELECT caller FROM report_calls")) == [
        "+4930998877",
        "None",
    ]


def test_every_column_is_documented() -> None:
    assert as_markdown() in DOCS.read_text(encoding="utf-8")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        yield postgres.url()


def test_an_upgrade_makes_them_anew_and_keeps_who_may_read(url: str) -> None:
    migrations.upgrade(url)
    database = Database(url)
    postgres = not database.is_sqlite
    with database.engine.begin() as connection:
        if postgres:
            connection.exec_driver_sql('CREATE ROLE "bi-reader"')
            connection.exec_driver_sql('GRANT SELECT ON report_calls TO "bi-reader"')
        connection.exec_driver_sql("CREATE VIEW mine AS SELECT key FROM report_calls")
    migrations.upgrade(url)
    with database.engine.begin() as connection:
        assert set(sa.inspect(connection).get_view_names()) == {"mine", *VIEWS}
        drop_views(connection)
        connection.exec_driver_sql("CREATE VIEW report_calls AS SELECT 1 AS old")
        if postgres:
            connection.exec_driver_sql('GRANT SELECT ON report_calls TO "bi-reader"')
    migrations.upgrade(url)
    with database.engine.connect() as connection:
        assert set(VIEWS) <= set(sa.inspect(connection).get_view_names())
        connection.exec_driver_sql("SELECT started_at FROM report_calls")
        if postgres:
            connection.exec_driver_sql('SET ROLE "bi-reader"')
            connection.exec_driver_sql("SELECT count(*) FROM report_calls")
            with pytest.raises(sa.exc.ProgrammingError):
                connection.exec_driver_sql("SELECT count(*) FROM calls")
    database.close()


def test_they_are_no_tables_of_ours() -> None:
    assert set(VIEWS).isdisjoint(Base.metadata.tables)
