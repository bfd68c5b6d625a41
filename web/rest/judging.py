"""What people and their programs say of calls over the API: worth, notes, codes, unwanted callers."""

from __future__ import annotations

from operator import itemgetter
from typing import Annotated, Any

from flask import Blueprint
from pydantic import Field, StringConstraints

from tracker import blocks, calls, spam, told, worth
from tracker.calls import MOST
from tracker.errors import Rejected
from tracker.models import Call
from tracker.policy.block_list import REASON_LONGEST
from tracker.policy.money import read_amount
from tracker.policy.rights import Right, Scope
from tracker.policy.worth import Category
from web.house import row_id
from web.rest.call_shapes import CallNoteOut, CallStoryOut
from web.rest.calls import owner_of, show_call, told_of
from web.rest.operation import Asked, Made, operation
from web.rest.shapes import Line, Page, Paged, Query, Shape, cut

api = Blueprint("rest_judging", __name__, url_prefix="/api/v1")

Tag = Annotated[Line, Field(min_length=1, max_length=worth.TAG_LONGEST)]
Amount = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,10}(\.[0-9]{1,4})?$")]
# Notes have lines.
Text = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=worth.NOTE_LONGEST, pattern=r"^[^\x00-\x09\x0b\x0c\x0e-\x1f\x7f]*$"
    ),
]


class CallChange(Shape):
    """What is to be another; what is not named stays, null takes away."""

    category: Category | None = None
    value: Annotated[
        Amount | None,
        Field(
            description="In the company's currency, with no more decimals than it has", examples=["1200.5"]
        ),
    ] = None
    tags: Annotated[
        list[Tag] | None, Field(description="All that it is to have", max_length=worth.TAGS_A_CALL)
    ] = None
    heard_of: Annotated[
        Line | None, Field(description="As the caller said", max_length=worth.HEARD_LONGEST)
    ] = None
    promo_code: Annotated[Line | None, Field(max_length=worth.CODE_LONGEST)] = None
    spam: Annotated[bool | None, Field(description="Whether it is spam; null: what was said stays")] = None


class CallsJudged(Shape):
    """One thing said of many calls: a category, or a further tag."""

    keys: Annotated[list[Line], Field(min_length=1, max_length=MOST)]
    category: Annotated[Category | None, Field(description="Null takes it back")] = None
    tag: Tag | None = None


class CallsChanged(Shape):
    changed: Annotated[int, Field(description="How many calls were not like that before")]


class CallNoteWish(Shape):
    """A note; with `second` it is pinned to that moment of the recording."""

    text: Text
    second: Annotated[float | None, Field(ge=0, le=86_400)] = None


class CallNotePage(Page):
    notes: list[CallNoteOut]


class CallCode(Shape):
    """The visitor code that the caller told."""

    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{3,8}$")]


class CallerBlock(Shape):
    """What becomes of further calls of this caller."""

    allows: Annotated[bool, Field(description="He is let through always; else he is blocked")] = False
    reason: Annotated[Line, Field(max_length=REASON_LONGEST)] = ""


@api.patch("/calls/<key>")
@operation(
    Scope.CALLS_WRITE, Right.JUDGE, body=CallChange, answer=CallStoryOut, current=show_call, owner=owner_of
)
def change_call(asked: Asked[Query, CallChange], key: str) -> dict[str, Any]:
    """Says what a call was worth: category, value, tags, what the caller told, spam."""
    call, wish = _find(asked, key), asked.body
    named = wish.model_fields_set
    if "category" in named:
        worth.categorise(asked.session, asked.by, [call], wish.category)
    if "value" in named:
        amount = read_amount(wish.value, asked.company.currency, "en") if wish.value else None
        worth.value_call(asked.session, asked.by, call, amount)
    if "tags" in named:
        _tag(asked, call, set(wish.tags or ()))
    if named & {"heard_of", "promo_code"}:
        heard = wish.heard_of if "heard_of" in named else call.heard_of
        code = wish.promo_code if "promo_code" in named else call.promo_code
        worth.note_told(asked.session, asked.by, call, heard_of=heard or "", promo_code=code or "")
    if wish.spam is not None:
        spam.mark(asked.session, asked.by, [call], wish.spam)
    return _anew(asked, key)


@api.post("/calls/judge")
@operation(Scope.CALLS_WRITE, Right.JUDGE, body=CallsJudged, answer=CallsChanged)
def judge_calls(asked: Asked[Query, CallsJudged]) -> dict[str, Any]:
    """Sets the category of many calls, or adds a tag to them; all of them or none.

    Keys of no call of the company are passed over, as on the page.
    """
    wish = asked.body
    named = wish.model_fields_set & {"category", "tag"}
    if len(named) != 1:
        raise Rejected("judge.what", "It is to say one thing of the calls", "Give either category or tag")
    chosen = list(calls.calls_by_key(asked.session, [asked.company.id], wish.keys).values())
    if wish.tag is not None:
        return {"changed": worth.add_tag(asked.session, asked.by, chosen, wish.tag)}
    return {"changed": worth.categorise(asked.session, asked.by, chosen, wish.category)}


@api.get("/calls/<key>/notes")
@operation(Scope.CALLS_READ, query=Paged, answer=CallNotePage, owner=owner_of)
def list_notes(asked: Asked[Paged, None], key: str) -> dict[str, Any]:
    """What was written about a call."""
    return cut(_notes(asked, key), asked.query, "notes", dict, itemgetter("id"))


@api.get("/calls/<key>/notes/<note>")
@operation(Scope.CALLS_READ, answer=CallNoteOut, owner=owner_of)
def show_note(asked: Asked[Query, None], key: str, note: str) -> dict[str, Any]:
    """One note."""
    found = next((it for it in _notes(asked, key) if it["id"] == row_id(note)), None)
    if found is None:
        raise Rejected("note.unknown", "There is no such note", "Look at the call again")
    return found


@api.post("/calls/<key>/notes")
@operation(Scope.CALLS_WRITE, Right.JUDGE, body=CallNoteWish, answer=CallNoteOut, status=201, owner=owner_of)
def write_note(asked: Asked[Query, CallNoteWish], key: str) -> Made:
    """Writes a note."""
    call = _find(asked, key)
    made = worth.add_note(asked.session, asked.by, call, asked.body.text, asked.body.second)
    return Made(worth.describe_note(made), f"/api/v1/calls/{call.key}/notes/{made.id}")


@api.delete("/calls/<key>/notes/<note>")
@operation(Scope.CALLS_WRITE, Right.JUDGE, status=204, current=show_note, owner=owner_of)
def delete_note(asked: Asked[Query, None], key: str, note: str) -> None:
    """Takes one's own note back."""
    worth.remove_note(asked.session, asked.by, _find(asked, key), row_id(note))


@api.post("/calls/<key>/code")
@operation(Scope.CALLS_WRITE, Right.JUDGE, body=CallCode, status=204, owner=owner_of)
def type_code(asked: Asked[Query, CallCode], key: str) -> None:
    """Notes the visitor code that the caller told; the call is attributed by it within a second."""
    told.type_code(asked.session, asked.by, _find(asked, key), asked.body.code)


@api.post("/calls/<key>/block")
@operation(Scope.CALLS_WRITE, Right.JUDGE, body=CallerBlock, status=204, owner=owner_of)
def block_caller(asked: Asked[Query, CallerBlock], key: str) -> None:
    """Blocks the call's caller, or lets him through always."""
    wish = blocks.Wish(allows=asked.body.allows, reason=asked.body.reason)
    blocks.add(asked.session, asked.by, asked.company, blocks.caller_alone(_find(asked, key)), wish)


@api.delete("/calls/<key>/block")
@operation(Scope.CALLS_WRITE, Right.JUDGE, status=204, owner=owner_of)
def unblock_caller(asked: Asked[Query, None], key: str) -> None:
    """Takes back what was said of the call's caller alone."""
    rule = blocks.find_about(asked.session, asked.company.id, blocks.caller_alone(_find(asked, key)))
    blocks.remove(asked.session, asked.by, rule)


def _find(asked: Asked[Any, Any], key: str) -> Call:
    return calls.find_call(asked.session, [asked.company.id], key)


def _anew(asked: Asked[Any, Any], key: str) -> dict[str, Any]:
    """The call as it is after the change: what was read before it is forgotten."""
    asked.session.flush()
    asked.session.expire_all()
    return told_of(asked.session, asked.company.id, key)


def _notes(asked: Asked[Any, Any], key: str) -> list[dict[str, Any]]:
    notes = [worth.describe_note(it) for it in worth.notes_of(asked.session, _find(asked, key))]
    return sorted(notes, key=lambda it: it["id"])


def _tag(asked: Asked[Any, Any], call: Call, wanted: set[str]) -> None:
    before = {tag.name for tag in worth.tags_of(asked.session, call)}
    for name in sorted(before - wanted):
        worth.remove_tag(asked.session, asked.by, [call], name)
    for name in sorted(wanted - before):
        worth.add_tag(asked.session, asked.by, [call], name)
