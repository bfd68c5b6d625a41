"""What a phone system tells of its calls, and what it is answered."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, RootModel

from web.rest.shapes import Line, Query, Shape

Word = Annotated[str | int | float | None, Field(description="A text or a number; null is nothing")]


class ReportedAsked(Query):
    system: Annotated[
        Line | None,
        Field(description="The phone system whose references these are; without it, the key's name"),
    ] = None


class ReportedRow(Shape):
    """A call that is over."""

    reference: Annotated[str | int, Field(description="What that system knows the call by")]
    did: Annotated[str | int, Field(description="Dialled, one of ours; of a call that went out, shown")]
    started_at: Annotated[str, Field(description="With its zone", examples=["2026-11-30T14:30:00+03:00"])]
    caller: Annotated[Word, Field(description="`withheld` where hidden; of a call that went out, called")] = (
        None
    )
    caller_name: Word = None
    ring_seconds: Annotated[Word, Field(description="Seconds, or HH:MM:SS")] = None
    talk_seconds: Annotated[Word, Field(description="The same")] = None
    answered_at: Annotated[Word, Field(description="In place of the seconds")] = None
    ended_at: Word = None
    outcome: Annotated[
        Word, Field(description="Ours, or what phone systems say; without it, by whether there was talk")
    ] = None
    extension: Annotated[Word, Field(description="Who took it")] = None
    employee: Annotated[Word, Field(description="Who took it, by name")] = None
    direction: Annotated[Word, Field(description="`in`, `out`; rows of `internal` calls are left out")] = None
    recording_url: Annotated[Word, Field(description="Shown as a link, never fetched")] = None


class ReportedBatch(Shape):
    calls: Annotated[list[ReportedRow], Field(min_length=1, max_length=1000)]


class ReportedCalls(RootModel[Any]):
    """Rows, 1,000 at most: a list, an object with `calls`, or one row."""

    root: Annotated[list[ReportedRow], Field(min_length=1, max_length=1000)] | ReportedBatch | ReportedRow


class ReportedProblem(Shape):
    """Why a row was not taken."""

    row: Annotated[int, Field(description="From 1")]
    column: str
    problem: str


class ReportedTaken(Shape):
    """What became of the rows."""

    new: int
    changed: int
    same: int
    left_out: Annotated[dict[str, int], Field(description="How many, by reason")]
    problems: list[ReportedProblem]
