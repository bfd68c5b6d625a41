"""Calling out, over the API: over which trunk and under which number, where to, from which phones."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from flask import Blueprint
from pydantic import Field

from tracker import outgoing, targets
from tracker.policy.rights import Right, Scope
from web.house import house
from web.rest.operation import Asked, operation
from web.rest.shapes import Line, Name, Query, Shape

api = Blueprint("rest_outgoing", __name__, url_prefix="/api/v1")

MOST = Field(ge=0, le=1_000_000)
Words = Annotated[list[Name], Field(max_length=250)]


class OutgoingRuleOut(Shape):
    """How the company calls out."""

    trunk: str
    number: Annotated[str, Field(description="Which is shown to whom it calls, E.164")]
    countries: Annotated[list[str], Field(description="May be called")]
    prefixes: Annotated[list[str], Field(description="May be called too")]
    daily_calls: int
    daily_minutes: int
    record: bool


class OutgoingRefused(Shape):
    """A call that did not go out."""

    at: datetime
    target: str
    to: str
    why: str


class OutgoingOut(Shape):
    """What is allowed, to whom, what has gone out today, and what was refused last."""

    rule: Annotated[OutgoingRuleOut | None, Field(description="null: nobody calls out")]
    granted: Annotated[list[str], Field(description="Targets that may call out")]
    calls_today: int
    minutes_today: float
    refused: Annotated[list[OutgoingRefused], Field(description="The newest first")]


class OutgoingChange(Shape):
    """What is to be another; what is not named stays, or has its usual value."""

    trunk: Line | None = None
    number: Line | None = None
    countries: Words | None = None
    prefixes: Annotated[Words | None, Field(description="As `+4930`")] = None
    daily_calls: Annotated[int | None, MOST] = None
    daily_minutes: Annotated[int | None, MOST] = None
    record: bool | None = None


class GrantWish(Shape):
    """Exactly these phones and phone systems may call out."""

    targets: Annotated[list[Name], Field(max_length=1000)]


class OutgoingGranted(Shape):
    granted: list[str]


class OutgoingQuery(Query):
    number: Annotated[Line, Field(min_length=1, description="What is dialled")]
    target: Annotated[Name, Field(description="The phone or phone system that dials it, by its name")]


class OutgoingTried(Shape):
    """What would happen; with `why`, why nothing would."""

    goes_out: bool
    why: str | None
    number: str | None
    dialled: Annotated[str | None, Field(description="In the form that the carrier wants")]
    trunk: str | None
    shown: str | None
    record: bool | None
    emergency: bool | None


@api.get("/outgoing")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=OutgoingOut)
def show_outgoing(asked: Asked[Query, None]) -> dict[str, Any]:
    """What is allowed, to whom, what has gone out today, and what was refused last."""
    session, company = asked.session, asked.company
    spent = outgoing.spent(session, company.id, company.timezone, house().clock())
    rule = outgoing.rule_of(session, company.id)
    return {
        "rule": outgoing.describe(rule) if rule else None,
        "granted": [it.name for it in outgoing.granted(session, company)],
        "calls_today": spent.calls,
        "minutes_today": round(spent.seconds / 60, 1),
        "refused": [
            {"at": at, "target": name, "to": did, "why": why.removeprefix(outgoing.REASON)}
            for at, name, did, why in outgoing.refused(session, company)
        ],
    }


@api.get("/outgoing/rule")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=OutgoingRuleOut)
def show_rule(asked: Asked[Query, None]) -> dict[str, Any]:
    """How the company calls out."""
    return outgoing.describe(outgoing.need_rule(asked.session, asked.company))


@api.patch("/outgoing/rule")
@operation(
    Scope.SETTINGS_WRITE, Right.ADMINISTER, body=OutgoingChange, answer=OutgoingRuleOut, current=show_rule
)
def allow_outgoing(asked: Asked[Query, OutgoingChange]) -> dict[str, Any]:
    """Lets the company call out, or changes how."""
    wish = outgoing.Wish(**asked.body.model_dump())
    return outgoing.describe(outgoing.allow(asked.session, asked.by, asked.company, wish))


@api.delete("/outgoing/rule")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, status=204, current=show_rule)
def forbid_outgoing(asked: Asked[Query, None]) -> None:
    """Lets nobody call out any more, not even emergency numbers through us."""
    outgoing.forbid(asked.session, asked.by, asked.company)


@api.put("/outgoing/granted")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, body=GrantWish, answer=OutgoingGranted)
def grant_outgoing(asked: Asked[Query, GrantWish]) -> dict[str, Any]:
    """Says which phones and phone systems may call out: exactly these."""
    session, by, company = asked.session, asked.by, asked.company
    wanted = list(dict.fromkeys(asked.body.targets))
    before = [it.name for it in outgoing.granted(session, company)]
    outgoing.grant(session, by, company, [it for it in before if it not in wanted], to=False)
    outgoing.grant(session, by, company, wanted)
    return {"granted": [it.name for it in outgoing.granted(session, company)]}


@api.get("/outgoing/try")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, query=OutgoingQuery, answer=OutgoingTried)
def try_outgoing(asked: Asked[OutgoingQuery, None]) -> dict[str, Any]:
    """What would happen if a phone dialled a number now. Nothing is called."""
    words = asked.query
    target = targets.get(asked.session, asked.company, words.target)
    tried = outgoing.try_number(asked.session, asked.company, target, words.number, house().clock())
    return dict.fromkeys(OutgoingTried.model_fields) | outgoing.describe_tried(tried)
