"""What every kind of destination keeps to, each against a stand-in that answers as the real one does."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from support.standin import Said
from support.standins import DOUBLES
from support.told import Told

from tracker.calls import describe
from tracker.destination_trial import sample_call
from tracker.destinations import KINDS, FieldKind
from tracker.destinations.fields import HIDDEN
from tracker.errors import Rejected
from tracker.models import Call, Category, Company, Delivery
from tracker.policy.delivering import Event, Why
from tracker.policy.facts import Presentation

DAYS = timedelta(days=1)


@pytest.fixture(params=sorted(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def at_its_time(told: Told, kind: str) -> None:
    """The moment at which a call of now is sent at the latest."""
    held = max(timing.after_click + timing.hold_for for timing in KINDS[kind].timings.values())
    told.clock.now += held + timedelta(seconds=1)


def of(deliveries: list[Delivery], event: Event) -> list[Delivery]:
    return [each for each in deliveries if each.event is event]


def main_event(kind: str) -> Event:
    its = KINDS[kind].usual_events
    return Event.COMPLETED if Event.COMPLETED in its else its[0]


def test_every_kind_has_a_stand_in() -> None:
    assert DOUBLES.keys() == KINDS.keys()


def test_a_call_arrives_once_however_often_it_is_told(told: Told, kind: str) -> None:
    with told.pointing(kind, events=[main_event(kind)]) as (_, double):
        told.call("one")
        told.call("one")  # a witness repeats it
        at_its_time(told, kind)
        assert told.send() == 1
        assert told.send() == 0
    assert double.taken == ["one"]
    (it,) = told.deliveries()
    assert (it.sent_at, it.why, it.tries) == (told.clock(), None, 1), it.answer


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_what_passes_is_tried_again(told: Told, kind: str, status: int) -> None:
    with told.pointing(kind, events=[main_event(kind)]) as (server, double):
        told.call("one")
        at_its_time(told, kind)
        server.down = Said(status, {}, {"Retry-After": "120"})
        told.send()
        assert double.taken == []
        server.down = None
        told.pass_time(seconds=110)
        assert told.send() == (0 if double.says_when else 1)  # it asked for two minutes
        told.pass_time(seconds=11)
        told.send()
        assert double.taken == ["one"]


def test_a_destination_that_does_not_answer_is_left_alone_for_longer_each_time(told: Told, kind: str) -> None:
    hangs = threading.Event()
    with told.pointing(kind, events=[main_event(kind)]) as (server, double):
        told.call("one")
        at_its_time(told, kind)
        server.down = Said(200, pause=hangs)
        slow = told.worker(seconds=0.2)
        told.send(slow)
        it = told.destination()
        assert it.failures == 1
        assert "No answer" in str(it.answer)
        assert it.retry_at is not None
        assert it.retry_at > told.clock()
        told.pass_time(seconds=5)
        told.send(slow)
        assert told.destination().failures == 2
        hangs.set()
        server.down = None
        told.pass_time(seconds=10)
        told.send()
        assert double.taken[-1:] == ["one"]
        assert told.destination().failures == 0


def test_what_is_refused_is_a_dead_letter_and_holds_up_nothing(told: Told, kind: str) -> None:
    with told.pointing(kind, events=[main_event(kind)]) as (server, double):
        told.call("one")
        told.call("two")
        at_its_time(told, kind)
        server.said = [double.refusal] * double.refusals
        told.send()
        assert double.taken[-1:] == ["two"]
        first, second = told.deliveries()
        assert first.why is Why.REFUSED
        assert first.given_up_at is not None
        assert first.answer
        assert second.sent_at is not None


def test_after_its_window_a_call_is_not_told(told: Told, kind: str) -> None:
    with told.pointing(kind, events=[main_event(kind)]) as (server, double):
        told.call("one")
        told.clock.now += double.closes_days * DAYS
        told.send()
        assert server.asked == []
    (it,) = told.deliveries()
    assert it.why is Why.TOO_LATE
    assert it.tries == 0


def test_what_the_visitor_did_not_allow_is_not_told(told: Told, kind: str) -> None:
    with told.pointing(kind, events=[main_event(kind)]) as (server, double):
        told.visit(consent={"storage": True, "ads": False, "analytics": False})
        told.call("one")
        at_its_time(told, kind)
        told.send()
        if double.needs_consent:
            assert server.asked == []
            assert told.deliveries()[0].why is Why.CONSENT
        else:
            assert double.taken == ["one"]


def test_a_withheld_number_never_leaves(told: Told, kind: str) -> None:
    with told.pointing(kind, events=[main_event(kind)]) as (server, _):
        told.call("one", presentation=Presentation.WITHHELD)
        at_its_time(told, kind)
        told.send()
    assert not any(b"4915112345678" in asked.body for asked in server.asked)


def test_three_days_down_then_everything_in_order(told: Told, kind: str) -> None:
    """Of a destination whose window is shorter, what fell out of it is not told, and says so."""
    with told.pointing(kind, events=[main_event(kind)]) as (server, double):
        keys = [f"call-{number:02d}" for number in range(12)]
        server.down = Said(503)
        for key in keys:
            told.call(key)
            at_its_time(told, kind)
            told.send()
            told.pass_time(hours=6)
        assert double.taken == []
        server.down = None
        told.pass_time(hours=1)
        for _ in range(3):
            told.send()
            told.pass_time(minutes=1)
        late = [key for key, it in zip(keys, told.deliveries(), strict=True) if it.why is Why.TOO_LATE]
        assert double.taken == [key for key in keys if key not in late]
        assert double.taken
        assert not late or double.closes_days < 4


def test_a_test_shows_what_was_asked_and_answered_without_secrets(told: Told, kind: str) -> None:
    with told.pointing(kind) as (server, double):
        it = told.destination()
        tried = told.try_out()
        assert tried.answer.ok, tried.answer.text
        assert len(tried.exchanges) == len(server.asked) > 0
        shown = repr(tried.exchanges)
        for secret in told.vault.open(it.secrets).values():
            assert secret not in shown
        assert (HIDDEN in shown) == double.secret_travels


def test_the_call_of_a_test_has_every_key_of_a_real_one(told: Told) -> None:
    told.call("one")
    with told.database.read() as session:
        owner = session.get_one(Company, told.pallets.company_id)
        sample = sample_call(owner, "https://x.example", told.clock()).described
        real = describe(session.scalars(sa.select(Call)).one())
    assert sample.keys() == real.keys()
    assert sample["source"].keys() == real["source"].keys()


# The others take the category with the call.
@pytest.mark.parametrize(
    "kind", [word for word, it in sorted(KINDS.items()) if Event.CATEGORISED in it.timings]
)
def test_a_category_is_told_where_it_is_wanted(told: Told, kind: str) -> None:
    with told.pointing(kind, events=[Event.CATEGORISED]) as (_, double):
        told.call("one")
        told.send()
        assert double.taken == []
        told.categorise("one", Category.TARGET)
        at_its_time(told, kind)
        told.send()
        assert double.taken == ["one"]


HERE, ELSEWHERE = "https://here.example", "https://evil.example"
SIGNING = {"secret", "signing_key"}


def kept(told: Told) -> dict[str, str]:
    return told.vault.open(told.destination().secrets)


@pytest.mark.parametrize(
    ("kind", "name"),
    [(it.word, each.name) for it in KINDS.values() for each in it.fields if each.kind is FieldKind.URL],
)
def test_no_secret_that_is_sent_follows_any_address_elsewhere(told: Told, kind: str, name: str) -> None:
    told.add(kind, DOUBLES[kind]().values(HERE))
    before = kept(told)
    granted = {"refresh_token"} if KINDS[kind].oauth else set()
    asked = before.keys() - SIGNING - granted
    if asked:
        with pytest.raises(Rejected, match="would be sent to another address") as no:
            told.change({name: ELSEWHERE})
        assert (no.value.id, set(no.value.said.values["names"])) == ("destination.retype", asked)  # type: ignore[call-overload]
        assert kept(told) == before
    told.change({name: ELSEWHERE, **{each: before[each] for each in asked}})
    assert told.destination().options[name] == ELSEWHERE
    assert kept(told) == {each: text for each, text in before.items() if each not in granted}


@pytest.mark.parametrize(
    ("url", "elsewhere"),
    [
        ("https://HERE.example:443/other", False),
        ("http://here.example", True),
        ("https://here.example:8443", True),
        ("https://here.example.evil.example", True),
        ("https://api.telegram.org", True),
        ("", True),  # the usual one
    ],
)
def test_another_server_is_another_scheme_host_or_port(told: Told, url: str, elsewhere: bool) -> None:
    told.add("telegram", {"token": f"12345:{'A' * 30}", "chat_id": "1", "address": HERE})
    if elsewhere:
        with pytest.raises(Rejected, match="token"):
            told.change({"address": url})
    else:
        told.change({"address": url})
        assert kept(told)


def test_a_webhook_s_headers_are_sent_and_its_secret_is_not(told: Told) -> None:
    told.add("webhook", {"url": HERE, "headers": "X-Api-Key: abc"})
    with pytest.raises(Rejected, match="stored headers would"):
        told.change({"url": ELSEWHERE})
    told.change({"url": ELSEWHERE, "headers": ""})
    assert kept(told).keys() == {"secret"}
