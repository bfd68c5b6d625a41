"""From a backup file to an empty home: unpacked beside it, verified as a whole, then moved into place."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tracker import dump
from tracker.backup import FORMAT, MANIFEST, places
from tracker.database import Database
from tracker.errors import Rejected
from tracker.settings import Settings

_LARGEST_MANIFEST = 256 << 20


@dataclass(frozen=True)
class Restored:
    """What came back, and where what was there before has gone."""

    made_at: str
    files: int
    aside: tuple[Path, ...]


def restore(
    settings: Settings,
    database: Database,
    file: Path,
    now: datetime,
    *,
    force: bool = False,
    seen: Callable[[int], object] = lambda _bytes: None,
) -> Restored:
    """Bring everything back from `file`. With `force`, what is there is first moved aside, never deleted.

    `seen` is told the bytes of each file read. Raises Rejected restore.occupied, restore.damaged,
    restore.unsafe, restore.kind; nothing is changed then.
    """
    if not force:
        refuse_occupied(settings, database)
    settings.home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.home, prefix=".restore-") as folder:
        staged = Path(folder)
        kept = {*places(settings), "database.sqlite", "database.pgdump"}
        manifest = _unpack(file, staged, kept, seen)
        dumped = staged / dump.name_of(database)
        if not dumped.exists():
            raise Rejected(
                "restore.kind",
                "The backup is of the other kind of database",
                "Set LEASELINE_DATABASE_URL to a database of the kind it was made from",
            )
        aside = _clear(settings, database, f"{now:%Y%m%dT%H%M%S.%f}")
        dump.load(database, dumped)
        for name, place in places(settings).items():
            _place(staged / name, place)
    return Restored(str(manifest["made_at"]), len(manifest["files"]), aside)


def refuse_occupied(settings: Settings, database: Database) -> None:
    """Raises Rejected restore.occupied when something would be overwritten. Fresh secrets do not count."""
    held = [] if dump.is_empty(database) else ["a database"]
    kept = {name: place for name, place in places(settings).items() if name != "secrets"}
    held += [str(place) for place in kept.values() if _occupied(place)]
    if held:
        raise Rejected(
            "restore.occupied",
            f"There is something in this home already: {', '.join(held)}",
            "Restore into an empty home, or give --force to move it aside first",
        )


def _unpack(file: Path, staged: Path, kept: Collection[str], seen: Callable[[int], object]) -> dict[str, Any]:
    """Every file into `staged`, and the manifest they were verified against."""
    found: dict[str, str] = {}
    manifest: dict[str, Any] | None = None
    try:
        with tarfile.open(file, "r:") as tar:
            for member in tar:
                if member.name == MANIFEST:
                    manifest = _manifest(tar, member)
                else:
                    found[member.name] = _extract(tar, member, staged, kept)
                    seen(member.size)
    except (tarfile.TarError, EOFError) as error:
        raise _damaged(f"{file} cannot be read: {error}") from None
    if manifest is None:
        raise _damaged(f"{file} has no end: it was cut short")
    expected = {name: about["sha256"] for name, about in manifest["files"].items()}
    if wrong := sorted(
        name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)
    ):
        raise _damaged(f"{wrong[0]} is not what was backed up")
    return manifest


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, staged: Path, kept: Collection[str]) -> str:
    """One file, only where backups put files: no links, no devices, no way out of the folder."""
    parts = member.name.split("/")
    plain = member.isreg() and all(re.fullmatch(r"[^\x00-\x1f/\\]+", part) for part in parts)
    known = any(member.name == each or member.name.startswith(f"{each}/") for each in kept)
    if not plain or not known or any(part in {"", ".", ".."} for part in parts):
        raise Rejected(
            "restore.unsafe",
            f"{member.name[:80]!r} has no place in a backup",
            "Use a file that `leaseline backup` made",
        )
    place = staged.joinpath(*parts)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    source = tar.extractfile(member)
    if source is None:
        raise _damaged(f"{member.name} is empty")
    digest = hashlib.sha256()
    with source, place.open("xb") as target:
        place.chmod(0o600)
        while part := source.read(1 << 20):
            digest.update(part)
            target.write(part)
    return digest.hexdigest()


def _manifest(tar: tarfile.TarFile, member: tarfile.TarInfo) -> dict[str, Any]:
    source = tar.extractfile(member)
    if source is None or member.size > _LARGEST_MANIFEST:
        raise _damaged("its list of files cannot be read")
    try:
        manifest: dict[str, Any] = json.load(source)
        known = manifest["format"] == FORMAT and isinstance(manifest["files"], dict)
    except (ValueError, KeyError, TypeError):
        raise _damaged("its list of files cannot be read") from None
    if not known:
        raise _damaged(f"it has format {manifest['format']}, this Leaseline reads {FORMAT}")
    return manifest


def _clear(settings: Settings, database: Database, stamp: str) -> tuple[Path, ...]:
    """Moves what is in the way aside, each thing under its own name with `.before-STAMP`."""
    aside: list[Path] = []
    if not dump.is_empty(database):
        dump.move_aside(database, stamp)
    for place in places(settings).values():
        if _occupied(place):
            kept = place.with_name(f"{place.name}.before-{stamp}")
            place.rename(kept)
            aside.append(kept)
    return tuple(aside)


def _place(staged: Path, place: Path) -> None:
    if not staged.exists():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_dir():
        place.rmdir()  # empty: `_clear` saw to it
    shutil.move(staged, place)


def _occupied(place: Path) -> bool:
    return place.is_file() or (place.is_dir() and any(place.iterdir()))


def _damaged(what: str) -> Rejected:
    return Rejected(
        "restore.damaged", f"The backup is damaged: {what}", "Use another one; nothing was changed here"
    )
