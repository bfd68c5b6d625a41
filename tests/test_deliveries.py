"""The outbox: rows of the fact's own transaction, taken at least once, in order, by any number of workers."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.receivers import until
from support.standin import Asked, Said, stand_in
from support.standins.webhook import SECRET, is_signed
from support.told import Told

from tracker import deliveries, destination_list
from tracker.audit import By
from tracker.database import Database
from tracker.destination_list import Filled
from tracker.errors import Rejected
from tracker.models import Call, Category, Company, Destination
from tracker.policy.delivering import Event, Why
from tracker.postman import HOLD
from tracker.vault import Vault


@pytest.fixture
def told(database: Database, now: datetime, tmp_path: Path) -> Told:
    return Told(database, tmp_path, now)


def test_a_fact_and_its_row_are_one_transaction(told: Told) -> None:
    told.add("webhook", {"url": "https://hooks.pallets.example/calls"})
    told.call("one")
    with pytest.raises(RuntimeError, match="torn"), told.database.write() as session:
        call = session.scalars(sa.select(Call)).one()
        deliveries.tell_again(session, [call.id], Event.CATEGORISED, told.clock())
        raise RuntimeError("torn")
    assert [it.event for it in told.deliveries()] == [Event.COMPLETED]
    told.categorise("one", Category.TARGET)
    assert [it.event for it in told.deliveries()] == [Event.COMPLETED, Event.CATEGORISED]


def test_workers_that_take_turns_at_once_send_each_thing_once(told: Told) -> None:
    with told.pointing("webhook", events=[Event.COMPLETED]) as (_, double):
        keys = [f"call-{number:02d}" for number in range(20)]
        for key in keys:
            told.call(key)
        workers = [told.worker() for _ in range(6)]
        threads = [threading.Thread(target=told.send, args=(each,)) for each in workers]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert double.taken == keys


def test_a_worker_that_died_is_followed_by_the_next(told: Told) -> None:
    """Its hold on the destination runs out; what it sent and did not settle is sent again."""
    with told.pointing("webhook", events=[Event.COMPLETED]) as (_, double):
        told.call("one")
        with told.database.write() as session:
            session.execute(sa.update(Destination).values(held_by="the dead", held_until=told.clock() + HOLD))
        assert told.send() == 0
        told.clock.now += HOLD + timedelta(seconds=1)
        assert told.send() == 1
        assert double.taken == ["one"]


def test_a_dead_destination_delays_no_other(told: Told) -> None:
    hangs = threading.Event()
    with stand_in(lambda _: Said(200, pause=hangs)) as dead, stand_in(lambda _: Said(204)) as alive:
        told.add("webhook", {"url": dead.url, "secret": SECRET}, "dead", events=[Event.COMPLETED])
        told.add("webhook", {"url": alive.url, "secret": SECRET}, "alive", events=[Event.COMPLETED])
        for number in range(3):
            told.call(f"call-{number}")
        told.postman.take_turn()
        try:
            until(lambda: len(alive.asked) == 3)
        finally:
            hangs.set()
            told.postman.wait(20)


def test_one_that_the_other_side_stumbles_over_is_set_aside(told: Told) -> None:
    def stumble(asked: Asked) -> Said:
        return Said(500 if b'"key":"poison"' in asked.body else 204)

    with stand_in(stumble) as server:
        told.add("webhook", {"url": server.url, "secret": SECRET}, events=[Event.COMPLETED])
        for key in ("poison", "two", "three"):
            told.call(key)
        for _ in range(12):
            told.send()
            told.pass_time(minutes=40)
        sent = {it.sent_at is not None for it in told.deliveries()[1:]}
    assert sent == {True}
    assert told.deliveries()[0].tries >= 8
    assert told.destination().failures == 0


def test_who_wants_no_more_gets_no_more(told: Told) -> None:
    with stand_in(lambda _: Said(410)) as server:
        told.add("webhook", {"url": server.url, "secret": SECRET}, events=[Event.COMPLETED])
        told.call("one")
        told.call("two")
        told.send()
        told.call("three")
        told.send()
        assert 1 <= len(server.asked) <= 2
    assert {it.why for it in told.deliveries()} == {Why.DISABLED}
    it = told.destination()
    assert it.disabled_at is not None
    assert "410" in str(it.disabled_because)


def test_what_a_person_pauses_waits_and_goes_on_in_order(told: Told) -> None:
    with told.pointing("webhook", events=[Event.COMPLETED]) as (_, double):
        _pause(told, paused=True)
        for key in ("one", "two"):
            told.call(key)
        assert told.send() == 0
        _pause(told, paused=False)
        told.send()
        assert double.taken == ["one", "two"]


def test_what_was_given_up_is_sent_again_when_somebody_says_so(told: Told) -> None:
    with told.pointing("webhook", events=[Event.COMPLETED]) as (server, double):
        told.call("one")
        told.call("two")
        server.said = [Said(400), Said(400)]
        told.send()
        assert double.taken == []
        with told.database.write() as session:
            its = session.scalars(sa.select(Destination)).one()
            by = By(told.clock(), "ann@pallets.example")
            assert deliveries.replay(session, by, its, since=told.clock() - timedelta(hours=1)) == 2
            with pytest.raises(Rejected, match="Nothing was chosen"):
                deliveries.replay(session, by, its)
        told.send()
        assert double.taken == ["one", "two"]


def test_an_event_that_comes_again_is_told_again_once_it_was_sent(told: Told) -> None:
    with told.pointing("webhook", events=[Event.CATEGORISED]) as (server, _):
        told.call("one")
        told.categorise("one", Category.SERVICE)
        told.categorise("one", Category.TARGET)  # before it was sent: one row tells the newest
        told.send()
        told.pass_time(minutes=1)
        told.categorise("one", Category.NON_TARGET)
        told.send()
        said = [asked.json()["data"]["category"] for asked in server.asked]
    assert said == ["target", "non_target"]
    assert [it.revision for it in told.deliveries()] == [0, 1]


def test_history_and_spam_are_nothing_to_tell(told: Told) -> None:
    with told.pointing("webhook"):
        told.call("old", minutes=60 * 24 * 21)
        with told.database.write() as session:
            session.execute(sa.update(Destination).values(events=["call.started"]))
    assert told.deliveries() == []


def test_a_secret_that_takes_the_place_of_another_signs_beside_it(told: Told, now: datetime) -> None:
    with told.pointing("webhook", events=[Event.COMPLETED]) as (server, _), told.database.write() as session:
        it = session.scalars(sa.select(Destination)).one()
        other = "whsec_" + "eHh4" * 10
        destination_list.change(session, By(now, "ann"), it, Filled({"secret": other}), vault=told.vault)
        session.commit()
        told.call("one")
        told.send()
        (asked,) = server.asked
        assert is_signed(asked, SECRET)
        assert is_signed(asked, other)


def test_secrets_are_sealed_and_another_key_opens_nothing(told: Told) -> None:
    told.add("ga4", {"measurement_id": "G-ABC1234567", "api_secret": "hush-hush"})
    sealed = told.destination().secrets
    assert "hush" not in sealed
    assert told.vault.open(sealed) == {"api_secret": "hush-hush"}
    with pytest.raises(Rejected, match="another secret_key"):
        Vault("z" * 40).open(sealed)


@pytest.mark.parametrize(
    ("kind", "values", "problem"),
    [
        ("fax", {}, "destination.kind"),
        ("ga4", {"measurement_id": "G-ABC1234567"}, "destination.missing"),
        ("ga4", {"measurement_id": "UA-1", "api_secret": "x"}, "destination.malformed"),
        ("ga4", {"colour": "red"}, "destination.field"),
        ("webhook", {"url": "ftp://x.example"}, "destination.malformed"),
        ("webhook", {"url": "https://x.example", "secret": "short"}, "destination.malformed"),
    ],
)
def test_what_is_filled_in_wrongly_is_refused(
    told: Told, kind: str, values: dict[str, str], problem: str
) -> None:
    with pytest.raises(Rejected) as refused:
        told.add(kind, values)
    assert refused.value.id == problem


def test_of_a_company_only_its_own_calls_are_told(told: Told) -> None:
    with told.pointing("webhook", events=[Event.COMPLETED]), told.database.write() as session:
        other = Company(slug="other", name="Other", default_region="DE", created_at=told.clock())
        session.add(other)
        session.flush()
        told_to = session.scalars(sa.select(Destination)).one()
        told_to.company_id = other.id
        session.commit()
        told.call("one")
    assert told.deliveries() == []


def test_the_same_key_at_every_try(told: Told) -> None:
    with told.pointing("webhook", events=[Event.COMPLETED]) as (server, _):
        told.call("one")
        server.said = [Said(500), Said(500)]
        for _ in range(3):
            told.send()
            told.pass_time(minutes=1)
        keys = Counter(asked.headers["webhook-id"] for asked in server.asked)
    assert list(keys.values()) == [3]


def _pause(told: Told, *, paused: bool) -> None:
    with told.database.write() as session:
        it = session.scalars(sa.select(Destination)).one()
        destination_list.pause(session, By(told.clock(), "ann"), it, paused=paused)
