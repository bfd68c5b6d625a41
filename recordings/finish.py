"""Finishing recordings: from a row in state `pending` and a spool file to a row and files that stay.

The order makes it safe to stop anywhere: files written, synced and in their place, then the row in one
transaction, then the spool file goes. Whatever was done twice comes out the same. A full disk costs a
recording nothing but time; a file that kills the audio process three times is kept aside as damaged.
"""

from __future__ import annotations

import atexit
import errno
import functools
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from recordings import decide, due, places, settle
from recordings.jobs import Prepare, Transcode, Unwritable
from recordings.store import remove_deleted
from recordings.workshop import Workshop
from tracker.database import Database
from tracker.models import RecordingState
from tracker.settings import Settings

_SPARE_BYTES = 1 << 20  # left free beside a recording: its copies, the books


@dataclass(frozen=True)
class Finished:
    """What one tick settled, and how many recordings of this node are still to be finished."""

    ready: int = 0
    none: int = 0
    damaged: int = 0
    waiting: int = 0


def finish_pending(
    database: Database,
    settings: Settings,
    now: datetime,
    *,
    workshop: Workshop | None = None,
    wait_seconds: float = 0.0,
) -> Finished:
    """Carry the recordings of this node's ended calls one step further; called about twice a second.

    Does not wait for the audio process unless told to (`wait_seconds`, for its first answer). Raises
    sqlalchemy.exc.OperationalError when the database cannot be used; nothing is lost then, call again.
    """
    return _Tick(database, settings, now, workshop or _own_workshop()).run(wait_seconds)


def stop() -> None:
    """End the worker's audio process; what it was at is done again after the next start."""
    _own_workshop().close()


@functools.cache
def _own_workshop() -> Workshop:
    workshop = Workshop()
    atexit.register(workshop.close)
    return workshop


@dataclass(frozen=True)
class _Tick:
    database: Database
    settings: Settings
    now: datetime
    workshop: Workshop

    def run(self, wait_seconds: float) -> Finished:
        node, busy_with = self.settings.node, self.workshop.busy_with
        with self.database.read() as session:
            waiting = due.count(session, node)
            calls = due.pending(session, node, self.now, busy_with) if waiting else []
            copies = due.copies(session, node, self.now, busy_with)
        remove_deleted(self.database, self.settings, self.now)
        settled = [self.step(call) for call in calls]
        for call in copies:
            self.hand_copies(call)
        self.workshop.collect(wait_seconds)
        while self.workshop.replies:
            reply = self.workshop.replies[0]
            settled.append(settle.settle(self.database, self.settings, self.now, reply))
            if isinstance(reply, Unwritable):
                self.pause()
            self.workshop.replies.popleft()
        return _summary(settled, waiting)

    def step(self, call: due.Due) -> RecordingState | None:
        """Decide about one recording and do the first thing about it: its state now, if that is final."""
        found = places.find(self.settings, call.key)
        audio = decide.Audio(found.empty, found.changed_at, found.brief) if found else None
        match decide.decide(call.facts, audio, self.now):
            case decide.Ready() if found:
                return self.hand(call, found)
            case decide.Later(at) if at:
                settle.change(self.database, call.recording_id, retry_at=at)
            case decide.Nothing():
                files = places.spooled(self.settings, call.key)
                return settle.nothing(self.database, call.recording_id, files, call.facts.withheld)
            case decide.Lost(problem):
                return settle.give_up(self.database, self.settings, call.recording_id, problem)
        return None

    def hand(self, call: due.Due, found: places.Found) -> RecordingState | None:
        if not self.may_hand():
            return None
        try:
            stem = places.stem(call.slug, call.key, call.started_at)
        except ValueError as error:
            return settle.give_up(self.database, self.settings, call.recording_id, str(error))
        job = self.job(Prepare, call.recording_id, found.path, stem)
        if free_bytes(self.settings.recordings_folder) < found.bytes + _SPARE_BYTES:
            full = Unwritable(call.recording_id, os.strerror(errno.ENOSPC))
            self.pause()
            return settle.settle(self.database, self.settings, self.now, full)
        self.workshop.hand(job)
        return None

    def hand_copies(self, call: due.CopyDue) -> None:
        """Have copies made that could not be made before; a WAV that is gone is the sweeper's to report."""
        if not self.may_hand():
            return
        wav = places.stored(self.settings, call.path)
        if wav.is_file():
            stem = call.path.removesuffix(".wav")
            self.workshop.hand(self.job(Transcode, call.recording_id, wav, stem))
        else:
            settle.change(self.database, call.recording_id, RecordingState.READY, retry_at=None)

    def job(self, kind: type[Prepare], recording_id: int, source: Path, stem: str) -> Prepare:
        return kind(
            recording_id=recording_id,
            source=os.fspath(source),
            source_bytes=source.stat().st_size,
            root=os.fspath(self.settings.recordings_folder),
            stem=stem,
            copies=self.settings.recording_copies,
            ffmpeg=self.settings.ffmpeg,
        )

    def may_hand(self) -> bool:
        paused_until = self.workshop.paused_until
        return self.workshop.room > 0 and (paused_until is None or self.now >= paused_until)

    def pause(self) -> None:
        """The disk refused one: spare the others the attempt for a while."""
        self.workshop.paused_until = decide.retry_unwritable_at(self.now)


def free_bytes(folder: Path) -> int:
    """Room on the disk that holds `folder`, or will."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _summary(settled: Sequence[RecordingState | None], waiting: int) -> Finished:
    ready, none, damaged = (
        settled.count(state) for state in (RecordingState.READY, RecordingState.NONE, RecordingState.DAMAGED)
    )
    return Finished(ready, none, damaged, max(0, waiting - ready - none - damaged))
