"""Messages that callers leave: from the spool to the books and the mailbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from support.audio import Samples, silence, speech, tone, write_raw
from support.couriers import Clock, mail_settings, send
from support.facts import Pallets, add_pallets, ended, started
from support.receivers import mailbox
from support.recorded import age, finish_all, settings_in, spool_file

from recordings.workshop import Workshop
from tracker import plans
from tracker.audit import By
from tracker.books import record_all
from tracker.calls import list_calls
from tracker.database import Database
from tracker.message_sender import MessageSender
from tracker.messages import announce
from tracker.models import Call, CallEvent, CallPlan, Company, MessageMail, Number, RecordingState
from tracker.policy.call_filter import CallFilter
from tracker.policy.facts import Doing, HungUpBy, Outcome, Passed
from tracker.settings import Settings
from web.call_story import story
from web.catalogues import translator

WORDS = speech("Please call me back about the pallets.")
SECONDS = len(WORDS) / 8000
BOX = {
    "start": "box",
    "steps": {
        "box": {"kind": "voicemail", "say": "Please leave a message", "mail": ["a@x.example", "b@x.example"]}
    },
}


def noise(seconds: float) -> Samples:
    return np.random.default_rng(1).normal(size=int(seconds * 8000))


@pytest.fixture
def workshop() -> Iterator[Workshop]:
    ours = Workshop()
    yield ours
    ours.close()


def furnish(database: Database, now: datetime) -> tuple[Pallets, CallPlan]:
    """Pallets with a plan that takes messages, on a number of which nothing else is recorded."""
    with database.write() as session:
        pallets = add_pallets(session, now)
        company = session.get_one(Company, pallets.company_id)
        company.timezone, company.language = "Europe/Berlin", "pl"
        plan = plans.add(session, By(now, "test"), company, "box", BOX)
        session.execute(sa.update(Number).where(Number.e164 == pallets.billboard).values(record=False))
        session.flush()
        session.expunge(plan)
        return pallets, plan


def leave(
    database: Database, pallets: Pallets, plan_id: int, at: datetime, seconds: float, call: str = "call-1"
) -> None:
    tone_at = at + timedelta(seconds=9)
    begun = Passed(call, "main", tone_at, plan_id, 1, "box", Doing.MESSAGE, "")
    over = ended(tone_at + timedelta(seconds=seconds), call, status="", hung_up_by=HungUpBy.CALLER)
    with database.write() as session:
        record_all(session, [started(pallets.billboard, at, call), begun, over])


def call_in(database: Database, key: str = "call-1") -> Call:
    with database.read() as session:
        call = session.scalars(sa.select(Call).where(Call.key == key)).one()
        assert call.recording
        session.expunge_all()
        return call


def finished(database: Database, settings: Settings, workshop: Workshop, now: datetime) -> None:
    source = write_raw(spool_file(settings, "call-1.raw"), WORDS, silence(SECONDS))
    age(source, now)
    finish_all(database, settings, now + timedelta(seconds=90), workshop)


def test_a_message_is_mailed_to_whom_the_plan_names_once_and_with_its_sound(
    database: Database, workshop: Workshop, now: datetime, tmp_path: Path
) -> None:
    pallets, plan = furnish(database, now)
    leave(database, pallets, plan.id, now, SECONDS)
    with mailbox() as box:
        settings = mail_settings(tmp_path, box, recording_copies=("mp3",))
        finished(database, settings, workshop, now)
        call = call_in(database)
        assert (call.outcome, call.recording and call.recording.state) == (
            Outcome.MISSED,
            RecordingState.READY,
        )
        with database.write() as session:
            announce(session, session.get_one(Call, call.id), now)  # told once more
        clock = Clock(now + timedelta(seconds=100))
        sender = MessageSender(database, settings, clock, translator=translator)
        box.replies["DATA"] = ["451 come again"]
        assert send(sender) == 2
        assert len(box.letters) == 1
        clock.now += timedelta(minutes=5)
        assert (send(sender), send(sender)) == (1, 0)
    assert sorted(to for to, _ in box.letters) == ["a@x.example", "b@x.example"]
    letter = box.letters[0][1]
    text = text_of(letter)
    assert letter["Subject"] == "[Pallets] Wiadomość od: +49 1511 2345678"
    assert "2026-11-20 13:00 CET" in text
    assert "+7 495 123-45-67" in text or "8 (495) 123-45-67" in text
    assert "billboard" in text.lower()
    assert "0:0" in text
    assert "https://calls.pallets.example/calls/call-1\n" in text
    (sound,) = letter.iter_attachments()
    assert sound.get_content_type() == "audio/mpeg"
    assert sound.get_filename() == "2026-11-20-1300.mp3"
    assert len(sound.get_content()) > 1000


@pytest.mark.parametrize(
    ("said", "is_message"),
    [
        (silence(SECONDS), False), (0.002 * noise(SECONDS), False),  # an open line
        (0.1 * WORDS, True),  # a quiet voice
        (np.concatenate([silence(1.0), tone(500, 0.1), silence(SECONDS)]), False),  # the receiver's click
    ],
)  # fmt: skip
def test_silence_is_no_message(
    sqlite: Database, workshop: Workshop, now: datetime, tmp_path: Path, said: Samples, is_message: bool
) -> None:
    pallets, plan = furnish(sqlite, now)
    leave(sqlite, pallets, plan.id, now, SECONDS)
    settings = settings_in(tmp_path, recording_copies=())
    age(write_raw(spool_file(settings, "call-1.raw"), said, silence(len(said) / 8000)), now)
    finish_all(sqlite, settings, now + timedelta(seconds=90), workshop)
    call = call_in(sqlite)
    assert call.recording
    ready = call.recording.state is RecordingState.READY
    assert (call.outcome, call.message_at is not None, ready) == (Outcome.MISSED, is_message, is_message)
    assert bool(list(settings.home.rglob("call-1.*"))) is is_message
    with sqlite.read() as session:
        mails = session.scalar(sa.select(sa.func.count()).select_from(MessageMail))
        assert mails == (2 if is_message else 0)
        events = session.scalars(sa.select(CallEvent).where(CallEvent.call_id == call.id)).all()
        titles = [step.title for step in story(events, {})]
    assert ("The caller hung up without a word" in titles) is not is_message
    assert "The caller began to leave a message" in titles


def test_a_sound_that_is_too_large_or_lost_is_no_reason_to_be_silent(
    sqlite: Database, workshop: Workshop, now: datetime, tmp_path: Path
) -> None:
    pallets, plan = furnish(sqlite, now)
    leave(sqlite, pallets, plan.id, now, SECONDS)
    leave(sqlite, pallets, plan.id, now, SECONDS, "call-2")  # whose sound never appears
    with mailbox() as box:
        settings = mail_settings(tmp_path, box)
        finished(sqlite, settings, workshop, now)
        sender = MessageSender(sqlite, settings, Clock(now + timedelta(hours=1)), most_bytes=100)
        assert (send(sender), send(sender)) == (2, 2)  # one an address at a time
    assert len(box.letters) == 4
    assert not [each for _, letter in box.letters for each in letter.iter_attachments()]
    assert all("Listen to the message on the call’s page:" in text_of(letter) for _, letter in box.letters)
    lost = call_in(sqlite, "call-2").recording
    assert lost
    assert lost.state is RecordingState.DAMAGED


def test_whoever_hangs_up_at_the_tone_is_mailed_of_to_nobody(
    sqlite: Database, workshop: Workshop, now: datetime, tmp_path: Path
) -> None:
    pallets, plan = furnish(sqlite, now)
    settings = mail_settings(tmp_path)
    leave(sqlite, pallets, plan.id, now, 0.5)
    source = age(write_raw(spool_file(settings, "call-1.raw"), silence(0.6), silence(0.6)), now)
    finish_all(sqlite, settings, now + timedelta(seconds=90), workshop)
    call = call_in(sqlite)
    assert (call.message_at, call.outcome, call.recording and call.recording.state) == (
        None,
        Outcome.MISSED,
        RecordingState.NONE,
    )
    assert not source.exists()
    with sqlite.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(MessageMail)) == 0
        by = {flag: CallFilter(message=flag) for flag in (True, False)}
        found = {flag: len(list_calls(session, [pallets.company_id], by=by[flag]).calls) for flag in by}
    assert found == {True: 0, False: 1}


def text_of(letter: EmailMessage) -> str:
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")
