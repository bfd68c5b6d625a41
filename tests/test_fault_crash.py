"""Processes that die in the middle of calls: Asterisk itself, and each of our own parts."""

from __future__ import annotations

import os
import signal
import time
import urllib.request
import wave
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.audio import probe
from support.house import House, until
from support.talks import (
    Place,
    Sounds,
    Talk,
    answer_of,
    await_talking,
    begin,
    books_gain,
    channel_place,
    check_booked,
    check_heard,
    check_origin,
    finish,
    leased_place,
    make_sounds,
)

from commands import supervisor
from tracker.database import Database
from tracker.errors import Rejected
from tracker.importer import rerun
from tracker.live import agi_answers
from tracker.models import Base, Call, CallEvent, Recording, RecordingState, Refusal, SpoolFile
from tracker.policy.facts import Outcome

TALKS = 10
TALK_SECONDS = 6.0
CLOSED_WITHIN_SECONDS = 60.0
LAST_SIGN_SECONDS = 2.5  # the end of a call that was cut is the last that was heard of it
LOST_AUDIO_SECONDS = 2.0
BACK_WITHIN_SECONDS = 15.0


@pytest.fixture(scope="module")
def places(house: House) -> list[Place]:
    with house.applying_once():
        return [*(channel_place(house) for _ in range(TALKS)), leased_place(house)]


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Sounds:
    return make_sounds(Path(tmp_path_factory.mktemp("sounds")), 30)


def test_calls_that_are_up_when_asterisk_is_killed_are_closed_and_can_be_heard(
    house: House, places: list[Place], sounds: Sounds
) -> None:
    rings, *lines = places
    with books_gain(house, TALKS + 1):
        talks = [begin(house, place, 60, sounds) for place in lines]
        await_talking(talks)
        unanswered = begin(house, rings, 60, ring=30)
        time.sleep(TALK_SECONDS)
        killed_at = kill(house, "asterisk")
        await_back(house, "asterisk", killed_at)
        for talk in [*talks, unanswered]:
            house.call_of(talk.caller, CLOSED_WITHIN_SECONDS)
    print(f"closed after {time.time() - killed_at:.1f} s")
    cut = [check_cut(house, talk, killed_at) for talk in talks]
    print("ends before the kill", " ".join(f"{early:.2f}" for early, _ in cut))
    print("seconds of sound lost", " ".join(f"{lost:.2f}" for _, lost in cut))
    never = house.call_of(unanswered.caller)
    check_origin(house, unanswered, never)
    assert never.interrupted
    assert (never.outcome is Outcome.ANSWERED, never.answered_at) == (False, None)


def check_cut(house: House, talk: Talk, killed_at: float) -> tuple[float, float]:
    """How long before the kill the call ends in the books, and how much of its sound was lost."""
    call = house.call_of(talk.caller)
    check_origin(house, talk, call)
    assert (call.interrupted, call.outcome) == (True, Outcome.ANSWERED)
    assert call.ended_at is not None
    early = killed_at - call.ended_at.timestamp()
    assert -0.5 < early < LAST_SIGN_SECONDS
    recording = check_heard(house, call, 60)
    path = house.settings.recordings_folder / str(recording.path)
    with wave.open(str(path)) as file:
        seconds = file.getnframes() / file.getframerate()
    assert probe(path)["duration"] == pytest.approx(seconds, abs=0.1)
    begun = answer_of(talk)
    assert begun is not None
    lost = killed_at - begun - seconds
    assert lost < LOST_AUDIO_SECONDS
    return early, lost


def test_after_a_crash_asterisk_takes_calls_again(house: House, places: list[Place], sounds: Sounds) -> None:
    until(lambda: WORKS["asterisk"](house), 30, why="Asterisk takes calls")
    talk = begin(house, places[-1], 1, sounds)
    finish([talk])
    check_heard(house, check_booked(house, talk))


@pytest.mark.parametrize("part", ["agi", "web", "worker"])
def test_a_part_that_is_killed_is_back_within_seconds_and_no_call_suffers(
    house: House, places: list[Place], sounds: Sounds, part: str
) -> None:
    with books_gain(house, 3):
        before = begin(house, places[0], 4, sounds)
        await_talking([before])
        killed_at = kill(house, part)
        at_once = begin(house, places[1], 1.5, sounds)
        leased = begin(house, places[-1], 1.5, sounds)
        await_back(house, part, killed_at)
        talks = [before, at_once, leased]
        finish(talks)
        for talk in talks:
            check_heard(house, check_booked(house, talk))
    assert max(at_once.delay, leased.delay) < 1.5


def kill(house: House, part: str) -> float:
    """The instant at which the part was killed."""
    os.kill(house.pid(part), signal.SIGKILL)
    return time.time()


def await_back(house: House, part: str, killed_at: float) -> None:
    until(lambda: WORKS[part](house), BACK_WITHIN_SECONDS, why=f"{part} works again")
    print(f"{part} works again after {time.time() - killed_at:.1f} s")


def asterisk_answers(house: House) -> bool:
    try:
        return "fully booted" in house.console("core waitfullybooted")
    except Rejected:
        return False


def page_answers(house: House) -> bool:
    try:
        with urllib.request.urlopen(f"{house.settings.web_url}/healthz", timeout=5) as answer:
            return bool(answer.read() == b"ok\n")
    except OSError:
        return False


def worker_runs(house: House) -> bool:
    states = {state.name: state.state for state in supervisor.states(house.settings)}
    return states["worker"] == "running"


WORKS: dict[str, Callable[[House], bool]] = {
    "asterisk": asterisk_answers,
    "agi": lambda house: agi_answers("127.0.0.1", house.settings.agi_port),
    "web": page_answers,
    "worker": worker_runs,
}


def test_reading_everything_again_changes_nothing_in_the_books(house: House, places: list[Place]) -> None:
    """The nightly re-run, and then an importer that has forgotten how far it had read."""
    talk = begin(house, places[0], 0.5)
    finish([talk])
    check_booked(house, talk)
    until(lambda: not house.calls(Call.ended_at.is_(None)), 90, why="no call is open")
    until(lambda: not pending(house.database), 60, why="all recordings are finished")
    before, now = dump(house.database), datetime.now(UTC)
    again = rerun(house.database, house.place.calls, house.settings.node, 3, now)
    assert (again.new, again.bad) == (0, 0)
    assert again.lines >= 3
    assert dump(house.database) == before
    read = forget(house.database)
    until(lambda: reached(house.database, read), 90, why="all is read once more")
    assert dump(house.database) == before


def pending(database: Database) -> bool:
    with database.read() as session:
        wait = sa.select(Recording.id).where(Recording.state == RecordingState.PENDING)
        return session.scalars(wait.limit(1)).first() is not None


def dump(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every call, every fact, every recording and refusal, to the last column."""
    tables: tuple[type[Base], ...] = (Call, CallEvent, Recording, Refusal)
    with database.read() as session:
        return {
            table.__tablename__: [
                tuple(row) for row in session.execute(sa.select(table.__table__).order_by(sa.text("id")))
            ]
            for table in tables
        }


def offsets(database: Database) -> dict[str, int]:
    with database.read() as session:
        return {row.name: row.offset for row in session.scalars(sa.select(SpoolFile))}


def reached(database: Database, before: dict[str, int]) -> bool:
    now = offsets(database)
    return all(now.get(name, 0) >= offset for name, offset in before.items())


def forget(database: Database) -> dict[str, int]:
    """Nothing has ever been read: the offsets of all files as they were."""
    read = offsets(database)
    with database.write() as session:
        session.execute(sa.delete(SpoolFile))
    return read
