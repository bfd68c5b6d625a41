"""Where a call can go: phone systems, registered phones, outside numbers; and what they are shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.audio import correlation, speech, write_ulaw
from support.house import CARRIER, OFFICE, Caller, House, Line, until
from support.sip import Message, Telephone

from demo.scenario import (
    answered,
    early_media,
    hang_up,
    hung_up,
    invite,
    invited,
    not_picked_up,
    pick_up,
    refused,
    ringing,
    say,
    turn_down,
    wait,
)
from tracker.models import Call, CallerIdPolicy, CallEvent, Target, TargetKind
from tracker.policy.facts import HungUpBy, Outcome, Presentation

CLOSE = 0.1  # seconds our times may differ from those on the wire
Place = Callable[[House, CallerIdPolicy], tuple[Line, Telephone]]
WITHHELD = '"Anonymous" <sip:anonymous@anonymous.invalid>'


def call_on(house: House, line: Line) -> Call:
    """The one call on this line, once it has ended."""
    (call,) = until(lambda: house.calls(Call.number_id == line.number_id, Call.ended_at.is_not(None)))
    return call


def legs_of(house: House, call: Call) -> list[CallEvent]:
    with house.database.read() as session:
        found = session.scalars(
            sa.select(CallEvent)
            .where(CallEvent.call_id == call.id, CallEvent.kind == "leg_ended")
            .order_by(CallEvent.position)
        )
        return list(found)


def change_target(house: House, target_id: int, **values: object) -> None:
    with house.database.write() as session:
        session.execute(sa.update(Target).where(Target.id == target_id).values(**values))
    house.apply()


def short_talk(house: House, line: Line, *headers: str, who: str | None = None) -> Caller:
    """Somebody calls, talks for a moment and hangs up."""
    return house.caller(line, [invite(*headers), answered(), wait(0.3), hang_up()], who=who)


# ---- a phone that registers ----


def test_a_registered_phone_rings_and_takes_the_call(house: House) -> None:
    line = house.line(kind=TargetKind.PHONE, username="maria", password="Kj7hGf5dS3aQ")
    maria = house.telephone(user="maria", password="Kj7hGf5dS3aQ")
    assert maria.register().status == 200
    caller = short_talk(house, line)
    maria.take_call().over()
    call = house.call_of(caller)
    assert caller.party.wait() == 0, caller.party.errors
    assert call.outcome is Outcome.ANSWERED
    assert (call.target_id, call.hung_up_by) == (line.phones[0].target_id, HungUpBy.CALLER)


def test_a_phone_with_the_wrong_password_does_not_get_in(house: House) -> None:
    house.line(kind=TargetKind.PHONE, username="clara", password="Kj7hGf5dS3aQ")
    stranger = house.telephone(user="clara", password="guessed")
    assert stranger.register().status == 401
    assert "clara" not in house.console("pjsip show contacts")


def test_a_phone_that_is_not_registered_lets_the_next_target_ring(house: House) -> None:
    line = house.line(phones=2)
    away, there = line.phones
    change_target(house, away.target_id, kind=TargetKind.PHONE, username="absent", password="Kj7hGf5dS3aQ")
    house.phone(there, [invited(), ringing(), pick_up(), hung_up()])
    call = house.call_of(short_talk(house, line))
    assert (call.outcome, call.target_id) == (Outcome.ANSWERED, there.target_id)
    (leg,) = legs_of(house, call)
    assert (leg.detail["target_id"], leg.detail["status"]) == (away.target_id, "CHANUNAVAIL")


def test_a_call_for_a_phone_that_is_not_registered_has_failed(house: House) -> None:
    line = house.line(kind=TargetKind.PHONE, username="nobody", password="Kj7hGf5dS3aQ")
    caller = house.caller(line, [invite(), refused(480)])
    assert caller.party.wait() == 0, caller.party.errors
    call = house.call_of(caller)
    assert (call.outcome, call.rang_at) == (Outcome.FAILED, None)


# ---- an outside number ----


def outside_line(house: House, policy: CallerIdPolicy) -> tuple[Line, Telephone]:
    """A line that rings a mobile number over a carrier, and that carrier's end."""
    trunk = house.trunk(caller_id=policy)
    line = house.line(kind=TargetKind.OUTSIDE, e164="+79161234567", trunk_id=trunk.id)
    return line, house.telephone(trunk.host, port=trunk.port)


def test_an_outside_number_is_dialled_over_its_trunk(house: House) -> None:
    line, carrier = outside_line(house, CallerIdPolicy.OWN)
    caller = short_talk(house, line)
    talk = carrier.take_call()
    talk.over()
    assert talk.invite
    assert talk.invite.first_line.startswith("INVITE sip:+79161234567@")
    call = house.call_of(caller)
    assert (call.outcome, call.hung_up_by) == (Outcome.ANSWERED, HungUpBy.CALLER)
    assert call.target_id == line.phones[0].target_id


def test_the_company_hanging_up_at_an_outside_number_is_not_taken_for_the_caller(house: House) -> None:
    line, carrier = outside_line(house, CallerIdPolicy.OWN)
    caller = house.caller(line, [invite(), answered(), hung_up()])
    talk = carrier.take_call()
    until(lambda: "ACK" in str(caller.party.messages()), why="the two are connected")
    assert talk.hang_up().status == 200
    assert house.call_of(caller).hung_up_by is HungUpBy.COMPANY


# ---- what the target is shown ----


def shown_to(
    house: House, line: Line, telephone: Telephone, *headers: str, who: str | None = None
) -> Message:
    """The INVITE that the target gets when somebody calls."""
    caller = short_talk(house, line, *headers, who=who)
    talk = telephone.take_call()
    talk.over()
    assert caller.party.wait() == 0, caller.party.errors
    assert talk.invite
    return talk.invite


def from_and_asserted(message: Message) -> tuple[str, list[str]]:
    """The number in From, and those in P-Asserted-Identity."""
    numbers = [
        re.findall(r"sips?:([^@>]*)@", address)[0]
        for address in (message.header("From"), *message.headers("P-Asserted-Identity"))
    ]
    return numbers[0], numbers[1:]


def main_line(house: House, policy: CallerIdPolicy) -> tuple[Line, Telephone]:
    line = house.line(caller_id=policy)
    return line, house.telephone(OFFICE, port=line.phones[0].port)


def test_a_phone_system_is_shown_the_callers_number(house: House) -> None:
    line, office = main_line(house, CallerIdPolicy.CALLER)
    message = shown_to(house, line, office, who='"Ann" <sip:+4915155501@carrier.example>')
    assert from_and_asserted(message) == ("+4915155501", ["+4915155501"])


def test_a_phone_system_may_be_shown_our_number_and_told_the_caller_beside(house: House) -> None:
    line, office = main_line(house, CallerIdPolicy.OWN)
    message = shown_to(house, line, office, who='"Ann" <sip:+4915155502@carrier.example>')
    assert from_and_asserted(message) == (line.e164, ["+4915155502"])


def test_a_carrier_that_accepts_only_our_numbers_is_told_the_caller_beside(house: House) -> None:
    line, carrier = outside_line(house, CallerIdPolicy.OWN)
    message = shown_to(house, line, carrier, who='"Ann" <sip:+4915155503@carrier.example>')
    assert from_and_asserted(message) == (line.e164, ["+4915155503"])


def test_a_carrier_that_accepts_any_number_is_shown_the_callers(house: House) -> None:
    line, carrier = outside_line(house, CallerIdPolicy.CALLER)
    message = shown_to(house, line, carrier, who='"Ann" <sip:+4915155504@carrier.example>')
    assert from_and_asserted(message)[0] == "+4915155504"


@pytest.mark.parametrize("policy", CallerIdPolicy)
@pytest.mark.parametrize("place", [main_line, outside_line])
def test_a_withheld_caller_stays_withheld(house: House, place: Place, policy: CallerIdPolicy) -> None:
    line, telephone = place(house, policy)
    asserted = '"Ann Secret" <sip:+4915155505@carrier.example>'
    hidden = (f"P-Asserted-Identity: {asserted}", "Privacy: id")
    message = shown_to(house, line, telephone, *hidden, who=WITHHELD)
    assert "15155505" not in message.text
    assert "Secret" not in message.text
    call = call_on(house, line)
    assert (call.caller, call.caller_name, call.presentation) == (None, None, Presentation.WITHHELD)
    with house.database.read() as session:
        facts = session.scalars(sa.select(CallEvent.detail).where(CallEvent.call_id == call.id)).all()
    assert "15155505" not in str(facts)


def test_a_target_is_told_our_id_of_the_call(house: House) -> None:
    line, office = main_line(house, CallerIdPolicy.CALLER)
    message = shown_to(house, line, office)
    assert message.header("X-Leaseline-Call") == call_on(house, line).key


def test_a_caller_is_not_told_which_extension_took_the_call(house: House) -> None:
    trunk = house.trunk(caller_id=CallerIdPolicy.CALLER)
    line, office = main_line(house, CallerIdPolicy.CALLER)
    ann = house.telephone(trunk.host)
    talk = ann.dial(line.e164, who="<sip:+4915155508@carrier.example>")
    office.take_call()
    talk.answered()
    assert not [each for message in ann.everything for each in message.headers("P-Asserted-Identity")]
    assert talk.hang_up().status == 200


# ---- one after the other ----


def test_the_next_target_rings_when_the_first_is_busy(house: House) -> None:
    line = house.line(phones=2)
    first, second = line.phones
    busy = house.phone(first, [invited(), ringing(), wait(0.4), turn_down(486, "Busy Here")])
    house.phone(second, [invited(), ringing(), wait(0.4), pick_up(), hung_up()])
    caller = short_talk(house, line)
    call = house.call_of(caller)
    assert (call.outcome, call.target_id) == (Outcome.ANSWERED, second.target_id)
    (leg,) = legs_of(house, call)
    assert (leg.position, leg.detail["target_id"], leg.detail["status"]) == (1, first.target_id, "BUSY")
    wire = caller.party
    waited = wire.instant("200 OK", sent=False) - wire.instant("^INVITE", sent=True)
    assert call.wait_seconds == pytest.approx(waited, abs=CLOSE)
    assert call.rang_at
    assert call.rang_at.timestamp() == pytest.approx(busy.instant("180 Ringing"), abs=CLOSE)


def test_the_next_target_rings_when_the_first_is_not_picked_up(house: House) -> None:
    line = house.line(phones=2, ring_seconds=1)
    first, second = line.phones
    house.phone(first, [invited(), ringing(), not_picked_up()])
    house.phone(second, [invited(), ringing(), wait(0.3), pick_up(), hung_up()])
    caller = short_talk(house, line)
    call = house.call_of(caller)
    assert (call.outcome, call.target_id) == (Outcome.ANSWERED, second.target_id)
    (leg,) = legs_of(house, call)
    assert (leg.detail["target_id"], leg.detail["status"]) == (first.target_id, "NOANSWER")
    wire = caller.party
    waited = wire.instant("200 OK", sent=False) - wire.instant("^INVITE", sent=True)
    assert call.wait_seconds == pytest.approx(waited, abs=CLOSE)
    assert waited == pytest.approx(1.3, abs=0.3)


# ---- what the caller hears ----


def test_the_caller_hears_an_announcement_before_the_busy(house: House, tmp_path: Path) -> None:
    words = speech("The person you are calling is on another line. Please try again later.")
    line = house.line()
    sound = write_ulaw(tmp_path / "announcement.ul", words)
    house.phone(
        line.phones[0],
        [invited(), early_media(), say(sound), wait(len(words) / 8000 + 0.2), turn_down(486, "Busy Here")],
    )
    ann = house.telephone(CARRIER)
    talk = ann.dial(line.e164, who="<sip:+4915155506@carrier.example>")
    talk.heard(183)
    assert talk.refused(20) == 486
    assert correlation(talk.media.heard(), words) > 0.8
    assert call_on(house, line).answered_at is None


def test_the_caller_is_told_that_it_rings_and_hears_nothing_of_ours(house: House) -> None:
    line = house.line()
    house.phone(line.phones[0], [invited(), ringing(), wait(0.4), turn_down(486, "Busy Here")])
    talk = house.telephone(CARRIER).dial(line.e164, who="<sip:+4915155507@carrier.example>")
    assert talk.heard(180).body == ""
    assert talk.refused() == 486
    assert len(talk.media.heard()) == 0
