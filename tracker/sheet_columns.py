"""Facts of some time as columns: out of day sheets, and of days without one out of the books.

facts = read_facts(session, company, KIND, time, names)      # None: too many days have no sheet
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zlib import crc32
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.models import Company, DaySheet, SheetColumn
from tracker.policy.columns import Column, Ints, joined, read, read_numbers, write
from tracker.policy.report_words import Cell
from tracker.policy.sheets import Interval, Sheet, plan
from tracker.policy.spans import midnight
from tracker.sheets import CHANGED, Written

MOST_GAP_DAYS = 10  # whose facts are read one by one; of more the database counts all
# The columns of a company's facts of some time, out of the books.
Make = Callable[[Session, Company, Interval, Collection[str]], Mapping[str, bytes]]
_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, eq=False)
class Facts:
    """So many facts (`count`) in the order in which they came, and columns of them by their names."""

    count: int
    numbers: Mapping[str, Ints]
    words: Mapping[str, Column]


@dataclass(frozen=True)
class Kind:
    """A kind of sheets; `numbers` are the columns that have no words, `key` one that is always read."""

    name: str
    numbers: Collection[str]
    key: str
    make: Make
    first_at: Callable[[Session, int], datetime | None]  # when a company's first fact was


def name_of(kind: str, columns: Iterable[str]) -> str:
    """Of a kind of sheets with these columns: with others it has another name, and is made anew."""
    return f"{kind}-{crc32(' '.join(columns).encode()):08x}"


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
        return _together(kind, [kind.make(session, company, Interval(time.until, time.until), names)], names)
    zone = ZoneInfo(company.timezone)
    # There is no sheet before the first fact's day.
    time = Interval(max(time.since, midnight(first_at.astimezone(zone).date(), zone)), time.until)
    sheets = _sheets(session, company.id, kind, time, names)
    made_of = plan([company.id], time, [Sheet(company.id, each, "") for each in sheets])
    parts = {each.time: sheets[each.time] for each in made_of.sheets}
    without = sum((gap.time.until - gap.time.since for gap in made_of.gaps), timedelta())
    if not parts or without > MOST_GAP_DAYS * _DAY:
        return None
    for gap in made_of.gaps:
        parts[gap.time] = kind.make(session, company, gap.time, names)
    return _together(kind, [parts[each] for each in sorted(parts)], names)


def _sheets(
    session: Session, company_id: int, kind: Kind, time: Interval, names: Sequence[str]
) -> dict[Interval, Mapping[str, bytes]]:
    """The columns of days whose sheets hold, read in one statement with that."""
    of_sheet = sa.and_(
        SheetColumn.company_id == DaySheet.company_id,
        SheetColumn.kind == DaySheet.kind,
        SheetColumn.since_at == DaySheet.since_at,
    )
    wanted = (
        sa.select(DaySheet.since_at, DaySheet.until_at, SheetColumn.name, SheetColumn.data)
        .join(SheetColumn, of_sheet)
        .where(
            DaySheet.company_id == company_id,
            DaySheet.kind == kind.name,
            DaySheet.since_at >= time.since,
            DaySheet.until_at <= time.until,
            DaySheet.draft.is_(None),
            ~CHANGED,
            SheetColumn.name.in_(names),
        )
    )
    found = defaultdict[Interval, dict[str, bytes]](dict)
    for since, until, name, data in session.connection().execute(wanted):
        found[Interval(since, until)][name] = data
    return {day: columns for day, columns in found.items() if len(columns) == len(names)}


def _together(kind: Kind, parts: Sequence[Mapping[str, bytes]], names: Sequence[str]) -> Facts:
    counts = [len(read_numbers(part[kind.key])) for part in parts]
    numbers, words = dict[str, Ints](), dict[str, Column]()
    for name in names:
        data = [part[name] for part in parts]
        if name in kind.numbers:
            numbers[name] = read_numbers(b"".join(data))
        else:
            words[name] = joined([read(each) for each in data], counts)
    return Facts(sum(counts), numbers, words)


def digest(columns: Mapping[str, bytes]) -> str:
    """In few bytes what the columns say: what stands in the sheet itself."""
    return json.dumps({name: hashlib.sha256(data).hexdigest()[:16] for name, data in sorted(columns.items())})


def words_of(cells: Iterable[Cell]) -> bytes:
    return write(Column.of_words(cells))


def instant_of(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def at_of(instant: int) -> datetime:
    return _EPOCH + timedelta(microseconds=instant)
