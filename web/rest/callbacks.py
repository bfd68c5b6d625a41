"""Callbacks over the API: who asked to be called back, what became of it, calling off and trying again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from flask import Blueprint
from pydantic import Field
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import callbacks
from tracker.callback_figures import PROMISE_DAYS, describe, describe_promise, promise_of
from tracker.models import CallbackReason, CallbackRequest, CallbackState, CallbackVia
from tracker.policy.rights import Right, Scope
from web.house import house
from web.rest.answering import answer_of, dumped
from web.rest.operation import Asked, operation
from web.rest.reading import read_query
from web.rest.shapes import MOST, Id, Line, Page, Paged, Query, Shape, row_cursor
from web.viewer import viewer

api = Blueprint("rest_callbacks", __name__, url_prefix="/api/v1")


class CallbackStep(Shape):
    """What a try came to."""

    at: datetime
    what: Annotated[str, Field(examples=["no_answer"])]
    call: str | None = None
    target: Annotated[int | None, Field(description="Who was rung")] = None


class CallbackOut(Shape):
    """Somebody asked to be called back."""

    key: str
    site: str
    state: CallbackState
    reason: CallbackReason | None
    phone: Annotated[str | None, Field(description="Null: what was written is no number")]
    written: Annotated[str, Field(description="The number as it was written")]
    name: str | None
    note: str | None
    via: CallbackVia
    requested_at: datetime
    wanted_at: Annotated[datetime | None, Field(description="The time that was chosen; null: at once")]
    due_at: Annotated[datetime | None, Field(description="The next try")]
    employee_rang_at: datetime | None
    visitor_rang_at: datetime | None
    over_at: datetime | None
    tries: int
    target: Annotated[str | None, Field(description="Who rings, or took it")]
    visit: Annotated[Id | None, Field(description="In which it was asked for")]
    call: Annotated[str | None, Field(description="The call's key, from when an employee took the phone")]
    story: list[CallbackStep]


class CallbackListed(CallbackOut):
    company: str


class CallbackWaits(Shape):
    """Seconds from the promise to the first ring."""

    count: int
    p50: float | None
    p95: float | None


class CallbackPromise(Shape):
    """How the minute was kept within the last days."""

    seconds: float
    days: int
    employee: CallbackWaits
    visitor: CallbackWaits
    late: Annotated[float | None, Field(description="The share that was")]


class CallbackPage(Page):
    callbacks: list[CallbackListed]
    promise: CallbackPromise


class CallbackTold(Shape):
    callback: CallbackOut


class CallbacksAsked(Paged):
    limit: Annotated[int, Field(ge=1, le=MOST, description="How many at most")] = 100
    before: Annotated[
        Line | None, Field(description="The old name of `cursor`", json_schema_extra={"deprecated": True})
    ] = None
    state: CallbackState | None = None


@api.get("/callbacks")
@operation(Scope.CALLBACKS_READ, query=CallbacksAsked, answer=CallbackPage, bare=True)
def list_callbacks() -> Response:
    """Requests of the companies one sees, the newest first, and how the minute is kept."""
    asked, now, ids = read_query(CallbacksAsked), house().clock(), viewer().company_ids
    before = row_cursor(asked.cursor or asked.before or None)
    states = (asked.state,) if asked.state else ()
    with house().database.read() as session:
        rows = callbacks.listed(session, ids, states=states, before_id=before, most=asked.limit + 1)
        shown = rows[: asked.limit]
        promise = promise_of(session, ids, now - timedelta(days=PROMISE_DAYS), now)
        told = {
            "callbacks": [describe(it) | {"company": it.company.slug} for it in shown],
            "promise": describe_promise(promise),
            "next": str(shown[-1].id) if len(rows) > len(shown) else None,
        }
    return answer_of(200, dumped(told))


def owner_of(session: Session, company_ids: Collection[int], path: Mapping[str, str]) -> int:
    """The company of the request that an address names. Raises Rejected callback.unknown."""
    return callbacks.get(session, company_ids, path["callback"]).company_id


@api.get("/callbacks/<callback>")
@operation(Scope.CALLBACKS_READ, answer=CallbackTold, owner=owner_of)
def show_callback(asked: Asked[Query, None], callback: str) -> dict[str, Any]:
    """One request, and what happened to it."""
    return {"callback": describe(_find(asked, callback))}


@api.post("/callbacks/<callback>/cancel")
@operation(Scope.CALLBACKS_WRITE, Right.JUDGE, answer=CallbackTold, current=show_callback, owner=owner_of)
def cancel(asked: Asked[Query, None], callback: str) -> dict[str, Any]:
    """Calls off a request that waits."""
    found = _find(asked, callback)
    callbacks.cancel(asked.session, asked.by, found)
    return {"callback": describe(found)}


@api.post("/callbacks/<callback>/again")
@operation(Scope.CALLBACKS_WRITE, Right.JUDGE, answer=CallbackTold, current=show_callback, owner=owner_of)
def try_again(asked: Asked[Query, None], callback: str) -> dict[str, Any]:
    """Calls at once whoever could not be reached."""
    found = _find(asked, callback)
    callbacks.try_again(asked.session, asked.by, found)
    return {"callback": describe(found)}


def _find(asked: Asked[Any, Any], callback: str) -> CallbackRequest:
    return callbacks.get(asked.session, [asked.company.id], callback)
