"""What the books say about the calls that were played: read from the database and from the recordings."""

from __future__ import annotations

import array
import math
import sys
import time
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from recordings.places import stored
from tracker import calls, companies
from tracker.database import Database
from tracker.messages import is_message
from tracker.models import Call, Refusal
from tracker.models import RecordingState as State
from tracker.policy.call_filter import CallFilter
from tracker.policy.facts import Direction, HungUpBy, Outcome
from tracker.settings import Settings

SETTLED_SECONDS = 20


@dataclass(frozen=True)
class Entry:
    """A call as the books tell it. `outcome` is None for one that goes on, or was turned away."""

    started_at: datetime
    caller: str | None
    number: str
    turned_away: bool = False
    repeat: bool = False
    source: calls.Source | None = None
    outcome: Outcome | None = None
    direction: Direction = Direction.IN
    message: bool = False
    hung_up_by: HungUpBy | None = None
    wait_seconds: float | None = None
    talk_seconds: float | None = None
    recording: State | None = None
    recording_seconds: float | None = None
    sides: Callable[[], tuple[float, float]] = lambda: (0.0, 0.0)

    @property
    def settled(self) -> bool:
        """Nothing more will be written about it."""
        return self.turned_away or (self.outcome is not None and self.recording is not State.PENDING)


def settled_entries(database: Database, settings: Settings, count: int) -> list[Entry]:
    """Every call in the books, the oldest first, as soon as there are `count` and all is written down.

    What is missing after SETTLED_SECONDS stays missing.
    """
    end = time.monotonic() + SETTLED_SECONDS
    while True:
        entries = read_entries(database, settings)
        if len(entries) >= count and all(entry.settled for entry in entries):
            return entries
        if time.monotonic() > end:
            return entries
        time.sleep(0.2)


def read_entries(database: Database, settings: Settings) -> list[Entry]:
    """Calls and refusals, the oldest first."""
    with database.read() as session:
        company = companies.choose(session, None)
        page = calls.list_calls(
            session, [company.id], limit=calls.MOST, by=CallFilter(directions=frozenset(Direction))
        )
        found = [_entry(call, settings) for call in page.calls]
        refused = session.scalars(sa.select(Refusal)).all()
        found += [Entry(each.at, each.caller, each.did, turned_away=True) for each in refused]
    return sorted(found, key=lambda entry: entry.started_at)


def _entry(call: Call, settings: Settings) -> Entry:
    it = call.recording
    return Entry(
        started_at=call.started_at,
        caller=calls.shown_caller(call),
        number=call.number.e164,
        repeat=call.repeat,
        source=calls.source_of(call),
        outcome=call.outcome,
        direction=call.direction,
        message=is_message(call),
        hung_up_by=call.hung_up_by,
        wait_seconds=call.wait_seconds,
        talk_seconds=call.talk_seconds,
        recording=calls.recording_state(call),
        recording_seconds=it.seconds if it else None,
        sides=partial(loudness, stored(settings, it.path)) if it and it.path else lambda: (0.0, 0.0),
    )


def loudness(path: Path) -> tuple[float, float]:
    """How loud both sides of a stereo WAV are, caller and company: 0 is silence, 1 as loud as can be."""
    with wave.open(str(path)) as file:
        samples = array.array("h", file.readframes(file.getnframes()))
        channels = file.getnchannels()
    if sys.byteorder == "big":
        samples.byteswap()
    return (_rms(samples[0::channels]), _rms(samples[1::channels]))


def _rms(samples: Sequence[int]) -> float:
    return math.sqrt(sum(each * each for each in samples) / len(samples)) / 32768 if samples else 0.0
