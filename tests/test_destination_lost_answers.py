"""Answers that are lost on the way: where the other side can be looked at, nothing is told it twice."""

from __future__ import annotations

from typing import cast

import pytest
from support.standin import Said
from support.standins.amocrm import CALLS, SIP, Account
from support.standins.bitrix24 import Leads, Portal, refused
from support.told import Told

from tracker.models import RecordingState

FINISH, COMMENT = "telephony.externalCall.finish", "crm.timeline.comment.add"


def call(told: Told) -> None:
    told.call("one")
    told.recording("one", RecordingState.READY, b"ID3")


def again(told: Told, double: Account | Portal, swallowed: str) -> None:
    """A try whose answer does not come at one place, and another that gets all of them."""
    double.swallowed = swallowed
    told.send(told.worker(seconds=0.3))
    double.hangs.set()
    double.swallowed = ""
    assert told.deliveries()[0].sent_at is None
    told.pass_time(seconds=6)
    told.send()
    (it,) = told.deliveries()
    assert (it.why, it.sent_at) == (None, told.clock()), it.answer


@pytest.mark.parametrize("known", [True, False])
def test_amocrm_is_looked_at_before_a_call_is_told_again(told: Told, known: bool) -> None:
    with told.pointing("amocrm") as (_, found):
        double = cast("Account", found)
        if not known:
            double.contacts.clear()
        call(told)
        again(told, double, CALLS if known else SIP)
        assert double.taken == ["one"]
        assert "It had arrived" in str(told.deliveries()[0].answer)


def test_a_lead_that_was_taken_up_meanwhile_is_found_as_a_call(told: Told) -> None:
    with told.pointing("amocrm") as (_, found):
        double = cast("Account", found)
        double.contacts.clear()
        call(told)
        double.swallowed = SIP
        told.send(told.worker(seconds=0.3))
        double.hangs.set()
        double.swallowed = ""
        double.calls.append({"uniq": double.unsorted.pop()["metadata"]["uniq"]})
        told.pass_time(seconds=6)
        told.send()
        assert double.taken == ["one"]
        assert told.deliveries()[0].sent_at is not None


def test_what_amocrm_never_got_is_told_after_all(told: Told) -> None:
    with told.pointing("amocrm") as (server, found):
        double = cast("Account", found)
        call(told)
        server.said = [Said(504, to=CALLS)]
        told.send()
        told.pass_time(seconds=6)
        told.send()
        assert double.taken == ["one"]


@pytest.mark.parametrize("step", ["telephony.externalCall.register", FINISH, COMMENT])
def test_bitrix24_has_a_call_once_wherever_an_answer_was_lost(told: Told, step: str) -> None:
    with told.pointing("bitrix24") as (_, found):
        double = cast("Portal", found)
        call(told)
        again(told, double, step)
        assert double.taken == ["one"]
        assert double.calls["externalCall.one"]["steps"] == ["register", "finish", "attach"]
        assert len(double.comments) == len(double.leads) == 1


def test_an_application_that_may_not_see_statistics_loses_no_call(told: Told) -> None:
    with told.pointing("bitrix24") as (server, found):
        double = cast("Portal", found)
        call(told)
        double.swallowed = FINISH
        told.send(told.worker(seconds=0.3))
        double.hangs.set()
        double.swallowed = ""
        server.said = [refused("ACCESS_DENIED", "Access denied!", 403, to="statistic.get")]
        told.pass_time(seconds=6)
        told.send()
        assert double.taken == ["one"]
        assert told.deliveries()[0].sent_at is not None


def test_a_registration_that_ran_out_is_made_anew(told: Told) -> None:
    with told.pointing("bitrix24") as (server, found):
        double = cast("Portal", found)
        call(told)
        server.said = [refused("ERROR_CORE", "Call is not found", to=FINISH)]
        told.send()
        assert told.deliveries()[0].why is None
        told.pass_time(seconds=6)
        told.send()
        assert double.taken == ["one"]


@pytest.mark.parametrize("step", ["crm.item.add", COMMENT])
def test_a_lead_and_its_comment_are_made_once_by_a_webhook(told: Told, step: str) -> None:
    with told.pointing("bitrix24_leads") as (_, found):
        double = cast("Leads", found)
        call(told)
        again(told, double, step)
        assert len(double.leads) == len(double.comments) == 1
