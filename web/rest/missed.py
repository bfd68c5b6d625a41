"""Missed callers over the API: who called in vain, who was spoken to since, who still waits."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from flask import Blueprint
from pydantic import Field

from tracker import recovery
from tracker.policy.report_wish import spans_of
from tracker.policy.rights import Right, Scope
from web.rest.days import SpanWords
from web.rest.operation import Asked, operation
from web.rest.shapes import Shape

api = Blueprint("rest_missed", __name__, url_prefix="/api/v1")


class MissedFigures(Shape):
    """Persons who called in vain, and what became of them."""

    missed_callers: int
    called_back: Annotated[int, Field(description="We called them, and spoke with them")]
    called_again: Annotated[int, Field(description="They called again, and were answered")]
    waiting: int
    median_seconds: Annotated[
        float | None, Field(description="From the end of the first call in vain to the conversation")
    ]
    p90_seconds: float | None


class MissedBySource(MissedFigures):
    source: Annotated[str | None, Field(description="Null: nothing says where they came from")]


class MissedByEmployee(MissedFigures):
    employee: Annotated[str | None, Field(description="Who spoke with them; null: nobody knows")]


class MissedWaiting(Shape):
    """A person whom nobody has spoken with yet."""

    caller: str
    since: datetime
    last_call_at: datetime
    calls: int
    tries: Annotated[int, Field(description="Of ours, in vain")]
    source: str | None
    key: Annotated[str, Field(description="Of the last call")]


class MissedOut(MissedFigures):
    """Missed callers of some days."""

    since: date
    until: date
    missed_calls: int
    unknown_callers: Annotated[int, Field(description="Calls without a number")]
    by_source: list[MissedBySource]
    by_employee: list[MissedByEmployee]
    still_waiting: list[MissedWaiting]


@api.get("/missed")
@operation(Scope.REPORTS_READ, Right.JUDGE, query=SpanWords, answer=MissedOut)
def show_missed(asked: Asked[SpanWords, None]) -> dict[str, Any]:
    """Missed callers and what became of them, as `leaseline missed --json` has it, in these days."""
    words = spans_of(asked.query.words())
    return recovery.describe(recovery.read_recovery(asked.session, asked.company, words, asked.by.at))
