"""The board: pools, visitors and the last hour, of the companies one sees."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event
from support.facts import Pallets, add_number, add_pallets, answered, ended, started
from support.shop import Shop

from tracker import leases, misses
from tracker.board import HERE, Board, Crowd, read_board
from tracker.books import record_all
from tracker.database import Database
from tracker.models import Number, NumberState, Visit
from tracker.policy.facts import HungUpBy, Outcome
from tracker.policy.leasing import Held, most_at_once


def board(database: Database, at: datetime, *company_ids: int) -> Board:
    with database.read() as session:
        return read_board(session, company_ids, at)


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements run meanwhile."""
    heard: list[str] = []

    def hear(_c: object, _cursor: object, statement: str, *_: object) -> None:
        heard.append(statement)

    event.listen(database.engine, "before_cursor_execute", hear)
    yield heard
    event.remove(database.engine, "before_cursor_execute", hear)


def test_a_pools_numbers_are_told_apart_by_what_they_are_at(database: Database, now: datetime) -> None:
    with database.write() as session:
        pallets = add_pallets(session, now)
        rests = add_number(session, pallets.company_id, "+74950000001", now, pool_id=pallets.pool_id)
        rests.free_at = now + timedelta(seconds=1)
        old = add_number(session, pallets.company_id, "+74950000002", now, pool_id=pallets.pool_id)
        old.state = NumberState.QUARANTINED
    (pool,) = board(database, now, pallets.company_id).pools
    assert (pool.leased, pool.free, pool.resting, pool.quarantined, pool.size) == (1, 1, 1, 1, 3)


def test_how_few_numbers_were_left_in_the_last_hour_is_remembered(database: Database, now: datetime) -> None:
    with database.write() as session:
        shop = Shop(session, now - timedelta(days=1), numbers=5, hold_seconds=60)
        for name, minutes in (("ann", 50), ("bob", 49), ("eve", 48), ("old", 90)):
            at = now - timedelta(minutes=minutes)
            visit = shop.visit(session, name, at)
            shop.show(session, visit, at)
            leases.leave(session, visit.id, at + timedelta(minutes=4))
        leases.release_due(session, now)
    found = board(database, now, shop.company_id)
    assert found.pools[0].free == 5
    assert found.lowest == {shop.pool_id: 2}
    assert board(database, now + timedelta(hours=1), shop.company_id).lowest == {shop.pool_id: 5}


def test_who_is_on_the_site_is_told_by_source(database: Database, now: datetime) -> None:
    with database.write() as session:
        shop = Shop(session, now - timedelta(days=1), numbers=1)
        for name in ("ann", "bob"):
            shop.show(session, shop.visit(session, name, now, source="google", medium="cpc"), now)
        shop.visit(session, "gone", now, source="bing").left_at = now
        shop.visit(session, "silent", now - HERE, source="bing")
    (site,) = board(database, now + timedelta(seconds=1), shop.company_id).sites
    assert list(site.crowds) == [Crowd("cpc", "google", None, 2, 1)]
    assert (site.coverage.own_number, site.coverage.visits) == (1, 4 - 2)
    assert site.coverage.missed == {"pool_empty": 1}


def test_the_last_hour_counts_calls_by_outcome_and_leaves_out_those_going_on(
    database: Database, now: datetime
) -> None:
    with database.write() as session:
        pallets = add_pallets(session, now)
        for key, minutes in (("a", 5), ("b", 59), ("c", 61)):
            at = now - timedelta(minutes=minutes)
            took = answered(pallets.office_id, at + timedelta(seconds=5), key)
            over = ended(at + timedelta(seconds=9), key)
            record_all(session, [started(Pallets.billboard, at, key), took, over])
        gone = ended(now, "d", status="CANCEL", cause=None, hung_up_by=HungUpBy.CALLER)
        record_all(session, [started(Pallets.billboard, now, "d"), gone, started(Pallets.leaflet, now, "e")])
    found = board(database, now, pallets.company_id)
    assert found.outcomes == {Outcome.ANSWERED: 2, Outcome.GAVE_UP: 1}
    assert found.calls == 3


def test_nobody_elses_company_is_on_the_board(database: Database, now: datetime) -> None:
    with database.write() as session:
        add_pallets(session, now)
        misses.count(session, 1, 1, "pool_empty", now)
    found = board(database, now, 99)
    assert not found.pools
    assert not found.sites
    assert found.coverage.share is None
    assert found.calls == found.visitors == 0


@pytest.mark.parametrize("numbers", [1, 12])
def test_the_board_takes_the_same_statements_however_much_there_is(
    database: Database, now: datetime, numbers: int
) -> None:
    with database.write() as session:
        shop = Shop(session, now - timedelta(days=1), numbers=numbers)
        for place in range(numbers):
            shop.add_pool(session, now, f"pool {place}")
            shop.show(session, shop.visit(session, f"v{place}", now, source=f"s{place}"), now)
        assert session.scalar(sa.select(sa.func.count()).select_from(Visit)) == numbers
        assert session.scalar(sa.select(sa.func.count()).select_from(Number)) == numbers
    with counted(database) as statements:
        board(database, now, shop.company_id)
    assert sum(statement.startswith("SELECT") for statement in statements) <= 7


def test_most_at_once_of_nothing_is_none() -> None:
    assert most_at_once([]) == 0


minute = st.integers(0, 60)


@given(st.lists(st.tuples(minute, minute), max_size=20))
def test_most_at_once_is_what_counting_each_minute_gives(spans: list[tuple[int, int]]) -> None:
    at = datetime(2026, 11, 20, 12).astimezone()
    known = [(min(span), max(span)) for span in spans if span[0] != span[1]]
    held = [Held(at + timedelta(minutes=a), at + timedelta(minutes=b)) for a, b in known]
    slowly = max((sum(a <= m < b for a, b in known) for m in range(61)), default=0)
    assert most_at_once(held) == slowly
