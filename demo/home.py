"""The demo's own home folder: its lock, a clean start, its settings with ports that are free."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.ports import CARRIER, SALES, TCP, UDP, choose, free_port
from tracker.errors import Rejected
from tracker.settings import CHECKOUT, Settings, read_settings

MARK = "this-is-a-demo"  # a folder without it is not ours to empty
_PASSED_ON = ("LEASELINE_ASTERISK", "LEASELINE_PRIVATE_ASTERISK", "LEASELINE_FFMPEG", "LEASELINE_LOG_LEVEL")


@dataclass(frozen=True)
class Home:
    """A home folder that is ours alone while the demo runs."""

    folder: Path
    settings: Settings
    main_line_port: int
    sales_port: int
    carrier_port: int
    shop_port: int


def folder_of(environ: Mapping[str, str]) -> Path:
    """`var/demo`, unless LEASELINE_DEMO_HOME names another. LEASELINE_HOME is the real one: never touched."""
    return Path(environ.get("LEASELINE_DEMO_HOME") or CHECKOUT / "var" / "demo").resolve()


@contextmanager
def moved_in(folder: Path) -> Iterator[Home]:
    """The folder, emptied and furnished with settings; this process's environment points to it.

    Raises Rejected demo.folder when something else is kept there, demo.running.
    """
    with _locked(folder):
        _empty(folder)
        (folder / "leaseline.toml").write_text(_settings())
        _point_to(folder)
        yield Home(
            folder,
            read_settings(os.environ),
            main_line_port=free_port(UDP),
            sales_port=free_port(UDP, SALES),
            carrier_port=choose(5060, UDP, host=CARRIER),
            shop_port=choose(8090, TCP),
        )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    mark = folder / MARK
    if folder.exists() and not mark.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Rejected(
            "demo.folder",
            f"{folder} holds something else than a demo",
            "Name a folder of its own in LEASELINE_DEMO_HOME",
        )
    folder.mkdir(parents=True, exist_ok=True)
    with mark.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Rejected(
                "demo.running",
                f"A demo runs already in {folder}",
                "End it with Ctrl-C where it was started",
            ) from None
        yield


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != MARK:
            entry.unlink()


def _settings() -> str:
    """leaseline.toml: in a file, so that `leaseline` with LEASELINE_HOME alone speaks to this demo."""
    lines = {
        "node": '"demo"',
        "web_port": choose(8080, TCP),
        "sip_host": '"127.0.0.1"',
        "sip_port": choose(5060, UDP, TCP),
        "sip_options_seconds": 0,
        "rtp_start": 16000,
        "rtp_end": 16199,
        "agi_port": choose(4573, TCP),
        "ami_port": choose(5038, TCP),
    }
    about = [
        "# Made by `make demo`; the whole folder is made anew each time.",
        "# SIPp plays the carrier and the main line; it takes OPTIONS for a broken call, so none are sent.",
    ]
    return "\n".join([*about, *(f"{name} = {value}" for name, value in lines.items()), ""])


def _point_to(folder: Path) -> None:
    """Nothing of a real installation's settings reaches the demo."""
    for name in [each for each in os.environ if each.startswith("LEASELINE_") and each not in _PASSED_ON]:
        del os.environ[name]
    os.environ["LEASELINE_HOME"] = str(folder)


def shown(folder: Path) -> str:
    """A path as it is typed from here."""
    return str(folder.relative_to(Path.cwd())) if folder.is_relative_to(Path.cwd()) else str(folder)
