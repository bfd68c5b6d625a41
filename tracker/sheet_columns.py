"""Facts of some time as columns: out of day sheets, and of days without one out of the books.

facts = read_facts(session, company, KIND, time, names)      # None: too many days have no sheet
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from tracker import sheet_stretches
from tracker.models import Company
from tracker.policy.columns import Column, Ints, write
from tracker.policy.report_words import Cell
from tracker.policy.sheets import Gap, Interval, plan
from tracker.policy.spans import midnight
from tracker.sheet_kinds import Kind, digest
from tracker.sheet_stretches import Part, joined_as
from tracker.sheets import Written, read_sheets

MOST_GAP_DAYS = 10  # whose facts are read one by one; of more the database counts all
_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, eq=False)
class Facts:
    """So many facts (`count`) in the order in which they came, and columns of them by their names."""

    count: int
    numbers: Mapping[str, Ints]
    words: Mapping[str, Column]


def write_facts(
    session: Session, company_id: int, kind: Kind, time: Interval, names: Iterable[str]
) -> Written:
    """A day's columns; the sheet itself says only whether they are those that were written."""
    columns = kind.make(session, session.get_one(Company, company_id), time, list(names))
    return Written(digest(columns), columns)


def read_facts(
    session: Session, company: Company, kind: Kind, time: Interval, names: Iterable[str]
) -> Facts | None:
    """Columns of all facts of that time; None where sheets would help nothing."""
    names = list(dict.fromkeys((kind.key, *names)))
    first_at = kind.first_at(session, company.id)
    if first_at is None or first_at >= time.until:
        return _facts(
            kind, [kind.parsed(kind.make(session, company, Interval(time.until, time.until), names))], names
        )
    zone = ZoneInfo(company.timezone)
    # There is no sheet before the first fact's day.
    time = Interval(max(time.since, midnight(first_at.astimezone(zone).date(), zone)), time.until)
    gaps, stretches = _stretches(session, company.id, kind, time, names)
    without = sum((gap.time.until - gap.time.since for gap in gaps), timedelta())
    if not stretches or without > MOST_GAP_DAYS * _DAY:
        return None
    counted = {gap.time.since: kind.parsed(kind.make(session, company, gap.time, names)) for gap in gaps}
    parts = {**stretches, **counted}
    return _facts(kind, [parts[each] for each in sorted(parts)], names)


def _stretches(
    session: Session, company_id: int, kind: Kind, time: Interval, names: Sequence[str]
) -> tuple[Sequence[Gap], Mapping[datetime, Part]]:
    """The columns of stretches of days that have sheets, by their begin, and the gaps between."""
    sheets = {sheet.time: sheet for sheet in read_sheets(session, [company_id], kind.name, time)}
    while True:
        made_of = plan([company_id], time, sheets.values())
        found = sheet_stretches.read(session, company_id, kind, made_of.sheets, names)
        if not found.doubtful:
            return made_of.gaps, found.parts
        for day in found.doubtful:
            del sheets[day]


def _facts(kind: Kind, parts: Sequence[Part], names: Iterable[str]) -> Facts:
    told = {name: joined_as(kind, name, parts) for name in names}
    numbers = {name: column for name, column in told.items() if not isinstance(column, Column)}
    words = {name: column for name, column in told.items() if isinstance(column, Column)}
    return Facts(len(numbers[kind.key]), numbers, words)


def words_of(cells: Iterable[Cell]) -> bytes:
    return write(Column.of_words(cells))


def instant_of(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def at_of(instant: int) -> datetime:
    return _EPOCH + timedelta(microseconds=instant)
