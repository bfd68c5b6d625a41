"""Mails the messages that callers left, each with its sound, in the company's language."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from tracker import mail, messages, sound_files
from tracker.calls import shown_caller, source_of
from tracker.courier import Courier
from tracker.database import Database
from tracker.logs import of
from tracker.models import Call, Recording
from tracker.policy.alert_words import N_
from tracker.policy.phone import display
from tracker.policy.telling import Answer
from tracker.policy.tongue import Tongue
from tracker.settings import Settings
from tracker.telling import Translate, in_english

AT_ONCE = 4
MOST_BYTES = 8 << 20  # of sound in a mail; many servers take no more than 10 MB, a third of it wrapping
_ATTACHED = N_("The message is attached.")
_ON_THE_PAGE = N_("Listen to the message on the call’s page:")
_KINDS = {".mp3": "audio/mpeg", ".wav": "audio/wav"}


@dataclass(frozen=True)
class Claimed:
    """A mail in this worker's hands."""

    id: int
    key: str
    address: str
    call_id: int


class MessagePost:
    """The queue of messages; a mail is written in the thread that sends it."""

    log = logging.getLogger("leaseline.messages")

    def __init__(
        self, database: Database, settings: Settings, translator: Callable[[str], Translate], most_bytes: int
    ) -> None:
        self._database, self._settings, self._translator = database, settings, translator
        self._most_bytes = most_bytes

    def is_due(self, session: Session, now: datetime) -> bool:
        return messages.QUEUE.is_due(session, now)

    def claim(self, session: Session, now: datetime, limit: int) -> list[Claimed]:
        found = messages.claim(session, now, limit)
        return [Claimed(it.id, it.key, it.address, it.call_id) for it in found]

    def deliver(self, letter: Claimed, now: datetime) -> Answer:
        with self._database.read() as session:
            call = session.get_one(Call, letter.call_id)
            language = call.company.language
            tongue = Tongue(self._translator(language), language)
            composed, key = write(call, letter, self._settings, tongue, self._most_bytes), call.key
        answer = mail.send(self._settings, composed)
        self.log.info("mail %s %s", letter.key, "is sent" if answer.ok else "is not sent", extra=of(key))
        return answer

    def settle(self, session: Session, letter_id: int, answer: Answer, now: datetime, dice: float) -> None:
        messages.QUEUE.settle(session, letter_id, answer, now, dice)


class MessageSender(Courier[Claimed]):
    """Claims and sends them."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Callable[[], datetime],
        *,
        at_once: int = AT_ONCE,
        translator: Callable[[str], Translate] = in_english,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        super().__init__(MessagePost(database, settings, translator, most_bytes), database, clock, at_once)


def write(call: Call, letter: Claimed, settings: Settings, tongue: Tongue, most_bytes: int) -> EmailMessage:
    """The mail: who called, when, where from, for how long he spoke; the sound, if it is small enough."""
    caller = _caller(call, tongue)
    subject = tongue.tell(N_("Message from %(caller)s"), caller=caller)
    sound = sound_of(settings, call.recording, most_bytes)
    page = f"{settings.web_url.rstrip('/')}/calls/{call.key}"
    lines = [
        *_facts(call, caller, tongue),
        "",
        tongue.tell(_ATTACHED if sound else _ON_THE_PAGE),
        page,
    ]
    composed = mail.compose(
        settings, letter.address, letter.key, f"[{call.company.name}] {subject}", "\n".join(lines) + "\n"
    )
    if sound is not None:
        kind, _, subkind = _KINDS[sound.suffix].partition("/")
        name = f"{call.started_at.astimezone(ZoneInfo(call.company.timezone)):%Y-%m-%d-%H%M}{sound.suffix}"
        composed.add_attachment(sound.read_bytes(), maintype=kind, subtype=subkind, filename=name)
    return composed


def sound_of(settings: Settings, recording: Recording | None, most_bytes: int) -> Path | None:
    """The file that goes along: the MP3 where there is one, else the WAV; None where neither can."""
    return sound_files.find(settings.recordings_folder, sound_files.names_of(recording), most_bytes)


def _facts(call: Call, caller: str, tongue: Tongue) -> list[str]:
    at = call.started_at.astimezone(ZoneInfo(call.company.timezone))
    number = display(call.number.e164, call.company.default_region)
    dialled = f"{number} ({call.number.label})" if call.number.label else number
    seconds = round(messages.message_seconds(call) or 0)
    told = [
        tongue.tell(N_("Caller: %(caller)s"), caller=caller),
        tongue.tell(N_("When: %(at)s"), at=f"{at:%Y-%m-%d %H:%M %Z}"),
        tongue.tell(N_("Number: %(number)s"), number=dialled),
        tongue.tell(N_("Source: %(source)s"), source=_source(call) or "–"),
    ]
    if seconds:
        told.append(tongue.tell(N_("Length: %(length)s"), length=f"{seconds // 60}:{seconds % 60:02}"))
    return told


def _caller(call: Call, tongue: Tongue) -> str:
    number = shown_caller(call)
    if number is None:
        return tongue.tell(N_("a withheld number"))
    shown = display(number, call.company.default_region) if number.startswith("+") else number
    return f"{shown} ({call.caller_name})" if call.caller_name else shown


def _source(call: Call) -> str:
    source = source_of(call)
    if source is None:
        return ""
    return " · ".join(part for part in (source.channel or source.source, source.campaign) if part)
