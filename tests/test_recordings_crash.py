"""Recordings survive full and dead disks, and a worker killed anywhere."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.audio import interleaved, tone, write_raw
from support.facts import Pallets, add_pallets
from support.recorded import age, end_call, finish_all, recording_of, settings_in, spool_file

from recordings.finish import Finished, finish_pending
from recordings.sweep import sweep
from recordings.wav import header
from recordings.workshop import Workshop
from tracker.database import Database
from tracker.models import RecordingState

CHECKOUT = Path(__file__).resolve().parent.parent

WORKER = """
import sys
from datetime import datetime
from pathlib import Path
from recordings.finish import finish_pending
from tracker.database import Database
from tracker.settings import Settings
url, home, now = sys.argv[1:]
database, settings = Database(url), Settings(home=Path(home), recording_copies=("mp3",))
print("ready", flush=True)
while finish_pending(database, settings, datetime.fromisoformat(now), wait_seconds=0.2).waiting:
    pass
"""


@pytest.fixture
def workshop() -> Iterator[Workshop]:
    ours = Workshop()
    yield ours
    ours.close()


@pytest.fixture
def pallets(sqlite: Database, now: datetime) -> Pallets:
    with sqlite.write() as session:
        return add_pallets(session, now)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own with room for `size` bytes; needs root, as make test does."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "leaseline-test", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk_costs_time_and_nothing_else(
    sqlite: Database, tmp_path: Path, workshop: Workshop, pallets: Pallets, now: datetime
) -> None:
    settings = settings_in(tmp_path, recordings=tmp_path / "disk", recording_copies=())
    source = age(write_raw(spool_file(settings, "call-1.raw"), tone(440, 60), tone(900, 60)), now)
    row = end_call(sqlite, pallets, "call-1", now, talk_seconds=60)
    at = now + timedelta(seconds=2)
    with small_disk(tmp_path / "disk", "4m") as disk:
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(3 * 1024 * 1024))
        assert finish_pending(sqlite, settings, at, workshop=workshop, wait_seconds=10).waiting == 1
        recording = recording_of(sqlite, row)
        assert recording.state is RecordingState.PENDING
        assert recording.problem == f"{disk} cannot be written: No space left on device"
        assert recording.tries == 0
        assert source.stat().st_size == 60 * 32000
        assert [path.name for path in disk.rglob("*") if path.is_file()] == ["ballast"]

        ballast.unlink()
        too_early = finish_pending(sqlite, settings, at + timedelta(seconds=5), workshop=workshop)
        assert (too_early, workshop.busy_with) == (Finished(waiting=1), set())
        finish_all(sqlite, settings, at + timedelta(seconds=16), workshop)
        recording = recording_of(sqlite, row)
        assert (recording.state, recording.problem) == (RecordingState.READY, None)
        assert not source.exists()


def test_a_disk_that_fills_while_a_recording_is_written_keeps_nothing_half(
    sqlite: Database, tmp_path: Path, workshop: Workshop, pallets: Pallets, now: datetime
) -> None:
    settings = settings_in(tmp_path, recordings=tmp_path / "disk", recording_copies=())
    age(write_raw(spool_file(settings, "call-1.raw"), tone(440, 60), tone(900, 60)), now)
    row = end_call(sqlite, pallets, "call-1", now, talk_seconds=60)
    with small_disk(tmp_path / "disk", "8m") as disk:
        # Room enough when the job is handed over, none when it is done.
        finish_pending(sqlite, settings, now, workshop=workshop)
        start_stopped(workshop, settings.home)
        finish_pending(sqlite, settings, now + timedelta(seconds=2), workshop=workshop)
        (disk / "ballast").write_bytes(bytes(7 * 1024 * 1024))
        assert workshop.process_id is not None
        os.kill(workshop.process_id, signal.SIGCONT)
        finish_pending(sqlite, settings, now + timedelta(seconds=2), workshop=workshop, wait_seconds=10)
        recording = recording_of(sqlite, row)
        assert recording.state is RecordingState.PENDING
        assert recording.problem == f"{disk} cannot be written: No space left on device"
        assert [path.name for path in disk.rglob("*") if path.is_file()] == ["ballast"]
        (disk / "ballast").unlink()
        finish_all(sqlite, settings, now + timedelta(seconds=30), workshop)
        assert recording_of(sqlite, row).state is RecordingState.READY


def start_stopped(workshop: Workshop, folder: Path) -> None:
    """Bring the audio process up, then hold it still."""
    from recordings.jobs import Prepare

    nowhere = os.fspath(folder / "nothing.raw")
    workshop.hand(Prepare(1_000_000, nowhere, 0, os.fspath(folder), "x/y", (), "ffmpeg"))
    workshop.collect(10)
    workshop.replies.clear()
    assert workshop.process_id is not None
    os.kill(workshop.process_id, signal.SIGSTOP)


def test_a_disk_that_cannot_be_written_is_named_and_recovers(
    sqlite: Database, tmp_path: Path, workshop: Workshop, pallets: Pallets, now: datetime
) -> None:
    settings = settings_in(tmp_path, recordings=tmp_path / "disk")
    age(write_raw(spool_file(settings, "call-1.raw"), tone(440, 3), tone(900, 3)), now)
    row = end_call(sqlite, pallets, "call-1", now)
    at = now + timedelta(seconds=2)
    with small_disk(tmp_path / "disk", "8m") as disk:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        finish_pending(sqlite, settings, at, workshop=workshop, wait_seconds=10)
        recording = recording_of(sqlite, row)
        assert recording.state is RecordingState.PENDING
        assert recording.problem == f"{disk} cannot be written: Read-only file system"
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        finish_all(sqlite, settings, at + timedelta(seconds=16), workshop)
        assert recording_of(sqlite, row).state is RecordingState.READY


def test_a_worker_killed_anywhere_loses_and_doubles_nothing(
    sqlite: Database, tmp_path: Path, workshop: Workshop, pallets: Pallets, now: datetime
) -> None:
    settings = settings_in(tmp_path)
    sound = interleaved(tone(440, 1), tone(900, 1))
    rows = []
    for number in range(25):
        source = spool_file(settings, f"call-{number}.raw")
        source.write_bytes(sound)
        age(source, now)
        rows.append(end_call(sqlite, pallets, f"call-{number}", now, talk_seconds=1))
    later = now + timedelta(seconds=2)
    arguments = [str(sqlite.url), str(settings.home), later.isoformat()]
    chance = random.Random(20261120)
    for _ in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", WORKER, *arguments], cwd=CHECKOUT, stdout=subprocess.PIPE
        ) as worker:
            assert worker.stdout is not None
            worker.stdout.readline()
            time.sleep(chance.uniform(0.02, 0.5))  # anywhere in its work
            worker.kill()

    finish_all(sqlite, settings, later, workshop)
    digest = hashlib.sha256(header(len(sound)) + sound).hexdigest()
    for row in rows:
        recording = recording_of(sqlite, row)
        assert (recording.state, recording.sha256) == (RecordingState.READY, digest)
        for name in (recording.path or "", *recording.copies):
            assert (settings.recordings_folder / name).is_file()
    swept = sweep(sqlite, settings, datetime.now(now.tzinfo) + timedelta(minutes=11), everything=True)
    assert (swept.orphans, swept.missing) == ((), 0)
    assert not [path for path in spool_file(settings, "").rglob("*") if path.is_file()]
    stored = [path for path in settings.recordings_folder.rglob("*") if path.is_file()]
    assert len(stored) == 2 * len(rows)


def test_files_in_place_but_no_row_yet_are_made_again_the_same(
    sqlite: Database, tmp_path: Path, workshop: Workshop, pallets: Pallets, now: datetime
) -> None:
    settings = settings_in(tmp_path)
    source = age(write_raw(spool_file(settings, "call-1.raw"), tone(440, 3), tone(900, 3)), now)
    row = end_call(sqlite, pallets, "call-1", now)
    later = now + timedelta(seconds=2)
    finish_pending(sqlite, settings, later, workshop=workshop)
    while not workshop.replies:  # the worker dies before it reads what was answered
        workshop.collect(1)
    workshop.replies.clear()
    stored = settings.recordings_folder / "pallets/2026/11/20/call-1.wav"
    before = stored.read_bytes()
    assert source.exists()
    finish_all(sqlite, settings, later, workshop)
    assert recording_of(sqlite, row).sha256 == hashlib.sha256(before).hexdigest()
    assert stored.read_bytes() == before
    assert not source.exists()


def test_while_the_books_are_locked_nothing_is_lost(
    sqlite: Database, tmp_path: Path, workshop: Workshop, pallets: Pallets, now: datetime
) -> None:
    settings = settings_in(tmp_path)
    source = age(write_raw(spool_file(settings, "call-1.raw"), tone(440, 3), tone(900, 3)), now)
    row = end_call(sqlite, pallets, "call-1", now)
    later = now + timedelta(seconds=2)
    impatient = Database(str(sqlite.url), wait_seconds=0.1)
    with sqlite.write() as writer:
        writer.execute(sa.select(1))
        with pytest.raises(Exception, match="locked"):
            finish_pending(impatient, settings, later, workshop=workshop, wait_seconds=10)
        assert source.exists()
    assert finish_pending(impatient, settings, later, workshop=workshop) == Finished(ready=1)
    assert recording_of(sqlite, row).state is RecordingState.READY
    impatient.close()
