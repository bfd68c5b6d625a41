"""Channels over the API: static sources such as a billboard, which own numbers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from flask import Blueprint
from pydantic import Field

from tracker import channels
from tracker.models import Channel
from tracker.policy.rights import Right, Scope
from web.rest.operation import Asked, Made, operation
from web.rest.shapes import Id, Line, Name, Page, Paged, Query, Shape, cut

api = Blueprint("rest_channels", __name__, url_prefix="/api/v1")


class ChannelOut(Shape):
    """A static source that owns numbers."""

    id: Id
    name: str
    medium: str
    source: str
    campaign: str | None
    keyword: str | None
    shown_to: Annotated[
        str | None,
        Field(description="Visitors of this source or channel group see its number; `*`: of any"),
    ]
    numbers: Annotated[int, Field(description="How many it owns now")]
    created_at: datetime


class ChannelPage(Page):
    channels: list[ChannelOut]


class ChannelWish(Shape):
    """A new channel; without `source` its name is the source."""

    name: Name
    source: Name | None = None
    medium: Name = "offline"
    campaign: Line | None = None
    keyword: Line | None = None
    shown_to: Line | None = None


class ChannelChange(Shape):
    """What is to be another; what is not named stays. An empty text takes away."""

    name: Name | None = None
    source: Name | None = None
    medium: Name | None = None
    campaign: Line | None = None
    keyword: Line | None = None
    shown_to: Line | None = None


@api.get("/channels")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, query=Paged, answer=ChannelPage)
def list_channels(asked: Asked[Paged, None]) -> dict[str, Any]:
    """The company's channels."""
    found = channels.channels_of(asked.session, asked.company)
    return cut(found, asked.query, "channels", lambda it: channels.describe(asked.session, it))


@api.get("/channels/<channel>")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=ChannelOut)
def show_channel(asked: Asked[Query, None], channel: str) -> dict[str, Any]:
    """One channel."""
    return channels.describe(asked.session, asked.own(Channel, channel))


@api.post("/channels")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, body=ChannelWish, answer=ChannelOut, status=201)
def add_channel(asked: Asked[Query, ChannelWish]) -> Made:
    """Adds a channel."""
    wish = asked.body.model_dump()
    made = channels.add_channel(asked.session, asked.by, asked.company, **wish)
    return Made(channels.describe(asked.session, made), f"/api/v1/channels/{made.id}")


@api.patch("/channels/<channel>")
@operation(
    Scope.SETTINGS_WRITE, Right.ADMINISTER, body=ChannelChange, answer=ChannelOut, current=show_channel
)
def change_channel(asked: Asked[Query, ChannelChange], channel: str) -> dict[str, Any]:
    """Changes a channel; calls that it brought show the new words."""
    found, wish = asked.own(Channel, channel), asked.body.model_dump(exclude_none=True)
    if wish:
        channels.change_channel(asked.session, asked.by, asked.company, found, **wish)
    return channels.describe(asked.session, found)


@api.delete("/channels/<channel>")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, status=204, current=show_channel)
def delete_channel(asked: Asked[Query, None], channel: str) -> None:
    """Deletes a channel that never had a number."""
    channels.delete_channel(asked.session, asked.by, asked.own(Channel, channel))
