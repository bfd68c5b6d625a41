"""The benchmark's money: each day's costs, rates of a second currency, a rent, and what was sold.

Costs stand in the words of the benchmark's visits, a few of them with keywords. One target call in ten, or
nearly, brings a sale: half of them name the call, others the caller's number or only the website's visitor,
and of a few nobody knows whose they are.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from bench.pages.books import Books
from bench.pages.pour import instants, pour
from bench.pages.visits import CAMPAIGNS, KEYWORDS, SOURCES, rare
from tracker.database import Database
from tracker.models import ChannelRent, Cost, ExchangeRate, Sale
from tracker.models.base import MONEY_SCALE, RATE_SCALE

COSTS_A_DAY = 150
OF_KEYWORDS = 0.3  # of the costs: with a keyword
FOREIGN = 0.05  # of the costs: in the second currency
SOLD = 0.1  # of the target calls
BY_CALL, BY_PHONE, BY_VISITOR, BY_NOBODY = range(4)
BELONGS = (0.5, 0.3, 0.18, 0.02)
PAID = [place for place, each in enumerate(SOURCES) if each[3]]


@dataclass(frozen=True)
class Money:
    """How many rows there are of each."""

    costs: int
    sales: int


def pour_money(database: Database, books: Books, days: int, now: datetime, seed: int = 2) -> Money:
    """The costs of the large company's days, and what both have sold."""
    draw = np.random.default_rng(seed)
    _rates(database, books, days, now)
    costs = _costs(database, books, days, now, draw)
    sales = _sales(database, books, now, draw)
    return Money(costs, sales)


def _first(now: datetime, days: int) -> date:
    return now.date() - timedelta(days=days - 1)


def _rates(database: Database, books: Books, days: int, now: datetime) -> None:
    """A rate each month, and a channel that is paid by the month."""
    company, first = books.firms[0].company_id, _first(now, days)
    made = now.isoformat(" ")
    starts = [(first + timedelta(days=each)).isoformat() for each in range(0, days, 30)]
    rates = [int((90 + each % 5) * RATE_SCALE) for each in range(len(starts))]
    told: dict[str, Iterable[Any]] = {
        "company_id": [company] * len(starts),
        "into": itertools.repeat("RUB"),
        "currency": itertools.repeat("EUR"),
        "from_day": starts,
        "rate": rates,
        "created_at": itertools.repeat(made),
    }
    pour(database, ExchangeRate, told)
    rent: dict[str, Iterable[Any]] = {
        "company_id": [company],
        "channel_id": [books.firms[0].channels[0][0]],
        "amount": [45_000 * MONEY_SCALE],
        "currency": ["RUB"],
        "from_day": [first.isoformat()],
        "created_at": [made],
        "changed_at": [made],
    }
    pour(database, ChannelRent, rent)


def _costs(database: Database, books: Books, days: int, now: datetime, draw: np.random.Generator) -> int:
    first, count = _first(now, days), days * COSTS_A_DAY
    kinds = np.array(PAID)[draw.integers(0, len(PAID), count)].tolist()
    campaigns = (np.arange(count) % COSTS_A_DAY % CAMPAIGNS).tolist()
    words = rare(draw, KEYWORDS, count).tolist()
    worded = (draw.random(count) < OF_KEYWORDS).tolist()
    foreign = draw.random(count) < FOREIGN
    amounts = np.round(draw.gamma(2, 150, count) / np.where(foreign, 90, 1), 2)
    told: dict[str, Iterable[Any]] = {
        "company_id": [books.firms[0].company_id] * count,
        "day": [(first + timedelta(days=each // COSTS_A_DAY)).isoformat() for each in range(count)],
        "medium": [SOURCES[kind][0] for kind in kinds],
        "source": [SOURCES[kind][1] for kind in kinds],
        "campaign": [f"campaign {each}" for each in campaigns],
        "keyword": [f"buy pallets {it}" if on else None for it, on in zip(words, worded, strict=True)],
        "amount": [_parts(each) for each in amounts.tolist()],
        "currency": ["EUR" if each else "RUB" for each in foreign.tolist()],
        "entered": itertools.repeat("file"),
        "reference": [f"cost {each}" for each in range(count)],
        "created_at": itertools.repeat(now.isoformat(" ")),
        "changed_at": itertools.repeat(now.isoformat(" ")),
    }
    return pour(database, Cost, told)


def _sales(database: Database, books: Books, now: datetime, draw: np.random.Generator) -> int:
    drawn = books.drawn
    target = np.flatnonzero(drawn.judged & (drawn.category == 0))
    which = target[draw.random(len(target)) < SOLD]
    count, calls = len(which), which.tolist()
    belongs = draw.choice(4, count, p=BELONGS)
    # Only a call from the website has a visitor.
    visit = drawn.visit[which]
    belongs = np.where((belongs == BY_VISITOR) & (visit == 0), BY_PHONE, belongs)
    visitor = books.seen.visitor[np.maximum(visit - 1, 0)]
    at = np.minimum(drawn.at[which] + draw.exponential(3 * 86400.0, count), now.timestamp() - 60)
    revenue = np.round(draw.gamma(2, 9000, count), 2)
    profit = np.round(revenue * draw.uniform(-0.05, 0.5, count), 2)
    said = (draw.random(count) < 0.8).tolist()
    matched = np.array(["call", "phone", "visitor", ""])[belongs].tolist()
    by_visitor = (belongs == BY_VISITOR).tolist()
    told: dict[str, Iterable[Any]] = {
        "company_id": [books.firms[each].company_id for each in drawn.firm[which].tolist()],
        "at": instants(at),
        "revenue": [_parts(each) for each in revenue.tolist()],
        "profit": [_parts(it) if on else None for it, on in zip(profit.tolist(), said, strict=True)],
        "currency": itertools.repeat("RUB"),
        "status": ["cancelled" if each else "won" for each in (draw.random(count) < 0.03).tolist()],
        "reference": [f"order {each}" for each in range(count)],
        "entered": itertools.repeat("api"),
        "call_key": _only([drawn.keys[each] for each in calls], (belongs == BY_CALL).tolist()),
        "phone": _only(
            [f"+79{100_000_000 + each}" for each in drawn.caller[which].tolist()],
            (belongs == BY_PHONE).tolist(),
        ),
        "visitor_key": _only([f"v{each}" for each in visitor.tolist()], by_visitor),
        "matched_by": [each or None for each in matched],
        "call_id": _only([each + 1 for each in calls], (belongs <= BY_PHONE).tolist()),
        "visitor_id": _only(visitor.tolist(), by_visitor),
        "created_at": itertools.repeat(now.isoformat(" ")),
        "changed_at": itertools.repeat(now.isoformat(" ")),
    }
    return pour(database, Sale, told)


def _parts(amount: float) -> int:
    """The amount as the books have it: whole ten-thousandths."""
    return int(Decimal(f"{amount:.2f}") * MONEY_SCALE)


def _only(values: Sequence[Any], mask: Sequence[bool]) -> list[Any]:
    return [value if on else None for value, on in zip(values, mask, strict=True)]
