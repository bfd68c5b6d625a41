"""Reports on real books: rows add up, each is as many calls as the list finds, costs and sales stand once."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.command import Installation, furnish
from support.journeys import Came, add_visit, add_visitor
from test_overview import NOW, USUAL, Books, told

from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import Call, CallTag, Category, Company, Cost, Sale, Tag, Visit
from tracker.policy.attribution import Basis
from tracker.policy.costs import Entered
from tracker.policy.credit import Model
from tracker.policy.facts import Outcome, Presentation
from tracker.policy.report import ONLY, Leads, Report, Wish
from tracker.policy.report_words import CREDITED, OVERLAPPING, By
from tracker.policy.sales import Match, SaleStatus
from tracker.reports import read_report

CAMPAIGNS = (None, "", "Spring", "spring", "a/b & c=d")
LANDINGS = (
    "https://pallets.example/0?gclid=PLACE", "https://pallets.example/a%20b#PLACE", "http://пример.рф/?PLACE#x",
    "shop.example/x?u=https://y", "", "https://pallets.example/0#/route?gclid=PLACE", "?PLACE",
    "https://pallets.example/" + "long" * 60,
)  # fmt: skip
DAY = date(2026, 10, 26)


class ReportBooks(Books):
    """With campaigns and more on the visits, tags, costs and sales."""

    def __init__(self, database: Database, zone: ZoneInfo) -> None:
        super().__init__(database, zone)
        with database.write() as session:
            company = session.get_one(Company, self.pallets.company_id)
            company.timezone, company.currency = str(zone), "RUB"
            for place, visit in enumerate(session.scalars(sa.select(Visit).order_by(Visit.id))):
                visit.campaign, visit.keyword = CAMPAIGNS[place % 5], CAMPAIGNS[place % 3]
                visit.country, visit.device = (None, "RU", "DE")[place % 3], "phone"
                visit.content = ("ad-1", "", None)[place % 3]
                visit.landing_url = LANDINGS[place % len(LANDINGS)].replace("PLACE", str(place))
                # Days before the oldest call, or so long before the newest.
                visit.started_at = NOW - timedelta(minutes=(70 * 1440, 9, 30, 3000)[place % 4])
            tags = [Tag(company_id=company.id, name=name, created_at=NOW) for name in ("loud", "late")]
            session.add_all(tags)
            session.flush()
            self.tags = [tag.id for tag in tags]

    def tell(self, told: Sequence[dict[str, Any]]) -> None:
        with self.database.write() as session:
            for table in (Sale, Cost, CallTag):
                session.execute(sa.delete(table))
        super().tell(told)
        with self.database.write() as session:
            calls = session.scalars(sa.select(Call).order_by(Call.id)).all()
            for place, call in enumerate(calls):
                session.add_all(CallTag(call_id=call.id, tag_id=tag) for tag in self.tags[: place % 3])
                call.basis = (None, Basis.LEASE, Basis.REPEAT)[place % 3] if call.visit_id else None
                if place % 4 == 1:
                    self.sell(session, Decimal(place + 1), call=call)
            if calls:
                self.sell(session, Decimal("7.5"), profit=None)

    def sell(
        self,
        session: Any,
        revenue: Decimal,
        call: Call | None = None,
        visitor: int | None = None,
        **more: Any,
    ) -> None:
        by = Match.CALL if call else Match.VISITOR if visitor else None
        given = {"profit": revenue / 4, "at": NOW - timedelta(minutes=5), "status": SaleStatus.WON} | more
        session.add(
            Sale(
                company_id=self.pallets.company_id, revenue=revenue, currency="RUB", entered=Entered.HAND,
                matched_by=by, call_id=call and call.id, visitor_id=visitor, created_at=NOW, changed_at=NOW,
                **given,
            )
        )  # fmt: skip

    def spend(self, amount: int, source: str, **words: Any) -> None:
        with self.database.write() as session:
            session.add(
                Cost(
                    company_id=self.pallets.company_id, day=DAY, source=source, amount=Decimal(amount),
                    currency="RUB", entered=Entered.HAND, created_at=NOW, changed_at=NOW, **words,
                )
            )  # fmt: skip

    def report(
        self,
        by: By,
        split: By | None = None,
        words: Mapping[str, str] | None = None,
        *,
        compare: bool = False,
        **more: Any,
    ) -> Report:
        asked = {name: [word] for name, word in (words or {"period": "30d"}).items()}
        with self.database.read() as session:
            company = session.get_one(Company, self.pallets.company_id)
            wish = Wish(by, split, **more)
            return read_report(session, company, wish, asked, NOW, compare=compare)

    def costs(self, report: Report) -> dict[tuple[str, ...], Decimal]:
        return {line.labels: line.sums.cost for line in report.lines if line.sums.cost is not None}


@pytest.fixture(params=["Europe/Berlin", "Asia/Kolkata"])
def books(request: pytest.FixtureRequest, database: Database) -> ReportBooks:
    return ReportBooks(database, ZoneInfo(request.param))


@pytest.fixture
def lean(sqlite: Database) -> ReportBooks:
    return ReportBooks(sqlite, ZoneInfo("Europe/Berlin"))


def added(report: Report, name: str) -> Any:
    return sum(getattr(line.sums, name) or 0 for line in report.lines)


PLAIN = [by for by in By if by not in OVERLAPPING]
pairs = st.lists(st.sampled_from(PLAIN), min_size=1, max_size=2, unique=True)
wishes = st.sampled_from(
    [{"period": "30d"}, {"period": "today"}, {"since": "2026-10-25", "until": "2026-10-25"},
     {"since": "2026-06-01", "until": "2026-10-20"}]
)  # fmt: skip


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(told, max_size=40), parts=pairs, words=wishes)
def test_rows_add_up_and_are_as_many_calls_as_their_words_find(
    books: ReportBooks, told: list[dict[str, Any]], parts: list[By], words: dict[str, str]
) -> None:
    books.tell(told)
    books.spend(10, "yandex", medium="m", campaign="spring")
    books.spend(7, "nobody")
    report = books.report(parts[0], parts[1] if len(parts) > 1 else None, words)
    whole = report.whole.sums
    for name in ("calls", "missed", "target", "leads", "orders", "revenue", "gross_profit", "cost"):
        assert added(report, name) == (getattr(whole, name) or 0), name
    assert all((line.sums.callers or 0) <= (whole.callers or 0) for line in report.lines)
    with books.database.read() as session:
        for line in (*report.lines, report.whole):
            assert line.asks is not None or not line.sums.calls
            if line.asks is not None:
                assert books.count(session, line.asks) == line.sums.calls, line
                if ("known", "no") not in line.asks:
                    known = (*line.asks, ("known", "yes"))
                    assert (books.count(session, known) > 0) == bool(line.sums.callers)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(told, max_size=30), by=st.sampled_from(sorted(CREDITED)), model=st.sampled_from(Model))
def test_what_models_share_is_what_was_sold(
    lean: ReportBooks, told: list[dict[str, Any]], by: By, model: Model
) -> None:
    lean.tell(told)
    own, shared = lean.report(by), lean.report(by, model=model)
    for name in ("orders", "target", "revenue", "gross_profit", "calls"):
        assert (
            added(shared, name)
            == (getattr(own.whole.sums, name) or 0)
            == (getattr(shared.whole.sums, name) or 0)
        ), name


def test_a_row_has_a_filter_wherever_there_are_words_for_one(books: ReportBooks) -> None:
    callers = (
        "+79160000001", "+14165550100", "+12125550100", "+77010000001", "+999123", "101", "+4930998877",
    )  # fmt: skip
    books.tell(
        [
            USUAL
            | {
                "minutes": (place * 1201) % 43000, "origin": place, "number": place % 4,
                "category": (Category.TARGET, None)[place % 2], "caller": callers[place % 7],
                "shown": Presentation.WITHHELD if place % 5 == 3 else Presentation.ALLOWED,
                "repeat": place % 3 == 0, "outcome": (Outcome.ANSWERED, Outcome.MISSED)[place % 3 == 1],
            }
            for place in range(48)
        ]
    )  # fmt: skip
    with books.database.read() as session:
        for by in By:
            lines = [line for line in books.report(by).lines if line.sums.calls]
            assert len(lines) > 1, by
            for line in lines:
                assert line.asks is not None, line
                assert books.count(session, line.asks) == line.sums.calls, line


def test_a_call_with_two_tags_is_in_both_rows_and_once_in_the_total(lean: ReportBooks) -> None:
    lean.tell([USUAL | {"minutes": 9}] * 3)
    report = lean.report(By.TAG)
    rows = {line.labels[0]: line.sums.calls for line in report.lines if line.sums.calls}
    assert rows == {"loud": 2, "late": 1, "(none)": 1}
    assert report.whole.sums.calls == 3


def test_landing_pages_are_one_whatever_ad_led_there(lean: ReportBooks) -> None:
    lean.tell([USUAL | {"minutes": 9, "origin": place} for place in (7, 15, 4, 0)])
    lines = [line for line in lean.report(By.LANDING).lines if line.sums.calls]
    rows = {line.labels[0]: (line.sums.calls, line.sums.callers) for line in lines}
    assert sorted(rows.values()) == [(1, 1), (3, 1)]
    assert all(name.startswith("pallets.example/") for name in rows)


def test_costs_stand_once_in_the_row_that_their_words_name(lean: ReportBooks) -> None:
    lean.tell([USUAL | {"minutes": 9, "origin": 1}])
    lean.spend(100, "Yandex")
    lean.spend(20, "yandex", campaign="Spring", keyword="pallets")
    lean.spend(3, "yandex", campaign="Spring", keyword="boxes")
    lean.spend(8, "vk", medium="cpc")
    assert lean.costs(lean.report(By.SOURCE)) == {("yandex",): 123, ("vk",): 8}
    assert lean.costs(lean.report(By.CAMPAIGN)) == {("Spring",): 23, ("(not divided)",): 108}
    assert lean.costs(lean.report(By.KEYWORD, only={"campaign": "Spring"})) == {
        ("pallets",): 20, ("boxes",): 3,
    }  # fmt: skip
    assert lean.costs(lean.report(By.SOURCE, By.CAMPAIGN))[("yandex", "(not divided)")] == 100
    assert lean.costs(lean.report(By.WEEKDAY)) == {("mon",): 131}
    assert lean.costs(lean.report(By.DEVICE)) == {("(not divided)",): 131}
    spent = next(line for line in lean.report(By.SOURCE).lines if line.labels == ("vk",))
    assert (spent.sums.calls, spent.sums.cost_per_call) == (0, None)


def test_a_cost_that_is_not_divided_has_no_returns(lean: ReportBooks) -> None:
    lean.tell([USUAL | {"minutes": 9, "origin": 1}])
    lean.spend(100, "yandex")
    lean.spend(20, "yandex", campaign="Spring")
    with lean.database.write() as session:
        lean.sell(session, Decimal(40))
    rows = {line.labels: line.sums for line in lean.report(By.CAMPAIGN).lines}
    assert (rows[("Spring",)].romi, rows[("Spring",)].net) == (Fraction(-1), Decimal(-20))
    assert (rows[("(not divided)",)].romi, rows[("(not divided)",)].net) == (None, None)


def test_a_channels_cost_is_its_rows_and_a_groups_the_visitors(lean: ReportBooks) -> None:
    lean.tell([USUAL | {"minutes": 9, "origin": 41}])
    lean.spend(50, "leaflet", channel_id=lean.pallets.leaflet_channel_id)
    lean.spend(9, "google", medium="cpc")
    report = lean.report(By.CHANNEL)
    assert lean.costs(report) == {("channel/Leaflet",): 50, ("Paid Search",): 9}
    assert report.lines[0].sums.calls == 1


def test_cancelled_sales_count_for_nothing_and_unknown_ones_are_nobodys(lean: ReportBooks) -> None:
    lean.tell([USUAL | {"minutes": 9, "origin": 0}])
    with lean.database.write() as session:
        visitor = add_visitor(session, lean.pallets, "buyer", NOW)
        came = Came(60, "email", "letter", "Email", (("", "", 1),))
        add_visit(session, lean.pallets, visitor, came, NOW)
        lean.sell(session, Decimal(40), visitor=visitor.id)
        lean.sell(session, Decimal(999), visitor=visitor.id, status=SaleStatus.CANCELLED)
    report = lean.report(By.SOURCE)
    sold = {
        line.labels[0]: (line.sums.orders, line.sums.revenue) for line in report.lines if line.sums.orders
    }
    assert sold == {"letter": (1, 40), "(nothing known)": (1, Decimal("7.5"))}
    assert (report.coverage.orders, report.coverage.matched) == (2, 1)


def test_a_sale_of_nobody_known_lists_no_calls_that_are_anothers(lean: ReportBooks) -> None:
    lean.tell([USUAL | {"minutes": 9, "origin": 42}])  # nothing attributes the call, and it has a number
    for parts in ((By.NUMBER,), (By.SOURCE, By.NUMBER)):
        (sold,) = [line for line in lean.report(*parts).lines if line.sums.orders]
        assert (set(sold.labels), sold.asks) == ({"(nothing known)"}, None)


def test_the_days_before_stand_beside(lean: ReportBooks) -> None:
    lean.tell([USUAL | {"minutes": minutes, "origin": 0} for minutes in (9, 8 * 1440, 9 * 1440)])
    report = lean.report(By.SOURCE, words={"period": "7d"}, compare=True)
    (line,) = [line for line in report.lines if line.sums.calls]
    assert (line.sums.calls, line.before and line.before.calls) == (1, 2)
    assert report.whole.before is not None
    assert report.whole.before.calls == 2


def test_a_hour_is_what_the_clocks_showed(lean: ReportBooks) -> None:
    # Twice from two to three on the 25th, when the clocks went back.
    lean.tell([USUAL | {"minutes": minutes} for minutes in (35 * 60, 34 * 60)])
    report = lean.report(By.HOUR, words={"since": "2026-10-25", "until": "2026-10-25"})
    assert [(line.labels, line.sums.calls) for line in report.lines if line.sums.calls] == [(("02:00",), 2)]


def test_a_person_of_several_origins_is_shared(lean: ReportBooks) -> None:
    """SR-067: who clicked an ad, came again by a letter and called has been won by both."""
    lean.tell([])
    with lean.database.write() as session:
        visitor = add_visitor(session, lean.pallets, "buyer", NOW)
        visits = [
            add_visit(session, lean.pallets, visitor, Came(minutes, "m", source, "", (("", "", 1),)), NOW)
            for minutes, source in ((3000, "ad"), (60, "letter"))
        ]
        row = lean.row(0, USUAL | {"minutes": 20, "category": Category.TARGET, "outcome": Outcome.ANSWERED})
        session.execute(sa.insert(Call), [row | {"visit_id": visits[1].id, "channel_id": None}])
        lean.sell(session, Decimal(100), call=session.scalars(sa.select(Call)).one())
    for model, expected in {
        None: {"letter": 1}, Model.FIRST: {"ad": 1}, Model.LINEAR: {"ad": 0.5, "letter": 0.5},
    }.items():  # fmt: skip
        report = lean.report(By.SOURCE, model=model)
        assert {line.labels[0]: line.sums.orders for line in report.lines if line.sums.orders} == expected
        assert {line.labels[0]: line.sums.target for line in report.lines if line.sums.target} == expected
    narrowed = lean.report(By.SOURCE, model=Model.LINEAR, only={"source": "ad"})
    assert narrowed.whole.sums.revenue == 50


def test_wishes_that_make_no_sense_are_refused() -> None:
    for wish in (
        partial(Wish, By.SOURCE, By.SOURCE), partial(Wish, By.TAG, model=Model.FIRST),
        partial(Wish, By.SOURCE, only={"tag": "loud"}),
    ):  # fmt: skip
        with pytest.raises(Rejected):
            wish()
    assert Wish(By.TAG, leads=Leads.TARGET).parts == (By.TAG,)
    assert set(ONLY) <= {by.value for by in By}


def test_the_command_says_the_same_as_csv_and_is_refused_in_one_line(tmp_path: Path) -> None:
    here = Installation(tmp_path / "home")
    furnish(here)
    here.done("cost", "add", "2025-11-05", "5", "--source", "google")
    here.done("sale", "add", "0", "--profit", "0", "--at", "2025-11-05T12:00")
    days = ("--since", "2025-11-01", "--until", "2025-11-30")
    rows = list(csv.DictReader(io.StringIO(here.done("report", "--csv", "--compare", *days))))
    assert [(row["source"], row["cost"], row["net"]) for row in rows] == [
        ("google", "5.00", "-5.00"), ("(nothing known)", "", "0.00"), ("total", "5.00", "-5.00"),
    ]  # fmt: skip
    assert "Model linear" in here.done("report", "--model", "linear", *days)
    assert "CALLS" in here.done("report", "--since", "2025-01-01", "--until", "2025-01-02")
    assert "these rows are none" in here.refused("report", "--by", "tag", "--model", "linear")
    assert here.run("report", "--only", "campaign").exit_code == 2
