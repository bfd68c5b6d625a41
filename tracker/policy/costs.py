"""What advertising cost: how a row got here, when two rows are the same, a month's rent by days."""

from __future__ import annotations

import calendar
import enum
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from babel.numbers import get_currency_precision

from tracker.policy.references import WORDS

DAY = timedelta(days=1)


class Entered(enum.StrEnum):
    """How a cost or a sale got into the books."""

    HAND = "hand"  # by a person, in the page or on the command line
    FILE = "file"
    API = "api"
    RENT = "rent"  # computed out of a channel's rent, never stored


@dataclass(frozen=True)
class Words:
    """What was paid for, in the words of visits' sources; None: no word was said."""

    source: str
    medium: str | None = None
    campaign: str | None = None
    keyword: str | None = None
    content: str | None = None  # the ad


@dataclass(frozen=True)
class Rent:
    """What a channel costs a month, from a day on until another, both included; None: with no end yet."""

    amount: Decimal
    currency: str
    from_day: date
    until_day: date | None = None


def key_of(day: date, words: Words, channel: str | None = None) -> str:
    """What makes two rows without a reference of their own the same: the day and what was paid for.

    So the same file imported again finds its rows, and an amount corrected in it corrects the row.
    """
    folded = [part and part.casefold() for part in (words.source, words.medium, channel)]
    parts = (*folded, words.campaign, words.keyword, words.content)
    text = "\0".join([day.isoformat(), *("" if part is None else "=" + part for part in parts)])
    return WORDS + hashlib.sha256(text.encode()).hexdigest()[:32]


def daily_rent(rent: Rent, first: date, last: date) -> Iterator[tuple[date, Decimal]]:
    """What the rent comes to on each of these days on which it is due, both included.

    A month's amount is spread over the days of that month so that they add up to it exactly: the first so
    many days together have cost their part of it, rounded to the currency's smallest coin.
    """
    coin = Decimal(1).scaleb(-get_currency_precision(rent.currency))
    day, end = max(first, rent.from_day), min(last, rent.until_day or last)
    while day <= end:
        days = calendar.monthrange(day.year, day.month)[1]
        until, before = (
            (rent.amount * number / days).quantize(coin, ROUND_HALF_UP) for number in (day.day, day.day - 1)
        )
        yield day, until - before
        day += DAY
