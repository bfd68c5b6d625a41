"""Leases, decided: times, shares, what is shown instead. Tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.policy import leasing
from tracker.policy.leasing import Clocks, LeaseEnd, Limits, Miss, Offer, ShownKind, Stock

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LIMITS = Limits(idle=600, hold=300, longest=3600, cooldown=60)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("at", "left", "expires"),
    [
        (0, False, 600),
        (100, False, 700),
        (100, True, 400),
        (2999, False, 3599),
        (3300, False, 3600),  # the absolute limit
        (3500, True, 3600),
        (3600, False, 3600),
        (4000, False, 4000),  # the limit was longer when it was promised: it ends where it is known to be
        (-1, False, 599),  # two requests in another order than their stamps
    ],
)
def test_a_lease_lasts_from_the_last_sign_of_life(at: float, left: bool, expires: float) -> None:
    assert leasing.expiry(NOON, after(at), LIMITS, left=left) == after(expires)


def test_a_lease_that_is_not_held_ends_when_the_visitor_leaves() -> None:
    assert leasing.expiry(NOON, after(9), Limits(600, 0, 3600, 0), left=True) == after(9)


@given(at=st.floats(-5, 9000), left=st.booleans())
def test_a_lease_never_ends_before_it_began(at: float, left: bool) -> None:
    assert leasing.expiry(NOON, after(at), LIMITS, left=left) >= max(NOON, after(at))


@pytest.mark.parametrize(
    ("expires", "left", "end"),
    [
        (600, False, LeaseEnd.IDLE),
        (600, True, LeaseEnd.LEFT),
        (3600, False, LeaseEnd.LONGEST),
        (3600, True, LeaseEnd.LONGEST),
        (4000, False, LeaseEnd.LONGEST),
    ],
)
def test_what_ended_a_lease_that_ran_out(expires: float, left: bool, end: LeaseEnd) -> None:
    assert leasing.ended_by(NOON, after(expires), LIMITS, left=left) is end


def test_a_number_rests_after_it_was_given_back() -> None:
    assert leasing.rested(NOON, LIMITS) == after(60)


@pytest.mark.parametrize(
    ("group", "dynamic_for", "shares"),
    [
        ("Organic Search", [], False),
        ("Paid Search", ["Paid Search", "Paid Social"], False),
        ("paid search", ["Paid Search"], False),
        ("Organic Search", ["Paid Search"], True),
        ("", ["Paid Search"], True),
    ],
)
def test_by_a_pools_rule_some_share_their_sources_number(
    group: str, dynamic_for: list[str], shares: bool
) -> None:
    assert leasing.may_share_only(group, dynamic_for) is shares


@pytest.mark.parametrize(
    ("size", "percent", "kept"), [(10, 0, 0), (10, 30, 3), (10, 31, 4), (1, 1, 1), (7, 100, 7), (0, 30, 0)]
)
def test_the_share_kept_for_paid_visits_is_rounded_up(size: int, percent: int, kept: int) -> None:
    assert leasing.reserved(size, percent) == kept


@pytest.mark.parametrize(
    ("size", "free", "paid_hold", "percent", "paid", "trusted", "reason"),
    [
        (10, 10, 0, 0, False, True, None),
        (10, 0, 0, 0, False, True, Miss.POOL_EMPTY),
        (10, 0, 0, 30, True, True, Miss.POOL_EMPTY),
        (10, 4, 0, 30, False, True, None),
        (10, 3, 0, 30, False, True, Miss.RESERVED),
        (10, 3, 0, 30, True, True, None),
        (10, 3, 1, 30, False, True, None),  # one of the three is in paid hands already
        (10, 2, 1, 30, False, True, Miss.RESERVED),
        (10, 1, 3, 30, False, True, None),
        (10, 10, 0, 100, False, True, Miss.RESERVED),
        (10, 6, 0, 0, False, False, None),
        (10, 5, 0, 0, False, False, Miss.UNTRUSTED),
        (10, 5, 0, 0, True, False, Miss.UNTRUSTED),
        (10, 0, 0, 0, True, False, Miss.POOL_EMPTY),
    ],
)
def test_who_may_have_a_number(
    *, size: int, free: int, paid_hold: int, percent: int, paid: bool, trusted: bool, reason: Miss | None
) -> None:
    assert leasing.refusal(Stock(size, free, paid_hold), percent, paid=paid, trusted=trusted) is reason


@pytest.mark.parametrize(
    ("percent", "paid", "trusted", "needed"),
    [(0, False, True, False), (30, True, True, False), (30, False, True, True), (0, True, False, True)],
)
def test_the_stock_is_counted_only_where_it_matters(
    percent: int, paid: bool, trusted: bool, needed: bool
) -> None:
    assert leasing.needs_stock(percent, paid=paid, trusted=trusted) is needed


@pytest.mark.parametrize(
    ("reason", "when_empty", "kind"),
    [
        (Miss.POOL_EMPTY, "real", ShownKind.REAL),
        (Miss.POOL_EMPTY, "source", ShownKind.SOURCE),
        (Miss.POOL_EMPTY, "overflow", ShownKind.OVERFLOW),
        (Miss.POOL_EMPTY, "code", ShownKind.CODE),
        (Miss.RESERVED, "code", ShownKind.CODE),
        (Miss.SHARED, "real", ShownKind.SOURCE),
        (Miss.SHARED, "code", ShownKind.SOURCE),
        (Miss.UNTRUSTED, "overflow", ShownKind.OVERFLOW),
        (Miss.UNTRUSTED, "code", ShownKind.REAL),
    ],
)
def test_what_is_shown_instead(reason: Miss, when_empty: str, kind: ShownKind) -> None:
    assert leasing.instead(reason, when_empty) is kind


OFFERS = [
    Offer("*", "any"),
    Offer("Organic Search", "organic"),
    Offer("Google", "google"),
    Offer("google", "google too"),
    Offer("Яндекс", "yandex"),
]


@pytest.mark.parametrize(
    ("source", "group", "number"),
    [
        ("google", "Organic Search", "google"),
        ("bing", "organic search", "organic"),
        ("яндекс", "Organic Search", "yandex"),
        ("(direct)", "Direct", "any"),
        ("", "", "any"),
    ],
)
def test_the_number_of_a_source_then_of_its_group_then_of_all(source: str, group: str, number: str) -> None:
    assert leasing.source_number(OFFERS, source, group) == number


def test_a_source_nobody_offers_a_number_for_has_none() -> None:
    assert leasing.source_number(OFFERS[1:], "bing", "Direct") is None


@pytest.mark.parametrize(
    ("open_codes", "digits"), [(0, 3), (499, 3), (500, 4), (4999, 4), (5000, 5), (50_000, 6)]
)
def test_codes_get_longer_when_half_of_them_are_taken(open_codes: int, digits: int) -> None:
    assert leasing.code_digits(open_codes) == digits


@pytest.mark.parametrize(
    ("wall", "ticks", "step"),
    [
        (5, 5, 0),
        (5.4, 5, 0),
        (25, 5, 0),  # 20 s: an admin may call that drift
        (25.5, 5, 20.5),
        (3605, 5, 3600),
        (-3595, 5, -3600),
        (900, 900, 0),  # the worker was held up: no clock was set
    ],
)
def test_a_clock_that_was_set_is_told_from_one_that_drifts(wall: float, ticks: float, step: float) -> None:
    before = Clocks(NOON, 1000.0)
    assert leasing.clock_step(before, Clocks(after(wall), 1000.0 + ticks)) == step


@pytest.mark.parametrize(
    ("seen", "before"), [(-3600, True), (-30, True), (-9, False), (0, False), (5, True), (3600, True)]
)
def test_what_was_stamped_since_the_clock_was_set_is_right_already(seen: float, before: bool) -> None:
    assert leasing.is_before_step(after(seen), NOON) is before
