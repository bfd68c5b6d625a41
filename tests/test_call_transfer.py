"""The person who took the call hands it on: one call in the books, one recording, the right times."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest
from support.audio import RATE, Samples, correlation, read_sides, speech
from support.house import CARRIER, OFFICE, House, Line, until
from support.sip import Talk, Telephone

from tracker.models import Call, RecordingState, TargetKind
from tracker.policy.facts import HungUpBy, Outcome

CLOSE = 0.1  # seconds our times may differ from those on the wire
HEARD = 0.7  # correlation with what was said; other words stay below 0.4

CALLERS_WORDS = speech("I would like to order two hundred pallets, please. Delivered to Hamburg, by Friday.")
FIRST_WORDS = speech("That is for my colleague. I will put you through.", "en+f3")
SECOND_WORDS = speech("Good afternoon, the warehouse is speaking. How may I help?", "en+m4")


@dataclass(frozen=True)
class Going:
    """A call that was just taken: both ends of it, and when."""

    caller: Talk
    company: Talk
    answered_at: float


def ring_up(house: House, line: Line, company: Telephone) -> Going:
    """Somebody calls the line, and `company` takes the call."""
    caller = house.telephone(CARRIER).dial(line.e164, who="<sip:+4915155801@carrier.example>")
    taken = company.take_call()
    going = Going(caller.answered(), taken, time.time())
    until(lambda: len(caller.media.heard()), why="the two are connected")
    return going


def speak(talk: Talk, samples: Samples) -> None:
    """Say it to the end."""
    talk.media.say(samples)
    talk.media.said()


def take_with_lower_sequence(telephone: Telephone, before: Talk) -> Talk:
    """Take the next call; its sound is numbered (RTP) from below where the one before stands.

    Numbers begin anywhere, so this is every second call: the one that went silent in recordings once.
    """
    talk = telephone.invited()
    talk.media.first = ((before.media.first[0] - 10_000) % 65536, before.media.first[1])
    talk.pick_up()
    return talk


def ended(house: House, line: Line) -> Call:
    """The one call on this line, with its recording finished."""

    def settled() -> list[Call] | None:
        calls = house.calls(Call.number_id == line.number_id)
        done = calls and all(
            call.recording and call.recording.state is not RecordingState.PENDING for call in calls
        )
        return calls if done else None

    (call,) = until(settled, 20, why="the call has ended and its recording is finished")
    return call


def sides(house: House, call: Call) -> tuple[Samples, Samples]:
    assert call.recording
    assert call.recording.state is RecordingState.READY
    return read_sides(house.settings.recordings_folder / str(call.recording.path))


def office_line(house: House) -> tuple[Line, Telephone]:
    """A line that rings a phone system."""
    line = house.line()
    return line, house.telephone(OFFICE, port=line.phones[0].port)


def dialled(talk: Talk) -> str:
    """The extension that the phone system was asked for."""
    assert talk.invite
    return talk.invite.first_line.split()[1].removeprefix("sip:").split("@")[0]


def trunk_channels(house: House) -> list[str]:
    listed = house.console("core show channels concise").splitlines()
    return [line.split("!")[0] for line in listed if line.startswith("PJSIP/trunk-")]


# ---- blind ----


def test_a_call_put_through_to_an_extension_stays_one_call_with_one_recording(house: House) -> None:
    line, office = office_line(house)
    going = ring_up(house, line, office)
    going.caller.media.say(CALLERS_WORDS)
    speak(going.company, FIRST_WORDS)
    assert going.company.transfer("2000").status == 202
    second = take_with_lower_sequence(office, going.company)
    assert dialled(second) == "2000"
    speak(second, SECOND_WORDS)
    going.caller.media.said()
    ended_at = time.time()
    assert going.caller.hang_up().status == 200
    second.over()
    call = ended(house, line)
    assert correlation(going.caller.media.heard(), SECOND_WORDS) > HEARD
    assert correlation(second.media.heard(), CALLERS_WORDS[-RATE:]) > HEARD
    check_books(line, call, going.answered_at, ended_at)
    left, right = sides(house, call)
    assert correlation(left, CALLERS_WORDS[:RATE]) > HEARD
    assert correlation(left, CALLERS_WORDS[-RATE:]) > HEARD
    assert correlation(right, FIRST_WORDS) > HEARD
    assert correlation(right, SECOND_WORDS) > HEARD


def check_books(line: Line, call: Call, answered_at: float, ended_at: float) -> None:
    """Talk is from the first answer to the real end, and the call is the first person's."""
    assert (call.outcome, call.hung_up_by) == (Outcome.ANSWERED, HungUpBy.CALLER)
    assert call.target_id == line.phones[0].target_id
    assert call.answered_at
    assert call.ended_at
    assert call.answered_at.timestamp() == pytest.approx(answered_at, abs=CLOSE)
    assert call.ended_at.timestamp() == pytest.approx(ended_at, abs=CLOSE)
    assert call.talk_seconds == pytest.approx(ended_at - answered_at, abs=2 * CLOSE)


def test_a_call_put_through_to_an_extension_that_is_busy_was_answered_all_the_same(house: House) -> None:
    line, office = office_line(house)
    going = ring_up(house, line, office)
    assert going.company.transfer("2000").status == 202
    second = office.invited()
    second.reply("486 Busy Here")
    going.caller.over()
    call = ended(house, line)
    assert call.outcome is Outcome.ANSWERED
    assert call.target_id == line.phones[0].target_id


@pytest.mark.parametrize(
    "wanted", ["+79161234567", "0079161234567", "2000%26PJSIP%2F79161234567%40trunk-1", "leaseline-arrive"]
)
def test_a_transfer_goes_back_to_the_phone_system_and_never_out_over_a_trunk(
    house: House, wanted: str
) -> None:
    line, office = office_line(house)
    going = ring_up(house, line, office)
    assert going.company.transfer(wanted).status == 202
    second = office.take_call()
    assert "@" not in dialled(second)
    assert len(trunk_channels(house)) == 1  # the caller's own
    second.hang_up()
    going.caller.over()
    assert ended(house, line).outcome is Outcome.ANSWERED


def test_a_phone_system_cannot_call_out_through_us(house: House) -> None:
    _line, office = office_line(house)
    assert office.dial("+79161234567").refused() == 401
    assert office.dial("2000").refused() == 401


def test_a_registered_phone_cannot_call_out_through_us(house: House) -> None:
    house.line(kind=TargetKind.PHONE, username="rita", password="Kj7hGf5dS3aQ")
    rita = house.telephone(user="rita", password="Kj7hGf5dS3aQ")
    assert rita.register().status == 200
    assert rita.dial("+79161234567").refused() in {404, 484}
    assert not trunk_channels(house)


def test_a_caller_cannot_hand_the_call_on(house: House) -> None:
    line, office = office_line(house)
    going = ring_up(house, line, office)
    assert (going.caller.transfer("2000").status or 0) >= 400
    speak(going.caller, FIRST_WORDS)
    assert correlation(going.company.media.heard(), FIRST_WORDS) > HEARD
    assert going.caller.hang_up().status == 200
    assert ended(house, line).outcome is Outcome.ANSWERED


def test_an_outside_number_cannot_hand_the_call_on(house: House) -> None:
    trunk = house.trunk()
    line = house.line(kind=TargetKind.OUTSIDE, e164="+79161234567", trunk_id=trunk.id)
    going = ring_up(house, line, house.telephone(trunk.host, port=trunk.port))
    assert (going.company.transfer("+79167654321").status or 0) >= 400
    assert len(trunk_channels(house)) == 2  # the caller's and the one that was dialled
    assert going.caller.hang_up().status == 200
    assert ended(house, line).outcome is Outcome.ANSWERED


# ---- attended ----


def test_a_call_announced_to_a_colleague_first_stays_one_call_with_one_recording(house: House) -> None:
    line = house.line(kind=TargetKind.PHONE, username="alice", password="Kj7hGf5dS3aQ")
    house.line(kind=TargetKind.PHONE, username="boris", password="Lk8jHg6fD4sW")
    alice = house.telephone(user="alice", password="Kj7hGf5dS3aQ")
    boris = house.telephone(user="boris", password="Lk8jHg6fD4sW")
    assert {alice.register().status, boris.register().status} == {200}
    going = ring_up(house, line, alice)
    going.caller.media.say(CALLERS_WORDS)
    speak(going.company, FIRST_WORDS)
    asking = alice.dial("boris")
    asked = take_with_lower_sequence(boris, going.company)
    asking.answered()
    assert going.company.transfer(asking).status == 202
    asking.over()
    going.company.hang_up()  # as telephones do when they are told that it went well
    speak(asked, SECOND_WORDS)
    going.caller.media.said()
    ended_at = time.time()
    assert going.caller.hang_up().status == 200
    asked.over()
    call = ended(house, line)
    assert correlation(going.caller.media.heard(), SECOND_WORDS) > HEARD
    assert correlation(asked.media.heard(), CALLERS_WORDS[-RATE:]) > HEARD
    check_books(line, call, going.answered_at, ended_at)
    left, right = sides(house, call)
    assert correlation(left, CALLERS_WORDS[-RATE:]) > HEARD
    assert correlation(right, FIRST_WORDS) > HEARD
    assert correlation(right, SECOND_WORDS) > HEARD


def test_phones_that_call_each_other_are_not_in_the_books(house: House) -> None:
    house.line(kind=TargetKind.PHONE, username="gleb", password="Kj7hGf5dS3aQ")
    house.line(kind=TargetKind.PHONE, username="hanna", password="Lk8jHg6fD4sW")
    gleb = house.telephone(user="gleb", password="Kj7hGf5dS3aQ")
    hanna = house.telephone(user="hanna", password="Lk8jHg6fD4sW")
    assert {gleb.register().status, hanna.register().status} == {200}
    lines = spool_lines(house)
    talk = gleb.dial("hanna")
    taken = hanna.take_call()
    talk.answered()
    assert talk.hang_up().status == 200
    taken.over()
    assert spool_lines(house) == lines


def spool_lines(house: House) -> list[str]:
    files = sorted(house.place.calls.glob("*.jsonl"))
    return [line for file in files for line in file.read_text().splitlines()]
