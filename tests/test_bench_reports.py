"""bench/reports: the drawn year is a year's, with money, and what it measures is right where it is small."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest
import sqlalchemy as sa

from bench.pages import books, make_sheets
from bench.pages.visits import visitors
from bench.reports import refresh, scan
from bench.reports.asks import asks
from bench.reports.money import pour_money
from tracker.database import Database
from tracker.models import Call, Cost, Sale, SaleStatus, Visit
from tracker.policy.credit import Model
from tracker.policy.report_words import By

CALLS, VIEWS, DAYS = 2_000, 8_000, 10


@pytest.fixture
def drawn(database: Database) -> SimpleNamespace:
    now = datetime.now(UTC)
    made = books.fill(database, CALLS, VIEWS, now, days=DAYS)
    money = pour_money(database, made, DAYS, now)
    return SimpleNamespace(database=database, books=made, money=money, now=now)


def test_a_year_has_calls_each_day_costs_and_sales(drawn: SimpleNamespace) -> None:
    with drawn.database.read() as session:
        first, count = session.execute(sa.select(sa.func.min(Call.started_at), sa.func.count())).one()
        assert (count, first > drawn.now - timedelta(days=DAYS)) == (CALLS, True)
        days, rows = session.execute(sa.select(sa.func.count(sa.distinct(Cost.day)), sa.func.count())).one()
        assert (days, rows) == (DAYS, drawn.money.costs)
        foreign = session.scalar(sa.select(sa.func.count()).where(Cost.currency == "EUR"))
        assert foreign == pytest.approx(rows / 20, rel=0.3)
        by = dict(
            session.execute(sa.select(Sale.matched_by, sa.func.count()).group_by(Sale.matched_by)).all()
        )
        assert sum(by.values()) == drawn.money.sales
        theirs = sa.select(sa.func.count()).where(Sale.call_id.is_(None), Sale.visitor_id.is_not(None))
        assert session.scalar(theirs) == by.get("visitor", 0)
        assert session.scalar(sa.select(sa.func.count()).where(Sale.status == SaleStatus.WON))


def test_a_quarter_of_the_visits_are_by_who_was_there_before() -> None:
    firm = (np.arange(100_000) % 100 == 0).astype(int)
    visitor = visitors(np.random.default_rng(1), firm, 365)
    first = np.unique(visitor, return_index=True)[1]
    assert 1 - len(first) / len(visitor) == pytest.approx(0.24, abs=0.02)
    assert (visitor <= np.arange(1, len(visitor) + 1)).all()  # nobody comes again before he came
    assert (firm[visitor - 1] == firm).all()


def test_every_report_there_is_is_asked_for() -> None:
    words = [each.words for each in asks(datetime(2026, 11, 30, tzinfo=UTC).date())]
    assert {each["by"] for each in words} == set(By)
    assert {each.get("model") for each in words} == {None, *Model}
    assert len({str(sorted(each.items())) for each in words}) == len(words)


def test_late_facts_are_followed_and_what_is_followed_is_right(drawn: SimpleNamespace) -> None:
    make_sheets(drawn.database, drawn.now)
    assert scan(drawn.database, drawn.books.firms[0].company_id, times=1) > 0
    assert refresh(drawn.database, drawn.books, drawn.now, DAYS) > 0
    with drawn.database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).where(Visit.source == "late"))
