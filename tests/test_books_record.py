"""Facts become one row a call: in any order, any number of times, by several writers at once."""

from __future__ import annotations

import random
import threading
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from support.facts import CALLER, Pallets, add_pallets, answered, ended, leg_ended, started

from tracker.books import adopt_waiting, record, record_all
from tracker.database import Database
from tracker.models import (
    Call,
    CallEvent,
    Lease,
    Number,
    NumberUse,
    Recording,
    RecordingState,
    Refusal,
    WaitingFact,
)
from tracker.policy.facts import Fact, HungUpBy, Interrupted, Outcome, Presentation, Refused


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.fixture
def pallets(database: Database, now: datetime) -> Pallets:
    with database.write() as session:
        return add_pallets(session, now)


def a_call(pallets: Pallets, now: datetime, call: str = "call-1") -> list[Fact]:
    """Office does not pick up, mobile does: 12 s of waiting, 60 s of talk."""
    return [
        started(pallets.billboard, now, call),
        leg_ended(pallets.office_id, now + seconds(10), call, rang_at=now + seconds(1)),
        answered(pallets.mobile_id, now + seconds(12), call, position=2),
        ended(now + seconds(72), call),
    ]


def columns(call: Call) -> dict[str, object]:
    return {
        column.key: getattr(call, column.key) for column in sa.inspect(Call).columns if column.key != "id"
    }


def only_call(database: Database) -> dict[str, object]:
    with database.read() as session:
        return columns(session.scalars(sa.select(Call)).one())


def test_what_the_agi_saw_stays_seen_while_the_call_goes_on(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    arrived, leg, *_ = a_call(pallets, now)
    with database.write() as session:
        record_all(session, [arrived])
        session.execute(sa.update(Call).values(seen_by_agi=True))
    with database.write() as session:
        record_all(session, [leg])
    assert only_call(database)["seen_by_agi"] is True


def test_an_answered_call_is_written_down(database: Database, pallets: Pallets, now: datetime) -> None:
    with database.write() as session:
        for fact in a_call(pallets, now):
            call = record(session, fact)
        assert call is not None
        assert (call.outcome, call.wait_seconds, call.talk_seconds) == (Outcome.ANSWERED, 12.0, 60.0)
        assert (call.started_at, call.rang_at) == (now, now + seconds(1))
        assert (call.target_id, call.hung_up_by) == (pallets.mobile_id, HungUpBy.CALLER)
        assert (call.company_id, call.number.e164) == (pallets.company_id, pallets.billboard)
        assert (call.channel_id, call.lease_id) == (pallets.billboard_channel_id, None)
        assert (call.caller, call.repeat, call.seen_by_agi) == (CALLER, False, True)
        assert call.recording is not None
        assert call.recording.state is RecordingState.PENDING


def test_order_and_repetition_change_nothing(database: Database, pallets: Pallets, now: datetime) -> None:
    with database.write() as session:
        record_all(session, a_call(pallets, now))
    expected = only_call(database)
    for seed in range(8):
        with database.write() as session:
            for model in (Recording, CallEvent, Call, WaitingFact):
                session.execute(sa.delete(model))
        facts = a_call(pallets, now) * 3
        random.Random(seed).shuffle(facts)
        for fact in facts:
            with database.write() as session:
                record(session, fact)
        assert only_call(database) == expected
        with database.read() as session:
            assert session.scalar(sa.select(sa.func.count()).select_from(CallEvent)) == 4
            assert session.scalar(sa.select(sa.func.count()).select_from(WaitingFact)) == 0
            assert session.scalars(sa.select(Recording.state)).all() == [RecordingState.PENDING]


def test_a_second_reading_writes_nothing(database: Database, pallets: Pallets, now: datetime) -> None:
    with database.write() as session:
        assert record_all(session, a_call(pallets, now)) == 4
        session.execute(sa.update(Recording).values(state=RecordingState.NONE))  # the file was empty
    with database.write() as session:
        assert record_all(session, a_call(pallets, now)) == 0
    with database.read() as session:
        assert session.scalars(sa.select(Recording.state)).all() == [RecordingState.NONE]


def test_facts_wait_for_their_start(database: Database, pallets: Pallets, now: datetime) -> None:
    start, *rest = a_call(pallets, now)
    with database.write() as session:
        assert [record(session, fact) for fact in rest] == [None, None, None]
    with database.write() as session:
        call = record(session, start)
        assert call is not None
        assert (call.outcome, call.talk_seconds) == (Outcome.ANSWERED, 60.0)


def test_facts_left_behind_by_two_writers_are_adopted(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    start, *_, end = a_call(pallets, now)
    with database.write() as session:
        record(session, end)
        waiting = session.scalars(sa.select(WaitingFact)).one()
        copy = {name: getattr(waiting, name) for name in ("key", "kind", "at", "detail", "digest")}
    with database.write() as session:
        record(session, start)
        session.add(WaitingFact(**{**copy, "digest": "late"}))
    with database.write() as session:
        assert adopt_waiting(session) == 0  # the fact is known already
        assert session.scalar(sa.select(sa.func.count()).select_from(WaitingFact)) == 0
        assert adopt_waiting(session) == 0


def test_a_call_to_the_leased_number_belongs_to_the_visit(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        call = record(session, started(pallets.leased, now))
        assert call is not None
        assert (call.lease_id, call.channel_id) == (pallets.lease_id, None)


def test_a_call_found_late_is_attributed_as_things_stood_when_it_rang(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        session.execute(sa.update(Lease).values(until_at=now + seconds(30)))
        session.add(
            Lease(
                number_id=session.scalars(sa.select(Lease.number_id)).one(),
                pool_id=pallets.pool_id,
                visit_id=pallets.visit_id,
                from_at=now + seconds(40),
                expires_at=now + seconds(640),
            )
        )
        billboard = session.scalars(sa.select(Number.id).where(Number.e164 == pallets.billboard)).one()
        session.execute(
            sa.update(NumberUse).where(NumberUse.number_id == billboard).values(until_at=now + seconds(30))
        )
        session.add(
            NumberUse(number_id=billboard, channel_id=pallets.leaflet_channel_id, from_at=now + seconds(30))
        )
    with database.write() as session:
        found = [
            record(session, started(did, now + seconds(later), f"{did}-{later}"))
            for did in (pallets.leased, pallets.billboard)
            for later in (29, 30, 41)
        ]
        sources = [(call.lease_id, call.channel_id) for call in found if call is not None]
    old, between, new = sources[:3]
    assert old == (pallets.lease_id, None)
    assert between == (pallets.lease_id, None)  # he read the number there; nobody else has been shown it yet
    assert new[0] not in {None, pallets.lease_id}
    assert [channel for _, channel in sources[3:]] == [
        pallets.billboard_channel_id,
        pallets.leaflet_channel_id,
        pallets.leaflet_channel_id,
    ]


def test_an_earlier_call_that_comes_in_late_makes_the_later_one_a_repeat(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        later = record(session, started(pallets.billboard, now, "later"))
        assert later is not None
        assert not later.repeat
    with database.write() as session:
        record(session, started(pallets.leaflet, now - seconds(60), "earlier"))
        record(session, started(pallets.leaflet, now, "another", caller="+4915112340000"))
        found = session.execute(sa.select(Call.key, Call.repeat).order_by(Call.key)).all()
        assert [tuple(row) for row in found] == [("another", False), ("earlier", False), ("later", True)]


def test_a_withheld_caller_is_nowhere_in_the_books(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    fact = started(
        pallets.billboard, now, presentation=Presentation.WITHHELD, caller=CALLER, caller_name="Ann"
    )
    with database.write() as session:
        call = record(session, fact)
        assert call is not None
        assert (call.caller, call.caller_name, call.presentation) == (None, None, Presentation.WITHHELD)
        detail = session.scalars(sa.select(CallEvent.detail)).one()
        assert (detail["caller"], detail["caller_name"]) == ("", "")


def test_two_withheld_callers_are_not_the_same_caller(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        for call in ("first", "second"):
            record(session, started(pallets.billboard, now, call, presentation=Presentation.WITHHELD))
        assert session.scalars(sa.select(Call.repeat)).all() == [False, False]


def test_a_better_witness_corrects_the_start(database: Database, pallets: Pallets, now: datetime) -> None:
    poor = started(
        pallets.billboard,
        now - seconds(0.01),
        presentation=Presentation.UNAVAILABLE,
        caller="",
        dialled="",
    )
    with database.write() as session:
        record(session, started(pallets.leaflet, now - seconds(60), "before"))
        record(session, poor)
    with database.write() as session:
        call = record(session, started(pallets.billboard, now))
        assert call is not None
        assert (call.caller, call.started_at, call.repeat) == (CALLER, now, True)
        again = record(session, poor)
        assert again is not None
        assert (again.caller, again.started_at) == (CALLER, now)


def test_a_target_and_trunk_that_are_gone_do_not_keep_a_call_out(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        record(session, started(pallets.billboard, now, trunk_id=999))
        record(session, answered(888, now + seconds(3)))
        call = record(session, ended(now + seconds(9)))
        assert call is not None
        assert (call.trunk_id, call.target_id, call.outcome) == (None, None, Outcome.ANSWERED)


def test_a_number_that_is_not_recorded_has_no_recording_to_wait_for(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        session.execute(sa.update(Number).values(record=False))
        record_all(session, a_call(pallets, now))
        assert session.scalars(sa.select(Recording.state)).all() == [RecordingState.NONE]


def test_an_answer_learned_after_the_end_asks_for_the_recording(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    start, _, answer, _ = a_call(pallets, now)
    with database.write() as session:
        record(session, start)
        record(session, Interrupted("call-1", "main", now + seconds(20)))
        assert session.scalars(sa.select(Recording.state)).all() == [RecordingState.NONE]
    with database.write() as session:
        call = record(session, answer)
        assert call is not None
        assert (call.outcome, call.interrupted, call.talk_seconds) == (Outcome.ANSWERED, True, 8.0)
        assert session.scalars(sa.select(Recording.state)).all() == [RecordingState.PENDING]


def test_a_refused_call_is_noted_once(database: Database, pallets: Pallets, now: datetime) -> None:
    fact = Refused("call-9", "main", now, None, "+1900\x00'; --" * 30, "+49\r\n30" * 30, "unknown_number")
    with database.write() as session:
        assert record(session, fact) is None
        assert record_all(session, [fact, fact]) == 0
        refusal = session.scalars(sa.select(Refusal)).one()
        assert "\x00" not in refusal.did
        assert len(refusal.did) <= 80


def test_a_start_for_a_number_that_is_nobodys_is_a_refusal(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    for _ in range(2):
        with database.write() as session:
            assert record(session, ended(now, "lost")) is None
            assert record(session, started("+4930999999", now, "lost")) is None
    with database.read() as session:
        assert session.scalars(sa.select(Refusal.reason)).all() == ["unknown_number"]


def test_many_writers_of_the_same_calls_lose_and_double_nothing(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    calls = [f"call-{number}" for number in range(8)]
    barrier = threading.Barrier(4)
    failures: list[BaseException] = []

    def write(position: int) -> None:
        try:
            for call in calls:
                barrier.wait(20)
                with database.write() as session:
                    record(session, a_call(pallets, now, call)[0])
                with database.write() as session:
                    record(session, a_call(pallets, now, call)[position])
        except BaseException as failure:  # noqa: BLE001  (shown in the test's own thread)
            failures.append(failure)
            barrier.abort()

    threads = [threading.Thread(target=write, args=(position,)) for position in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    with database.read() as session:
        found = session.execute(sa.select(Call.key, Call.outcome, Call.talk_seconds).order_by(Call.key)).all()
        assert [tuple(row) for row in found] == [(call, Outcome.ANSWERED, 60.0) for call in calls]
        assert session.scalar(sa.select(sa.func.count()).select_from(CallEvent)) == 32
        assert session.scalar(sa.select(sa.func.count()).select_from(Recording)) == 8
