"""Recordings that another service keeps, fetched when a company moves here, and finished like our own.

A file is fetched, turned into a plain WAV by ffmpeg with limits on time and memory, and goes through the same
audio process as what Asterisk recorded. A call whose recording came is not fetched again; whatever stopped in
between is done again.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from recordings import places, settle
from recordings.jobs import Prepare
from recordings.workshop import Workshop
from tracker.database import Database
from tracker.download import DownloadError, Limits, Login, download
from tracker.errors import Said, say
from tracker.models import Call, Company, Recording, RecordingState, ReportedCall
from tracker.settings import Settings

_RATE = 8000  # of telephones
_DECODING_SECONDS = 300
_WAITING_SECONDS = 180


@dataclass(frozen=True)
class Wanted:
    """A call whose recording stands at another service."""

    recording_id: int
    key: str
    slug: str
    reference: str
    started_at: datetime
    url: str


@dataclass(frozen=True)
class Fetching:
    """With what recordings are fetched."""

    database: Database
    settings: Settings
    workshop: Workshop
    now: datetime
    login: Login | None = None
    limits: Limits = field(default_factory=Limits)


def wanted(database: Database, company_id: int, system: str) -> Sequence[Wanted]:
    """Calls of that service whose recordings are not here yet, the oldest first."""
    query = (
        sa.select(
            Recording.id, Call.key, Company.slug, ReportedCall.reference, Call.started_at,
            ReportedCall.recording_url,
        )
        .join(Call, Call.id == Recording.call_id)
        .join(Company, Company.id == Call.company_id)
        .join(ReportedCall, ReportedCall.call_id == Call.id)
        .where(
            Call.company_id == company_id,
            ReportedCall.system == system,
            ReportedCall.recording_url.is_not(None),
            Call.answered_at.is_not(None),
            Recording.state.in_([RecordingState.NONE, RecordingState.PENDING]),
        )
        .order_by(Call.started_at, Call.id)
    )  # fmt: skip
    with database.read() as session:
        return [Wanted(*row[:5], row.recording_url or "") for row in session.execute(query)]


def fetch_all(fetching: Fetching, calls: Sequence[Wanted]) -> Iterator[tuple[Wanted, Said | None]]:
    """Fetches one after the other; gives each with why it did not come, None where it did."""
    for call in calls:
        try:
            yield call, _fetch(fetching, call)
        except DownloadError as no:
            yield call, no.said


def _fetch(it: Fetching, call: Wanted) -> Said | None:
    spool = places.spool_folder(it.settings)
    spool.mkdir(parents=True, exist_ok=True)
    place = spool / f"{call.key}.wav"
    with tempfile.TemporaryDirectory(dir=it.settings.home, prefix=".fetch-") as folder:
        came = Path(folder) / "came"
        download(call.url, came, it.limits, it.settings.webhook_networks, it.login)
        made = Path(folder) / "made.wav"
        decode(it.settings.ffmpeg, came, made)
        made.replace(place)
    settle.change(it.database, call.recording_id, RecordingState.NONE, state=RecordingState.PENDING)
    return _finish(it, call, place)


def decode(ffmpeg: str, source: Path, made: Path) -> None:
    """A plain WAV of whatever sound that is, one side or two. Raises DownloadError."""
    command = [ffmpeg, "-nostdin", "-v", "error", "-y", "-threads", "1"]
    # Nothing but this very file is opened, whatever it says of others.
    command += ["-protocol_whitelist", "file", "-i", os.fspath(source), "-vn", "-map", "0:a:0"]
    command += ["-map_metadata", "-1", "-fflags", "+bitexact", "-ar", str(_RATE), "-c:a", "pcm_s16le"]
    command += ["-f", "wav", os.fspath(made)]
    try:
        subprocess.run(
            command, check=True, timeout=_DECODING_SECONDS, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
    except FileNotFoundError:
        raise DownloadError(say("ffmpeg is not there: apt-get install ffmpeg")) from None
    except subprocess.TimeoutExpired:
        raise DownloadError(say("it took too long to be read")) from None
    except subprocess.CalledProcessError as error:
        told = error.stderr.decode(errors="replace").strip().splitlines() or [f"status {error.returncode}"]
        raise DownloadError(say("it is no sound that can be read: %(why)s", why=told[-1][:120])) from None


def _finish(it: Fetching, call: Wanted, place: Path) -> Said | None:
    job = Prepare(
        recording_id=call.recording_id,
        source=os.fspath(place),
        source_bytes=place.stat().st_size,
        root=os.fspath(it.settings.recordings_folder),
        stem=places.stem(call.slug, call.key, call.started_at),
        copies=it.settings.recording_copies,
        ffmpeg=it.settings.ffmpeg,
    )
    it.workshop.hand(job)
    while not it.workshop.replies and it.workshop.busy_with:
        it.workshop.collect(_WAITING_SECONDS)
    state = None
    while it.workshop.replies:
        state = settle.settle(it.database, it.settings, it.now, it.workshop.replies.popleft())
    if state is RecordingState.READY:
        return None
    with it.database.read() as session:
        recording = session.get(Recording, call.recording_id)
        return say("%(why)s", why=(recording and recording.problem) or "it could not be kept")
