"""Visits as a list and as an export: what came, from where, what it was shown, and who called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, raiseload

from tracker.journey import iso
from tracker.models import Call, CodeLease, Lease, Number, PageView, Pool, Site, Visit, VisitEvent, Visitor
from tracker.newest import Sought, newest, read_place

MOST = 500  # visits a page of the list
_ROWS_AT_A_TIME = 1000  # of an export: memory stays flat, however long the history is


@dataclass(frozen=True)
class ListedVisit:
    """A visit, and what there is of it."""

    visit: Visit
    pages: int
    numbers: tuple[str, ...]  # leased to it, and codes, in order
    calls: int


@dataclass(frozen=True)
class VisitPage:
    """Visits newest first; `next` asks for the page after this one, None at the end."""

    visits: Sequence[ListedVisit]
    next: str | None


def list_visits(
    session: Session,
    company_ids: Sequence[int],
    *,
    site: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: str | None = None,
    limit: int = 50,
) -> VisitPage:
    """A page of these companies' visits, of one site by its name, that began in that half-open interval.

    `before` is the `next` of the page before. Raises Rejected `page.malformed`.
    """
    limit = min(max(limit, 1), MOST)
    began = [Visit.started_at >= since] if since else []
    began += [Visit.started_at < until] if until else []
    sought = Sought(Visit.site_id, Visit.started_at, Visit.id, began)
    owners = sa.select(Site.id).where(Site.company_id.in_(company_ids)).order_by(Site.id)
    if site is not None:
        owners = owners.where(Site.name == site)
    place = read_place(before) if before else None
    places = newest(session, sought, session.scalars(owners).all(), limit + 1, place)
    shown = [it.id for it in places[:limit]]
    return VisitPage(_listed(session, shown), str(places[limit - 1]) if len(places) > limit else None)


def _listed(session: Session, ids: Sequence[int]) -> list[ListedVisit]:
    wanted = sa.select(Visit).where(Visit.id.in_(ids)).options(joinedload(Visit.site), raiseload("*"))
    found = session.scalars(wanted.order_by(Visit.started_at.desc(), Visit.id.desc())).all()
    pages, calls = _counted(session, PageView.visit_id, ids), _counted(session, Call.visit_id, ids)
    numbers = _shown(session, ids)
    return [
        ListedVisit(it, pages.get(it.id, 0), tuple(numbers.get(it.id, ())), calls.get(it.id, 0))
        for it in found
    ]


def describe(listed: ListedVisit) -> dict[str, Any]:
    """A visit of the list as JSON. Instants are ISO 8601 in UTC."""
    it = listed.visit
    return {
        "id": it.id,
        "site": it.site.name,
        "started_at": iso(it.started_at),
        "seen_at": iso(it.seen_at),
        "left_at": iso(it.left_at),
        "medium": it.medium,
        "source": it.source,
        "campaign": it.campaign,
        "keyword": it.keyword,
        "channel_group": it.group or None,
        "paid": it.paid,
        "device": it.device,
        "system": it.system,
        "browser": it.browser,
        "country": it.country,
        "landing_url": it.landing_url,
        "pages": listed.pages,
        "numbers": list(listed.numbers),
        "missed": it.missed,
        "calls": listed.calls,
    }


def export(
    session: Session, company_id: int, what: str, since: datetime | None = None
) -> Iterator[dict[str, Any]]:
    """Every visit, page, event or lease of a company, the oldest first, from `since` on: one flat row each.

    `what` is one of EXPORTS. Rows are read as they are asked for.
    """
    columns, at = EXPORTS[what]
    wanted = sa.select(*columns).select_from(Visit).join(Site, Site.id == Visit.site_id)
    if what != "visits":
        table = at.class_
        wanted = wanted.join(table, table.visit_id == Visit.id)
    else:
        wanted = wanted.join(Visitor, Visitor.id == Visit.visitor_id)
    if what == "leases":
        wanted = wanted.join(Number, Number.id == Lease.number_id).join(Pool, Pool.id == Lease.pool_id)
    wanted = wanted.where(Site.company_id == company_id).order_by(at, at.class_.id)
    if since is not None:
        wanted = wanted.where(at >= since)
    for row in session.execute(wanted.execution_options(yield_per=_ROWS_AT_A_TIME)).mappings():
        yield {name: iso(value) if isinstance(value, datetime) else value for name, value in row.items()}


# Columns by their names in the books, and the instant rows are sorted and cut by.
EXPORTS: dict[str, tuple[tuple[Any, ...], Any]] = {
    "visits": (
        (
            Visit.id, Site.name.label("site"), Visitor.key.label("visitor"),
            *(
                column
                for column in Visit.__table__.columns
                if column.name not in {"id", "visitor_id", "site_id"}
            ),
        ),
        Visit.started_at,
    ),
    "pages": ((PageView.visit_id, PageView.at, PageView.until_at, PageView.url, PageView.title), PageView.at),
    "events": ((VisitEvent.visit_id, VisitEvent.at, VisitEvent.kind, VisitEvent.detail), VisitEvent.at),
    "leases": (
        (
            Lease.visit_id, Number.e164.label("number"), Pool.name.label("pool"), Lease.from_at,
            Lease.expires_at, Lease.until_at,
            # While it goes on, it tells only whether its visitor has left.
            sa.case((Lease.until_at.is_not(None), Lease.ended_by)).label("ended_by"),
        ),
        Lease.from_at,
    ),
}  # fmt: skip


def _counted(session: Session, column: Any, ids: Sequence[int]) -> dict[int, int]:
    counted = sa.select(column, sa.func.count()).where(column.in_(ids)).group_by(column)
    return {row[0]: row[1] for row in session.execute(counted)}


def _shown(session: Session, ids: Sequence[int]) -> dict[int, list[str]]:
    leased = sa.select(Lease.visit_id, Number.e164, Lease.from_at).join(Number, Number.id == Lease.number_id)
    coded = sa.select(CodeLease.visit_id, CodeLease.code, CodeLease.from_at)
    either = sa.union_all(
        leased.where(Lease.visit_id.in_(ids)), coded.where(CodeLease.visit_id.in_(ids))
    ).order_by("from_at")
    found: dict[int, list[str]] = {}
    for visit_id, text, _ in session.execute(either):
        if text not in found.setdefault(visit_id, []):
            found[visit_id].append(text)
    return found
