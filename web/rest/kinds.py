"""Kinds of values that several resources ask for: days, instants, amounts of money, places in a list."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, NoReturn

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints

from tracker.errors import Rejected
from web.rest.shapes import Query, row_cursor

FIRST_YEAR, LAST_YEAR = 2000, 2099
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,15}(?:Z|[+-][0-9]{2}:[0-9]{2})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _written_day(value: Any) -> Any:
    """A number is no day, though pydantic would count from 1970."""
    return value if isinstance(value, str) and _DAY.fullmatch(value) else "none"


def _written_instant(value: Any) -> Any:
    return value if isinstance(value, str) and _INSTANT.fullmatch(value) else "none"


def _in_our_time(value: Any) -> Any:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"is not between the years {FIRST_YEAR} and {LAST_YEAR}")
    return value.astimezone(UTC) if isinstance(value, datetime) else value


Day = Annotated[
    date,
    BeforeValidator(_written_day),
    AfterValidator(_in_our_time),
    Field(examples=["2026-11-30"]),
]
Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_written_instant),
    AfterValidator(_in_our_time),
    Field(examples=["2026-11-30T14:30:00Z"]),
]
# An exact decimal as a text, with a point; how many decimals there may be is the currency's.
Amount = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{1,11}(\.[0-9]{1,4})?$"), Field(examples=["1200.50"])
]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{3}$"), Field(examples=["EUR"])]
Words = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00-\x1f\x7f]*$")]
Note = Annotated[str, StringConstraints(max_length=300, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Longer(Query):
    """A list of rows, which is answered in long pages."""

    limit: Annotated[int, Field(ge=1, le=5000, description="How many at most")] = 5000
    cursor: Annotated[
        str | None, Field(max_length=60, description="`next` of the page before; none: the first page")
    ] = None


def day_cursor(text: str | None) -> tuple[date, int] | None:
    """The day and the id of the last row before. Raises Rejected cursor.malformed."""
    if (pair := _pair(text)) is None:
        return None
    try:
        return date.fromordinal(pair[0]), pair[1]
    except (ValueError, OverflowError):
        _refuse()


def instant_cursor(text: str | None) -> tuple[datetime, int] | None:
    """The instant and the id of the last row before. Raises Rejected cursor.malformed."""
    if (pair := _pair(text)) is None:
        return None
    try:
        return _EPOCH + timedelta(microseconds=pair[0]), pair[1]
    except OverflowError:
        _refuse()


def cursor_of(place: date, row: int) -> str:
    """The cursor of what follows that row: a day or an instant, and its id."""
    if isinstance(place, datetime):
        return f"{(place - _EPOCH) // timedelta(microseconds=1)}-{row}"
    return f"{place.toordinal()}-{row}"


def _pair(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    first, _, last = text.partition("-")
    place, row = row_cursor(first), row_cursor(last)
    assert place is not None  # noqa: S101  (only no text is no cursor)
    assert row is not None  # noqa: S101
    return place, row


def _refuse() -> NoReturn:
    raise Rejected("cursor.malformed", "This is no cursor of ours", "Give `next` of the page before")
