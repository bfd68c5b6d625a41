"""Which Asterisk runs: found on the machine, or the private copy that `make asterisk` unpacked."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tracker.errors import Rejected
from tracker.settings import CHECKOUT, Settings

OLDEST = (20, 0, 0)
SAFE = (22, 10, 1)
PRIVATE_COPY = CHECKOUT / "var" / "opt" / "asterisk"

Version = tuple[int, int, int]


@dataclass(frozen=True)
class Program:
    """An Asterisk that can be started: `path` runs it, `origin` says where it came from."""

    path: str
    version: Version
    origin: str
    modules: Path
    data: Path

    @property
    def major(self) -> int:
        return self.version[0]

    @property
    def shown_version(self) -> str:
        return ".".join(str(part) for part in self.version)

    @property
    def advanced_filters(self) -> bool:
        """manager.conf's eventfilter by event name, far cheaper than the older regular expressions."""
        return self.version >= (22, 1, 0) or (20, 11, 0) <= self.version < (21, 0, 0)

    @property
    def mints_uuids(self) -> bool:
        """The dialplan function UUID() (func_uuid)."""
        return self.version >= (22, 2, 0) or (20, 12, 0) <= self.version < (21, 0, 0)

    @property
    def warning(self) -> str | None:
        if self.version >= SAFE:
            return None
        return (
            f"Asterisk {self.shown_version} is older than 22.10.1, which fixed 20 security advisories: "
            "upgrade it, or set LEASELINE_PRIVATE_ASTERISK=1 and run `make asterisk`"
        )


def find_program(settings: Settings) -> Program:
    """The Asterisk to run. Raises Rejected when there is none that is new enough."""
    tried: list[str] = []
    for path, origin in _candidates(settings):
        version = version_of(path)
        if version is None:
            tried.append(f"{path} does not start")
        elif version < OLDEST:
            tried.append(f"{path} is version {version[0]}, too old")
        else:
            modules, data = _folders(Path(path))
            return Program(path, version, origin, modules, data)
    found = "; ".join(tried) or "there is none on this machine"
    raise Rejected(
        "asterisk.missing",
        "no Asterisk 20 or newer: %(found)s",
        "Run `make asterisk`, or set LEASELINE_ASTERISK.",
        found=found,
    )


def _candidates(settings: Settings) -> list[tuple[str, str]]:
    if settings.asterisk:
        return [(settings.asterisk, "set by LEASELINE_ASTERISK")]
    candidates = []
    private = PRIVATE_COPY / "bin" / "asterisk"
    if (installed := shutil.which("asterisk")) and not os.environ.get("LEASELINE_PRIVATE_ASTERISK"):
        candidates.append((installed, "installed on this machine"))
    if private.exists():
        candidates.append((str(private), "private copy from Debian testing"))
    return candidates


def version_of(path: str) -> Version | None:
    """What `asterisk -V` says, or None when it does not run."""
    try:
        said = subprocess.run([path, "-V"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"Asterisk (?:certified/)?(\d+)\.(\d+)(?:\.(\d+))?", said)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def _folders(path: Path) -> tuple[Path, Path]:
    """Where this Asterisk keeps its modules and its data (XML documentation, sounds)."""
    private = path.resolve().parent.parent / "root"
    root = private if private.is_dir() else Path("/")
    modules = [
        *root.glob("usr/lib/*/asterisk/modules"),
        root / "usr/lib64/asterisk/modules",
        root / "usr/lib/asterisk/modules",
    ]
    data = [root / "usr/share/asterisk", root / "var/lib/asterisk"]
    return _first_with(modules, "res_pjsip.so", path), _first_with(data, "documentation", path)


def _first_with(folders: list[Path], entry: str, path: Path) -> Path:
    for folder in folders:
        if (folder / entry).exists():
            return folder
    raise Rejected(
        "asterisk.incomplete",
        "%(path)s has no %(entry)s in any usual folder",
        "Install Asterisk's modules package, or run `make asterisk` for a private copy.",
        path=path,
        entry=entry,
    )
