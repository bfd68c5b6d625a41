"""What was kept of the promises: how soon visitors who asked were called, what became of missed callers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from demo import company
from demo.play import Played
from demo.story import CalledBack
from tracker.policy.callback import PROMISE_SECONDS


@dataclass(frozen=True)
class Promised:
    """Seconds from the click until the employee's and the visitor's phone rang; None: never."""

    employee_seconds: float | None
    visitor_seconds: float | None


@dataclass(frozen=True)
class Kept:
    """As `leaseline callback list` and `leaseline missed` tell it."""

    callbacks: tuple[Promised, ...]
    called_back: int
    called_again: int
    waiting: int


def read_kept() -> Kept:
    """What the two commands say."""
    asked = json.loads(company.leaseline("callback list --json"))
    missed = json.loads(company.leaseline("missed --json"))
    return Kept(
        tuple(Promised(_until(each, "employee_rang_at"), _until(each, "visitor_rang_at")) for each in asked),
        missed["called_back"],
        missed["called_again"],
        missed["waiting"],
    )


def sentences(kept: Kept) -> Iterator[str]:
    """What there is to say of it."""
    for each in kept.callbacks:
        if each.visitor_seconds is not None:
            yield (
                f"Asked on the website: the sales desk rang {each.employee_seconds:.1f} s after the click,"
                f" the visitor {each.visitor_seconds:.1f} s after it; the promise is {PROMISE_SECONDS:.0f} s."
            )
    yield (
        f"Missed callers: {kept.called_back} called back by the company, {kept.called_again} called again and"
        f" was answered, {kept.waiting} still waiting."
    )


def differences(kept: Kept, played: Sequence[Played]) -> list[str]:
    """One sentence for every promise that was not kept as it was played."""
    scenes = [each.scene for each in played]
    late = [each for each in kept.callbacks if (each.visitor_seconds or PROMISE_SECONDS) >= PROMISE_SECONDS]
    found = [f"a visitor was not called within {PROMISE_SECONDS:.0f} s" for _ in late]
    wanted = sum(isinstance(each.course, CalledBack) for each in scenes)
    if kept.called_back != wanted:
        found.append(f"{kept.called_back} missed callers stand as called back, it was {wanted}")
    return found


def _until(asked: Mapping[str, Any], what: str) -> float | None:
    if asked[what] is None:
        return None
    since, until = (datetime.fromisoformat(asked[each]) for each in ("requested_at", what))
    return (until - since).total_seconds()
