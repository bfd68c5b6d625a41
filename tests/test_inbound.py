"""What a ringing number is answered, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from support.facts import Pallets, add_number, add_pallets

from tracker.database import Database
from tracker.forwarding import Ring, rings_for
from tracker.inbound import Inbound, look_up
from tracker.models import Forwarding, Lease, Number, NumberState, NumberUse


@pytest.fixture
def pallets(database: Database, now: datetime) -> Pallets:
    with database.write() as session:
        return add_pallets(session, now)


def asked(database: Database, did: str, at: datetime) -> Inbound:
    with database.read() as session:
        found = look_up(session, did, at)
    assert found is not None
    return found


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_c: object, _k: object, statement: str, *_: object) -> None:
        statements.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    yield statements
    sa.event.remove(database.engine, "before_cursor_execute", note)


def test_a_channel_number_says_its_channel_and_rings_the_company(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    found = asked(database, pallets.billboard, now)
    assert (found.channel_id, found.pool_id, found.lease_id) == (pallets.billboard_channel_id, None, None)
    assert found.company_id == pallets.company_id
    assert found.record
    assert found.rings == (Ring(pallets.office_id, 25), Ring(pallets.mobile_id, 25))


def test_a_pool_number_says_who_held_it_at_that_instant(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        lease = session.get_one(Lease, pallets.lease_id)
        lease.until_at = now
        later = Lease(
            number_id=lease.number_id,
            pool_id=lease.pool_id,
            visit_id=lease.visit_id,
            from_at=now,
            expires_at=now + timedelta(minutes=10),
        )
        session.add(later)
        session.flush()
        later_id = later.id
    before, instant = now - timedelta(milliseconds=1), now
    assert asked(database, pallets.leased, before).lease_id == pallets.lease_id
    assert asked(database, pallets.leased, instant).lease_id == later_id
    assert asked(database, pallets.leased, now - timedelta(hours=2)).lease_id is None
    assert asked(database, pallets.free, now).lease_id is None
    assert asked(database, pallets.free, now).pool_id == pallets.pool_id


def test_a_number_in_quarantine_is_still_answered(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        number = session.scalars(sa.select(Number).where(Number.e164 == pallets.billboard)).one()
        number.state = NumberState.QUARANTINED
        number.quarantined_until = now - timedelta(days=1)
        number.record = False
    found = asked(database, pallets.billboard, now)
    assert found.channel_id == pallets.billboard_channel_id
    assert not found.record
    assert found.rings


@pytest.mark.parametrize("did", ["+74950000000", "", "' OR 1=1 --", "+7495\N{SNOWMAN}"])
def test_a_number_that_is_not_ours_is_not_answered(
    database: Database, pallets: Pallets, now: datetime, did: str
) -> None:
    with database.read() as session:
        assert look_up(session, did, now) is None


def test_a_retired_number_is_not_answered(database: Database, pallets: Pallets, now: datetime) -> None:
    with database.write() as session:
        number = session.scalars(sa.select(Number).where(Number.e164 == pallets.billboard)).one()
        number.state = NumberState.RETIRED
    with database.read() as session:
        assert look_up(session, pallets.billboard, now) is None


def test_a_moved_number_stands_for_what_it_was_used_for_when_it_rang(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        use = session.scalars(
            sa.select(NumberUse).where(NumberUse.channel_id == pallets.billboard_channel_id)
        ).one()
        use.until_at = now
        session.flush()
        session.add(NumberUse(number_id=use.number_id, pool_id=pallets.pool_id, from_at=now))
    earlier = asked(database, pallets.billboard, now - timedelta(days=1))
    assert earlier.channel_id == pallets.billboard_channel_id
    assert asked(database, pallets.billboard, now).pool_id == pallets.pool_id
    assert asked(database, pallets.billboard, now - timedelta(days=40)).channel_id is None


@pytest.mark.parametrize("scope", ["number", "channel", "pool"])
def test_the_most_particular_forwarding_rings_as_it_does_in_the_rendered_plan(
    database: Database, pallets: Pallets, now: datetime, scope: str
) -> None:
    did = pallets.free if scope == "pool" else pallets.billboard
    with database.write() as session:
        number_id = session.scalars(sa.select(Number.id).where(Number.e164 == did)).one()
        scopes = {"number": number_id, "channel": pallets.billboard_channel_id, "pool": pallets.pool_id}
        for position, target_id in enumerate((pallets.mobile_id, pallets.office_id)):
            session.add(
                Forwarding(
                    company_id=pallets.company_id,
                    position=position,
                    target_id=target_id,
                    ring_seconds=7,
                    **{f"{scope}_id": scopes[scope]},
                )
            )
    found = asked(database, did, now)
    assert found.rings == (Ring(pallets.mobile_id, 7), Ring(pallets.office_id, 7))
    with database.read() as session:
        assert rings_for(session, [number_id])[number_id] == found.rings


def test_another_companys_forwarding_never_rings(database: Database, pallets: Pallets, now: datetime) -> None:
    with database.write() as session:
        session.execute(sa.delete(Forwarding))
        session.add(Forwarding(company_id=pallets.company_id, position=1, target_id=pallets.office_id))
        other = add_number_of_another_company(session, now)
    assert asked(database, other, now).rings == ()
    assert len(asked(database, pallets.billboard, now).rings) == 1


def add_number_of_another_company(session: sa.orm.Session, now: datetime) -> str:
    from tracker.models import Channel, Company

    company = Company(slug="crates", name="Crates", default_region="RU", created_at=now)
    session.add(company)
    session.flush()
    channel = Channel(company_id=company.id, name="Flyer", source="flyer", created_at=now)
    session.add(channel)
    session.flush()
    return add_number(session, company.id, "+74957654321", now, channel_id=channel.id).e164


def test_a_look_up_is_two_statements(database: Database, pallets: Pallets, now: datetime) -> None:
    with database.read() as session, counted(database) as statements:
        look_up(session, pallets.leased, now)
    assert len([each for each in statements if each != "BEGIN"]) == 2


def test_a_look_up_seeks_and_never_scans(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        pallets = add_pallets(session, now)
    with sqlite.read() as session, counted(sqlite) as statements:
        look_up(session, pallets.leased, now)
        text = next(each for each in statements if "forwardings" in each)
        plan = session.connection().exec_driver_sql(
            "EXPLAIN QUERY PLAN " + text, tuple([0] * text.count("?"))
        )
        steps = [row[-1] for row in plan]
    assert not [step for step in steps if step.startswith("SCAN")], steps
