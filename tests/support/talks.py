"""Calls in which two people talk, many at once, and what the books have to say of them afterwards.

talks = [begin(house, place, seconds=3, sounds=sounds) for place in places]
finish(talks)
for talk in talks:
    check_booked(house, talk)
    check_heard(house, talk)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from support.audio import read_sides, tone, which_tone, write_ulaw
from support.house import Caller, House, Line, until

from demo.scenario import answered, hang_up, hung_up, invite, invited, pick_up, ringing, say, wait
from demo.sipp import Party
from tracker.models import (
    Call,
    Lease,
    NumberUse,
    PageView,
    Pool,
    QuarantinedLine,
    Recording,
    RecordingState,
    Site,
    Visit,
    Visitor,
)
from tracker.policy.facts import HungUpBy, Outcome

CALLERS_TONE, COMPANYS_TONE = 440, 880
RING = 0.3
CLOSE = 0.15  # seconds our times may differ from SIPp's own


@dataclass(frozen=True)
class Sounds:
    """What either side plays: mu-law files."""

    caller: Path
    company: Path


def make_sounds(folder: Path, seconds: float) -> Sounds:
    """A tone for each side, as long as that."""
    return Sounds(
        write_ulaw(folder / "caller.ul", tone(CALLERS_TONE, seconds)),
        write_ulaw(folder / "company.ul", tone(COMPANYS_TONE, seconds)),
    )


@dataclass(frozen=True)
class Place:
    """A line, and what a call to it is to be attributed to: a channel or a lease."""

    line: Line
    channel_id: int | None
    lease_id: int | None


def channel_place(house: House, ring_seconds: int = 10) -> Place:
    """A new line whose number is a channel's for good."""
    line = house.line(ring_seconds=ring_seconds)
    with house.database.read() as session:
        use = session.scalars(sa.select(NumberUse).where(NumberUse.number_id == line.number_id)).one()
        return Place(line, use.channel_id, None)


def leased_place(house: House) -> Place:
    """A new line whose number is a pool's, leased to one who came by an advertisement and stays an hour."""
    line = house.line()
    name, now = uuid4().hex, datetime.now(UTC)
    with house.database.write() as session:
        session.execute(
            sa.update(NumberUse).where(NumberUse.number_id == line.number_id).values(until_at=now)
        )
        pool = Pool(company_id=house.company_id, name=name, created_at=now)
        visitor = Visitor(company_id=house.company_id, key=name, created_at=now)
        session.add_all([pool, visitor])
        session.flush()
        site = Site(company_id=house.company_id, name=name, key=name, created_at=now)
        session.add_all([site, NumberUse(number_id=line.number_id, pool_id=pool.id, from_at=now)])
        session.flush()
        leaves = now + timedelta(hours=1)
        visit = Visit(visitor_id=visitor.id, site_id=site.id, started_at=now, seen_at=leaves, device="phone",
                      medium="cpc", source="yandex", campaign="772040791973",
                      keyword="купить поддоны")  # fmt: skip
        session.add(visit)
        session.flush()
        session.add(PageView(visit_id=visit.id, at=now, until_at=leaves, url="https://shop.example/"))
        lease = Lease(
            number_id=line.number_id,
            pool_id=pool.id,
            visit_id=visit.id,
            from_at=now,
            expires_at=now + timedelta(hours=1),
        )
        session.add(lease)
        session.flush()
        lease_id = lease.id
    house.apply()
    return Place(line, None, lease_id)


@dataclass(frozen=True)
class Talk:
    """A call that is or was going on."""

    place: Place
    phone: Party
    caller: Caller
    seconds: float

    @property
    def delay(self) -> float:
        """From the caller's INVITE to the moment the company's phone has it."""
        return self.phone.instant("^INVITE", sent=False) - self.sent_at

    @property
    def sent_at(self) -> float:
        return self.caller.party.instant("^INVITE", sent=True)


def begin(
    house: House, place: Place, seconds: float, sounds: Sounds | None = None, ring: float = RING
) -> Talk:
    """A call to the place: it rings, somebody picks up, both speak, the caller hangs up after `seconds`."""
    said = [say(sounds.company)] if sounds else []
    phone = house.phone(
        place.line.phones[0], [invited(), ringing(), wait(ring), pick_up(), *said, hung_up(200)]
    )
    heard = [say(sounds.caller)] if sounds else []
    caller = house.caller(place.line, [invite(), answered(), *heard, wait(seconds), hang_up()])
    return Talk(place, phone, caller, seconds)


def answer_of(talk: Talk) -> float | None:
    """When the caller was connected; None while it rings."""
    try:
        return talk.caller.party.instant("200 OK", sent=False)
    except LookupError:
        return None


def await_talking(talks: list[Talk], seconds: float = 15) -> None:
    try:
        until(lambda: all(answer_of(talk) for talk in talks), seconds, why="everybody talks")
    except TimeoutError as late:
        for talk in talks:
            if not answer_of(talk):
                for name, party in (("caller", talk.caller.party), ("phone", talk.phone)):
                    late.add_note(f"{name}: {party.tale()}")
        raise


def finish(talks: list[Talk], seconds: float = 30) -> None:
    """Wait until everybody has hung up; both sides of every call went as their scenario tells."""
    for talk in talks:
        assert talk.caller.party.wait(seconds) == 0, talk.caller.party.tale()
        assert talk.phone.wait(seconds) == 0, talk.phone.tale()


def check_booked(house: House, talk: Talk, *, seen_by_agi: bool | None = None, seconds: float = 15) -> Call:
    """The call is in the books once, whole, with the wire's times, and attributed as it has to be."""
    call = house.call_of(talk.caller, seconds)
    party, place = talk.caller.party, talk.place
    begun, over = party.instant("200 OK", sent=False), party.instant("^BYE")
    assert (call.outcome, call.hung_up_by, call.interrupted) == (Outcome.ANSWERED, HungUpBy.CALLER, False)
    check_origin(house, talk, call)
    assert call.target_id == place.line.phones[0].target_id
    assert call.answered_at is not None
    assert call.answered_at.timestamp() == pytest.approx(begun, abs=CLOSE)
    assert call.talk_seconds == pytest.approx(over - begun, abs=CLOSE)
    if seen_by_agi is not None:
        assert call.seen_by_agi is seen_by_agi
    return call


def check_origin(house: House, talk: Talk, call: Call) -> None:
    """When the call came, where from, and what it is attributed to."""
    place = talk.place
    found = (call.number_id, call.channel_id, call.lease_id)
    assert found == (place.line.number_id, place.channel_id, place.lease_id)
    assert (call.company_id, call.trunk_id) == (house.company_id, house.trunk_id)
    assert call.started_at.timestamp() == pytest.approx(talk.sent_at, abs=CLOSE)


def recording_of(house: House, call: Call, seconds: float = 30) -> Recording:
    """The call's recording once the worker is through with it."""
    return until(
        lambda: next(
            (
                found.recording
                for found in house.calls(Call.id == call.id)
                if found.recording and found.recording.state is not RecordingState.PENDING
            ),
            None,
        ),
        seconds,
        why=f"the recording of {call.key} is finished",
    )


def check_heard(house: House, call: Call, seconds: float = 30) -> Recording:
    """The recording is ready, the caller's tone is on the left and the company's on the right."""
    recording = recording_of(house, call, seconds)
    assert recording.state is RecordingState.READY, recording.problem
    assert recording.path is not None
    left, right = read_sides(house.settings.recordings_folder / recording.path)
    assert (which_tone(left), which_tone(right)) == (CALLERS_TONE, COMPANYS_TONE)
    return recording


@contextmanager
def books_gain(house: House, calls: int) -> Iterator[None]:
    """In between the books gain that many calls, and neither another one nor a spoilt line."""
    before = _sizes(house)
    yield
    after = _sizes(house)
    assert (after[0] - before[0], after[1] - before[1]) == (calls, 0)


def _sizes(house: House) -> tuple[int, int]:
    count = sa.func.count()
    with house.database.read() as session:
        return (
            session.scalars(sa.select(count).select_from(Call)).one(),
            session.scalars(sa.select(count).select_from(QuarantinedLine)).one(),
        )
