"""What CRMs are told of a call, whichever way it went and however it ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tracker.destination_trial import sample_call
from tracker.destinations import amocrm, bitrix24, bitrix24_leads, hubspot, salesforce
from tracker.destinations.crm import came_from, last_digits, person_of, story_of
from tracker.models import Company
from tracker.policy.facts import Direction, Outcome
from tracker.policy.parcels import CallFacts

OPTIONS = {"user_id": "7"}


@pytest.fixture
def call() -> CallFacts:
    company = Company(slug="pallets", name="Pallets", timezone="Europe/Moscow", currency="RUB")
    at = datetime(2026, 11, 22, 22, 30, tzinfo=UTC)
    sample = sample_call(company, "https://calls.pallets.example", at)
    return replace(sample, started_at=at, content=None)


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        (Direction.IN, (2, "inbound", "INBOUND", "Inbound", 1)),
        (Direction.CALLBACK, (4, "outbound", "OUTBOUND", "Outbound", 1)),
        (Direction.OUT, (1, "outbound", "OUTBOUND", "Outbound", 0)),
    ],
)
def test_which_way_a_call_went(call: CallFacts, direction: Direction, expected: tuple[Any, ...]) -> None:
    it = replace(call, direction=direction)
    registered = bitrix24.registration_of(OPTIONS, it)
    properties = hubspot.properties_of({}, it)
    assert expected == (
        registered["TYPE"],
        amocrm.call_of({}, it)["direction"],
        properties["hs_call_direction"],
        salesforce.task_of({}, it, None)["CallType"],
        registered["CRM_CREATE"],
    )
    assert registered["PHONE_NUMBER"] == it.caller
    theirs = "hs_call_from_number" if direction is Direction.IN else "hs_call_to_number"
    assert properties[theirs] == it.caller


@pytest.mark.parametrize(
    ("outcome", "message", "expected"),
    [
        (Outcome.ANSWERED, False, ("200", 4, "COMPLETED", "Answered", hubspot.CONNECTED)),
        (Outcome.MISSED, False, ("304", 6, "NO_ANSWER", "Missed", hubspot.NO_ANSWER)),
        (Outcome.MISSED, True, ("304", 1, "NO_ANSWER", "Left a message", hubspot.VOICEMAIL)),
        (Outcome.BUSY, False, ("486", 7, "BUSY", "Busy", hubspot.BUSY)),
        (Outcome.GAVE_UP, False, ("304", 6, "CANCELED", "Gave up", hubspot.NO_ANSWER)),
        (Outcome.FAILED, False, ("503", 6, "FAILED", "Failed", hubspot.NO_ANSWER)),
        (Outcome.REFUSED, False, ("603", 6, "NO_ANSWER", "Refused", hubspot.NO_ANSWER)),
    ],
)
def test_how_a_call_ended(
    call: CallFacts, outcome: Outcome, message: bool, expected: tuple[Any, ...]
) -> None:
    it = replace(call, outcome=outcome, left_message=message)
    assert expected == (
        bitrix24.STATUSES[outcome],
        amocrm.status_of(it),
        hubspot.properties_of({}, it)["hs_call_status"],
        salesforce.disposition_of(it),
        hubspot.disposition_of(it),
    )


def test_days_and_times_are_by_the_company_s_clock(call: CallFacts) -> None:
    assert bitrix24.registration_of(OPTIONS, call)["CALL_START_DATE"] == "2026-11-23T01:30:00+03:00"
    assert salesforce.task_of({}, call, None)["ActivityDate"] == "2026-11-23"


@pytest.mark.parametrize(
    ("people", "who", "expected"),
    [
        ("Ann=12, Office=15", "office", "15"),
        ("Ann=12,Office=15", "Bob", "7"),
        ("Ann=12", None, "7"),
        ("", "Ann", "7"),
    ],
)
def test_whose_a_call_is(call: CallFacts, people: str, who: str | None, expected: str) -> None:
    assert person_of({"people": people}, replace(call, answered_by=who), "7") == expected


def test_what_is_written_of_a_call(call: CallFacts) -> None:
    it = replace(call, tags=("hot", "euro"))
    source, page, tags, link = story_of(it)
    assert (source, tags) == ("google / cpc / test / test", "hot, euro")
    assert (page, link) == ("https://shop.example/contact", it.link)
    assert came_from(replace(call, channel="Billboard")) == "Billboard"
    nobody = replace(call, source=None, medium=None, campaign=None, keyword=None, visit=None)
    assert story_of(nobody) == [call.link]


def test_a_source_s_words_are_no_commands_over_there(call: CallFacts) -> None:
    odd = replace(call, keyword="[url=https://evil.example]<b>win[/url]")
    assert "[" not in bitrix24.comment_of(odd, "LEAD", 1)["COMMENT"]
    assert "<b>" not in hubspot.properties_of({}, odd)["hs_call_body"]


def test_a_lead_without_a_user_goes_to_whose_webhook_it_is(call: CallFacts) -> None:
    assert "assignedById" not in bitrix24_leads.lead_of({}, call)
    assert bitrix24_leads.lead_of(OPTIONS, call)["assignedById"] == "7"


@pytest.mark.parametrize(("e164", "digits"), [("+16502530000", "6502530000"), ("+37120000", "37120000")])
def test_a_number_is_looked_for_by_its_last_digits(e164: str, digits: str) -> None:
    assert last_digits(e164) == digits


def test_a_recording_s_address_must_be_https_for_hubspot(call: CallFacts) -> None:
    for link, there in (("https://c.example/calls/1#recording", True), ("http://c.example/1", False)):
        told = hubspot.properties_of({}, replace(call, recording_link=link))
        assert ("hs_call_recording_url" in told) is there
