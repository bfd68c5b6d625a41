"""How leases end: exactly when, by what, and from when on the number is free."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from support.command import Installation, make_ready
from support.shop import Shop, history, numbered

from commands.context import Here
from commands.worker import lease_jobs
from tracker import leases, numbers
from tracker.audit import By
from tracker.database import Database
from tracker.models import Call, CodeLease, LeaseEnd, Number
from tracker.policy.facts import Presentation
from tracker.settings import read_settings


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def leased(session: Session, now: datetime, **pool: Any) -> tuple[Shop, int]:
    """A shop with one number, leased to Ann's visit at `now`; and that visit's id."""
    shop = Shop(session, now, numbers=1, **pool)
    visit = shop.visit(session, "ann", now)
    shop.show(session, visit, now)
    return shop, visit.id


def ended(session: Session) -> list[tuple[datetime | None, LeaseEnd | None]]:
    return [(lease.until_at, lease.ended_by) for lease in history(session)]


def free_at(session: Session) -> datetime | None:
    session.expire_all()
    return session.scalars(sa.select(Number.free_at).order_by(Number.id)).first()


def test_a_lease_without_a_sign_of_life_ends_after_the_idle_time(database: Database, now: datetime) -> None:
    with database.write() as session:
        leased(session, now, cooldown_seconds=30)
        assert leases.release_due(session, now + seconds(599)) == 0
        assert leases.release_due(session, now + seconds(700)) == 1
        assert ended(session) == [(now + seconds(600), LeaseEnd.IDLE)]
        assert free_at(session) == now + seconds(630)
        assert leases.release_due(session, now + seconds(700)) == 0


def test_a_number_stays_held_after_its_visitor_left(database: Database, now: datetime) -> None:
    with database.write() as session:
        _, visit_id = leased(session, now)
        leases.leave(session, visit_id, now + seconds(100))
        assert leases.release_due(session, now + seconds(399)) == 0
        assert free_at(session) is None
        assert leases.release_due(session, now + seconds(400)) == 1
        assert ended(session) == [(now + seconds(400), LeaseEnd.LEFT)]


def test_a_visitor_who_left_and_comes_back_has_not_left(database: Database, now: datetime) -> None:
    with database.write() as session:
        _, visit_id = leased(session, now)
        leases.leave(session, visit_id, now + seconds(100))
        leases.renew(session, visit_id, now + seconds(350))
        leases.release_due(session, now + seconds(1000))
        assert ended(session) == [(now + seconds(950), LeaseEnd.IDLE)]


def test_signs_of_life_prolong_a_lease_up_to_its_limit(database: Database, now: datetime) -> None:
    with database.write() as session:
        _, visit_id = leased(session, now, longest_seconds=1500)
        for second in (500, 1000, 1400):
            leases.renew(session, visit_id, now + seconds(second))
        leases.release_due(session, now + seconds(1600))
        assert ended(session) == [(now + seconds(1500), LeaseEnd.LONGEST)]


def test_a_limit_shortened_meanwhile_ends_the_lease_at_the_next_sign_of_life(
    database: Database, now: datetime
) -> None:
    with database.write() as session:
        shop, visit_id = leased(session, now)
        shop.pool(session).longest_seconds = 60
        at = now + seconds(300)
        leases.renew(session, visit_id, at)
        leases.release_due(session, at)
        assert ended(session) == [(at, LeaseEnd.LONGEST)]


def test_a_sign_of_life_that_comes_too_late_ends_the_lease_when_it_ran_out(
    database: Database, now: datetime
) -> None:
    with database.write() as session:
        _, visit_id = leased(session, now)
        leases.renew(session, visit_id, now + seconds(601))
        assert ended(session) == [(now + seconds(600), LeaseEnd.IDLE)]
        leases.leave(session, visit_id, now + seconds(602))
        assert ended(session) == [(now + seconds(600), LeaseEnd.IDLE)]


def test_moving_a_number_ends_its_lease_and_keeps_its_rest(database: Database, now: datetime) -> None:
    with database.write() as session:
        shop, _ = leased(session, now, cooldown_seconds=60)
        other = shop.add_pool(session, now, "Other")
        number = session.scalars(sa.select(Number)).one()
        numbers.move(session, By(now + seconds(10), "test"), number, other)
        assert ended(session) == [(now + seconds(10), LeaseEnd.MOVED)]
        assert number.free_at == now + seconds(70)
        ben = shop.visit(session, "ben", now)
        assert leases.show(session, ben, other, now + seconds(69)).reason == "pool_empty"
        assert leases.show(session, ben, other, now + seconds(70)).e164 == numbered(0)


def test_a_lease_that_had_run_out_when_its_number_was_moved_ended_by_that(
    database: Database, now: datetime
) -> None:
    with database.write() as session:
        leased(session, now)
        number = session.scalars(sa.select(Number)).one()
        numbers.move(session, By(now + seconds(900), "test"), number, None)
        assert ended(session) == [(now + seconds(600), LeaseEnd.IDLE)]


@pytest.mark.parametrize("days", [0, 60])
def test_a_retired_number_is_nobodys_and_restored_it_is_leased_again(
    database: Database, now: datetime, days: int
) -> None:
    with database.write() as session:
        shop, _ = leased(session, now)
        number = session.scalars(sa.select(Number)).one()
        numbers.retire(session, By(now + seconds(10), "test"), number, days)
        assert ended(session) == [(now + seconds(10), LeaseEnd.MOVED)]
        ben = shop.visit(session, "ben", now)
        assert shop.show(session, ben, now + seconds(11)).reason == "pool_empty"
        numbers.restore(session, By(now + seconds(20), "test"), number)
        if not days:  # its use has ended with it
            numbers.move(session, By(now + seconds(20), "test"), number, shop.pool(session))
        assert shop.show(session, ben, now + seconds(21)).e164 == numbered(0)


def test_an_added_number_is_leased_at_once(database: Database, now: datetime) -> None:
    with database.write() as session:
        shop, _ = leased(session, now)
        company = shop.pool(session).company
        numbers.add(session, By(now, "test"), company, "+74951239999", shop.pool(session))
        assert shop.show(session, shop.visit(session, "ben", now), now).e164 == "+74951239999"


# ---- after a call ----


def call(session: Session, shop: Shop, began: datetime, ended_at: datetime | None) -> Call:
    made = Call(
        key=f"call-{began}",
        node="main",
        company_id=shop.company_id,
        number_id=session.scalars(sa.select(Number.id)).first(),
        presentation=Presentation.ALLOWED,
        started_at=began,
        ended_at=ended_at,
    )
    session.add(made)
    session.flush()
    return made


def test_in_a_pool_that_releases_after_a_call_the_number_is_given_back(
    database: Database, now: datetime
) -> None:
    with database.write() as session:
        shop, _ = leased(session, now, release_after_call=True, cooldown_seconds=60)
        call(session, shop, now - seconds(90), now - seconds(30))  # of an earlier visitor
        assert leases.released_after_call(session, now + seconds(20)) == 0
        ringing = call(session, shop, now + seconds(30), None)
        assert leases.released_after_call(session, now + seconds(60)) == 0
        ringing.ended_at = now + seconds(90)
        session.flush()
        assert leases.released_after_call(session, now + seconds(92)) == 1
        assert ended(session) == [(now + seconds(92), LeaseEnd.CALL)]
        assert free_at(session) == now + seconds(152)


def test_while_he_calls_again_the_number_stays_his(database: Database, now: datetime) -> None:
    with database.write() as session:
        shop, _ = leased(session, now, release_after_call=True)
        call(session, shop, now + seconds(10), now + seconds(20))
        call(session, shop, now + seconds(21), None)
        assert leases.released_after_call(session, now + seconds(25)) == 0


def test_other_pools_keep_the_number_with_its_caller(database: Database, now: datetime) -> None:
    with database.write() as session:
        shop, _ = leased(session, now)
        call(session, shop, now + seconds(10), now + seconds(20))
        assert leases.released_after_call(session, now + seconds(25)) == 0


# ---- the clock ----


@pytest.mark.parametrize("step", [3600, -3600, 86400, -25])
def test_when_the_clock_is_set_leases_last_as_long_as_they_would_have(
    database: Database, now: datetime, step: int
) -> None:
    with database.write() as session:
        shop, _ = leased(session, now, cooldown_seconds=120)
        shop.add_number(session, numbered(1), now - seconds(3600))
        short = shop.visit(session, "ben", now)
        shop.show(session, short, now)
        leases.leave(session, short.id, now)
        leases.release_due(session, now + seconds(300))  # Ben's number rests until 420
        at = now + seconds(330 + step)  # what the clock shows after 330 s
        assert leases.shift(session, step, at) == 1
        assert leases.release_due(session, at + seconds(269)) == 0
        assert leases.release_due(session, at + seconds(270)) == 1
        (ann,) = (lease for lease in history(session) if lease.visit_id != short.id)
        assert ann.until_at == now + seconds(600 + step)
        assert ann.from_at == now + seconds(min(step, 0))  # where calls by the new clock find it
        rests = session.scalars(sa.select(Number.free_at).order_by(Number.id)).all()
        assert rests == [now + seconds(720 + step), now + seconds(420 + step)]


def test_what_was_renewed_since_the_clock_was_set_is_left_alone(database: Database, now: datetime) -> None:
    with database.write() as session:
        _, visit_id = leased(session, now)
        leases.renew(session, visit_id, now + seconds(400))  # by the clock that was set by an hour just then
        assert leases.shift(session, 300, now + seconds(401)) == 0
        (lease,) = history(session)
        assert lease.expires_at == now + seconds(1000)


def test_codes_last_as_long_too(database: Database, now: datetime) -> None:
    with database.write() as session:
        shop = Shop(session, now, numbers=0, when_empty="code")
        shop.show(session, shop.visit(session, "ann", now), now)
        leases.shift(session, 3600, now + seconds(3601))
        assert session.scalars(sa.select(CodeLease.expires_at)).one() == now + seconds(4200)


# ---- the jobs ----


class At(Here):
    """The worker at an instant of the test's choosing."""

    instant = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

    @property
    def now(self) -> datetime:
        return self.instant


def test_the_worker_gives_numbers_back_and_minds_a_set_clock(tmp_path: Path) -> None:
    here = Installation(tmp_path)
    make_ready(here)
    worker = At()
    worker.__dict__["settings"] = read_settings(here.environ)
    now = worker.instant
    with worker.database.write() as session:
        _, visit_id = leased(session, now)
        leases.leave(session, visit_id, now)
    clock, release = lease_jobs(worker)

    worker.instant = now + seconds(3600)  # set while no time passed: the lease is not over
    clock.run()
    release.run()
    with worker.database.read() as session:
        assert ended(session) == [(None, LeaseEnd.LEFT)]

    slow = now + seconds(3600)
    for _ in range(40):  # a clock that runs too fast for a while is no clock that was set
        slow += seconds(15)
        worker.instant = slow
        release.run()
    with worker.database.read() as session:
        ((until_at, by),) = ended(session)
        assert until_at is not None
        assert (round((until_at - now).total_seconds()), by) == (3900, LeaseEnd.LEFT)
    worker.close()
