"""Where audio lies: the spool, the folders for what nobody claims or can play, and the store.

<home>/spool/recordings/<call key>.raw|.wav     written by Asterisk
<home>/spool/recordings/damaged, orphans        kept aside for a person to look at
<recordings>/<company>/<YYYY>/<MM>/<DD>/<call key>.wav|.mp3|.opus     (the day in UTC)
<recordings>/.unfinished                        being written; never anybody's only copy
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from recordings.durable import put
from tracker.settings import Settings

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")
_BRIEF_BYTES = 48_000  # a second and a half of two sides
_EMPTY_BYTES = {".raw": 3, ".wav": 44}  # that much or less holds not one frame


@dataclass(frozen=True)
class Found:
    """A spool file as it is now; `changed_at` is when it last grew."""

    path: Path
    bytes: int
    changed_at: datetime

    @property
    def empty(self) -> bool:
        return self.bytes <= _EMPTY_BYTES[self.path.suffix]

    @property
    def brief(self) -> bool:
        return self.bytes <= _BRIEF_BYTES


def spool_folder(settings: Settings) -> Path:
    return settings.spool / "recordings"


def damaged_folder(settings: Settings) -> Path:
    return spool_folder(settings) / "damaged"


def orphans_folder(settings: Settings) -> Path:
    return spool_folder(settings) / "orphans"


def find(settings: Settings, key: str) -> Found | None:
    """What was recorded of a call: the file with audio in it if there are several, else an empty one.

    Orphans are searched too: their call may have come into the books after they were swept.
    """
    found = [each for path in spooled(settings, key) if (each := look_at(path))]
    return next((each for each in found if not each.empty), found[0] if found else None)


def spooled(settings: Settings, key: str) -> list[Path]:
    """Every path at which Asterisk, or the sweeper, may have left the sound of a call."""
    if not _NAME.fullmatch(key):
        return []
    folders = (spool_folder(settings), orphans_folder(settings))
    return [folder / f"{key}{suffix}" for folder in folders for suffix in _EMPTY_BYTES]


def aside(settings: Settings, key: str) -> list[Path]:
    """What of a call was put aside as damaged."""
    return list(damaged_folder(settings).glob(f"{key}*")) if _NAME.fullmatch(key) else []


def look_at(path: Path) -> Found | None:
    """The recording at `path`; None when nothing is there, or something else than a regular audio file."""
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(facts.st_mode) or path.suffix not in _EMPTY_BYTES:
        return None
    return Found(path, facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC))


def set_aside(path: Path, folder: Path) -> Path:
    """Move a file into `folder` under a name that is free there; nothing is overwritten."""
    place = folder / path.name
    number = 1
    while os.path.lexists(place):
        place = folder / f"{path.stem}-{number}{path.suffix}"
        number += 1
    put(path, place)
    return place


def stem(slug: str, key: str, started_at: datetime) -> str:
    """Path of a call's recording below the recordings folder, without its suffix.

    Raises ValueError for a key or slug that could lead elsewhere.
    """
    for part in (slug, key):
        if not _NAME.fullmatch(part):
            raise ValueError(f"{part!r} cannot be part of a file name")
    return f"{slug}/{started_at.astimezone(UTC):%Y/%m/%d}/{key}"


def stored(settings: Settings, relative: str) -> Path:
    """The real path of a file of the store. Raises ValueError when it lies outside the recordings folder."""
    root = Path(os.path.realpath(settings.recordings_folder))
    path = Path(os.path.realpath(root / relative))
    if not path.is_relative_to(root) or path == root:
        raise ValueError(f"{relative!r} lies outside the recordings folder")
    return path
