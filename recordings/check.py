"""What `leaseline doctor` asks about recordings: can they be made, is there room, does one wait or fail."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from recordings.finish import free_bytes
from recordings.sweep import orphans
from tracker.database import Database
from tracker.models import Call, Recording, RecordingState
from tracker.settings import Settings

_ENCODERS = {"mp3": "libmp3lame", "opus": "libopus"}
_LOW_BYTES = 1 << 30
_BYTES_A_MINUTE = 2_400_000  # WAV and MP3 together
_LATE = timedelta(minutes=5)
_LATELY = timedelta(days=1)


@dataclass(frozen=True)
class Finding:
    """One thing looked at. When it is not `ok`, `fix` says what to do."""

    name: str
    ok: bool
    message: str
    fix: str = ""


def check(database: Database, settings: Settings, now: datetime) -> list[Finding]:
    """Everything about recordings that a person can put right; never raises for what it finds."""
    return [
        _ffmpeg(settings),
        _room(settings),
        *_pending(database, settings, now),
        _damaged(database, now),
        _orphans(settings),
    ]


def _ffmpeg(settings: Settings) -> Finding:
    if not settings.recording_copies:
        return Finding("ffmpeg", True, "not needed: recording_copies is empty")
    program = shutil.which(settings.ffmpeg)
    if program is None:
        fix = "install ffmpeg (apt-get install ffmpeg) or set LEASELINE_FFMPEG; copies are made then"
        return Finding("ffmpeg", False, f"{settings.ffmpeg} was not found: recordings are kept as WAV", fix)
    try:
        told = subprocess.run(
            [program, "-hide_banner", "-encoders"], capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("ffmpeg", False, f"{program} does not run: {error}", "install ffmpeg again")
    lacking = [kind for kind in settings.recording_copies if f" {_ENCODERS[kind]} " not in told]
    if lacking:
        fix = f"install an ffmpeg with {' and '.join(_ENCODERS[kind] for kind in lacking)}"
        return Finding("ffmpeg", False, f"{program} cannot make {' or '.join(lacking)}", fix)
    return Finding("ffmpeg", True, f"{program} makes {' and '.join(settings.recording_copies)}")


def _room(settings: Settings) -> Finding:
    folder = settings.recordings_folder
    free = free_bytes(folder)
    hours = free // _BYTES_A_MINUTE // 60
    message = f"{free / 1e9:.1f} GB free in {folder}: about {hours} hours of calls"
    return Finding("recordings space", free >= _LOW_BYTES, message, "free space or move `recordings`")


def _pending(database: Database, settings: Settings, now: datetime) -> list[Finding]:
    with database.read() as session:
        rows = session.execute(
            sa.select(Call.node, sa.func.count(), sa.func.min(Call.ended_at), sa.func.max(Recording.problem))
            .join(Call, Recording.call_id == Call.id)
            .where(Recording.state == RecordingState.PENDING)
            .group_by(Call.node)
        ).all()
    if not rows:
        return [Finding("recordings pending", True, "none waits to be prepared")]
    return [_late(settings, now, _Waiting(*row)) for row in rows]


@dataclass(frozen=True)
class _Waiting:
    node: str
    count: int
    oldest_at: datetime | None
    problem: str | None


def _late(settings: Settings, now: datetime, waiting: _Waiting) -> Finding:
    age = now - waiting.oldest_at if waiting.oldest_at else timedelta()
    message = f"{waiting.count} of node {waiting.node} wait, the oldest for {age.total_seconds():.0f} s"
    if waiting.problem:
        fix = "put that right; they are tried again by themselves"
        return Finding("recordings pending", False, f"{message}: {waiting.problem}", fix)
    where = "" if waiting.node == settings.node else f" on node {waiting.node}"
    return Finding("recordings pending", age < _LATE, message, f"see whether `leaseline worker` runs{where}")


def _damaged(database: Database, now: datetime) -> Finding:
    count = sa.select(sa.func.count()).select_from(Recording).join(Call)
    with database.read() as session:
        damaged = count.where(Recording.state == RecordingState.DAMAGED)
        ever = session.scalar(damaged)
        lately = session.scalar(damaged.where(Call.ended_at >= now - _LATELY))
    message = f"{lately or 'no'} damaged in the last day, {ever or 'none'} in all"
    return Finding("recordings damaged", not lately, message, "each call's page says what happened to it")


def _orphans(settings: Settings) -> Finding:
    found = orphans(settings)
    message = f"{len(found) or 'no'} recordings without a call"
    folder = found[0].parent if found else ""
    return Finding("recordings orphaned", not found, message, f"listen to them in {folder}, then remove them")
