"""Readings of what is of the whole installation: trunks, nodes, call servers, disks, books, recordings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.policy.alerts import AlertKind, Reading, state_of

NODE_SILENT = timedelta(seconds=60)
NODE_FRESH = timedelta(seconds=15)  # it writes every five
UNSEEN_CALLS = 3  # in a row without a question to the AGI
BEHIND_SECONDS, UP_TO_DATE_SECONDS = 60.0, 5.0
DAMAGED_AN_HOUR = 3


@dataclass(frozen=True)
class TrunkSight:
    """What Asterisk says of a trunk; `problem` is None when it is well, else "silent" or "unregistered"."""

    trunk_id: int
    name: str
    problem: str | None


@dataclass(frozen=True)
class Machine:
    """What a worker sees of its own machine. None where it could not look."""

    node: str
    disk_free_mb: int | None = None
    behind_seconds: float | None = None
    agi_answers: bool | None = None
    trunks: tuple[TrunkSight, ...] | None = None


@dataclass(frozen=True)
class NodeFacts:
    """A node as the books know it. `unseen` counts its newest calls that did not ask the AGI."""

    name: str
    seen_at: datetime
    ami_up: bool
    unseen: int = 0


@dataclass(frozen=True)
class RecordingFacts:
    node: str
    stuck: int  # wait for long, or have failed several times
    damaged: int  # in the last hour


def read_trunk(it: TrunkSight) -> Reading:
    state = state_of(bad=it.problem is not None, fine=True)
    return Reading(
        AlertKind.TRUNK_DOWN, f"{it.trunk_id}", it.name, state, None, {"how": it.problem or "silent"}
    )


def read_node(it: NodeFacts, now: datetime) -> Reading:
    """Its call server is silent, or has lost sight of Asterisk."""
    silent = now - it.seen_at
    fresh = silent < NODE_FRESH
    cut = silent < NODE_SILENT and not it.ami_up
    state = state_of(bad=silent >= NODE_SILENT or cut, fine=fresh)
    how = "unconnected" if cut else "silent"
    return Reading(AlertKind.NODE_AWAY, it.name, it.name, state, None, {"how": how})


def read_agi(it: NodeFacts, now: datetime, *, answers: bool | None) -> Reading:
    """The server is there, and calls go on without it. Is it not there at all, `read_node` says so."""
    there = now - it.seen_at < NODE_SILENT
    failing = answers is False or it.unseen >= UNSEEN_CALLS
    state = state_of(bad=there and failing, fine=there and bool(answers) and not it.unseen)
    how = "calls" if it.unseen >= UNSEEN_CALLS else "silent"
    detail = {"how": how, "count": it.unseen}
    return Reading(AlertKind.AGI_FAILING, it.name, it.name, state, None, detail)


def read_disk(node: str, free_mb: int, low_mb: int) -> Reading:
    state = state_of(bad=free_mb < low_mb, fine=free_mb >= low_mb * 1.25)
    return Reading(AlertKind.DISK_FULL, node, node, state, None, {"free_mb": free_mb})


def read_books(node: str, behind_seconds: float) -> Reading:
    state = state_of(bad=behind_seconds >= BEHIND_SECONDS, fine=behind_seconds <= UP_TO_DATE_SECONDS)
    detail = {"seconds": round(behind_seconds)}
    return Reading(AlertKind.BOOKS_BEHIND, node, node, state, None, detail)


def read_recordings(it: RecordingFacts) -> Reading:
    state = state_of(bad=bool(it.stuck) or it.damaged >= DAMAGED_AN_HOUR, fine=not it.damaged)
    how = "stuck" if it.stuck else "damaged"
    detail = {"how": how, "count": it.stuck or it.damaged}
    return Reading(AlertKind.RECORDINGS_FAILING, it.node, it.node, state, None, detail)


def of_machine(it: Machine, low_mb: int) -> list[Reading]:
    """The readings of what a worker could look at on its own machine."""
    found = [read_trunk(each) for each in it.trunks or ()]
    if it.disk_free_mb is not None:
        found.append(read_disk(it.node, it.disk_free_mb, low_mb))
    if it.behind_seconds is not None:
        found.append(read_books(it.node, it.behind_seconds))
    return found
