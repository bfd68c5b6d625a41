"""amoCRM: a call where its number is known, an unsorted lead where it is not, each once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest
import sqlalchemy as sa
from support.facts import CALLER
from support.standin import Said, StandIn
from support.standins.amocrm import CALLS, SIP, Account
from support.told import CLICKS, Told

from tracker.models import RecordingState, Visit
from tracker.policy.delivering import Why
from tracker.policy.facts import Presentation


@pytest.fixture
def account(told: Told) -> Iterator[tuple[StandIn, Account]]:
    with told.pointing("amocrm") as (server, double):
        yield server, cast("Account", double)


def call(told: Told, key: str = "one", presentation: Presentation = Presentation.ALLOWED) -> None:
    """A call that an ad brought, whose recording is there."""
    told.call(key, presentation=presentation)
    told.recording(key, RecordingState.READY, b"ID3")
    with told.database.write() as session:
        session.execute(sa.update(Visit).values(source="google", medium="cpc", campaign="spring"))


def test_a_call_stands_at_its_contact_with_a_link_to_listen(
    told: Told, account: tuple[StandIn, Account]
) -> None:
    told.change({"people": "Anna=12,office=15"})
    call(told)
    told.send()
    (it,) = account[1].calls
    assert (it["direction"], it["phone"], it["duration"], it["call_status"]) == ("inbound", CALLER, 55, 4)
    assert it["link"] == "https://calls.pallets.example/calls/one#recording"
    assert it["responsible_user_id"] == 15
    assert it["call_result"].startswith("google / cpc / spring")
    assert len(str(it["created_at"])) == 10  # seconds
    assert account[1].unsorted == []


def test_a_new_caller_is_an_unsorted_lead_with_its_source(
    told: Told, account: tuple[StandIn, Account]
) -> None:
    server, double = account
    double.contacts.clear()
    told.change({"title": "Звонок", "pipeline_id": "3166396"})
    call(told)
    told.send()
    (it,) = double.unsorted
    (lead,) = it["_embedded"]["leads"]
    marks = {each["field_code"]: each["values"][0]["value"] for each in lead["custom_fields_values"]}
    assert lead["name"] == f"Звонок {CALLER}"
    assert (marks["UTM_SOURCE"], marks["UTM_CAMPAIGN"]) == ("google", "spring")
    assert marks["GCLID"] == CLICKS["gclid"]
    assert it["pipeline_id"] == 3166396
    assert it["metadata"]["from"] == CALLER
    assert it["metadata"]["phone"] == told.pallets.leased
    assert [asked.path for asked in server.asked] == [CALLS, SIP]


def test_a_click_is_not_told_of_a_visitor_who_did_not_allow_it(
    told: Told, account: tuple[StandIn, Account]
) -> None:
    account[1].contacts.clear()
    told.visit(consent={"storage": True, "ads": False, "analytics": False})
    call(told)
    told.send()
    assert CLICKS["gclid"].encode() not in b"".join(asked.body for asked in account[0].asked)


def test_a_lead_that_was_not_taken_is_tried_again_as_a_lead(
    told: Told, account: tuple[StandIn, Account]
) -> None:
    server, double = account
    double.contacts.clear()
    call(told)
    server.said = [Said(429, to=SIP)]
    told.send()
    told.pass_time(seconds=6)
    told.send()
    assert [asked.path for asked in server.asked] == [CALLS, SIP, SIP]
    assert double.taken == ["one"]


def test_without_unsorted_leads_an_unknown_number_is_refused(
    told: Told, account: tuple[StandIn, Account]
) -> None:
    account[1].contacts.clear()
    told.change({"unsorted": "no"})
    call(told)
    told.send()
    (it,) = told.deliveries()
    assert (it.why, it.answer) == (Why.REFUSED, "No contact has that number")
    assert account[1].unsorted == []


def test_a_withheld_number_is_nobody_s(told: Told, account: tuple[StandIn, Account]) -> None:
    call(told, presentation=Presentation.WITHHELD)
    told.send()
    assert account[0].asked == []
    assert told.deliveries()[0].why is Why.NOBODY


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_what_is_no_call_s_fault_loses_none(
    told: Told, account: tuple[StandIn, Account], status: int
) -> None:
    server, double = account
    call(told)
    server.said = [Said(status)]
    told.send()
    assert told.destination().failures == 1
    told.pass_time(seconds=6)
    told.send()
    assert double.taken == ["one"]
