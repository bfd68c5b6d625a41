"""What `leaseline doctor` finds: one thing looked at, how it is, what is wrong, what to do."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

_SHOWN = 5


class State(enum.StrEnum):
    OK = "ok"
    WARN = "warn"  # works, and needs somebody's attention
    BAD = "bad"  # calls or their records suffer


@dataclass(frozen=True)
class Finding:
    """One thing looked at. When it is not ok, `fix` says what to do."""

    name: str
    state: State
    message: str
    fix: str = ""

    def as_json(self) -> dict[str, str]:
        return {key: str(value) for key, value in asdict(self).items()}


def ok(name: str, message: str) -> Finding:
    return Finding(name, State.OK, message)


def warn(name: str, message: str, fix: str) -> Finding:
    return Finding(name, State.WARN, message, fix)


def bad(name: str, message: str, fix: str) -> Finding:
    return Finding(name, State.BAD, message, fix)


def some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def looked_at(name: str, look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """A check's findings. Whatever goes wrong in it is a finding too: one check never hides the others."""
    from commands.group import explain

    found: list[Finding] = []
    try:
        found.extend(look())
    except Exception as problem:  # noqa: BLE001  (a doctor that dies of what it finds helps nobody)
        found.append(bad(name, explain(problem), "Put this right first; the other checks are below"))
    return found
