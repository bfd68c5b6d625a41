"""What the existing phone system does with a call behind us: it stays one call, with one recording.

A second Asterisk plays the phone system. All calls go on at once; each is handed on, picked up, parked,
queued or held there in its own way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from support.house import CARRIER, OFFICE, House, Line, until
from support.pbx import PBX, Pbx
from support.sip import Talk, Telephone

from tracker.models import Call, RecordingState
from tracker.policy.facts import Direction, HungUpBy, Outcome

CLOSE = 0.5  # seconds; several calls and two Asterisks share the machine
DESKS = tuple(str(number) for number in range(2000, 2012))


class Office:
    """The phone system, its telephones, and a line of ours to each thing that can be dialled there."""

    def __init__(self, house: House) -> None:
        self.house, self.port = house, house.sip_port(PBX)
        self.pbx = Pbx(
            house.program,
            port=self.port,
            leaseline=(OFFICE, house.settings.sip_port),
            extensions=DESKS,
            members=("2009",),
        )
        self.desks = {name: self.pbx.phone(name) for name in DESKS}

    def line(self, dial: str) -> Line:
        return self.house.line(host=PBX, port=self.port, dial=dial)

    def close(self) -> None:
        for each in self.desks.values():
            each.close()
        self.pbx.close()


@pytest.fixture(scope="module")
def office(house: House) -> Iterator[Office]:
    made = Office(house)
    yield made
    made.close()


@dataclass(frozen=True)
class Talked:
    """What happened on a line as both ends saw it."""

    line: Line
    began_at: float
    ended_at: float


def call(office: Office, line: Line) -> Talk:
    return office.house.telephone(CARRIER).dial(line.e164, who="<sip:+4915155801@carrier.example>")


def hang_up(line: Line, caller: Talk, began_at: float, last: Talk) -> Talked:
    """The two hear each other; then the caller ends it."""
    heard = len(caller.media.heard())
    until(lambda: len(caller.media.heard()) > heard, why="the last one is connected")
    time.sleep(0.3)  # a talk of some length
    ended_at = time.time()
    assert caller.hang_up().status == 200
    last.over()
    return Talked(line, began_at, ended_at)


def taken(caller: Talk, desk: Telephone) -> tuple[Talk, float]:
    talk = desk.take_call()
    caller.answered()
    return talk, time.time()


def blind(office: Office, line: Line) -> Talked:
    caller = call(office, line)
    first, began_at = taken(caller, office.desks["2000"])
    assert first.transfer("2001").status == 202
    return hang_up(line, caller, began_at, office.desks["2001"].take_call())


def attended(office: Office, line: Line) -> Talked:
    caller = call(office, line)
    first, began_at = taken(caller, office.desks["2002"])
    asking = office.desks["2002"].dial("2003")
    colleague = office.desks["2003"].take_call()
    asking.answered()
    assert first.transfer(asking).status == 202
    return hang_up(line, caller, began_at, colleague)


def parked(office: Office, line: Line) -> Talked:
    caller = call(office, line)
    first, began_at = taken(caller, office.desks["2004"])
    assert first.transfer("700").status == 202
    until(lambda: "701" in office.pbx.console("parking show default"), why="the call is parked")
    fetching = office.desks["2005"].dial("701").answered()
    return hang_up(line, caller, began_at, fetching)


def picked_up(office: Office, line: Line) -> Talked:
    caller = call(office, line)
    office.desks["2006"].invited()
    picking = office.desks["2007"].dial("82006").answered()
    caller.answered()
    return hang_up(line, caller, time.time(), picking)


def queued(office: Office, line: Line) -> Talked:
    caller = call(office, line)
    caller.answered()  # the phone system answers, and lets the caller wait
    began_at = time.time()
    member = office.desks["2009"].take_call()
    return hang_up(line, caller, began_at, member)


def held(office: Office, line: Line) -> Talked:
    caller = call(office, line)
    first, began_at = taken(caller, office.desks["2010"])
    assert first.hold().status == 200
    time.sleep(0.5)
    assert first.hold("sendrecv").status == 200
    return hang_up(line, caller, began_at, first)


WAYS: tuple[tuple[str, Callable[[Office, Line], Talked]], ...] = (
    ("2000", blind), ("2002", attended), ("2004", parked), ("2006", picked_up), ("queue", queued),
    ("2010", held),
)  # fmt: skip


def ended(house: House, line: Line) -> Call:
    """The one call on this line, with its recording finished."""

    def settled() -> list[Call] | None:
        found = house.calls(Call.number_id == line.number_id)
        done = all(it.recording and it.recording.state is not RecordingState.PENDING for it in found)
        return found if found and done else None

    (found,) = until(settled, 30, why="the call has ended and its recording is finished")
    return found


def test_whatever_the_phone_system_does_a_call_stays_one_call_with_one_recording(office: Office) -> None:
    lines = [office.line(dial) for dial, _ in WAYS]
    with ThreadPoolExecutor(len(WAYS)) as together:
        jobs = [together.submit(way, office, line) for (_, way), line in zip(WAYS, lines, strict=True)]
        talks = [job.result() for job in jobs]
    for talked in talks:
        found = ended(office.house, talked.line)
        assert (found.direction, found.outcome) == (Direction.IN, Outcome.ANSWERED)
        assert found.hung_up_by is HungUpBy.CALLER
        assert found.target_id == talked.line.phones[0].target_id
        assert found.answered_at
        assert found.answered_at.timestamp() == pytest.approx(talked.began_at, abs=CLOSE)
        assert found.talk_seconds == pytest.approx(talked.ended_at - talked.began_at, abs=2 * CLOSE)
        assert found.recording
        assert found.recording.state is RecordingState.READY
        assert found.recording.seconds == pytest.approx(found.talk_seconds, abs=2 * CLOSE)
