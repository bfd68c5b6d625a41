"""Matomo: how a visitor is known there, what is an event and what a goal, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import pytest
from support.standin import Said, StandIn
from support.standins.matomo import Tracker
from support.told import COOKIES, PAGE, Told

from tracker.destinations.matomo import visitor_of
from tracker.models import Category
from tracker.policy.delivering import Event, Why
from tracker.policy.parcels import VisitFacts

KNOWN = {"_pk_id.3.1fff": "c0ffee0123456789.1795170000."}
VISIT = VisitFacts("v", datetime(2026, 11, 22, tzinfo=UTC), None, None, None)


@pytest.fixture
def matomo(told: Told) -> Iterator[tuple[StandIn, Tracker]]:
    with told.pointing("matomo") as (server, double):
        yield server, cast("Tracker", double)


def test_a_call_is_an_event_of_the_visit_that_matomo_s_cookie_names(
    told: Told, matomo: tuple[StandIn, Tracker]
) -> None:
    server, double = matomo
    told.visit(analytics_ids=COOKIES | KNOWN)
    told.call("one")
    told.send()
    (it,) = double.seen
    assert it["cid"] == "c0ffee0123456789"
    assert it["url"] == PAGE
    assert (it["e_c"], it["e_a"]) == ("Phone call", "answered")
    assert it["cdt"] == f"{told.clock():%Y-%m-%d %H:%M:%S}"
    assert "uid" not in it
    assert server.asked[0].query == {}  # the token is in the body


def test_a_visitor_without_that_cookie_comes_with_his_landing_page(
    told: Told, matomo: tuple[StandIn, Tracker]
) -> None:
    told.call("one")
    told.send()
    (it,) = matomo[1].seen
    assert it["uid"]
    assert "gclid=" in it["url"]
    assert "cid" not in it


@pytest.mark.parametrize(
    ("cookies", "known"),
    [
        (KNOWN, "c0ffee0123456789"),
        ({"_pk_id.1.1fff": "a" * 16 + ".1.", **KNOWN}, "c0ffee0123456789"),  # of the site that is told
        ({"_pk_id.1.1fff": "a" * 16 + ".1."}, "a" * 16),
        ({"_pk_id.3.1fff": "no"}, None),
        ({"_ga": "c0ffee0123456789.1"}, None),
    ],
)
def test_the_visitor_id_is_the_cookie_s_head(cookies: dict[str, str], known: str | None) -> None:
    assert visitor_of(replace(VISIT, cookies=cookies), "3") == known


def test_a_category_is_an_event_or_the_goal_of_target_calls(
    told: Told, matomo: tuple[StandIn, Tracker]
) -> None:
    told.call("one")
    told.categorise("one", Category.SERVICE)
    told.send()
    assert [each["e_a"] for each in matomo[1].seen] == ["answered", "service"]
    told.change({"goal": "4", "target_goal": "5"})
    for key, category in (("two", Category.TARGET), ("three", Category.SERVICE)):
        told.call(key)
        told.categorise(key, category)
    told.send()
    assert [each.get("idgoal") for each in matomo[1].seen[2:]] == ["4", "5", "4"]
    judged = [each.why for each in told.deliveries() if each.event is Event.CATEGORISED]
    assert judged == [None, None, Why.UNWANTED]


def test_a_static_call_is_nobody_s(told: Told, matomo: tuple[StandIn, Tracker]) -> None:
    told.call("one", static=True)
    told.send()
    assert matomo[0].asked == []
    assert told.deliveries()[0].why is Why.NOBODY


@pytest.mark.parametrize(
    "said",
    [
        Said(401, b"Request was not authenticated but should have"),
        Said(400, b"Invalid idSite"),
        Said(404),
    ],
)
def test_what_is_no_call_s_fault_loses_none(told: Told, matomo: tuple[StandIn, Tracker], said: Said) -> None:
    server, double = matomo
    told.call("one")
    server.said = [said]
    told.send()
    assert told.destination().failures == 1
    told.pass_time(seconds=6)
    told.send()
    assert double.taken == ["one"]
