"""Long lists: planned while others write, written at once, planned anew when the books have changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from support.facts import Pallets, add_pallets, ended, started

from tracker import channels, costs, imports, sales
from tracker.audit import By
from tracker.books import record_all
from tracker.database import Database
from tracker.models import AuditEntry, Call, Channel, Company, Cost, Sale
from tracker.policy.cost_list import read_costs
from tracker.policy.costs import Entered
from tracker.policy.sale_list import read_sales
from tracker.policy.tables import BadRows

HEAD = "day,source,amount\n"


@pytest.fixture
def pallets(database: Database, now: datetime) -> Pallets:
    with database.write() as session:
        made = add_pallets(session, now)
        session.get_one(Company, 1).currency = "RUB"
    return made


@pytest.fixture
def books(database: Database, pallets: Pallets) -> Database:
    return database


class List:
    """A list of costs that is taken; `meanwhile` happens each time it has been planned and is not stored."""

    def __init__(self, books: Database, now: datetime, text: str) -> None:
        self.books, self.by, self.planned = books, By(now, "ann@pallets.example"), 0
        with books.read() as session:
            company = session.get_one(Company, 1)
            self.found = read_costs((HEAD + text).encode(), costs.wanted_of(session, company))

    def take(self, meanwhile: Callable[[int], object] = lambda _: None) -> tuple[int, int, int]:
        def plan(session: Session, company: Company) -> costs.CostPlan:
            found = costs.plan_import(session, company, self.found)
            self.planned += 1
            if self.planned <= imports.TIMES:  # then nobody else can write any more
                meanwhile(self.planned)
            return found

        done = imports.take(self.books, 1, plan, self.store)
        return len(done.new), len(done.changed), done.same

    def store(self, session: Session, company: Company, plan: costs.CostPlan) -> None:
        costs.carry_out(session, self.by, company, plan, entered=Entered.FILE)


def amounts(books: Database) -> list[str]:
    with books.read() as session:
        return [f"{each:.2f}" for each in session.scalars(sa.select(Cost.amount).order_by(Cost.id))]


def test_rows_that_another_list_brought_meanwhile_are_no_new_ones(books: Database, now: datetime) -> None:
    other = List(books, now, "2026-11-05,google,6\n")
    mine = List(books, now, "2026-11-05,google,5\n2026-11-06,google,7\n")
    assert mine.take(lambda turn: other.take() if turn == 1 else None) == (1, 1, 0)
    assert (mine.planned, amounts(books)) == (2, ["5.00", "7.00"])


def test_rows_that_another_has_corrected_meanwhile_are_corrected_as_they_are(
    books: Database, now: datetime
) -> None:
    List(books, now, "2026-11-05,google,5\n").take()
    mine = List(books, now, "2026-11-05,google,9\n")
    other = List(books, now, "2026-11-05,google,6\n")
    assert mine.take(lambda turn: other.take() if turn == 1 else None) == (0, 1, 0)
    with books.read() as session:
        wanted = sa.select(AuditEntry.detail).where(AuditEntry.action == "cost.change")
        told = [
            (it["before"]["amount"], it["after"]["amount"])
            for it in session.scalars(wanted.order_by(AuditEntry.id))
        ]
    assert [(before[0], after[0]) for before, after in told] == [("5", "6"), ("6", "9")]


def test_rows_deleted_meanwhile_are_new_ones(books: Database, now: datetime) -> None:
    List(books, now, "2026-11-05,google,5\n").take()

    def delete(turn: int) -> None:
        if turn == 1:
            with books.write() as session:
                number = session.scalars(sa.select(Cost.id)).one()
                costs.delete_costs(session, By(now, "eve"), session.get_one(Company, 1), [number])

    assert List(books, now, "2026-11-05,google,9\n").take(delete) == (1, 0, 0)
    assert amounts(books) == ["9.00"]


def test_a_channel_deleted_meanwhile_is_told_of_and_nothing_stored(books: Database, now: datetime) -> None:
    with books.write() as session:
        made = channels.add_channel(session, By(now, "ann"), session.get_one(Company, 1), "Poster").id
    mine = List(books, now, "2026-11-05,google,5\n2026-11-05,Poster,8000\n")

    def delete(_: int) -> None:
        with books.write() as session:
            if channel := session.get(Channel, made):
                channels.delete_channel(session, By(now, "eve"), channel)

    with pytest.raises(BadRows) as bad:
        mine.take(delete)
    assert [(it.line, it.column) for it in bad.value.problems] == [(3, "channel")]
    assert "no channel of this name any more" in bad.value.problems[0].problem
    assert (mine.planned, amounts(books)) == (1, [])


def test_who_is_outdated_again_and_again_keeps_the_others_waiting_at_last(
    books: Database, now: datetime
) -> None:
    List(books, now, "2026-11-05,google,99\n").take()
    mine = List(books, now, "2026-11-05,google,50\n")
    assert mine.take(lambda turn: List(books, now, f"2026-11-05,google,{turn}\n").take()) == (0, 1, 0)
    assert (mine.planned, amounts(books)) == (imports.TIMES + 1, ["50.00"])


def test_nothing_half_imported_stays(books: Database, now: datetime) -> None:
    class Cut(List):
        def store(self, session: Session, company: Company, plan: costs.CostPlan) -> None:
            super().store(session, company, plan)
            raise OSError("the power went")

    with pytest.raises(OSError, match="power"):
        Cut(books, now, "2026-11-05,google,5\n").take()
    assert amounts(books) == []
    with books.read() as session:
        assert session.scalar(sa.select(sa.func.count()).where(AuditEntry.action == "cost.import")) == 0


def test_a_sale_s_call_that_is_no_more_is_looked_for_again(
    books: Database, pallets: Pallets, now: datetime
) -> None:
    with books.write() as session:
        record_all(session, [started(pallets.billboard, now, "one"), ended(now, "one")])
    planned = 0

    def plan(session: Session, company: Company) -> sales.SalePlan:
        nonlocal planned
        planned += 1
        wanted, place = costs.wanted_of(session, company), sales.place_of(company, now)
        found = read_sales(b"date,call,revenue\n2026-11-20,one,5\n", wanted, place)
        made = sales.plan_import(session, company, found)
        if planned == 1:
            with books.write() as other:
                for table in ("recordings", "call_events", "call_candidates", "calls"):
                    other.execute(sa.text(f"DELETE FROM {table}"))
        return made

    def store(session: Session, company: Company, made: sales.SalePlan) -> None:
        sales.carry_out(session, By(now, "ann"), company, made, entered=Entered.FILE)

    assert imports.take(books, 1, plan, store).unmatched == 1
    with books.read() as session:
        assert session.scalar(sa.select(sa.func.count(Call.id))) == 0
        assert session.execute(sa.select(Sale.call_id, Sale.call_key)).all() == [(None, "one")]
