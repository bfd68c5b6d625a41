"""Where a call came from, decided from the intervals as they stood."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tracker.policy.attribution import Held, Seen, Unknown, Used, Visited, attribute

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def minutes(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


OLD = Held(1, 11, minutes(0), minutes(10))
NEW = Held(2, 12, minutes(15), None)
BILLBOARD = Used(7, None, minutes(-60), minutes(12))
WEBSITE = Used(None, 3, minutes(-60), None)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (-1, Unknown()),
        (0, Visited(1, 11, 1.0, (1,))),
        (9.99, Visited(1, 11, 1.0, (1,))),
        (10, Unknown()),  # after the lease, before the next one: never silently the new visitor
        (14.99, Unknown()),
        (15, Visited(2, 12, 1.0, (2,))),
    ],
)
def test_the_visit_that_held_the_number_at_the_first_second(at: float, expected: Visited | Unknown) -> None:
    assert attribute(minutes(at), [OLD, NEW], [WEBSITE]) == expected


@pytest.mark.parametrize(("at", "expected"), [(0, Seen(7, 1.0)), (12, Unknown()), (-61, Unknown())])
def test_the_channel_the_number_was_used_for(at: float, expected: Seen | Unknown) -> None:
    assert attribute(minutes(at), [], [BILLBOARD]) == expected


def test_a_lease_says_more_than_a_channel() -> None:
    assert attribute(minutes(5), [OLD], [BILLBOARD]) == Visited(1, 11, 1.0, (1,))


def test_two_holders_at_once_are_named_and_none_is_chosen() -> None:
    twice = Held(3, 13, minutes(1), None)
    assert attribute(minutes(5), [twice, OLD], [BILLBOARD]) == Unknown(0.0, (1, 3))
