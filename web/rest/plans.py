"""Plans over the API: what happens to calls, its versions, where it counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from operator import itemgetter
from typing import Annotated, Any

from flask import Blueprint
from pydantic import Field, model_validator

from tracker import plan_list, plan_sounds, plan_uses, plans
from tracker.models import CallPlan
from tracker.policy.plan_document import document_of
from tracker.policy.plan_text import read_plan
from tracker.policy.plan_yaml import LONGEST, read_text
from tracker.policy.rights import Right, Scope
from web.house import house, row_id
from web.rest import scopes
from web.rest.operation import Asked, Made, operation
from web.rest.scopes import ScopeOut
from web.rest.shapes import Id, Name, Page, Paged, Query, Shape, cut

api = Blueprint("rest_plans", __name__, url_prefix="/api/v1")

Document = Annotated[
    dict[str, Any], Field(description="Its steps, as `leaseline plan show --json` prints them")
]
Text = Annotated[str, Field(max_length=LONGEST, description="The same as YAML, instead of `document`")]


class PlanListed(Shape):
    """A plan in short."""

    id: Id
    name: str
    version: int
    steps: int
    trials: Annotated[int, Field(description="Kept beside it")]
    used_for: Annotated[list[str], Field(description="In words; with their scopes at `/plans/<plan>/uses`")]


class PlanPage(Page):
    plans: list[PlanListed]


class PlanOut(Shape):
    """A plan as calls go by it now."""

    id: Id
    name: str
    version: int
    document: Document


class PlanVersionOut(Shape):
    version: int
    from_at: datetime
    until_at: Annotated[datetime | None, Field(description="null: the newest")]
    document: Document


class PlanVersions(Shape):
    versions: Annotated[list[PlanVersionOut], Field(description="The newest first")]


class PlanUses(Shape):
    uses: Annotated[list[ScopeOut], Field(description="What calls go by the plan for")]


class PlanText(Shape):
    document: Document | None = None
    text: Text | None = None


class PlanWish(PlanText):
    """A new plan: its `document`, or the same as `text`. It is checked as a whole."""

    name: Name

    @model_validator(mode="after")
    def _one(self) -> PlanWish:
        if (self.document is None) == (self.text is None):
            raise ValueError("give one of `document` and `text`")
        return self


class PlanChange(PlanText):
    """What is to be another; what is not named stays."""

    name: Name | None = None
    anew: Annotated[bool, Field(description="Kept trials expect from now on what they do then")] = False
    since: Annotated[
        int | None,
        Field(ge=1, le=2**31 - 1, description="The version looked at; an older one is refused"),
    ] = None

    @model_validator(mode="after")
    def _one(self) -> PlanChange:
        if self.document is not None and self.text is not None:
            raise ValueError("give one of `document` and `text`")
        return self


@api.get("/plans")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, query=Paged, answer=PlanPage)
def list_plans(asked: Asked[Paged, None]) -> dict[str, Any]:
    """The company's plans, with what they are used for."""
    found = plan_uses.described(asked.session, asked.company)
    return cut(found, asked.query, "plans", dict, itemgetter("id"))


@api.get("/plans/<plan>")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=PlanOut)
def show_plan(asked: Asked[Query, None], plan: str) -> dict[str, Any]:
    """One plan, with its document."""
    return _described(asked, find_plan(asked, plan))


@api.get("/plans/<plan>/versions")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=PlanVersions)
def list_versions(asked: Asked[Query, None], plan: str) -> dict[str, Any]:
    """Every version of a plan."""
    found = find_plan(asked, plan)
    told = [
        {
            "version": it.version,
            "from_at": it.from_at,
            "until_at": it.until_at,
            "document": document_of(
                plan_list.named(asked.session, asked.company, read_plan(found.name, it.document))
            ),
        }
        for it in found.versions
    ]
    return {"versions": sorted(told, key=lambda it: -int(it["version"]))}


def _hear_new(asked: Asked[Query, PlanWish]) -> Callable[[], Any]:
    return _hear(asked, asked.body.name, asked.body)


def _hear_changed(asked: Asked[Query, PlanChange], plan: str) -> Callable[[], Any]:
    return _hear(asked, find_plan(asked, plan).name, asked.body)


def _hear(asked: Asked[Any, Any], name: str, body: PlanText) -> Callable[[], Any]:
    """Has what the plan says spoken, if it is sound: what cannot be is refused here and not in a call."""
    if (document := _document(body)) is None:
        return lambda: None
    heard = plans.to_hear(asked.session, asked.company, name, document)
    return lambda: plan_sounds.speak(house().settings, heard)


@api.post("/plans")
@operation(
    Scope.SETTINGS_WRITE, Right.ADMINISTER, body=PlanWish, answer=PlanOut, status=201, before=_hear_new
)
def add_plan(asked: Asked[Query, PlanWish]) -> Made:
    """Adds a plan. It counts where it is set to: `PUT /plans/<plan>/uses/<scope>`."""
    made = plans.add(asked.session, asked.by, asked.company, asked.body.name, _document(asked.body))
    return Made(_described(asked, made), f"/api/v1/plans/{made.id}")


@api.patch("/plans/<plan>")
@operation(
    Scope.SETTINGS_WRITE,
    Right.ADMINISTER,
    body=PlanChange,
    answer=PlanOut,
    current=show_plan,
    before=_hear_changed,
)
def change_plan(asked: Asked[Query, PlanChange], plan: str) -> dict[str, Any]:
    """Changes a plan, or its name; trials that are kept beside it are run first. No call is dropped."""
    found, wish = find_plan(asked, plan), asked.body
    if (document := _document(wish)) is not None:
        plans.change(
            asked.session, asked.by, asked.company, found, document, anew=wish.anew, since=wish.since
        )
    if wish.name is not None:
        plans.rename(asked.session, asked.by, asked.company, found, wish.name)
    return _described(asked, found)


@api.delete("/plans/<plan>")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, status=204, current=show_plan)
def delete_plan(asked: Asked[Query, None], plan: str) -> None:
    """Deletes a plan that counts nowhere. Calls that are in it go on by it."""
    plans.delete(asked.session, asked.by, asked.company, find_plan(asked, plan))


@api.get("/plans/<plan>/uses")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=PlanUses)
def list_uses(asked: Asked[Query, None], plan: str) -> dict[str, Any]:
    """What calls go by a plan for."""
    return _uses(asked, find_plan(asked, plan))


def _uses(asked: Asked[Any, Any], found: CallPlan) -> dict[str, Any]:
    uses = [it for it in plan_uses.of_company(asked.session, asked.company.id) if it.plan_id == found.id]
    return {"uses": [scopes.describe(scopes.of_row(asked.session, it)) for it in uses]}


@api.put("/plans/<plan>/uses/<scope>")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, answer=PlanUses)
def use_plan(asked: Asked[Query, None], plan: str, scope: str) -> dict[str, Any]:
    """Lets calls for `company`, `channel-3`, `pool-2`, `site-1` or `number-7` go by the plan.

    It takes the place of the forwarding that was set for the same.
    """
    found = find_plan(asked, plan)
    plan_uses.use(asked.session, asked.by, scopes.find(asked.session, asked.company, scope), found)
    return _uses(asked, found)


@api.delete("/plans/<plan>/uses/<scope>")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, status=204)
def clear_use(asked: Asked[Query, None], plan: str, scope: str) -> None:
    """Lets calls for it go by the plan no more; the wider plan or forwarding counts again."""
    found, where = find_plan(asked, plan), scopes.find(asked.session, asked.company, scope)
    plan_uses.clear(asked.session, asked.by, where, found)


def find_plan(asked: Asked[Any, Any], plan: str) -> CallPlan:
    """The company's plan of that id. Raises Rejected plan.unknown."""
    return plan_list.by_id(asked.session, asked.company, row_id(plan))


def _document(body: PlanText) -> object:
    return read_text(body.text) if body.text is not None else body.document


def _described(asked: Asked[Any, Any], plan: CallPlan) -> dict[str, Any]:
    told = plan_list.read(asked.session, asked.company, plan)
    return {"id": plan.id, "name": plan.name, "version": plan.version, "document": document_of(told)}
