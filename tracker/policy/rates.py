"""Exchange rates: what one unit of a currency is in the company's own, from a day on until the next rate."""

from __future__ import annotations

import bisect
import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from tracker.errors import Rejected

LEAST, MOST = Decimal("0.0000000001"), Decimal(100_000_000)
DECIMALS = 10
_RATE = re.compile(r"[0-9]{1,9}(?:[.,][0-9]{1,10})?")


class Rates:
    """The rates of a company, whose own currency is `into`."""

    def __init__(self, into: str, known: Iterable[tuple[str, date, Decimal]] = ()) -> None:
        self.into = into
        self._days: dict[str, list[date]] = defaultdict(list)
        self._rates: dict[str, list[Decimal]] = defaultdict(list)
        for currency, day, rate in sorted(known):
            self._days[currency].append(day)
            self._rates[currency].append(rate)

    def rate(self, currency: str, day: date) -> Decimal:
        """What one unit of that currency is on that day. Raises Rejected `rate.missing`, never guesses."""
        if currency == self.into:
            return Decimal(1)
        place = bisect.bisect_right(self._days.get(currency, []), day)
        if place == 0:
            raise Rejected(
                "rate.missing",
                "There is no rate of %(currency)s for %(day)s",
                "Say what one is in %(into)s: `leaseline rate set %(currency)s RATE --from %(day)s`",
                currency=currency,
                day=day,
                into=self.into,
            )
        return self._rates[currency][place - 1]

    def convert(self, amount: Decimal, currency: str, day: date) -> Decimal:
        """The amount in the company's currency, not rounded. Raises Rejected `rate.missing`."""
        return amount if currency == self.into else amount * self.rate(currency, day)


def read_rate(text: str) -> Decimal:
    """A rate as a person writes it, with a decimal point or comma. Raises Rejected `rate.malformed`."""
    rate = Decimal(text.strip().replace(",", ".")) if _RATE.fullmatch(text.strip()) else Decimal(0)
    if not LEAST <= rate <= MOST:
        raise Rejected(
            "rate.malformed",
            "%(text)r is no rate",
            "Give a number above zero with at most %(decimals)s decimals, such as 92.5",
            text=text[:40],
            decimals=DECIMALS,
        )
    return rate
