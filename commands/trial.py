"""Calls we make ourselves to see whether one would come through, and what became of them."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from commands.context import Here

LONGEST_SECONDS = 60.0


@dataclass(frozen=True)
class Step:
    """One thing that was tried; `fix` is empty where it went well."""

    name: str
    ok: bool
    sentence: str
    fix: str = ""


@dataclass(frozen=True)
class Trial:
    """What became of a call of ours. `sip` is the answer that ended it; `came` and `went` count packets."""

    answered_at: float | None = None
    ended: bool = False
    status: str = ""
    sip: str = ""
    came: int | None = None
    went: int | None = None


def read_trial(text: str) -> Trial:
    """The trial that its lines tell; unknown ones are passed over."""
    given: dict[str, Any] = {}
    for line in filter(None, text.splitlines()):
        fact = json.loads(line)
        if fact["e"] == "answered":
            given["answered_at"] = float(fact["t"])
        elif fact["e"] == "sound":
            given |= {name: int(fact[name]) for name in ("came", "went") if fact[name].isdigit()}
        elif fact["e"] == "end":
            given |= {"ended": True, "status": fact["st"], "sip": fact["sip"]}
    return Trial(**given)


@contextmanager
def placed(opened: Here, trunk_id: int, number: str, shown: str) -> Iterator[Callable[[], Trial]]:
    """Places the call (trunk 0: as if it came in here); what is given tells how far it has got."""
    from dialplan.apply import command
    from dialplan.program import find_program
    from dialplan.render import place_of

    place, key = place_of(opened.settings), secrets.token_hex(8)
    way = f"Local/{trunk_id}-{key}-{number}-{shown}@leaseline-trial/n"
    file = place.trials / f"{key}.jsonl"
    program = find_program(opened.settings)
    try:
        command(program, place, f"channel originate {way} extension s@leaseline-trial-voice")
        yield lambda: read_trial(_text(file))
    finally:
        file.unlink(missing_ok=True)


def outcome(look: Callable[[], Trial], seconds: float = LONGEST_SECONDS) -> Trial:
    """The trial once it is over, with a moment for its sound to be counted; else as far as it got."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        trial = look()
        if trial.ended and (trial.answered_at is None or trial.came is not None):
            return trial
        time.sleep(0.1)
    return look()


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except FileNotFoundError:
        return ""
