"""Numbers over the API: adding one or many, what each is used for, retiring and taking back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field

from tracker import number_states, number_story, numbers
from tracker.errors import Rejected
from tracker.models import Number, NumberState
from tracker.number_list import BadRow, Row
from tracker.policy.rights import Right, Scope
from web.house import house
from web.rest.call_shapes import CallOut
from web.rest.operation import Asked, Made, operation
from web.rest.reading import Invalid
from web.rest.shapes import Id, Line, Page, Paged, Query, Shape, cut
from web.viewer import opens

api = Blueprint("rest_numbers", __name__, url_prefix="/api/v1")

MOST = 5000  # numbers in one request
TOLD = 100  # bad ones of them that are told at once
Dialled = Annotated[Line, Field(min_length=1, description="As people write it: `030 901820`, `+4930901820`")]
State = Literal["active", "quarantined", "retired"]
Doing = Literal["static", "leased", "resting", "free", "unused", "quarantined", "retired"]


class NumberOut(Shape):
    """A number that reaches our phone system, with its present use."""

    id: Id
    number: Annotated[str, Field(description="E.164")]
    state: State
    quarantined_until: Annotated[datetime | None, Field(description="Until then it is still answered")]
    channel: str | None
    pool: str | None
    label: str | None
    record: Annotated[bool, Field(description="Whether its calls are recorded")]
    created_at: datetime


class NumberRing(Shape):
    target: str
    ring_seconds: int


class NumberUsed(Shape):
    """What a number was used for; `until_at` null: it still is."""

    channel: str | None
    pool: str | None
    from_at: datetime
    until_at: datetime | None


class NumberStory(NumberOut):
    """A number with its history, who rings for it, and its last calls."""

    plan: Annotated[str | None, Field(description="The plan that its calls go by, before any `rings`")]
    rings: Annotated[list[NumberRing], Field(description="Who rings for it, one after the other")]
    uses: Annotated[list[NumberUsed], Field(description="The newest first")]
    last_calls: Annotated[list[CallOut], Field(description="The newest first")]


class NumberPage(Page):
    numbers: list[NumberOut]


class NumberQuery(Paged):
    q: Annotated[Line | None, Field(description="Looks into digits and labels")] = None
    state: State | None = None
    doing: Annotated[
        Doing | None, Field(description="What it does now: stands for a channel, is leased, rests, is free…")
    ] = None
    channel: Annotated[Line | None, Field(description="Only this channel's, by its name")] = None
    pool: Annotated[Line | None, Field(description="Only this pool's, by its name")] = None


class NumberWish(Shape):
    """A new number, tied to a channel or put into a pool by their names."""

    number: Dialled
    channel: Line | None = None
    pool: Line | None = None
    label: Line | None = None
    record: bool = True


class NumbersWish(Shape):
    """Many new numbers; `channel` or `pool` are for those that name neither."""

    numbers: Annotated[list[NumberWish], Field(min_length=1, max_length=MOST)]
    channel: Line | None = None
    pool: Line | None = None


class NumbersMade(Shape):
    imported: Annotated[list[str], Field(description="E.164")]


class NumberChange(Shape):
    """What is to be another; what is not named stays.

    With `channel` or `pool` it is used for that from now on, earlier calls keep their source; with an empty
    one it is taken out of where it is.
    """

    label: Annotated[Line | None, Field(description="An empty text takes it away")] = None
    record: bool | None = None
    channel: Line | None = None
    pool: Line | None = None


class NumberRetiring(Shape):
    days: Annotated[
        int | None,
        Field(ge=0, le=3650, description="Of quarantine; none: as this installation is set. 0: at once"),
    ] = None


class BadNumbers(Invalid):
    """A list with mistakes, each at its place; nothing of it is stored."""

    def __init__(self, bad: numbers.BadRows) -> None:
        Rejected.__init__(self, "number.list", bad.said, "Mend what `problems` names, and send all again")
        self.problems = [
            {"place": f"body.numbers.{each.line}", "problem": str(each.problem)}
            for each in bad.problems[:TOLD]
        ]


@api.get("/numbers")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, query=NumberQuery, answer=NumberPage)
def list_numbers(asked: Asked[NumberQuery, None]) -> dict[str, Any]:
    """The company's numbers."""
    words = asked.query
    place = numbers.find_place(asked.session, asked.company, words.channel, words.pool)
    state = NumberState(words.state) if words.state else None
    found = numbers.listed(asked.session, asked.company, state=state, place=place, text=words.q)
    if words.doing:
        doing = number_states.states(asked.session, asked.company, house().clock())
        found = [it for it in found if doing[it.number.id] == words.doing]
    return cut(found, words, "numbers", number_story.describe, lambda it: it.number.id)


@api.get("/numbers/<number>")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=NumberOut)
def show_number(asked: Asked[Query, None], number: str) -> dict[str, Any]:
    """One number."""
    return number_story.present(asked.session, asked.own(Number, number))


@api.get("/numbers/<number>/story")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=NumberStory)
def show_number_story(asked: Asked[Query, None], number: str) -> dict[str, Any]:
    """One number with what it was used for, who rings for it, and its last calls.

    Its calls are told to keys that open `calls:read` too.
    """
    told = number_story.story(asked.session, asked.own(Number, number))
    its = opens()
    return told if its is None or Scope.CALLS_READ in its else told | {"last_calls": []}


@api.post("/numbers")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, body=NumberWish, answer=NumberOut, status=201)
def add_number(asked: Asked[Query, NumberWish]) -> Made:
    """Adds a number.

    Callers reach it when what was changed is made live: `POST /live-settings`.
    """
    wish = asked.body
    place = numbers.find_place(asked.session, asked.company, wish.channel, wish.pool)
    made = numbers.add(
        asked.session, asked.by, asked.company, wish.number, place, label=wish.label, record=wish.record
    )
    return Made(number_story.present(asked.session, made), f"/api/v1/numbers/{made.id}")


@api.post("/numbers/import")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, body=NumbersWish, answer=NumbersMade)
def import_numbers(asked: Asked[Query, NumbersWish]) -> dict[str, Any]:
    """Adds many numbers, all of them or none; `problems` names each bad one by its place, counted from 0."""
    wish = asked.body
    numbers.find_place(asked.session, asked.company, wish.channel, wish.pool)
    rows = [_row(place, each, wish) for place, each in enumerate(wish.numbers)]
    try:
        added = numbers.import_rows(asked.session, asked.by, asked.company, rows)
    except numbers.BadRows as bad:
        raise BadNumbers(bad) from None
    return {"imported": [each.e164 for each in added]}


def _row(place: int, each: NumberWish, wish: NumbersWish) -> Row | BadRow:
    channel, pool = each.channel or None, each.pool or None
    if not channel and not pool:
        channel, pool = wish.channel or None, wish.pool or None
    return Row(place, each.number, channel, pool, each.label or None, each.record)


@api.patch("/numbers/<number>")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, body=NumberChange, answer=NumberOut, current=show_number)
def change_number(asked: Asked[Query, NumberChange], number: str) -> dict[str, Any]:
    """Changes a number's label, whether it is recorded, and what it is used for."""
    found, wish = asked.own(Number, number), asked.body
    if wish.label is not None or wish.record is not None:
        numbers.change(asked.session, asked.by, found, label=wish.label, record=wish.record)
    if wish.channel is not None or wish.pool is not None:
        place = numbers.find_place(asked.session, asked.company, wish.channel, wish.pool)
        now = number_story.present(asked.session, found)
        if (now["channel"], now["pool"]) != (wish.channel or None, wish.pool or None):
            numbers.move(asked.session, asked.by, found, place)
    return number_story.present(asked.session, found)


@api.post("/numbers/<number>/retire")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, body=NumberRetiring, answer=NumberOut, current=show_number)
def retire_number(asked: Asked[Query, NumberRetiring], number: str) -> dict[str, Any]:
    """Gives a number to nobody new; it is still answered for its last use until its quarantine is over."""
    found, days = asked.own(Number, number), asked.body.days
    usual = house().settings.quarantine_days
    numbers.retire(asked.session, asked.by, found, usual if days is None else days)
    return number_story.present(asked.session, found)


@api.post("/numbers/<number>/restore")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, answer=NumberOut, current=show_number)
def restore_number(asked: Asked[Query, None], number: str) -> dict[str, Any]:
    """Takes a retired number back; out of quarantine it comes with its use."""
    found = asked.own(Number, number)
    numbers.restore(asked.session, asked.by, found)
    return number_story.present(asked.session, found)


@api.delete("/numbers/<number>")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, status=204, current=show_number)
def delete_number(asked: Asked[Query, None], number: str) -> None:
    """Deletes a number added by mistake; one that ever had a call can only be retired."""
    numbers.delete(asked.session, asked.by, asked.own(Number, number))
