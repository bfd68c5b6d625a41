"""What the audio process answered, or the lack of a file, means for the row: one transaction each.

Every change is made only to a row that is still in the state it was decided for, so that doing it twice, or
after a person deleted the recording, changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from recordings import decide, due, places
from recordings.jobs import Copied, Failed, Reply, Stored, Unplayable, Unwritable
from tracker import deliveries
from tracker.books import record
from tracker.database import Database
from tracker.logs import of
from tracker.messages import announce, is_message
from tracker.models import Recording, RecordingState, Withheld
from tracker.policy.delivering import Event
from tracker.policy.facts import Taped
from tracker.policy.taping import Taping
from tracker.settings import Settings

log = logging.getLogger(__name__)

_PROBLEM_LENGTH = 300
_COPY_PROBLEM = " copy yet: "  # in the sentences of recordings.copies


def settle(database: Database, settings: Settings, now: datetime, reply: Reply) -> RecordingState | None:
    """Write down what the audio process answered: the final state it led to, if any."""
    match reply:
        case Stored():
            return _keep(database, settings, now, reply)
        case Copied():
            _note_copies(database, now, reply)
        case Unplayable():
            return give_up(database, settings, reply.recording_id, f"It cannot be played: {reply.reason}")
        case Unwritable():
            problem = f"{settings.recordings_folder} cannot be written: {reply.reason}"
            log.error("recordings wait: %s", problem)
            change(
                database,
                reply.recording_id,
                problem=problem[:_PROBLEM_LENGTH],
                retry_at=decide.retry_unwritable_at(now),
            )
        case Failed():
            return _try_again(database, settings, now, reply)
    return None


def nothing(
    database: Database, recording_id: int, files: Iterable[Path], withheld: Withheld | None
) -> RecordingState:
    """There is no recording, and there should be none: the files go, empty or not."""
    change(
        database,
        recording_id,
        state=RecordingState.NONE,
        problem=None,
        retry_at=None,
        withheld=withheld,
    )
    for path in files:
        path.unlink(missing_ok=True)
    return RecordingState.NONE


def give_up(database: Database, settings: Settings, recording_id: int, problem: str) -> RecordingState | None:
    """Flag a recording as damaged; what there is of it is kept aside."""
    with database.write() as session:
        recording = due.locked(session, recording_id)
        if recording is None or recording.state is not RecordingState.PENDING:
            return None
        recording.state, recording.retry_at = RecordingState.DAMAGED, None
        recording.problem = problem[:_PROBLEM_LENGTH]
        call = recording.call
        key = call.key
        announce(session, call, call.ended_at or call.started_at)  # that somebody left one is worth knowing
        _wait_no_more(session, recording)
    log.warning("the recording is damaged: %s", problem, extra=of(key))
    if found := places.find(settings, key):
        places.set_aside(found.path, places.damaged_folder(settings))
    return RecordingState.DAMAGED


def _wait_no_more(session: Session, recording: Recording) -> None:
    """Whatever is told when the sound is there is told without it."""
    call = recording.call
    deliveries.release(session, [call.id], call.ended_at or call.started_at)


def change(
    database: Database, recording_id: int, when: RecordingState = RecordingState.PENDING, **values: object
) -> None:
    """Set columns of a recording that is still in state `when`."""
    with database.write() as session:
        recording = due.locked(session, recording_id)
        if recording is not None and recording.state is when:
            for name, value in values.items():
                setattr(recording, name, value)
            if recording.state not in {when, RecordingState.PENDING}:
                _wait_no_more(session, recording)


def _keep(database: Database, settings: Settings, now: datetime, reply: Stored) -> RecordingState | None:
    """The row of a recording whose files are in their place; the spool file goes after it."""
    source = Path(reply.source)
    if places.look_at(source) and _grew(source, reply):
        log.info("%s grew while it was prepared: once more", source.name)
        return None
    if reply.spoken_seconds < decide.WORDLESS_SECONDS:
        _note_wordless(database, reply.recording_id)
    with database.write() as session:
        recording = due.locked(session, reply.recording_id)
        pending = recording is not None and recording.state is RecordingState.PENDING
        state = recording.state if recording is not None and not pending else None
        if recording is not None and pending:
            state = _fill_or_not(session, recording, reply, now)
    # Deleted by a person, or refused by the caller, while it was being prepared.
    if recording is None or state in {RecordingState.DELETED, RecordingState.NONE}:
        for name in (reply.path, *reply.copies):
            places.stored(settings, name).unlink(missing_ok=True)
        source.unlink(missing_ok=True)
    elif pending:
        source.unlink(missing_ok=True)
        told = of(recording.call.key, seconds=round(reply.seconds, 1), bytes=reply.bytes)
        log.info("the recording is ready", extra=told)
    return state if pending else None


def _note_wordless(database: Database, recording_id: int) -> None:
    """A message in which nobody says a word is none: a fact of the call like any other."""
    with database.write() as session:
        recording = session.get(Recording, recording_id)
        call = recording.call if recording and recording.state is RecordingState.PENDING else None
        if call is not None and is_message(call) and call.ended_at is not None:
            record(session, Taped(call.key, call.node, call.ended_at, 0, 0, Taping.WORDLESS))


def _fill_or_not(session: Session, recording: Recording, reply: Stored, now: datetime) -> RecordingState:
    """A caller's refusal may come into the books later than the sound was found; silence is no message."""
    if (why := due.withheld_of(recording.call)) is not None:
        recording.state, recording.withheld, recording.retry_at = RecordingState.NONE, why, None
        _wait_no_more(session, recording)
        return RecordingState.NONE
    if due.is_wordless(recording.call):
        recording.state, recording.retry_at = RecordingState.NONE, None
        _wait_no_more(session, recording)
        return RecordingState.NONE
    _fill(recording, reply, now)
    announce(session, recording.call, now)
    deliveries.tell(session, [recording.call_id], Event.RECORDED, now)
    deliveries.release(session, [recording.call_id], now)
    return RecordingState.READY


def _grew(source: Path, reply: Stored) -> bool:
    facts = source.stat()
    return (facts.st_size, facts.st_mtime_ns) != (reply.source_bytes, reply.source_changed_ns)


def _fill(recording: Recording, reply: Stored, now: datetime) -> None:
    recording.pauses = due.pauses_of(recording.call)
    left_out = sum(seconds for _, seconds in recording.pauses)
    short = decide.shortness(reply.seconds, (recording.call.talk_seconds or 0) - left_out)
    recording.state = RecordingState.READY
    recording.path, recording.copies = reply.path, list(reply.copies)
    recording.bytes, recording.sha256 = reply.bytes, reply.sha256
    recording.seconds, recording.sample_rate = reply.seconds, reply.sample_rate
    recording.peaks = dict(reply.peaks)
    recording.problem = _sentences(*reply.notes, short, reply.uncopied)
    recording.stored_at = now
    recording.tries = 0
    recording.retry_at = decide.retry_copy_at(now, 0) if reply.uncopied else None


def _note_copies(database: Database, now: datetime, reply: Copied) -> None:
    with database.write() as session:
        recording = due.locked(session, reply.recording_id)
        if recording is None or recording.state is not RecordingState.READY:
            return
        others = [each for each in (recording.problem or "").split("; ") if _COPY_PROBLEM not in each]
        recording.copies = sorted({*recording.copies, *reply.copies})
        recording.problem = _sentences(*others, reply.uncopied)
        recording.tries = recording.tries + 1 if reply.uncopied else 0
        recording.retry_at = decide.retry_copy_at(now, recording.tries) if reply.uncopied else None


def _try_again(database: Database, settings: Settings, now: datetime, reply: Failed) -> RecordingState | None:
    with database.write() as session:
        recording = due.locked(session, reply.recording_id)
        if recording is None or recording.state not in {RecordingState.PENDING, RecordingState.READY}:
            return None
        recording.tries += 1
        problem = f"Preparing it failed {recording.tries} times: {reply.reason}"
        if recording.state is RecordingState.READY:  # only a copy was to be made
            recording.retry_at = decide.retry_copy_at(now, recording.tries)
            return None
        recording.problem = problem[:_PROBLEM_LENGTH]
        recording.retry_at = decide.retry_failed_at(now, recording.tries)
        final = recording.retry_at is None
    return give_up(database, settings, reply.recording_id, problem) if final else None


def _sentences(*each: str | None) -> str | None:
    return "; ".join(filter(None, each))[:_PROBLEM_LENGTH] or None
