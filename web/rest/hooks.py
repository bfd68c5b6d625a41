"""REST hooks: automation services subscribe to an event of calls, and take that back themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field, StringConstraints

from tracker import destination_list, hooks
from tracker.policy.delivering import Event
from tracker.policy.rights import Right, Scope
from web.house import house, row_id
from web.rest.operation import Asked, Made, operation
from web.rest.shapes import Id, Page, Paged, Query, Shape, cut

api = Blueprint("rest_hooks", __name__, url_prefix="/api/v1")


class HookOut(Shape):
    """A subscription; the page shows it among the destinations."""

    id: Id
    event: Event
    target_url: str
    name: str
    state: Literal["on", "paused", "failing"]
    created_at: datetime


class HookMade(HookOut):
    """A subscription, this once with the secret that signs what is sent."""

    secret: Annotated[str | None, Field(description="Null where the hook was there already")]


class HookPage(Page):
    hooks: list[HookOut]


class HookWish(Shape):
    """What is to be told, and where."""

    event: Event
    target_url: Annotated[
        str,
        StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00-\x1f\x7f]*$"),
        Field(examples=["https://hooks.zapier.com/hooks/standard/1/2/"]),
    ]


class SampleWords(Query):
    """Of which event."""

    event: Event


class HookSample(Shape):
    """The body that is posted."""

    type: Event
    timestamp: datetime
    data: Annotated[dict[str, Any], Field(description="The call, as `GET /calls/<key>` shows it")]


@api.get("/hooks")
@operation(Scope.DELIVERIES_READ, Right.ADMINISTER, query=Paged, answer=HookPage)
def list_hooks(asked: Asked[Paged, None]) -> dict[str, Any]:
    """The company's hooks."""
    found = hooks.list_hooks(asked.session, asked.company)
    return cut(found, asked.query, "hooks", hooks.describe)


@api.get("/hooks/sample")
@operation(Scope.DELIVERIES_WRITE, Right.ADMINISTER, query=SampleWords, answer=HookSample)
def show_sample(asked: Asked[SampleWords, None]) -> dict[str, Any]:
    """What a hook would be posted, of the newest such call, or of one that never was.

    It shows a call, so it is for who may subscribe to calls.
    """
    web_url = house().settings.web_url
    return hooks.sample(asked.session, asked.company, asked.query.event, web_url, asked.by)


@api.get("/hooks/<hook>")
@operation(Scope.DELIVERIES_READ, Right.ADMINISTER, answer=HookOut)
def show_hook(asked: Asked[Query, None], hook: str) -> dict[str, Any]:
    """One hook."""
    return hooks.describe(hooks.find_hook(asked.session, asked.company, row_id(hook)))


@api.post("/hooks")
@operation(Scope.DELIVERIES_WRITE, Right.ADMINISTER, body=HookWish, answer=HookMade, status=201)
def subscribe(asked: Asked[Query, HookWish]) -> Made:
    """Subscribes to an event of calls; twice to the same is once.

    Posts are those of a webhook (Standard Webhooks), signed with the secret of this answer. Who answers one
    with 410 is told nothing more.
    """
    wish = asked.body
    made, secret = hooks.subscribe(
        asked.session, asked.by, asked.company, wish.event, wish.target_url, vault=house().vault
    )
    return Made(hooks.describe(made) | {"secret": secret}, f"/api/v1/hooks/{made.id}")


@api.delete("/hooks/<hook>")
@operation(Scope.DELIVERIES_WRITE, Right.ADMINISTER, status=204, current=show_hook)
def unsubscribe(asked: Asked[Query, None], hook: str) -> None:
    """Takes a subscription back."""
    it = hooks.find_hook(asked.session, asked.company, row_id(hook))
    destination_list.delete(asked.session, asked.by, it)
