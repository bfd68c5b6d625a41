"""Keys of programs over the API: listed, made, revoked. A key gives no more than it has."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from flask import Blueprint
from pydantic import Field, StringConstraints

from tracker import api_keys
from tracker.policy.rights import Right, Scope
from web.rest.operation import Asked, Made, operation
from web.rest.shapes import Id, Page, Paged, Query, Shape, cut
from web.viewer import opens

api = Blueprint("rest_keys", __name__, url_prefix="/api/v1")


class KeyOut(Shape):
    """What a program shows, without its text."""

    id: Id
    name: str
    scopes: list[Scope]
    created_at: datetime
    used_at: Annotated[datetime | None, Field(description="To the hour")]
    revoked_at: datetime | None


class KeyMade(KeyOut):
    """A new key, this once with its text."""

    key: str


class KeyPage(Page):
    keys: list[KeyOut]


class KeyWish(Shape):
    """A new key. A key makes none that opens more than itself."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,38}$")]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]


@api.get("/keys")
@operation(Scope.USERS_READ, Right.ADMINISTER, query=Paged, answer=KeyPage)
def list_keys(asked: Asked[Paged, None]) -> dict[str, Any]:
    """The company's keys, also revoked ones."""
    return cut(api_keys.list_keys(asked.session, asked.company), asked.query, "keys", api_keys.describe_key)


@api.get("/keys/<name>")
@operation(Scope.USERS_READ, Right.ADMINISTER, answer=KeyOut)
def show_key(asked: Asked[Query, None], name: str) -> dict[str, Any]:
    """One key."""
    return api_keys.describe_key(api_keys.find_key(asked.session, asked.company, name))


@api.post("/keys")
@operation(Scope.USERS_WRITE, Right.ADMINISTER, body=KeyWish, answer=KeyMade, status=201)
def add_key(asked: Asked[Query, KeyWish]) -> Made:
    """Makes a key for some scopes; its text is in the answer, this once."""
    wish = asked.body
    made, text = api_keys.add_key(
        asked.session, asked.by, asked.company, wish.name, frozenset(wish.scopes), own=opens()
    )
    return Made(api_keys.describe_key(made) | {"key": text}, f"/api/v1/keys/{made.name}")


@api.delete("/keys/<name>")
@operation(Scope.USERS_WRITE, Right.ADMINISTER, status=204, current=show_key)
def revoke_key(asked: Asked[Query, None], name: str) -> None:
    """Revokes a key: nobody gets in with it any more."""
    api_keys.revoke_key(asked.session, asked.by, asked.company, name)
