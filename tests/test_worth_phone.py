"""Judgements by phones' keys in the books: once, in the order of time, whatever came first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session
from support.facts import Pallets, add_pallets, answered, ended, started

from tracker import worth
from tracker.audit import By
from tracker.books import record_all, unwritten
from tracker.database import Database
from tracker.models import AuditEntry, Call, Category, Company, Target, TargetKind, WaitingFact
from tracker.policy.facts import Fact, JudgedByPhone
from tracker.policy.worth import in_force

TARGET, SERVICE, NON_TARGET = Category.TARGET, Category.SERVICE, Category.NON_TARGET
ANN = "ann@pallets.example"
OFFICE = "phone:office"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def key(target_id: int, seconds: float, category: Category | None, call: str = "call-1") -> JudgedByPhone:
    """A code dialled so many seconds after noon."""
    at = NOON + timedelta(seconds=seconds)
    return JudgedByPhone(call=call, node="main", at=at, position=1, target_id=target_id, category=category)


@pytest.fixture
def pallets(database: Database) -> Pallets:
    with database.write() as session:
        return add_pallets(session, NOON)


def whole_call(pallets: Pallets, call: str = "call-1") -> list[Fact]:
    """A call that came at noon and lasted a minute."""
    return [
        started(pallets.billboard, NOON, call),
        answered(pallets.office_id, NOON + timedelta(seconds=5), call),
        ended(NOON + timedelta(seconds=60), call),
    ]


def record(database: Database, facts: Sequence[Fact]) -> int:
    with database.write() as session:
        return record_all(session, facts)


def call_of(session: Session, name: str = "call-1") -> Call:
    return session.scalars(sa.select(Call).where(Call.key == name)).one()


def history(database: Database) -> list[tuple[float, str, Category | None]]:
    """Seconds after noon, by whom, what; the newest first, as the page shows it."""
    with database.read() as session:
        said = worth.read_worth(session, call_of(session)).history
        return [((it.at - NOON).total_seconds(), it.actor, it.category) for it in said]


def category(database: Database) -> Category | None:
    with database.read() as session:
        return call_of(session).category


def click(database: Database, seconds: float, said: Category | None) -> int:
    with database.write() as session:
        by = By(NOON + timedelta(seconds=seconds), ANN)
        return worth.categorise(session, by, [call_of(session)], said)


def test_a_key_is_in_the_books_once_however_often_its_line_is_read(
    database: Database, pallets: Pallets
) -> None:
    facts = [*whole_call(pallets), key(pallets.office_id, 30, TARGET)]
    assert record(database, facts) == 4
    assert record(database, facts) == 0
    assert record(database, [key(pallets.office_id, 30, TARGET)]) == 0
    assert history(database) == [(30, OFFICE, TARGET)]
    with database.read() as session:
        assert unwritten(session, facts) == []
        entries = session.scalars(sa.select(AuditEntry)).all()
        assert [(it.action, it.actor, it.subject, it.at) for it in entries] == [
            ("call.category", OFFICE, "call-1", NOON + timedelta(seconds=30))
        ]
        call = call_of(session)
        assert (call.category, call.talk_seconds) == (TARGET, 55)


def test_a_key_waits_for_its_call(database: Database, pallets: Pallets) -> None:
    record(database, [key(pallets.office_id, 30, SERVICE)])
    with database.read() as session:
        assert session.scalars(sa.select(WaitingFact.kind)).all() == ["judged_by_phone"]
    record(database, whole_call(pallets))
    assert (category(database), history(database)) == (SERVICE, [(30, OFFICE, SERVICE)])
    with database.read() as session:
        assert session.scalars(sa.select(WaitingFact)).all() == []


def test_keys_that_come_together_and_in_disorder_stand_in_the_order_of_time(
    database: Database, pallets: Pallets
) -> None:
    pressed = [(40, None), (20, TARGET), (65, NON_TARGET), (30, SERVICE)]
    keys = [key(pallets.office_id, seconds, said) for seconds, said in pressed]
    record(database, [*keys, *whole_call(pallets)])
    assert [each[0] for each in history(database)] == [65, 40, 30, 20]
    assert category(database) is NON_TARGET


def test_a_later_click_wins_over_a_key_that_is_read_late(database: Database, pallets: Pallets) -> None:
    record(database, whole_call(pallets))
    click(database, 70, SERVICE)
    record(database, [key(pallets.office_id, 65, TARGET)])
    assert category(database) is SERVICE
    assert history(database) == [(70, ANN, SERVICE), (65, OFFICE, TARGET)]


def test_a_later_key_wins_over_a_click(database: Database, pallets: Pallets) -> None:
    record(database, whole_call(pallets))
    click(database, 50, SERVICE)
    record(database, [key(pallets.office_id, 65, TARGET)])
    assert category(database) is TARGET
    assert history(database) == [(65, OFFICE, TARGET), (50, ANN, SERVICE)]


def test_a_click_counts_even_where_the_phone_systems_clock_is_ahead(
    database: Database, pallets: Pallets
) -> None:
    record(database, [*whole_call(pallets), key(pallets.office_id, 900, TARGET)])
    assert click(database, 70, NON_TARGET) == 1
    assert category(database) is NON_TARGET
    assert history(database) == [(900, ANN, NON_TARGET), (900, OFFICE, TARGET)]
    record(database, [key(pallets.office_id, 80, SERVICE)])  # pressed before either, as far as anybody knows
    assert category(database) is NON_TARGET


def test_the_same_word_again_is_no_change(database: Database, pallets: Pallets) -> None:
    record(database, whole_call(pallets))
    click(database, 50, TARGET)
    record(database, [key(pallets.office_id, 65, TARGET), key(pallets.office_id, 40, None)])
    assert history(database) == [(50, ANN, TARGET)]


def test_a_target_that_is_gone_or_another_companys_is_named_by_its_number(
    database: Database, pallets: Pallets
) -> None:
    with database.write() as session:
        company = Company(slug="crates", name="Crates", default_region="RU", created_at=NOON)
        session.add(company)
        session.flush()
        other = Target(company_id=company.id, name="spies", kind=TargetKind.PEER, created_at=NOON)
        session.add(other)
    record(database, [*whole_call(pallets), key(999, 30, TARGET), key(other.id, 40, SERVICE)])
    assert history(database) == [(40, f"phone:{other.id}", SERVICE), (30, "phone:999", TARGET)]


said_at = st.tuples(
    st.integers(0, 5).map(lambda minutes: NOON + timedelta(minutes=minutes)),
    st.sampled_from([None, *Category]),
)


@given(st.lists(said_at), st.integers(-1, 6))
def test_what_counts_is_the_last_word_up_to_the_instant(
    said: list[tuple[datetime, Category | None]], minutes: int
) -> None:
    at = NOON + timedelta(minutes=minutes)
    found = in_force(said, at)
    newest = max((each for each, _ in said if each <= at), default=None)
    assert found is next((word for each, word in reversed(said) if each == newest), None)
