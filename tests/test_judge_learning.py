"""Learning from the books, on both databases: when it is due, what it reads, what it keeps."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from support.facts import Pallets, add_pallets, started

from tracker.books import record_all
from tracker.database import Database
from tracker.judge import judge_pending, learn_all
from tracker.learning import FIRST_CALLS, learn_of, model_of
from tracker.models import (
    Company,
    DelayModel,
    Lease,
    Number,
    NumberUse,
    PageView,
    Visit,
    VisitEvent,
    VisitEventKind,
    Visitor,
)
from tracker.policy.delays import PRIOR


@pytest.fixture
def pallets(database: Database, now: datetime) -> Pallets:
    with database.write() as session:
        pallets = add_pallets(session, now)
        session.execute(sa.delete(Lease))
    return pallets


def hour(now: datetime, hours: float) -> datetime:
    return now + timedelta(hours=hours)


def visit_and_call(database: Database, pallets: Pallets, at: datetime, name: str, *, did: str = "") -> None:
    """A visitor looks for two minutes, presses the phone link, and calls; unless `did` says what is rung."""
    with database.write() as session:
        number = session.scalars(sa.select(Number.id).where(Number.e164 == pallets.leased)).one()
        visitor = Visitor(company_id=pallets.company_id, key=name, created_at=at)
        session.add(visitor)
        session.flush()
        seen = at + timedelta(minutes=2)
        visit = Visit(
            visitor_id=visitor.id, site_id=pallets.site_id, started_at=at, seen_at=seen, left_at=seen,
            medium="cpc", source="google", device="phone",
        )  # fmt: skip
        session.add(visit)
        session.flush()
        click = at + timedelta(seconds=100)
        session.add_all(
            [
                PageView(visit_id=visit.id, at=at, until_at=seen, url="/"),
                VisitEvent(visit_id=visit.id, at=click, kind=VisitEventKind.PHONE_CLICK, detail={}),
                Lease(
                    number_id=number, pool_id=pallets.pool_id, visit_id=visit.id, from_at=at,
                    expires_at=seen, until_at=seen,
                ),
            ]
        )  # fmt: skip
        rung = started(
            did or pallets.leased, click + timedelta(seconds=7), name, caller=f"+4915112{name:0>6}"
        )
        record_all(session, [rung])


def test_a_company_without_calls_has_the_model_of_most_companies(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    assert learn_all(database, now) == 0
    with database.read() as session:
        assert model_of(session, pallets.company_id) == PRIOR


def test_the_first_model_comes_after_fifty_calls_and_the_next_a_day_later_if_there_was_a_call(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    for count in range(FIRST_CALLS - 1):
        visit_and_call(database, pallets, hour(now, count / 4), str(count))
    visit_and_call(database, pallets, hour(now, 12.5), "900", did=pallets.billboard)  # teaches nothing
    assert learn_all(database, hour(now, 13)) == 0
    visit_and_call(database, pallets, hour(now, 13), "901")
    assert learn_all(database, hour(now, 14)) == 1
    assert learn_all(database, hour(now, 15)) == 0
    assert learn_all(database, hour(now, 50)) == 0  # nobody has called since
    visit_and_call(database, pallets, hour(now, 51), "902")
    assert learn_all(database, hour(now, 52)) == 1
    with database.read() as session:
        kept = session.scalars(sa.select(DelayModel)).one()
        assert (kept.fitted_at, kept.calls, kept.leases) == (hour(now, 52), 51, 52)


def test_what_was_learned_is_what_the_next_call_is_judged_by(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    for count in range(20):
        visit_and_call(database, pallets, hour(now, count), str(count))
    model = learn_of(database, pallets.company_id, hour(now, 24))
    assert model.click[1] > 2 * PRIOR.click[1]  # everybody called seven seconds after his click
    assert model.sight[-5] < PRIOR.sight[-5]  # and nobody hours after his visit
    with database.read() as session:
        assert model_of(session, pallets.company_id) == model
    assert judge_pending(database, hour(now, 24)) == 20


def test_another_companys_calls_teach_nothing(database: Database, pallets: Pallets, now: datetime) -> None:
    for count in range(3):
        visit_and_call(database, pallets, hour(now, count), str(count))
    with database.write() as session:
        other = Company(slug="crates", name="Crates", default_region="RU", created_at=now)
        session.add(other)
        session.flush()
        other_id = other.id
    assert learn_of(database, other_id, hour(now, 24)) == PRIOR


def test_a_model_of_an_older_version_is_not_used(database: Database, pallets: Pallets, now: datetime) -> None:
    row = {
        "company_id": pallets.company_id,
        "fitted_at": now,
        "calls": 1,
        "leases": 1,
        "model": {"edges": []},
    }
    with database.write() as session:
        session.execute(sa.insert(DelayModel).values(**row))
    with database.read() as session:
        assert model_of(session, pallets.company_id) == PRIOR


def test_a_number_that_was_a_pools_twice_counts_once(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    for count in range(4):
        visit_and_call(database, pallets, hour(now, count), str(count))
    once = learn_of(database, pallets.company_id, hour(now, 24))
    with database.write() as session:
        number = session.scalars(sa.select(Number.id).where(Number.e164 == pallets.leased)).one()
        of_number = NumberUse.number_id == number
        session.execute(sa.update(NumberUse).where(of_number).values(until_at=hour(now, 1.5)))
        session.add(NumberUse(number_id=number, pool_id=pallets.pool_id, from_at=hour(now, 1.5)))
    twice = learn_of(database, pallets.company_id, hour(now, 24))
    assert twice.unknown == pytest.approx(once.unknown, rel=0.05)
    assert twice.click[1] == pytest.approx(once.click[1], rel=0.05)
