"""CallRail's format: its keys and types, its signature, and what its words are for what happens here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
import support.standin
from support.standins.callrail import KEY, Receiver
from support.told import CLICKS, PAGE, Told

from tracker.database import Database
from tracker.destination_trial import sample_call
from tracker.destinations.callrail import call_type, payload, signature
from tracker.destinations.kind import Parcel
from tracker.models import Category, Company
from tracker.policy.delivering import Event
from tracker.policy.facts import Outcome, Presentation
from tracker.policy.parcels import CallFacts

# CallRail's own example, with which its documentation shows how signatures are checked.
VECTOR = (Path(support.standin.__file__).with_name("callrail_vector.json")).read_bytes()
LATER_KEYS = {
    "source", "detail_tags", "waveforms", "fbclid", "msclkid", "agent_email", "milestones", "resource_id",
}  # fmt: skip
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.fixture
def receiver(told: Told) -> Iterator[Receiver]:
    with told.pointing("callrail") as (_, double):
        yield cast("Receiver", double)


def call(**more: Any) -> CallFacts:
    owner = Company(
        slug="boost", name="Boost", default_region="US", timezone="America/Los_Angeles", language="en",
        currency="USD",
    )  # fmt: skip
    return replace(sample_call(owner, "https://x.example", NOW), **more)


def body(event: Event = Event.COMPLETED, **more: Any) -> dict[str, Any]:
    return payload(Parcel("key", event, 0, NOW, call(**more)), NOW)


def test_the_signature_is_that_of_callrail_s_own_example() -> None:
    assert signature(KEY, VECTOR) == "UZAHbUdfm3GqL7qzilGozGzWV64="


def test_the_keys_and_types_are_callrail_s() -> None:
    theirs, ours = json.loads(VECTOR), body(category=Category.TARGET)
    assert ours.keys() == theirs.keys() | LATER_KEYS
    told = {name for name in theirs if theirs[name] != "" and ours[name] != ""}
    assert {name for name in told if type(ours[name]) is not type(theirs[name])} == set()
    assert None not in ours.values()
    assert (
        None
        not in body(caller=None, caller_name=None, visit=None, recording_link=None, ended_at=None).values()
    )


def test_times_are_in_the_company_s_zone_and_the_old_one_in_utc() -> None:
    told = body()
    assert told["start_time"] == "2026-11-22T01:58:56.000-08:00"
    assert told["datetime"] == "2026-11-22 09:58:56"
    assert told["company_time_zone"] == "America/Los_Angeles"
    assert (told["duration"], told["formatted_duration"]) == ("64", "1m 4s")


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({}, "answered"),
        ({"outcome": None, "ended_at": None}, "in_progress"),
        ({"outcome": Outcome.MISSED, "left_message": True}, "voicemail"),
        ({"outcome": Outcome.GAVE_UP}, "abandoned"),
        ({"outcome": Outcome.MISSED}, "missed"),
        ({"outcome": Outcome.BUSY}, "missed"),
    ],
)
def test_what_became_of_a_call_in_callrail_s_words(more: dict[str, Any], word: str) -> None:
    assert call_type(call(**more)) == word
    assert body(**more)["voicemail"] == (word == "voicemail")


def test_a_visit_s_call_says_where_it_came_from(told: Told, receiver: Receiver) -> None:
    told.call("one")
    told.pass_time(minutes=21)
    told.send()
    (it,) = receiver.seen
    assert it["gclid"] == CLICKS["gclid"]
    assert it["last_requested_url"] == PAGE
    assert it["callernum"] == "+4915112345678"
    assert it["customer_country"] == "DE"
    assert (it["first_call"], it["prior_calls"], it["total_calls"]) == (True, 0, 1)
    assert "changes" not in it


def test_callers_are_counted_and_hidden_ones_are_nobody(
    database: Database, now: datetime, tmp_path: Path
) -> None:
    told = Told(database, tmp_path, now)
    with told.pointing("callrail") as (_, double):
        receiver = cast("Receiver", double)
        for key in ("one", "two"):
            told.call(key)
            told.pass_time(minutes=21)
        told.call("three", presentation=Presentation.WITHHELD)
        told.pass_time(minutes=21)
        told.send()
    assert [each["prior_calls"] for each in receiver.seen] == [0, 1, 0]
    assert receiver.seen[2]["customer_phone_number"] == receiver.seen[2]["callernum"] == ""


def test_it_is_told_after_the_recording_or_twenty_minutes(told: Told, receiver: Receiver) -> None:
    told.call("one")  # its recording is being prepared
    told.send()
    told.pass_time(minutes=19)
    told.send()
    assert receiver.seen == []
    told.pass_time(minutes=2)
    told.send()
    assert receiver.taken == ["one"]


def test_a_judged_call_is_told_as_changed(told: Told) -> None:
    with told.pointing("callrail", events=["call.categorised"]) as (_, double):
        told.call("one")
        told.categorise("one", Category.TARGET)
        told.send()
        (it,) = cast("Receiver", double).seen
    assert it["lead_status"] == "good_lead"
    assert it["good_lead_call_id"] == it["id"]
    assert it["changes"]


def test_money_and_milestones_are_written_as_there() -> None:
    told = body()
    assert (told["value"], told["formatted_value"]) == ("10.00", "$10.00")
    assert body(value=None)["formatted_value"] == "--"
    assert told["milestones"]["lead_created"].keys() == told["milestones"]["first_touch"].keys()
    assert told["milestones"]["lead_created"]["event_date"] == told["start_time"]
    assert told["timestamp"] == "2026-11-22T02:00:00.000-08:00"
