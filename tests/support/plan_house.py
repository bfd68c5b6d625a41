"""A company with plans in the house: its targets, its numbers, and who calls them.

    office = Office(house, "features")
    desk = office.phone("Desk")                     # a telephone of our own
    e164 = office.number("menu", {"start": …})      # a number that goes by that plan; apply afterwards
    caller, talk = office.dial(e164)

Its prompt “prompt” is a tone, so that a caller can be seen to hear it.
"""

from __future__ import annotations

import io
import itertools
import wave
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from support.audio import RATE, Samples, tone, which_tone
from support.house import CARRIER, OFFICE, House, until
from support.sip import Talk, Telephone

from tracker import plan_list, plan_uses, plans, prompts
from tracker.audit import By
from tracker.models import (
    Call,
    Channel,
    Company,
    Number,
    NumberUse,
    Recording,
    RecordingState,
    Target,
    TargetKind,
)

PROMPT_TONE, PROMPT_SECONDS = 620, 0.6
MESSAGE_TONE = 1000  # after which a message is left
PROMPT = {"sound": "prompt"}
_numbers, _callers = itertools.count(1), itertools.count(1)


class Office:
    """One company; everything it gets has a name of its own there."""

    def __init__(self, house: House, slug: str, zone: str = "UTC") -> None:
        self.house = house
        self.id = house.company(slug, timezone=zone)
        self.hand = By(datetime.now(UTC), "test")
        self.prompt("prompt", PROMPT_TONE)

    def prompt(self, name: str, hz: int) -> Path:
        """A tone as a prompt of that name; the file that is played."""
        sound = prompts.ready_file(self.house.settings, wav(tone(hz, PROMPT_SECONDS)))
        with self.house.database.write() as session:
            company = session.get_one(Company, self.id)
            added = prompts.add(session, self.hand, company, name, sound)
            return self.house.settings.sounds / f"{added.digest}.wav"

    def target(self, name: str, **how: Any) -> int:
        """A target's id; a phone system of ours unless told otherwise."""
        usual = {"kind": TargetKind.PEER, "host": OFFICE, "dial": name.lower()}
        with self.house.database.write() as session:
            row = Target(company_id=self.id, name=name, created_at=self.hand.at, **usual | how)
            session.add(row)
            session.flush()
            return row.id

    def phone(self, name: str) -> Telephone:
        """A target that is a telephone of our own."""
        telephone = self.house.telephone(OFFICE)
        self.target(name, port=telephone.port)
        return telephone

    def number(self, plan: str, document: Mapping[str, Any], *, record: bool = False) -> str:
        """A new number that goes by a new plan of that name."""
        e164 = f"+7499{5550000 + next(_numbers)}"
        with self.house.database.write() as session:
            company = session.get_one(Company, self.id)
            row = plans.add(session, self.hand, company, plan, document)
            channel = Channel(company_id=self.id, name=plan, source=plan, created_at=self.hand.at)
            number = Number(company_id=self.id, e164=e164, record=record, created_at=self.hand.at)
            session.add_all([channel, number])
            session.flush()
            session.add(NumberUse(number_id=number.id, channel_id=channel.id, from_at=self.hand.at))
            plan_uses.use(session, self.hand, number, row)
        return e164

    def change(self, plan: str, document: Mapping[str, Any]) -> None:
        """The plan's next version, applied."""
        with self.house.database.write() as session:
            company = session.get_one(Company, self.id)
            by = By(datetime.now(UTC), "test")
            plans.change(session, by, company, plan_list.get(session, company, plan), document)
        self.house.apply()

    def delete(self, plan: str, e164: str) -> None:
        """The plan taken away from its number, deleted, and that applied."""
        with self.house.database.write() as session:
            company = session.get_one(Company, self.id)
            by = By(datetime.now(UTC), "test")
            plan_uses.clear(session, by, session.scalars(sa.select(Number).where(Number.e164 == e164)).one())
            plans.delete(session, by, company, plan_list.get(session, company, plan))
        self.house.apply()

    def dial(self, e164: str, caller: str | None = None) -> tuple[str, Talk]:
        """Somebody calls; his number and his side of the call."""
        number = caller or caller_number()
        return number, self.house.telephone(CARRIER).dial(e164, who=f"<sip:{number}@carrier.example>")


def caller_number() -> str:
    """One that nobody else has."""
    return f"+4915166{next(_callers):05}"


def call_of(house: House, caller: str, seconds: float = 20) -> Call:
    """The caller's one call, once it is over."""
    found = until(
        lambda: house.calls(Call.caller == caller, Call.ended_at.is_not(None)),
        seconds,
        why=f"a call of {caller} in the books",
    )
    (call,) = found
    return call


def recording_of(house: House, caller: str, seconds: float = 30) -> Recording:
    """That of the caller's one call, once it is decided."""

    def settled() -> Recording | None:
        it = call_of(house, caller).recording
        return it if it is not None and it.state is not RecordingState.PENDING else None

    return until(settled, seconds, why="the recording is finished")


def sound_of(house: House, recording: Recording) -> Path:
    assert recording.state is RecordingState.READY, recording.problem
    return house.settings.recordings_folder / str(recording.path)


def hear(talk: Talk, hz: int, seconds: float = 10, *, since: int = 0) -> int:
    """Wait until that tone has come in; where it was heard, in samples."""
    piece = RATE // 8

    def heard() -> int | None:
        sound = talk.media.heard()
        for begin in range(since, len(sound) - piece + 1, piece // 2):
            if which_tone(sound[begin : begin + piece]) == hz:
                return begin + piece
        return None

    return until(heard, seconds, why=f"{hz} Hz are heard")


def wav(samples: Samples) -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as sound:
        sound.setparams((1, 2, RATE, 0, "NONE", ""))
        sound.writeframes((samples * 32767).astype("<i2").tobytes())
    return made.getvalue()


def tones_between(sound: Samples, low: int, high: int) -> float:
    """How loud everything between two frequencies is."""
    power = np.abs(np.fft.rfft(sound)) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / RATE)
    return float(np.sqrt(2 * power[(hz >= low) & (hz <= high)].sum()) / max(1, len(sound)))
