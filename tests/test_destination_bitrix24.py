"""Bitrix24: its steps, its tokens, the recording, whose a call is; leads by a webhook."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
import sqlalchemy as sa
from support.facts import CALLER
from support.standin import Said, StandIn
from support.standins.bitrix24 import Leads, Portal, refused
from support.told import PAGE, Told

from recordings import settle
from tracker.destinations import bitrix24
from tracker.models import Call, Recording, RecordingState, Visit
from tracker.policy.delivering import Why
from tracker.policy.facts import Presentation

SOUND = b"ID3 a talk of a minute"


@pytest.fixture
def portal(told: Told) -> Iterator[tuple[StandIn, Portal]]:
    with told.pointing("bitrix24") as (server, double):
        yield server, cast("Portal", double)


@pytest.fixture
def leads(told: Told) -> Iterator[tuple[StandIn, Leads]]:
    with told.pointing("bitrix24_leads") as (server, double):
        yield server, cast("Leads", double)


def quiet(told: Told, key: str, **more: Any) -> None:
    """A call that nothing was recorded of."""
    told.call(key, **more)
    told.recording(key, RecordingState.NONE)


def methods(server: StandIn) -> list[str]:
    return [asked.path.rpartition(".")[2] for asked in server.asked if asked.path.startswith("/rest/")]


def from_google(told: Told) -> None:
    with told.database.write() as session:
        marks = {"source": "google", "medium": "cpc", "campaign": "spring", "keyword": "euro pallets"}
        session.execute(sa.update(Visit).values(**marks, content=None))


def test_a_call_is_registered_finished_and_heard(told: Told, portal: tuple[StandIn, Portal]) -> None:
    server, double = portal
    from_google(told)
    told.call("one")
    told.recording("one", RecordingState.PENDING)
    told.send()
    assert server.asked == []  # it waits for what there is to hear
    told.recording("one", RecordingState.READY, SOUND)
    told.send()
    it = double.calls["externalCall.one"]
    assert it["steps"] == ["register", "finish", "attach"]
    assert (it["PHONE_NUMBER"], it["TYPE"], it["USER_ID"], it["SHOW"]) == (CALLER, 2, "7", 0)
    assert (it["DURATION"], it["STATUS_CODE"]) == (55, "200")
    assert it["CALL_START_DATE"][-6] in "+-"
    assert it["sound"] == SOUND
    assert double.leads[1]["utmSource"] == "google"
    assert double.leads[1]["utmTerm"] == "euro pallets"
    (comment,) = double.comments
    assert (comment["ENTITY_TYPE"], comment["ENTITY_ID"]) == ("lead", 1)
    assert comment["COMMENT"].splitlines() == [
        "google / cpc / spring / euro pallets", PAGE, "https://calls.pallets.example/calls/one"
    ]  # fmt: skip


def test_a_recording_that_does_not_come_is_not_waited_for_forever(
    told: Told, portal: tuple[StandIn, Portal]
) -> None:
    told.call("one")
    told.recording("one", RecordingState.PENDING)
    told.pass_time(minutes=31)
    told.send()
    assert portal[1].calls["externalCall.one"]["steps"] == ["register", "finish"]
    assert "without a recording" in str(told.deliveries()[0].answer)


@pytest.mark.parametrize("damaged", [True, False])
def test_a_recording_of_which_nothing_became_is_not_waited_for(
    told: Told, portal: tuple[StandIn, Portal], damaged: bool
) -> None:
    told.call("one")
    told.send()
    with told.database.read() as session:
        recording_id = session.scalars(sa.select(Recording.id)).one()
    if damaged:
        settle.give_up(told.database, told.settings, recording_id, "It cannot be played")
    else:
        settle.nothing(told.database, recording_id, [], None)
    told.send()
    assert portal[1].taken == ["one"]


@pytest.mark.parametrize(
    ("step", "again"),
    [
        ("register", ["register", "finish", "update", "add", "attachRecord"]),
        ("finish", ["finish", "update", "add", "attachRecord"]),
        ("crm.item.update", ["update", "add", "attachRecord"]),
        ("attachRecord", ["attachRecord"]),
    ],
)
def test_a_second_try_goes_on_where_the_first_was_stopped(
    told: Told, portal: tuple[StandIn, Portal], step: str, again: list[str]
) -> None:
    server, double = portal
    told.call("one")
    told.recording("one", RecordingState.READY, SOUND)
    server.said = [refused("QUERY_LIMIT_EXCEEDED", "Too many requests", 503, to=step)]
    told.send()
    assert told.deliveries()[0].sent_at is None
    server.asked.clear()
    told.pass_time(seconds=6)
    told.send()
    assert methods(server) == again
    assert double.calls["externalCall.one"]["steps"] == ["register", "finish", "attach"]
    assert double.taken == ["one"]


def test_an_expired_token_is_renewed_and_the_newest_is_kept(
    told: Told, portal: tuple[StandIn, Portal]
) -> None:
    _, double = portal
    for key in ("one", "two", "three"):
        quiet(told, key)
        told.send(told.worker())
        double.expired.add(f"access-{double.tokens}")
    assert double.taken == ["one", "two", "three"]
    assert double.tokens == 3
    assert told.vault.open(told.destination().secrets)["refresh_token"] == "refresh-3"
    assert told.deliveries()[-1].tries == 1


def test_a_refresh_token_that_ended_loses_no_call(told: Told, portal: tuple[StandIn, Portal]) -> None:
    _, double = portal
    told.change({"refresh_token": "of-last-year"})
    quiet(told, "one")
    told.send()
    assert "invalid_grant" in str(told.destination().answer)
    told.change({"refresh_token": "refresh-0"})
    told.pass_time(seconds=6)
    told.send()
    assert double.taken == ["one"]


def test_a_call_is_told_as_the_user_s_who_took_it(told: Told, portal: tuple[StandIn, Portal]) -> None:
    told.change({"people": "Anna=12, office=15"})
    quiet(told, "one")
    told.send()
    assert portal[1].calls["externalCall.one"]["USER_ID"] == "15"


def test_a_user_who_is_not_there_is_no_call_s_fault(told: Told, portal: tuple[StandIn, Portal]) -> None:
    told.change({"user_id": "404"})
    quiet(told, "one")
    told.send()
    assert told.destination().failures == 1
    assert told.deliveries()[0].given_up_at is None


def test_a_recording_that_is_refused_or_too_large_does_not_undo_the_call(
    told: Told, portal: tuple[StandIn, Portal]
) -> None:
    server, double = portal
    for key, sound in (("one", SOUND), ("two", bytes(bitrix24.MOST_SOUND + 1))):
        told.call(key)
        told.recording(key, RecordingState.READY, sound)
    server.said = [refused("ERROR_CORE", "Wrong file extension", to="attachRecord")]
    told.send()
    first, second = told.deliveries()
    assert double.taken == ["one", "two"]
    assert "Wrong file extension" in str(first.answer)
    assert "larger than 10 MB" in str(second.answer)
    assert first.sent_at
    assert second.sent_at


def test_what_the_crm_does_not_let_be_noted_stops_nothing(told: Told, portal: tuple[StandIn, Portal]) -> None:
    server, double = portal
    quiet(told, "one")
    server.said = [refused("insufficient_scope", "The request requires higher privileges", 403, to="update")]
    told.send()
    assert double.taken == ["one"]


def test_a_withheld_number_is_nobody_s(told: Told, portal: tuple[StandIn, Portal]) -> None:
    quiet(told, "one", presentation=Presentation.WITHHELD)
    told.send()
    assert portal[0].asked == []
    assert told.deliveries()[0].why is Why.NOBODY


def test_a_new_caller_is_a_lead_and_a_known_one_gets_a_comment(
    told: Told, leads: tuple[StandIn, Leads]
) -> None:
    server, double = leads
    from_google(told)
    quiet(told, "one")
    quiet(told, "two")
    told.send()
    (lead,) = double.leads.values()
    assert lead["title"] == f"Phone call {CALLER}"
    assert lead["fm"] == [{"typeId": "PHONE", "valueType": "WORK", "value": CALLER}]
    assert (lead["utmCampaign"], lead["sourceId"]) == ("spring", "CALL")
    assert [each["COMMENT"].rpartition("/")[2] for each in double.comments] == ["one", "two"]
    assert all("telephony" not in asked.path for asked in server.asked)


def test_a_contact_comes_before_a_lead(told: Told, leads: tuple[StandIn, Leads]) -> None:
    leads[1].known[CALLER] = ("CONTACT", 797)
    quiet(told, "one")
    told.send()
    assert leads[1].leads == {}
    assert leads[1].comments[0]["ENTITY_TYPE"] == "contact"


def test_a_comment_that_failed_makes_no_second_lead(told: Told, leads: tuple[StandIn, Leads]) -> None:
    server, double = leads
    quiet(told, "one")
    server.said = [Said(503, to="comment.add")]
    told.send()
    told.pass_time(seconds=6)
    told.send()
    assert len(double.leads) == len(double.comments) == 1


def test_leads_of_missed_calls_alone(told: Told, leads: tuple[StandIn, Leads]) -> None:
    told.change({"calls": "missed"})
    quiet(told, "one")
    told.send()
    assert told.deliveries()[0].why is Why.UNWANTED
    assert leads[0].asked == []


def test_a_call_of_a_channel_says_so(told: Told, leads: tuple[StandIn, Leads]) -> None:
    quiet(told, "one", static=True)
    with told.database.write() as session:
        session.execute(sa.update(Call).values(channel_id=told.pallets.billboard_channel_id))
    told.send()
    assert leads[1].leads[1]["sourceDescription"] == "Billboard"
