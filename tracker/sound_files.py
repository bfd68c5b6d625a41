"""A recording's file as it leaves the house: the MP3 where there is one, else the WAV."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tracker.models import Recording, RecordingState
from tracker.policy.parcels import Sound


def names_of(recording: Recording | None) -> Sequence[str]:
    """Its files below the recordings folder, the one to send first; none while there is nothing to hear."""
    if recording is None or recording.state is not RecordingState.READY or not recording.path:
        return ()
    return (*(name for name in recording.copies if name.endswith(".mp3")), recording.path)


def find(folder: Path, names: Sequence[str], most_bytes: int) -> Path | None:
    """The first of these files below `folder` that is there and no larger than that."""
    root = Path(os.path.realpath(folder))
    files = (Path(os.path.realpath(root / name)) for name in names)
    fitting = (
        each
        for each in files
        if each.is_relative_to(root) and each.is_file() and each.stat().st_size <= most_bytes
    )
    return next(fitting, None)


def read(folder: Path, names: Sequence[str], most_bytes: int) -> Sound | None:
    """The same, read. None as well where retention was faster."""
    try:
        found = find(folder, names, most_bytes)
        return Sound(found.name, found.read_bytes()) if found else None
    except FileNotFoundError:
        return None
