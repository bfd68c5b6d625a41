"""Reading reports: grouped counts of calls, with the sales and costs of the same days beside them.

    report = read_report(session, company, Wish(By.CAMPAIGN), {"period": ["30d"]}, now)

Sales count in the days in which they were made, whenever the call was. Days are the company's own.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.cost_sums import cost_sums
from tracker.models import Channel, Company
from tracker.policy.channel_groups import group_of
from tracker.policy.report import Coverage, Days, Report, Wish, assemble, beside
from tracker.policy.report_costs import cell_of, placed, told_by, wanted
from tracker.policy.report_wish import is_compared, read_against, read_wish, spans_of
from tracker.policy.spans import Asks, read_spans
from tracker.report_cells import Asked, Cells, Key
from tracker.report_counts import Counted, counted
from tracker.report_credit import Shared, Walked, read_walked, share
from tracker.report_sales import Sold, sold, sold_to_all

# The walks of a busy company's year are hundreds of megabytes: one at a time in a process.
_WALKING = threading.Lock()


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
    cells = Cells(session, wish.parts, zone, before.since, span.until)
    now_then = [
        (each, _read(Asked(session, company, wish, cells, each, by_sheets)))
        for each in ((span, before) if compare else (span,))
    ]
    return assemble(wish, company.currency, now_then[0], now_then[1] if compare else None, also)


def read_asked(
    session: Session, company: Company, words: Mapping[str, str], now: datetime, *, also: Asks = ()
) -> Report:
    """The report that the words of an address ask for; with `against`, by two models side by side.

    Raises Rejected as `read_wish`, `read_against` and `read_report` do.
    """
    wish, spans = read_wish(words), spans_of(words)
    against = read_against(words, wish)
    if against is None:
        return read_report(session, company, wish, spans, now, compare=is_compared(words), also=also)
    return beside(*(read_report(session, company, each, spans, now, also=also) for each in (wish, against)))


def _read(asked: Asked) -> Days:
    if asked.wish.model is None:
        return _days(asked, None)
    with _WALKING:
        return _days(asked, read_walked(asked))


def _days(asked: Asked, walked: Walked | None) -> Days:
    calls = counted(asked, walked.calls if walked is not None else None)
    # Of sales that models share out no row is asked, but where the report is narrowed.
    sales = sold(asked, calls) if walked is None or asked.wish.only else sold_to_all(walked.sales)
    shared = None if walked is None else share(asked, walked)
    won, earned = (sales.by_row, sales.all) if shared is None else (shared.won, shared.earned)
    return Days(
        calls=calls.rows,
        won=won,
        costs=_costs(asked, {key: each.counts.calls for key, each in calls.rows.items()}),
        everything=calls.everything,
        earned=earned,
        coverage=_coverage(calls, sales, shared),
    )


def _coverage(calls: Counted, sales: Sold, shared: Shared | None) -> Coverage:
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
