"""Google Ads: what a conversion says, which calls are one, and what of a refused request is still taken."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import pytest
import sqlalchemy as sa
from support.standin import Said, StandIn
from support.standins.google_ads import INGEST, DataManager, refused
from support.told import CLICKS, Told

from tracker import google_csv
from tracker.destinations.google_ads import click_of
from tracker.models import Call, Category, Company
from tracker.policy.delivering import Why
from tracker.policy.facts import Presentation, Spam
from tracker.policy.parcels import VisitFacts

SIX_HOURS = timedelta(hours=6)


@pytest.fixture
def google(told: Told) -> Iterator[tuple[StandIn, DataManager]]:
    with told.pointing("google_ads") as (server, double):
        yield server, cast("DataManager", double)


def judged(told: Told, key: str, category: Category | None = Category.TARGET, **more: Any) -> None:
    """A call that somebody judged a minute after it ended."""
    told.call(key, **more)
    told.pass_time(minutes=1)
    if category:
        told.categorise(key, category)


def test_a_conversion_says_which_click_when_and_what_it_was_worth(
    told: Told, google: tuple[StandIn, DataManager]
) -> None:
    server, double = google
    judged(told, "worthless")
    judged(told, "20261130101500")  # digits alone would be refused
    with told.database.write() as session:
        session.execute(sa.update(Call).where(Call.key != "worthless").values(value=Decimal("25.50")))
    told.clock.now += SIX_HOURS
    told.send()
    worthless, it = double.seen
    assert it["transactionId"] == "call-20261130101500"
    assert it["adIdentifiers"] == {"gclid": CLICKS["gclid"]}
    assert it["consent"] == {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"}
    assert it["eventSource"] == "PHONE"
    assert (it["conversionValue"], it["currency"]) == (25.5, "EUR")
    assert "conversionValue" not in worthless
    assert len(it["eventTimestamp"]) == len("2026-11-22T10:00:00Z")
    (place,) = server.asked[-1].json()["destinations"]
    assert place["operatingAccount"] == {"accountType": "GOOGLE_ADS", "accountId": "1234567890"}
    assert place["productDestinationId"] == "7012345678"


def test_a_withheld_number_leaves_the_click_alone(told: Told, google: tuple[StandIn, DataManager]) -> None:
    judged(told, "one", presentation=Presentation.WITHHELD)
    judged(told, "two")
    told.clock.now += SIX_HOURS
    told.send()
    assert ["userData" in each for each in google[1].seen] == [False, True]


def test_a_judged_call_waits_six_hours_after_the_click_and_no_longer(
    told: Told, google: tuple[StandIn, DataManager]
) -> None:
    judged(told, "one")
    told.send()
    assert google[0].asked == []
    told.clock.now += SIX_HOURS - timedelta(
        minutes=13
    )  # the visit began eleven minutes before the call's end
    told.send()
    assert google[0].asked == []
    told.pass_time(minutes=2)
    told.send()
    assert google[1].taken == ["one"]


@pytest.mark.parametrize(
    ("category", "options", "taken"),
    [
        (Category.TARGET, {}, True),
        (Category.SERVICE, {}, False),
        (Category.NON_TARGET, {}, False),
        (Category.SERVICE, {"categories": "target, service"}, True),
        (None, {}, True),  # answered
        (None, {"unjudged": "none"}, False),
    ],
)
def test_which_calls_count(
    told: Told, category: Category | None, options: dict[str, str], taken: bool
) -> None:
    double = DataManager()
    with told.pointing("google_ads") as (server, _):
        told.change(double.values(server.url) | options)
        judged(told, "one", category)
        told.pass_time(days=4)
        told.send()
        assert bool(server.asked) is taken
    assert told.deliveries()[0].why == (None if taken else Why.UNWANTED)


def test_a_call_waits_as_long_as_somebody_chose(told: Told, google: tuple[StandIn, DataManager]) -> None:
    told.change({"hold_days": "1"})
    told.call("one")
    told.pass_time(hours=23)
    told.send()
    assert google[0].asked == []
    told.pass_time(hours=1)
    told.send()
    assert google[1].taken == ["one"]


def test_a_call_that_turned_out_to_be_spam_is_no_conversion(
    told: Told, google: tuple[StandIn, DataManager]
) -> None:
    told.call("one")
    told.send()
    with told.database.write() as session:
        session.execute(sa.update(Call).values(spam=Spam.PERSON))
    told.pass_time(days=4)
    told.send()
    assert google[0].asked == []
    assert told.deliveries()[0].why is Why.UNWANTED


def test_events_that_a_refusal_names_are_dead_letters_and_the_rest_is_taken_at_once(
    told: Told, google: tuple[StandIn, DataManager]
) -> None:
    server, double = google
    for number in range(5):
        judged(told, f"call{number}")
    double.wrong = {"call-call1", "call-call4"}
    told.clock.now += SIX_HOURS
    assert told.send() == 1
    assert double.taken == ["call0", "call2", "call3"]
    deliveries = told.deliveries()
    assert [each.why for each in deliveries] == [None, Why.REFUSED, None, None, Why.REFUSED]
    assert "events[1].transaction_id" in str(deliveries[1].answer)
    assert [each.tries for each in deliveries] == [1] * 5
    assert len([each for each in server.asked if each.path == INGEST]) == 2


def test_a_refusal_that_names_no_event_is_ours_to_mend(
    told: Told, google: tuple[StandIn, DataManager]
) -> None:
    server, double = google
    judged(told, "one")
    told.clock.now += SIX_HOURS
    server.said = [refused(("destinations[0].product_destination_id", "INVALID_CONVERSION_ACTION_ID"))]
    told.send()
    assert told.deliveries()[0].why is None
    assert told.destination().failures == 1
    told.pass_time(seconds=6)
    told.send()
    assert double.taken == ["one"]


def test_an_access_token_that_ran_out_is_renewed_once(
    told: Told, google: tuple[StandIn, DataManager]
) -> None:
    server, double = google
    judged(told, "one")
    told.clock.now += SIX_HOURS
    double.expired = {"at-1"}
    told.send()
    assert double.taken == ["one"]
    assert [each.path for each in server.asked] == ["/token", INGEST, "/token", INGEST]


def test_a_consent_that_was_withdrawn_loses_no_call(told: Told, google: tuple[StandIn, DataManager]) -> None:
    server, double = google
    judged(told, "one")
    told.clock.now += SIX_HOURS
    server.said = [Said(400, {"error": "invalid_grant"}, to="/token")]
    told.send()
    assert told.destination().failures == 1
    assert "invalid_grant" in str(told.destination().answer)
    told.pass_time(seconds=6)
    told.send()
    assert double.taken == ["one"]


def test_a_test_is_looked_at_and_not_kept(told: Told, google: tuple[StandIn, DataManager]) -> None:
    server, double = google
    tried = told.try_out()
    assert tried.answer.ok
    assert server.asked[-1].json()["validateOnly"] is True
    assert double.taken == []
    assert "at-1" not in repr(tried.exchanges)


@pytest.mark.parametrize(
    ("clicks", "sent"),
    [
        ({"gclid": "a", "gbraid": "b", "wbraid": "c"}, {"gclid": "a"}),
        ({"wbraid": "c", "gbraid": "b"}, {"gbraid": "b"}),
        ({"wbraid": "c", "yclid": "1"}, {"wbraid": "c"}),
        ({"yclid": "1"}, None),
    ],
)
def test_one_click_id_is_sent(now: datetime, clicks: dict[str, str], sent: dict[str, str] | None) -> None:
    assert click_of(VisitFacts("v", now, None, None, None, click_ids=clicks)) == sent


def test_the_same_calls_as_a_file_for_google_s_import(told: Told) -> None:
    judged(told, "target")
    judged(told, "service", Category.SERVICE)
    judged(told, "billboard", static=True)
    told.visit(click_ids={"yclid": "1"})
    judged(told, "other")
    told.visit(click_ids=CLICKS, consent={"ads": False})
    judged(told, "refused")
    with told.database.write() as session:
        session.execute(sa.update(Call).values(value=Decimal("25.50")))
    with told.database.read() as session:
        owner = session.get_one(Company, told.pallets.company_id)
        period = (told.clock() - timedelta(days=1), told.clock())
        text = [*google_csv.lines(session, owner, period, "Call, phone", {"unjudged": "none"})]
        (at,) = session.scalars(sa.select(Call.started_at).where(Call.key == "target"))
    assert text == [
        "Parameters:TimeZone=+0000\n",
        "Google Click ID,Conversion Name,Conversion Time,Conversion Value,Conversion Currency\n",
        f'{CLICKS["gclid"]},"Call, phone",{at:%Y-%m-%d %H:%M:%S},25.50,EUR\n',
    ]
