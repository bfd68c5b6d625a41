"""The audio process: its limits, its end, its successors."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.audio import interleaved, tone, which_tone, write_raw
from support.audio import read_sides as sides_of
from support.facts import Pallets, add_pallets
from support.recorded import age, end_call, finish_all, recording_of, settings_in, spool_file

from recordings.finish import Finished, finish_pending
from recordings.jobs import Failed, Prepare, Stored
from recordings.workshop import Workshop
from tracker.database import Database
from tracker.models import RecordingState
from tracker.settings import Settings

CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path, recording_copies=())


@pytest.fixture
def workshop() -> Iterator[Workshop]:
    ours = Workshop()
    yield ours
    ours.close()


@pytest.fixture
def pallets(sqlite: Database, now: datetime) -> Pallets:
    with sqlite.write() as session:
        return add_pallets(session, now)


def job(settings: Settings, number: int, seconds: float = 0.5) -> Prepare:
    source = write_raw(spool_file(settings, f"call-{number}.raw"), tone(440, seconds), tone(900, seconds))
    return Prepare(
        recording_id=number,
        source=os.fspath(source),
        source_bytes=source.stat().st_size,
        root=os.fspath(settings.recordings_folder),
        stem=f"pallets/2026/11/20/call-{number}",
        copies=settings.recording_copies,
        ffmpeg=settings.ffmpeg,
    )


def collect(workshop: Workshop, count: int, within_seconds: float = 30) -> None:
    deadline = time.monotonic() + within_seconds
    while len(workshop.replies) < count:
        workshop.collect(0.5)
        assert time.monotonic() < deadline, workshop.replies


def status(process_id: int | None, name: str) -> int:
    """A number from the kernel's account of a process; memory in KiB."""
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(f"{name}:")))


def test_a_call_of_an_hour_needs_no_more_memory_than_a_short_one(
    settings: Settings, workshop: Workshop
) -> None:
    first = job(settings, 1)
    workshop.hand(first)
    collect(workshop, 1)
    short = status(workshop.process_id, "VmHWM")

    minute = interleaved(tone(440, 60), tone(900, 60))
    with Path(first.source).open("wb") as source:
        source.writelines(minute for _ in range(60))
    workshop.replies.clear()
    workshop.hand(first)
    collect(workshop, 1)
    reply = workshop.replies[0]
    assert isinstance(reply, Stored)
    assert (reply.seconds, reply.bytes) == (3600, 115_200_044)
    assert len(reply.peaks["caller"]) == 500
    assert status(workshop.process_id, "VmHWM") < short + 8 * 1024
    assert status(workshop.process_id, "VmHWM") < 64 * 1024


def test_it_works_behind_the_calls_and_under_limits(settings: Settings, workshop: Workshop) -> None:
    workshop.hand(job(settings, 1))
    collect(workshop, 1)
    process_id = workshop.process_id
    assert process_id is not None
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    assert os.getpriority(os.PRIO_PROCESS, process_id) == min(ours + 10, 19)
    limits = Path(f"/proc/{process_id}/limits").read_text().splitlines()
    soft = {line[:26].strip(): line[26:47].strip() for line in limits}
    assert soft["Max address space"] == str(256 << 20)
    assert 60 <= int(soft["Max cpu time"]) <= 62


def test_the_worker_itself_never_loads_pydub() -> None:
    code = "import sys, recordings.finish, recordings.sweep, recordings.store, recordings.check; "
    told = subprocess.run(
        [sys.executable, "-c", code + "print({'pydub', 'audioop', 'numpy'} & set(sys.modules))"],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert told.stdout.strip() == "set()"


def test_it_goes_home_when_there_is_nothing_to_do(settings: Settings) -> None:
    workshop = Workshop(idle_seconds=0.2)
    workshop.hand(job(settings, 1))
    collect(workshop, 1)
    process = Path(f"/proc/{workshop.process_id}")
    assert process.exists()
    deadline = time.monotonic() + 10
    while process.exists():
        workshop.collect()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    workshop.hand(job(settings, 2))
    collect(workshop, 2)
    workshop.close()


def test_it_is_replaced_after_some_files(settings: Settings) -> None:
    workshop = Workshop(jobs_per_process=2)
    for number in (1, 2):
        workshop.hand(job(settings, number))
    first = workshop.process_id
    assert workshop.room == 0
    collect(workshop, 2)
    workshop.collect()
    workshop.hand(job(settings, 3))
    assert workshop.process_id not in {None, first}
    collect(workshop, 3)
    workshop.close()


def test_killed_at_work_it_costs_one_job_a_try_and_the_others_nothing(
    settings: Settings, workshop: Workshop
) -> None:
    for number in (1, 2, 3):
        workshop.hand(job(settings, number))
    assert workshop.process_id is not None
    os.kill(workshop.process_id, signal.SIGKILL)
    collect(workshop, 3)
    kinds = {reply.recording_id: type(reply) for reply in workshop.replies}
    assert sorted(kinds) == [1, 2, 3]
    assert list(kinds.values()).count(Failed) <= 1
    assert kinds[2] is kinds[3] is Stored or kinds[1] is Stored


def test_one_that_hangs_is_ended(settings: Settings) -> None:
    workshop = Workshop(patience_seconds=0.3)
    workshop.hand(job(settings, 1, seconds=0.01))
    assert workshop.process_id is not None
    os.kill(workshop.process_id, signal.SIGSTOP)
    collect(workshop, 1)
    assert workshop.replies[0] == Failed(1, "the audio process ended with status -9")
    workshop.close()


def test_it_ends_when_the_worker_does(settings: Settings) -> None:
    code = (
        "import os, sys; from recordings.workshop import Workshop; from recordings.jobs import job_from\n"
        "workshop = Workshop(); workshop.hand(job_from(sys.stdin.buffer.readline()))\n"
        "while not workshop.replies: workshop.collect(1)\n"
        "print(workshop.process_id, flush=True); os.kill(os.getpid(), 9)"
    )
    from recordings.jobs import to_line

    told = subprocess.run(
        [sys.executable, "-c", code],
        input=to_line(job(settings, 1)),
        cwd=CHECKOUT,
        check=False,
        stdout=subprocess.PIPE,
        timeout=30,
    )
    process = Path(f"/proc/{int(told.stdout)}")
    deadline = time.monotonic() + 10
    while process.exists() and "(zombie)" not in (process / "status").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_file_that_kills_it_three_times_is_kept_aside(
    sqlite: Database, settings: Settings, workshop: Workshop, pallets: Pallets, now: datetime
) -> None:
    source = age(write_raw(spool_file(settings, "poison.raw"), tone(440, 3), tone(900, 3)), now)
    row = end_call(sqlite, pallets, "poison", now)
    at = now + timedelta(seconds=2)
    for tries in (1, 2, 3):
        assert source.exists()
        _hand_and_kill(sqlite, settings, workshop, at)
        recording = recording_of(sqlite, row)
        assert recording.tries == tries
        assert recording.problem is not None
        assert recording.problem.startswith(f"Preparing it failed {tries} times: the audio process ended")
        at += timedelta(minutes=1)
    assert recording.state is RecordingState.DAMAGED
    assert spool_file(settings, "damaged/poison.raw").exists()
    assert not source.exists()


def _hand_and_kill(database: Database, settings: Settings, workshop: Workshop, at: datetime) -> None:
    """Start the audio process, stop it before its first job, hand it that, and kill it."""
    workshop.hand(job(settings, 1_000_000))
    assert workshop.process_id is not None
    collect(workshop, 1)
    workshop.replies.clear()
    os.kill(workshop.process_id, signal.SIGSTOP)
    finish_pending(database, settings, at, workshop=workshop)
    os.kill(workshop.process_id, signal.SIGKILL)
    finish_pending(database, settings, at, workshop=workshop, wait_seconds=10)


def test_killed_again_and_again_every_recording_is_finished_once(
    sqlite: Database, settings: Settings, workshop: Workshop, pallets: Pallets, now: datetime
) -> None:
    count = 40
    rows = []
    for number in range(count):
        key = f"call-{number}"
        age(write_raw(spool_file(settings, f"{key}.raw"), tone(440, 1), tone(900, 1)), now)
        rows.append(end_call(sqlite, pallets, key, now, talk_seconds=1))
    at = now + timedelta(seconds=2)
    for _ in range(4):
        finish_pending(sqlite, settings, at, workshop=workshop, wait_seconds=5)
        if workshop.process_id is not None:
            os.kill(workshop.process_id, signal.SIGKILL)
        at += timedelta(seconds=30)
    deadline = time.monotonic() + 60
    while finish_pending(sqlite, settings, at, workshop=workshop, wait_seconds=1).waiting:
        at += timedelta(seconds=30)
        assert time.monotonic() < deadline
    recordings = [recording_of(sqlite, row) for row in rows]
    assert {each.state for each in recordings} == {RecordingState.READY}
    assert len({each.path for each in recordings}) == count
    assert len(list((settings.recordings_folder / "pallets/2026/11/20").iterdir())) == count
    assert not list(spool_file(settings, "").glob("*.raw"))
    left, right = sides_of(settings.recordings_folder / (recordings[-1].path or ""))
    assert (which_tone(left), which_tone(right)) == (440, 900)


def test_a_backlog_is_worked_off_without_growing(
    sqlite: Database, settings: Settings, workshop: Workshop, pallets: Pallets, now: datetime
) -> None:
    sound = interleaved(tone(440, 0.2), tone(900, 0.2))
    for number in range(300):
        source = spool_file(settings, f"call-{number}.raw")
        source.write_bytes(sound)
        age(source, now)
        end_call(sqlite, pallets, f"call-{number}", now, talk_seconds=0.2)
    later = now + timedelta(seconds=2)
    tick = finish_pending(sqlite, settings, later, workshop=workshop)
    assert tick.waiting > 250
    assert len(workshop.busy_with) <= 48
    assert finish_all(sqlite, settings, later, workshop).ready == 300 - tick.ready
    assert finish_pending(sqlite, settings, later, workshop=workshop) == Finished()
