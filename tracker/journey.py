"""A visitor's journey: the pages and clicks of a visit, what was shown to it, the visits before and after.

A journey is read in a fixed number of statements, and is cut where a robot would make it endless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, raiseload

from tracker.models import CallCandidate, CodeLease, Lease, PageView, Pool, Visit, VisitEvent, WhenEmpty
from tracker.policy.touches import Touch, Touches, touches

MOST_VISITS = 200  # of one visitor
MOST_PAGES = 300  # of one visit; as many events

Row = TypeVar("Row", PageView, VisitEvent)


@dataclass(frozen=True)
class Journey:
    """A visit with its site, all it did and was shown, among the visitor's other visits, the oldest first.

    `visits` holds the newest MOST_VISITS and the first ever; `page_counts` is by visit id.
    """

    visit: Visit
    pages: Sequence[PageView]
    events: Sequence[VisitEvent]
    leases: Sequence[Lease]
    codes: Sequence[CodeLease]
    visits: Sequence[Visit]
    page_counts: Mapping[int, int]
    touches: Touches

    @property
    def is_cut(self) -> bool:
        """Whether the visitor came more often than `visits` tells."""
        return len(self.visits) > MOST_VISITS

    def before(self) -> list[Visit]:
        """The visits that began earlier than this one."""
        return [it for it in self.visits if _order(it) < _order(self.visit)]

    def after(self) -> list[Visit]:
        """The visits that began later."""
        return [it for it in self.visits if _order(it) > _order(self.visit)]


def read_journey(session: Session, visit_id: int, at: datetime) -> Journey:
    """All of a visit, with the visitor's touches as they stood at that instant. Six statements."""
    visit = session.scalars(
        sa.select(Visit)
        .where(Visit.id == visit_id)
        .options(joinedload(Visit.site), joinedload(Visit.visitor), raiseload("*"))
        .execution_options(populate_existing=True)  # a list may have left most of it out
    ).one()
    visits, page_counts = _visits(session, visit)
    return Journey(
        visit,
        _of_visit(session, PageView, visit_id),
        _of_visit(session, VisitEvent, visit_id),
        session.scalars(
            sa.select(Lease)
            .where(Lease.visit_id == visit_id)
            .options(joinedload(Lease.number), raiseload("*"))
            .order_by(Lease.from_at, Lease.id)
            .limit(MOST_PAGES)
        ).all(),
        session.scalars(
            sa.select(CodeLease)
            .where(CodeLease.visit_id == visit_id)
            .options(raiseload("*"))
            .order_by(CodeLease.from_at, CodeLease.id)
            .limit(MOST_PAGES)
        ).all(),
        visits,
        page_counts,
        touches([_touch(each) for each in visits], at),
    )


def read_candidates(session: Session, call_id: int) -> Sequence[CallCandidate]:
    """The possible sources of a call, the likeliest first, each with its visit or channel. One statement."""
    return session.scalars(
        sa.select(CallCandidate)
        .where(CallCandidate.call_id == call_id)
        .options(joinedload(CallCandidate.visit), joinedload(CallCandidate.channel), raiseload("*"))
        .order_by(CallCandidate.position)
    ).all()


def shows_codes(session: Session, company_id: int) -> bool:
    """Whether visitors of this company are shown codes, or have been, so that a caller may tell one."""
    now = sa.select(Pool.id).where(Pool.company_id == company_id, Pool.when_empty == WhenEmpty.CODE)
    once = sa.select(CodeLease.id).where(CodeLease.company_id == company_id)
    return bool(session.scalar(sa.select(sa.or_(now.exists(), once.exists()))))


def describe(journey: Journey) -> dict[str, Any]:
    """A journey as JSON. Instants are ISO 8601 in UTC."""
    it = journey.visit
    return {
        "id": it.id,
        "site": it.site.name,
        "started_at": iso(it.started_at),
        "seen_at": iso(it.seen_at),
        "left_at": iso(it.left_at),
        "landing_url": it.landing_url,
        "referrer": it.referrer,
        "click_ids": it.click_ids,
        "parameters": it.parameters,
        "suspicion": it.suspicion,
        "device": it.device,
        "system": it.system,
        "browser": it.browser,
        "language": it.language,
        "country": it.country,
        "missed": it.missed,
        "pages": [
            {"at": iso(page.at), "until_at": iso(page.until_at), "url": page.url, "title": page.title}
            for page in journey.pages
        ],
        "events": [
            {"at": iso(event.at), "kind": event.kind.value, "detail": event.detail}
            for event in journey.events
        ],
        "touches": _touches(journey),
        "visits": [_visit(visit) | {"pages": journey.page_counts[visit.id]} for visit in journey.visits],
    }


def describe_candidate(candidate: CallCandidate) -> dict[str, Any]:
    """A possible source of a call as JSON."""
    return {
        "basis": candidate.basis.value,
        "probability": candidate.probability,
        "reasons": candidate.reasons,
        "visit": candidate.visit and _visit(candidate.visit),
        "channel": candidate.channel and candidate.channel.name,
    }


def iso(at: datetime | None) -> str | None:
    """ISO 8601 in UTC with milliseconds, as all our JSON has it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None


def _touches(journey: Journey) -> dict[str, Any]:
    it, known = journey.touches, {visit.id: _visit(visit) for visit in journey.visits}
    return {
        "first": it.first and known[it.first.visit_id],
        "last": it.last and known[it.last.visit_id],
        "last_non_direct": it.last_non_direct and known[it.last_non_direct.visit_id],
    }


def _touch(it: Visit) -> Touch:
    return Touch(it.id, it.started_at, it.medium, it.source, it.campaign, it.keyword, it.group)


def _visit(visit: Visit) -> dict[str, Any]:
    return {
        "id": visit.id,
        "started_at": iso(visit.started_at),
        "medium": visit.medium,
        "source": visit.source,
        "campaign": visit.campaign,
        "keyword": visit.keyword,
        "content": visit.content,
        "channel_group": visit.group or None,
    }


def _of_visit(session: Session, table: type[Row], visit_id: int) -> Sequence[Row]:
    wanted = sa.select(table).where(table.visit_id == visit_id).order_by(table.at, table.id)
    return session.scalars(wanted.limit(MOST_PAGES)).all()


def _visits(session: Session, visit: Visit) -> tuple[list[Visit], dict[int, int]]:
    """The visitor's newest visits, the first and this one, the oldest first; how many pages each saw."""
    theirs = sa.select(Visit.id).where(Visit.visitor_id == visit.visitor_id)
    newest = theirs.order_by(Visit.started_at.desc(), Visit.id.desc()).limit(MOST_VISITS)
    oldest = theirs.order_by(Visit.started_at, Visit.id).limit(1)
    pages = sa.select(sa.func.count()).where(PageView.visit_id == Visit.id).correlate(Visit).scalar_subquery()
    # One list of ids: for conditions joined by OR PostgreSQL would read all visits there are.
    ends = (sa.select(each.subquery().c.id) for each in (newest, oldest))
    wanted = (
        sa.select(Visit, pages)
        .where(Visit.id.in_(sa.union(*ends, sa.select(sa.literal(visit.id)))))
        .options(raiseload("*"))
        .order_by(Visit.started_at, Visit.id)
    )
    rows = session.execute(wanted).all()
    return [row[0] for row in rows], {row[0].id: row[1] for row in rows}


def _order(visit: Visit) -> tuple[datetime, int]:
    return visit.started_at, visit.id
