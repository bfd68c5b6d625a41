"""Google Ads, later on: what became of the clicks of a request, and what is done about those it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import cast

import pytest
from support.standin import Said, StandIn
from support.standins.google_ads import STATUS, DataManager
from support.told import Told

from tracker.destinations.google_verdicts import COUNTED, judge, read_status
from tracker.models import Category, Delivery
from tracker.policy.delivering import Why

SIX_HOURS = timedelta(hours=6)


@pytest.fixture
def google(told: Told) -> Iterator[tuple[StandIn, DataManager]]:
    with told.pointing("google_ads") as (server, double):
        yield server, cast("DataManager", double)


def deliver(told: Told, *keys: str) -> None:
    """Calls that somebody judged, sent in one request."""
    for key in keys:
        told.call(key)
        told.categorise(key, Category.TARGET)
    told.clock.now += SIX_HOURS
    told.send()


def look(told: Told, server: StandIn, minutes: float = 61) -> list[str]:
    """Some time later: what was asked of the API then."""
    server.asked.clear()
    told.pass_time(minutes=minutes)
    told.send()
    return [each.path for each in server.asked if each.path != "/token"]


def of(told: Told) -> dict[str, Delivery]:
    return dict(zip((f"call{at}" for at in range(9)), told.deliveries(), strict=False))


def test_a_request_is_asked_for_after_half_an_hour_and_as_long_as_it_is_under_way(
    told: Told, google: tuple[StandIn, DataManager]
) -> None:
    server, _ = google
    deliver(told, "call0")
    assert told.deliveries()[0].receipt == "r-1"
    assert look(told, server, minutes=29) == []
    assert look(told, server, minutes=2) == [STATUS]  # under way
    assert look(told, server, minutes=59) == []
    assert look(told, server, minutes=2) == [STATUS]
    (it,) = told.deliveries()
    assert (it.answer, it.receipt, it.verdict_at) == (COUNTED, "r-1", None)
    assert it.sent_at is not None
    assert look(told, server) == []


def test_a_click_that_google_does_not_know_is_a_dead_letter_with_its_reason(
    told: Told, google: tuple[StandIn, DataManager]
) -> None:
    server, double = google
    double.faults = {"call0": "CLICK_NOT_FOUND"}
    deliver(told, "call0")
    look(told, server)
    look(told, server)
    (it,) = told.deliveries()
    assert (it.why, it.sent_at, it.given_up_at) == (Why.REFUSED, None, told.clock())
    assert it.answer == "CLICK_NOT_FOUND · Google knows no such click"
    assert told.destination().failures == 0  # nothing is wrong with the destination itself


def test_of_a_request_that_counts_in_part_the_refused_ones_are_found_and_no_others(
    told: Told, google: tuple[StandIn, DataManager]
) -> None:
    server, double = google
    double.faults = {"call1": "INVALID_GCLID", "call4": "DENIED_CONSENT"}
    deliver(told, *(f"call{at}" for at in range(6)))
    for _ in range(12):
        look(told, server)
    its = of(told)
    assert {key for key, it in its.items() if it.why} == {"call1", "call4"}
    assert str(its["call1"].answer).startswith("INVALID_GCLID · the click id")
    assert "consent" in str(its["call4"].answer)
    assert all(it.answer == COUNTED and it.sent_at for key, it in its.items() if not it.why)
    assert look(told, server) == []
    assert len(double.taken) == 6  # what was sent again was counted once


def test_an_api_that_does_not_say_what_became_of_them_is_asked_for_two_days_and_holds_up_nothing(
    told: Told, google: tuple[StandIn, DataManager]
) -> None:
    server, double = google
    deliver(told, "call0")
    server.down = Said(503)
    assert look(told, server, minutes=31) == [STATUS]
    assert told.destination().failures == 0
    server.down = None
    deliver(told, "call1")
    assert double.taken == ["call0", "call1"]
    server.down = Said(503)
    look(told, server, minutes=60 * 48)
    assert of(told)["call0"].verdict_at is None
    assert of(told)["call0"].sent_at is not None


def test_a_request_that_google_has_forgotten_refuses_nothing(
    told: Told, google: tuple[StandIn, DataManager]
) -> None:
    server, double = google
    deliver(told, "call0")
    double.requests.clear()
    look(told, server)
    (it,) = told.deliveries()
    assert it.sent_at is not None
    assert "does not say" in str(it.answer)


def test_a_token_that_ended_while_google_thought_is_renewed(
    told: Told, google: tuple[StandIn, DataManager]
) -> None:
    server, double = google
    deliver(told, "call0")
    double.expired = {"at-1"}
    look(told, server, minutes=31)
    assert [each.path for each in server.asked] == [STATUS, "/token", STATUS]


@pytest.mark.parametrize(
    ("status", "counts", "size", "refused"),
    [
        ("SUCCESS", {}, 5, False),
        ("FAILED", {}, 5, True),
        ("FAILED", {"INVALID_GCLID": 5}, 5, True),
        ("FAILED", {"INVALID_GCLID": 4, "CLICK_NOT_FOUND": 1}, 5, None),  # which of them for what?
        ("FAILED", {"INVALID_GCLID": 1, "DUPLICATE_TRANSACTION_ID": 1}, 2, None),
        ("FAILED", {"DUPLICATE_TRANSACTION_ID": 2}, 2, False),
        ("PARTIAL_SUCCESS", {"INVALID_GCLID": 1}, 5, None),
        ("PARTIAL_SUCCESS", {"INVALID_GCLID": 1}, 1, True),
        ("PARTIAL_SUCCESS", {}, 1, False),
    ],
)
def test_one_verdict_is_passed_only_where_it_is_everybody_s(
    status: str, counts: dict[str, int], size: int, refused: bool | None
) -> None:
    verdict = judge(status, counts, size)
    assert (verdict and verdict.refused) is refused


@pytest.mark.parametrize(
    "told", [{}, [], {"requestStatusPerDestination": []}, {"requestStatusPerDestination": [{}]}]
)
def test_a_status_that_says_nothing_is_one_under_way(told: object) -> None:
    assert read_status(told) == ("PROCESSING", {})
