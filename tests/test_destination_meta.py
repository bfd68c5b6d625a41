"""Meta: how a caller is known there, which events are told, and what its error codes mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import pytest
from support.facts import CALLER
from support.standin import Said, StandIn
from support.standins.meta import Graph, graph_error
from support.told import COOKIES, PAGE, Told

from tracker.destinations.meta import click_of
from tracker.models import Category
from tracker.policy.delivering import Event, Why
from tracker.policy.facts import Presentation
from tracker.policy.parcels import VisitFacts, digest_digits

AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
VISIT = VisitFacts("v", AT, None, None, None)


@pytest.fixture
def meta(told: Told) -> Iterator[tuple[StandIn, Graph]]:
    with told.pointing("meta") as (server, double):
        yield server, cast("Graph", double)


def test_an_event_says_who_called_hashed_when_and_from_which_page(
    told: Told, meta: tuple[StandIn, Graph]
) -> None:
    told.call("one")
    told.send()
    (it,) = meta[1].seen
    assert it["event_name"] == "Contact"
    assert it["event_id"] == "one:completed"
    assert it["event_time"] == int(told.clock().timestamp())
    assert it["event_source_url"] == PAGE
    assert it["user_data"]["ph"] == [digest_digits(CALLER)]
    assert it["user_data"]["fbp"] == COOKIES["_fbp"]
    assert it["user_data"]["fbc"] == COOKIES["_fbc"]
    assert "test_event_code" not in meta[0].asked[0].json()


def test_a_withheld_number_is_known_by_its_cookie_or_not_at_all(
    told: Told, meta: tuple[StandIn, Graph]
) -> None:
    told.call("one", presentation=Presentation.WITHHELD)
    told.visit(analytics_ids={}, click_ids={})
    told.call("two", presentation=Presentation.WITHHELD)
    told.send()
    (it,) = meta[1].seen
    assert "ph" not in it["user_data"]
    assert [each.why for each in told.deliveries()] == [None, Why.NOBODY]


def test_a_target_call_is_a_second_event_and_any_other_none(told: Told, meta: tuple[StandIn, Graph]) -> None:
    for key, category in (("one", Category.TARGET), ("two", Category.SERVICE)):
        told.call(key)
        told.categorise(key, category)
    told.send()
    seen = [(it["event_name"], it["event_id"]) for it in meta[1].seen]
    assert sorted(seen) == [
        ("Contact", "one:completed"), ("Contact", "two:completed"), ("Lead", "one:categorised"),
    ]  # fmt: skip
    whys = [each.why for each in told.deliveries() if each.event is Event.CATEGORISED]
    assert whys == [None, Why.UNWANTED]


@pytest.mark.parametrize(
    ("visit", "click"),
    [
        (replace(VISIT, cookies={"_fbc": "fb.1.1554763741205.AbC"}), "fb.1.1554763741205.AbC"),
        (replace(VISIT, click_ids={"fbclid": "IwAR0Ex"}), "fb.1.1795341600000.IwAR0Ex"),
        (replace(VISIT, cookies={"_fbc": "nonsense"}), None),
        (VISIT, None),
    ],
)
def test_a_click_is_the_cookie_s_or_built_from_the_address(visit: VisitFacts, click: str | None) -> None:
    assert click_of(visit) == click


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (graph_error(190, "Error validating access token"), None),
        (graph_error(200, "Missing permission"), None),
        (graph_error(100, "Object does not exist", 33), None),
        (graph_error(4, "Application request limit reached"), None),
        (graph_error(613, "Calls to this api have exceeded the rate limit"), None),
        (graph_error(100, "Try again", passes=True), None),
        (graph_error(100, "Invalid parameter", 2804003), Why.REFUSED),
        (Said(200, {"events_received": 0, "messages": ["no"]}), Why.REFUSED),
        (Said(200, b"<html>"), Why.REFUSED),
    ],
)
def test_what_an_answer_means(told: Told, meta: tuple[StandIn, Graph], said: Said, why: Why | None) -> None:
    server, double = meta
    told.change({})
    told.call("one")
    told.categorise("one", Category.SERVICE)
    server.said = [said]
    told.send()
    assert told.deliveries()[0].why is why
    told.pass_time(seconds=6)
    told.send()
    assert double.taken == ([] if why else ["one"])


def test_a_test_without_a_test_code_is_not_sent(told: Told, meta: tuple[StandIn, Graph]) -> None:
    tried = told.try_out()
    assert tried.answer.ok
    assert meta[0].asked[0].json()["test_event_code"] == "TEST4711"
    told.change({"test_event_code": ""})
    tried = told.try_out()
    assert not tried.answer.ok
    assert "test_event_code" in tried.answer.text
    assert len(meta[0].asked) == 1


def test_nothing_older_than_seven_days_is_sent(told: Told, meta: tuple[StandIn, Graph]) -> None:
    server, double = meta
    told.call("one")
    server.down = Said(503)
    told.send()
    told.pass_time(days=6, hours=23, minutes=59)
    server.down, double.now = None, told.clock()
    told.send()
    assert double.taken == ["one"]


def test_a_static_call_is_nobody_s(told: Told, meta: tuple[StandIn, Graph]) -> None:
    told.call("one", static=True)
    told.send()
    assert told.deliveries()[0].why is Why.NOBODY
    assert meta[0].asked == []
