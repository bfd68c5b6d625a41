"""How many numbers a pool needs: Erlang's formula, and the replay of its visits."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.policy import erlang
from tracker.policy.advice import (
    CallTimes,
    Rules,
    Stay,
    busiest_instant,
    fewest,
    hours_of_week,
    replay,
    trial,
)
from tracker.policy.delays import PRIOR

TIMES = CallTimes(PRIOR)

# market.md 2.11: visits of 3 minutes; numbers for at most 1 % (0.1 %) of visitors without one.
TABLE = {
    10: {0: (4, 5), 150: (5, 6), 300: (5, 7), 1800: (12, 15)},
    30: {0: (6, 7), 150: (8, 10), 300: (10, 12), 1800: (26, 30)},
    60: {0: (8, 10), 150: (12, 15), 300: (15, 18), 1800: (45, 51)},
    100: {0: (11, 14), 150: (17, 20), 300: (22, 26), 1800: (69, 77)},
    200: {0: (18, 21), 150: (28, 33), 300: (38, 43), 1800: (128, 139)},
    500: {0: (36, 41), 150: (59, 66), 300: (82, 91), 1800: (298, 318)},
}


@pytest.mark.parametrize(
    ("visitors", "hold", "numbers"),
    [(visitors, hold, numbers) for visitors, row in TABLE.items() for hold, numbers in row.items()],
)
def test_the_published_table_comes_out(visitors: int, hold: int, numbers: tuple[int, int]) -> None:
    load = erlang.offered_load(visitors, 3, hold)
    assert (erlang.numbers_needed(load, 0.01), erlang.numbers_needed(load, 0.001)) == numbers


def test_the_rules_of_thumb_leave_visitors_without() -> None:
    load = erlang.offered_load(100, 3, 300)
    assert erlang.missed(load, 5) == pytest.approx(0.66, abs=0.01)
    assert erlang.missed(load, 11) == pytest.approx(0.30, abs=0.01)
    assert erlang.missed(load, 22) == pytest.approx(0.0083, abs=0.001)


@given(load=st.floats(0.01, 500), numbers=st.integers(0, 600))
def test_one_number_more_never_makes_it_worse(load: float, numbers: int) -> None:
    assert 0 <= erlang.missed(load, numbers + 1) <= erlang.missed(load, numbers) <= 1


@given(load=st.floats(0.01, 120), numbers=st.integers(0, 120))
def test_the_recursion_is_the_formula(load: float, numbers: int) -> None:
    terms = [count * math.log(load) - math.lgamma(count + 1) for count in range(numbers + 1)]
    whole = sum(math.exp(term - max(terms)) for term in terms)
    assert erlang.missed(load, numbers) == pytest.approx(
        math.exp(terms[-1] - max(terms)) / whole, rel=1e-6, abs=1e-12
    )


def test_nobody_comes_nobody_misses() -> None:
    assert erlang.missed(0, 0) == 0
    assert erlang.numbers_needed(0, 0.01) == 0


def test_the_replay_of_chance_visits_agrees_with_the_formula() -> None:
    stays = trial(100, 3)
    for numbers in (5, 11, 22):
        expected = erlang.missed(erlang.offered_load(100, 3, 300), numbers)
        assert 1 - replay(stays, numbers, Rules(longest=1e9), TIMES).own == pytest.approx(expected, abs=0.01)


def test_a_number_is_busy_until_the_hold_time_is_over() -> None:
    first, second = Stay(1, 0, 60), Stay(2, 359, 400)
    assert replay([first, second], 1, Rules(hold=300), TIMES).with_number == 1
    assert replay([first, second._replace(came=360)], 1, Rules(hold=300), TIMES).with_number == 2
    assert replay([first, second], 1, Rules(hold=0), TIMES).with_number == 2
    assert replay([first, second._replace(came=360)], 1, Rules(hold=300, cooldown=1), TIMES).with_number == 1


def test_who_went_without_a_word_keeps_it_for_the_idle_time() -> None:
    silent = Stay(1, 0, 60, left=False)
    assert replay([silent, Stay(2, 659, 700)], 1, Rules(), TIMES).with_number == 1
    assert replay([silent, Stay(2, 660, 700)], 1, Rules(), TIMES).with_number == 2


def test_no_lease_outlives_the_longest() -> None:
    assert replay([Stay(1, 0, 9000), Stay(2, 3600, 4000)], 1, Rules(longest=3600), TIMES).with_number == 2


def test_a_visitor_goes_on_with_the_number_he_has() -> None:
    same = [Stay(1, 0, 60), Stay(1, 200, 260), Stay(2, 400, 460)]
    assert replay(same, 1, Rules(hold=300), TIMES).with_number == 2  # the second stay holds it until 560
    assert replay([*same[:2], Stay(2, 561, 600)], 1, Rules(hold=300), TIMES).with_number == 3


def test_a_visitor_who_comes_back_takes_his_number_before_the_longest_free_one() -> None:
    stays = [Stay(1, 0, 10), Stay(2, 20, 30), Stay(2, 5000, 5010), Stay(3, 5011, 5020)]
    # Visitor 3 gets the number of visitor 1, so no call of visitor 2 is too late.
    rules = Rules(hold=0, idle=60)
    gap = 5011 - 10
    whole = sum(TIMES.here(stay.seen - stay.came) + TIMES.ever for stay in stays)
    assert replay(stays, 2, rules, TIMES).right == pytest.approx(1 - (TIMES.ever - TIMES.after(gap)) / whole)


def test_calls_are_right_until_the_number_is_somebody_elses() -> None:
    stays = [Stay(1, 0, 60), Stay(2, 400, 500)]
    here = TIMES.here(60) + TIMES.here(100)
    right = (here + TIMES.after(340) + TIMES.ever) / (here + 2 * TIMES.ever)
    assert replay(stays, 1, Rules(), TIMES).right == pytest.approx(right)
    assert replay(stays, 2, Rules(), TIMES).right == pytest.approx(1)
    assert replay(stays, 0, Rules(), TIMES).right == 0


def test_the_sums_of_the_delay_model_are_its_own() -> None:
    for seconds in (0, 7, 75, 640, 4000, 400_000):
        assert TIMES.after(seconds) == pytest.approx(PRIOR.tail(0, seconds))
    assert TIMES.after(1e9) == TIMES.ever == pytest.approx(PRIOR.tail(0, 1e9))
    assert TIMES.here(0) == 0
    assert TIMES.here(20) == pytest.approx(10 * PRIOR.sight[0] + 10 * PRIOR.sight[1])
    assert TIMES.here(1000) - TIMES.here(900) == pytest.approx(100 * PRIOR.sight[5])


STAYS = st.lists(
    st.builds(
        lambda visitor, came, minutes, left: Stay(visitor, came, came + minutes * 60, left),
        st.integers(1, 8),
        st.integers(0, 4000),
        st.integers(0, 30),
        st.booleans(),
    ),
    max_size=40,
).map(lambda stays: sorted(stays, key=lambda stay: stay.came))


@given(stays=STAYS, hold=st.sampled_from([0, 300, 1800]), cooldown=st.sampled_from([0, 60]))
def test_as_many_numbers_as_were_wanted_at_once_are_enough(
    stays: list[Stay], hold: int, cooldown: int
) -> None:
    rules = Rules(hold=hold, cooldown=cooldown)
    done = replay(stays, busiest_instant(stays, rules), rules, TIMES)
    assert done.with_number == done.visits == len(stays)


@given(stays=STAYS, numbers=st.integers(0, 5))
def test_shares_are_shares(stays: list[Stay], numbers: int) -> None:
    done = replay(stays, numbers, Rules(), TIMES)
    assert 0 <= done.right <= 1 + 1e-9
    assert 0 <= done.with_number <= done.visits


def test_the_fewest_numbers_for_a_target_are_found() -> None:
    stays = trial(100, 3)[:5000]
    rules = Rules(longest=1e9)
    found = fewest(stays, rules, 0.01, TIMES)
    assert 1 - replay(stays, found, rules, TIMES).own <= 0.01
    assert 1 - replay(stays, found - 1, rules, TIMES).own > 0.01


def test_the_week_is_counted_in_the_companys_hours() -> None:
    zone = ZoneInfo("Europe/Moscow")
    since = datetime(2026, 11, 2, tzinfo=zone)  # a Monday
    came = [
        since + timedelta(days=week * 7, hours=9, minutes=minute) for week in (0, 1) for minute in (0, 59)
    ]
    stays = [Stay(number, at.timestamp(), at.timestamp() + 60) for number, at in enumerate(came)]
    week = hours_of_week(stays, Rules(hold=300), zone, since.astimezone(UTC), since + timedelta(days=14))
    busy = [hour for hour in week if hour.visits]
    assert [(hour.weekday, hour.hour, hour.visits) for hour in busy] == [(0, 9, 2)]
    assert busy[0].load == pytest.approx(2 * 360 / 3600)
    assert len(week) == 168
