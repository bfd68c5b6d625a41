"""What was sold, by the rows of a report: a sale is its call's, or its visitor's last visit's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from tracker.models import Call, Visit
from tracker.policy.report import Key, Won
from tracker.policy.report_words import CALENDAR, Blank
from tracker.portions import portions
from tracker.report_cells import Asked, conditions
from tracker.report_counts import ELSEWHERE, Counted, Found
from tracker.sold import PlainSales, SaleFact, last_visits, plainly_sold, sold_between


@dataclass(frozen=True)
class Sold:
    """All that was sold, and by row what the report is about; `matched` of it belong to somebody."""

    by_row: Mapping[Key, Won]
    all: Won
    matched: int


def sold(asked: Asked, calls: Counted) -> Sold:
    """What was sold in these days, whenever the call was."""
    sums, span = _Sums(), (asked.span.since, asked.span.until)
    found, left = calls.found, list[_Bit]()
    # Where rows are days, a sale stands in its own, wherever its call stands.
    plain = found is not None and not found.rows.is_overlapping and CALENDAR.isdisjoint(asked.wish.parts)
    if found is not None and plain:
        left = list(_add_columns(sums, plainly_sold(asked.session, asked.company, *span), found))
    facts = list(sold_between(asked.session, asked.company, *span, but_plain=plain))
    last = last_visits(asked.session, asked.company, *span)
    bits = (
        _Bit(it.call_id, last.get(it.id), it.at, it.revenue, it.profit, it.matched_by is not None)
        for it in facts
    )
    _add_bits(sums, asked, calls, [*left, *bits])
    return sums.sold


def sold_to_all(facts: Sequence[SaleFact]) -> Sold:
    """The same without rows."""
    sums = _Sum()
    for fact in facts:
        sums.add(1, fact.revenue, fact.profit)
    return Sold({}, sums.won, sum(fact.matched_by is not None for fact in facts))


class _Bit(NamedTuple):
    """A sale, and what it belongs to: a call, else a visit, else nobody known."""

    call_id: int | None
    visit_id: int | None
    at: datetime | None  # None: rows are no days
    revenue: Decimal
    profit: Decimal | None
    matched: bool


@dataclass
class _Sum:
    orders: int = 0
    revenue: Decimal = Decimal(0)
    profit: Decimal | None = None

    def add(self, orders: int, revenue: Decimal, profit: Decimal | None) -> None:
        self.orders += orders
        self.revenue += revenue
        if profit is not None:
            self.profit = profit if self.profit is None else self.profit + profit

    @property
    def won(self) -> Won:
        return Won(self.orders, self.revenue if self.orders else None, self.profit)


@dataclass
class _Sums:
    rows: defaultdict[Key, _Sum] = field(default_factory=lambda: defaultdict(_Sum))
    all: _Sum = field(default_factory=_Sum)
    matched: int = 0

    @property
    def sold(self) -> Sold:
        return Sold({key: each.won for key, each in self.rows.items()}, self.all.won, self.matched)


# ---- of calls that columns tell of ----


def _add_columns(sums: _Sums, plain: PlainSales, found: Found) -> Iterator[_Bit]:
    """Add the sales of these calls; those of calls that the columns do not have are given back."""
    at = found.row_of(plain.calls)
    there = at >= 0
    size = len(found.rows.keys)
    columns = [np.bincount(at[there], minlength=size)]
    for values in (plain.revenue, plain.profit, plain.has_profit):
        column = np.zeros(size, np.int64)
        np.add.at(column, at[there], values[there])
        columns.append(column)
    for key, orders, revenue, profit, said in zip(
        found.rows.keys, *(each.tolist() for each in columns), strict=True
    ):
        if orders:
            told = orders, plain.money(revenue), plain.money(profit) if said else None
            sums.rows[key].add(*told)
            sums.all.add(*told)
    sums.matched += int(plain.is_matched[there].sum())
    for place in np.flatnonzero(at == ELSEWHERE).tolist():
        yield _Bit(
            int(plain.calls[place]),
            None,
            None,
            plain.money(int(plain.revenue[place])),
            plain.money(int(plain.profit[place])) if plain.has_profit[place] else None,
            bool(plain.is_matched[place]),
        )


# ---- of all others ----


def _add_bits(sums: _Sums, asked: Asked, calls: Counted, bits: Sequence[_Bit]) -> None:
    sold_ids = {bit.call_id for bit in bits if bit.call_id is not None}
    by_call = calls.rows_of(sold_ids)
    by_call |= _keys(asked, Call.id, sorted(sold_ids - by_call.keys()))
    by_visit = _keys(asked, Visit.id, [bit.visit_id for bit in bits if bit.visit_id is not None])
    nobody: list[Key] = [] if asked.wish.only else [tuple(Blank.UNKNOWN for _ in asked.cells.names)]
    for bit in bits:
        if bit.call_id is not None:
            keys = by_call.get(bit.call_id, [])
        else:
            keys = nobody if bit.visit_id is None else by_visit.get(bit.visit_id, [])
        for key in keys:
            row = key if bit.at is None else asked.cells.dated(key, bit.at)
            sums.rows[row].add(1, bit.revenue, bit.profit)
        if keys:
            sums.all.add(1, bit.revenue, bit.profit)
            sums.matched += bit.matched


def _keys(asked: Asked, column: Any, ids: Sequence[int]) -> dict[int, list[Key]]:
    """The rows of these calls, or visits; none of those that the report is narrowed away from."""
    cells, found = asked.cells, defaultdict[int, list[Key]](list)
    told = sa.select(column, *cells.columns).where(*conditions(asked.wish.only))
    told = cells.of_calls(told) if column is Call.id else cells.of_visits(told)
    for part in portions(ids):
        for number, *values in _rows(asked, told.where(column.in_(part))):
            found[number].append(cells.key(values))
    return dict(found)


def _rows(asked: Asked, wanted: Any) -> Any:
    return asked.session.connection().execute(wanted)
