"""Processes that want the same numbers at once: no number is leased twice, and nobody gets an error."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from support.racing import Race, Racers
from support.shop import Shop, overlaps

from tracker.database import Database
from tracker.models import Lease, Number, NumberUse, Visit

PROCESSES, TURNS = 4, 100


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    started = Racers(PROCESSES)
    yield started
    started.close()


def prepare(database: Database, numbers: int, visits: int) -> tuple[Shop, tuple[int, ...]]:
    now = datetime.now(UTC)
    with database.write() as session:
        shop = Shop(session, now, numbers, hold_seconds=0)
        return shop, tuple(shop.visit(session, f"v{n}", now).id for n in range(visits))


def url_of(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)


def check(session: Session) -> None:
    """The books after the race: every lease alone on its number, every open one on a number in its pool."""
    assert overlaps(session) == 0
    within = sa.exists().where(
        NumberUse.number_id == Lease.number_id,
        NumberUse.pool_id == Lease.pool_id,
        NumberUse.until_at.is_(None),
    )
    astray = sa.select(Lease.id).where(Lease.until_at.is_(None), ~within)
    assert session.scalars(astray).all() == []
    leased = sa.exists().where(Lease.number_id == Number.id, Lease.until_at.is_(None))
    assert session.scalars(sa.select(Number.id).where(leased == Number.free_at.is_not(None))).all() == []
    twice = (
        sa.select(Visit.visitor_id)
        .join(Lease, Lease.visit_id == Visit.id)
        .where(Lease.until_at.is_(None))
        .group_by(Visit.visitor_id, Lease.pool_id)
        .having(sa.func.count() > 1)
    )
    assert session.scalars(twice).all() == []


def test_the_last_number_is_wanted_by_all(database: Database, racers: Racers) -> None:
    shop, visits = prepare(database, numbers=1, visits=4 * PROCESSES)
    mine = [visits[n::PROCESSES] for n in range(PROCESSES)]
    outcome = racers.run([Race(url_of(database), shop, each, TURNS) for each in mine])
    assert outcome.keys() == {"lease", "pool_empty"}
    assert outcome.total() == PROCESSES * TURNS
    with database.read() as session:
        check(session)
        assert session.scalar(sa.select(sa.func.count()).select_from(Lease)) == outcome["lease"]


def test_tabs_of_the_same_visitors_race_while_an_admin_moves_numbers(
    database: Database, racers: Racers
) -> None:
    shop, visits = prepare(database, numbers=3, visits=5)
    races = [Race(url_of(database), shop, visits, TURNS, admin=n == 0) for n in range(PROCESSES)]
    outcome = racers.run(races)
    assert outcome.keys() <= {"lease", "pool_empty"}
    with database.read() as session:
        check(session)


@pytest.mark.parametrize("percent", [0, 50])
def test_two_tabs_at_once_are_shown_one_number(database: Database, racers: Racers, percent: int) -> None:
    shop, visits = prepare(database, numbers=8, visits=1)
    with database.write() as session:
        shop.pool(session).hold_seconds, shop.pool(session).paid_percent = 300, percent
    racers.run([Race(url_of(database), shop, visits, 10) for _ in range(PROCESSES)])
    with database.read() as session:
        (lease,) = session.scalars(sa.select(Lease)).all()
        assert lease.until_at is None


def test_the_reserve_is_kept_however_many_ask_at_once(database: Database, racers: Racers) -> None:
    shop, visits = prepare(database, numbers=10, visits=40)
    with database.write() as session:
        shop.pool(session).hold_seconds, shop.pool(session).paid_percent = 300, 30
    mine = [visits[n::PROCESSES] for n in range(PROCESSES)]
    outcome = racers.run([Race(url_of(database), shop, each, 30) for each in mine])
    assert outcome.keys() == {"lease", "reserved"}
    with database.read() as session:
        held = session.scalar(sa.select(sa.func.count()).where(Lease.until_at.is_(None)))
        assert held == 7
