"""Notices to people: what they say, in which language, of which calls; and what a chat's refusals mean."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
import sqlalchemy as sa
from support.catalogues import compile_catalogues
from support.standin import Said
from support.standins.slack import Hook
from support.standins.telegram import refused
from support.told import Told

from tracker.destination_trial import sample_call
from tracker.destinations import slack, telegram
from tracker.destinations.kind import Parcel
from tracker.destinations.notices import why_not
from tracker.errors import Rejected
from tracker.models import Category, Company
from tracker.policy.delivering import Event, Why
from tracker.policy.facts import Outcome, Presentation
from tracker.policy.notice_text import Notice, write_notice
from tracker.policy.parcels import CallFacts
from tracker.policy.tongue import Tongue
from tracker.postman import Postman
from web.catalogues import translator

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
KINDS = ("email", "slack", "telegram")


def call(**more: Any) -> CallFacts:
    owner = Company(
        slug="p", name="Pallets", default_region="US", timezone="Europe/Berlin", language="en", currency="EUR"
    )
    return replace(sample_call(owner, "https://x.example", NOW), **more)


MISSED = {"outcome": Outcome.MISSED, "answered_at": None, "talk_seconds": None}


@pytest.mark.parametrize(
    ("event", "more", "head"),
    [
        (Event.STARTED, {"outcome": None, "ended_at": None}, "(202) 555-0123 (Test) is calling"),
        (Event.COMPLETED, {}, "Answered call from (202) 555-0123 (Test)"),
        (Event.COMPLETED, MISSED, "Missed call from (202) 555-0123 (Test)"),
        (Event.COMPLETED, MISSED | {"left_message": True}, "Message from (202) 555-0123 (Test)"),
        (Event.COMPLETED, {"outcome": Outcome.REFUSED}, "Declined call from (202) 555-0123 (Test)"),
        (Event.COMPLETED, {"caller": None, "caller_name": None}, "Answered call from a withheld number"),
        (Event.CATEGORISED, {"category": Category.TARGET}, "Target call from (202) 555-0123 (Test)"),
        (Event.RECORDED, {}, "The recording of the call from (202) 555-0123 (Test) is there"),
    ],
)
def test_the_head_says_what_happened(event: Event, more: dict[str, Any], head: str) -> None:
    assert write_notice(event, call(**more), Tongue()).head == f"[Pallets] {head}"


def test_the_lines_say_when_where_from_and_how_long() -> None:
    assert write_notice(Event.COMPLETED, call(), Tongue()).lines == (
        "When: 2026-11-22 10:58 CET",
        "Number: (202) 555-0100",
        "Source: google · test · test",
        "Answered by: Test",
        "Length: 1:00",
        "First call",
    )
    missed = write_notice(
        Event.COMPLETED, call(**MISSED, channel="Billboard\n(north)", repeat=True), Tongue()
    )
    assert missed.lines[2:] == (
        "Source: Billboard (north) · test · test",
        "Waited: 0:04",
        "Has called before",
    )


@pytest.mark.parametrize(
    ("options", "more", "told_of"),
    [
        ({}, {}, True),
        ({"calls": "all"}, MISSED, True),
        ({"calls": "missed"}, {}, False),
        ({"calls": "missed"}, MISSED, True),
        ({"calls": "missed"}, MISSED | {"left_message": True}, True),
        ({"calls": "missed"}, {"outcome": None, "ended_at": None}, False),  # it may still be taken
        ({"calls": "first"}, {"repeat": True}, False),
        ({"calls": "first"}, {}, True),
        ({"calls": "first"}, {"caller": None}, False),  # nobody knows
        ({"calls": "first missed"}, {}, False),
        ({"calls": "first missed"}, MISSED, True),
        ({"category": "target"}, {}, False),
        ({"category": "target"}, {"category": Category.TARGET}, True),
        ({"category": "target"}, {"category": Category.SERVICE}, False),
    ],
)
def test_a_notice_is_only_of_the_calls_that_are_wanted(
    options: dict[str, str], more: dict[str, Any], told_of: bool
) -> None:
    parcel = Parcel("key", Event.COMPLETED, 0, NOW, call(**more))
    assert why_not(options, parcel) is (None if told_of else Why.UNWANTED)


@pytest.mark.parametrize("kind", KINDS)
def test_a_notice_is_in_the_company_s_language_and_hides_who_hides(told: Told, kind: str) -> None:
    compile_catalogues()
    with told.database.write() as session:
        session.execute(sa.update(Company).values(language="ru"))
    with told.pointing(kind) as (server, double):
        told.call("one")
        told.call("two", presentation=Presentation.WITHHELD)
        postman = Postman(told.database, told.settings, told.clock, translator=translator)
        told.send(postman)
        assert double.taken == ["one", "two"]
        one, two = (asked.body.decode() for asked in server.asked)
    assert "Номер:" in one
    assert "49" in one
    assert "15112345678" not in two.replace(" ", "")


def test_news_of_yesterday_is_told_and_of_a_ringing_call_only_while_it_rings(told: Told) -> None:
    with told.pointing("telegram", events=["call.started", "call.completed"]) as (_, double):
        told.call("one")
        told.pass_time(hours=24)
        told.send()
        assert double.taken == ["one"]
    assert {it.event: it.why for it in told.deliveries()} == {
        Event.STARTED: Why.TOO_LATE, Event.COMPLETED: None
    }  # fmt: skip


# ---- Telegram ----


def test_telegram_says_in_the_body_how_long_to_wait(told: Told) -> None:
    with told.pointing("telegram") as (server, double):
        told.call("one")
        server.said = [refused(429, "Too Many Requests: retry after 90", retry_after=90)]
        told.send()
        assert told.destination().retry_at == told.clock() + timedelta(seconds=90)
        told.pass_time(seconds=91)
        told.send()
        assert double.taken == ["one"]


@pytest.mark.parametrize(
    "said",
    [
        refused(400, "Bad Request: chat not found"),
        refused(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=-100),
        refused(401, "Unauthorized"),
        refused(403, "Forbidden: bot was kicked from the group chat"),
        refused(404, "Not Found"),
    ],
)
def test_a_chat_that_is_wrong_loses_no_notice(told: Told, said: Said) -> None:
    with told.pointing("telegram") as (server, double):
        told.call("one")
        server.said = [said]
        told.send()
        assert told.destination().failures == 1
        told.pass_time(seconds=6)
        told.send()
        assert double.taken == ["one"]


def test_a_long_message_keeps_its_link() -> None:
    text = telegram.text_of(Notice("head", ("x" * 5000,), "https://x.example/calls/one", "Open"))
    assert len(text) == 4096
    assert text.endswith("\nhttps://x.example/calls/one")


# ---- Slack ----


def test_nothing_from_outside_is_a_mention_in_slack(told: Told) -> None:
    with told.pointing("slack") as (_, double):
        told.visit(campaign="<!channel> & *bold*")
        with told.database.write() as session:
            session.execute(sa.update(Company).values(name="A<B>"))
        told.call("one")
        told.send()
        (it,) = cast("Hook", double).seen
    assert it["text"].startswith("[A&lt;B&gt;] ")
    assert [block["text"]["type"] for block in it["blocks"]] == ["plain_text", "plain_text", "mrkdwn"]
    assert "<!channel>" in it["blocks"][1]["text"]["text"]


@pytest.mark.parametrize(
    "said",
    [Said(404, b"no_service"), Said(410, b"channel_is_archived"), Said(403, b"action_prohibited"),
     Said(400, b"invalid_token")],
)  # fmt: skip
def test_a_webhook_that_is_wrong_loses_no_notice(told: Told, said: Said) -> None:
    with told.pointing("slack") as (server, double):
        told.call("one")
        server.said = [said]
        told.send()
        assert told.destination().failures == 1
        assert told.destination().disabled_at is None
        told.pass_time(seconds=6)
        told.send()
        assert double.taken == ["one"]


def test_slack_s_long_heads_are_cut() -> None:
    body = slack.body_of(Notice("h" * 300, ("x",) * 5, "https://x.example/calls/one", "Open"))
    assert len(body["blocks"][0]["text"]["text"]) == 150


# ---- e-mail ----


def test_a_mail_goes_to_all_its_addresses_and_says_whom_it_did_not_reach(told: Told) -> None:
    with told.pointing("email") as (server, double):
        told.change({"to": "boss@pallets.example, desk@pallets.example"})
        told.call("one")
        server.said = [Said(550)]
        told.send()
        assert double.taken == ["one"]
    (asked,) = server.asked
    assert asked.path == "desk@pallets.example"
    assert asked.headers["subject"].startswith("[Pallets] Answered call from ")
    assert "not for boss@pallets.example" in str(told.deliveries()[0].answer)


def test_without_a_mail_server_a_notice_waits(told: Told) -> None:
    told.add("email", {"to": "boss@pallets.example"})
    told.call("one")
    told.send()
    assert "No mail server is set" in str(told.destination().answer)
    assert told.deliveries()[0].given_up_at is None


@pytest.mark.parametrize(
    "to", ["boss", "a@b.example; c@d.example", "a@b.example\nBcc: c@d.example", "a@b.example,"]
)
def test_what_is_no_address_is_refused(told: Told, to: str) -> None:
    with pytest.raises(Rejected, match="to cannot be"):
        told.add("email", {"to": to})
