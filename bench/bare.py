"""The baseline: the same Asterisk with the same SIP configuration, and nothing but MixMonitor and Dial."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from support.house import House, until
from support.ports import free_port

from dialplan.apply import command, make_folders
from dialplan.facts import Facts
from dialplan.render import Place, place_of, render
from tracker.errors import Rejected

_DIALPLAN = """
[leaseline-arrive]
exten => _[+0-9]!,1,MixMonitor({recordings}/${{UNIQUEID}}.wav)
 same => n,Dial({dial},30)
 same => n,Hangup()
"""


@dataclass(frozen=True)
class Bare:
    """A running bare Asterisk."""

    pid: int
    sip_port: int


@contextmanager
def bare_asterisk(house: House, facts: Facts, dial: str) -> Iterator[Bare]:
    """An Asterisk beside the house's, with its trunks and targets and a two-line dialplan."""
    home = Path(tempfile.mkdtemp(prefix="ll-bare-", dir="/tmp"))
    first = (
        house.settings.rtp_start - 4000
        if house.settings.rtp_start > 25000
        else house.settings.rtp_start + 4000
    )
    settings = replace(
        house.settings,
        home=home,
        sip_port=free_port(),
        ami_port=free_port(),
        rtp_start=first,
        rtp_end=first + 1999,
    )
    place = place_of(settings)
    make_folders(place)
    files = render(settings, house.program, facts)
    files["extensions.conf"] = _DIALPLAN.format(recordings=place.recordings, dial=dial)
    files["cdr.conf"] = files["cel.conf"] = "[general]\nenable = no\n"
    files["manager.conf"] = "[general]\nenabled = no\n"
    place.current.mkdir()
    for name, text in files.items():
        (place.current / name).write_text(text)
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [house.program.path, "-C", place.current / "asterisk.conf", "-f"],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
    try:
        until(lambda: _booted(house, place), why="the bare Asterisk is up")
        yield Bare(process.pid, settings.sip_port)
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(home, ignore_errors=True)


def _booted(house: House, place: Place) -> bool:
    with suppress(Rejected):
        return "fully booted" in command(house.program, place, "core waitfullybooted")
    return False
