"""Calls that a crash left open are closed with what is known; those that go on are left alone."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.cel import answered_call
from support.facts import Pallets, add_pallets, answered, ended, started
from support.spool import append

from tracker.books import record, record_all
from tracker.database import Database
from tracker.importer import read_spool
from tracker.models import Call, Node, Recording, RecordingState, WaitingFact
from tracker.policy.facts import HungUpBy, Outcome
from tracker.reconcile import close_interrupted, reconcile, tidy_waiting

KEY = "a2f9e355-7a35-4e0f-b26a-10cdf2f19e0b"


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.fixture
def pallets(database: Database, now: datetime) -> Pallets:
    """The company, and a call that was answered 3 s after `now`."""
    with database.write() as session:
        found = add_pallets(session, now)
        record_all(
            session,
            [
                started(found.billboard, now, KEY, linkedid="main-1.0"),
                answered(found.office_id, now + seconds(3), KEY),
            ],
        )
        return found


def see(database: Database, at: datetime, **more: object) -> None:
    """What the AMI listener writes."""
    with database.write() as session:
        given = {"ami_up": True, "live": [], "asterisk_started_at": at - timedelta(days=1)} | more
        session.merge(Node(name="main", seen_at=at, **given))


def close(database: Database, tmp_path: Path, now: datetime) -> int:
    return reconcile(
        database,
        "main",
        now,
        spool=tmp_path / "calls",
        cel_folder=tmp_path / "cel-custom",
        recordings=tmp_path / "recordings",
    )


def only_call(database: Database) -> Call:
    with database.read() as session:
        return session.scalars(sa.select(Call)).one()


def test_a_call_older_than_asterisks_start_is_closed_as_interrupted(
    database: Database, pallets: Pallets, tmp_path: Path, now: datetime
) -> None:
    see(database, now + seconds(60), asterisk_started_at=now + seconds(50))
    assert close(database, tmp_path, now + seconds(61)) == 1
    call = only_call(database)
    assert (call.outcome, call.interrupted, call.hung_up_by) == (Outcome.ANSWERED, True, HungUpBy.SYSTEM)
    assert (call.ended_at, call.talk_seconds) == (now + seconds(3), 0.0)
    with database.read() as session:
        assert session.scalars(sa.select(Recording.state)).all() == [RecordingState.PENDING]
    assert close(database, tmp_path, now + seconds(62)) == 0


@pytest.mark.parametrize(("written", "expected"), [(27.5, 27.5), (55.0, 50.0), (1.0, 6.0)])
def test_the_last_sign_of_life_ends_it(
    database: Database, pallets: Pallets, tmp_path: Path, now: datetime, written: float, expected: float
) -> None:
    """CEL last saw it at 6 s; the recording grew until `written`; Asterisk was back at 50 s."""
    see(database, now + seconds(60), asterisk_started_at=now + seconds(50))
    rows = answered_call(KEY, now + seconds(3), "84951234567").splitlines(keepends=True)[:6]
    (tmp_path / "cel-custom").mkdir()
    (tmp_path / "cel-custom" / "cel.csv").write_bytes(b"".join(rows))
    (tmp_path / "recordings").mkdir()
    recording = tmp_path / "recordings" / f"{KEY}.raw"
    recording.touch()
    os.utime(recording, times=((now + seconds(written)).timestamp(),) * 2)
    assert close(database, tmp_path, now + seconds(61)) == 1
    assert only_call(database).ended_at == now + seconds(expected)


def test_a_call_that_asterisk_does_not_have_any_more_is_closed(
    database: Database, pallets: Pallets, tmp_path: Path, now: datetime
) -> None:
    see(database, now + seconds(60), live=[{"call": "another"}])
    assert close(database, tmp_path, now + seconds(61)) == 1


def test_a_call_that_goes_on_is_left_alone(
    database: Database, pallets: Pallets, tmp_path: Path, now: datetime
) -> None:
    assert close(database, tmp_path, now + seconds(61)) == 0  # nobody has seen the node
    see(database, now + seconds(60), live=[{"call": KEY}])
    assert close(database, tmp_path, now + seconds(61)) == 0
    see(database, now + seconds(60), ami_up=False)
    assert close(database, tmp_path, now + seconds(61)) == 0
    see(database, now + seconds(5))
    assert close(database, tmp_path, now + seconds(61)) == 0  # the list is old
    see(database, now + seconds(10))
    assert close(database, tmp_path, now + seconds(10)) == 0  # too young to be in it
    with database.write() as session:
        session.execute(sa.update(Call).values(node="other"))
    see(database, now + seconds(60))
    assert close(database, tmp_path, now + seconds(61)) == 0


def test_a_call_older_than_any_call_can_be_is_closed(
    database: Database, pallets: Pallets, tmp_path: Path, now: datetime
) -> None:
    assert close(database, tmp_path, now + timedelta(hours=4)) == 0
    assert close(database, tmp_path, now + timedelta(hours=5)) == 1


def test_nothing_is_closed_before_the_spool_has_been_read(
    database: Database, pallets: Pallets, tmp_path: Path, now: datetime
) -> None:
    see(database, now + seconds(60))
    append(tmp_path / "calls", now, ended(now + seconds(40), KEY))
    assert close(database, tmp_path, now + seconds(61)) == 0
    read_spool(database, tmp_path / "calls", "main", now + seconds(61))
    assert close(database, tmp_path, now + seconds(61)) == 0
    assert (only_call(database).interrupted, only_call(database).talk_seconds) == (False, 37.0)


def test_an_end_that_comes_after_all_replaces_the_guess(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    see(database, now + seconds(60))
    with database.write() as session:
        assert close_interrupted(session, "main", now + seconds(61)) == 1
        call = record(session, ended(now + seconds(70), KEY))
        assert call is not None
        assert (call.interrupted, call.talk_seconds) == (False, 67.0)


def test_fifty_calls_up_in_a_crash_are_closed_at_once(
    database: Database, pallets: Pallets, tmp_path: Path, now: datetime
) -> None:
    with database.write() as session:
        for number in range(49):
            record(session, started(pallets.leaflet, now + seconds(number / 10), f"call-{number}"))
    see(database, now + seconds(60), asterisk_started_at=now + seconds(50))
    assert close(database, tmp_path, now + seconds(61)) == 50
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).where(Call.interrupted)) == 50
        assert session.scalar(sa.select(sa.func.count()).where(Call.ended_at.is_(None))) == 0


def test_facts_that_waited_for_two_months_are_given_up(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        record(session, ended(now, "startless"))
        assert tidy_waiting(session, now + timedelta(days=59)) == 0
        assert session.scalar(sa.select(sa.func.count()).select_from(WaitingFact)) == 1
        tidy_waiting(session, now + timedelta(days=61))
        assert session.scalar(sa.select(sa.func.count()).select_from(WaitingFact)) == 0
