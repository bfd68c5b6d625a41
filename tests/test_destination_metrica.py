"""Yandex.Metrica: what a row says, one id column a file, and no call uploaded twice after a time-out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import cast

import pytest
import sqlalchemy as sa
from support.facts import CALLER
from support.standin import Said, StandIn
from support.standins.metrica import PLACE, Counter, invalid, rows_of
from support.told import CLICKS, COOKIES, PAGE, Told

from tracker.models import Call, Category
from tracker.policy.delivering import Why

DAY = timedelta(days=1)


@pytest.fixture
def metrica(told: Told) -> Iterator[tuple[StandIn, Counter]]:
    with told.pointing("metrica") as (server, double):
        yield server, cast("Counter", double)


def test_a_row_says_who_when_how_long_what_for_and_how_it_was_judged(
    told: Told, metrica: tuple[StandIn, Counter]
) -> None:
    server, double = metrica
    told.call("one")
    with told.database.write() as session:
        session.execute(sa.update(Call).values(value=Decimal(1500), repeat=False))
    told.categorise("one", Category.TARGET)
    told.send()
    (row,) = double.rows
    assert next(iter(row)) == "ClientId"
    assert row == row | {
        "ClientId": COOKIES["_ym_uid"], "StaticCall": "0", "Price": "1500.00", "TalkDuration": "55",
        "HoldDuration": "5", "CallMissed": "0", "Tag": "target", "FirstTimeCaller": "1", "URL": PAGE,
        "PhoneNumber": "", "DateTime": str(int(told.clock().timestamp()) - 60),
    }  # fmt: skip
    assert server.asked[0].query["new_goal_name"] == "Звонок"
    assert "client_id_type" not in server.asked[0].query


def test_a_number_leaves_only_where_somebody_said_so(told: Told, metrica: tuple[StandIn, Counter]) -> None:
    told.change({"phone": "yes"})
    told.call("one")
    told.clock.now += DAY
    told.send()
    assert metrica[1].rows[0]["PhoneNumber"] == CALLER


def test_each_file_has_one_id_column(told: Told, metrica: tuple[StandIn, Counter]) -> None:
    server, double = metrica
    told.change({"client_id_type": "yes"})
    told.call("client")
    told.call("static", static=True)
    told.visit(analytics_ids={}, click_ids=CLICKS)
    told.call("click")
    told.visit(click_ids={})
    told.call("nobody")
    told.clock.now += DAY
    told.send()
    assert double.taken == ["client", "static", "click"]
    assert [next(iter(rows_of(each)[0])) for each in server.asked] == ["ClientId", "UserId", "Yclid"]
    assert [each.query["client_id_type"] for each in server.asked] == ["CLIENT_ID", "USER_ID", "YCLID"]
    assert [row["StaticCall"] for row in double.rows] == ["0", "1", "0"]
    assert [each.why for each in told.deliveries()] == [None, None, None, Why.NOBODY]


def test_static_calls_can_be_left_out(told: Told, metrica: tuple[StandIn, Counter]) -> None:
    told.change({"static": "no"})
    told.call("static", static=True)
    told.clock.now += DAY
    told.send()
    assert metrica[0].asked == []
    assert told.deliveries()[0].why is Why.UNWANTED


def test_an_upload_that_was_taken_and_not_answered_is_not_sent_again(
    told: Told, metrica: tuple[StandIn, Counter]
) -> None:
    _, double = metrica
    told.call("one")
    told.call("two")
    told.clock.now += DAY
    double.hangs = threading.Event()
    told.send(told.worker(seconds=0.3))
    assert double.taken == ["one", "two"]
    assert [each.sent_at for each in told.deliveries()] == [None, None]
    double.hangs.set()
    told.call("three")
    told.clock.now += DAY
    told.send()
    assert double.taken == ["one", "two", "three"]
    assert all(each.sent_at for each in told.deliveries())
    assert "It had arrived" in str(told.deliveries()[0].answer)


def test_an_upload_that_did_not_arrive_is_sent_again(told: Told, metrica: tuple[StandIn, Counter]) -> None:
    server, double = metrica
    told.call("one")
    told.clock.now += DAY
    server.said = [Said(504)]
    told.send()
    told.pass_time(seconds=6)
    told.send()
    assert [each.path for each in server.asked] == [
        f"{PLACE}upload_calls", f"{PLACE}calls_uploadings", f"{PLACE}upload_calls",
    ]  # fmt: skip
    assert double.taken == ["one"]


def test_a_refused_file_is_halved_until_the_wrong_row_is_known(
    told: Told, metrica: tuple[StandIn, Counter]
) -> None:
    server, double = metrica
    for number in range(4):
        told.call(f"call{number}")
    told.clock.now += DAY
    server.said = [double.refusal] * 3
    told.send()
    assert double.taken == ["call1", "call2", "call3"]
    assert [each.why for each in told.deliveries()] == [Why.REFUSED, None, None, None]
    comments = [each["comment"] for each in double.uploads]
    assert len(set(comments)) == len(comments)


def test_rows_that_were_not_valid_are_told(told: Told, metrica: tuple[StandIn, Counter]) -> None:
    server, _ = metrica
    told.call("one")
    told.clock.now += DAY
    server.said = [Said(200, {"uploading": {"id": 7, "line_quantity": 0, "source_quantity": 1}})]
    told.send()
    (it,) = told.deliveries()
    assert it.why is Why.REFUSED
    assert it.answer == "Upload 7: 0 of 1 rows were valid"


@pytest.mark.parametrize(
    "said",
    [
        invalid("Invalid oauth_token", "invalid_token", 403),
        invalid("Entity not found", "not_found", 404),
        invalid("Quota exceeded", "quota_requests_by_uid", 400),
    ],
)
def test_what_is_no_call_s_fault_loses_none(told: Told, metrica: tuple[StandIn, Counter], said: Said) -> None:
    server, double = metrica
    told.call("one")
    told.clock.now += DAY
    server.said = [said]
    told.send()
    assert told.destination().failures == 1
    told.pass_time(seconds=6)
    told.send()
    assert double.taken == ["one"]


def test_a_test_reads_and_leaves_nothing(told: Told, metrica: tuple[StandIn, Counter]) -> None:
    tried = told.try_out()
    assert tried.answer.ok
    assert [each.method for each in metrica[0].asked] == ["GET"]
