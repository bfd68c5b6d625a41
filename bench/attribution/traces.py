"""What visits leave behind in the tables, besides leases: pages with their times, clicks, leaving.

Written in batches, as far as it had happened at that instant: nobody looks between two judgements. The rows
are those that tracker.visits would have written.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bench.attribution.world import Visit, World
from tracker.models import PageView, VisitEvent, VisitEventKind
from tracker.models import Visit as VisitRow
from tracker.policy.visits import looked_until

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)  # the world's second 0
SITE_ID = 1

_PAGE = sa.insert(PageView)
_CLICK = sa.insert(VisitEvent)
_LOOKED = sa.update(PageView).where(PageView.id == sa.bindparam("page")).values(until_at=sa.bindparam("to"))
_SEEN = (
    sa.update(VisitRow)
    .where(VisitRow.id == sa.bindparam("visit"))
    .values(seen_at=sa.bindparam("seen"), left_at=sa.bindparam("left"))
)


def instant(at: float) -> datetime:
    """A moment of the world as the product knows it."""
    return MONDAY + timedelta(seconds=at)


def visit_id(visit: Visit | int) -> int:
    """The id of a visit's row."""
    return (visit if isinstance(visit, int) else visit.number) + 1


class Traces:
    """The traces of a world's visits, in the order of time."""

    def __init__(self, world: World) -> None:
        self._coming = sorted(event for visit in world.visits for event in _events(visit))
        self._next = 0
        self._pages = 0
        self._looking: dict[int, tuple[int, datetime]] = {}  # by visit: its newest page, looked at until

    def write(self, session: Session, until: float) -> None:
        """Everything that has happened since the last time."""
        new: dict[int, dict[str, Any]] = {}
        looked: dict[int, dict[str, Any]] = {}
        seen: dict[int, dict[str, Any]] = {}
        clicks: list[dict[str, Any]] = []
        for at, visit, kind in self._happened(until):
            moment = instant(at)
            self._look(visit, moment, new, looked)
            seen[visit] = {"visit": visit, "seen": moment, "left": moment if kind == "leave" else None}
            if kind == "page":
                self._open(visit, moment, new)
            elif kind == "click":
                clicks.append(_click(visit, moment))
        connection = session.connection()
        for statement, rows in ((_PAGE, new), (_LOOKED, looked), (_SEEN, seen)):
            if rows:
                connection.execute(statement, list(rows.values()))
        if clicks:
            connection.execute(_CLICK, clicks)

    def _happened(self, until: float) -> Iterator[tuple[float, int, str]]:
        while self._next < len(self._coming) and self._coming[self._next][0] <= until:
            yield self._coming[self._next]
            self._next += 1

    def _look(
        self, visit: int, at: datetime, new: dict[int, dict[str, Any]], looked: dict[int, dict[str, Any]]
    ) -> None:
        if visit not in self._looking:
            return
        page, until = self._looking[visit]
        until = looked_until(until, at)
        self._looking[visit] = page, until
        if page in new:
            new[page]["until_at"] = until
        else:
            looked[page] = {"page": page, "to": until}

    def _open(self, visit: int, at: datetime, new: dict[int, dict[str, Any]]) -> None:
        self._pages += 1
        self._looking[visit] = self._pages, at
        new[self._pages] = {
            "id": self._pages, "visit_id": visit, "at": at, "until_at": at, "url": "https://shop.example/",
        }  # fmt: skip


def _events(visit: Visit) -> Iterator[tuple[float, int, str]]:
    kinds = dict.fromkeys(visit.pages, "page") | dict.fromkeys(visit.heard_clicks, "click")
    for at in visit.signs():
        yield at, visit_id(visit), kinds.get(at, "ping")
    if visit.left is not None:
        yield visit.left, visit_id(visit), "leave"


def _click(visit: int, at: datetime) -> dict[str, Any]:
    return {"visit_id": visit, "at": at, "kind": VisitEventKind.PHONE_CLICK, "detail": {}}
