"""Who rings, in what order, over the API: for the company, a channel, a pool, a number."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Blueprint
from pydantic import Field
from sqlalchemy.orm import Session

from tracker import forward, plan_uses, targets
from tracker.models import Company, Site
from tracker.policy.rights import Right, Scope
from tracker.scopes import Scope as Owner
from web.house import house
from web.rest import scopes
from web.rest.operation import Asked, operation
from web.rest.scopes import ScopeOut
from web.rest.shapes import Name, Query, Shape

api = Blueprint("rest_forwarding", __name__, url_prefix="/api/v1")


class Ringing(Shape):
    target: str
    ring_seconds: int


class ForwardingOut(ScopeOut):
    """Who rings for something: one target after the other, unless a plan counts."""

    rings: Annotated[list[Ringing], Field(description="None: what is set for the wider one counts")]
    plan: Annotated[str | None, Field(description="The plan that is set for it and counts instead")]


class ForwardingList(Shape):
    forwarding: list[ForwardingOut]


class RingWish(Shape):
    target: Annotated[Name, Field(description="By its name")]
    ring_seconds: Annotated[
        int | None, Field(ge=0, le=3600, description="None: as this installation is set")
    ] = None


class ForwardingWish(Shape):
    """Who rings from now on; a plan that is set for the same is forgotten."""

    rings: Annotated[list[RingWish], Field(min_length=1, max_length=100)]


@api.get("/forwarding")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=ForwardingList)
def list_forwarding(asked: Asked[Query, None]) -> dict[str, Any]:
    """All that is set; a number's own counts first, else its channel's or pool's, else the company's."""
    return {"forwarding": list(_all(asked.session, asked.company).values())}


@api.get("/forwarding/<scope>")
@operation(Scope.SETTINGS_READ, Right.ADMINISTER, answer=ForwardingOut)
def show_forwarding(asked: Asked[Query, None], scope: str) -> dict[str, Any]:
    """What is set for `company`, `channel-3`, `pool-2`, `number-7`."""
    of = _find(asked, scope)
    none = scopes.describe(of) | {"rings": [], "plan": None}
    return _all(asked.session, asked.company).get(none["scope"], none)


@api.put("/forwarding/<scope>")
@operation(
    Scope.SETTINGS_WRITE, Right.ADMINISTER, body=ForwardingWish, answer=ForwardingOut, current=show_forwarding
)
def set_forwarding(asked: Asked[Query, ForwardingWish], scope: str) -> dict[str, Any]:
    """Has these targets ring one after the other."""
    of, usual = _find(asked, scope), house().settings.ring_seconds
    rings = [
        (
            targets.get(asked.session, asked.company, it.target),
            usual if it.ring_seconds is None else it.ring_seconds,
        )
        for it in asked.body.rings
    ]
    forward.set_rings(asked.session, asked.by, of, rings)
    return _all(asked.session, asked.company)[scopes.describe(of)["scope"]]


@api.delete("/forwarding/<scope>")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, status=204, current=show_forwarding)
def clear_forwarding(asked: Asked[Query, None], scope: str) -> None:
    """Forgets who rings for it; the wider one counts again."""
    forward.clear(asked.session, asked.by, _find(asked, scope))


def _find(asked: Asked[Any, Any], word: str) -> Owner:
    found = scopes.find(asked.session, asked.company, word)
    if isinstance(found, Site):
        raise scopes.unknown()  # for a site as such nobody rings: set a plan for it
    return found


def _all(session: Session, company: Company) -> dict[str, dict[str, Any]]:
    """What is set, by its word in addresses."""
    found: dict[str, dict[str, Any]] = {}

    def at(row: Any) -> dict[str, Any]:
        told = scopes.describe(scopes.of_row(session, row))
        return found.setdefault(told["scope"], told | {"rings": [], "plan": None})

    for row in forward.of_company(session, company):
        at(row)["rings"].append({"target": row.target.name, "ring_seconds": row.ring_seconds})
    for use in plan_uses.of_company(session, company.id):
        at(use)["plan"] = use.plan.name
    return found
