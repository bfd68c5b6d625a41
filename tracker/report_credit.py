"""What attribution models credit the rows of a report with: out of journeys, read anew each time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from babel.numbers import get_currency_precision

from tracker.policy.columns import Ints
from tracker.policy.credit import Earned, Model, by_key, credit
from tracker.policy.credit_columns import Shares, share_out
from tracker.policy.credit_columns import Walks as CreditedWalks
from tracker.policy.journeys import gather
from tracker.policy.parts import WHOLE, split_amount
from tracker.policy.report import Won
from tracker.policy.report_words import Blank
from tracker.report_cells import Asked, Key
from tracker.sheet_columns import Facts
from tracker.sold import SaleFact, sold_between
from tracker.walk_columns import WalkColumns, read_walks
from tracker.walks import Walks


@dataclass(frozen=True)
class Shared:
    """Each row's part in target calls and sales, and all of them; how many conversions taught the model."""

    won: dict[Key, Won]
    earned: Won
    conversions: int


@dataclass(frozen=True, eq=False)
class Walked:
    """What was sold, and the walks as columns where day sheets tell them."""

    sales: Sequence[SaleFact]
    columns: WalkColumns | None

    @property
    def calls(self) -> Facts | None:
        return None if self.columns is None else self.columns.calls


def read_walked(asked: Asked) -> Walked:
    sales = list(sold_between(asked.session, asked.company, asked.span.since, asked.span.until))
    return Walked(sales, read_walks(asked, sales) if asked.by_sheets else None)


def share(asked: Asked, walked: Walked) -> Shared:
    """Target calls and sales of that time, shared among the visits and calls that led to them."""
    sales, columns = walked.sales, walked.columns
    found = defaultdict[Key, Won](lambda: Won(target=0))
    told = _by_journeys(asked, sales) if columns is None else _by_columns(asked, sales, columns)
    for key, each in told[0]:
        found[key] += _won(each)
    is_learned = asked.wish.model is Model.DATA_DRIVEN
    return Shared(dict(found), sum(found.values(), Won(target=0)), told[1] if is_learned else 0)


Earnings = list[tuple[Key, Earned]]


def _model(asked: Asked) -> Model:
    return asked.wish.model or Model.LAST


def _decimals(asked: Asked) -> int:
    return get_currency_precision(asked.company.currency)


def _by_journeys(asked: Asked, sales: Sequence[SaleFact]) -> tuple[Earnings, int]:
    walks, found = Walks(asked, sales), Earnings()
    for conversions in (walks.target_calls(), walks.sold()):
        credited = credit(_model(asked), gather(walks.steps, conversions))
        for name, earned in by_key(credited.credits, decimals=_decimals(asked)).items():
            if (key := walks.key(name)) is not None:
                found.append((key, earned))
    return found, len(walks.calls) + len(sales)


# ---- by columns ----


def _by_columns(asked: Asked, sales: Sequence[SaleFact], columns: WalkColumns) -> tuple[Earnings, int]:
    nobody = None if asked.wish.only else tuple(Blank.UNKNOWN for _ in asked.cells.names)
    names = [*columns.keys, nobody]  # what is unknown is the last
    told: Earnings = []
    walks = columns.of(columns.target_calls)
    for place, parts in enumerate(_parts(walks, share_out(_model(asked), walks)).tolist()):
        if parts and (key := names[place]) is not None:
            told.append((key, Earned(target_call_parts=parts)))
    walks = columns.of(columns.sold)
    shares = share_out(_model(asked), walks)
    found = [Earned(sale_parts=parts) for parts in _parts(walks, shares).tolist()]
    _add_money(found, sales, walks, shares, _decimals(asked))
    told += [
        (key, earned)
        for key, earned in zip(names, found, strict=True)
        if key is not None and earned.sale_parts
    ]
    return told, len(columns.target_calls.at) + len(sales)


def _parts(walks: CreditedWalks, shares: Shares) -> Ints:
    """The parts of conversions that each key has, and last those of which nothing is known."""
    size = len(walks.steps.names)
    found = np.zeros(size + 1, np.int64)
    np.add.at(found, walks.steps.keys[shares.steps], shares.parts)
    found[size] = WHOLE * int((walks.lengths <= 0).sum())
    return found


def _add_money(
    found: Sequence[Earned], sales: Sequence[SaleFact], walks: CreditedWalks, shares: Shares, decimals: int
) -> None:
    """What each sale brought, divided among its keys as its parts are."""
    bounds = np.searchsorted(shares.conversions, np.arange(len(sales) + 1)).tolist()
    keys, parts = walks.steps.keys[shares.steps].tolist(), shares.parts.tolist()
    for place, fact in enumerate(sales):
        begin, end = bounds[place : place + 2]
        whose = keys[begin:end] or [len(found) - 1]
        weights = parts[begin:end] or [WHOLE]
        for key, amount in zip(whose, _split(fact.revenue, weights, decimals), strict=True):
            found[key].revenue += amount
        if fact.profit is not None:
            for key, amount in zip(whose, _split(fact.profit, weights, decimals), strict=True):
                found[key].gross_profit = (found[key].gross_profit or Decimal(0)) + amount


def _split(amount: Decimal, weights: Sequence[int], decimals: int) -> Sequence[Decimal]:
    return [amount] if len(weights) == 1 else split_amount(amount, weights, decimals)


def _won(earned: Earned) -> Won:
    revenue = earned.revenue if earned.sale_parts else None
    return Won(earned.sales, revenue, earned.gross_profit, earned.target_calls)
