"""What the sweeper finds, puts right and only shows; what the web may open; what the doctor says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.audio import interleaved, tone
from support.facts import Pallets, add_pallets
from support.recorded import age, end_call, finish_all, recording_of, settings_in, spool_file

from recordings.check import check
from recordings.finish import Finished, finish_pending
from recordings.store import delete, open_copy
from recordings.sweep import Swept, orphans, sweep
from recordings.workshop import Workshop
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import Recording, RecordingState
from tracker.settings import Settings

SOUND = interleaved(tone(440, 0.5), tone(900, 0.5))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


@pytest.fixture
def workshop() -> Iterator[Workshop]:
    ours = Workshop()
    yield ours
    ours.close()


def pallets_in(database: Database, now: datetime) -> Pallets:
    with database.write() as session:
        return add_pallets(session, now)


def spool(settings: Settings, name: str, at: datetime, content: bytes = SOUND) -> Path:
    path = spool_file(settings, name)
    path.write_bytes(content)
    return age(path, at)


def finished(database: Database, settings: Settings, workshop: Workshop, key: str, now: datetime) -> int:
    """A recording that is ready: its id."""
    spool(settings, f"{key}.raw", now - timedelta(seconds=2))
    row = end_call(database, pallets_in(database, now), key, now - timedelta(seconds=2), talk_seconds=0.5)
    finish_all(database, settings, now, workshop)
    return row


def test_a_file_nobody_claims_is_moved_aside_and_shown(
    database: Database, settings: Settings, now: datetime
) -> None:
    old = spool(settings, "unknown.raw", now - timedelta(minutes=11))
    odd = spool(settings, "notes.txt", now - timedelta(minutes=11))
    young = spool(settings, "young.raw", now - timedelta(minutes=9))
    swept = sweep(database, settings, now)
    aside = [spool_file(settings, f"orphans/{name}") for name in ("notes.txt", "unknown.raw")]
    assert swept == Swept(orphans=tuple(aside))
    assert orphans(settings) == aside
    assert aside[1].read_bytes() == SOUND
    assert young.exists()
    assert not old.exists()
    assert not odd.exists()


def test_a_second_orphan_of_the_same_name_replaces_nothing(
    sqlite: Database, settings: Settings, now: datetime
) -> None:
    for content in (b"first", b"second"):
        spool(settings, "unknown.raw", now - timedelta(minutes=11), content)
        sweep(sqlite, settings, now)
    assert [path.read_bytes() for path in orphans(settings)] == [b"second", b"first"]


def test_the_file_of_a_call_going_on_or_being_finished_stays(
    sqlite: Database, settings: Settings, now: datetime
) -> None:
    pallets = pallets_in(sqlite, now)
    going_on = spool(settings, "open.raw", now - timedelta(minutes=30))
    end_call(sqlite, pallets, "open", now)
    with sqlite.write() as session:
        recording = session.query(Recording).one()
        recording.call.ended_at = None
        session.delete(recording)
    pending = spool(settings, "pending.raw", now - timedelta(minutes=30))
    end_call(sqlite, pallets, "pending", now)
    assert sweep(sqlite, settings, now) == Swept()
    assert going_on.exists()
    assert pending.exists()


def test_an_orphan_whose_call_turns_up_is_finished(
    sqlite: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    long_ago = now - timedelta(hours=1)
    spool(settings, "late.raw", long_ago)
    sweep(sqlite, settings, now)
    row = end_call(sqlite, pallets_in(sqlite, now), "late", long_ago)
    assert finish_all(sqlite, settings, now, workshop) == Finished(ready=1)
    assert recording_of(sqlite, row).seconds == 0.5
    assert orphans(settings) == []


def test_audio_that_comes_after_its_recording_was_given_up_is_finished(
    sqlite: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    long_ago = now - timedelta(hours=1)
    row = end_call(sqlite, pallets_in(sqlite, now), "late", long_ago)
    finish_pending(sqlite, settings, now, workshop=workshop)
    assert recording_of(sqlite, row).state is RecordingState.DAMAGED
    spool(settings, "late.raw", long_ago)
    assert sweep(sqlite, settings, now) == Swept(again=1)
    finish_all(sqlite, settings, now, workshop)
    recording = recording_of(sqlite, row)
    assert (recording.state, recording.problem) == (RecordingState.READY, None)


def test_a_spool_file_left_by_a_crash_after_the_row_is_removed_if_it_is_the_same(
    database: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    finished(database, settings, workshop, "call-1", now)
    spool(settings, "call-1.raw", now - timedelta(minutes=11))
    assert sweep(database, settings, now) == Swept(removed=1)
    assert orphans(settings) == []


@pytest.mark.parametrize("content", [SOUND[::-1], SOUND + bytes(400), SOUND[:-400], b""])
def test_a_spool_file_that_differs_from_what_is_stored_is_kept(
    sqlite: Database, settings: Settings, workshop: Workshop, now: datetime, content: bytes
) -> None:
    finished(sqlite, settings, workshop, "call-1", now)
    spool(settings, "call-1.raw", now - timedelta(minutes=11), content)
    sweep(sqlite, settings, now)
    assert [path.read_bytes() for path in orphans(settings)] == [content]


def test_temporary_files_of_a_dead_process_are_removed(
    sqlite: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    finished(sqlite, settings, workshop, "call-1", now)
    unfinished = settings.recordings_folder / ".unfinished"
    old, young = unfinished / "call-2.77.wav", unfinished / "call-3.78.mp3"
    for path, minutes in ((old, 11), (young, 1)):
        path.write_bytes(SOUND)
        age(path, now - timedelta(minutes=minutes))
    assert sweep(sqlite, settings, now).removed == 1
    assert not old.exists()
    assert young.exists()


def test_a_stored_file_that_is_gone_is_flagged_and_ready_again_when_it_is_back(
    database: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    row = finished(database, settings, workshop, "call-1", now)
    folder = settings.recordings_folder
    folder.rename(folder.with_name("not-mounted"))
    assert sweep(database, settings, now, everything=True) == Swept(missing=1)
    recording = recording_of(database, row)
    assert recording.state is RecordingState.DAMAGED
    assert recording.problem == "Its file is missing from the recordings folder"
    folder.with_name("not-mounted").rename(folder)
    assert sweep(database, settings, now, everything=True) == Swept(found=1)
    recording = recording_of(database, row)
    assert (recording.state, recording.problem) == (RecordingState.READY, None)


def test_in_a_day_every_recording_is_looked_for(
    sqlite: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    row = finished(sqlite, settings, workshop, "call-1", now)
    (settings.recordings_folder / (recording_of(sqlite, row).path or "")).unlink()
    missing = [sweep(sqlite, settings, now + timedelta(hours=hour)).missing for hour in range(24)]
    assert sorted(missing) == [0] * 23 + [1]


@pytest.mark.parametrize(
    ("kind", "content_type"), [("wav", "audio/wav"), ("mp3", "audio/mpeg"), ("opus", "audio/ogg")]
)
def test_every_copy_can_be_opened(
    sqlite: Database, tmp_path: Path, workshop: Workshop, *, now: datetime, kind: str, content_type: str
) -> None:
    settings = settings_in(tmp_path, recording_copies=("mp3", "opus"))
    recording = recording_of(sqlite, finished(sqlite, settings, workshop, "call-1", now))
    playable = open_copy(settings, recording, kind)
    assert playable.path.is_file()
    assert playable.content_type == content_type
    assert playable.name == f"pallets-2026-11-20-call-1.{kind}"


def test_what_cannot_be_played_is_refused_with_advice(
    sqlite: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    ready = recording_of(sqlite, finished(sqlite, settings, workshop, "call-1", now))
    pending = Recording(state=RecordingState.PENDING, copies=[])
    for recording, kind, id_, fix in (
        (ready, "flac", "recording.kind", "Ask for wav, mp3 or opus"),
        (ready, "opus", "recording.missing", "Ask for wav, which there is of every recording that is ready"),
        (pending, "wav", "recording.missing", "It is being prepared: try again in a few seconds"),
    ):
        with pytest.raises(Rejected) as refused:
            open_copy(settings, recording, kind)
        assert (refused.value.id, refused.value.fix) == (id_, fix)


@pytest.mark.parametrize("path", ["../secret.wav", "/etc/secret.wav", "a/../../secret.wav", "link.wav"])
def test_no_path_leads_out_of_the_store(settings: Settings, path: str) -> None:
    (settings.home / "secret.wav").write_bytes(b"secret")
    settings.recordings_folder.mkdir()
    (settings.recordings_folder / "link.wav").symlink_to(settings.home / "secret.wav")
    recording = Recording(state=RecordingState.READY, path=path, copies=[])
    with pytest.raises(Rejected, match="There is no wav"):
        open_copy(settings, recording, "wav")


def test_deleting_removes_every_file_once_the_deletion_is_certain(
    database: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    row = finished(database, settings, workshop, "call-1", now)
    stored = list(settings.recordings_folder.rglob("call-1.*"))
    assert len(stored) == 2
    with pytest.raises(RuntimeError), database.write() as session:
        delete(session, settings, session.get_one(Recording, row))
        raise RuntimeError  # the transaction fails: nothing was deleted
    assert all(path.exists() for path in stored)
    with database.write() as session:
        delete(session, settings, session.get_one(Recording, row))
        assert all(path.exists() for path in stored)
    assert not any(path.exists() for path in stored)
    recording = recording_of(database, row)
    assert (recording.state, recording.peaks) == (RecordingState.DELETED, None)


def test_the_files_of_a_deleted_recording_do_not_outlive_a_crash(
    sqlite: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    row = finished(sqlite, settings, workshop, "call-1", now)
    stored = settings.recordings_folder / "pallets/2026/11/20/call-1.wav"
    content = stored.read_bytes()
    with sqlite.write() as session:
        delete(session, settings, session.get_one(Recording, row))
    stored.write_bytes(content)  # as if the process had died between the commit and the removal
    assert sweep(sqlite, settings, now).removed == 1
    assert not stored.exists()
    assert recording_of(sqlite, row).retry_at is None


def test_a_recording_deleted_while_it_is_prepared_stays_deleted(
    sqlite: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    source = spool(settings, "call-1.raw", now - timedelta(seconds=2))
    row = end_call(sqlite, pallets_in(sqlite, now), "call-1", now - timedelta(seconds=2))
    finish_pending(sqlite, settings, now, workshop=workshop)
    while not workshop.replies:
        workshop.collect(1)
    with sqlite.write() as session:
        delete(session, settings, session.get_one(Recording, row))
    finish_pending(sqlite, settings, now, workshop=workshop)
    assert recording_of(sqlite, row).state is RecordingState.DELETED
    assert not list(settings.recordings_folder.rglob("call-1.*"))
    assert not source.exists()


def test_the_doctor_finds_nothing_wrong_with_a_healthy_store(
    database: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    finished(database, settings, workshop, "call-1", now)
    findings = {each.name: each for each in check(database, settings, now)}
    assert list(findings) == [
        *("ffmpeg", "recordings space", "recordings pending", "recordings damaged", "recordings orphaned")
    ]
    assert all(each.ok for each in findings.values()), findings
    assert findings["recordings pending"].message == "none waits to be prepared"


def test_the_doctor_names_what_is_wrong_and_what_to_do(
    database: Database, tmp_path: Path, workshop: Workshop, now: datetime
) -> None:
    settings = settings_in(tmp_path, ffmpeg="/nowhere/ffmpeg")
    pallets = pallets_in(database, now)
    end_call(database, pallets, "lost", now - timedelta(hours=1), talk_seconds=9)
    finish_pending(database, settings, now, workshop=workshop)
    end_call(database, pallets, "late", now - timedelta(minutes=20))
    end_call(database, pallets, "far", now - timedelta(minutes=10), node="north")
    spool(settings, "unknown.raw", now - timedelta(hours=1))
    sweep(database, settings, now)
    wrong = [f"{each.message}. {each.fix}" for each in check(database, settings, now) if not each.ok]
    folder = spool_file(settings, "orphans")
    assert sorted(wrong) == [
        "/nowhere/ffmpeg was not found: recordings are kept as WAV. "
        "install ffmpeg (apt-get install ffmpeg) or set LEASELINE_FFMPEG; copies are made then",
        "1 damaged in the last day, 1 in all. each call's page says what happened to it",
        "1 of node main wait, the oldest for 1200 s. see whether `leaseline worker` runs",
        "1 of node north wait, the oldest for 600 s. see whether `leaseline worker` runs on node north",
        f"1 recordings without a call. listen to them in {folder}, then remove them",
    ]


def test_the_doctor_says_which_copy_ffmpeg_cannot_make(
    sqlite: Database, tmp_path: Path, now: datetime
) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\necho ' A....D libmp3lame   MP3'\n")
    program.chmod(0o755)
    settings = settings_in(tmp_path, ffmpeg=str(program), recording_copies=("mp3", "opus"))
    finding = check(sqlite, settings, now)[0]
    assert (finding.ok, finding.message) == (False, f"{program} cannot make opus")
    assert finding.fix == "install an ffmpeg with libopus"
