"""Who is responsible for which caller, over the API: told in lists, read in pages."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from flask import Blueprint
from pydantic import Field

from tracker import responsibles
from tracker.errors import Rejected
from tracker.policy.rights import Right, Scope
from tracker.policy.tables import BadRows
from web.rest.operation import Asked, operation
from web.rest.shapes import Line, Page, Paged, Query, Shape, row_cursor

api = Blueprint("rest_responsibles", __name__, url_prefix="/api/v1")

MOST_ROWS = 5_000


class ResponsibleOut(Shape):
    """A caller, and the target that a plan's step `responsible` rings first for him."""

    phone: Annotated[str, Field(description="E.164")]
    responsible: Annotated[str, Field(description="The target's name")]
    told_by: str
    at: datetime


class ResponsiblePage(Page):
    responsibles: list[ResponsibleOut]


class ResponsibleRow(Shape):
    """A caller, and who is responsible for him."""

    phone: Line
    responsible: Annotated[
        Line | None, Field(description="A target by its name, extension or number; null: nobody any more")
    ]


class ResponsibleRows(Shape):
    responsibles: Annotated[list[ResponsibleRow], Field(min_length=1, max_length=MOST_ROWS)]


class ResponsibleCounts(Shape):
    set: int
    removed: int
    same: int


class Sought(Paged):
    phone: Annotated[Line | None, Field(description="Only callers whose number has these digits")] = None


@api.get("/responsibles")
@operation(Scope.CALLS_READ, Right.ADMINISTER, query=Sought, answer=ResponsiblePage)
def list_responsibles(asked: Asked[Sought, None]) -> dict[str, Any]:
    """Callers and who is responsible for each, those told of first."""
    limit, after = asked.query.limit, row_cursor(asked.query.cursor) or 0
    found = responsibles.page(asked.session, asked.company, limit + 1, asked.query.phone or "", after)
    told = [responsibles.describe(each) for each in found[:limit]]
    return {"responsibles": told, "next": str(found[limit - 1].id) if len(found) > limit else None}


@api.post("/responsibles")
@operation(Scope.CALLS_WRITE, Right.ADMINISTER, body=ResponsibleRows, answer=ResponsibleCounts)
def tell_responsibles(asked: Asked[Query, ResponsibleRows]) -> dict[str, Any]:
    """Says who is responsible for callers: all rows or none; the same again changes nothing."""
    rows = enumerate(asked.body.responsibles, start=1)
    lines = [(at, row.phone, row.responsible or "") for at, row in rows]
    try:
        told = responsibles.plan_list(asked.session, asked.company, lines)
    except BadRows as bad:
        first = bad.problems[0]
        raise Rejected(
            "rows.bad",
            "Row %(row)s, %(column)s: %(problem)s; nothing was stored",
            "Mend the rows and send all of them again",
            row=first.line,
            column=first.column,
            problem=first.said,
        ) from None
    done = responsibles.tell(asked.session, asked.by, asked.company, told)
    return {"set": len(done.set), "removed": len(done.gone), "same": len(done.same)}
