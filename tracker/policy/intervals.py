"""How far chance alone may have moved a figure: intervals that hold its true value 95 times in 100.

share_interval(3, 12)        # between which shares "3 of 12" may lie
count_interval(7)            # between which counts "7 orders" may lie, were the month lived again
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from fractions import Fraction
from statistics import NormalDist

CONFIDENCE = 0.95
_LARGE = 2000  # from here the approximation is as good as anything: to a millionth
Count = int | Fraction  # of calls, of orders: credit may be a part of one


@dataclass(frozen=True)
class Interval:
    """From `low` to `high`; high None: there is no telling how high."""

    low: float
    high: float | None

    @property
    def is_wide(self) -> bool:
        """Whether its ends differ more than threefold; asked of what is never below zero."""
        return self.high is None or self.high > 3 * self.low


def share_interval(part: Count, of: Count, confidence: float = CONFIDENCE) -> Interval | None:
    """Wilson's interval of a share (1927); None of nothing."""
    if not of:
        return None
    n, share = float(of), float(part) / float(of)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Interval(0.0 if not part else max(0.0, middle - half), 1.0 if part == of else middle + half)


def count_interval(count: Count, confidence: float = CONFIDENCE) -> Interval:
    """The exact interval of a Poisson count (Garwood 1936), also of a count with a fraction."""
    rest = (1 - confidence) / 2
    low = _gamma_quantile(float(count), rest) if count else 0.0
    return Interval(low, _gamma_quantile(float(count) + 1, 1 - rest))


def per_interval(amount: Fraction, count: Count, confidence: float = CONFIDENCE) -> Interval | None:
    """Of an amount per one of so many, such as a cost per order: the amount is known, the count is chance.

    None where nothing is to be divided by.
    """
    if not count or amount < 0:
        return None
    found = count_interval(count, confidence)
    return Interval(float(amount) / (found.high or math.inf), float(amount) / found.low)


@functools.lru_cache(4096)
def _gamma_quantile(shape: float, chance: float) -> float:
    """Below what a gamma variable of that shape and scale 1 lies with that chance."""
    guess = _wilson_hilferty(shape, chance)
    if shape >= _LARGE:
        return guess
    low, high = 0.0, max(guess, 1.0) * 2 + 10
    for _ in range(200):
        middle = (low + high) / 2
        if high - low <= 1e-12 * high:
            break
        low, high = (middle, high) if _gamma_below(shape, middle) < chance else (low, middle)
    return (low + high) / 2


def _wilson_hilferty(shape: float, chance: float) -> float:
    """The cube root of a gamma variable is nearly normal (Wilson and Hilferty, 1931)."""
    z = NormalDist().inv_cdf(chance)
    return float(shape * max(0.0, 1 - 1 / (9 * shape) + z / (3 * math.sqrt(shape))) ** 3)


def _gamma_below(shape: float, x: float) -> float:
    """The regularised lower incomplete gamma function, by its series (DLMF 8.7.1), which never alternates."""
    if x <= 0:
        return 0.0
    term = total = 1 / shape
    divisor = shape
    while term > total * 1e-16:
        divisor += 1
        term *= x / divisor
        total += term
    return min(1.0, total * math.exp(shape * math.log(x) - x - math.lgamma(shape)))
