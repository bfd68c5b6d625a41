"""A company's own rules on where visits come from, over the API, and what they decide."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field

from tracker import sources
from tracker.errors import Rejected
from tracker.models import SourceRule
from tracker.policy.rights import Right, Scope
from tracker.policy.sources import decide
from web.house import row_id
from web.rest.operation import Asked, Made, operation
from web.rest.shapes import Id, Line, Name, Query, Shape

api = Blueprint("rest_source_rules", __name__, url_prefix="/api/v1")

Address = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00-\x1f\x7f]*$")]
Place = Annotated[int, Field(ge=1, le=1000)]


class SourceRuleOut(Shape):
    """An address in which a pattern is found gives a source; the first that fits decides."""

    id: Id
    position: Annotated[int, Field(description="1 is asked first")]
    part: Annotated[Literal["landing", "referrer"], Field(description="In which address it is looked for")]
    pattern: Annotated[str, Field(description="A regular expression")]
    medium: str
    source: str
    campaign: str | None
    created_at: datetime


class SourceRuleList(Shape):
    rules: list[SourceRuleOut]


class SourceRuleWish(Shape):
    """A new rule: behind the others, or at `position`."""

    part: Literal["landing", "referrer"]
    pattern: Annotated[Address, Field(min_length=1)]
    medium: Name
    source: Annotated[Line, Field(min_length=1)]
    campaign: Annotated[Line | None, Field(description="None: what the addresses say")] = None
    position: Place | None = None


class SourceRuleMove(Shape):
    position: Annotated[Place, Field(description="Asked as which of them")]


class DecisionQuery(Query):
    url: Annotated[Address, Field(min_length=1, description="The address that a visit begins at")]
    referrer: Annotated[Address | None, Field(description="Of the page that was left for it")] = None


class DecisionOut(Shape):
    """Where such a visit comes from, and why."""

    medium: str
    source: str
    campaign: str | None
    keyword: str | None
    content: str | None
    group: str
    paid: bool
    click_ids: dict[str, str]
    parameters: dict[str, str]
    suspicion: Annotated[str | None, Field(description="Why the click ids may be forged")]
    new_touch: Annotated[bool, Field(description="An address or a referrer from outside says so")]
    because: str


@api.get("/source-rules")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=SourceRuleList)
def list_rules(asked: Asked[Query, None]) -> dict[str, Any]:
    """The company's rules, in the order in which they are asked."""
    return {"rules": [sources.describe(it) for it in sources.rows_of(asked.session, asked.company.id)]}


@api.get("/source-rules/decide")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, query=DecisionQuery, answer=DecisionOut)
def decide_source(asked: Asked[DecisionQuery, None]) -> dict[str, Any]:
    """What would be decided about a visit, as for a real one."""
    company_id = asked.company.id
    decision = decide(
        asked.query.url,
        asked.query.referrer,
        own_hosts=sources.own_hosts_of(asked.session, company_id),
        rules=sources.rules_of(asked.session, company_id),
        known=sources.known_referrers(asked.session),
    )
    return {**asdict(decision.origin), "because": decision.because}


@api.get("/source-rules/<rule>")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=SourceRuleOut)
def show_source_rule(asked: Asked[Query, None], rule: str) -> dict[str, Any]:
    """One rule."""
    return sources.describe(_find(asked, rule))


@api.post("/source-rules")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, body=SourceRuleWish, answer=SourceRuleOut, status=201)
def add_source_rule(asked: Asked[Query, SourceRuleWish]) -> Made:
    """Adds a rule; visits from now on are decided by it."""
    wish = asked.body.model_dump()
    made = sources.add_rule(
        asked.session, asked.by, asked.company, wish.pop("part"), wish.pop("pattern"), **wish
    )
    return Made(sources.describe(made), f"/api/v1/source-rules/{made.id}")


@api.patch("/source-rules/<rule>")
@operation(
    Scope.SETTINGS_WRITE,
    Right.ADMINISTER,
    body=SourceRuleMove,
    answer=SourceRuleOut,
    current=show_source_rule,
)
def move_source_rule(asked: Asked[Query, SourceRuleMove], rule: str) -> dict[str, Any]:
    """Asks a rule earlier or later."""
    place = _find(asked, rule).position
    moved = sources.move_rule(asked.session, asked.by, asked.company, place, asked.body.position)
    return sources.describe(moved)


@api.delete("/source-rules/<rule>")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, status=204, current=show_source_rule)
def delete_source_rule(asked: Asked[Query, None], rule: str) -> None:
    """Deletes a rule; earlier visits keep the source that it gave them."""
    sources.delete_rule(asked.session, asked.by, asked.company, _find(asked, rule).position)


def _find(asked: Asked[Any, Any], rule: str) -> SourceRule:
    rows = sources.rows_of(asked.session, asked.company.id)
    if found := next((it for it in rows if it.id == row_id(rule)), None):
        return found
    raise Rejected("source.unknown", "There is no such rule", "See the list")
