"""People over the API: who sees the company, in which role; invited, given and taken a role."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from flask import Blueprint
from pydantic import Field

from tracker import members, people
from tracker.models import Role
from tracker.policy.rights import Right, Scope
from web.house import house, row_id
from web.people import administrator
from web.rest.operation import Asked, Made, operation
from web.rest.shapes import Id, Line, Page, Paged, Query, Shape, cut

api = Blueprint("rest_users", __name__, url_prefix="/api/v1")


class UserOut(Shape):
    """Somebody who sees the company."""

    id: Id
    email: str
    name: str
    role: Role
    password_set: bool
    totp_at: Annotated[datetime | None, Field(description="Since when a second factor is asked for")]
    disabled_at: datetime | None
    created_at: datetime
    seen_at: Annotated[datetime | None, Field(description="On the page; null: not logged in")]


class UserInvited(UserOut):
    """Somebody who was invited."""

    link: Annotated[
        str | None, Field(description="The one-time link, this once; null: the person has a password")
    ]


class UserPage(Page):
    users: list[UserOut]


class UserWish(Shape):
    """Whom to invite. A key makes nobody an owner."""

    email: Annotated[Line, Field(min_length=3)]
    name: Annotated[Line, Field(max_length=100)] = ""
    role: Role


class RoleChange(Shape):
    """What the person may do from now on."""

    role: Role


class UserLink(Shape):
    """A one-time link for a first or a forgotten password."""

    email: str
    link: Annotated[str, Field(description="Opens the account once within 24 hours; told this once")]


@api.get("/users")
@operation(Scope.USERS_READ, Right.ADMINISTER, query=Paged, answer=UserPage)
def list_users(asked: Asked[Paged, None]) -> dict[str, Any]:
    """Who sees the company."""
    found = members.list_members(asked.session, asked.company.id)
    return cut(found, asked.query, "users", members.Member.describe, lambda it: it.user.id)


@api.get("/users/<user>")
@operation(Scope.USERS_READ, Right.ADMINISTER, answer=UserOut)
def show_user(asked: Asked[Query, None], user: str) -> dict[str, Any]:
    """One person."""
    return members.get_member(asked.session, asked.company.id, row_id(user)).describe()


@api.post("/users")
@operation(Scope.USERS_WRITE, Right.ADMINISTER, body=UserWish, answer=UserInvited, status=201)
def invite(asked: Asked[Query, UserWish]) -> Made:
    """Gives somebody a role in the company. The one-time link is in the answer, this once."""
    wish = asked.body
    token = members.invite(
        asked.session, administrator(), asked.company, email=wish.email, name=wish.name, role=wish.role
    )
    user = people.find_user(asked.session, wish.email)
    told = members.get_member(asked.session, asked.company.id, user.id).describe()
    return Made(told | {"link": _link(token) if token else None}, f"/api/v1/users/{user.id}")


@api.patch("/users/<user>")
@operation(Scope.USERS_WRITE, Right.ADMINISTER, body=RoleChange, answer=UserOut, current=show_user)
def change_role(asked: Asked[Query, RoleChange], user: str) -> dict[str, Any]:
    """Gives a person another role in the company. A company keeps an owner."""
    found = members.find_member(asked.session, asked.company.id, row_id(user))
    members.change_role(asked.session, administrator(), asked.company, found, asked.body.role)
    return members.get_member(asked.session, asked.company.id, found.id).describe()


@api.delete("/users/<user>")
@operation(Scope.USERS_WRITE, Right.ADMINISTER, status=204, current=show_user)
def take_role(asked: Asked[Query, None], user: str) -> None:
    """Takes the company from a person, whose account stays."""
    found = members.find_member(asked.session, asked.company.id, row_id(user))
    members.change_role(asked.session, administrator(), asked.company, found, None)


@api.post("/users/<user>/link")
@operation(Scope.USERS_WRITE, Right.ADMINISTER, answer=UserLink)
def make_link(asked: Asked[Query, None], user: str) -> dict[str, Any]:
    """Makes a one-time link for a first or a forgotten password; links made before end."""
    found = members.find_member(asked.session, asked.company.id, row_id(user))
    token = members.make_link(asked.session, administrator(), asked.company, found)
    return {"email": found.email, "link": _link(token)}


def _link(token: str) -> str:
    return f"{house().settings.web_url.rstrip('/')}/link/{token}"
