"""Whether trunks and targets answer, as Asterisk last said, in a word and its colour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext

from tracker.models import Target, TargetKind, Trunk

_SILENT = {"Unavailable", "Invalid", "Unknown", "Unregistered"}


@dataclass(frozen=True)
class Reach:
    """`tone` is good, bad or mute; mute is not known."""

    word: str
    tone: str


def reach_of(thing: Target | Trunk, endpoints: Mapping[str, str]) -> Reach:
    """An outside number is reached as its trunk is."""
    if isinstance(thing, Trunk) and thing.retired_at is not None:
        return Reach(gettext("Switched off"), "mute")
    is_phone = isinstance(thing, Target) and thing.kind is TargetKind.PHONE
    state = _state(thing, endpoints)
    if state is None:
        return Reach(gettext("Not known"), "mute")
    if state == "Unregistered":
        return Reach(gettext("Not logged in"), "bad")
    if state in _SILENT:
        return Reach(gettext("No phone registered") if is_phone else gettext("Does not answer"), "bad")
    return Reach(gettext("Answers"), "good")


def answers(thing: Target | Trunk, endpoints: Mapping[str, str]) -> bool | None:
    """The same for programs; None: it is switched off, or not known."""
    if isinstance(thing, Trunk) and thing.retired_at is not None:
        return None
    state = _state(thing, endpoints)
    return None if state is None else state not in _SILENT


def _state(thing: Target | Trunk, endpoints: Mapping[str, str]) -> str | None:
    if isinstance(thing, Target) and thing.kind is TargetKind.OUTSIDE:
        return endpoints.get(f"trunk-{thing.trunk_id}")
    return endpoints.get(f"{'trunk' if isinstance(thing, Trunk) else 'target'}-{thing.id}")
