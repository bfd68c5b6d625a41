"""Rows of reports by the calendar, by what is known of the caller, and by the time from click to call."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from test_overview import BERLIN, NOW, USUAL
from test_reports import ReportBooks

from tracker.database import Database
from tracker.models import Call, Visit
from tracker.policy.attribution import Basis
from tracker.policy.caller_regions import UNKNOWN, prefixes_of, regions
from tracker.policy.clocks import offsets
from tracker.policy.facts import Presentation
from tracker.policy.report import Report
from tracker.policy.report_advice import advise
from tracker.policy.report_words import By, calendar_cell

ZONES = ("Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kolkata")
instants = st.integers(1_577_836_800, 1_800_000_000).map(lambda it: datetime.fromtimestamp(it, UTC))


@pytest.fixture
def books(database: Database) -> ReportBooks:
    return ReportBooks(database, BERLIN)


@pytest.fixture
def lean(sqlite: Database) -> ReportBooks:
    return ReportBooks(sqlite, BERLIN)


def rows(report: Report) -> dict[str, Any]:
    return {line.labels[0]: line.sums.calls for line in report.lines if line.sums.calls}


def minutes_before(at: datetime) -> float:
    return (NOW - at) / timedelta(minutes=1)


@given(st.sampled_from(ZONES), instants, st.integers(0, 800))
def test_the_clocks_of_any_zone_are_known_at_every_instant(name: str, since: datetime, days: int) -> None:
    zone = ZoneInfo(name)
    changes = list(offsets(zone, since, since + timedelta(days=days)))
    assert changes[0][0] == since
    for (_, before), (at, after) in pairwise(changes):
        assert (at - timedelta(seconds=1)).astimezone(zone).utcoffset() == before
        assert at.astimezone(zone).utcoffset() == after != before
    for day in range(days):
        at = since + timedelta(days=day)
        assert [offset for begun, offset in changes if begun <= at][-1] == at.astimezone(zone).utcoffset()


def test_days_are_as_long_as_the_companys_clocks_say(books: ReportBooks) -> None:
    # On 25 October the clocks went back: that day had 25 hours.
    first = minutes_before(datetime(2026, 10, 24, 21, 59, 59, tzinfo=UTC))
    books.tell([USUAL | {"minutes": first - 30 * place, "origin": 0} for place in range(52)])
    report = books.report(By.DAY)
    assert rows(report) == {"2026-10-24": 1, "2026-10-25": 50, "2026-10-26": 1}
    assert [line.labels[0] for line in report.lines if line.sums.calls] == sorted(rows(report))
    spring = books.report(By.DAY, words={"since": "2026-03-29", "until": "2026-03-29"})
    assert rows(spring) == {}
    with books.database.read() as session:
        for line in report.lines:
            assert books.count(session, line.asks or ()) == line.sums.calls


def test_a_sale_and_a_cost_stand_in_their_own_month(lean: ReportBooks) -> None:
    lean.tell([USUAL | {"minutes": minutes_before(datetime(2026, 9, 30, 21, 30, tzinfo=UTC)), "origin": 1}])
    with lean.database.write() as session:
        lean.sell(session, Decimal(100), call=session.scalars(sa.select(Call)).one())
    lean.spend(9, "yandex")
    report = lean.report(By.MONTH, words={"since": "2026-09-01"})
    told = [(line.labels, line.sums.calls, line.sums.orders, line.sums.cost) for line in report.lines]
    assert told == [(("2026-09",), 1, 0, None), (("2026-10",), 0, 2, 9)]
    assert [line.asks for line in report.lines] == [
        (("since", "2026-09-01"), ("until", "2026-09-30")),
        (("since", "2026-10-01"), ("until", "2026-10-26")),
    ]  # fmt: skip
    days = lean.report(By.SOURCE, By.DAY)
    assert {line.labels for line in days.lines if line.sums.orders} == {
        ("yandex", "2026-10-26"), ("(nothing known)", "2026-10-26"),
    }  # fmt: skip


def test_a_call_is_of_the_kind_that_names_its_source(books: ReportBooks) -> None:
    books.tell([USUAL | {"minutes": 9, "origin": place} for place in (0, 1, 2, 40, 43, 42)])
    with books.database.write() as session:
        for key, basis in (("call-0", Basis.REPEAT), ("call-1", Basis.CODE), ("call-2", Basis.LEASE)):
            session.execute(sa.update(Call).where(Call.key == key).values(basis=basis))
    assert rows(books.report(By.KIND)) == {"dynamic": 2, "known_caller": 1, "static": 2, "(nothing known)": 1}
    books.spend(8, "leaflet", channel_id=books.pallets.leaflet_channel_id)
    books.spend(5, "google")
    assert books.costs(books.report(By.KIND)) == {("static",): 8, ("(not divided)",): 5}


def test_first_calls_and_repeats_are_told_of_callers_who_show_their_numbers(books: ReportBooks) -> None:
    hidden = {"shown": Presentation.WITHHELD}
    books.tell(
        [USUAL | {"minutes": 9, "repeat": repeat} | more
         for repeat, more in ((False, {}), (True, {}), (True, {}), (True, hidden), (False, hidden))]
    )  # fmt: skip
    assert rows(books.report(By.CALLER)) == {"first": 1, "repeat": 2, "withheld": 2}


def test_time_to_call_runs_from_the_visits_beginning(books: ReportBooks) -> None:
    seconds = (0, 59.999, 60, 299.999, 300, 1800, 3599.999, 3600, 86399.999, 86400, -5)
    books.tell([USUAL | {"minutes": 9, "origin": place} for place in (*range(len(seconds)), 40, 43, 42)])
    with books.database.write() as session:
        for place, later in enumerate(seconds):
            call = session.scalars(sa.select(Call).where(Call.key == f"call-{place}")).one()
            visit = session.get_one(Visit, call.visit_id)
            visit.started_at = call.started_at - timedelta(seconds=later)
    report = books.report(By.DELAY)
    assert [(line.labels[0], line.sums.calls) for line in report.lines if line.sums.calls] == [
        ("under-1m", 3), ("1m-5m", 2), ("5m-30m", 1), ("30m-1h", 2), ("1h-24h", 2), ("over-24h", 1),
        ("(none)", 2), ("(nothing known)", 1),
    ]  # fmt: skip


def test_a_callers_country_is_told_by_the_first_digits(books: ReportBooks) -> None:
    callers = (
        "+79160000001", "+77010000001", "+14165550100", "+12125550100", "+4930998877", "+800123", "+999123",
        "101",
    )  # fmt: skip
    books.tell([USUAL | {"minutes": 9, "caller": caller} for caller in callers])
    assert rows(books.report(By.REGION)) == dict.fromkeys(
        ("RU", "KZ", "CA", "US", "DE", "001", UNKNOWN, "(none)"), 1
    )  # fmt: skip
    assert all(len(digits) == (5 if digits.startswith("+1") else 4) for digits in regions())
    assert prefixes_of("XX") == []


def test_months_and_days_are_written_as_iso_has_them() -> None:
    day = date(2026, 3, 1)
    assert (calendar_cell(By.DAY, day), calendar_cell(By.MONTH, day)) == ("2026-03-01", "2026-03")


def test_nobody_is_told_to_stop_paying_for_a_day(lean: ReportBooks) -> None:
    lean.tell([USUAL | {"minutes": 9, "origin": 1}])
    lean.spend(90, "yandex")
    assert not advise(lean.report(By.DAY)).losing
