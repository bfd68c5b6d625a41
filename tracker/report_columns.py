"""What reports group and count of calls, as columns: from day sheets, and of other days from the calls.

facts = read_calls(asked, time, ["outcome", "judged", "phone", "source"])
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.call_search import IS_COUNTED, KNOWN, Condition, of_companies
from tracker.models import Call, CallTag, Company, Tag, Visit
from tracker.policy.columns import Column, write, write_numbers
from tracker.policy.report_words import OVERLAPPING, Blank, By, Cell
from tracker.policy.sheets import Interval
from tracker.policy.tally import known_as
from tracker.report_cells import Asked, Cells
from tracker.sheet_columns import Facts, instant_of, read_facts, words_of, write_facts
from tracker.sheet_kinds import Kind, name_of
from tracker.sheets import Written

CALLER = sa.case((KNOWN, Call.caller))
NUMBERS = ("id", "at", "phone", "visitor")
PLAIN = [by for by in By if by not in OVERLAPPING]
TOLD = ("outcome", "judged", "origin", *(by.value for by in By))


def read_calls(asked: Asked, time: Interval, names: Iterable[str]) -> Facts | None:
    """Columns of all calls of the company in that time; None where sheets would help nothing."""
    return read_facts(asked.session, asked.company, KIND, time, names)


def first_call_at(session: Session, company_id: int) -> datetime | None:
    """When the company's first call was."""
    return session.scalar(sa.select(sa.func.min(Call.started_at)).where(_company(company_id)))


def _company(company_id: int) -> Condition:
    return of_companies([company_id])


# ---- out of the calls ----


def write_sheet(session: Session, company_id: int, time: Interval) -> Written:
    return write_facts(session, company_id, KIND, time, [*NUMBERS, *TOLD])


def _columns(session: Session, company: Company, time: Interval, names: Iterable[str]) -> dict[str, bytes]:
    wanted, within = set(names), _within(company.id, time)
    parts = [by for by in PLAIN if by.value in wanted]
    cells = Cells(session, parts, ZoneInfo(company.timezone), time.since, time.until)
    told = cells.of_calls(
        sa.select(
            Call.id, Call.started_at, CALLER, Visit.visitor_id, Call.outcome, Call.category, Call.visit_id,
            Call.channel_id, Call.uncertain, *cells.columns,
        )
    )  # fmt: skip
    rows = session.connection().execute(told.where(*within).order_by(Call.started_at, Call.id)).all()
    found = {
        "id": write_numbers(row[0] for row in rows),
        "at": write_numbers(instant_of(row[1]) for row in rows),
        "phone": write_numbers(number_of(row[2]) for row in rows),
        "visitor": write_numbers(row[3] or 0 for row in rows),
        "outcome": words_of(_word(row[4]) for row in rows),
        "judged": words_of(_word(row[5]) for row in rows),
        "origin": words_of(origin_of(*row[6:9]) for row in rows),
    }
    keys = [cells.key(row[9:]) for row in rows]
    for place, by in enumerate(parts):
        found[by.value] = words_of(key[place] for key in keys)
    for by in OVERLAPPING:
        if by.value in wanted:
            found[by.value] = write(_tags(session, within, {row[0]: place for place, row in enumerate(rows)}))
    return {name: data for name, data in found.items() if name in wanted}


def _within(company_id: int, time: Interval) -> list[Any]:
    return [_company(company_id), Call.started_at >= time.since, Call.started_at < time.until, IS_COUNTED]


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
    sure_visits: frozenset[int]
    channels: frozenset[int]


ORIGINS = _Origins(frozenset({1, 2, 4, 5}), frozenset({4, 5}), frozenset({1}), frozenset({2, 5}))


def origin_of(visit_id: int | None, channel_id: int | None, uncertain: bool) -> int:
    """0: nobody knows; 1: a visit; 2: a channel; 3 more if that is uncertain."""
    kind = 1 if visit_id is not None else 2 if channel_id is not None else 0
    return kind + 3 * bool(kind and uncertain)


KIND = Kind(name_of("calls", (*NUMBERS, *TOLD)), NUMBERS, "id", _columns, first_call_at)
