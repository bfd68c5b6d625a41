"""A whole divided so that the parts add up to it: by largest remainder, to the last unit."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

# Parts of one conversion: 1 to 20 divide them, and each per cent of them, so that the usual splits are exact.
WHOLE = 232_792_560_000


def split(whole: int, weights: Sequence[int]) -> list[int]:
    """The whole in proportion to the weights, none of them below zero, some above.

    Of equal remainders the earlier is rounded up; what is below zero is split as what is above.
    """
    if whole < 0:
        return [-part for part in split(-whole, weights)]
    total = sum(weights)
    parts = [whole * weight // total for weight in weights]
    left = whole - sum(parts)
    if left:
        order = sorted(range(len(weights)), key=lambda place: -(whole * weights[place] % total))
        for place in order[:left]:
            parts[place] += 1
    return parts


def split_amount(amount: Decimal, weights: Sequence[int], decimals: int = 2) -> list[Decimal]:
    """The amount in proportion to the weights, each part with the currency's decimals.

    An amount that has more decimals than its currency is split as finely as it is written.
    """
    exponent = min(-decimals, int(amount.normalize().as_tuple().exponent))
    units = int(amount.scaleb(-exponent))
    return [Decimal(part).scaleb(exponent) for part in split(units, weights)]
