"""From the spool into the books: every line once, whatever happens to files, lines and database."""

from __future__ import annotations

import json
import os
import threading
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.facts import Pallets, add_pallets, answered, ended, leg_ended, started
from support.postgres import Postgres
from support.spool import append, spool_line

from tracker.books import record_all
from tracker.database import Database
from tracker.importer import Imported, behind_seconds, read_spool, rerun
from tracker.models import Base, Call, CallEvent, QuarantinedLine, Refusal, SpoolFile, WaitingFact
from tracker.policy.facts import Fact, Outcome, Refused


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.fixture
def pallets(database: Database, now: datetime) -> Pallets:
    with database.write() as session:
        return add_pallets(session, now)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool" / "calls"


def a_call(pallets: Pallets, now: datetime, call: str) -> list[Fact]:
    return [
        started(pallets.billboard, now, call),
        leg_ended(pallets.office_id, now + seconds(6), call),
        answered(pallets.mobile_id, now + seconds(9), call, position=2),
        ended(now + seconds(69), call),
    ]


def books(database: Database) -> list[tuple[object, ...]]:
    """Everything the spool can change, without ids."""
    with database.read() as session:
        calls = session.execute(
            sa.select(
                Call.key, Call.caller, Call.repeat, Call.channel_id, Call.outcome, Call.target_id,
                Call.started_at, Call.wait_seconds, Call.talk_seconds,
            ).order_by(Call.key)
        )  # fmt: skip
        events = session.execute(
            sa.select(Call.key, CallEvent.digest)
            .join(Call, Call.id == CallEvent.call_id)
            .order_by(Call.key, CallEvent.digest)
        )
        waiting = session.execute(sa.select(WaitingFact.digest).order_by(WaitingFact.digest))
        bad = session.execute(sa.select(QuarantinedLine.digest).order_by(QuarantinedLine.digest))
        refused = session.execute(sa.select(Refusal.key).order_by(Refusal.key))
        return [tuple(row) for rows in (calls, events, waiting, bad, refused) for row in rows]


def test_lines_are_read_once_as_they_come(
    database: Database, pallets: Pallets, folder: Path, now: datetime
) -> None:
    assert read_spool(database, folder, "main", now) == Imported(0, 0, 0.0)
    first, *rest = a_call(pallets, now, "call-1")
    append(folder, now, first)
    assert read_spool(database, folder, "main", now) == Imported(1, 0, 0.0)
    append(folder, now, *rest)
    append(folder, now + timedelta(hours=1), *a_call(pallets, now + timedelta(hours=1), "call-2"))
    assert read_spool(database, folder, "main", now) == Imported(7, 0, 0.0)
    assert read_spool(database, folder, "main", now) == Imported(0, 0, 0.0)
    with database.read() as session:
        assert session.scalars(sa.select(Call.outcome)).all() == [Outcome.ANSWERED] * 2
        assert session.scalars(sa.select(Call.repeat).order_by(Call.key)).all() == [False, True]


def test_a_line_without_its_end_is_left_for_later(
    database: Database, pallets: Pallets, folder: Path, now: datetime
) -> None:
    file = append(folder, now)
    line = spool_line(started(pallets.billboard, now))
    file.write_bytes(line[:40])
    assert read_spool(database, folder, "main", now) == Imported(0, 0, 0.0)
    file.write_bytes(line)
    assert read_spool(database, folder, "main", now) == Imported(1, 0, 0.0)


def test_a_bad_line_is_quarantined_and_stops_nothing(
    database: Database, pallets: Pallets, folder: Path, now: datetime
) -> None:
    file = append(folder, now, started(pallets.billboard, now))
    with file.open("ab") as opened:
        opened.write(b'{"e":"end","call":"\x00\xff;DROP TABLE calls\n\n')
    append(folder, now, ended(now + seconds(9)))
    assert read_spool(database, folder, "main", now) == Imported(4, 2, 0.0)
    with database.read() as session:
        assert session.scalars(sa.select(Call.outcome)).all() == [Outcome.ANSWERED]
        problems = session.scalars(sa.select(QuarantinedLine.problem)).all()
        assert all(problem.startswith("not JSON") for problem in problems)


def test_a_line_longer_than_any_line_can_be_is_stepped_over(
    database: Database, pallets: Pallets, folder: Path, now: datetime
) -> None:
    file = append(folder, now)
    file.write_bytes(b"x" * 600_000 + b"\n" + spool_line(started(pallets.billboard, now)))
    imported = read_spool(database, folder, "main", now)
    assert (imported.bad, imported.behind_seconds) == (3, 0.0)
    with database.read() as session:
        assert session.scalars(sa.select(Call.key)).all() == ["call-1"]


def test_a_fact_the_books_will_not_take_is_quarantined_alone(
    database: Database, pallets: Pallets, folder: Path, now: datetime
) -> None:
    # A damaged event in the books: whatever is added to that call cannot be folded.
    with database.write() as session:
        read = started(pallets.billboard, now, "damaged")
        record_all(session, [read])
        session.execute(sa.update(CallEvent).values(detail={"nonsense": 1}))
    append(folder, now, ended(now, "damaged"), *a_call(pallets, now, "sound"))
    assert read_spool(database, folder, "main", now) == Imported(5, 1, 0.0)
    with database.read() as session:
        assert session.scalar(sa.select(Call.outcome).where(Call.key == "sound")) is Outcome.ANSWERED
        assert "cannot be stored" in session.scalars(sa.select(QuarantinedLine.problem)).one()


def test_a_refused_call_is_read(database: Database, pallets: Pallets, folder: Path, now: datetime) -> None:
    append(folder, now, Refused("r-1", "main", now, None, "+1900", "+49301", "unknown_number"))
    read_spool(database, folder, "main", now)
    with database.read() as session:
        assert session.scalars(sa.select(Refusal.did)).all() == ["+1900"]


def test_reading_everything_again_changes_nothing(
    database: Database, pallets: Pallets, folder: Path, now: datetime
) -> None:
    append(folder, now, *a_call(pallets, now, "call-1"), ended(now, "startless"))
    append(folder, now, started("+4930999999", now, "nobodys"), ended(now, "nobodys"))
    file = append(folder, now, Refused("r-1", "main", now, None, "+1900", "+49301", "unknown_number"))
    with file.open("ab") as opened:
        opened.write(b"nonsense\n")
    read_spool(database, folder, "main", now)
    before = books(database)
    again = rerun(database, folder, "main", 7, now)
    assert (again.lines, again.new, again.bad) == (9, 0, 0)
    assert books(database) == before


def test_reading_again_finds_what_was_missed(
    database: Database, pallets: Pallets, folder: Path, now: datetime
) -> None:
    for hour in range(4):
        append(folder, now - timedelta(hours=hour), *a_call(pallets, now, f"call-{hour}"))
    read_spool(database, folder, "main", now)
    restored = now - timedelta(days=3)
    append(folder, restored, *a_call(pallets, restored, "restored"))
    assert read_spool(database, folder, "main", now).lines == 0  # long before the files being read
    assert rerun(database, folder, "main", 2, now).new == 0
    assert rerun(database, folder, "main", 4, now).new == 4


def test_days_of_backlog_are_read_in_order(
    database: Database, pallets: Pallets, folder: Path, now: datetime
) -> None:
    append(folder, now, *a_call(pallets, now, "call-0"))
    read_spool(database, folder, "main", now)
    for day in range(1, 6):
        later = now + timedelta(days=day)
        append(folder, later, *a_call(pallets, later, f"call-{day}"))
    late = now + timedelta(days=6)
    assert read_spool(database, folder, "main", late) == Imported(20, 0, 0.0)


def test_a_file_whose_clock_was_wrong_does_not_hide_the_right_ones(
    database: Database, pallets: Pallets, folder: Path, now: datetime
) -> None:
    append(folder, now + timedelta(days=900), started(pallets.billboard, now, "future"))
    read_spool(database, folder, "main", now)
    for hour in range(6):
        append(folder, now + timedelta(hours=hour), started(pallets.billboard, now, f"call-{hour}"))
        assert read_spool(database, folder, "main", now + timedelta(hours=hour)).lines == 1


def test_a_tick_with_nothing_new_opens_no_file(
    database: Database, pallets: Pallets, folder: Path, now: datetime
) -> None:
    file = append(folder, now, *a_call(pallets, now, "call-1"))
    read_spool(database, folder, "main", now)
    read = file.stat().st_atime_ns
    os.utime(file, ns=(0, file.stat().st_mtime_ns))  # an opened and read file would get a new access time
    assert read_spool(database, folder, "main", now) == Imported(0, 0, 0.0)
    assert file.stat().st_atime_ns == 0 != read


def test_a_locked_database_loses_and_doubles_nothing(
    tmp_path: Path, sqlite: Database, folder: Path, now: datetime
) -> None:
    with sqlite.write() as session:
        pallets = add_pallets(session, now)
    hasty = Database(sqlite.url.render_as_string(hide_password=False), wait_seconds=0.05)
    append(folder, now, *a_call(pallets, now, "call-1"))
    with sqlite.write() as session:
        session.execute(sa.update(SpoolFile).values(offset=0))  # holds the one writer's place
        imported = read_spool(hasty, folder, "main", now + seconds(5))
    assert imported.problem is not None
    assert "locked" in imported.problem
    assert (imported.lines, imported.behind_seconds) == (0, 5.0)
    with hasty.read() as session:
        assert behind_seconds(session, folder, "main", now + seconds(6)) == 6.0
    assert read_spool(hasty, folder, "main", now + seconds(7)) == Imported(4, 0, 0.0)
    hasty.close()


def test_a_database_that_is_down_loses_and_doubles_nothing(folder: Path, now: datetime) -> None:
    cluster = Postgres()
    kept = f"port = {cluster.port}\nunix_socket_directories = '{cluster.folder}'\n"
    with (cluster.folder / "data" / "postgresql.auto.conf").open("a") as options:
        options.write(kept)  # so that it comes back where it was
    database = Database(cluster.url(), wait_seconds=2)
    try:
        Base.metadata.create_all(database.engine)
        with database.write() as session:
            pallets = add_pallets(session, now)
        append(folder, now, *a_call(pallets, now, "call-1"))
        assert read_spool(database, folder, "main", now).lines == 4
        cluster.stop()
        append(folder, now, *a_call(pallets, now, "call-2"))
        down = read_spool(database, folder, "main", now)
        assert (down.lines, down.behind_seconds) == (0, None)
        assert down.problem
        cluster.restart()
        assert read_spool(database, folder, "main", now) == Imported(4, 0, 0.0)
        with database.read() as session:
            assert session.scalar(sa.select(sa.func.count()).select_from(Call)) == 2
    finally:
        database.close()
        cluster.close()


def test_two_readers_of_one_spool_double_nothing(
    database: Database, pallets: Pallets, folder: Path, now: datetime
) -> None:
    for number in range(30):
        append(folder, now, *a_call(pallets, now + seconds(number), f"call-{number}"))
    found: list[Imported] = []
    threads = [
        threading.Thread(target=lambda: found.append(read_spool(database, folder, "main", now)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert read_spool(database, folder, "main", now).problem is None
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Call)) == 30
        assert session.scalar(sa.select(sa.func.count()).select_from(CallEvent)) == 120
        assert session.scalar(sa.select(sa.func.count()).where(Call.repeat)) == 29


def test_it_is_known_how_far_behind_the_reader_is(
    database: Database, pallets: Pallets, folder: Path, now: datetime
) -> None:
    append(folder, now, started(pallets.billboard, now))
    with database.read() as session:
        assert behind_seconds(session, folder, "main", now + seconds(3)) == 3.0
    read_spool(database, folder, "main", now)
    with database.read() as session:
        assert behind_seconds(session, folder, "main", now + seconds(3)) == 0.0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_cuts_repetitions_and_shuffles_end_in_the_same_books(
    tmp_path_factory: pytest.TempPathFactory, now: datetime, data: st.DataObject
) -> None:
    home = tmp_path_factory.mktemp("books")
    expected = _books_after(home / "plain.db", home / "plain", now, lambda lines: [b"".join(lines)])

    def shaken(lines: list[bytes]) -> list[bytes]:
        order = data.draw(st.permutations(range(len(lines))))
        repeated = data.draw(st.lists(st.sampled_from(range(len(lines))), max_size=4))
        whole = b"".join(lines[position] for position in [*order, *repeated])
        cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
        return [whole[begin:end] for begin, end in pairwise([0, *cuts, len(whole)])]

    assert _books_after(home / "shaken.db", home / "shaken", now, shaken) == expected


def _books_after(path: Path, folder: Path, now: datetime, arrange: object) -> list[tuple[object, ...]]:
    """The books after the lines of some calls came in such pieces, with a reading after each."""
    database = Database(f"sqlite:///{path}")
    Base.metadata.create_all(database.engine)
    with database.write() as session:
        pallets = add_pallets(session, now)
    facts: list[Fact | Refused] = [
        *a_call(pallets, now, "call-1"),
        *a_call(pallets, now + seconds(50), "call-2"),
    ]
    facts.append(ended(now, "startless"))
    lines = [spool_line(fact) for fact in facts] + [json.dumps({"e": "start"}).encode() + b"\n"]
    file = append(folder, now)
    for piece in arrange(lines):  # type: ignore[operator]
        with file.open("ab") as opened:
            opened.write(piece)
        read_spool(database, folder, "main", now)
    # A repeated bad line stands at another offset and is quarantined again: not part of the comparison.
    found = [row for row in books(database) if len(str(row[0])) != 64]
    database.close()
    return found
