"""How many numbers a pool needs: Erlang's formula, and the replay of its visits."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy.orm import Session
from support.command import Installation, furnish
from support.config import by, pallets, website

from tracker import numbers, sites
from tracker.advice import advise, plan
from tracker.advice_words import sentence
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import Company, Pool, Visit, Visitor
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
    for size in (5, 11, 22):
        expected = erlang.missed(erlang.offered_load(100, 3, 300), size)
        assert 1 - replay(stays, size, Rules(longest=1e9), TIMES).own == pytest.approx(expected, abs=0.01)


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
    assert replay(stays, 2, rules, TIMES).in_time == pytest.approx(
        1 - (TIMES.ever - TIMES.after(gap)) / whole
    )


def test_calls_are_in_time_until_the_number_is_somebody_elses() -> None:
    stays = [Stay(1, 0, 60), Stay(2, 400, 500)]
    here = TIMES.here(60) + TIMES.here(100)
    right = (here + TIMES.after(340) + TIMES.ever) / (here + 2 * TIMES.ever)
    assert replay(stays, 1, Rules(), TIMES).in_time == pytest.approx(right)
    assert replay(stays, 2, Rules(), TIMES).in_time == pytest.approx(1)
    assert replay(stays, 0, Rules(), TIMES).in_time == 0


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


@example(stays=[Stay(1, 0, 0)], hold=0, cooldown=0)
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
    assert 0 <= done.in_time <= 1 + 1e-9
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


# ---- from the books ----


def books(session: Session, now: datetime, days: int, visits_a_day: int) -> tuple[Company, Pool]:
    """A pool of two numbers and its visits: every day in the hour before noon of the company, evenly."""
    company = pallets(session, now)
    pool = website(session, now, company)
    site = sites.add(session, by(now), company, "Shop")
    sites.add_swap(session, by(now), site, "8 495 765-43-21", pool)
    for count in (1, 2):
        numbers.add(session, by(now), company, f"8 495 123-00-0{count}", place=pool)
    noon = datetime(now.year, now.month, now.day, 8, tzinfo=UTC)  # 11:00 in Moscow
    for day in range(days):
        for number in range(visits_a_day):
            at = noon - timedelta(days=day) + timedelta(seconds=3600 / visits_a_day * number)
            visitor = Visitor(company_id=company.id, key=f"{day}.{number}", created_at=at)
            session.add(visitor)
            session.flush()
            session.add(
                Visit(
                    visitor_id=visitor.id,
                    site_id=site.id,
                    started_at=at,
                    medium="cpc",
                    source="google",
                    seen_at=at + timedelta(minutes=3),
                    left_at=at + timedelta(minutes=3),
                    missed="pool_empty",
                )
            )
    session.flush()
    return company, pool


def test_advice_replays_the_pools_own_visits(database: Database, now: datetime) -> None:
    with database.write() as session:
        company, pool = books(session, now, days=8, visits_a_day=40)
        found = advise(session, company, pool, now)
        assert found.basis is not None
        assert (found.basis.visits, found.basis.enough) == (320, True)
        busiest = found.basis.busiest
        assert (busiest.hour, round(busiest.visits), round(busiest.load, 1)) == (11, 40, 5.3)
        # Every 90 s a visitor who keeps his number 480 s: 6 at a time, and no more than 6 are ever wanted.
        assert found.needed == 6
        assert found.numbers == 2
        assert found.needed_when_busiest == erlang.numbers_needed(busiest.load, 0.01)
        enough, now_two = found.option(6), found.option(2)
        assert enough is not None
        assert now_two is not None
        assert enough.own == 1
        assert now_two.own == pytest.approx(1 / 3, abs=0.02)
        assert found.next_buys == pytest.approx(320 / 6 / found.basis.days, abs=0.6)
        shorter = found.option(6, 150)
        assert shorter is not None
        assert shorter.in_time <= enough.in_time + 1e-9


def test_visits_that_no_number_was_meant_for_do_not_count(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        company, pool = books(session, now, days=1, visits_a_day=4)
        first = session.scalars(sa.select(Visit).order_by(Visit.id)).first()
        assert first is not None
        first.missed = "shared"
        session.flush()
        found = advise(session, company, pool, now)
        assert found.basis is not None
        assert found.basis.visits == 3
        assert not found.basis.enough
        assert sentence(found).startswith("Too little to go by yet (3 visits in 0.2 days")


def test_a_pool_without_visits_asks_what_is_expected(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        company = pallets(session, now)
        with pytest.raises(Rejected, match="--visitors-per-hour N") as refused:
            advise(session, company, website(session, now, company), now)
        assert refused.value.id == "pool.no_visits"


def test_a_plan_needs_no_visits() -> None:
    found = plan(100, 3)
    assert (found.needed, found.numbers, found.basis, found.next_buys) == (22, None, None, None)
    option = found.option(22)
    assert option is not None
    assert option.own == pytest.approx(0.9918, abs=0.0001)
    assert sentence(found) == "22 numbers for at most 1 % of the visitors without one."


@pytest.mark.parametrize(
    ("visitors", "minutes", "target", "hold"),
    [
        (0, 3, 0.01, 300),
        (10, 0, 0.01, 300),
        (1e9, 3, 0.01, 300),
        (10, 3, 0, 300),
        (10, 3, 1, 300),
        (10, 3, 0.1, -1),
    ],
)
def test_what_cannot_be_planned_is_refused(visitors: float, minutes: float, target: float, hold: int) -> None:
    with pytest.raises(Rejected):
        plan(visitors, minutes, target=target, hold_seconds=hold)


# ---- the command ----


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


def test_the_command_advises_before_there_is_anything(here: Installation) -> None:
    said = here.done("pool", "advise", "--visitors-per-hour", "100", "--minutes", "3")
    assert "22 numbers for at most 1 % of the visitors without one." in said
    assert said.splitlines()[2].startswith("NUMBERS  OWN NUMBER  CALLS IN TIME  HELD 150 S")
    given = here.json("pool", "advise", "--visitors-per-hour", "100", "--minutes", "3", "--target", "0.1%")
    assert given["needed"] == 26
    assert given["advice"].startswith("26 numbers")


def test_the_command_names_the_line_of_the_present_numbers(here: Installation) -> None:
    furnish(here)
    here.done("number", "add", "8 495 123-00-01", "--pool", "Website")
    said = here.done("pool", "advise", "Website", "--visitors-per-hour", "10", "--minutes", "3")
    assert "\n1 now " in said
    assert here.refused("pool", "advise").startswith("leaseline: Pool 'Website' has had no visits")
    here.done("pool", "add", "Second")
    assert "several pools (Second, Website)" in here.refused("pool", "advise")
    assert here.run("pool", "advise", "--minutes", "3").exit_code == 2
    assert here.run("pool", "advise", "Website", "--target", "x").exit_code == 2
