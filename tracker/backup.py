"""One file that holds everything: database, secrets, hand-written Asterisk additions, spool, recordings.

A plain tar: the database dump first, then files, last `manifest.json` with the SHA-256 of each. Taken while
calls go on. tracker/restore.py reads it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from tracker import dump
from tracker.database import Database
from tracker.errors import Rejected
from tracker.settings import Settings

FORMAT = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Source:
    """A file to keep: its name in the backup and where it is."""

    name: str
    path: Path
    bytes: int


@dataclass
class Made:
    """What a backup holds: names with their SHA-256 and size."""

    files: dict[str, dict[str, str | int]] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        return sum(int(each["bytes"]) for each in self.files.values())


def places(settings: Settings) -> dict[str, Path]:
    """Every file or folder that is kept as it is, by its name in the backup; the database comes besides."""
    return {
        "leaseline.toml": settings.home / "leaseline.toml",
        "secrets": settings.home / "secrets",
        "asterisk/conf.d": settings.asterisk_folder / "conf.d",
        "spool": settings.spool,
        "recordings": settings.recordings_folder,
    }


def sources(settings: Settings, *, recordings: bool = True) -> list[Source]:
    """The files a backup would hold now."""
    kept = places(settings)
    if not recordings:
        kept.pop("recordings")
    return [source for name, path in kept.items() for source in _files(name, path)]


def make(
    settings: Settings,
    database: Database,
    file: Path,
    now: datetime,
    *,
    recordings: bool = True,
    seen: Callable[[int], object] = lambda _bytes: None,
) -> Made:
    """Write the backup to `file`, whole or not at all; `seen` is told the bytes of each file.

    Raises Rejected backup.exists, backup.program.
    """
    if file.exists():
        raise Rejected("backup.exists", f"{file} exists already", "Choose another name")
    made = Made()
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".leaseline-backup-") as folder:
        unfinished = Path(folder) / "backup.tar"
        dumped = Path(folder) / dump.name_of(database)
        dump.dump(database, dumped)
        with tarfile.open(unfinished, "x:", format=tarfile.PAX_FORMAT) as tar:
            _add(tar, Source(dumped.name, dumped, dumped.stat().st_size), made, now)
            seen(dumped.stat().st_size)
            for source in sources(settings, recordings=recordings):
                _add(tar, source, made, now)
                seen(source.bytes)
            _finish(tar, made, now)
        unfinished.chmod(0o600)
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        unfinished.rename(file)
    return made


def _files(name: str, path: Path) -> Iterator[Source]:
    if path.is_file():
        yield Source(name, path, path.stat().st_size)
    elif path.is_dir():
        for each in sorted(path.rglob("*")):
            if each.is_file() and not each.is_symlink():
                yield Source(f"{name}/{each.relative_to(path)}", each, each.stat().st_size)


class _Hashed:
    """Reads a file to the size it had when we looked: the spool grows while it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    def read(self, count: int) -> bytes:
        part = self._file.read(count)
        self._digest.update(part)
        return part

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


def _add(tar: tarfile.TarFile, source: Source, made: Made, now: datetime) -> None:
    try:
        file = source.path.open("rb")
    except FileNotFoundError:  # deleted since we looked, or moved from the spool to its place
        return
    with file:
        about = tarfile.TarInfo(source.name)
        about.size = os.fstat(file.fileno()).st_size
        about.mode = 0o600
        about.mtime = int(now.timestamp())
        hashed = _Hashed(file)
        tar.addfile(about, hashed)  # type: ignore[arg-type]  # only read() is called
    made.files[source.name] = {"sha256": hashed.sha256, "bytes": about.size}


def _finish(tar: tarfile.TarFile, made: Made, now: datetime) -> None:
    manifest = {"format": FORMAT, "made_at": now.isoformat(), "files": made.files}
    content = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
    about = tarfile.TarInfo(MANIFEST)
    about.size, about.mode, about.mtime = len(content), 0o600, int(now.timestamp())
    tar.addfile(about, io.BytesIO(content))
