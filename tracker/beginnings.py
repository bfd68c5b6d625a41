"""How a visit begins in the books: the visitor, the visit and its first page.

On PostgreSQL each statement is a way to the server and back, so what belongs together is one; SQLite, which
would not take it, has no such way to go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tracker.models import PageView, Visit, Visitor
from tracker.policy.reported import Page

_VISITOR = sa.insert(Visitor).returning(Visitor.id)
_VISIT = sa.insert(Visit).returning(Visit.id)
_PAGE = sa.insert(PageView)


@dataclass(frozen=True)
class Ids:
    """Of a visitor and his visit."""

    visitor: int
    visit: int


def write_first(on: sa.Connection, visitor: Mapping[str, Any], visit: Mapping[str, Any], page: Page) -> Ids:
    """A visitor, his first visit and its first page, each as its table has it."""
    if on.dialect.name == "postgresql":
        row = {**visitor, **visit, **_page(page, visit["started_at"])}
        return Ids(*on.execute(_AT_ONCE, row).one())
    visitor_id = on.execute(_VISITOR, visitor).scalar_one()
    return Ids(visitor_id, write_visit(on, {"visitor_id": visitor_id, **visit}, page))


def write_visit(on: sa.Connection, visit: Mapping[str, Any], page: Page) -> int:
    """A visit and its first page. The visit's id."""
    visit_id: int = on.execute(_VISIT, visit).scalar_one()
    write_page(on, visit_id, page, visit["started_at"])
    return visit_id


def write_page(on: sa.Connection, visit_id: int, page: Page, at: datetime) -> None:
    """A page that was opened in a visit."""
    on.execute(_PAGE, {"visit_id": visit_id, **_page(page, at)})


def _page(page: Page, at: datetime) -> dict[str, Any]:
    return {"at": at, "until_at": at, "url": page.url, "title": page.title}


def _given(table: type[Visitor | Visit | PageView], *without: str) -> dict[str, sa.BindParameter[Any]]:
    """The table's columns as they are given, by name."""
    columns = (each for each in table.__table__.columns if each.name not in {"id", *without})
    return {each.name: sa.bindparam(each.name, type_=each.type) for each in columns}


def _at_once() -> sa.Select[*tuple[Any, ...]]:
    visitor = sa.insert(Visitor).values(_given(Visitor)).returning(Visitor.id).cte("new_visitor")
    of_visit, of_page = _given(Visit, "visitor_id", "left_at"), _given(PageView, "visit_id")
    visit = (
        sa.insert(Visit)
        .from_select(
            ["visitor_id", *of_visit], sa.select(visitor.c.id, *of_visit.values()), include_defaults=False
        )
        .returning(Visit.visitor_id, Visit.id)
        .cte("new_visit")
    )
    page = sa.insert(PageView).from_select(
        ["visit_id", *of_page], sa.select(visit.c.id, *of_page.values()), include_defaults=False
    )
    return sa.select(visit.c.visitor_id, visit.c.id).add_cte(page.cte("new_page"))


_AT_ONCE = _at_once()
