"""Intervals of shares and counts, against published values."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.policy.intervals import count_interval, per_interval, share_interval


@pytest.mark.parametrize(
    ("part", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_shares_are_wilsons(part: int, of: int, low: float, high: float) -> None:
    """Newcombe, "Two-sided confidence intervals for the single proportion" (1998), table I, method 3."""
    found = share_interval(part, of)
    assert found is not None
    assert [found.low, found.high] == pytest.approx([low, high], abs=6e-5)


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(0, 0.0, 3.689), (1, 0.0253, 5.572), (2, 0.242, 7.225), (7, 2.814, 14.423), (10, 4.795, 18.390),
     (50, 37.111, 65.919), (100, 81.364, 121.627)],
)  # fmt: skip
def test_counts_are_garwoods(count: int, low: float, high: float) -> None:
    """The exact 95 % limits of a Poisson count, as tables print them."""
    found = count_interval(count)
    assert [found.low, found.high] == pytest.approx([low, high], abs=6e-4)


def test_large_counts_go_on_where_small_ones_end() -> None:
    below, above = count_interval(1999), count_interval(2000)
    assert above.low - below.low == pytest.approx(1, abs=0.03)
    assert (above.high or 0) - (below.high or 0) == pytest.approx(1, abs=0.03)


@given(st.fractions(0, 3000, max_denominator=20))
def test_an_interval_holds_its_count_and_grows_with_it(count: Fraction) -> None:
    found, more = count_interval(count), count_interval(count + 1)
    assert found.high is not None
    assert more.high is not None
    assert found.low <= count <= found.high < more.high
    assert found.low < more.low


@given(st.integers(1, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_an_interval_holds_its_share(share: tuple[int, int]) -> None:
    found = share_interval(*share)
    assert found is not None
    assert found.high is not None
    assert 0 <= found.low <= share[0] / share[1] <= found.high <= 1
    mirrored = share_interval(share[1] - share[0], share[1])
    assert mirrored is not None
    assert mirrored.low == pytest.approx(1 - found.high, abs=1e-12)


def test_nothing_divided_has_no_interval() -> None:
    assert share_interval(0, 0) is None
    assert per_interval(Fraction(100), 0) is None
