"""What stands in many operations' questions and answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from tracker.errors import Rejected

T = TypeVar("T")

MOST = 500
USUAL = 50

# Text that people type: of bounded length, without control characters, which no database or page wants.
Line = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Name = Annotated[Line, Field(min_length=1, max_length=100)]
Id = Annotated[int, Field(ge=1, le=2**53 - 1)]


class Shape(BaseModel):
    """Something asked or answered: what it does not name does not belong."""

    model_config = ConfigDict(extra="forbid")


class Query(Shape):
    """The words of an address. `company` belongs to every one."""

    company: Annotated[
        Line | None, Field(description="The company's short name, for people who see several")
    ] = None


class Paged(Query):
    """A list that is answered in pages."""

    limit: Annotated[int, Field(ge=1, le=MOST, description="How many at most")] = USUAL
    cursor: Annotated[Line | None, Field(description="`next` of the page before; none: the first page")] = (
        None
    )


class Page(Shape):
    """One page of a list."""

    next: Annotated[str | None, Field(description="The next page's `cursor`; null on the last")]


class SourceWords(Shape):
    """Where somebody came from."""

    medium: str
    source: str
    campaign: str | None
    keyword: str | None
    content: Annotated[str | None, Field(description="The ad")]
    channel_group: Annotated[str | None, Field(examples=["Paid Search"])]


class Fault(Shape):
    """Why something was refused, and what would not be."""

    id: Annotated[str, Field(description="Stable, for programs", examples=["number.duplicate"])]
    message: Annotated[str, Field(description="One sentence")]
    fix: Annotated[str, Field(description="What to do about it")]


class Problem(Shape):
    """What is wrong with one part of a request."""

    place: Annotated[str, Field(description="Where: `body.name`, `query.limit`", examples=["query.limit"])]
    problem: str


class Refusal(BaseModel):
    """The one shape of everything that was refused."""

    error: Fault
    problems: Annotated[list[Any] | None, Field(description="Each part that is wrong, if several are")] = None


def cut(
    found: Iterable[T],
    asked: Paged,
    name: str,
    describe: Callable[[T], Mapping[str, Any]],
    row: Callable[[T], int] = attrgetter("id"),
) -> dict[str, Any]:
    """The page asked for of a whole list, in the order of its rows' ids. Raises Rejected cursor.malformed.

    For what a company has some hundreds of; what grows with its calls is read in pages. Only what is on the
    page is described, which may cost a look each.
    """
    after = row_cursor(asked.cursor)
    rest = [it for it in sorted(found, key=row) if after is None or row(it) > after]
    shown = rest[: asked.limit]
    more = len(rest) > len(shown)
    return {name: [describe(it) for it in shown], "next": str(row(shown[-1])) if more else None}


def row_cursor(text: str | None) -> int | None:
    """The row that a cursor names; None where there is none. Raises Rejected cursor.malformed."""
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise Rejected("cursor.malformed", "This is no cursor of ours", "Give `next` of the page before")
    return int(text)
