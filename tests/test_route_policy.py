"""The way a call took, from what its witnesses wrote down."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from support.facts import answered, ended, leg_ended, started

from tracker.policy.facts import Fact
from tracker.policy.route import Leg, Result, route

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
MAIN, MOBILE = 1, 2


def at(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


BEGUN = started("+74951234567", AT)
NO_ANSWER = leg_ended(MAIN, at(14), dialled_at=at(1), rang_at=at(2))
WAYS = [
    ([BEGUN], []),
    ([BEGUN, answered(MAIN, at(7), rang_at=at(1)), ended(at(60))], [Leg(MAIN, 6, Result.ANSWERED)]),
    (
        [BEGUN, NO_ANSWER, answered(MOBILE, at(24), position=2, rang_at=at(16)), ended(at(60))],
        [Leg(MAIN, 12, Result.NO_ANSWER), Leg(MOBILE, 8, Result.ANSWERED)],
    ),
    (
        [
            leg_ended(MAIN, at(2), status="BUSY", cause=17, dialled_at=at(1), rang_at=None),
            leg_ended(MOBILE, at(9), position=2, status="CHANUNAVAIL", cause=21, rang_at=at(4)),
            leg_ended(MAIN, at(39), position=3, cause=16, dialled_at=at(9), rang_at=None),
        ],
        [Leg(MAIN, 1, Result.BUSY), Leg(MOBILE, 5, Result.DECLINED), Leg(MAIN, 30, Result.UNREACHABLE)],
    ),
    (
        [BEGUN, NO_ANSWER, ended(at(20), status="CANCEL", rang_at=at(15))],
        [Leg(MAIN, 12, Result.NO_ANSWER), Leg(None, 5, Result.GAVE_UP)],
    ),
    ([BEGUN, ended(at(3), status="CANCEL", rang_at=None)], []),
    ([BEGUN, answered(0, at(7), position=0, rang_at=None)], [Leg(None, None, Result.ANSWERED)]),
    (  # CEL told first that somebody answered; the spool knows who
        [answered(0, at(7), position=0, rang_at=None), answered(MOBILE, at(7.2), rang_at=at(3.2))],
        [Leg(MOBILE, 4, Result.ANSWERED)],
    ),
]


@pytest.mark.parametrize(("facts", "way"), WAYS)
def test_a_way_is_told_from_the_facts_in_any_order(facts: list[Fact], way: list[Leg]) -> None:
    for order in itertools.permutations(facts):
        assert route([*order, *order[:1]]) == way


def test_a_clock_that_was_set_back_makes_no_time_negative() -> None:
    assert route([answered(MAIN, at(1), rang_at=at(5))]) == [Leg(MAIN, 0, Result.ANSWERED)]
