"""The reading side of the store, for the web: a file to send, and the end of a recording."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recordings import places
from recordings.due import retries
from tracker.audit import By
from tracker.calls import recording_state
from tracker.database import Database
from tracker.errors import Rejected, Said, say
from tracker.journey import iso
from tracker.models import Call, Recording, RecordingState
from tracker.settings import Settings

CONTENT_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg", "opus": "audio/ogg"}


@dataclass(frozen=True)
class Playable:
    """A file to send: `name` is what to call it when it is saved; it says nothing about the caller."""

    path: Path
    content_type: str
    name: str


def open_copy(settings: Settings, recording: Recording, kind: str) -> Playable:
    """The WAV (`wav`) or a copy (`mp3`, `opus`) of a recording, checked to lie in the store.

    Raises Rejected `recording.kind` for another word, `recording.missing` when there is none to play.
    """
    if kind not in CONTENT_TYPES:
        raise Rejected(
            "recording.kind", "%(kind)r is no kind of recording", "Ask for wav, mp3 or opus", kind=kind
        )
    relative = _relative(recording, kind)
    try:
        path = places.stored(settings, relative) if relative else None
    except ValueError:
        path = None
    if not relative or path is None or not path.is_file():
        raise Rejected(
            "recording.missing", "There is no %(kind)s of this recording", _advice(recording), kind=kind
        )
    return Playable(path, CONTENT_TYPES[kind], relative.replace("/", "-"))


def describe(call: Call) -> dict[str, Any]:
    """What there is to hear of a call as JSON; `state` None while it is going on."""
    it, state = call.recording, recording_state(call)
    ready = it is not None and it.state is RecordingState.READY
    return {
        "state": state,
        "kinds": [kind for kind in CONTENT_TYPES if ready and it and _relative(it, kind)],
        "seconds": it and it.seconds,
        "bytes": it and it.bytes,
        "sample_rate": it and it.sample_rate,
        "sha256": it and it.sha256,
        "problem": it and it.problem,
        "withheld": it and it.withheld,
        "pauses": [{"at": at, "seconds": seconds} for at, seconds in (it.pauses if it else ())],
        "stored_at": it and iso(it.stored_at),
    }


def _relative(recording: Recording, kind: str) -> str | None:
    if recording.state is not RecordingState.READY:
        return None
    named = [recording.path, *recording.copies]
    return next((each for each in named if each and each.endswith(f".{kind}")), None)


def _advice(recording: Recording) -> Said:
    if recording.state is RecordingState.PENDING:
        return say("It is being prepared: try again in a few seconds")
    if recording.problem:
        return Said("%(problem)s", {"problem": recording.problem})
    return say("Ask for wav, which there is of every recording that is ready")


def delete_by(session: Session, by: By, settings: Settings, call: Call) -> None:
    """A person, or his program, deletes a call's sound. Raises Rejected `recording.missing`."""
    # Held, so that whoever prepares it sees the word, or is seen to have been quicker.
    wanted = sa.select(Recording).where(Recording.call_id == call.id).with_for_update()
    found = session.scalars(wanted.execution_options(populate_existing=True)).one_or_none()
    if found is None or found.state is RecordingState.NONE:
        raise Rejected("recording.missing", "This call has no recording", "There is nothing to delete")
    if found.state is not RecordingState.DELETED:
        delete(session, settings, found)
        by.note(session, "recording.delete", call.company_id, subject=call.key)


def delete(session: Session, settings: Settings, recording: Recording) -> None:
    """End a recording: its files go when the transaction has committed, at the latest with the next sweep.

    What was known about its sound (waveform, hash) goes with it. Deleting twice changes nothing.
    """
    recording.delete()
    files = list(files_of(settings, recording))

    @sa.event.listens_for(session, "after_commit", once=True)
    def remove(_session: Session) -> None:
        for path in files:
            path.unlink(missing_ok=True)


def files_of(settings: Settings, recording: Recording) -> Iterator[Path]:
    """Every file that may hold this recording's sound, stored or still in the spool."""
    for relative in (recording.path, *recording.copies):
        if relative:
            yield places.stored(settings, relative)
    yield from places.spooled(settings, recording.call.key)
    yield from places.aside(settings, recording.call.key)


def remove_deleted(database: Database, settings: Settings, now: datetime) -> int:
    """The files of deleted recordings that are still there: of one that its caller did not want, or that
    outlived their deletion because something stopped in between."""
    removed = 0
    with database.read() as session:
        ids = session.scalars(sa.select(Recording.id).where(retries(RecordingState.DELETED, now))).all()
    for recording_id in ids:
        with database.write() as session:
            recording = session.get_one(Recording, recording_id)
            for path in files_of(settings, recording):
                removed += path.is_file()
                path.unlink(missing_ok=True)
            recording.retry_at = None
    return removed
