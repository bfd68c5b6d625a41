"""Calls by the rows of a report: out of columns where day sheets tell them, else counted by the database.

Both count the same; tests hold them against each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from operator import eq
from typing import Any

import numpy as np
import sqlalchemy as sa

from tracker.call_search import KNOWN
from tracker.models import Call, Channel, Visit
from tracker.policy.column_counts import Calls, Rows, count, rows_of
from tracker.policy.columns import Bits, Ints, places_of
from tracker.policy.figures import Counts, total
from tracker.policy.report import Grouped, Key
from tracker.policy.report_words import Blank
from tracker.policy.sheets import Interval
from tracker.report_cells import Asked
from tracker.report_columns import ORIGINS, read_calls
from tracker.sheet_columns import Facts, instant_of
from tracker.tallies import COUNTS, TOLD

AWAY, ELSEWHERE = -1, -2
_COUNTS = COUNTS[:TOLD]
_CALLERS = sa.func.count(sa.distinct(Call.caller)).filter(KNOWN)
TOLD_OF = ("at", "outcome", "judged", "origin", "phone")  # every call that is counted


@dataclass(frozen=True)
class Counted:
    """Calls by row and all together; `attributed` have a source, of which some are `uncertain`.

    `rows_of` gives the rows of calls by their ids, as far as they are among these calls.
    """

    rows: Mapping[Key, Grouped]
    everything: Grouped
    attributed: int
    uncertain: int
    found: Found | None = field(default=None, repr=False)

    def rows_of(self, ids: Collection[int]) -> dict[int, list[Key]]:
        return self.found.rows_of(ids) if self.found else {}


@dataclass(frozen=True, eq=False)
class Found:
    """Calls as columns, and the row that each is in."""

    facts: Facts
    rows: Rows

    def rows_of(self, ids: Collection[int]) -> dict[int, list[Key]]:
        """The rows of these calls; none of those that the report is narrowed away from."""
        told, wanted = self.facts.numbers["id"], np.array(sorted(ids), np.int64)
        there = np.isin(told, wanted)
        found: dict[int, list[Key]] = {number: [] for number in told[there].tolist()}
        of_rows = there[self.rows.facts]
        numbers = told[self.rows.facts[of_rows]].tolist()
        for number, row in zip(numbers, self.rows.at[of_rows].tolist(), strict=True):
            found[number].append(self.rows.keys[row])
        return found

    def row_of(self, ids: Ints) -> Ints:
        """The one row of each of these calls: AWAY if the report is narrowed away from it, else ELSEWHERE."""
        told = self.facts.numbers["id"]
        rows = np.full(len(told) + 1, AWAY, np.int64)
        rows[self.rows.facts], rows[-1] = self.rows.at, ELSEWHERE
        found: Ints = rows[places_of(ids, told)]
        return found


def counted(asked: Asked, facts: Facts | None = None) -> Counted:
    """The calls of the span; `facts` may tell of earlier ones, too, if they have been read already."""
    if facts is None and asked.by_sheets:
        names = [*TOLD_OF, *(by.value for by in asked.wish.parts), *asked.wish.only]
        facts = read_calls(asked, Interval(asked.span.since, asked.span.until), names)
    return _by_columns(asked, facts) if facts is not None else _by_database(asked)


# ---- by columns ----


def _by_columns(asked: Asked, facts: Facts) -> Counted:
    wanted = chosen(facts, asked.wish.only)
    calls = Calls(facts.words["outcome"], facts.words["judged"], facts.numbers["phone"])
    rows = rows_of([facts.words[by.value] for by in asked.wish.parts], wanted)
    now = wanted & (facts.numbers["at"] >= instant_of(asked.span.since))
    grouped, everything = count(_of(rows, now), calls)
    origin = facts.words["origin"]
    known, unsure = (
        origin.where(ORIGINS.attributed.__contains__),
        origin.where(ORIGINS.uncertain.__contains__),
    )
    return Counted(
        {key: each for key, each in grouped.items() if each.counts.calls},
        everything,
        int((now & known).sum()),
        int((now & unsure).sum()),
        Found(facts, rows),
    )


def _of(rows: Rows, facts: Bits) -> Rows:
    """With these facts alone."""
    kept = facts[rows.facts]
    return Rows(rows.keys, rows.facts[kept], rows.at[kept], rows.is_overlapping)


def chosen(facts: Facts, only: Mapping[str, str]) -> Bits:
    """Which of the facts a report is about that is narrowed to these words."""
    found = np.ones(facts.count, np.bool_)
    for name, value in only.items():
        sought = value or Blank.UNKNOWN
        found &= facts.words[name].where(partial(eq, sought))
    return found


# ---- by the database ----


def _by_database(asked: Asked) -> Counted:
    attributed = sa.or_(Call.visit_id.is_not(None), Call.channel_id.is_not(None))
    columns = (
        *_COUNTS,
        _CALLERS,
        sa.func.count().filter(attributed),
        sa.func.count().filter(attributed, Call.uncertain.is_(True)),
    )
    joined = sa.select(*columns).select_from(Call).outerjoin(Visit, Visit.id == Call.visit_id)
    joined = joined.outerjoin(Channel, Channel.id == Call.channel_id).where(*asked.within)
    (row,) = _rows(asked, joined)
    return Counted(_calls(asked), Grouped(_counts(row), row[TOLD]), row[TOLD + 1], row[TOLD + 2])


def _calls(asked: Asked) -> dict[Key, Grouped]:
    cells, found = asked.cells, defaultdict[Key, list[Counts]](list)
    callers = defaultdict[Key, int](int)
    grouped = cells.of_calls(sa.select(*cells.columns, *_COUNTS, _CALLERS)).where(*asked.within)
    width = len(cells.names)
    for row in _rows(asked, grouped.group_by(*cells.names)):
        key = cells.key(row[:width])
        found[key].append(_counts(row[width:]))
        callers[key] += row[-1]
    if cells.fold:  # one who called twice is in one row once
        callers |= _callers(asked)
    return {key: Grouped(total(each), callers[key]) for key, each in found.items()}


def _counts(row: Any) -> Counts:
    return Counts(*row[:TOLD])


def _callers(asked: Asked) -> dict[Key, int]:
    cells, found = asked.cells, defaultdict[Key, set[str]](set)
    wanted_rows = cells.of_calls(sa.select(*cells.columns, Call.caller)).where(*asked.within, KNOWN)
    for *values, caller in _rows(asked, wanted_rows.distinct()):
        found[cells.key(values)].add(caller)
    return {key: len(each) for key, each in found.items()}


def _rows(asked: Asked, wanted_rows: Any) -> Any:
    return asked.session.connection().execute(wanted_rows)
