"""The newest rows of many owners, page by page: each owner's by its own index, however long the history is.

A page ends at an instant and a row, both sorted by, so that rows which are added change no page after it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from tracker.errors import Rejected
from tracker.portions import portions

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PARTS = 50  # of one statement; SQLite takes some hundred


@dataclass(frozen=True, order=True)
class Place:
    """Where a page ends."""

    at: datetime
    id: int

    def __str__(self) -> str:
        return f"{(self.at - EPOCH) // timedelta(microseconds=1)}-{self.id}"


def read_place(text: str) -> Place:
    """The place that a cursor names. Raises Rejected `page.malformed`."""
    if not re.fullmatch(r"[0-9]{1,17}-[0-9]{1,18}", text, re.ASCII):
        raise Rejected("page.malformed", "This is no place in the list", "Begin without a cursor")
    micros, row = text.split("-")
    return Place(EPOCH + timedelta(microseconds=int(micros)), int(row))


def beyond(at: InstrumentedAttribute[datetime], row: InstrumentedAttribute[int], place: Place) -> Any:
    """What comes after that place, the newest first."""
    here = sa.tuple_(sa.literal(place.at, at.type), sa.literal(place.id))
    return sa.tuple_(at, row) < here


@dataclass(frozen=True)
class Sought:
    """Rows of `owner`, sorted by `at` and the row's id; `where` narrows them."""

    owner: InstrumentedAttribute[int]
    at: InstrumentedAttribute[datetime]
    row: InstrumentedAttribute[int]
    where: Sequence[sa.ColumnElement[bool]] = ()


def newest(
    session: Session, sought: Sought, owners: Sequence[int], limit: int, before: Place | None = None
) -> list[Place]:
    """The newest rows of these owners, before that place; a statement for each fifty owners."""
    found: list[Place] = []
    for some in portions(owners, _PARTS):
        # What is older than the last row found cannot be on this page.
        since = found[-1].at if len(found) == limit else None
        parts = [_part(sought, owner, limit, before, since) for owner in some]
        rows = [Place(at, row) for at, row in session.execute(sa.union_all(*parts))]
        found = sorted([*found, *rows], reverse=True)[:limit]
    return found


def _part(
    sought: Sought, owner: int, limit: int, before: Place | None, since: datetime | None
) -> sa.Select[Any]:
    wanted = sa.select(sought.at, sought.row).where(sought.owner == owner, *sought.where)
    if before is not None:
        wanted = wanted.where(beyond(sought.at, sought.row, before))
    if since is not None:
        wanted = wanted.where(sought.at >= since)
    return sa.select(wanted.order_by(sought.at.desc(), sought.row.desc()).limit(limit).subquery())
