"""Salesforce: a task for each call, once, whose it is, and sessions that end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest
from support.facts import CALLER
from support.standin import Said, StandIn
from support.standins.salesforce import TASK, Org, refused
from support.told import Told

from tracker.models import RecordingState
from tracker.policy.facts import Presentation


@pytest.fixture
def org(told: Told) -> Iterator[tuple[StandIn, Org]]:
    with told.pointing("salesforce") as (server, double):
        yield server, cast("Org", double)


def call(told: Told, key: str = "one", presentation: Presentation = Presentation.ALLOWED) -> None:
    """A call that nothing was recorded of."""
    told.call(key, presentation=presentation)
    told.recording(key, RecordingState.NONE)


def test_a_call_is_a_completed_task_of_whoever_has_the_number(told: Told, org: tuple[StandIn, Org]) -> None:
    org[1].people[CALLER[-10:]] = "003Contact"
    told.change({"people": "office=005Office"})
    call(told)
    told.send()
    (it,) = org[1].tasks
    assert (it["WhoId"], it["OwnerId"]) == ("003Contact", "005Office")
    assert (it["TaskSubtype"], it["CallType"], it["CallDisposition"]) == ("Call", "Inbound", "Answered")
    assert it["CallDurationInSeconds"] == 55
    assert len(it["ActivityDate"]) == 10
    assert it["Description"].endswith("https://calls.pallets.example/calls/one")


def test_a_new_caller_is_a_lead_only_where_that_is_wanted(told: Told, org: tuple[StandIn, Org]) -> None:
    call(told)
    told.send()
    told.change({"create": "yes"})
    call(told, "two")
    call(told, "three")
    told.send()
    assert [it.get("WhoId") for it in org[1].tasks] == [None, "00Q1", "00Q1"]
    assert org[1].leads[0]["Phone"] == CALLER


def test_a_task_that_is_there_is_not_made_again(told: Told, org: tuple[StandIn, Org]) -> None:
    call(told)
    org[1].tasks.append({"CallObject": "one"})  # by a worker that died before it could say so
    told.send()
    assert org[1].taken == []
    assert str(told.deliveries()[0].answer).startswith("It had arrived")


def test_a_withheld_caller_s_task_has_no_number(told: Told, org: tuple[StandIn, Org]) -> None:
    told.change({"create": "yes"})
    call(told, presentation=Presentation.WITHHELD)
    told.send()
    (it,) = org[1].tasks
    assert it["Subject"] == "Phone call"
    assert "WhoId" not in it
    assert org[1].leads == []


def test_a_session_that_ended_is_begun_anew(told: Told, org: tuple[StandIn, Org]) -> None:
    _, double = org
    call(told)
    told.send()
    double.ended.add("00D-access-1")
    call(told, "two")
    told.send()
    assert double.taken == ["one", "two"]
    assert double.grants == ["refresh_token", "refresh_token"]
    assert told.vault.open(told.destination().secrets)["access_token"] == "00D-access-2"


def test_without_a_refresh_token_the_app_logs_in_by_itself(told: Told, org: tuple[StandIn, Org]) -> None:
    told.change({"refresh_token": ""})
    call(told)
    told.send()
    assert org[1].grants == ["client_credentials"]
    assert org[1].taken == ["one"]


@pytest.mark.parametrize(
    "said",
    [
        refused("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403),
        refused("INVALID_FIELD", "No such column 'CallObject' on entity 'Task'"),
        Said(404),
    ],
)
def test_what_is_no_call_s_fault_loses_none(told: Told, org: tuple[StandIn, Org], said: Said) -> None:
    server, double = org
    call(told)
    server.said = [Said(said.status, said.body, to=TASK)]
    told.send()
    assert told.destination().failures == 1
    told.pass_time(seconds=6)
    told.send()
    assert double.taken == ["one"]
