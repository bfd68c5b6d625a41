"""HubSpot: whose call it is, its properties, and how a call is not told twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import cast

import pytest
import sqlalchemy as sa
from support.facts import CALLER
from support.standin import Said, StandIn
from support.standins.hubspot import CALLS, Crm
from support.told import Told

from tracker.models import Call, RecordingState
from tracker.policy.facts import Presentation


@pytest.fixture
def crm(told: Told) -> Iterator[tuple[StandIn, Crm]]:
    with told.pointing("hubspot") as (server, double):
        yield server, cast("Crm", double)


def call(told: Told, key: str = "one", presentation: Presentation = Presentation.ALLOWED) -> None:
    """A call whose recording is there."""
    told.call(key, presentation=presentation)
    told.recording(key, RecordingState.READY, b"ID3")


def test_a_new_caller_is_a_contact_and_his_second_call_is_the_same_contact_s(
    told: Told, crm: tuple[StandIn, Crm]
) -> None:
    call(told)
    call(told, "two")
    told.send()
    (contact,) = crm[1].contacts
    assert (contact["phone"], contact["hs_lead_status"]) == (CALLER, "NEW")
    assert [it["associations"][0]["to"]["id"] for it in crm[1].calls] == ["501", "501"]


def test_a_call_s_properties_are_text_and_its_length_is_in_milliseconds(
    told: Told, crm: tuple[StandIn, Crm]
) -> None:
    told.change({"people": "office=4711", "title": "Inbound"})
    call(told)
    with told.database.write() as session:
        session.execute(sa.update(Call).values(caller_name="<b>Ann</b>"))
    told.send()
    its = crm[1].calls[0]["properties"]
    assert its["hs_call_duration"] == "55000"
    assert len(its["hs_timestamp"]) == 13
    assert (its["hs_call_direction"], its["hs_call_status"]) == ("INBOUND", "COMPLETED")
    assert (its["hs_call_from_number"], its["hs_call_to_number"]) == (CALLER, told.pallets.leased)
    assert its["hs_call_title"] == f"Inbound {CALLER}"
    assert its["hs_call_recording_url"] == "https://calls.pallets.example/calls/one#recording"
    assert its["hubspot_owner_id"] == "4711"
    assert its["hs_call_body"].endswith("<br>https://calls.pallets.example/calls/one")


def test_a_withheld_caller_s_call_is_told_without_number_and_contact(
    told: Told, crm: tuple[StandIn, Crm]
) -> None:
    call(told, presentation=Presentation.WITHHELD)
    told.send()
    (it,) = crm[1].calls
    assert it["associations"] == []
    assert "hs_call_from_number" not in it["properties"]
    assert crm[1].contacts == []


def test_no_contact_is_made_where_none_is_wanted(told: Told, crm: tuple[StandIn, Crm]) -> None:
    told.change({"create": "no"})
    call(told)
    told.send()
    assert crm[1].contacts == []
    assert crm[1].taken == ["one"]


def test_a_contact_is_made_once_however_often_its_call_is_tried(told: Told, crm: tuple[StandIn, Crm]) -> None:
    server, double = crm
    call(told)
    server.said = [Said(503, to=CALLS)]
    told.send()
    told.pass_time(seconds=6)
    told.send()
    assert len(double.contacts) == 1
    assert double.taken == ["one"]


@pytest.mark.parametrize("unique", ["", "leaseline_call"])
def test_a_call_whose_answer_was_lost_is_not_told_twice(
    told: Told, crm: tuple[StandIn, Crm], unique: str
) -> None:
    server, double = crm
    if unique:
        told.change({"unique_property": unique})
    call(told)
    hangs = threading.Event()
    double.hangs = hangs
    told.send(told.worker(seconds=0.3))
    assert told.destination().failures == 1
    hangs.set()
    told.pass_time(seconds=6)
    told.send()
    assert double.taken == ["one"]
    assert told.deliveries()[0].sent_at
    assert double.joined == ([("1", "501")] if unique else [])
    assert any(asked.path.endswith("calls/search") for asked in server.asked) is not bool(unique)
