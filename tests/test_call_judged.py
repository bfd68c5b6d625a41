"""What a call was worth, said from the phone: on real Asterisk, from the key to the books."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from support.audio import Samples, read_sides, tone, which_tone
from support.house import CARRIER, OFFICE, House, Line, until
from support.sip import Talk, Telephone

from tracker.live import live_calls
from tracker.models import AuditEntry, Call, CallCategory, Category, RecordingState, TargetKind
from tracker.policy.facts import HungUpBy, Outcome

CLOSE = 0.15  # seconds our times may differ from those on the wire
CONFIRMED, ASKED = 1000, 800  # the tones an employee hears, Hz
PASSWORD = "Kj7hGf5dS3aQ"


@dataclass(frozen=True)
class Going:
    """A call that was just taken, with both its ends."""

    line: Line
    caller: Talk
    company: Talk
    answered_at: float


def judging_line(house: House, **more: Any) -> Line:
    """A line of a company whose people judge by phone."""
    return house.line(company_id=house.company("judges", judge_by_phone=True), **more)


def ring_up(house: House, line: Line, telephone: Telephone | None = None) -> Going:
    """Somebody calls the line; its first phone, or `telephone`, takes the call."""
    office = telephone or house.telephone(OFFICE, port=line.phones[0].port)
    caller = house.telephone(CARRIER).dial(line.e164, who="<sip:+4915155803@carrier.example>")
    company = office.take_call()
    going = Going(line, caller.answered(), company, time.time())
    until(lambda: len(caller.media.heard()), why="the two are connected")
    return going


def call_on(house: House, line: Line) -> Call:
    """The one call on this line, once it has ended."""
    ended = [Call.number_id == line.number_id, Call.ended_at.is_not(None)]
    (call,) = until(lambda: house.calls(*ended), why="the call has ended")
    return call


def said(house: House, line: Line) -> list[tuple[str, Category | None]]:
    """What was said of the line's one call, by whom, in the order of time."""
    wanted = sa.select(CallCategory.actor, CallCategory.category).join(Call, Call.id == CallCategory.call_id)
    with house.database.read() as session:
        rows = session.execute(wanted.where(Call.number_id == line.number_id).order_by(CallCategory.at))
        return [(row.actor, row.category) for row in rows]


def await_said(house: House, line: Line, *categories: Category | None) -> list[str]:
    """Waits until exactly this was said; gives by whom."""
    until(lambda: [category for _, category in said(house, line)] == list(categories), why="it was said")
    return [actor for actor, _ in said(house, line)]


def await_more(house: House, line: Line) -> None:
    """Waits until one more word is said."""
    before = len(said(house, line))
    until(lambda: len(said(house, line)) > before, why="it is in the books")


def phone_of(house: House, line: Line, place: int = 0) -> str:
    """The actor of what is said at the line's phone."""
    from tracker.models import Target

    with house.database.read() as session:
        return f"phone:{session.get_one(Target, line.phones[place].target_id).name}"


def heard_tone(samples: Samples, hz: int) -> float:
    """How many seconds of a tone there are in it."""
    frames = samples[: len(samples) // 400 * 400].reshape(-1, 400)
    strength = np.abs(np.fft.rfft(frames * np.hanning(400), axis=1)) / 100
    return float(np.sum(strength[:, hz * 400 // 8000] > 0.1)) * 0.05


def legs_up(house: House, line: Line) -> int:
    """How many channels to the line's phones Asterisk has."""
    listed = house.console("core show channels concise").splitlines()
    return sum(row.startswith(f"PJSIP/target-{line.phones[0].target_id}-") for row in listed)


# ---- during the call ----


@pytest.mark.parametrize("record", [True, False])
def test_whoever_took_the_call_says_by_codes_what_it_was_worth(house: House, record: bool) -> None:
    line = judging_line(house, record=record)  # unrecorded, Asterisk might let the streams pass it by
    going = ring_up(house, line)
    for code in ("*1", "*2", "*0", "*3"):
        going.company.media.press(code)
        await_more(house, line)
    actors = await_said(house, line, Category.TARGET, Category.SERVICE, None, Category.NON_TARGET)
    assert set(actors) == {phone_of(house, line)}
    assert going.caller.hang_up().status == 200
    going.company.over()  # said already: nobody is asked
    call = call_on(house, line)
    assert call.category is Category.NON_TARGET
    assert heard_tone(going.company.media.heard(), ASKED) == 0
    with house.database.read() as session:
        entries = session.scalars(sa.select(AuditEntry).where(AuditEntry.subject == call.key)).all()
    assert [(it.action, it.actor) for it in entries] == [("call.category", actors[0])] * 4


def test_neither_caller_nor_recording_hears_the_code_or_its_tone(house: House) -> None:
    line = judging_line(house)
    going = ring_up(house, line)
    going.caller.media.say(tone(440, 3.0))
    going.company.media.say(tone(640, 1.2))
    going.company.media.press("*1")
    going.company.media.say(tone(640, 1.2))
    await_said(house, line, Category.TARGET)
    going.company.media.said()
    going.caller.media.said()
    ended_at = time.time()
    assert going.caller.hang_up().status == 200
    going.company.over()
    assert heard_tone(going.company.media.heard(), CONFIRMED) > 0
    assert heard_tone(going.caller.media.heard(), CONFIRMED) == 0
    assert going.caller.media.keys == ""
    left, right = recorded(house, line)
    assert (which_tone(left), which_tone(right)) == (440, 640)
    assert heard_tone(left, CONFIRMED) == heard_tone(right, CONFIRMED) == 0
    assert len(left) / 8000 == pytest.approx(ended_at - going.answered_at, abs=0.5)
    assert heard_tone(left, 440) > 2.7  # nothing of the caller is lost
    assert heard_tone(right, 640) > 1.9  # of the company as much as the tone takes


def recorded(house: House, line: Line) -> tuple[Samples, Samples]:
    call = call_on(house, line)
    settled = [Call.id == call.id, Call.recording.has(state=RecordingState.READY)]
    (call,) = until(lambda: house.calls(*settled), 30, why="the recording is finished")
    assert call.recording
    return read_sides(house.settings.recordings_folder / str(call.recording.path))


def test_what_a_caller_dials_is_passed_on_and_says_nothing(house: House) -> None:
    line = judging_line(house)
    going = ring_up(house, line)
    going.caller.media.press("*1*3")
    until(lambda: going.company.media.keys == "*1*3", why="the phone system hears the caller's keys")
    assert going.caller.hang_up().status == 200
    going.company.hang_up()
    call = call_on(house, line)
    assert (call.category, said(house, line)) == (None, [])


def test_codes_that_mean_nothing_reach_the_caller(house: House) -> None:
    line = judging_line(house)
    going = ring_up(house, line)
    going.company.media.press("57*9*")  # the last might become a code, and is held back for two seconds
    until(lambda: going.caller.media.keys == "57*9*", why="the caller hears other keys")
    assert going.caller.hang_up().status == 200
    going.company.hang_up()
    assert (call_on(house, line).category, said(house, line)) == (None, [])


def test_the_target_that_answered_is_the_one_that_speaks(house: House) -> None:
    line = judging_line(house, phones=2)
    busy = house.telephone(OFFICE, port=line.phones[0].port)
    second = house.telephone(OFFICE, port=line.phones[1].port)
    caller = house.telephone(CARRIER).dial(line.e164, who="<sip:+4915155804@carrier.example>")
    busy.invited().reply("486 Busy Here")
    taken = second.take_call()
    caller.answered()
    taken.media.press("*2")
    assert await_said(house, line, Category.SERVICE) == [phone_of(house, line, 1)]
    taken.hang_up()
    caller.over()
    assert call_on(house, line).hung_up_by is HungUpBy.COMPANY


@pytest.fixture
def other_codes(house: House) -> Iterator[House]:
    """Codes of a company's own, as long as a test lasts."""
    house.apply(judge_codes=("#71", "#72", "#73", "#70"))
    yield house
    house.apply()


def test_the_codes_are_a_setting(other_codes: House) -> None:
    house = other_codes
    line = judging_line(house)
    house.apply(judge_codes=("#71", "#72", "#73", "#70"))
    going = ring_up(house, line)
    going.company.media.press("#73")
    await_said(house, line, Category.NON_TARGET)
    assert going.caller.hang_up().status == 200
    going.company.over()


# ---- after the caller has hung up ----


@pytest.mark.parametrize(
    ("keys", "category"),
    [("1", Category.TARGET), ("2", Category.SERVICE), ("3", Category.NON_TARGET), ("9*01", Category.TARGET)],
)
def test_a_key_after_the_callers_hang_up_says_what_it_was_worth(
    house: House, keys: str, category: Category
) -> None:
    line = judging_line(house)
    going = ring_up(house, line)
    ended_at = time.time()
    assert going.caller.hang_up().status == 200
    call = call_on(house, line)
    check_books(line, call, going.answered_at, ended_at)
    until(lambda: heard_tone(going.company.media.heard(), ASKED), why="two tones ask")
    assert legs_up(house, line) == 1
    with house.database.read() as session:
        assert call.key not in {
            it.call for it in live_calls(session, [call.company_id], datetime.now(UTC))
        }  # the books know better than a listener that lags
    going.company.media.press(keys)
    going.company.over()
    assert await_said(house, line, category) == [phone_of(house, line)]
    later = call_on(house, line)
    assert later.category is category
    check_books(line, later, going.answered_at, ended_at)
    check_witness(house, call, going.answered_at, ended_at)


def check_books(line: Line, call: Call, answered_at: float, ended_at: float) -> None:
    """The call is over when its caller hangs up."""
    assert (call.outcome, call.hung_up_by, call.hangup_cause) == (Outcome.ANSWERED, HungUpBy.CALLER, 16)
    assert (call.dial_status, call.target_id) == ("ANSWER", line.phones[0].target_id)
    assert call.ended_at
    assert call.ended_at.timestamp() == pytest.approx(ended_at, abs=CLOSE)
    assert call.talk_seconds == pytest.approx(ended_at - answered_at, abs=2 * CLOSE)


def check_witness(house: House, call: Call, answered_at: float, ended_at: float) -> None:
    """Asterisk's own record has one row of it, as long as it was."""
    # Other tests' callers have names that are no UTF-8.
    with (house.place.logs / "cdr-custom" / "cdr.csv").open(errors="replace") as file:
        rows = [row for row in csv.reader(file) if row and row[0] == call.key]
    assert len(rows) == 1
    assert rows[0][7] == "ANSWERED"
    assert int(rows[0][9]) == pytest.approx(ended_at - answered_at, abs=1)


def test_who_hangs_up_instead_leaves_it_unjudged(house: House) -> None:
    line = judging_line(house)
    going = ring_up(house, line)
    assert going.caller.hang_up().status == 200
    until(lambda: heard_tone(going.company.media.heard(), ASKED), why="two tones ask")
    assert going.company.hang_up().status == 200
    until(lambda: not legs_up(house, line), why="the leg is gone")
    assert (call_on(house, line).category, said(house, line)) == (None, [])


def test_nobody_is_asked_where_the_company_hangs_up_first(house: House) -> None:
    line = judging_line(house)
    going = ring_up(house, line)
    assert going.company.hang_up().status == 200
    going.caller.over()
    assert call_on(house, line).hung_up_by is HungUpBy.COMPANY
    assert not legs_up(house, line)


@pytest.fixture
def hasty(house: House) -> Iterator[House]:
    """One second to answer, as long as a test lasts."""
    yield house
    house.apply()


def test_a_phone_that_says_nothing_is_let_go(hasty: House) -> None:
    house = hasty
    line = judging_line(house)
    house.apply(judge_ask_seconds=1)
    going = ring_up(house, line)
    assert going.caller.hang_up().status == 200
    until(lambda: heard_tone(going.company.media.heard(), ASKED), why="two tones ask")
    going.company.over()
    assert (call_on(house, line).category, said(house, line)) == (None, [])


def test_nobody_is_asked_where_the_setting_says_so(hasty: House) -> None:
    house = hasty
    line = judging_line(house)
    house.apply(judge_ask_seconds=0)
    going = ring_up(house, line)
    going.company.media.press("*1")
    await_said(house, line, Category.TARGET)
    going.company.media.press("*0")
    await_said(house, line, Category.TARGET, None)
    assert going.caller.hang_up().status == 200
    going.company.over()
    assert heard_tone(going.company.media.heard(), ASKED) == 0


# ---- handed on ----


def test_a_colleague_to_whom_the_call_was_put_through_judges_it(house: House) -> None:
    line = judging_line(house)
    office = house.telephone(OFFICE, port=line.phones[0].port)
    going = ring_up(house, line, office)
    going.company.media.press("*3")
    await_said(house, line, Category.NON_TARGET)
    assert going.company.transfer("2000").status == 202
    second = office.take_call()
    going.company.hang_up()
    second.media.press("*1")
    await_said(house, line, Category.NON_TARGET, Category.TARGET)
    second.media.press("*0")
    await_said(house, line, Category.NON_TARGET, Category.TARGET, None)
    assert going.caller.hang_up().status == 200
    until(lambda: heard_tone(second.media.heard(), ASKED), why="the colleague is asked")
    second.media.press("2")
    second.over()
    await_said(house, line, Category.NON_TARGET, Category.TARGET, None, Category.SERVICE)
    assert call_on(house, line).talk_seconds is not None


def test_who_puts_a_call_through_unjudged_is_not_asked(house: House) -> None:
    line = judging_line(house)
    office = house.telephone(OFFICE, port=line.phones[0].port)
    going = ring_up(house, line, office)
    assert going.company.transfer("2000").status == 202
    second = office.take_call()
    until(lambda: len(second.media.heard()), why="the colleague and the caller are connected")
    until(lambda: legs_up(house, line) == 1, 5, why="the first leg is done with, and left to the phone")
    assert heard_tone(going.company.media.heard(), ASKED) == 0
    going.company.hang_up()
    assert going.caller.hang_up().status == 200
    second.hang_up()
    assert (call_on(house, line).category, said(house, line)) == (None, [])


def test_a_colleague_to_whom_a_phone_announced_the_call_judges_it(house: House) -> None:
    line = judging_line(house, kind=TargetKind.PHONE, username="judith", password=PASSWORD)
    other = judging_line(house, kind=TargetKind.PHONE, username="justus", password=PASSWORD)
    judith = house.telephone(user="judith", password=PASSWORD)
    justus = house.telephone(user="justus", password=PASSWORD)
    assert {judith.register().status, justus.register().status} == {200}
    going = ring_up(house, line, judith)
    asking = judith.dial("justus")
    asked = justus.take_call()
    asking.answered()
    asked.media.press("*3")  # the two phones talk to each other: there is nothing to judge
    asked.media.press("7")
    until(lambda: asking.media.keys == "7", why="the code is done with, the key after it passed on")
    assert going.company.transfer(asking).status == 202
    asking.over()
    until(lambda: not legs_up(house, line), 5, why="who announced the call is out of it, and not asked")
    going.company.hang_up()
    until(lambda: len(asked.media.heard()), why="connected")
    asked.media.press("*1")
    assert await_said(house, line, Category.TARGET) == [phone_of(house, other)]
    assert going.caller.hang_up().status == 200
    asked.over()
    assert call_on(house, line).category is Category.TARGET


# ---- companies that do not want it ----


def test_a_company_without_it_is_left_as_it_was(house: House) -> None:
    line = house.line()
    going = ring_up(house, line)
    going.company.media.press("*1")
    until(lambda: going.caller.media.keys == "*1", why="the code reaches the caller like any other key")
    assert going.caller.hang_up().status == 200
    going.company.over()
    assert heard_tone(going.company.media.heard(), CONFIRMED) == 0
    assert heard_tone(going.company.media.heard(), ASKED) == 0
    assert (call_on(house, line).category, said(house, line)) == (None, [])
