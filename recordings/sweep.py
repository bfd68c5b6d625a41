"""The sweeper: what crashes leave behind is found, put right where that is certain, and shown otherwise.

Nothing that holds sound is deleted here, but for two cases: the same sound is in the store, bit by bit, or a
person deleted the recording. Everything else goes to `orphans`, and comes back if its call turns up.
"""

from __future__ import annotations

import enum
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from recordings import due, places, wav
from recordings.jobs import UNFINISHED
from recordings.store import remove_deleted
from tracker.database import Database
from tracker.models import Call, Recording, RecordingState
from tracker.settings import Settings

log = logging.getLogger(__name__)

_OLD = timedelta(minutes=10)  # younger files may belong to a call that is going on, or just being finished
_PAGE = 500
_MISSING = "Its file is missing from the recordings folder"


@dataclass(frozen=True)
class Swept:
    """What was found. `orphans` were moved aside in this sweep; `missing` rows lost their file, `found` got
    it back; `again` are damaged ones whose audio turned up; `removed` counts needless files."""

    orphans: tuple[Path, ...] = ()
    removed: int = 0
    again: int = 0
    missing: int = 0
    found: int = 0


class _Fate(enum.Enum):
    KEEP = enum.auto()
    REMOVE = enum.auto()
    ORPHAN = enum.auto()
    AGAIN = enum.auto()  # its recording was given up before the file came: finish it after all


def sweep(database: Database, settings: Settings, now: datetime, *, everything: bool = False) -> Swept:
    """Look through the spool and the store; meant for every few minutes.

    Each hour of the day looks for the files of one twenty-fourth of all recordings, `everything` for all.
    """
    removed = _remove_unfinished(settings, now) + remove_deleted(database, settings, now)
    orphans: list[Path] = []
    fates: Counter[_Fate] = Counter()
    for path in _old_files(places.spool_folder(settings), now):
        fate = _fate(database, settings, path)
        fates[fate] += 1
        if fate is _Fate.REMOVE:
            path.unlink(missing_ok=True)
        elif fate is _Fate.ORPHAN:
            orphans.append(places.set_aside(path, places.orphans_folder(settings)))
            log.warning("no recording claims %s: moved to %s", path.name, orphans[-1])
    return Swept(
        orphans=tuple(orphans),
        removed=removed + fates[_Fate.REMOVE],
        again=fates[_Fate.AGAIN],
        missing=_flag_missing(database, settings, now, everything=everything),
        found=_unflag_found(database, settings),
    )


def _old_files(folder: Path, now: datetime) -> list[Path]:
    """Regular files that have not changed for ten minutes."""
    if not folder.is_dir():
        return []
    paths = (path for path in folder.iterdir() if path.is_file() or path.is_symlink())
    return sorted(path for path in paths if _changed_at(path) <= now - _OLD)


def _changed_at(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    except FileNotFoundError:  # finished this very moment
        return datetime.max.replace(tzinfo=UTC)


def _remove_unfinished(settings: Settings, now: datetime) -> int:
    """Temporary files of a process that died; a copy of an hour takes seconds, so ten minutes are plenty."""
    leftovers = _old_files(settings.recordings_folder / UNFINISHED, now)
    for path in leftovers:
        path.unlink(missing_ok=True)
    return len(leftovers)


def _fate(database: Database, settings: Settings, path: Path) -> _Fate:
    with database.read() as session:
        call = session.scalar(sa.select(Call).where(Call.key == path.stem))
        recording = call.recording if call else None
        if call is None or path.is_symlink() or path.suffix not in {".raw", ".wav"}:
            return _Fate.ORPHAN
        if recording is None or recording.state is RecordingState.PENDING:
            return _Fate.KEEP
        if recording.state is RecordingState.DELETED or _says_nothing(recording, path):
            return _Fate.REMOVE
        if recording.state is RecordingState.READY and _holds(settings, recording, path):
            return _Fate.REMOVE
        if recording.state is not RecordingState.DAMAGED or recording.path:
            return _Fate.ORPHAN
        recording_id = recording.id
    return _Fate.AGAIN if _reopen(database, recording_id) else _Fate.KEEP


def _says_nothing(recording: Recording, path: Path) -> bool:
    """The empty file that Asterisk leaves of a call nobody answered."""
    found = places.look_at(path)
    return recording.state is RecordingState.NONE and found is not None and found.empty


def _reopen(database: Database, recording_id: int) -> bool:
    with database.write() as session:
        recording = due.locked(session, recording_id)
        if recording is None or recording.state is not RecordingState.DAMAGED:
            return False
        recording.state, recording.tries = RecordingState.PENDING, 0
        return True


def _holds(settings: Settings, recording: Recording, path: Path) -> bool:
    """Whether the stored WAV holds all of a raw spool file, byte for byte."""
    place = places.stored(settings, recording.path or "-")
    if path.suffix != ".raw" or not place.is_file():
        return False
    frames_bytes = wav.raw_layout(path.stat().st_size).data_bytes
    if place.stat().st_size != frames_bytes + wav.HEADER_BYTES:
        return False
    with place.open("rb") as kept, path.open("rb") as spooled:
        kept.seek(wav.HEADER_BYTES)
        while piece := kept.read(65536):
            if spooled.read(len(piece)) != piece:
                return False
    return True


def _flag_missing(database: Database, settings: Settings, now: datetime, *, everything: bool) -> int:
    with database.read() as session:
        last = session.scalar(sa.select(sa.func.max(Recording.id))) or 0
    first, beyond = (0, last + 1) if everything else _slice(last, now.hour)
    missing = 0
    while rows := _ready_page(database, first, beyond):
        first = rows[-1][0] + 1
        for recording_id, path in rows:
            if not places.stored(settings, path).is_file():
                missing += _turn(database, recording_id, RecordingState.READY, RecordingState.DAMAGED)
    return missing


def _slice(last: int, hour: int) -> tuple[int, int]:
    return (last + 1) * hour // 24, (last + 1) * (hour + 1) // 24


def _ready_page(database: Database, first: int, beyond: int) -> Sequence[tuple[int, str]]:
    with database.read() as session:
        query = (
            sa.select(Recording.id, Recording.path)
            .where(Recording.id >= first, Recording.id < beyond, Recording.state == RecordingState.READY)
            .order_by(Recording.id)
            .limit(_PAGE)
        )
        return [(recording_id, path or "-") for recording_id, path in session.execute(query)]


def _unflag_found(database: Database, settings: Settings) -> int:
    """A folder that was not mounted flags everything in it; when it is back, so are the recordings."""
    with database.read() as session:
        rows = session.execute(
            sa.select(Recording.id, Recording.path).where(
                Recording.state == RecordingState.DAMAGED, Recording.path.is_not(None)
            )
        ).all()
    return sum(
        _turn(database, recording_id, RecordingState.DAMAGED, RecordingState.READY)
        for recording_id, path in rows
        if path and places.stored(settings, path).is_file()
    )


def _turn(database: Database, recording_id: int, old: RecordingState, new: RecordingState) -> bool:
    with database.write() as session:
        recording = due.locked(session, recording_id)
        if recording is None or recording.state is not old:
            return False
        recording.state = new
        recording.problem = _MISSING if new is RecordingState.DAMAGED else None
        return True


def orphans(settings: Settings) -> list[Path]:
    """The files that no recording claims, for a person to listen to and remove."""
    return _listed(places.orphans_folder(settings))


def damaged_files(settings: Settings) -> list[Path]:
    """What is left of recordings that could not be prepared."""
    return _listed(places.damaged_folder(settings))


def _listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
