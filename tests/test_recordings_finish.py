"""From a spool file to a recording that can be heard, on real sound and both databases."""

from __future__ import annotations

import hashlib
import wave
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from support.audio import (
    correlation,
    interleaved,
    probe,
    read_sides,
    silence,
    speech,
    tone,
    which_tone,
    write_raw,
    write_wav,
)
from support.facts import Pallets, add_pallets
from support.recorded import age, end_call, finish_all, recording_of, settings_in, spool_file

from recordings import due
from recordings.finish import Finished, finish_pending
from recordings.workshop import Workshop
from tracker.database import Database
from tracker.models import Number, RecordingState
from tracker.settings import Settings

KEY = "0f8fad5b-d9cb-469f-a165-70867728950e"
HELLO = "Hello, I am calling about the big billboard on the ring road"
PALLETS = "Good morning, this is Pallets and company, how can I help you"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path, recording_copies=("mp3", "opus"))


@pytest.fixture
def workshop() -> Iterator[Workshop]:
    ours = Workshop()
    yield ours
    ours.close()


def pallets_in(database: Database, now: datetime) -> Pallets:
    with database.write() as session:
        return add_pallets(session, now)


def test_the_caller_is_on_the_left_and_the_company_on_the_right_of_every_file(
    database: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    caller, company = speech(HELLO), speech(PALLETS)
    seconds = max(len(caller), len(company)) / 8000
    source = age(write_raw(spool_file(settings, f"{KEY}.raw"), caller, company), now)
    row = end_call(database, pallets_in(database, now), KEY, now, talk_seconds=seconds)

    later = now + timedelta(seconds=2)
    assert finish_all(database, settings, later, workshop) == Finished(ready=1)

    recording = recording_of(database, row)
    assert recording.path == f"pallets/2026/11/20/{KEY}.wav"
    assert recording.copies == [f"pallets/2026/11/20/{KEY}.{kind}" for kind in ("mp3", "opus")]
    for name in (recording.path, *recording.copies):
        path = settings.recordings_folder / name
        left, right = read_sides(path)
        assert correlation(left, caller) > 0.8, name
        assert correlation(left, company) < 0.4, name
        assert correlation(right, company) > 0.8, name
        assert correlation(right, caller) < 0.4, name
        assert probe(path)["duration"] == pytest.approx(seconds, abs=0.15)
    assert recording.state is RecordingState.READY
    assert recording.problem is None
    assert recording.stored_at == later
    assert not source.exists()


def test_hash_size_seconds_and_rate_are_those_of_the_stored_wav(
    database: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    age(write_raw(spool_file(settings, f"{KEY}.raw"), tone(440, 3.25), tone(900, 3.25)), now)
    row = end_call(database, pallets_in(database, now), KEY, now)
    finish_all(database, settings, now + timedelta(seconds=2), workshop)
    recording = recording_of(database, row)
    stored = settings.recordings_folder / (recording.path or "")
    assert recording.sha256 == hashlib.sha256(stored.read_bytes()).hexdigest()
    assert recording.bytes == stored.stat().st_size == 44 + 4 * 26000
    assert recording.seconds == 3.25
    assert recording.sample_rate == 8000
    with wave.open(str(stored)) as wav:
        assert (wav.getnchannels(), wav.getsampwidth(), wav.getframerate(), wav.getnframes()) == (
            *(2, 2, 8000),
            26000,
        )
    left, right = read_sides(stored)
    assert (which_tone(left), which_tone(right)) == (440, 900)


def test_the_waveform_shows_who_spoke_when(
    sqlite: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    caller = np.concatenate([tone(440, 10, level=0.5), silence(10)])
    company = np.concatenate([silence(10), tone(440, 10, level=1.0)])
    age(write_raw(spool_file(settings, f"{KEY}.raw"), caller, company), now)
    row = end_call(sqlite, pallets_in(sqlite, now), KEY, now, talk_seconds=20)
    finish_all(sqlite, settings, now + timedelta(seconds=2), workshop)
    peaks = recording_of(sqlite, row).peaks
    assert peaks is not None
    assert len(peaks["caller"]) == len(peaks["company"]) == 500
    assert set(peaks["caller"][:250]) <= {49, 50}
    assert set(peaks["caller"][250:]) == {0}
    assert set(peaks["company"][:250]) == {0}
    assert set(peaks["company"][250:]) == {100}


@pytest.mark.parametrize("frames", [1, 3, 499, 501, 8001])
def test_a_recording_of_any_length_has_a_waveform(
    sqlite: Database, settings: Settings, workshop: Workshop, now: datetime, frames: int
) -> None:
    sound = np.full(frames, 0.5)
    age(write_raw(spool_file(settings, f"{KEY}.raw"), sound, sound), now)
    row = end_call(sqlite, pallets_in(sqlite, now), KEY, now, talk_seconds=0.1)
    settings = settings_in(settings.home.parent, recording_copies=())
    finish_all(sqlite, settings, now + timedelta(seconds=2), workshop)
    peaks = recording_of(sqlite, row).peaks
    assert peaks is not None
    assert 1 <= len(peaks["caller"]) <= 500
    assert set(peaks["caller"]) == {50}


@pytest.mark.parametrize("name", [f"{KEY}.raw", f"{KEY}.wav"])
def test_the_empty_file_of_an_unanswered_call_is_no_recording(
    database: Database, settings: Settings, workshop: Workshop, now: datetime, name: str
) -> None:
    source = spool_file(settings, name)
    if source.suffix == ".raw":
        source.touch()
    else:
        write_wav(source, silence(0))
        assert source.stat().st_size == 44
    age(source, now)
    row = end_call(database, pallets_in(database, now), KEY, now, talk_seconds=None)
    assert finish_all(database, settings, now + timedelta(seconds=2), workshop) == Finished(none=1)
    assert recording_of(database, row).state is RecordingState.NONE
    assert not source.exists()
    assert workshop.process_id is None  # nothing to hear, nobody started


def test_an_unanswered_call_without_a_file_has_no_recording(
    database: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    row = end_call(database, pallets_in(database, now), KEY, now, talk_seconds=None)
    finish_all(database, settings, now + timedelta(seconds=2), workshop)
    assert recording_of(database, row).state is RecordingState.NONE


def test_an_answered_call_on_a_number_that_is_not_recorded_has_no_recording(
    sqlite: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    pallets = pallets_in(sqlite, now)
    with sqlite.write() as session:
        session.execute(sa.update(Number).values(record=False))
    row = end_call(sqlite, pallets, KEY, now, talk_seconds=60)
    finish_all(sqlite, settings, now + timedelta(seconds=2), workshop)
    assert recording_of(sqlite, row).state is RecordingState.NONE


def test_two_silent_sides_are_a_recording_all_the_same(
    sqlite: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    age(write_raw(spool_file(settings, f"{KEY}.raw"), silence(3), silence(3)), now)
    row = end_call(sqlite, pallets_in(sqlite, now), KEY, now)
    finish_all(sqlite, settings, now + timedelta(seconds=2), workshop)
    recording = recording_of(sqlite, row)
    assert (recording.state, recording.problem) == (RecordingState.READY, None)


def test_a_missing_file_is_waited_for_and_then_flagged(
    database: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    row = end_call(database, pallets_in(database, now), KEY, now, talk_seconds=42)
    early = finish_pending(database, settings, now + timedelta(seconds=30), workshop=workshop)
    assert early == Finished(waiting=1)
    late = finish_pending(database, settings, now + timedelta(seconds=61), workshop=workshop)
    assert late == Finished(damaged=1)
    recording = recording_of(database, row)
    assert recording.state is RecordingState.DAMAGED
    assert recording.problem == "Nothing was recorded, though 42 s were talked"


def test_an_empty_file_after_a_long_talk_is_flagged_and_kept_aside(
    sqlite: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    spool_file(settings, f"{KEY}.raw").touch()
    age(spool_file(settings, f"{KEY}.raw"), now)
    row = end_call(sqlite, pallets_in(sqlite, now), KEY, now, talk_seconds=42)
    finish_all(sqlite, settings, now + timedelta(seconds=2), workshop)
    recording = recording_of(sqlite, row)
    assert recording.state is RecordingState.DAMAGED
    assert recording.problem == "The recording is empty, though 42 s were talked"
    assert spool_file(settings, f"damaged/{KEY}.raw").exists()


def test_a_recording_shorter_than_the_talk_is_playable_and_says_so(
    sqlite: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    age(write_raw(spool_file(settings, f"{KEY}.raw"), tone(440, 3), tone(900, 3)), now)
    row = end_call(sqlite, pallets_in(sqlite, now), KEY, now, talk_seconds=60)
    finish_all(sqlite, settings, now + timedelta(seconds=2), workshop)
    recording = recording_of(sqlite, row)
    assert recording.state is RecordingState.READY
    assert recording.problem == "Only 3 s of 60 s talk were recorded"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"not sound at all, by far " * 100, "it has no WAV header"),
        (bytes(4000), "it has no WAV header"),
        (b"RIFF\0\0\0\0WAVEjunk\x10\0\0\0" + bytes(100), "its WAV header leads to no audio"),
    ],
)
def test_a_file_that_cannot_be_understood_is_flagged_and_kept_as_it_is(
    sqlite: Database, settings: Settings, workshop: Workshop, *, now: datetime, content: bytes, reason: str
) -> None:
    spool_file(settings, f"{KEY}.wav").write_bytes(content)
    age(spool_file(settings, f"{KEY}.wav"), now)
    row = end_call(sqlite, pallets_in(sqlite, now), KEY, now)
    assert finish_all(sqlite, settings, now + timedelta(seconds=2), workshop) == Finished(damaged=1)
    recording = recording_of(sqlite, row)
    assert recording.state is RecordingState.DAMAGED
    assert recording.problem == f"It cannot be played: {reason}"
    assert spool_file(settings, f"damaged/{KEY}.wav").read_bytes() == content


def test_a_wav_that_asterisk_could_not_close_is_repaired(
    sqlite: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    source = write_wav(spool_file(settings, f"{KEY}.wav"), tone(440, 4), tone(900, 4))
    cut = bytearray(source.read_bytes()[: 44 + 32768 * 3])
    cut[4:8] = cut[40:44] = bytes(4)  # as long as the call lasts, both lengths say 0
    source.write_bytes(cut)
    age(source, now)
    row = end_call(sqlite, pallets_in(sqlite, now), KEY, now, talk_seconds=4)
    finish_all(sqlite, settings, now + timedelta(seconds=2), workshop)
    recording = recording_of(sqlite, row)
    assert recording.seconds == pytest.approx(3.072)
    left, right = read_sides(settings.recordings_folder / (recording.path or ""))
    assert (which_tone(left), which_tone(right)) == (440, 900)


def test_one_track_becomes_two_and_the_page_can_say_why_they_are_alike(
    sqlite: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    age(write_wav(spool_file(settings, f"{KEY}.wav"), tone(440, 3)), now)
    row = end_call(sqlite, pallets_in(sqlite, now), KEY, now)
    finish_all(sqlite, settings, now + timedelta(seconds=2), workshop)
    recording = recording_of(sqlite, row)
    left, right = read_sides(settings.recordings_folder / (recording.path or ""))
    assert (which_tone(left), which_tone(right)) == (440, 440)
    assert recording.problem == "Caller and company were recorded on one track"


def test_a_file_that_still_grows_is_left_alone(
    sqlite: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    source = write_raw(spool_file(settings, f"{KEY}.raw"), tone(440, 3), tone(900, 3))
    row = end_call(sqlite, pallets_in(sqlite, now), KEY, now)
    age(source, now + timedelta(seconds=4.5))
    tick = finish_pending(sqlite, settings, now + timedelta(seconds=5), workshop=workshop)
    assert tick == Finished(waiting=1)
    assert workshop.process_id is None
    finish_all(sqlite, settings, now + timedelta(seconds=6), workshop)
    assert recording_of(sqlite, row).state is RecordingState.READY


def test_audio_that_comes_after_all_while_it_is_prepared_is_not_lost(
    sqlite: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    source = age(write_raw(spool_file(settings, f"{KEY}.raw"), tone(440, 3), tone(900, 3)), now)
    row = end_call(sqlite, pallets_in(sqlite, now), KEY, now)
    later = now + timedelta(seconds=2)
    finish_pending(sqlite, settings, later, workshop=workshop)
    with source.open("ab") as late:
        late.write(interleaved(tone(440, 1), tone(900, 1)))
    age(source, now)
    finish_all(sqlite, settings, later, workshop)
    assert recording_of(sqlite, row).seconds == 4.0


def test_recordings_of_another_node_are_that_nodes_to_finish(
    sqlite: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    row = end_call(sqlite, pallets_in(sqlite, now), KEY, now, node="north")
    assert finish_pending(sqlite, settings, now + timedelta(hours=1), workshop=workshop) == Finished()
    assert recording_of(sqlite, row).state is RecordingState.PENDING


def test_a_tick_with_nothing_to_do_starts_nothing(
    database: Database, settings: Settings, workshop: Workshop, now: datetime
) -> None:
    assert finish_pending(database, settings, now, workshop=workshop) == Finished()
    assert workshop.process_id is None
    assert not settings.recordings_folder.exists()


def test_without_ffmpeg_the_wav_is_ready_and_the_copy_follows_later(
    database: Database, tmp_path: Path, workshop: Workshop, now: datetime
) -> None:
    without = settings_in(tmp_path, ffmpeg="/nowhere/ffmpeg")
    age(write_raw(spool_file(without, f"{KEY}.raw"), tone(440, 3), tone(900, 3)), now)
    row = end_call(database, pallets_in(database, now), KEY, now)
    finish_all(database, without, now + timedelta(seconds=2), workshop)
    recording = recording_of(database, row)
    assert (recording.state, recording.copies) == (RecordingState.READY, [])
    assert recording.problem == (
        "No mp3 copy yet: /nowhere/ffmpeg was not found, install ffmpeg or set LEASELINE_FFMPEG"
    )

    with_it = settings_in(tmp_path)
    for minutes in (5, 11):  # too early, then due
        at = now + timedelta(minutes=minutes)
        finish_pending(database, with_it, at, workshop=workshop, wait_seconds=20)
    recording = recording_of(database, row)
    assert recording.copies == [f"pallets/2026/11/20/{KEY}.mp3"]
    assert (recording.problem, recording.retry_at) == (None, None)
    left, right = read_sides(with_it.recordings_folder / recording.copies[0])
    assert (which_tone(left), which_tone(right)) == (440, 900)


def test_a_copy_that_still_cannot_be_made_is_tried_less_and_less_often(
    sqlite: Database, tmp_path: Path, workshop: Workshop, now: datetime
) -> None:
    without = settings_in(tmp_path, ffmpeg="/bin/false")
    age(write_raw(spool_file(without, f"{KEY}.raw"), tone(440, 3), tone(900, 3)), now)
    row = end_call(sqlite, pallets_in(sqlite, now), KEY, now)
    finish_all(sqlite, without, now + timedelta(seconds=2), workshop)
    waits = []
    at = now + timedelta(seconds=2)
    for _ in range(3):
        retry_at = recording_of(sqlite, row).retry_at
        assert retry_at is not None
        waits.append((retry_at - at).total_seconds() / 60)
        at = retry_at
        finish_pending(sqlite, without, at, workshop=workshop, wait_seconds=20)
    assert waits == [10, 20, 40]
    assert recording_of(sqlite, row).problem == "No mp3 copy yet: ffmpeg failed: status 1"


def test_the_day_of_the_folder_is_the_day_in_utc(
    sqlite: Database, settings: Settings, workshop: Workshop
) -> None:
    midnight = datetime(2027, 1, 1, 0, 0, 2, tzinfo=UTC)
    age(write_raw(spool_file(settings, f"{KEY}.raw"), tone(440, 3), tone(900, 3)), midnight)
    row = end_call(sqlite, pallets_in(sqlite, midnight), KEY, midnight)
    finish_all(sqlite, settings, midnight + timedelta(seconds=2), workshop)
    assert recording_of(sqlite, row).path == f"pallets/2026/12/31/{KEY}.wav"


@pytest.mark.parametrize("key", ["../../escape", "a/b", ".hidden", ""])
def test_a_key_that_is_no_file_name_leads_nowhere(
    sqlite: Database, settings: Settings, workshop: Workshop, now: datetime, key: str
) -> None:
    row = end_call(sqlite, pallets_in(sqlite, now), key, now)
    finish_pending(sqlite, settings, now + timedelta(seconds=70), workshop=workshop)
    assert recording_of(sqlite, row).state is RecordingState.DAMAGED
    assert not settings.recordings_folder.exists()


def test_an_idle_tick_looks_at_no_finished_recording(sqlite: Database, now: datetime) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        asked.append((statement, values))

    sa.event.listen(sqlite.engine, "before_cursor_execute", note)
    with sqlite.read() as session:
        due.count(session, "main")
        due.pending(session, "main", now, set())
        due.copies(session, "main", now, set())
        plans = [
            str(row[3])
            for statement, values in list(asked)
            for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    assert [plan for plan in plans if "recordings" in plan] == [
        "SEARCH recordings USING INDEX ix_recordings_state (state=?)",
        "SEARCH recordings USING INDEX ix_recordings_state (state=?)",
        "SEARCH recordings USING INDEX ix_recordings_retry_at (retry_at<?)",
    ]
