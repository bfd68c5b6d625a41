"""Plans changed step by step: what is put in, taken out and named anew, and where calls go then."""

from __future__ import annotations

from typing import Any

import pytest

from tracker.errors import Rejected
from tracker.policy.plan_check import faults
from tracker.policy.plan_edit import begun, grown, named_anew, taken_out
from tracker.policy.plan_templates import Heard, Template, document_for, new_step
from tracker.policy.plan_text import read_plan

HEARD = Heard("Leave a message", "Press one or two", "Welcome", "This call is recorded", "Type your code")
OFFICE = document_for(Template.OFFICE, ["Reception", "Mobile"], HEARD)
KINDS = (
    "hours",
    "ring",
    "last",
    "responsible",
    "say",
    "menu",
    "code",
    "branch",
    "consent",
    "voicemail",
    "plan",
    "hangup",
)


def make(kind: str, then: str) -> dict[str, Any]:
    return new_step(kind, then, "Reception", "Evenings", HEARD)


def ways(document: dict[str, Any], place: str) -> dict[str, str]:
    return dict(read_plan("office", document).steps[place].ways)


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_step_of_each_kind_is_sound_and_goes_on_where_the_way_led(kind: str) -> None:
    evenings = read_plan("Evenings", document_for(Template.TURN, ["Reception"], HEARD))
    hours = {**OFFICE["steps"]["hours"], "closed": f"new:{kind}"}
    document, place = grown(OFFICE, "hours", hours, make)
    assert place is not None
    assert ways(document, "hours") == {"open": "menu", "closed": place}
    told = read_plan("office", document)
    assert list(faults({"office": told, "Evenings": evenings}, {"Reception", "Mobile"})) == []
    assert set(told.steps[place].ways.values()) <= {"box", "end"}
    assert OFFICE["steps"]["hours"]["closed"] == "box"


def test_steps_are_put_into_several_ways_at_once_with_names_of_their_own() -> None:
    menu = OFFICE["steps"]["menu"] | {"keys": {"1": "new:say", "2": "service", "3": "new:say"}}
    document, place = grown(OFFICE, "menu", menu, make)
    assert place == "say"
    assert ways(document, "menu") == {"1": "say", "2": "service", "3": "say-2", "nothing": "sales"}
    assert ways(document, "say") == ways(document, "say-2") == {"said": "sales"}


def test_a_plan_begins_with_a_step_that_is_put_before_all_of_it() -> None:
    document, place = begun(OFFICE, "consent", make)
    assert (document["start"], ways(document, place)) == ("consent", {"told": "hours"})


@pytest.mark.parametrize(
    ("place", "on", "gone"),
    [
        ("hours", "menu", ()),
        ("menu", "sales", ("service",)),  # only its key led there
        ("sales", "box", ()),
        ("box", "end", ()),
    ],
)
def test_a_step_is_taken_out_and_calls_go_on_behind_it(place: str, on: str, gone: tuple[str, ...]) -> None:
    found = taken_out(OFFICE, place)
    assert (found.on, found.gone) == (on, gone)
    assert found.document["steps"].keys() == OFFICE["steps"].keys() - {place, *gone}
    told = read_plan("office", found.document)
    assert [each.text for each in faults({"office": told}, {"Reception", "Mobile"})] == []


def test_a_step_is_named_anew_wherever_it_is_named() -> None:
    document = named_anew(OFFICE, "box", "messages")
    assert list(document["steps"]) == ["hours", "menu", "sales", "service", "messages"]
    assert ways(document, "sales") == {"nobody": "messages", "busy": "messages"}
    assert named_anew(OFFICE, "hours", "open")["start"] == "open"
    with pytest.raises(Rejected, match="already"):
        named_anew(OFFICE, "box", "sales")
