"""Calls that go out: from a registered phone, from a phone system beside us, and where they may not go."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from support.audio import RATE, Samples, correlation, read_sides, speech
from support.house import OFFICE, House, Line, until
from support.pbx import PBX, Pbx
from support.sip import Telephone

from tracker import outgoing
from tracker.audit import By
from tracker.models import (
    Call,
    Company,
    Node,
    QuarantinedLine,
    RecordingState,
    Refusal,
    Target,
    TargetKind,
    Trunk,
)
from tracker.policy.facts import Direction, HungUpBy, Outcome

CLOSE = 0.15
HEARD = 0.7
OURS = speech("Good morning, you rang us about two hundred pallets. Is it still so?", "en+f3")
HIS = speech("Yes, please. When could you deliver them to Hamburg?")
PASSWORD = "Kj7hGf5dS3aQ"
_people = itertools.count(79161110001)


class Office:
    """A company of its own that calls out over a carrier of its own, from a phone and a phone system."""

    def __init__(self, house: House) -> None:
        self.house, self.phones = house, dict[str, Telephone]()
        self.id = house.company("callers-out")
        self.trunk: Trunk = house.trunk(dial_as="national", country="RU")
        mine: dict[str, Any] = {"company_id": self.id, "kind": TargetKind.PHONE, "password": PASSWORD}
        self.line: Line = house.line(username="vera", **mine)
        self.other = house.line(
            company_id=self.id, kind=TargetKind.PHONE, username="willi", password=PASSWORD
        )
        pbx_port = house.sip_port(PBX)
        self.behind = house.line(company_id=self.id, host=PBX, port=pbx_port)
        with house.database.write() as session:
            company = session.get_one(Company, self.id)
            names = [
                session.get_one(Target, each.phones[0].target_id).name for each in (self.line, self.behind)
            ]
            by = By(datetime.now(UTC), "test")
            wish = outgoing.Wish(trunk=self.trunk.name, number=self.line.e164)
            outgoing.allow(session, by, company, wish)
            outgoing.grant(session, by, company, names)
        house.apply()
        self.carrier = Telephone((OFFICE, house.settings.sip_port), self.trunk.host, port=self.trunk.port)
        self.pbx = Pbx(house.program, port=pbx_port, leaseline=(OFFICE, house.settings.sip_port))

    def phone(self, user: str) -> Telephone:
        """Registered once: our Asterisk keeps five registrations of a phone, each for minutes."""
        if user not in self.phones:
            asterisk = OFFICE, self.house.settings.sip_port
            self.phones[user] = Telephone(asterisk, OFFICE, user=user, password=PASSWORD)
            assert self.phones[user].register().status == 200
        return self.phones[user]

    def ended(self, person: str) -> Call:
        """The one call with this person, its recording settled."""

        def settled() -> list[Call] | None:
            found = self.house.calls(Call.caller == f"+{person}", Call.ended_at.is_not(None))
            done = [it for it in found if it.recording and it.recording.state is not RecordingState.PENDING]
            return done or None

        (call,) = until(settled, 20, why=f"a call with {person} has ended")
        return call

    def refusals(self, wanted: str) -> list[Refusal]:
        with self.house.database.read() as session:
            return list(session.scalars(sa.select(Refusal).where(Refusal.did == wanted)))


@pytest.fixture(scope="module")
def office(house: House) -> Iterator[Office]:
    made = Office(house)
    yield made
    for each in (made.carrier, *made.phones.values()):
        each.close()
    made.pbx.close()


def number(text: str) -> str:
    return text.split("sip:")[1].split("@", maxsplit=1)[0]


def test_a_phone_calls_out_and_the_call_stands_in_the_books(office: Office) -> None:
    person = str(next(_people))
    carrier, vera = office.carrier, office.phone("vera")
    talk = vera.dial("8" + person[1:])  # as people of the country dial it
    taken = carrier.take_call()
    assert taken.invite
    assert number(taken.invite.first_line) == "8" + person[1:]  # as this carrier wants it
    assert number(taken.invite.header("From")) == office.line.e164
    talk.answered()
    answered_at = time.time()
    for each, words in ((talk, OURS), (taken, HIS)):
        each.media.say(words)
    talk.media.said()
    taken.media.said()
    ended_at = time.time()
    assert taken.hang_up().status == 200
    talk.over()
    call = office.ended(person)
    assert (call.direction, call.outcome, call.hung_up_by) == (
        Direction.OUT,
        Outcome.ANSWERED,
        HungUpBy.CALLER,
    )
    assert (call.target_id, call.trunk_id) == (office.line.phones[0].target_id, office.trunk.id)
    assert (call.visit_id, call.channel_id, call.basis) == (None, None, None)
    assert call.number_id == office.line.number_id
    assert call.answered_at
    assert call.answered_at.timestamp() == pytest.approx(answered_at, abs=CLOSE)
    assert call.talk_seconds == pytest.approx(ended_at - answered_at, abs=2 * CLOSE)
    left, right = sides(office, call)
    assert correlation(left, HIS[:RATE]) > HEARD  # the person's side is the left one, whoever called
    assert correlation(right, OURS[:RATE]) > HEARD


def test_a_call_that_went_out_lasts_until_the_person_called_is_gone(office: Office) -> None:
    """Joined to a call that came in, and handed on to a colleague: both go on without who called."""
    joined, handed = (str(next(_people)) for _ in range(2))
    carrier, vera, willi = office.carrier, office.phone("vera"), office.phone("willi")
    caller = office.house.telephone(office.trunk.host).dial(office.line.e164, who="<sip:+79165554434@x>")
    taken = vera.take_call()
    caller.answered()
    in_at = time.time()
    asking = vera.dial(f"+{joined}")
    asked = carrier.take_call()
    asking.answered()
    out_at = time.time()
    until(lambda: len(asked.media.heard()) and len(asking.media.heard()), why="the two are connected")
    assert taken.transfer(asking).status == 202
    asking.over()
    taken.hang_up()
    for each, words in ((asked, HIS), (caller, OURS)):
        each.media.say(words)
    asked.media.said()
    caller.media.said()
    assert is_live(office, joined)
    ended_at = time.time()
    assert caller.hang_up().status == 200
    asked.over()
    went, came = office.ended(joined), office.ended("79165554434")
    for call, answered_at in ((went, out_at), (came, in_at)):
        assert call.outcome is Outcome.ANSWERED
        assert call.talk_seconds == pytest.approx(ended_at - answered_at, abs=3 * CLOSE)
        assert call.recording
        assert call.recording.problem is None
    assert (came.hung_up_by, went.hung_up_by) == (HungUpBy.CALLER, HungUpBy.COMPANY)
    left, right = sides(office, went)
    assert correlation(left, HIS[RATE : 2 * RATE]) > HEARD
    assert correlation(right, OURS[RATE : 2 * RATE]) > HEARD
    left, right = sides(office, came)
    assert correlation(left, OURS[RATE : 2 * RATE]) > HEARD
    assert correlation(right, HIS[RATE : 2 * RATE]) > HEARD

    talk = vera.dial(f"+{handed}")
    asked = carrier.take_call()
    talk.answered()
    out_at = time.time()
    until(lambda: len(asked.media.heard()) and len(talk.media.heard()), why="the two are connected")
    assert talk.transfer("willi").status == 202
    second = willi.take_call()
    until(lambda: len(second.media.heard()), why="the two are connected")
    asked.media.say(HIS[: 2 * RATE])
    asked.media.said()
    ended_at = time.time()
    assert asked.hang_up().status == 200
    second.over()
    call = office.ended(handed)
    assert call.talk_seconds == pytest.approx(ended_at - out_at, abs=3 * CLOSE)
    assert (call.target_id, call.hung_up_by) == (office.line.phones[0].target_id, HungUpBy.CALLER)
    assert correlation(second.media.heard(), HIS[RATE : 2 * RATE]) > HEARD
    with office.house.database.read() as session:
        assert [it.line for it in session.scalars(sa.select(QuarantinedLine))] == []


def is_live(office: Office, person: str) -> bool:
    """Whether the call with that person is among those that go on."""
    (call,) = office.house.calls(Call.caller == f"+{person}")
    with office.house.database.read() as session:
        return call.key in {
            str(row.get("call")) for node in session.scalars(sa.select(Node)) for row in node.live
        }


def sides(office: Office, call: Call) -> tuple[Samples, Samples]:
    assert call.recording
    assert call.recording.state is RecordingState.READY
    return read_sides(office.house.settings.recordings_folder / str(call.recording.path))


def test_the_phone_system_beside_us_calls_out(office: Office) -> None:
    person = str(next(_people))
    carrier = office.carrier
    desk = office.pbx.phone("2001")
    office.house.parties.append(desk)
    talk = desk.dial(f"+{person}")
    taken = carrier.take_call()
    talk.answered()
    assert talk.hang_up().status == 200
    taken.over()
    call = office.ended(person)
    assert (call.direction, call.outcome, call.hung_up_by) == (
        Direction.OUT,
        Outcome.ANSWERED,
        HungUpBy.COMPANY,
    )
    assert call.target_id == office.behind.phones[0].target_id


def test_how_calls_end_that_nobody_takes(office: Office) -> None:
    carrier, vera = office.carrier, office.phone("vera")
    busy, gone = str(next(_people)), str(next(_people))
    talk = vera.dial(f"+{busy}")
    carrier.invited().reply("486 Busy Here")
    assert talk.refused() == 486
    assert office.ended(busy).outcome is Outcome.BUSY
    given_up = vera.dial(f"+{gone}")
    ringing = carrier.invited()
    given_up.heard(180)
    given_up.give_up()
    ringing.telephone.wait(lambda message: message.status is None and message.method == "CANCEL")
    call = office.ended(gone)
    assert (call.outcome, call.hung_up_by) == (Outcome.GAVE_UP, HungUpBy.COMPANY)
    assert call.target_id == office.line.phones[0].target_id


@pytest.mark.parametrize(
    ("wanted", "why", "status"),
    [
        ("+4930123456", "abroad", 403), ("+78095551234", "costly", 403), ("+7999", "malformed", 484),
        ("+18095551234", "abroad", 403), ("810493012345", "abroad", 403),
    ],
)  # fmt: skip
def test_calls_that_may_cost_too_much_do_not_go_out(
    office: Office, wanted: str, why: str, status: int
) -> None:
    carrier, vera = office.carrier, office.phone("vera")
    heard = len(carrier.everything)
    assert vera.dial(wanted).refused() == status
    (refusal,) = until(lambda: office.refusals(wanted), why="the refusal is in the books")
    assert refusal.reason == f"outgoing-{why}"
    assert refusal.target_id == office.line.phones[0].target_id
    assert len(carrier.everything) == heard


def test_an_emergency_number_goes_out_from_every_phone_even_with_nobody_to_ask(office: Office) -> None:
    carrier, willi = office.carrier, office.phone("willi")
    assert willi.dial("+79161234567").refused() in {404, 484}  # has not been allowed to
    office.house.apply(agi_port=9)  # nobody listens there
    try:
        talk = willi.dial("112")
        taken = carrier.take_call()
        talk.answered()
        assert talk.hang_up().status == 200
        taken.over()
        vera = office.phone("vera")
        assert vera.dial("+79161234567").refused() == 503
    finally:
        office.house.apply()
    (call,) = until(lambda: office.house.calls(Call.caller == "112", Call.ended_at.is_not(None)))
    assert (call.direction, call.outcome) == (Direction.OUT, Outcome.ANSWERED)


def test_a_call_that_came_in_is_not_sent_out_by_a_transfer(office: Office) -> None:
    vera = office.phone("vera")
    carrier = office.carrier
    caller = office.house.telephone(office.trunk.host).dial(office.line.e164, who="<sip:+79165554433@x>")
    taken = vera.take_call()
    caller.answered()
    heard = len(carrier.everything)
    taken.transfer("+79167654321")
    vera.wait(lambda message: message.method == "NOTIFY" and "404 Not Found" in message.body)
    assert len(carrier.everything) == heard
    assert caller.hang_up().status == 200
    taken.over()
