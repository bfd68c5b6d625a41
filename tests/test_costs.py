"""Costs, rents and rates in the books of both databases: told once or again, all of a list or nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from support.facts import add_pallets

from tracker import channels, companies, cost_sums, costs, rates, rents
from tracker.audit import By
from tracker.cost_sums import CostSum
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import AuditEntry, Channel, Company, Cost
from tracker.policy.cost_list import read_costs, told_costs
from tracker.policy.costs import Entered, Rent, Words
from tracker.policy.tables import BadRows

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)
T3 = "источник;расход\nКонтекстная реклама;50 000\nSEO;25 000\nСоциальные сети;35 000\nBillboard;8 000\n"


@pytest.fixture
def books(database: Database, now: datetime) -> Database:
    with database.write() as session:
        add_pallets(session, now)
        session.get_one(Company, 1).currency = "RUB"
        session.add(Company(slug="rival", name="Rival", default_region="DE", currency="RUB", created_at=now))
    return database


def by(now: datetime) -> By:
    return By(now, "ann@pallets.example")


def take(books: Database, now: datetime, text: str, company_id: int = 1, **more: Any) -> tuple[int, int, int]:
    with books.write() as session:
        company = session.get_one(Company, company_id)
        found = read_costs(text.encode(), costs.wanted_of(session, company, **{"source": "google", **more}))
        plan = costs.plan_import(session, company, found)
        costs.carry_out(session, by(now), company, plan, entered=Entered.FILE, name="costs.csv")
    return len(plan.new), len(plan.changed), plan.same


def values(books: Database, company_id: int = 1) -> dict[str, Decimal]:
    with books.read() as session:
        company = session.get_one(Company, company_id)
        return {it.words.source: it.value for it in sums(session, company)}


def sums(session: Session, company: Company) -> list[CostSum]:
    """What each day's costs come to."""
    return list(cost_sums.cost_sums(session, company, FIRST, LAST, cost_sums.MORE, by_day=True))


def audit(session: Session, kind: str) -> list[AuditEntry]:
    return list(
        session.scalars(sa.select(AuditEntry).where(AuditEntry.action == kind).order_by(AuditEntry.id))
    )


def test_a_file_again_changes_nothing_and_a_corrected_amount_is_changed_and_written_down(
    books: Database, now: datetime
) -> None:
    assert take(books, now, T3, day=LAST, source=None) == (4, 0, 0)
    assert take(books, now, T3, day=LAST, source=None) == (0, 0, 4)
    with books.write() as session:  # a channel gets another name for its source: what was told stays the same
        channel = channels.get_channel(session, session.get_one(Company, 1), "Billboard")
        channels.change_channel(session, by(now), session.get_one(Company, 1), channel, source="M11")
    assert take(books, now, T3.replace("8 000", "9 000,50"), day=LAST, source=None) == (0, 1, 3)
    assert values(books) == {
        "контекстная реклама": 50_000, "seo": 25_000, "социальные сети": 35_000, "M11": Decimal("9000.5"),
    }  # fmt: skip
    with books.read() as session:
        (change,) = audit(session, "cost.change")
        assert change.detail["before"]["amount"] == "8000"
        assert change.detail["after"]["amount"] == "9000.50"
        assert [it.detail["new"] for it in audit(session, "cost.import")] == [4, 0]
        assert session.scalars(sa.select(Cost.channel_id).where(Cost.channel_id.is_not(None))).one()


def test_a_list_with_a_bad_row_changes_nothing(books: Database, now: datetime) -> None:
    take(books, now, "day,amount\n2026-11-05,5\n")
    with pytest.raises(BadRows) as bad:
        take(books, now, "day,amount\n2026-11-05,6\n2026-11-06,7\n2026-11-07,x\n2026-11-08,$5\n")
    assert [(it.line, it.problem) for it in bad.value.problems] == [
        (4, "'x' is no amount of money"), (5, "there is no rate of USD for 2026-11-08"),
    ]  # fmt: skip
    assert values(books) == {"google": 5}
    with books.read() as session:
        assert len(audit(session, "cost.import")) == 1


def test_a_reference_makes_rows_the_same_in_one_company_only(books: Database, now: datetime) -> None:
    text = "day,amount,reference,note\n2026-11-05,5,inv-1,old\n"
    assert take(books, now, text) == take(books, now, text, company_id=2) == (1, 0, 0)
    assert take(books, now, "day,amount,reference\n2026-11-06,5,inv-1\n") == (0, 1, 0)
    with books.read() as session:
        mine = costs.list_costs(session, [1], FIRST, LAST)
        assert [(it.day.day, it.note) for it in mine] == [(6, "old")]
        assert [it.day.day for it in costs.list_costs(session, [2], FIRST, LAST)] == [5]


def test_what_a_correction_does_not_say_stays(books: Database, now: datetime) -> None:
    text = "day,medium,campaign,amount,reference\n2026-11-05,cpc,spring,5,inv-1\n"
    assert take(books, now, text) == (1, 0, 0)
    assert take(books, now, "day,amount,reference\n2026-11-05,6,inv-1\n") == (0, 1, 0)
    with books.read() as session:
        (cost,) = costs.list_costs(session, [1], FIRST, LAST)
        assert (cost.medium, cost.campaign, cost.amount) == ("cpc", "spring", Decimal(6))


def test_costs_by_hand_are_added_corrected_and_deleted_by_their_company_only(
    books: Database, now: datetime
) -> None:
    with books.write() as session:
        ours, theirs = session.get_one(Company, 1), session.get_one(Company, 2)
        wanted = costs.wanted_of(session, ours)
        row = costs.typed(
            {"day": "2026-11-05", "source": "Google", "amount": "1 200,50"}, ["amount"], "RUB", "ru"
        )
        made = [costs.add_cost(session, by(now), ours, wanted, row) for _ in range(2)]  # no reference: twice
        assert [it.source for it in made] == ["google", "google"]
        assert costs.change_cost(session, by(now), made[0], amount=Decimal(1), note="half")
        assert not costs.change_cost(session, by(now), made[0], amount=Decimal(1), note="half")
        with pytest.raises(Rejected, match="cannot be used as text"):
            costs.change_cost(session, by(now), made[0], note="x" * 301)
        with pytest.raises(Rejected, match="no such cost"):
            costs.delete_costs(session, by(now), theirs, [made[0].id])
        with pytest.raises(Rejected, match="no such cost"):
            costs.find_cost(session, theirs, made[0].id)
        assert costs.delete_costs(session, by(now), ours, [made[1].id]) == 1
        with pytest.raises(Rejected, match="amount: it is empty"):
            costs.add_cost(session, by(now), ours, wanted, {"day": "2026-11-05", "source": "x", "amount": ""})
    assert values(books) == {"google": 1}


def test_a_currency_is_converted_by_the_day_s_rate_and_never_without(books: Database, now: datetime) -> None:
    with books.write() as session:
        company = session.get_one(Company, 1)
        for day, rate in ((FIRST, "90"), (date(2026, 11, 10), "92.5"), (date(2026, 11, 10), "93")):
            rates.set_rate(session, by(now), company, "usd", Decimal(rate), from_day=day)
        with pytest.raises(Rejected, match="own currency"):
            rates.set_rate(session, by(now), company, "RUB", Decimal(1), from_day=FIRST)
    take(books, now, "day,source,amount\n2026-11-09,a,$2.10\n2026-11-10,b,USD 2\n2026-11-10,c,2\n")
    assert values(books) == {"a": 189, "b": 186, "c": 2}
    with books.write() as session:  # the company counts in another currency now: its rates are others
        rates.delete_rate(session, by(now), session.get_one(Company, 1), "usd", date(2026, 11, 10))
        session.flush()
        assert audit(session, "rate.delete")[0].detail["rate"] == "93"
        companies.change(session, by(now), session.get_one(Company, 1), currency="EUR")
    with pytest.raises(Rejected, match="There is no rate of USD for 2026-11-09"):
        values(books)


def test_a_rent_is_a_cost_of_each_of_its_days(books: Database, now: datetime) -> None:
    with books.write() as session:
        company = session.get_one(Company, 1)
        channel = session.scalars(sa.select(Channel).where(Channel.name == "Billboard")).one()
        due = Rent(Decimal(8000), "RUB", date(2026, 10, 15))
        rent = rents.add_rent(session, by(now), company, channel, due, note="side A")
        rents.add_rent(session, by(now), company, channel, Rent(Decimal(100), "RUB", LAST, LAST))
        found = sums(session, company)
        assert sum(it.value for it in found) == Decimal(8000) + Decimal("3.33")
        assert {it.words for it in found} == {Words("billboard", "offline")}
        assert {it.channel_id for it in found} == {channel.id}
        rents.end_rent(session, by(now), rent, date(2026, 11, 15))
        rents.end_rent(session, by(now), rent, date(2026, 11, 16))
        session.flush()
        ends = [(it.detail["before"], it.detail["until"]) for it in audit(session, "rent.change")]
        assert ends == [(None, "2026-11-15"), ("2026-11-15", "2026-11-16")]
        rents.end_rent(session, by(now), rent, date(2026, 11, 15))
        found = sums(session, company)
        assert sum(it.value for it in found) == Decimal(4000) + Decimal("3.33")
        with pytest.raises(Rejected, match="is before"):
            rents.end_rent(session, by(now), rent, date(2026, 10, 1))
        with pytest.raises(Rejected, match="no such rent"):
            rents.find_rent(session, session.get_one(Company, 2), rent.id)
        with pytest.raises(Rejected, match="2 rents"):
            channels.delete_channel(session, by(now), channel)


def test_a_long_list_goes_in_by_parts(sqlite: Database, now: datetime) -> None:
    """A hundred thousand rows take some seconds; these are enough to have several parts."""
    with sqlite.write() as session:
        add_pallets(session, now)
        company = session.get_one(Company, 1)
        days = [(FIRST + timedelta(days=n % 28)).strftime("%d.%m.%Y") for n in range(12_000)]
        lines = (f"{day};pallets;key {n};{n % 5000},{n % 100:02}" for n, day in enumerate(days))
        text = "день;кампания;фраза;расход\n" + "\n".join(lines)
        found = read_costs(text.encode("cp1251"), costs.wanted_of(session, company, source="yandex"))
        plan = costs.plan_import(session, company, found)
        costs.carry_out(session, by(now), company, plan, entered=Entered.FILE)
        assert session.scalar(sa.select(sa.func.count(Cost.id))) == 12_000
        assert costs.plan_import(session, company, found).same == 12_000


def test_what_a_program_tells_again_is_the_same(books: Database, now: datetime) -> None:
    row = {"day": "2026-11-05", "source": "google", "medium": "cpc", "amount": "5.10"}
    with books.write() as session:
        company = session.get_one(Company, 1)
        for amount, told in (("5.10", (1, 0, 0)), ("5.1", (0, 0, 1)), ("5.2", (0, 1, 0))):
            found = told_costs([row | {"amount": amount}], costs.wanted_of(session, company))
            plan = costs.plan_import(session, company, found)
            costs.carry_out(session, by(now), company, plan, entered=Entered.API)
            assert (len(plan.new), len(plan.changed), plan.same) == told


def test_the_same_money_in_other_detail_is_pointed_out(sqlite: Database, now: datetime) -> None:
    """An export by campaign after one by keyword would count everything twice."""
    with sqlite.write() as session:
        add_pallets(session, now)
    take(sqlite, now, "day,campaign,keyword,amount\n2026-11-05,a,x,5\n2026-11-05,a,y,5\n2026-11-06,b,z,1\n")
    with sqlite.read() as session:
        company = session.get_one(Company, 1)
        wanted = costs.wanted_of(session, company, source="google")
        found = read_costs(b"day,campaign,amount\n2026-11-05,a,10\n2026-11-07,c,1\n", wanted)
        assert costs.plan_import(session, company, found).beside == 1
        again = read_costs(b"day,campaign,keyword,amount\n2026-11-05,a,new,1\n", wanted)
        assert costs.plan_import(session, company, again).beside == 0


def test_costs_deleted_by_two_at_once_are_written_down_once(books: Database, now: datetime) -> None:
    with books.write() as session:
        ours = session.get_one(Company, 1)
        row = {"day": "2026-11-05", "source": "google", "amount": "5"}
        number = costs.add_cost(session, by(now), ours, costs.wanted_of(session, ours), row).id

    def delete(_: int) -> str:
        try:
            with books.write() as session:
                return str(costs.delete_costs(session, by(now), session.get_one(Company, 1), [number]))
        except Rejected as problem:
            return problem.id

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(delete, range(2))) == ["1", "cost.unknown"]
    with books.read() as session:
        gone = sa.select(sa.func.count()).where(AuditEntry.action == "cost.delete")
        assert session.scalar(gone) == 1


def test_a_month_s_total_is_what_its_costs_and_rents_come_to(books: Database, now: datetime) -> None:
    with books.write() as session:
        ours = session.get_one(Company, 1)
        rates.set_rate(session, by(now), ours, "USD", Decimal("90.5"), from_day=FIRST)
        rates.set_rate(session, by(now), ours, "USD", Decimal(91), from_day=FIRST + timedelta(days=9))
        rent = Rent(Decimal(8000), "RUB", date(2026, 10, 15))
        rents.add_rent(session, by(now), ours, channels.channels_of(session, ours)[0], rent)
        wanted = costs.wanted_of(session, ours)
        for day, amount, currency in (
            (1, "5", "RUB"),
            (5, "7.25", "USD"),
            (12, "7.25", "USD"),
            (5, "1", "USD"),
        ):
            row = {"day": f"2026-11-{day:02}", "source": "google", "amount": amount, "currency": currency}
            costs.add_cost(session, by(now), ours, wanted, row)
    with books.read() as session:
        for company in (session.get_one(Company, 1), session.get_one(Company, 2)):
            for first, last in ((FIRST, LAST), (date(2026, 10, 20), date(2026, 11, 5)), (LAST, FIRST)):
                known = rates.rates_of(session, company)
                each = [
                    known.convert(it.amount, it.currency, it.day)
                    for it in costs.list_costs(session, [company.id], first, last)
                ]
                each += [value for *_, value in costs.rents_between(session, company, known, first, last)]
                assert cost_sums.total_between(session, company, first, last) == sum(each)
