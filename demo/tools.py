"""The programs that the demo needs, looked for before anything is begun."""

from __future__ import annotations

import shutil

from dialplan.program import Program, find_program
from tracker.errors import Rejected
from tracker.settings import Settings

_PACKAGES = {"sipp": "sip-tester", "espeak-ng": "espeak-ng", "sox": "sox", "chromium": "chromium"}


def refuse_if_missing(settings: Settings) -> Program:
    """The Asterisk to run. Raises Rejected demo.tools, asterisk.missing."""
    missing = [program for program in _PACKAGES if not shutil.which(program)]
    if not shutil.which(settings.ffmpeg):
        missing.append(settings.ffmpeg)
    if missing:
        packages = " ".join(_PACKAGES.get(program, "ffmpeg") for program in missing)
        raise Rejected(
            "demo.tools",
            f"{' and '.join(missing)} cannot be found",
            f"`make demo` installs what is missing; by hand: apt-get install {packages}",
        )
    return find_program(settings)
