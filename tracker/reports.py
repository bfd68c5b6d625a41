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
from tracker.cost_sums import cost_sums
from tracker.models import Call, Channel, Company, Visit
from tracker.policy.channel_groups import group_of
from tracker.policy.report import Coverage, Days, Report, Wish, Won, assemble
from tracker.policy.report_costs import cell_of, placed, told_by, wanted
from tracker.policy.report_words import Blank
from tracker.policy.spans import Asks, read_spans
from tracker.portions import portions
from tracker.report_cells import Asked, Cells, Key, conditions
from tracker.report_counts import Counted, counted
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
    by_sheets: bool = True,
) -> Report:
    """The company's report for the days that `words` ask for. Raises Rejected as `read_spans` does.

    `compare`: beside as many days before. `also` are words that every row's filter needs besides.
    Without `by_sheets` all is counted anew.
    """
    zone = ZoneInfo(company.timezone)
    span, before = read_spans(words, zone, now)
    cells = Cells(session, wish.parts, zone)
    now_then = [
        (each, _read(Asked(session, company, wish, cells, each, by_sheets)))
        for each in ((span, before) if compare else (span,))
    ]
    return assemble(wish, company.currency, now_then[0], now_then[1] if compare else None, also)


def _read(asked: Asked) -> Days:
    calls = counted(asked)
    sales = _sales(asked, calls)
    shared = None
    if asked.wish.model is None:
        won, earned = sales.by_row, sales.all
    else:
        shared = share(asked, sales.facts)
        won, earned = shared.won, shared.earned
    return Days(
        calls=calls.rows,
        won=won,
        costs=_costs(asked, {key: each.counts.calls for key, each in calls.rows.items()}),
        everything=calls.everything,
        earned=earned,
        coverage=_coverage(calls, sales, shared),
    )


def _coverage(calls: Counted, sales: _Sales, shared: Shared | None) -> Coverage:
    counts = calls.everything.counts
    return Coverage(
        calls=counts.calls,
        attributed=calls.attributed,
        uncertain=calls.uncertain,
        answered=counts.answered,
        judged=counts.target + counts.service + counts.non_target,
        orders=sales.all.orders,
        matched=sales.matched,
        conversions=shared.conversions if shared else 0,
    )


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


def _sales(asked: Asked, calls: Counted) -> _Sales:
    """What was sold in these days, by the row of its call, or of the visitor's last visit before."""
    facts = list(sold_between(asked.session, asked.company, asked.span.since, asked.span.until))
    sold = {fact.call_id for fact in facts if fact.call_id is not None}
    by_call: dict[int | None, list[Key]] = dict(calls.rows_of(sold).items())
    by_call |= _keys(asked, Call.id, sorted(sold - by_call.keys()))
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
            by_row[key] += won
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
    words, by_day = told_by(asked.wish.parts)
    span, words = asked.span, words | asked.wish.only.keys()
    for fact in cost_sums(asked.session, asked.company, span.first, span.last, words, by_day=by_day):
        if wanted(fact.words, asked.wish.only):
            channel = None if fact.channel_id is None else names[fact.channel_id]
            yield (
                tuple(cell_of(by, fact.day, fact.words, channel, group_of) for by in asked.wish.parts),
                fact.value,
            )
