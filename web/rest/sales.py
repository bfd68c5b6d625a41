"""Sales over the API: what was sold, listed, cancelled, deleted (web.money_api takes new ones)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import ConfigDict, Field, RootModel, create_model

from tracker import sales
from tracker.models import Sale
from tracker.policy.rights import Right, Scope
from tracker.policy.sales import SaleStatus
from tracker.policy.titles import SALE_COLUMNS
from web.rest.costs import Cell, Entered, Taken
from web.rest.days import DayWords, days_of
from web.rest.kinds import Longer, cursor_of, instant_cursor
from web.rest.operation import Asked, operation
from web.rest.shapes import Id, Line, Page, Query, Shape

api = Blueprint("rest_sales", __name__, url_prefix="/api/v1")


class SaleOut(Shape):
    """What was sold, and what it belongs to."""

    id: Id
    at: datetime
    revenue: str
    profit: Annotated[str | None, Field(description="Gross; null: nobody said")]
    currency: str
    status: SaleStatus
    reference: str | None
    matched_by: Annotated[
        Literal["call", "phone", "visitor"] | None,
        Field(description="What it was found by; null: it belongs to nothing that is known"),
    ]
    call: Annotated[str | None, Field(description="The call's key")]
    phone: str | None
    visitor: str | None
    note: str | None
    entered: Entered


class SalePage(Page):
    sales: list[SaleOut]
    more: Annotated[bool, Field(description="Whether there are more than these")]


class SaleWords(DayWords, Longer):
    """Which sales."""

    unmatched: Annotated[
        Literal["yes", "no"] | None, Field(description="yes: only those of nobody known")
    ] = None


class SaleRow(Shape):
    """A sale as it is told; with the same `reference` it is the same sale."""

    at: Annotated[Cell, Field(description="As 2026-11-30T14:30:00Z; without a zone by the company's clocks")]
    revenue: Annotated[Cell, Field(description="As 1200.50")]
    profit: Cell = None
    currency: Annotated[Cell, Field(description="ISO 4217; without one the company's")] = None
    status: Annotated[Cell, Field(description="won or cancelled")] = None
    reference: Annotated[Cell, Field(description="The order's, of the shop or the CRM")] = None
    call: Annotated[Cell, Field(description="The call's key")] = None
    phone: Cell = None
    visitor: Cell = None
    note: Cell = None


class SaleRows(Shape):
    """Rows, all of which are taken or none."""

    model_config = ConfigDict(extra="ignore")

    sales: Annotated[list[SaleRow], Field(min_length=1, max_length=5000)]


class SalesTold(RootModel[SaleRows | list[SaleRow] | SaleRow | dict[str, Any] | list[dict[str, Any]]]):
    """Rows, or one row by itself; with `map.…` somebody else's message of any shape."""


class SalesTaken(Taken):
    """What became of the rows."""

    left_out: Annotated[int, Field(description="Of a mapped message: rows that are no sales")] = 0


class _Mapping(Query):
    """Where in a message each thing stands; an address may have words of others' besides."""

    model_config = ConfigDict(extra="allow")

    won: Annotated[Line | None, Field(description="Their statuses that are a sale, with commas")] = None
    cancelled: Annotated[Line | None, Field(description="Their statuses that take one back")] = None


def _path(name: str, text: str) -> Any:
    return (Line | None, Field(None, alias=f"map.{name}", description=text))


SaleMapping: type[Query] = create_model(
    "SaleMapping",
    __base__=_Mapping,
    map_rows=_path("rows", "Path of the list of rows in the message; none: it is the list, or one row"),
    **{f"map_{name}": _path(name, f"Path of `{name}` in a row") for name in SALE_COLUMNS},
)


class SaleChange(Shape):
    """What became of it."""

    status: SaleStatus


@api.get("/sales")
@operation(Scope.MONEY_READ, Right.JUDGE, query=SaleWords, answer=SalePage)
def list_sales(asked: Asked[SaleWords, None]) -> dict[str, Any]:
    """The sales of the days `since` to `until`, the newest first."""
    words, limit = asked.query, asked.query.limit
    found = sales.list_sales(
        asked.session, [asked.company], *days_of(asked), unmatched=words.unmatched == "yes",
        limit=limit + 1, before=instant_cursor(words.cursor),
    )  # fmt: skip
    shown, more = found[:limit], len(found) > limit
    return {
        "sales": [sales.describe_sale(each) for each in shown],
        "more": more,
        "next": cursor_of(shown[-1].at, shown[-1].id) if more else None,
    }


@api.get("/sales/<sale>")
@operation(Scope.MONEY_READ, Right.JUDGE, answer=SaleOut)
def show_sale(asked: Asked[Query, None], sale: str) -> dict[str, Any]:
    """One sale."""
    return sales.describe_sale(_find(asked, sale))


@api.patch("/sales/<sale>")
@operation(Scope.MONEY_WRITE, Right.JUDGE, body=SaleChange, answer=SaleOut, current=show_sale)
def set_status(asked: Asked[Query, SaleChange], sale: str) -> dict[str, Any]:
    """Cancels a sale, or takes that back."""
    found = _find(asked, sale)
    sales.set_status(asked.session, asked.by, found, asked.body.status)
    return sales.describe_sale(found)


@api.delete("/sales/<sale>")
@operation(Scope.MONEY_WRITE, Right.JUDGE, status=204, current=show_sale)
def delete_sale(asked: Asked[Query, None], sale: str) -> None:
    """Takes a sale away that never was; one that came to nothing is cancelled instead."""
    sales.delete_sale(asked.session, asked.by, _find(asked, sale))


def _find(asked: Asked[Any, Any], sale: str) -> Sale:
    return sales.get_sale(asked.session, [asked.company.id], sale)
