"""What is heard and whether it is recorded: on real Asterisk, with real sound and real keys."""

from __future__ import annotations

import time
import wave
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from support.audio import Samples, correlation, loudness, read_sides, tone, write_wav
from support.house import CARRIER, OFFICE, House, Line, until
from support.sip import Talk

from tracker import consents, prompts, sounds, unrecorded
from tracker.audit import By
from tracker.models import (
    Call,
    CallEvent,
    Channel,
    Company,
    NumberUse,
    Prompt,
    Recording,
    RecordingState,
    Unrecorded,
    Withheld,
)
from tracker.policy.facts import HungUpBy, Outcome
from tracker.policy.prompts import Words
from tracker.policy.taping import Wish

ANNOUNCED, COMPANY, CALLER, SECRET, RINGING = 900, 640, 440, 700, 480  # Hz
CLOSE = 0.25  # seconds our times may differ from those on the wire


def heard_tone(samples: Samples, hz: int) -> float:
    """How many seconds of a tone there are in it."""
    frames = samples[: len(samples) // 400 * 400].reshape(-1, 400)
    strength = np.abs(np.fft.rfft(frames * np.hanning(400), axis=1)) / 100
    return float(np.sum(strength[:, hz * 400 // 8000] > 0.1)) * 0.05


@dataclass(frozen=True)
class Asking:
    """A line of a company that says something before it records."""

    line: Line
    mode: str
    pressed: str

    def begin(self, house: House) -> Talk:
        return house.telephone(CARRIER).dial(self.line.e164, who=f"<sip:{self.number}@carrier.example>")

    @property
    def number(self) -> str:
        return f"+4915157{self.line.number_id:05}"


def asking_line(house: House, folder: Path, mode: str, key: str | None, pressed: str = "") -> Asking:
    """A line of a new company with an announcement; the callers press `pressed` after it."""
    company_id = house.company(f"{mode}{key or ''}x{pressed or 'none'}", remember_refusals=True)
    ready = prompts.ready_file(
        house.settings, write_wav(folder / "said.wav", tone(ANNOUNCED, 1.0)).read_bytes()
    )
    with house.database.write() as session:
        company, by = session.get_one(Company, company_id), By(datetime.now(UTC), "cli:ann")
        prompt = prompts.add(session, by, company, "Said", ready)
        consents.set_consent(session, by, company, prompt, mode, key=key)
    return Asking(house.line(company_id=company_id, ring_seconds=60), mode, pressed)


def finished(house: House, line: Line) -> tuple[Call, Recording]:
    """The line's one call and its recording, once the worker is through with it."""
    done = [Call.number_id == line.number_id, Call.recording.has(Recording.state != RecordingState.PENDING)]
    (call,) = until(lambda: house.calls(*done), 30, why="the recording is finished")
    assert call.recording
    return call, call.recording


def told(house: House, call: Call) -> list[str]:
    """What the books say of the recording, in the order of time."""
    wanted = sa.select(CallEvent.detail).where(CallEvent.call_id == call.id, CallEvent.kind == "taped")
    with house.database.read() as session:
        return [detail["what"] for detail in session.scalars(wanted.order_by(CallEvent.at))]


@dataclass(frozen=True)
class Going:
    """A call that was taken, with both its ends."""

    line: Line
    caller: Talk
    company: Talk
    answered_at: float

    def say(self, seconds: float = 0.6) -> None:
        """Both speak at once."""
        self.caller.media.say(tone(CALLER, seconds))
        self.company.media.say(tone(COMPANY, seconds))
        self.caller.media.said()
        self.company.media.said()

    def end(self) -> float:
        """The caller hangs up; gives how long they talked."""
        assert self.caller.hang_up().status == 200
        return time.time() - self.answered_at


def taken(house: House, line: Line, caller: Talk) -> Going:
    """The line's phone takes the call, and they are connected."""
    company = house.telephone(OFFICE, port=line.phones[0].port).take_call(15)
    going = Going(line, caller if caller.media.knows else caller.answered(), company, time.time())
    until(lambda: len(caller.media.heard()), why="they are connected")
    return going


def await_tone(talk: Talk, hz: int, seconds: float) -> None:
    until(lambda: heard_tone(talk.media.heard(), hz) >= seconds, why=f"{hz} Hz are heard")


def sides(house: House, recording: Recording) -> tuple[Samples, Samples]:
    assert recording.path, recording.problem
    return read_sides(house.settings.recordings_folder / recording.path)


def test_consent_is_asked_before_it_rings_and_kept(house: House, tmp_path: Path) -> None:
    with house.applying_once():
        cases = [
            (asking_line(house, tmp_path, "tell", None), ["told"], None),
            (asking_line(house, tmp_path, "refusable", "9"), ["told"], None),
            (asking_line(house, tmp_path, "refusable", "9", "9"), ["refused"], Withheld.REFUSED),
            (asking_line(house, tmp_path, "required", "1", "1"), ["agreed"], None),
            (asking_line(house, tmp_path, "required", "1"), ["silent"], Withheld.NOT_AGREED),
        ]
    callers = [case.begin(house).answered() for case, _, _ in cases]
    for caller, (case, _, _) in zip(callers, cases, strict=True):
        await_tone(caller, ANNOUNCED, 0.1)
        caller.media.press(case.pressed)
    going = [taken(house, case.line, caller) for caller, (case, _, _) in zip(callers, cases, strict=True)]
    lengths = []
    for each in going:
        each.say()
        lengths.append(each.end())
    for each, seconds, (case, books, reason) in zip(going, lengths, cases, strict=True):
        call, recording = finished(house, case.line)
        assert (told(house, call), recording.withheld, call.outcome) == (books, reason, Outcome.ANSWERED)
        assert (recording.state is RecordingState.READY) == (reason is None), case
        assert call.talk_seconds == pytest.approx(seconds, abs=CLOSE)  # the announcement is waiting
        if not case.pressed:
            assert heard_tone(each.caller.media.heard(), ANNOUNCED) == pytest.approx(1.0, abs=CLOSE)
        if reason is None:
            left, right = sides(house, recording)
            assert heard_tone(left, CALLER) > 0.4
            assert heard_tone(right, COMPANY) > 0.4
            assert heard_tone(right, ANNOUNCED) == 0
        else:
            assert not list(house.place.recordings.glob(f"{call.key}*"))
    with house.database.read() as session:
        listed = session.scalars(sa.select(Unrecorded).where(Unrecorded.caller == cases[2][0].number)).one()
    assert listed.wish is Wish.CALLER


def test_who_is_listed_and_who_cannot_be_told_is_not_recorded(house: House, tmp_path: Path) -> None:
    with house.applying_once():
        listed = asking_line(house, tmp_path, "tell", None, "0")
        untold = asking_line(house, tmp_path, "tell", None, "5")
    with house.database.write() as session:
        company = session.get_one(Company, house.company("tellx0"))
        unrecorded.add(session, By(datetime.now(UTC), "cli:ann"), company, listed.number)
        said = sa.select(Prompt.digest).where(Prompt.name == "Said").distinct()
        sound = session.scalars(said).one()
    (house.settings.sounds / f"{sound}.wav").rename(tmp_path / "kept.wav")
    going = [taken(house, each.line, each.begin(house)) for each in (listed, untold)]
    (tmp_path / "kept.wav").rename(house.settings.sounds / f"{sound}.wav")
    for each in going:
        each.say(0.3)
        each.end()
    found = [finished(house, each.line) for each in going]
    assert [it.withheld for _, it in found] == [Withheld.LISTED, Withheld.NOT_ASKED]
    assert [told(house, call) for call, _ in found] == [[], ["unasked"]]


def coding_line(house: House) -> Line:
    """A line whose employees may stop the recording."""
    return house.line(company_id=house.company("coding", recording_codes=True))


def test_an_employee_pauses_the_recording_and_forbids_it(house: House) -> None:
    with house.applying_once():
        lines = [coding_line(house), coding_line(house)]
    numbers = [f"+4915158{line.number_id:05}" for line in lines]
    both = []
    for line, number in zip(lines, numbers, strict=True):
        caller = house.telephone(CARRIER).dial(line.e164, who=f"<sip:{number}@carrier.example>")
        both.append(taken(house, line, caller))
    paused, forbidden = both
    paused.say()
    paused.company.media.press("*9")
    await_told(house, paused.line, "paused")
    await_tone(paused.company, 400, 0.1)
    paused.caller.media.say(tone(SECRET, 1.0))
    paused.caller.media.said()
    paused.company.media.press("*9*8")
    await_told(house, paused.line, "resumed")
    await_tone(paused.company, 1200, 0.05)
    paused.say()
    length = paused.end()
    forbidden.say()
    forbidden.caller.media.press("*7*9")  # the caller cannot
    until(lambda: forbidden.company.media.keys == "*7*9", why="the caller's keys are passed on")
    forbidden.company.media.press("*7")
    await_told(house, forbidden.line, "forbidden")
    forbidden.end()

    call, recording = finished(house, paused.line)
    assert told(house, call) == ["paused", "resumed"]
    left, right = sides(house, recording)
    assert heard_tone(left, CALLER) == pytest.approx(1.2, abs=CLOSE)
    assert heard_tone(right, COMPANY) == pytest.approx(1.2, abs=CLOSE)
    assert heard_tone(left, SECRET) == heard_tone(right, 400) == heard_tone(right, 1200) == 0
    assert heard_tone(paused.company.media.heard(), SECRET) > 0.6
    assert heard_tone(paused.caller.media.heard(), 400) == 0
    ((at, seconds),) = recording.pauses
    assert recording.seconds == pytest.approx(length - seconds, abs=2 * CLOSE)
    assert 0.5 < at < (recording.seconds or 0)
    assert recording.problem is None

    call, recording = finished(house, forbidden.line)
    assert (recording.state, recording.withheld) == (RecordingState.NONE, Withheld.FORBIDDEN)
    assert not list(house.place.recordings.glob(f"{call.key}*"))
    with house.database.read() as session:
        listed = session.scalars(sa.select(Unrecorded).where(Unrecorded.caller == numbers[1])).one()
    assert listed.wish is Wish.EMPLOYEE


def await_told(house: House, line: Line, what: str) -> None:
    def is_told() -> bool:
        return any(what in told(house, call) for call in house.calls(Call.number_id == line.number_id))

    until(is_told, why=f"{what} is in the books")


def whispering_line(house: House, company_id: int, phones: int = 1) -> tuple[Line, Samples]:
    """A line of a company whose employees are told where a call comes from, and what they hear."""
    with house.database.write() as session:
        company = session.get_one(Company, company_id)
        company.whisper = "Call from {source}, {keyword}, {again}"
        company.default_region = "US"  # where callers hear it ring for two seconds, then again
    line = house.line(phones=phones, company_id=company_id)
    with house.database.read() as session:
        uses = sa.select(Channel.source).join(NumberUse).where(NumberUse.number_id == line.number_id)
        words = Words("en", f"Call from {session.scalars(uses).one()}", kept=False)
    until(lambda: sounds.is_here(house.settings, words), 30, why="it is spoken beforehand")
    with wave.open(str(sounds.wav_of(house.settings, words))) as sound:
        return line, np.frombuffer(sound.readframes(-1), "<i2") / 32768


def test_the_employee_is_told_and_the_caller_hears_it_ring(house: House, tmp_path: Path) -> None:
    asking_line(house, tmp_path, "tell", None, "3")  # its callers are connected to us while it rings
    telling, silent = house.company("tellx3"), house.company("whispers")
    plain, declining = whispering_line(house, silent), whispering_line(house, silent, phones=2)
    asked, hasty = whispering_line(house, telling), whispering_line(house, telling)
    lines = [plain, declining, asked, hasty]
    callers = [
        house.telephone(CARRIER).dial(line.e164, who=f"<sip:+4915156{line.number_id:05}@carrier.example>")
        for line, _ in lines
    ]
    second = house.telephone(OFFICE, port=declining[0].phones[1].port)
    for caller in callers[2:]:
        caller.answered()
    offices = [house.telephone(OFFICE, port=line.phones[0].port).invited(15) for line, _ in lines]
    await_tone(callers[2], RINGING, 0.3)
    rung = heard_tone(callers[2].media.heard(), RINGING)
    for office in offices:
        office.pick_up()
    for office in offices:
        await_sound(office, "it is whispered")
    offices[1].hang_up()  # as who does not want the call
    assert callers[3].hang_up().status == 200
    others = second.take_call(15)

    ends = [callers[0].answered(), callers[2], callers[1].answered(15)]
    pairs = zip(ends, [offices[0], offices[2], others], [plain, asked, declining], strict=True)
    for caller, office, (line, words) in list(pairs):
        await_talk(caller, office)
        heard, told_of = caller.media.heard(), office.media.heard()
        assert correlation(told_of, words) > 0.8, line
        assert correlation(heard, words) < 0.4, line
        assert caller.hang_up().status == 200
    assert heard_tone(callers[2].media.heard(), RINGING) > rung + 0.3  # it went on meanwhile

    for line, words in (plain, asked):
        call, recording = finished(house, line)
        left, right = sides(house, recording)
        assert max(correlation(left, words), correlation(right, words)) < 0.4
        assert (call.wait_seconds or 0) > len(words) / 8000
        assert call.talk_seconds == pytest.approx(recording.seconds or 0, abs=CLOSE)
    call, _ = finished(house, declining[0])
    assert (call.outcome, call.target_id) == (Outcome.ANSWERED, declining[0].phones[1].target_id)
    call, _ = finished(house, hasty[0])
    assert (call.outcome, call.answered_at, call.hung_up_by) == (Outcome.GAVE_UP, None, HungUpBy.CALLER)


def await_sound(talk: Talk, why: str) -> None:
    until(lambda: loudness(talk.media.heard()[-4000:]) > 0.01, why=why)


def await_talk(caller: Talk, office: Talk) -> None:
    """Both hear each other."""
    caller.media.say(tone(CALLER, 0.6))
    office.media.say(tone(COMPANY, 0.6))
    await_tone(office, CALLER, 0.3)
    await_tone(caller, COMPANY, 0.3)
