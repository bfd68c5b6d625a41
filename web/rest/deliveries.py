"""Deliveries over the API: where each call went, and if not, why not; sent again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field, StrictBool
from werkzeug.wrappers import Response

from tracker import deliveries, owned
from tracker.calls import find_call
from tracker.deliveries import Asked as Which
from tracker.models import Destination
from tracker.policy.delivering import Event, Why
from tracker.policy.rights import Right, Scope
from web.house import house, row_id
from web.rest.answering import answer_of, dumped
from web.rest.kinds import Instant
from web.rest.operation import Asked, operation
from web.rest.shapes import Id, Line, Page, Paged, Query, Shape, row_cursor
from web.viewer import viewer

api = Blueprint("rest_deliveries", __name__, url_prefix="/api/v1")

MOST = 200  # of a call
State = Literal["waiting", "sent", "not_sent", "failed"]


class DeliveryOut(Shape):
    """An event of a call on its way to a destination."""

    id: Id
    key: Annotated[str, Field(description="The same at every try")]
    call: Annotated[str, Field(description="The call's key")]
    destination: Annotated[str, Field(description="Its name")]
    event: Event
    revision: int
    state: Annotated[State, Field(description="not_sent: by a rule of ours; failed: given up")]
    why: Annotated[Why | None, Field(description="Why it was not sent, or given up")]
    tries: int
    created_at: datetime
    due_at: datetime | None
    tried_at: datetime | None
    sent_at: datetime | None
    answer: Annotated[str | None, Field(description="What was said last")]
    receipt: Annotated[str | None, Field(description="What the other side calls what it took")]
    verdict_at: Annotated[datetime | None, Field(description="When it is asked what became of that")]


class DeliveryPage(Page):
    deliveries: list[DeliveryOut]


class CallDeliveries(Shape):
    """Where one call went."""

    deliveries: list[DeliveryOut]


class DeliveryWords(Paged):
    """Which deliveries."""

    destination: Annotated[Id | None, Field(description="To one destination, by its id")] = None
    state: State | None = None
    call: Annotated[Line | None, Field(description="Of one call, by its key")] = None
    since: Annotated[Instant | None, Field(description="Of facts from this instant on")] = None
    until: Annotated[Instant | None, Field(description="Of facts before it")] = None


class ReplayWish(Shape):
    """What is sent again: some deliveries by their ids, or those of a period."""

    destination: Annotated[Id, Field(strict=True)]
    ids: Annotated[list[Annotated[Id, Field(strict=True)]], Field(max_length=500, default_factory=list)]
    since: Annotated[Instant | None, Field(description="Of facts from this instant on")] = None
    until: Annotated[Instant | None, Field(description="Of facts before it")] = None
    everything: Annotated[StrictBool, Field(description="Also what was taken already: it arrives twice")] = (
        False
    )


class Replayed(Shape):
    """How many are sent again."""

    count: int


@api.get("/deliveries")
@operation(Scope.DELIVERIES_READ, Right.ADMINISTER, query=DeliveryWords, answer=DeliveryPage)
def list_deliveries(asked: Asked[DeliveryWords, None]) -> dict[str, Any]:
    """Deliveries, the newest first."""
    words, limit = asked.query, asked.query.limit
    if words.destination is not None:
        owned.find(asked.session, Destination, asked.company.id, words.destination)
    which = Which(words.call, words.destination, words.state, words.since, words.until)
    found = deliveries.list_deliveries(
        asked.session, [asked.company.id], which, limit + 1, row_cursor(words.cursor)
    )
    more = str(found[limit - 1].id) if len(found) > limit else None
    return {"deliveries": [deliveries.describe(each) for each in found[:limit]], "next": more}


@api.get("/deliveries/<delivery>")
@operation(Scope.DELIVERIES_READ, Right.ADMINISTER, answer=DeliveryOut)
def show_delivery(asked: Asked[Query, None], delivery: str) -> dict[str, Any]:
    """One delivery."""
    return deliveries.describe(deliveries.get_delivery(asked.session, asked.company, row_id(delivery)))


@api.get("/calls/<key>/deliveries")
@operation(Scope.DELIVERIES_READ, answer=CallDeliveries, bare=True)
def list_of_call(key: str) -> Response:
    """Where one call went, and if not, why not; the newest first."""
    mine = viewer().company_ids
    with house().database.read() as session:
        call = find_call(session, mine, key)
        found = deliveries.list_deliveries(session, mine, Which(call=call.key), MOST)
        return answer_of(200, dumped({"deliveries": [deliveries.describe(each) for each in found]}))


@api.post("/deliveries/replay")
@operation(Scope.DELIVERIES_WRITE, Right.ADMINISTER, body=ReplayWish, answer=Replayed)
def replay(asked: Asked[Query, ReplayWish]) -> dict[str, Any]:
    """Sends again what was given up to a destination."""
    wish = asked.body
    its = asked.own(Destination, str(wish.destination))
    count = deliveries.replay(
        asked.session, asked.by, its, since=wish.since, until=wish.until,
        ids=wish.ids, everything=wish.everything,
    )  # fmt: skip
    return {"count": count}
