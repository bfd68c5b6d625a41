"""Sales in the books of both databases: what they belong to, told again, cancelled; each company its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from support.facts import CALLER, Pallets, add_pallets, answered, ended, started

from tracker import rates, sale_matching, sales, sold, worth
from tracker.audit import By
from tracker.books import record_all
from tracker.costs import wanted_of
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import AuditEntry, Call, Category, Company, Match, Sale, SaleStatus, Visit
from tracker.policy import references
from tracker.policy.costs import Entered
from tracker.policy.facts import Presentation
from tracker.policy.sale_list import read_sales
from tracker.policy.tables import BadRows

HIDDEN = "+4915100000000"


@pytest.fixture
def pallets(database: Database, now: datetime) -> Pallets:
    """A caller's target call and a later one, one by somebody who hides his number, and a rival."""
    with database.write() as session:
        pallets = add_pallets(session, now - timedelta(days=9))
        session.get_one(Company, 1).currency = "RUB"
        session.add(Company(slug="rival", name="Rival", default_region="DE", currency="RUB", created_at=now))
        calls = (("target", 5, CALLER, Presentation.ALLOWED), ("service", 2, CALLER, Presentation.ALLOWED),
                 ("hidden", 3, HIDDEN, Presentation.WITHHELD))  # fmt: skip
        for key, days, caller, presentation in calls:
            at = now - timedelta(days=days)
            begin = started(pallets.billboard, at, key, caller=caller, presentation=presentation)
            record_all(
                session, [begin, answered(pallets.office_id, at, key), ended(at + timedelta(minutes=1), key)]
            )
        worth.categorise(session, by(now), [call_of(session, "target")], Category.TARGET)
    return pallets


def by(now: datetime) -> By:
    return By(now, "ann@pallets.example")


def call_of(session: sa.orm.Session, key: str) -> Call:
    return session.scalars(sa.select(Call).where(Call.key == key)).one()


def take(database: Database, now: datetime, text: str, company_id: int = 1) -> tuple[int, int, int]:
    with database.write() as session:
        company = session.get_one(Company, company_id)
        found = read_sales(text.encode(), wanted_of(session, company), sales.place_of(company, now))
        plan = sales.plan_import(session, company, found)
        sales.carry_out(session, by(now), company, plan, entered=Entered.FILE, name="orders.csv")
    return len(plan.new), len(plan.changed), plan.same


def told(database: Database, company_id: int = 1) -> dict[str, tuple[Match | None, str | None]]:
    """By reference: the rule that matched, and the call."""
    with database.read() as session:
        rows = session.scalars(sa.select(Sale).where(Sale.company_id == company_id).order_by(Sale.id))
        return {str(it.reference): (it.matched_by, it.call.key if it.call else None) for it in rows}


def test_a_sale_belongs_to_its_call_its_caller_or_its_visitor(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        visitor = session.get_one(Visit, pallets.visit_id).visitor
        key = visitor.key
        call_of(session, "service").visit_id = pallets.visit_id
    rows = (
        "service,,,2026-11-20,call", f"nonsense,{CALLER},,2026-11-20,phone", f",{CALLER},,2026-11-16,day",
        f",{CALLER},,2026-11-14,early", f",{HIDDEN},,2026-11-20,hidden", f",,{key},2026-11-20,visitor",
        f",,{key},2026-11-01,before", ",,,2026-11-20,nobody", ",,strange,2026-11-20,stranger",
    )  # fmt: skip
    assert take(
        database, now, "call,phone,visitor,date,order,revenue\n" + "".join(f"{row},5\n" for row in rows)
    ) == (9, 0, 0)
    assert told(database) == {
        "call": (Match.CALL, "service"), "phone": (Match.PHONE, "target"), "day": (Match.PHONE, "target"),
        "early": (None, None), "hidden": (None, None), "visitor": (Match.VISITOR, "service"),
        "before": (Match.VISITOR, None), "nobody": (None, None), "stranger": (None, None),
    }  # fmt: skip
    assert take(
        database, now, f"call,visitor,date,order,revenue\nservice,{key},2026-11-20,foreign,5\n", 2
    ) == (1, 0, 0)
    assert told(database, 2) == {"foreign": (None, None)}  # another company's call and visitor are nobody's
    with database.read() as session:
        days = (now.date() - timedelta(days=99), now.date())
        found = sales.list_sales(session, [session.get_one(Company, 1)], *days, unmatched=True)
        assert {it.reference for it in found} == {"early", "hidden", "nobody", "stranger"}


def test_a_call_that_comes_late_is_found_again(database: Database, pallets: Pallets, now: datetime) -> None:
    take(database, now, "call,date,order,revenue\nlate,2026-11-20,1,5\n")
    with database.write() as session:
        record_all(
            session, [started(pallets.billboard, now, "late"), ended(now + timedelta(seconds=9), "late")]
        )
        assert sale_matching.match_again(session, by(now), session.get_one(Company, 1)) == 1
        assert sale_matching.match_again(session, by(now), session.get_one(Company, 1)) == 0
    assert told(database) == {"1": (Match.CALL, "late")}


def test_who_looks_often_looks_for_the_latest_sales_only(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    take(database, now, "call,date,order,revenue\nlate,2026-09-20,1,5\n")
    with database.write() as session:
        record_all(
            session, [started(pallets.billboard, now, "late"), ended(now + timedelta(seconds=9), "late")]
        )
        company = session.get_one(Company, 1)
        assert sale_matching.match_again(session, by(now), company, since=now - sale_matching.LATE) == 0
        assert sale_matching.match_again(session, by(now), company) == 1


def test_an_order_told_twice_at_once_is_refused_the_second_time(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    """As by two clicks on one button."""
    problems: list[Exception] = []

    def sell() -> None:
        try:
            with database.write() as session:
                row = {"at": now.isoformat(), "revenue": "5", "reference": "4711"}
                sales.add_sale(session, by(now), session.get_one(Company, 1), row)
        except Exception as problem:  # noqa: BLE001  (whatever it is, the test shows it)
            problems.append(problem)

    second = threading.Thread(target=sell)
    with database.write() as session:
        row = {"at": now.isoformat(), "revenue": "5", "reference": "4711"}
        sales.add_sale(session, by(now), session.get_one(Company, 1), row)
        second.start()
        second.join(0.3)  # until it waits; where it does not yet, it comes second all the same
    second.join()
    assert [str(it) for it in problems] == ["There is a sale '4711' already. Change that one"]


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/New_York"])
def test_days_without_end_are_listed_too(
    database: Database, pallets: Pallets, now: datetime, zone: str
) -> None:
    take(database, now, "date,order,revenue\n2026-11-20,1,5\n")
    with database.write() as session:
        company = session.get_one(Company, 1)
        company.timezone = zone
        assert len(sales.list_sales(session, [company], date.min, date.max)) == 1


def test_the_same_list_again_changes_nothing_and_a_corrected_one_what_it_says(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    text = f"date,revenue,profit,phone,order\n2026-11-19,20000,8700,{CALLER},1\n2026-11-19,100,,,2\n"
    unnamed = f"date,revenue,phone\n2026-11-19,1,{CALLER}\n2026-11-19,2,{CALLER}\n"
    assert (take(database, now, text), take(database, now, text)) == ((2, 0, 0), (0, 0, 2))
    assert (take(database, now, unnamed), take(database, now, unnamed)) == ((2, 0, 0), (0, 0, 2))
    corrected = (
        f"date,revenue,order,phone,status\n2026-11-19,21000,1,,\n2026-11-19,100,2,{CALLER},cancelled\n"
    )
    assert take(database, now, corrected) == (0, 2, 0)
    with database.read() as session:
        first, second = (sales.find_sale(session, [1], it) for it in "12")
        assert [first.revenue, first.profit] == [21_000, 8_700]  # what the list does not say stays
        assert (first.matched_by, second.matched_by) == (Match.PHONE, Match.PHONE)
        assert (first.status, second.status) == (SaleStatus.WON, SaleStatus.CANCELLED)
        changes = session.scalars(
            sa.select(AuditEntry.detail).where(AuditEntry.action == "sale.change")
        ).all()
        assert changes[0]["before"] == {"revenue": "20000"}


def test_a_bad_row_stops_the_whole_list(database: Database, pallets: Pallets, now: datetime) -> None:
    with pytest.raises(BadRows) as bad:
        take(database, now, "date,revenue,order\n2026-11-19,1,1\n2026-11-19,x,2\n2026-11-19,$1,3\n")
    assert [it.line for it in bad.value.problems] == [3, 4]
    assert told(database) == {}


def test_a_sale_is_marked_on_a_call_and_the_call_s_value_stays_an_estimate(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        company, call = session.get_one(Company, 1), call_of(session, "hidden")
        worth.value_call(session, by(now), call, Decimal(500))
        row = {"at": now.isoformat(), "revenue": "20000", "profit": "8700", "reference": "4711"}
        sale = sales.add_sale(session, by(now), company, row, call)
        assert (sale.matched_by, sale.call_id) == (Match.CALL, call.id)
        assert call.value == 500
        assert list(sales.sales_of_call(session, call)) == [sale]
        with pytest.raises(Rejected, match="There is a sale '4711' already"):
            sales.add_sale(session, by(now), company, row, call)
        with pytest.raises(Rejected, match="revenue: it is empty"):
            sales.add_sale(session, by(now), company, {"at": "2026-11-20"}, call)
        assert sales.set_status(session, by(now), sale, SaleStatus.CANCELLED)
        assert not sales.set_status(session, by(now), sale, SaleStatus.CANCELLED)
        with pytest.raises(Rejected, match="no such sale"):
            sales.find_sale(session, [2], "4711")
        sales.delete_sale(session, by(now), sale)
        assert not list(sales.sales_of_call(session, call))


def test_reports_get_what_was_won_in_the_company_s_currency(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        company = session.get_one(Company, 1)
        company.timezone = "Pacific/Auckland"  # its day begins eleven hours before UTC's
        for day, rate in ((1, 90), (20, 100)):
            at = now.replace(day=day).date()
            rates.set_rate(session, by(now), company, "USD", Decimal(rate), from_day=at)
    take(
        database, now,
        "date,revenue,profit,order,status\n2026-11-19T13:00:00Z,$2,$1,1,\n2026-11-19T10:00:00Z,$2,,2,\n"
        "2026-11-19,7,7,3,cancelled\n2026-11-21T00:30,7,7,4,\n",
    )  # fmt: skip
    with database.read() as session:
        company = session.get_one(Company, 1)
        first, until = sales.days_of(company, now.date() - timedelta(days=1), now.date())
        found = list(sold.sold_between(session, company, first, until))
    assert [it.revenue for it in found] == [180, 200]
    assert [it.profit for it in found] == [None, 100]


def test_each_company_s_days_are_those_of_its_own_clocks(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    """The last hour of November in Auckland is its noon in London."""
    rows = "date,order,revenue\n2026-10-31T23:30,october,5\n2026-11-01T00:30,november,5\n"
    for company_id, zone in ((1, "Pacific/Auckland"), (2, "America/New_York")):
        with database.write() as session:
            session.get_one(Company, company_id).timezone = zone
        take(database, now, rows, company_id)
    with database.read() as session:
        both = [session.get_one(Company, each) for each in (1, 2)]
        found = sales.list_sales(session, both, date(2026, 11, 1), date(2026, 11, 30))
        assert [(it.company_id, it.reference) for it in found] == [(2, "november"), (1, "november")]


def test_a_form_sent_twice_is_one_sale_and_filled_in_otherwise_another(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    def send(key: str, **typed: str) -> int:
        with database.write() as session:
            row = typed | {"at": now.isoformat()}
            form = references.of_form(key, typed)
            return sales.add_sale(session, by(now), session.get_one(Company, 1), row, form=form).id

    first = send("k1", revenue="5")
    assert send("k1", revenue="5") == first
    assert (
        len(
            {
                first,
                send("k1", revenue="6"),
                send("k2", revenue="5"),
                send("", revenue="5"),
                send("", revenue="5"),
            }
        )
        == 5
    )
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).where(AuditEntry.action == "sale.add")) == 5
        listed = sales.list_sales(session, [session.get_one(Company, 1)], now.date(), now.date())
        assert {sales.describe_sale(it)["reference"] for it in listed} == {None}


def test_a_sale_cancelled_and_taken_away_by_two_at_once_is_written_down_once(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    take(database, now, "date,order,revenue\n2026-11-20,1,5\n")

    def twice(deed: Callable[[Session, Sale], object]) -> list[object]:
        """Both have read the sale when the first of them begins."""
        meet = threading.Barrier(2, timeout=20)

        def one(_: int) -> object:
            with database.read() as session:
                sale = sales.find_sale(session, [1], "1")
            meet.wait()
            try:
                with database.write() as session:
                    return deed(session, session.merge(sale, load=False))
            except Rejected as problem:
                return problem.id

        with ThreadPoolExecutor(2) as threads:
            return list(threads.map(one, range(2)))

    cancelled = twice(lambda session, sale: sales.set_status(session, by(now), sale, SaleStatus.CANCELLED))
    assert sorted(map(str, cancelled)) == ["False", "True"]
    assert sorted(map(str, twice(lambda session, sale: sales.delete_sale(session, by(now), sale)))) == [
        "None", "sale.unknown",
    ]  # fmt: skip
    with database.read() as session:
        told_of = sa.select(AuditEntry.action).where(AuditEntry.action.in_(("sale.status", "sale.delete")))
        assert sorted(session.scalars(told_of)) == ["sale.delete", "sale.status"]
