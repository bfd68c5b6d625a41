"""Unwanted callers over the API: the block list, whom it always lets through, who is challenged."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from flask import Blueprint
from pydantic import Field

from tracker import blocks
from tracker.policy.block_list import read_callers, read_expiry, read_treatment
from tracker.policy.facts import Treatment
from tracker.policy.rights import Right, Scope
from web.house import row_id
from web.rest.operation import Asked, Made, operation
from web.rest.shapes import Id, Line, Name, Page, Paged, Query, Shape, cut

api = Blueprint("rest_blocks", __name__, url_prefix="/api/v1")

Treated = Literal["busy", "refused", "announced", "challenged"]
Limit = Annotated[int, Field(ge=0, le=100_000, description="0: not looked at")]


class BlockOut(Shape):
    """A rule about callers."""

    id: Id
    callers: Annotated[str, Field(description="A number, the beginning of numbers with a star, `withheld`")]
    allowed: Annotated[bool, Field(description="Always let through: wins over every block")]
    treatment: Annotated[Treated | None, Field(description="What they get; null: they are let through")]
    reason: str | None
    by: str
    since: datetime
    until: datetime | None


class BlockPage(Page):
    blocks: list[BlockOut]


class BlockWish(Shape):
    """A new rule about callers."""

    callers: Annotated[
        Line, Field(min_length=1, description="`+4930901820`, `+882*` for all that begin so, or `withheld`")
    ]
    allow: Annotated[bool, Field(description="Let them through always instead")] = False
    treatment: Annotated[Treated | None, Field(description="None: the usual one")] = None
    reason: Line = ""
    until: Annotated[Line, Field(description="The last day as `2026-12-31`, or days as `30d`")] = ""


class GuardOut(Shape):
    """What blocked callers usually get, and who is suspicious."""

    treatment: Treated
    challenge: Annotated[bool, Field(description="Whether suspicious callers are asked for a digit")]
    per_minute: Annotated[int, Field(description="Calls of one caller; 0: not looked at")]
    per_hour: int
    per_day: int
    numbers: Annotated[int, Field(description="Of yours that one caller tries within an hour")]
    short_calls: int
    short_seconds: Annotated[int, Field(description="What a short call is")]
    countries: Annotated[list[str], Field(description="From which calls are expected; none: from everywhere")]
    passed_days: Annotated[int, Field(description="How long who passed is not asked again")]


class GuardChange(Shape):
    """What is to be another; what is not named stays."""

    treatment: Treated | None = None
    challenge: bool | None = None
    per_minute: Limit | None = None
    per_hour: Limit | None = None
    per_day: Limit | None = None
    numbers: Limit | None = None
    short_calls: Limit | None = None
    short_seconds: Limit | None = None
    countries: Annotated[list[Name] | None, Field(max_length=250)] = None
    passed_days: Limit | None = None


@api.get("/blocks")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, query=Paged, answer=BlockPage)
def list_blocks(asked: Asked[Paged, None]) -> dict[str, Any]:
    """Who is blocked, and who is always let through."""
    usual = blocks.read_conduct(asked.session, asked.company.id).treatment
    found = blocks.of_company(asked.session, asked.company.id)
    return cut(found, asked.query, "blocks", lambda it: blocks.describe(it, usual))


@api.get("/blocks/<block>")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=BlockOut)
def show_block(asked: Asked[Query, None], block: str) -> dict[str, Any]:
    """One rule."""
    usual = blocks.read_conduct(asked.session, asked.company.id).treatment
    return blocks.describe(blocks.find(asked.session, asked.company.id, row_id(block)), usual)


@api.post("/blocks")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, body=BlockWish, answer=BlockOut, status=201)
def add_block(asked: Asked[Query, BlockWish]) -> Made:
    """Blocks callers, or lets them through always."""
    wish, company = asked.body, asked.company
    made = blocks.add(
        asked.session,
        asked.by,
        company,
        read_callers(wish.callers, company.default_region),
        blocks.Wish(
            allows=wish.allow,
            treatment=read_treatment(wish.treatment or ""),
            reason=wish.reason,
            expires_at=read_expiry(wish.until, ZoneInfo(company.timezone), asked.by.at),
        ),
    )
    usual = blocks.read_conduct(asked.session, company.id).treatment
    return Made(blocks.describe(made, usual), f"/api/v1/blocks/{made.id}")


@api.delete("/blocks/<block>")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, status=204, current=show_block)
def remove_block(asked: Asked[Query, None], block: str) -> None:
    """Takes a rule away."""
    blocks.remove(asked.session, asked.by, blocks.find(asked.session, asked.company.id, row_id(block)))


@api.get("/guard")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=GuardOut)
def show_guard(asked: Asked[Query, None]) -> dict[str, Any]:
    """What blocked callers usually get, and when a caller is suspicious."""
    return blocks.describe_conduct(blocks.read_conduct(asked.session, asked.company.id))


@api.patch("/guard")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, body=GuardChange, answer=GuardOut, current=show_guard)
def change_guard(asked: Asked[Query, GuardChange]) -> dict[str, Any]:
    """Changes what blocked callers usually get, and when a caller is suspicious."""
    wish = asked.body.model_dump(exclude_none=True)
    if "challenge" in wish:
        wish["watches"] = wish.pop("challenge")
    if "treatment" in wish:
        wish["treatment"] = Treatment(wish["treatment"])
    if "countries" in wish:
        wish["countries"] = tuple(it.strip().upper() for it in wish["countries"])
    now = replace(blocks.read_conduct(asked.session, asked.company.id), **wish)
    blocks.change_conduct(asked.session, asked.by, asked.company, now)
    return blocks.describe_conduct(now)
