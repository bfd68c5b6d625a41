"""Reading reports: grouped counts of calls, with the sales and costs of the same days beside them.

    report = read_report(session, company, Wish(By.CAMPAIGN), {"period": ["30d"]}, now)

Sales count in the days in which they were made, whenever the call was. Days are the company's own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.call_search import KNOWN
from tracker.costs import costs_between
from tracker.models import Call, Channel, Company, Visit
from tracker.policy.channel_groups import group_of
from tracker.policy.figures import Counts, total
from tracker.policy.report import Coverage, Days, Grouped, Report, Wish, Won, assemble
from tracker.policy.report_costs import cell_of, placed, wanted
from tracker.policy.report_words import Blank
from tracker.policy.spans import Asks, read_spans
from tracker.portions import portions
from tracker.report_cells import Asked, Cells, Key, conditions
from tracker.report_credit import Shared, share
from tracker.sales import SaleFact, sold_between
from tracker.tallies import COUNTS, TOLD

_COUNTS = COUNTS[:TOLD]
_CALLERS = sa.func.count(sa.distinct(Call.caller)).filter(KNOWN)


def read_report(
    session: Session,
    company: Company,
    wish: Wish,
    words: Mapping[str, Sequence[str]],
    now: datetime,
    *,
    compare: bool = False,
    also: Asks = (),
) -> Report:
    """The company's report for the days that `words` ask for. Raises Rejected as `read_spans` does.

    `compare`: beside as many days before. `also` are words that every row's filter needs besides.
    """
    zone = ZoneInfo(company.timezone)
    span, before = read_spans(words, zone, now)
    cells = Cells(session, wish.parts, zone, before.since, span.until)
    now_then = [
        (each, _read(Asked(session, company, wish, cells, each)))
        for each in ((span, before) if compare else (span,))
    ]
    return assemble(wish, company.currency, now_then[0], now_then[1] if compare else None, also)


def _read(asked: Asked) -> Days:
    calls = _calls(asked)
    sales = _sales(asked)
    shared = None
    if asked.wish.model is None:
        won, earned = sales.by_row, sales.all
    else:
        shared = share(asked, sales.facts)
        won, earned = shared.won, shared.earned
    everything, attributed, uncertain = _everything(asked)
    return Days(
        calls=calls,
        won=won,
        costs=_costs(asked, {key: each.counts.calls for key, each in calls.items()}),
        everything=everything,
        earned=earned,
        coverage=_coverage(everything.counts, attributed, uncertain, sales, shared),
    )


def _coverage(
    counts: Counts, attributed: int, uncertain: int, sales: _Sales, shared: Shared | None
) -> Coverage:
    return Coverage(
        calls=counts.calls,
        attributed=attributed,
        uncertain=uncertain,
        answered=counts.answered,
        judged=counts.target + counts.service + counts.non_target,
        orders=sales.all.orders,
        matched=sales.matched,
        conversions=shared.conversions if shared else 0,
    )


# ---- calls ----


def _calls(asked: Asked) -> dict[Key, Grouped]:
    cells, found = asked.cells, defaultdict[Key, list[Counts]](list)
    callers = defaultdict[Key, int](int)
    grouped = cells.of_calls(sa.select(*cells.columns, *_COUNTS, _CALLERS)).where(*asked.within)
    for row in _rows(asked.session, grouped.group_by(*cells.names)):
        key = cells.key(row[: len(cells.names)])
        found[key].append(Counts._make((*row[len(cells.names) : -1], *([0] * (len(Counts._fields) - TOLD)))))
        callers[key] += row[-1]
    if cells.fold:  # one who called twice is in one row once
        callers |= _callers(asked)
    return {key: Grouped(total(each), callers[key]) for key, each in found.items()}


def _callers(asked: Asked) -> dict[Key, int]:
    cells, found = asked.cells, defaultdict[Key, set[str]](set)
    wanted_rows = cells.of_calls(sa.select(*cells.columns, Call.caller)).where(*asked.within, KNOWN)
    for *values, caller in _rows(asked.session, wanted_rows.distinct()):
        found[cells.key(values)].add(caller)
    return {key: len(each) for key, each in found.items()}


def _everything(asked: Asked) -> tuple[Grouped, int, int]:
    """All calls once; how many something attributes, and of how many that is uncertain."""
    attributed = sa.or_(Call.visit_id.is_not(None), Call.channel_id.is_not(None))
    columns = (
        *_COUNTS,
        _CALLERS,
        sa.func.count().filter(attributed),
        sa.func.count().filter(attributed, Call.uncertain.is_(True)),
    )
    joined = sa.select(*columns).select_from(Call).outerjoin(Visit, Visit.id == Call.visit_id)
    joined = joined.outerjoin(Channel, Channel.id == Call.channel_id).where(*asked.within)
    (row,) = _rows(asked.session, joined)
    counts = Counts._make((*row[:TOLD], *([0] * (len(Counts._fields) - TOLD))))
    return Grouped(counts, row[TOLD]), row[TOLD + 1], row[TOLD + 2]


def _rows(session: Session, wanted_rows: Any) -> Any:
    return session.connection().execute(wanted_rows)


# ---- sales ----


@dataclass(frozen=True)
class _Sales:
    """All that was sold, and by row what the report is about; `matched` of it belong to somebody."""

    facts: Sequence[SaleFact]
    by_row: Mapping[Key, Won]
    all: Won
    matched: int


def _sales(asked: Asked) -> _Sales:
    """What was sold in these days, by the row of its call, or of the visitor's last visit before."""
    facts = list(sold_between(asked.session, asked.company, asked.span.since, asked.span.until))
    by_call = _keys(asked, Call.id, [fact.call_id for fact in facts if fact.call_id is not None])
    last = _last_visits(asked, facts)
    by_visit = _keys(asked, Visit.id, list(last.values()))
    nobody: list[Key] = [] if asked.wish.only else [tuple(Blank.UNKNOWN for _ in asked.cells.names)]
    by_row = defaultdict[Key, Won](Won)
    everything, matched = Won(), 0
    for fact in facts:
        known = fact.call_id is not None or fact.id in last
        found = by_visit.get(last.get(fact.id)) if fact.call_id is None else by_call.get(fact.call_id)
        won = Won(1, fact.revenue, fact.profit)
        keys = (found or []) if known else nobody
        for key in keys:
            by_row[asked.cells.dated(key, fact.at)] += won
        if keys:
            everything += won
            matched += fact.matched_by is not None
    return _Sales(facts, dict(by_row), everything, matched)


def _keys(asked: Asked, column: Any, ids: Sequence[int]) -> dict[int | None, list[Key]]:
    """The rows of these calls, or visits; none of those that the report is narrowed away from."""
    cells, found = asked.cells, defaultdict[int | None, list[Key]](list)
    told = sa.select(column, *cells.columns).where(*conditions(asked.wish.only))
    told = cells.of_calls(told) if column is Call.id else cells.of_visits(told)
    for part in portions(ids):
        for number, *values in _rows(asked.session, told.where(column.in_(part))):
            found[number].append(cells.key(values))
    return dict(found)


def _last_visits(asked: Asked, facts: Sequence[SaleFact]) -> dict[int, int]:
    """The visit before each sale to a visitor who never called."""
    unheard = [fact for fact in facts if fact.call_id is None and fact.visitor_id is not None]
    visitors = sorted({fact.visitor_id for fact in unheard if fact.visitor_id is not None})
    visits = defaultdict[int | None, list[tuple[datetime, int]]](list)
    for part in portions(visitors):
        theirs = Visit.visitor_id.in_(part)
        for visitor, at, number in _rows(
            asked.session, sa.select(Visit.visitor_id, Visit.started_at, Visit.id).where(theirs)
        ):
            visits[visitor].append((at, number))
    found = {
        fact.id: max((it for it in visits[fact.visitor_id] if it[0] <= fact.at), default=None)
        for fact in unheard
    }
    return {sale: last[1] for sale, last in found.items() if last is not None}


# ---- costs ----


def _costs(asked: Asked, calls: Mapping[Key, int]) -> dict[Key, Decimal]:
    return placed(asked.wish.parts, _keyed(asked), calls)


def _keyed(asked: Asked) -> Iterable[tuple[Key, Decimal]]:
    theirs = sa.select(Channel.id, Channel.name).where(Channel.company_id == asked.company.id)
    names = dict(_rows(asked.session, theirs).all())
    for fact in costs_between(asked.session, asked.company, asked.span.first, asked.span.last):
        if wanted(fact.words, asked.wish.only):
            channel = None if fact.channel_id is None else names[fact.channel_id]
            yield (
                tuple(cell_of(by, fact.day, fact.words, channel, group_of) for by in asked.wish.parts),
                fact.value,
            )
