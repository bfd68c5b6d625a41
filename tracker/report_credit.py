"""What attribution models credit the rows of a report with: out of journeys, read anew each time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from babel.numbers import get_currency_precision

from tracker.policy.credit import Earned, Model, by_key, credit
from tracker.policy.journeys import gather
from tracker.policy.report import Won
from tracker.report_cells import Asked, Key
from tracker.sales import sold_between
from tracker.walks import Walks


@dataclass(frozen=True)
class Shared:
    """Each row's part in target calls and sales, and all of them; how many conversions taught the model."""

    won: dict[Key, Won]
    earned: Won
    conversions: int


def share(asked: Asked) -> Shared:
    """Target calls and sales of that time, shared among the visits and calls that led to them."""
    sales = list(sold_between(asked.session, asked.company, asked.span.since, asked.span.until))
    walks = Walks(asked, sales)
    model = asked.wish.model or Model.LAST
    decimals = get_currency_precision(asked.company.currency)
    found = defaultdict[Key, Won](lambda: Won(target=0))
    for conversions in (walks.target_calls(), walks.sold()):
        journeys = gather(walks.steps, conversions)
        for name, earned in by_key(credit(model, journeys).credits, decimals=decimals).items():
            if (key := walks.key(name)) is not None:
                found[key] += _won(earned)
    everything = sum(found.values(), Won(target=0))
    count = len(walks.calls) + len(sales) if model is Model.DATA_DRIVEN else 0
    return Shared(dict(found), everything, count)


def _won(earned: Earned) -> Won:
    revenue = earned.revenue if earned.sale_parts else None
    return Won(earned.sales, revenue, earned.gross_profit, earned.target_calls)
