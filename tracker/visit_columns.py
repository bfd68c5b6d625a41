"""What attribution models ask of visits, as columns: who came when, and the words of what is credited."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.models import Company, Site, Visit
from tracker.policy.columns import write_numbers
from tracker.policy.report_words import CREDITED, By
from tracker.policy.sheets import Interval
from tracker.report_cells import Asked, Cells
from tracker.sheet_columns import Facts, instant_of, read_facts, words_of, write_facts
from tracker.sheet_kinds import Kind, name_of
from tracker.sheets import Written

NUMBERS = ("at", "visitor")
WORDS = tuple(by.value for by in By if by in CREDITED)


def read_visits(asked: Asked, time: Interval, names: Iterable[str]) -> Facts | None:
    """Columns of all visits to the company's sites in that time; None where sheets would help nothing."""
    return read_facts(asked.session, asked.company, KIND, time, names)


def first_visit_at(session: Session, company_id: int) -> datetime | None:
    """When the first visit to the company's sites was."""
    # Each site's is found in an index at once; the first of all would be looked for in all visits.
    one = sa.select(sa.func.min(Visit.started_at)).where(Visit.site_id == Site.id).scalar_subquery()
    found = session.scalars(sa.select(one).where(Site.company_id == company_id))
    return min((at for at in found if at is not None), default=None)


def write_sheet(session: Session, company_id: int, time: Interval) -> Written:
    return write_facts(session, company_id, KIND, time, [*NUMBERS, *WORDS])


def _columns(session: Session, company: Company, time: Interval, names: Collection[str]) -> dict[str, bytes]:
    parts = [By(name) for name in WORDS if name in names]
    cells = Cells(session, parts, ZoneInfo(company.timezone), time.since, time.until)
    told = cells.of_visits(sa.select(Visit.id, Visit.started_at, Visit.visitor_id, *cells.columns))
    within = (
        Visit.site_id.in_(sa.select(Site.id).where(Site.company_id == company.id)),
        Visit.started_at >= time.since,
        Visit.started_at < time.until,
    )
    rows = session.connection().execute(told.where(*within).order_by(Visit.started_at, Visit.id)).all()
    found = {
        "at": write_numbers(instant_of(row[1]) for row in rows),
        "visitor": write_numbers(row[2] for row in rows),
    }
    keys = [cells.key(row[3:]) for row in rows]
    for place, by in enumerate(parts):
        found[by.value] = words_of(key[place] for key in keys)
    return {name: found[name] for name in names}


KIND = Kind(name_of("visits", (*NUMBERS, *WORDS)), NUMBERS, "at", _columns, first_visit_at)
