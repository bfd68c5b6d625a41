"""A plan's document changed step by step: one put in between, one taken out, one named anew.

    grown(document, "hours", {**step, "then": "new:menu"}, made)  # the menu goes on where "hours" led before
    taken_out(document, "menu").document                          # what led to the menu leads on behind it

Documents are those of tracker.policy.plan_document; none that is given is changed itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tracker.errors import Rejected
from tracker.policy.plan import FINISHED, Place

NEW = "new:"  # before the kind of a step that there is not yet, where a way names a step
Document = dict[str, Any]
Make = Callable[[str, Place], Document]  # a new step of that kind, which goes on there
Way = tuple[str, str]  # the mapping in which it stands, "" for the step's own; its word
_WORDS = ("then", "closed", "busy", "unreachable")
_TABLES = ("keys", "cases")


@dataclass(frozen=True)
class Removal:
    """A document without a step: calls go on to `on`; what nothing else leads to is `gone` with it."""

    document: Document
    on: Place
    gone: tuple[Place, ...]


def ways_of(step: Mapping[str, Any]) -> dict[Way, Place]:
    """Where a step's document says that calls go."""
    own = {("", word): step[word] for word in _WORDS if word in step}
    tables = {(table, word): there for table in _TABLES for word, there in step.get(table, {}).items()}
    return own | tables


def grown(document: Document, place: Place, typed: Document, make: Make) -> tuple[Document, Place | None]:
    """The document with that step as typed, and the first of the new steps that it leads to."""
    before = ways_of(document["steps"][place])
    steps, ways = {**document["steps"]}, ways_of(typed)
    added = [way for way, there in ways.items() if str(there).startswith(NEW)]
    for way in added:
        ways[way] = _put(steps, ways[way].removeprefix(NEW), _before(before, way), make)
    steps[place] = _led(typed, ways)
    return {**document, "steps": steps}, ways[added[0]] if added else None


def begun(document: Document, kind: str, make: Make) -> tuple[Document, Place]:
    """The document that begins with a new step of that kind, and the step."""
    steps = {**document["steps"]}
    place = _put(steps, kind, document["start"], make)
    return {**document, "start": place, "steps": steps}, place


def taken_out(document: Document, place: Place) -> Removal:
    """The document without that step."""
    on = document["steps"][place].get("then", FINISHED)
    found = _renamed({**document, "steps": _without(document["steps"], {place})}, place, on)
    gone = _reached(document) - {place} - _reached(found)
    return Removal({**found, "steps": _without(found["steps"], gone)}, on, tuple(sorted(gone)))


def named_anew(document: Document, place: Place, name: Place) -> Document:
    """The document in which that step has another name. Raises Rejected plan.step_name."""
    if name in document["steps"]:
        raise Rejected("plan.step_name", "There is a step %(name)r already", "Choose another name", name=name)
    steps = {name if each == place else each: step for each, step in document["steps"].items()}
    return _renamed({**document, "steps": steps}, place, name)


def _put(steps: Document, kind: str, on: Place, make: Make) -> Place:
    names = (kind if number == 1 else f"{kind}-{number}" for number in range(1, len(steps) + 2))
    place = next(name for name in names if name not in steps)
    steps[place] = make(kind, on)
    return place


def _before(before: Mapping[Way, Place], way: Way) -> Place:
    """Where a way led; one that a document leaves out is as when nobody takes the call."""
    usual = FINISHED if way in {("", "then"), ("", "closed")} else before.get(("", "then"), FINISHED)
    return before.get(way, usual)


def _led(step: Mapping[str, Any], ways: Mapping[Way, Place]) -> Document:
    found = dict(step)
    for (table, word), there in ways.items():
        found |= {table: {**found[table], word: there}} if table else {word: there}
    return found


def _renamed(document: Document, before: Place, after: Place) -> Document:
    """The same where every way to one step leads to another."""
    steps = {
        place: _led(step, {way: after if there == before else there for way, there in ways_of(step).items()})
        for place, step in document["steps"].items()
    }
    return {"start": after if document["start"] == before else document["start"], "steps": steps}


def _reached(document: Document) -> set[Place]:
    seen, waiting = set[Place](), [document["start"]]
    while waiting:
        place = waiting.pop()
        if place in document["steps"] and place not in seen:
            seen.add(place)
            waiting += ways_of(document["steps"][place]).values()
    return seen


def _without(steps: Mapping[Place, Document], gone: set[Place]) -> Document:
    return {place: step for place, step in steps.items() if place not in gone}
