"""Conversations spoken by espeak-ng: one mu-law file a side, silent while the other side speaks.

SIPp plays both files from the answer on, so that caller and company take turns as people do.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

RATE = 8000
_SILENCE = b"\xff"  # mu-law's zero
_PAUSE = _SILENCE * (RATE * 3 // 10)  # before each sentence, as people take turns


@dataclass(frozen=True)
class Line:
    """One sentence. `voice` is espeak-ng's name for it, such as `en+f3`."""

    from_caller: bool
    voice: str
    text: str


@dataclass(frozen=True)
class Talk:
    """A conversation on disk: headerless 8 kHz mu-law, both sides equally long."""

    caller: Path
    company: Path
    seconds: float


def record(folder: Path, name: str, lines: Sequence[Line]) -> Talk:
    """Speak the lines in turn into two files of the folder."""
    caller, company = bytearray(), bytearray()
    for line in lines:
        spoken = _PAUSE + _speak(line)
        silent = _SILENCE * len(spoken)
        caller += spoken if line.from_caller else silent
        company += silent if line.from_caller else spoken
    folder.mkdir(parents=True, exist_ok=True)
    talk = Talk(folder / f"{name}-caller.ul", folder / f"{name}-company.ul", len(caller) / RATE)
    talk.caller.write_bytes(caller)
    talk.company.write_bytes(company)
    return talk


def _speak(line: Line) -> bytes:
    spoken = _run(["espeak-ng", "-v", line.voice, "-s", "180", "--stdout", line.text])
    # espeak-ng cannot say how long it will speak: its WAV header holds no length, so sox must not believe it.
    telephone = ["-t", "raw", "-r", str(RATE), "-c", "1", "-e", "mu-law", "-b", "8", "-"]
    return _run(["sox", "-D", "--norm=-6", "--ignore-length", "-t", "wav", "-", *telephone], spoken)


def _run(command: list[str], given: bytes = b"") -> bytes:
    done = subprocess.run(command, input=given, check=True, capture_output=True, timeout=60)
    return done.stdout
