"""What the worker asks its audio process to do, and what that answers: one JSON object a line."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

UNFINISHED = ".unfinished"  # below the recordings folder: being written, never anybody's only copy


@dataclass(frozen=True)
class Prepare:
    """Make a spool file a recording: WAV, measurements, copies. `stem` is below `root`, without suffix."""

    recording_id: int
    source: str
    source_bytes: int
    root: str
    stem: str
    copies: tuple[str, ...]
    ffmpeg: str


@dataclass(frozen=True)
class Transcode(Prepare):
    """Make the copies of a WAV that is already in its place: `source` is that WAV."""


@dataclass(frozen=True)
class Stored:
    """The files are in their place, on the disk. The source was `source_bytes` long and last changed then."""

    recording_id: int
    source: str
    source_bytes: int
    source_changed_ns: int
    path: str
    bytes: int
    sha256: str
    seconds: float
    sample_rate: int
    peaks: dict[str, list[int]]
    spoken_seconds: float  # on the caller's side, louder than an open line
    copies: tuple[str, ...]
    notes: tuple[str, ...]  # what a person should know about it
    uncopied: str  # why a copy could not be made, or ""


@dataclass(frozen=True)
class Copied:
    """These copies are in their place; `uncopied` says why another one is not, or is empty."""

    recording_id: int
    copies: tuple[str, ...]
    uncopied: str


@dataclass(frozen=True)
class Unplayable:
    """The file holds no audio that could be understood; trying again changes nothing."""

    recording_id: int
    reason: str


@dataclass(frozen=True)
class Unwritable:
    """The disk refused: full, read-only, broken. Not the recording's fault."""

    recording_id: int
    reason: str


@dataclass(frozen=True)
class Failed:
    """The process died of this file, or met something nobody thought of."""

    recording_id: int
    reason: str


Job = Prepare | Transcode
Reply = Stored | Copied | Unplayable | Unwritable | Failed
_KINDS: dict[str, type[Job | Reply]] = {
    kind.__name__: kind for kind in (Prepare, Transcode, Stored, Copied, Unplayable, Unwritable, Failed)
}


def to_line(message: Job | Reply) -> bytes:
    """The message as one line."""
    return json.dumps({"kind": type(message).__name__, **asdict(message)}).encode() + b"\n"


def job_from(line: bytes) -> Job:
    """The job on a line; raises TypeError when it is none."""
    message = _from(line)
    if not isinstance(message, Prepare | Transcode):
        raise TypeError(f"{message!r} is no job")
    return message


def reply_from(line: bytes) -> Reply:
    """The reply on a line; raises TypeError when it is none."""
    message = _from(line)
    if isinstance(message, Prepare | Transcode):
        raise TypeError(f"{message!r} is no reply")
    return message


def _from(line: bytes) -> Job | Reply:
    values = json.loads(line)
    kind = _KINDS[values.pop("kind")]
    for name in ("copies", "notes"):
        if name in values:
            values[name] = tuple(values[name])
    return kind(**values)
