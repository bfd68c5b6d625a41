"""What every kind of notice to people has in common: which calls it is about, and how long it is news."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from tracker.destinations.kind import Field, FieldKind, Line, Parcel
from tracker.errors import say
from tracker.policy.delivering import Event, Timing, Why
from tracker.policy.notice_text import Notice, is_missed, write_notice

NEWS = Timing(until=timedelta(days=2))  # later nobody calls back because of it
TIMINGS: Mapping[Event, Timing] = {
    Event.STARTED: Timing(until=timedelta(minutes=10)),
    Event.COMPLETED: NEWS,
    Event.CATEGORISED: NEWS,
    Event.RECORDED: NEWS,
}
USUAL_EVENTS = (Event.COMPLETED,)
ALL, MISSED, FIRST = "all", "missed", "first"

RESTRICTIONS = (
    Field(
        "calls",
        say("Calls"),
        say("missed: those that reached nobody; first: of callers who had not called before"),
        FieldKind.CHOICE,
        required=False,
        usual=ALL,
        choices=(ALL, MISSED, FIRST, "first missed"),
    ),
    Field(
        "category",
        say("Only of a category"),
        say("Then choose that it is told of the category too: a call has none at its end"),
        FieldKind.CHOICE,
        required=False,
        choices=("target", "service", "non_target"),
    ),
)


def why_not(options: Mapping[str, str], parcel: Parcel) -> Why | None:
    """Whether a call is one of those that somebody wants to be told of."""
    call, wanted = parcel.call, (options.get("calls") or ALL).split()
    category = options.get("category")
    unwanted = (
        (MISSED in wanted and not is_missed(call))
        or (FIRST in wanted and (call.repeat or call.caller is None))
        or (bool(category) and call.category != category)
    )
    return Why.UNWANTED if unwanted else None


def notice_of(line: Line, parcel: Parcel) -> Notice:
    """The notice in the company's language."""
    return write_notice(parcel.event, parcel.call, line.tongue(parcel.call.language))
