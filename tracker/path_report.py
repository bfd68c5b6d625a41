"""Reading the ways that persons went over several origins to target calls and sales; told to programs.

table = read_paths(session, company, PathWish(), {"period": ["90d"]}, now)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision
from sqlalchemy.orm import Session

from tracker.models import Company
from tracker.policy.journeys import Conversion, Goal, Journey, gather
from tracker.policy.money_figures import percent, rounded
from tracker.policy.path_table import Gone, Origin, PathTable, PathWish, Walked, tabulate
from tracker.policy.paths import Won, ways
from tracker.policy.report import Wish
from tracker.policy.report_words import Blank, Cell, label
from tracker.policy.spans import Asks, read_spans
from tracker.report_cells import Asked, Cells
from tracker.report_export import as_words
from tracker.sold import SaleFact, sold_between
from tracker.walk_columns import read_walks
from tracker.walks import Walks

ARROW = " → "
NOTHING_KNOWN = label(Blank.UNKNOWN)


def read_paths(
    session: Session,
    company: Company,
    wish: PathWish,
    words: Mapping[str, Sequence[str]],
    now: datetime,
    *,
    also: Asks = (),
    by_sheets: bool = True,
) -> PathTable:
    """The ways to what was reached in the days that `words` ask for, none of their steps older than 90 days.

    Raises Rejected as `read_spans` does.
    """
    zone = ZoneInfo(company.timezone)
    span = read_spans(words, zone, now)[0]
    cells = Cells(session, (wish.by,), zone, span.since, span.until)
    sales = list(sold_between(session, company, span.since, span.until))
    goal = wish.goal or (Goal.SALE if sales else Goal.TARGET_CALL)
    asked = Asked(session, company, Wish(wish.by), cells, span, by_sheets)
    journeys, named = _by_columns(asked, goal, sales) or _by_journeys(asked, goal, sales)
    persons = sum(each.times for each in journeys)
    return tabulate(wish, company.currency, span, Walked(goal, ways(journeys), persons, named), also)


Journeys = tuple[
    Sequence[Journey], Mapping[str, Cell]
]  # of all who came to something; what the keys stand for


def _by_columns(asked: Asked, goal: Goal, sales: Sequence[SaleFact]) -> Journeys | None:
    """Out of day sheets, where there are enough."""
    columns = read_walks(asked, sales) if asked.by_sheets else None
    if columns is None:
        return None
    if goal is Goal.SALE:
        sold = [Conversion(it.at, goal, it.id, it.revenue, it.profit) for it in sales]
        return columns.journeys(columns.sold, sold), columns.cells
    targets = [Conversion(asked.span.since, goal, place) for place in range(len(columns.target_calls.at))]
    return columns.journeys(columns.target_calls, targets), columns.cells


def _by_journeys(asked: Asked, goal: Goal, sales: Sequence[SaleFact]) -> Journeys:
    walks = Walks(asked, sales)
    reached = walks.sold() if goal is Goal.SALE else walks.target_calls()
    return [each for each in gather(walks.steps, reached) if each.conversions], walks.cells


def describe(it: PathTable) -> dict[str, Any]:
    """Everything the tables say."""
    decimals = get_currency_precision(it.currency)
    return {
        "by": it.wish.by.value,
        "goal": it.goal.value,
        "currency": it.currency,
        "days": {"first": it.span.first.isoformat(), "last": it.span.last.isoformat()},
        "persons": it.persons,
        "conversions": it.conversions,
        "known": it.known,
        "over_several": it.several,
        "median_days": it.days,
        "paths": [_path(it, each, decimals) for each in it.paths],
        "other_paths": it.others and _path(it, it.others, decimals),
        "origins": [_origin(it, each, decimals) for each in it.origins],
    }


def flat(it: PathTable) -> Iterator[dict[str, Any]]:
    """A way a row, all with the same columns; the rest of them last."""
    decimals = get_currency_precision(it.currency)
    for each in it.paths:
        yield {"path": ARROW.join(map(label, each.cells)) or NOTHING_KNOWN} | _figures(it, each, decimals)
    if it.others is not None:
        yield {"path": "others"} | _figures(it, it.others, decimals)


def _path(it: PathTable, gone: Gone, decimals: int) -> dict[str, Any]:
    return {"path": [_named(cell) for cell in gone.cells], **_figures(it, gone, decimals)}


def _figures(it: PathTable, gone: Gone, decimals: int) -> dict[str, Any]:
    share = percent(gone.share, 1)
    return {
        "conversions": gone.conversions,
        "share_percent": None if share is None else float(share),
        "revenue": rounded(gone.revenue, decimals) if it.has_money else None,
        "median_touches": gone.touches or None,
        "median_days": gone.days,
    }


def _origin(it: PathTable, origin: Origin, decimals: int) -> dict[str, Any]:
    def told(won: Won) -> dict[str, Any]:
        revenue = rounded(won.revenue, decimals) if it.has_money else None
        return {"conversions": won.conversions, "revenue": revenue}

    return {
        it.wish.by.value: _named(origin.cell),
        "first": told(origin.began),
        "last": told(origin.ended),
        "assisted": told(origin.helped),
        "assisted_per_last": None if origin.ratio is None else round(origin.ratio, 2),
        "filter": as_words(origin.asks),
    }


def _named(cell: Cell) -> str | None:
    return None if isinstance(cell, Blank) else label(cell)
