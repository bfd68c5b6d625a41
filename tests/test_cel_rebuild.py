"""CEL as the backstop: what the spool does not know is rebuilt, what it knows is left alone."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from support.cel import answered_call, unanswered_call
from support.facts import CALLER, Pallets, add_pallets, answered, ended, started

from tracker.books import record_all
from tracker.cel import last_signs, read_cel, rotate
from tracker.database import Database
from tracker.models import Call, CallEvent, QuarantinedLine, Recording, RecordingState, SpoolFile
from tracker.policy.cel import parse_row
from tracker.policy.facts import Fact, HungUpBy, Interrupted, Outcome, Presentation
from tracker.policy.spool import BadLine

KEY = "a2f9e355-7a35-4e0f-b26a-10cdf2f19e0b"


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.fixture
def pallets(database: Database, now: datetime) -> Pallets:
    with database.write() as session:
        return add_pallets(session, now)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "cel-custom"
    made.mkdir()
    return made


def only_call(database: Database) -> Call:
    with database.read() as session:
        return session.scalars(sa.select(Call)).one()


def test_a_call_the_spool_never_saw_is_rebuilt(
    database: Database, pallets: Pallets, folder: Path, now: datetime
) -> None:
    (folder / "cel.csv").write_bytes(answered_call(KEY, now, "84951234571", target_id=pallets.mobile_id))
    assert read_cel(database, folder, "main", now + seconds(60)).rebuilt == 3
    call = only_call(database)
    assert (call.key, call.started_at, call.lease_id) == (KEY, now, pallets.lease_id)
    assert (call.outcome, call.wait_seconds, call.talk_seconds) == (Outcome.ANSWERED, 3.0, 4.0)
    assert (call.target_id, call.hung_up_by) == (pallets.mobile_id, HungUpBy.CALLER)
    assert (call.uniqueid, call.dial_status, call.hangup_cause) == ("main-1.0", "ANSWER", 16)
    with database.read() as session:
        assert session.scalars(sa.select(Recording.state)).all() == [RecordingState.PENDING]


def test_a_rebuilt_call_does_not_name_a_caller_who_may_have_withheld_it(
    database: Database, pallets: Pallets, folder: Path, now: datetime
) -> None:
    (folder / "cel.csv").write_bytes(answered_call(KEY, now, "84951234567"))
    read_cel(database, folder, "main", now + seconds(60))
    assert (only_call(database).caller, only_call(database).presentation) == (None, Presentation.UNAVAILABLE)
    with database.write() as session:  # the AGI or a restored spool knows better
        record_all(session, [started(pallets.billboard, now + seconds(0.01), KEY)])
    assert only_call(database).caller == CALLER


def test_a_call_whose_end_never_came_gets_it(
    database: Database, pallets: Pallets, folder: Path, now: datetime
) -> None:
    with database.write() as session:
        record_all(
            session,
            [started(pallets.billboard, now, KEY), answered(pallets.office_id, now + seconds(2.9), KEY)],
        )
    (folder / "cel.csv").write_bytes(answered_call(KEY, now, "84951234567", target_id=pallets.mobile_id))
    assert read_cel(database, folder, "main", now + seconds(60)).rebuilt == 1
    call = only_call(database)
    assert (call.wait_seconds, call.talk_seconds, call.target_id) == (2.9, 4.1, pallets.office_id)


def test_an_answer_whose_line_was_lost_is_found(
    database: Database, pallets: Pallets, folder: Path, now: datetime
) -> None:
    with database.write() as session:
        record_all(session, [started(pallets.billboard, now, KEY), ended(now + seconds(7.1), KEY)])
    (folder / "cel.csv").write_bytes(answered_call(KEY, now, "84951234567", target_id=pallets.mobile_id))
    assert read_cel(database, folder, "main", now + seconds(60)).rebuilt == 1
    call = only_call(database)
    assert (call.wait_seconds, call.talk_seconds, call.target_id) == (3.0, 4.1, pallets.mobile_id)


def test_an_interrupted_guess_is_replaced_by_the_end_that_cel_saw(
    database: Database, pallets: Pallets, folder: Path, now: datetime
) -> None:
    with database.write() as session:
        record_all(
            session,
            [started(pallets.billboard, now, KEY), Interrupted(KEY, "main", now + seconds(1))],
        )
    (folder / "cel.csv").write_bytes(unanswered_call(KEY, now, "84951234567"))
    read_cel(database, folder, "main", now + seconds(60))
    call = only_call(database)
    assert (call.outcome, call.interrupted, call.ended_at) == (Outcome.GAVE_UP, False, now + seconds(5))


def test_a_call_the_spool_knows_is_left_alone(
    database: Database, pallets: Pallets, folder: Path, now: datetime
) -> None:
    facts: list[Fact] = [
        started(pallets.billboard, now, KEY),
        answered(pallets.office_id, now + seconds(3), KEY),
        ended(now + seconds(7), KEY),
    ]
    with database.write() as session:
        record_all(session, facts)
    (folder / "cel.csv").write_bytes(answered_call(KEY, now, "84951234567"))
    for _ in range(2):
        assert read_cel(database, folder, "main", now + seconds(60)).rebuilt == 0
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(CallEvent)) == 3


def test_rows_wait_until_the_spool_has_had_its_time(
    database: Database, pallets: Pallets, folder: Path, now: datetime
) -> None:
    (folder / "cel.csv").write_bytes(answered_call(KEY, now, "84951234567"))
    assert read_cel(database, folder, "main", now + seconds(20)).rows == 0
    assert (
        read_cel(database, folder, "main", now + seconds(33)).rebuilt == 0
    )  # only the beginning is old enough
    assert read_cel(database, folder, "main", now + seconds(60)).rebuilt == 3


def test_a_bad_row_is_quarantined_and_stops_nothing(
    database: Database, pallets: Pallets, folder: Path, now: datetime
) -> None:
    (folder / "cel.csv").write_bytes(b'"HANGUP","now"\n"\xff\x00\n' + answered_call(KEY, now, "84951234567"))
    read = read_cel(database, folder, "main", now + seconds(60))
    assert (read.bad, read.rebuilt) == (2, 3)
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(QuarantinedLine)) == 2


def test_a_call_to_nobodys_number_is_in_no_companys_books(
    database: Database, pallets: Pallets, folder: Path, now: datetime
) -> None:
    (folder / "cel.csv").write_bytes(answered_call(KEY, now, "84999999999"))
    read_cel(database, folder, "main", now + seconds(60))
    with database.read() as session:
        assert session.scalars(sa.select(Call)).all() == []


def test_a_large_file_is_put_aside_and_reading_goes_on(
    database: Database, pallets: Pallets, folder: Path, now: datetime
) -> None:
    file = folder / "cel.csv"
    half, rest = answered_call(KEY, now, "84951234567").split(b'"BRIDGE_EXIT"', 1)
    file.write_bytes(half)
    read_cel(database, folder, "main", now + seconds(60))
    with file.open("ab") as opened:
        opened.write(b'"BRIDGE_EXIT"' + rest)
        opened.truncate(65 * 2**20)  # holes: nothing but zeros
    rotate(database, folder, "main", now)
    (aside,) = folder.iterdir()
    assert aside.name.startswith("cel-2026")
    os.truncate(aside, len(half) + len(b'"BRIDGE_EXIT"' + rest))
    read = read_cel(database, folder, "main", now + seconds(60))
    assert (read.rows, read.rebuilt) == (8, 3)  # the second half alone was read, the whole call found
    with database.read() as session:
        assert session.scalars(sa.select(SpoolFile.name)).all() == [aside.name]
    rotate(database, folder, "main", now + timedelta(days=31))
    assert list(folder.iterdir()) == []


def test_the_last_sign_of_life_is_the_youngest_row(folder: Path, now: datetime) -> None:
    rows = answered_call(KEY, now, "84951234567").splitlines(keepends=True)
    (folder / "cel.csv").write_bytes(b"".join(rows[:6]))
    assert last_signs(folder, ["main-1.0", "main-9.9"]) == {"main-1.0": now + seconds(3)}


@settings(deadline=None)
@given(
    st.binary(max_size=200)
    | st.lists(st.text(max_size=12), max_size=12).map(lambda cells: '","'.join(cells).encode())
)
def test_any_bytes_are_a_row_or_a_bad_line(line: bytes) -> None:
    try:
        row = parse_row(line)
    except BadLine as bad:
        problem = bad.problem
    else:
        assert row.kind
        return
    assert problem
