"""What is recorded of a real call: the caller's words left, the company's right, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.audio import RATE, correlation, probe, read_sides, speech, write_ulaw
from support.house import Caller, House, until

from demo.scenario import (
    answered,
    give_up,
    hang_up,
    heard_ringing,
    hung_up,
    invite,
    invited,
    not_picked_up,
    pick_up,
    ringing,
    say,
    wait,
)
from recordings.sweep import sweep
from tracker.models import Recording, RecordingState

CALLERS_WORDS = "Good morning, I saw your pallets on a billboard. What does a hundred of them cost?"
COMPANYS_WORDS = "Pallets limited, this is Maria speaking. One moment, I will look it up for you."
HEARD, NOT_HEARD = 0.8, 0.4  # correlation with what was sent; other words of another voice stay below 0.4


def recording_of(house: House, caller: Caller) -> Recording:
    """The recording of the caller's call, once it is decided."""
    call = house.call_of(caller)

    def settled() -> Recording | None:
        (now,) = house.calls(type(call).id == call.id)
        decided = now.recording and now.recording.state is not RecordingState.PENDING
        return now.recording if decided else None

    return until(settled, 20, why="the recording is finished")


def spooled(house: House) -> list[Path]:
    return list((house.settings.spool / "recordings").iterdir())


@dataclass(frozen=True)
class Talks:
    """Two talks of so many seconds: on a number that is recorded, and on one that is not to be."""

    recorded: Caller
    unrecorded: Caller
    seconds: float


@pytest.fixture(scope="module")
def talks(house: House, tmp_path_factory: pytest.TempPathFactory) -> Talks:
    """Both at once; both sides speak from the answer on, and the callers hang up when all is said."""
    folder = tmp_path_factory.mktemp("words")
    callers, companys = speech(CALLERS_WORDS), speech(COMPANYS_WORDS, "en+f3")
    seconds = max(len(callers), len(companys)) / RATE
    there = write_ulaw(folder / "company.ul", companys)
    here = write_ulaw(folder / "caller.ul", callers)
    lines = house.line(), house.line(record=False)
    for line in lines:
        house.phone(line.phones[0], [invited(), ringing(), wait(0.3), pick_up(), say(there), hung_up()])
    steps = [invite(), answered(), say(here), wait(seconds + 0.2), hang_up()]
    recorded, unrecorded = (house.caller(line, steps) for line in lines)
    for each in (recorded, unrecorded):
        assert each.party.wait() == 0, each.party.errors
    return Talks(recorded, unrecorded, seconds)


def test_a_recording_holds_the_caller_on_the_left_and_the_company_on_the_right(
    house: House, talks: Talks
) -> None:
    recording = recording_of(house, talks.recorded)
    assert recording.state is RecordingState.READY
    assert recording.path
    left, right = read_sides(house.settings.recordings_folder / recording.path)
    callers, companys = speech(CALLERS_WORDS), speech(COMPANYS_WORDS, "en+f3")
    assert correlation(left, callers) > HEARD
    assert correlation(right, companys) > HEARD
    assert correlation(left, companys) < NOT_HEARD
    assert correlation(right, callers) < NOT_HEARD
    assert recording.seconds == pytest.approx(talks.seconds, abs=0.5)
    assert recording.problem is None


def test_the_mp3_copy_says_the_same_as_the_recording(house: House, talks: Talks) -> None:
    recording = recording_of(house, talks.recorded)
    (copy,) = (house.settings.recordings_folder / each for each in recording.copies)
    assert copy.suffix == ".mp3"
    assert probe(copy)["duration"] == pytest.approx(talks.seconds, abs=0.6)
    left, right = read_sides(copy)
    assert correlation(left, speech(CALLERS_WORDS)) > HEARD
    assert correlation(right, speech(COMPANYS_WORDS, "en+f3")) > HEARD


def test_a_number_that_is_not_to_be_recorded_leaves_no_sound_anywhere(house: House, talks: Talks) -> None:
    call = house.call_of(talks.unrecorded)
    assert call.talk_seconds
    assert call.recording
    assert call.recording.state is RecordingState.NONE
    assert not [path for path in spooled(house) if call.key in path.name]


def test_a_call_nobody_answers_leaves_no_recording_and_no_file(house: House) -> None:
    line = house.line()
    house.phone(line.phones[0], [invited(), ringing(), not_picked_up()])
    caller = house.caller(line, [invite(), heard_ringing(), wait(0.5), give_up()])
    assert caller.party.wait() == 0, caller.party.errors
    assert recording_of(house, caller).state is RecordingState.NONE
    key = house.call_of(caller).key
    swept = sweep(house.database, house.settings, datetime.now(UTC) + timedelta(minutes=11))
    assert not [path for path in (*swept.orphans, *spooled(house)) if key in path.name]
