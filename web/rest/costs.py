"""Costs over the API: what advertising cost, listed, corrected, deleted (web.money_api takes new ones)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import ConfigDict, Field, RootModel

from tracker import costs, rents
from tracker.models import Cost
from tracker.policy.money import read_amount
from tracker.policy.rights import Right, Scope
from web.house import row_id
from web.rest.days import DayWords, days_of
from web.rest.kinds import Amount, Longer, Note, cursor_of, day_cursor
from web.rest.operation import Asked, operation
from web.rest.rents import RentOut
from web.rest.shapes import Id, Page, Query, Shape

api = Blueprint("rest_costs", __name__, url_prefix="/api/v1")

Entered = Literal["hand", "file", "api", "rent"]
Cell = str | int | float | None


class CostOut(Shape):
    """What was paid for one day of advertising."""

    id: Id
    day: date
    medium: str | None
    source: str
    campaign: str | None
    keyword: str | None
    content: Annotated[str | None, Field(description="The ad")]
    channel: Annotated[str | None, Field(description="A static channel's name")]
    amount: str
    currency: str
    note: str | None
    entered: Annotated[Entered, Field(description="How it got into the books")]
    reference: str | None


class CostPage(Page):
    costs: list[CostOut]
    more: Annotated[bool, Field(description="Whether there are more than these")]
    rents: Annotated[list[RentOut], Field(description="All rents of the company's channels")]


class CostWords(DayWords, Longer):
    """Which costs."""


class CostRow(Shape):
    """A cost as it is told: `source` or `channel`; the same row told again changes nothing."""

    day: Annotated[Cell, Field(description="As 2026-11-30")]
    amount: Annotated[Cell, Field(description="As 1200.50")]
    source: Cell = None
    medium: Cell = None
    campaign: Cell = None
    keyword: Cell = None
    content: Cell = None
    channel: Cell = None
    currency: Annotated[Cell, Field(description="ISO 4217; without one the company's")] = None
    note: Cell = None
    reference: Annotated[
        Cell, Field(description="The invoice's; without one, day and words make it the same")
    ] = None


class CostRows(Shape):
    """Rows, all of which are taken or none."""

    model_config = ConfigDict(extra="ignore")

    costs: Annotated[list[CostRow], Field(min_length=1, max_length=5000)]


class CostsTold(RootModel[CostRows | list[CostRow] | CostRow]):
    """Rows, or one row by itself."""


class Taken(Shape):
    """What became of the rows."""

    new: int
    changed: int
    same: int


class CostChange(Shape):
    """What is to be another; what is not named stays. An empty note takes it away."""

    amount: Amount | None = None
    note: Note | None = None


@api.get("/costs")
@operation(Scope.MONEY_READ, Right.ADMINISTER, query=CostWords, answer=CostPage)
def list_costs(asked: Asked[CostWords, None]) -> dict[str, Any]:
    """The costs of the days `since` to `until`, the newest first, and all rents."""
    session, ids, limit = asked.session, [asked.company.id], asked.query.limit
    before = day_cursor(asked.query.cursor)
    found = costs.list_costs(session, ids, *days_of(asked), limit=limit + 1, before=before)
    shown, more = found[:limit], len(found) > limit
    return {
        "costs": [costs.describe_cost(each) for each in shown],
        "more": more,
        "next": cursor_of(shown[-1].day, shown[-1].id) if more else None,
        "rents": [rents.describe_rent(each) for each in rents.list_rents(session, ids)],
    }


@api.get("/costs/<cost>")
@operation(Scope.MONEY_READ, Right.ADMINISTER, answer=CostOut)
def show_cost(asked: Asked[Query, None], cost: str) -> dict[str, Any]:
    """One cost."""
    return costs.describe_cost(_find(asked, cost))


@api.patch("/costs/<cost>")
@operation(Scope.MONEY_WRITE, Right.ADMINISTER, body=CostChange, answer=CostOut, current=show_cost)
def change_cost(asked: Asked[Query, CostChange], cost: str) -> dict[str, Any]:
    """Corrects a cost's amount, in its currency, or its note."""
    found, wish = _find(asked, cost), asked.body
    amount = None if wish.amount is None else read_amount(wish.amount, found.currency, "en")
    costs.change_cost(asked.session, asked.by, found, amount=amount, note=wish.note)
    return costs.describe_cost(found)


@api.delete("/costs/<cost>")
@operation(Scope.MONEY_WRITE, Right.ADMINISTER, status=204, current=show_cost)
def delete_cost(asked: Asked[Query, None], cost: str) -> None:
    """Deletes a cost; the audit log keeps what it was."""
    costs.delete_costs(asked.session, asked.by, asked.company, [row_id(cost)])


def _find(asked: Asked[Any, Any], cost: str) -> Cost:
    return costs.find_cost(asked.session, asked.company, row_id(cost))
