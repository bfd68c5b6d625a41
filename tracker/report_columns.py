"""What reports group and count of calls, as columns: from day sheets, and of other days from the calls.

facts = read_facts(asked, ["outcome", "judged", "phone", "source"])
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zlib import crc32
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.call_search import KNOWN, Condition, of_companies
from tracker.models import Call, CallTag, Company, DaySheet, SheetColumn, Tag, Visit
from tracker.policy.columns import Column, Ints, joined, read, read_numbers, write, write_numbers
from tracker.policy.report_words import OVERLAPPING, Blank, By, Cell
from tracker.policy.sheets import Gap, Interval, Sheet, plan
from tracker.policy.spans import midnight
from tracker.policy.tally import known_as
from tracker.report_cells import Asked, Cells
from tracker.sheets import CHANGED, Written

NUMBERS = ("id", "at", "phone", "visitor")
PLAIN = [by for by in By if by not in OVERLAPPING]
TOLD = ("outcome", "judged", "origin", *(by.value for by in By))
KIND = f"calls-{crc32(' '.join((*NUMBERS, *TOLD)).encode()):08x}"  # told otherwise, by another name
MOST_GAP_DAYS = 10  # whose calls are read one by one; of more the database counts all
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, eq=False)
class Facts:
    """So many calls (`count`) in the order in which they came, and columns of them by their names."""

    count: int
    numbers: Mapping[str, Ints]
    words: Mapping[str, Column]


def read_facts(asked: Asked, names: Iterable[str]) -> Facts | None:
    """Columns of all calls of the company in the span; None where sheets would help nothing."""
    company = asked.company
    first_at = asked.session.scalar(sa.select(sa.func.min(Call.started_at)).where(_company(company.id)))
    if first_at is None or first_at >= asked.span.until:
        return None
    time = Interval(max(asked.span.since, _midnight(first_at, company)), asked.span.until)
    names = list(dict.fromkeys(("id", *names)))
    sheets = _sheets(asked.session, company.id, time, names)
    made_of = plan([company.id], time, [Sheet(company.id, each, "") for each in sheets])
    parts = {each.time: sheets[each.time] for each in made_of.sheets}
    if not parts or sum((_length(gap) for gap in made_of.gaps), timedelta()) > MOST_GAP_DAYS * _DAY:
        return None
    zone = ZoneInfo(company.timezone)
    for gap in made_of.gaps:
        parts[gap.time] = _columns(asked.session, company.id, zone, gap.time, names)
    return _together([parts[each] for each in sorted(parts)], names)


def _company(company_id: int) -> Condition:
    return of_companies([company_id])


def _midnight(at: datetime, company: Company) -> datetime:
    """When the day of that instant began: there is no sheet before the first call's."""
    zone = ZoneInfo(company.timezone)
    return midnight(at.astimezone(zone).date(), zone)


def _length(gap: Gap) -> timedelta:
    return gap.time.until - gap.time.since


def _sheets(
    session: Session, company_id: int, time: Interval, names: Sequence[str]
) -> dict[Interval, dict[str, bytes]]:
    """The columns of days whose sheets hold, read in one statement with that."""
    wanted = (
        sa.select(DaySheet.since_at, DaySheet.until_at, SheetColumn.name, SheetColumn.data)
        .join(
            SheetColumn,
            sa.and_(
                SheetColumn.company_id == DaySheet.company_id,
                SheetColumn.kind == DaySheet.kind,
                SheetColumn.since_at == DaySheet.since_at,
            ),
        )
        .where(
            DaySheet.company_id == company_id,
            DaySheet.kind == KIND,
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


def _together(parts: Sequence[Mapping[str, bytes]], names: Sequence[str]) -> Facts:
    counts = [len(read_numbers(part["id"])) for part in parts]
    numbers, words = dict[str, Ints](), dict[str, Column]()
    for name in names:
        data = [part[name] for part in parts]
        if name in NUMBERS:
            numbers[name] = read_numbers(b"".join(data))
        else:
            words[name] = joined([read(each) for each in data], counts)
    return Facts(sum(counts), numbers, words)


# ---- out of the calls ----


def write_sheet(session: Session, company_id: int, time: Interval) -> Written:
    """The columns of a day; the sheet itself says only whether they are those that were written."""
    zone = ZoneInfo(session.get_one(Company, company_id).timezone)
    columns = _columns(session, company_id, zone, time, [*NUMBERS, *TOLD])
    return Written(digest(columns), columns)


def digest(columns: Mapping[str, bytes]) -> str:
    """In few bytes what the columns say."""
    return json.dumps({name: hashlib.sha256(data).hexdigest()[:16] for name, data in sorted(columns.items())})


def _columns(
    session: Session, company_id: int, zone: ZoneInfo, time: Interval, names: Iterable[str]
) -> dict[str, bytes]:
    wanted, within = set(names), _within(company_id, time)
    parts = [by for by in PLAIN if by.value in wanted]
    cells = Cells(session, parts, zone, time.since, time.until)
    caller = sa.case((KNOWN, Call.caller))
    told = cells.of_calls(
        sa.select(
            Call.id, Call.started_at, caller, Visit.visitor_id, Call.outcome, Call.category, Call.visit_id,
            Call.channel_id, Call.uncertain, *cells.columns,
        )
    )  # fmt: skip
    rows = session.connection().execute(told.where(*within).order_by(Call.started_at, Call.id)).all()
    found = {
        "id": write_numbers(row[0] for row in rows),
        "at": write_numbers((row[1] - _EPOCH) // _MICROSECOND for row in rows),
        "phone": write_numbers(number_of(row[2]) for row in rows),
        "visitor": write_numbers(row[3] or 0 for row in rows),
        "outcome": _words(_word(row[4]) for row in rows),
        "judged": _words(_word(row[5]) for row in rows),
        "origin": _words(origin_of(*row[6:9]) for row in rows),
    }
    keys = [cells.key(row[9:]) for row in rows]
    for place, by in enumerate(parts):
        found[by.value] = _words(key[place] for key in keys)
    for by in OVERLAPPING:
        if by.value in wanted:
            found[by.value] = write(_tags(session, within, {row[0]: place for place, row in enumerate(rows)}))
    return {name: data for name, data in found.items() if name in wanted}


def _within(company_id: int, time: Interval) -> list[Any]:
    return [_company(company_id), Call.started_at >= time.since, Call.started_at < time.until]


def _words(cells: Iterable[Cell]) -> bytes:
    return write(Column.of_words(cells))


def _word(told: str | None) -> Cell:
    return Blank.NONE if told is None else str(told)


def _tags(session: Session, within: Sequence[Any], places: Mapping[int, int]) -> Column:
    """Each call's tags by their names, in one order; one that has none is told of, too."""
    tags = sa.select(Call.id, Tag.name).outerjoin(CallTag, CallTag.call_id == Call.id)
    wanted = tags.outerjoin(Tag, Tag.id == CallTag.tag_id).where(*within)
    rows = session.connection().execute(wanted.order_by(Call.started_at, Call.id, Tag.name)).all()
    rows = [row for row in rows if row[0] in places]  # those that have come since were not counted
    return Column.of_words((_word(row[1]) for row in rows), [places[row[0]] for row in rows])


def number_of(caller: str | None) -> int:
    """A caller as a number: his own, a negative one for what is none, 0 where nothing is known."""
    known = known_as(caller) if caller is not None else 0
    if isinstance(known, int):
        return known
    return -1 - int.from_bytes(hashlib.sha256(known.encode()).digest()[:7], "big")


# ---- where a call came from, as one word ----


class _Origins(NamedTuple):
    attributed: frozenset[int]
    uncertain: frozenset[int]


ORIGINS = _Origins(frozenset({1, 2, 4, 5}), frozenset({4, 5}))


def origin_of(visit_id: int | None, channel_id: int | None, uncertain: bool) -> int:
    """0: nobody knows; 1: a visit; 2: a channel; 3 more if that is uncertain."""
    kind = 1 if visit_id is not None else 2 if channel_id is not None else 0
    return kind + 3 * bool(kind and uncertain)
