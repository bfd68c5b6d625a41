"""Day sheets as reports read them: only those that hold.

A sheet holds when it is made and no change is noted at an instant of its day: then nothing of what it counts
has changed since it was counted, whoever changed it (tracker.models.sheet_triggers). Made by
tracker.sheet_maker.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.models import DaySheet, sheet_changes
from tracker.policy.sheets import Interval, Sheet


class Written(NamedTuple):
    """What a sheet says, and its columns by their names."""

    data: str
    columns: Mapping[str, bytes] = {}


CHANGED = sa.exists().where(
    sheet_changes.c.company_id == DaySheet.company_id,
    sheet_changes.c.at >= DaySheet.since_at,
    sheet_changes.c.at < DaySheet.until_at,
)


def read_sheets(session: Session, company_ids: Iterable[int], kind: str, time: Interval) -> list[Sheet]:
    """The sheets of days of these companies that lie within that time and hold."""
    wanted = sa.select(DaySheet.company_id, DaySheet.since_at, DaySheet.until_at, DaySheet.data).where(
        DaySheet.company_id.in_(list(company_ids)),
        DaySheet.kind == kind,
        DaySheet.since_at >= time.since,
        DaySheet.until_at <= time.until,
        DaySheet.draft.is_(None),
        ~CHANGED,
    )
    rows = session.connection().execute(wanted)
    return [Sheet(company_id, Interval(since, until), str(data)) for company_id, since, until, data in rows]
