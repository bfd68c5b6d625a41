"""Alerts in the books: what is found there, begun and ended once, seen by those it concerns."""

from __future__ import annotations

import threading
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from support.command import ready
from support.facts import Pallets, add_pallets, answered, ended, leg_ended, started
from support.recorded import end_call

from commands.context import Here
from commands.watching import Watch, trunk_sight
from tracker import alert_facts, alerts, companies, misses
from tracker.alerts import Seer, Turn
from tracker.audit import By
from tracker.books import record, record_all
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import (
    Alert,
    AlertAddress,
    AlertKind,
    AlertMessage,
    Company,
    News,
    Node,
    Recording,
    RecordingState,
    Way,
)
from tracker.policy.alerts import Reading, State
from tracker.policy.installation_alerts import Machine, TrunkSight
from tracker.settings import read_settings

MINUTE = timedelta(minutes=1)
WELL = Machine("main", 50_000, 0.0, True, ())


@pytest.fixture
def pallets(database: Database, now: datetime) -> Pallets:
    with database.write() as session:
        session.add(Node(name="main", seen_at=now, ami_up=True))
        return add_pallets(session, now)


def bad(
    database: Database, now: datetime, machine: Machine = WELL, *, without: str = "recordings_failing"
) -> dict[str, dict[str, object]]:
    """What deserves an alert, and its figures; these calls' recordings are nobody's business here."""
    with database.read() as session:
        readings, _ = alert_facts.read_all(session, machine, now, disk_low_mb=2048)
        readings += alert_facts.read_habits(session, now)
    return {it.key: dict(it.detail) for it in readings if it.state is State.BAD and it.kind != without}


def turn(database: Database, now: datetime, *readings: Reading, complete: Collection[AlertKind] = ()) -> Turn:
    with database.write() as session:
        return alerts.take_turn(session, readings, complete, {}, now)


def disk(state: State, free_mb: int = 7) -> Reading:
    return Reading(AlertKind.DISK_FULL, "main", "main", state, None, {"free_mb": free_mb})


def pool(state: State, company_id: int) -> Reading:
    return Reading(AlertKind.POOL_LOW, "1", "Website", state, company_id, {"free": 0, "size": 2, "misses": 0})


def lose(session: Session, did: str, at: datetime, key: str, status: str = "NOANSWER") -> None:
    over = ended(at + timedelta(seconds=30), key, status=status, cause=16, seen_by_agi=True)
    tried = leg_ended(1, at + timedelta(seconds=29), key, status=status)
    record_all(session, [started(did, at, key), tried, over])


# ---- what is found ----


def test_where_all_is_well_nothing_is_found(database: Database, pallets: Pallets, now: datetime) -> None:
    assert bad(database, now) == {}


def test_a_pool_that_runs_out_is_found(database: Database, pallets: Pallets, now: datetime) -> None:
    with database.write() as session:
        misses.count(session, pallets.site_id, pallets.pool_id, "pool_empty", now, 5)
        misses.count(session, pallets.site_id, pallets.pool_id, "bot", now, 99)
    assert bad(database, now) == {f"pool_low:{pallets.pool_id}": {"free": 1, "size": 2, "misses": 5}}
    assert bad(database, now + timedelta(hours=1)).keys() <= {"node_away:main"}


def test_calls_in_a_row_that_nobody_took_are_found_until_one_is_taken(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        for place in range(3):
            lose(session, Pallets.billboard, now - timedelta(minutes=30 - place), f"b{place}")
        for place in range(2):
            lose(session, Pallets.leaflet, now - timedelta(minutes=20 - place), f"l{place}", "BUSY")
    found = bad(database, now)
    assert {key.split(":")[1][0]: it["count"] for key, it in found.items()} == {"n": 3, "c": 5}
    at = now - timedelta(minutes=10)
    with database.write() as session:
        taken = answered(pallets.office_id, at + timedelta(seconds=5), "t")
        record_all(session, [started(Pallets.billboard, at, "t"), taken, ended(now, "t")])
    assert bad(database, now) == {}


def test_a_company_says_itself_from_when_on_it_is_told(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    by = By(now, "test")
    with database.write() as session:
        for place in range(3):
            lose(session, Pallets.billboard, now - timedelta(minutes=30 - place), f"b{place}")
        company = session.get_one(Company, pallets.company_id)
        alerts.change_threshold(session, by, company, "missed_calls", 4)
    assert bad(database, now) == {}
    with database.write() as session:
        company = session.get_one(Company, pallets.company_id)
        assert alerts.change_threshold(session, by, company, "missed_calls", None).missed_calls == 3
        for name, value in (("colour", 1), ("missed_calls", -1), ("pool_free_percent", 101)):
            with pytest.raises(Rejected, match=r"Choose|Give 0"):
                alerts.change_threshold(session, by, company, name, value)
    assert len(bad(database, now)) == 1


def test_a_number_that_used_to_ring_and_is_silent_is_found(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        for place in range(12):
            at = now - timedelta(days=9 + place)
            taken = answered(pallets.office_id, at + timedelta(seconds=5), f"s{place}")
            over = ended(at + MINUTE, f"s{place}")
            record_all(session, [started(Pallets.billboard, at, f"s{place}"), taken, over])
    (found,) = bad(database, now).values()
    assert found == {"days": 9, "weekly": 7.6}
    with database.write() as session:
        record(session, started(Pallets.billboard, now, "again"))
    assert bad(database, now) == {}


def test_calls_that_pass_the_agi_by_and_a_silent_node_are_found(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        for place in range(3):
            at = now - timedelta(minutes=9 - place)
            taken = answered(pallets.office_id, at, f"u{place}")
            over = ended(at + timedelta(seconds=9), f"u{place}", seen_by_agi=False)
            record_all(session, [started(Pallets.billboard, at, f"u{place}"), taken, over])
    assert bad(database, now) == {"agi_failing:main": {"how": "calls", "count": 3}}
    assert bad(database, now + MINUTE) == {"node_away:main": {"how": "silent"}}
    assert bad(database, now + timedelta(days=8)) == {}  # it was taken away


def test_recordings_that_cannot_be_finished_are_found(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    end_call(database, pallets, "young", now - MINUTE)
    late = end_call(database, pallets, "late", now - timedelta(minutes=20))
    found = bad(database, now, without="agi_failing")
    assert found == {"recordings_failing:main": {"how": "stuck", "count": 1}}
    with database.write() as session:
        session.get_one(Recording, late).state = RecordingState.DAMAGED
    assert bad(database, now, without="agi_failing") == {}  # one is no habit


def test_the_machine_is_looked_at(database: Database, pallets: Pallets, now: datetime) -> None:
    machine = Machine("main", 100, 90.0, False, (TrunkSight(4, "carrier", "silent"),))
    assert set(bad(database, now, machine)) == {
        "disk_full:main", "books_behind:main", "agi_failing:main", "trunk_down:4"
    }  # fmt: skip
    assert bad(database, now, Machine("main")) == {}  # nothing could be looked at


def test_a_trunk_is_judged_by_its_endpoint_and_its_log_in() -> None:
    up, down = {"trunk-1": "Not in use"}, {"trunk-1": "Unavailable"}
    assert trunk_sight(1, "c", "ip", up, set()).problem is None
    assert trunk_sight(1, "c", "ip", down, set()).problem == "silent"
    assert trunk_sight(1, "c", "registration", up, set()).problem == "unregistered"
    assert trunk_sight(1, "c", "registration", up, {"trunk-1"}).problem is None


# ---- begun and ended ----


def test_an_alert_begins_once_goes_on_and_ends_once_with_a_message_each_time(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        for company_id, address in ((None, "admin@x.example"), (pallets.company_id, "olga@x.example")):
            made = AlertAddress(company_id=company_id, way=Way.EMAIL, address=address, created_at=now)
            session.add(made)
    assert turn(database, now, disk(State.BAD)).begun == 1
    again = turn(database, now + MINUTE, disk(State.BAD, 5))
    assert (again.begun, again.ended) == (0, 0)
    assert turn(database, now + 2 * MINUTE, disk(State.FINE)).ended == 0
    assert turn(database, now + 3 * MINUTE, disk(State.FINE)).ended == 0
    assert turn(database, now + 7 * MINUTE, disk(State.FINE)).ended == 1
    assert turn(database, now + 8 * MINUTE, disk(State.FINE)).ended == 0
    assert turn(database, now + 9 * MINUTE, disk(State.BAD)).begun == 1
    with database.read() as session:
        first, _ = session.scalars(sa.select(Alert).order_by(Alert.id)).all()
        assert (first.begun_at, first.ended_at) == (now, now + 7 * MINUTE)
        assert first.detail == {"free_mb": 5}
        messages = session.scalars(sa.select(AlertMessage).order_by(AlertMessage.id)).all()
        assert [it.news for it in messages] == [News.BEGUN, News.ENDED, News.BEGUN]
        assert len({it.key for it in messages}) == 3
        assert {it.address.address for it in messages} == {"admin@x.example"}


def test_a_turn_that_fails_leaves_neither_alert_nor_message(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        session.add(AlertAddress(way=Way.EMAIL, address="a@x.example", created_at=now))
    with pytest.raises(RuntimeError), database.write() as session:
        alerts.take_turn(session, [disk(State.BAD)], (), {}, now)
        session.flush()
        raise RuntimeError
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Alert)) == 0
        assert session.scalar(sa.select(sa.func.count()).select_from(AlertMessage)) == 0


def test_workers_that_take_turns_at_once_begin_and_end_it_once(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        session.add(AlertAddress(way=Way.EMAIL, address="a@x.example", created_at=now))
    line, turns = threading.Barrier(4), list[Turn]()

    def race(reading: Reading, at: datetime) -> None:
        line.wait(30)
        turns.append(turn(database, at, reading))

    for reading, at in (
        (disk(State.BAD), now),
        (disk(State.FINE), now),
        (disk(State.FINE), now + 6 * MINUTE),
    ):
        racers = [threading.Thread(target=race, args=(reading, at)) for _ in range(4)]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
    assert len(turns) == 12
    assert sum(it.begun for it in turns) == sum(it.ended for it in turns) == 1
    with database.read() as session:
        news = session.scalars(sa.select(AlertMessage.news).order_by(AlertMessage.id)).all()
    assert news == [News.BEGUN, News.ENDED]


# ---- whom it concerns ----


def test_each_sees_his_companies_alerts_and_admins_the_installations(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    turn(database, now, disk(State.BAD), pool(State.BAD, pallets.company_id))

    def seen(who: Seer) -> set[str]:
        with database.read() as session:
            return {it.kind for it in alerts.going_on(session, who)}

    assert seen(Seer([pallets.company_id])) == {"pool_low"}
    assert seen(Seer([pallets.company_id], installation=True)) == {"pool_low", "disk_full"}
    assert seen(Seer([99])) == set()
    with database.read() as session:
        alert_id = session.scalars(sa.select(Alert.id).where(Alert.kind == AlertKind.DISK_FULL)).one()
        with pytest.raises(Rejected, match="no such alert"):
            alerts.get_alert(session, Seer([pallets.company_id]), alert_id)


def test_the_first_who_has_seen_it_stays(database: Database, pallets: Pallets, now: datetime) -> None:
    turn(database, now, pool(State.BAD, pallets.company_id))
    who = Seer([pallets.company_id])
    with database.write() as session:
        (alert,) = alerts.going_on(session, who)
        alerts.mark_seen(session, By(now, "olga@x.example"), alert, "Olga")
        alerts.mark_seen(session, By(now + MINUTE, "ann@x.example"), alert, "Ann")
    turn(database, now + 2 * MINUTE, pool(State.FINE, pallets.company_id))
    turn(database, now + 13 * MINUTE, pool(State.FINE, pallets.company_id))
    with database.read() as session:
        assert not alerts.going_on(session, who)
        (past,) = alerts.history(session, who, now + timedelta(days=29))
        assert (past.seen_by, past.seen_at) == ("Olga", now)
        assert not alerts.history(session, who, now + timedelta(days=31))


def test_a_company_that_is_deleted_takes_its_alerts_along(database: Database, now: datetime) -> None:
    with database.write() as session:
        company = Company(slug="new", name="New", default_region="DE", created_at=now)
        session.add(company)
        session.flush()
        made = AlertAddress(company_id=company.id, way=Way.EMAIL, address="a@x.example", created_at=now)
        session.add(made)
    turn(database, now, pool(State.BAD, company.id))
    with database.write() as session:
        companies.delete(session, By(now, "test"), session.get_one(Company, company.id))
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Alert)) == 0


# ---- the worker ----


def test_the_worker_takes_turns_on_a_real_installation(tmp_path: Path) -> None:
    installation = ready(tmp_path, LEASELINE_ALERT_DISK_MB="999999999")
    installation.done("company", "add", "pallets", "--region", "RU")
    opened = Here()
    opened.__dict__["settings"] = read_settings(installation.environ)
    watch = Watch(opened)
    watch.take_turn()
    watch.take_turn()
    with opened.database.read() as session:
        (alert,) = session.scalars(sa.select(Alert))
        assert alert.kind is AlertKind.DISK_FULL
    opened.close()
