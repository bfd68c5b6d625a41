"""The rows of a visit: how it begins, page after page, and its signs of life.

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
from tracker.models.base import Instant
from tracker.policy.reported import Page

_VISITOR = sa.insert(Visitor).returning(Visitor.id)
_VISIT = sa.insert(Visit).returning(Visit.id)
_PAGE = sa.insert(PageView)
_SEEN = (
    sa.update(Visit)
    .where(Visit.id == sa.bindparam("seen_visit"))
    .values(seen_at=sa.bindparam("seen", type_=Instant()), left_at=sa.bindparam("left", type_=Instant()))
)
_LOOKED = (
    sa.update(PageView)
    .where(PageView.id == sa.bindparam("looked_page"))
    .values(until_at=sa.bindparam("looked_until", type_=Instant()))
)


@dataclass(frozen=True)
class Ids:
    """Of a visitor and his visit."""

    visitor: int
    visit: int


@dataclass(frozen=True)
class Sign:
    """A sign of life, and until when the newest page has been looked at by it (None: there is no page)."""

    visit_id: int
    seen_at: datetime
    left_at: datetime | None
    page_id: int | None
    looked_until: datetime | None
    looked: bool  # it is later than what is known


def write_first(on: sa.Connection, visitor: Mapping[str, Any], visit: Mapping[str, Any], page: Page) -> Ids:
    """A visitor, his first visit and its first page, each as its table has it."""
    if on.dialect.name == "postgresql":
        row = {**visitor, **visit, **_named(_page(page, visit["started_at"]))}
        return Ids(*on.execute(_AT_ONCE, row).one())
    visitor_id = on.execute(_VISITOR, visitor).scalar_one()
    return Ids(visitor_id, write_visit(on, {"visitor_id": visitor_id, **visit}, page))


def write_visit(on: sa.Connection, visit: Mapping[str, Any], page: Page) -> int:
    """A visit and its first page. The visit's id."""
    visit_id: int = on.execute(_VISIT, visit).scalar_one()
    on.execute(_PAGE, {"visit_id": visit_id, **_page(page, visit["started_at"])})
    return visit_id


def write_sign(on: sa.Connection, sign: Sign) -> None:
    """A sign of life without a new page."""
    row = _sign(sign)
    if sign.looked and on.dialect.name == "postgresql":
        on.execute(_SIGN_AT_ONCE, row)
        return
    on.execute(_SEEN, row)
    if sign.looked:
        on.execute(_LOOKED, row)


def write_page(on: sa.Connection, sign: Sign, page: Page, at: datetime) -> None:
    """A further page that was opened in a visit, and the sign of life that it is."""
    row = {"visit_id": sign.visit_id, **_page(page, at)}
    if sign.looked and on.dialect.name == "postgresql":
        on.execute(_PAGE_AT_ONCE, {**_named(row), **_sign(sign)})
        return
    write_sign(on, sign)
    on.execute(_PAGE, row)


def _sign(sign: Sign) -> dict[str, Any]:
    seen = {"seen_visit": sign.visit_id, "seen": sign.seen_at, "left": sign.left_at}
    return {**seen, "looked_page": sign.page_id, "looked_until": sign.looked_until}


def _page(page: Page, at: datetime) -> dict[str, Any]:
    return {"at": at, "until_at": at, "url": page.url, "title": page.title}


def _named(page: Mapping[str, Any]) -> dict[str, Any]:
    """A page's row among others': SQLAlchemy would take a column's own name for every statement's."""
    return {f"page_{name}": value for name, value in page.items()}


def _given(
    table: type[Visitor | Visit | PageView], *without: str, prefix: str = ""
) -> dict[str, sa.BindParameter[Any]]:
    """The table's columns as they are given, by name."""
    columns = (each for each in table.__table__.columns if each.name not in {"id", *without})
    return {each.name: sa.bindparam(prefix + each.name, type_=each.type) for each in columns}


def _at_once() -> sa.Select[*tuple[Any, ...]]:
    visitor = sa.insert(Visitor).values(_given(Visitor)).returning(Visitor.id).cte("new_visitor")
    of_visit, of_page = _given(Visit, "visitor_id", "left_at"), _given(PageView, "visit_id", prefix="page_")
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


_DONE: sa.Select[*tuple[Any, ...]] = sa.select(sa.literal_column("1"))
_BOTH = _SEEN.cte("seen_visit"), _LOOKED.cte("looked_at_page")
_AT_ONCE = _at_once()
_PAGE_AT_ONCE = _DONE.add_cte(
    *_BOTH, sa.insert(PageView).values(_given(PageView, prefix="page_")).cte("new_page")
)
_SIGN_AT_ONCE = _DONE.add_cte(*_BOTH)
