"""Unwanted callers on real Asterisk: blocked, let through, challenged; several calls at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from support.agi_faults import broken
from support.house import CARRIER, OFFICE, House, Line, until
from support.sip import Talk

from tracker import blocks
from tracker.audit import By
from tracker.models import Call, CallEvent, Company
from tracker.policy.block_list import read_callers
from tracker.policy.facts import GuardGround, GuardStep, HungUpBy, Outcome, Spam, Treatment

BUSY, DECLINED = 486, 403


@pytest.fixture(scope="module")
def company(house: House) -> int:
    """A company with a block list of every kind, that challenges suspicious callers."""
    company_id = house.company("guarded", language="en")
    rules: list[tuple[str, dict[str, Any]]] = [
        ("+4915700000001", {"treatment": Treatment.REFUSED}),
        ("+4915711*", {}),
        ("+4915711777", {"allows": True}),
        ("withheld", {"treatment": Treatment.BUSY}),
        ("+4915722*", {"treatment": Treatment.ANNOUNCED}),
        ("+4915733*", {"treatment": Treatment.CHALLENGED}),
        ("+49157*", {"treatment": Treatment.BUSY, "expires_at": datetime.now(UTC) + timedelta(seconds=1)}),
    ]
    house.apply()  # nothing else waits
    with house.database.write() as session:
        owner, by = session.get_one(Company, company_id), By(datetime.now(UTC), "cli:test")
        for callers, wish in rules:
            blocks.add(session, by, owner, read_callers(callers, "DE"), blocks.Wish(**wish))
        conduct = blocks.Conduct(watches=True, per_minute=3)
        blocks.change_conduct(session, by, owner, conduct)
    kept = house.place.current / "blocked.conf"
    until(
        lambda: f"leaseline-sounds-{company_id}" in kept.read_text(), 30, why="the list goes live by itself"
    )
    return company_id


def dial(house: House, line: Line, number: str, *headers: str) -> Talk:
    who = f"<sip:{number}@carrier.example>"
    return house.telephone(CARRIER).dial(line.e164, *headers, who=who)


def on(house: House, line: Line, count: int) -> list[Call]:
    """The line's calls, once so many have ended."""

    def ended() -> list[Call] | None:
        found = house.calls(Call.number_id == line.number_id, Call.ended_at.is_not(None))
        return found if len(found) >= count else None

    return until(ended, why=f"{count} calls in the books")


def steps_of(house: House, call: Call) -> list[dict[str, Any]]:
    wanted = sa.select(CallEvent.detail).where(CallEvent.call_id == call.id, CallEvent.kind == "guarded")
    with house.database.read() as session:
        return list(session.scalars(wanted.order_by(CallEvent.at)))


def digit_of(house: House, line: Line, caller: str) -> str:
    """The digit that this caller is asked for, as his channel has it."""

    def told() -> str | None:
        for row in house.console("core show channels concise").splitlines():
            channel = row.split("!")[0]
            shown = house.console(f"core show channel {channel}")
            if f"LL_CALLER={caller}" in shown and "LL_DIGIT=" in shown:
                return shown.split("LL_DIGIT=")[1][:1]
        return None

    return until(told, why="the digit is chosen")


def test_blocked_callers_get_what_their_rule_says_and_nothing_rings(house: House, company: int) -> None:
    line = house.line(company_id=company)
    office = house.telephone(OFFICE, port=line.phones[0].port)
    number, prefix = dial(house, line, "+4915700000001"), dial(house, line, "+4915711123456")
    hidden = dial(house, line, "anonymous", "Privacy: id", "P-Asserted-Identity: <sip:+49157999@x>")
    told = dial(house, line, "+4915722123456")
    allowed = dial(house, line, "+4915711777")
    office.take_call()
    assert (number.refused(), prefix.refused(), hidden.refused()) == (DECLINED, BUSY, BUSY)
    told.heard(183)
    assert told.refused(15) == DECLINED
    assert float(np.abs(told.media.heard()).max()) > 0.05  # words
    assert allowed.answered().hang_up().status == 200
    calls = {call.caller: call for call in on(house, line, 5)}
    blocked = [calls["+4915700000001"], calls["+4915711123456"], calls[None], calls["+4915722123456"]]
    assert {(it.guard, it.spam, it.outcome) for it in blocked} == {
        (GuardStep.BLOCKED, Spam.BLOCKED, Outcome.REFUSED)
    }
    assert {it.hung_up_by for it in blocked} <= {HungUpBy.SYSTEM, HungUpBy.COMPANY, None}
    (said,) = steps_of(house, blocked[0])
    assert (said["ground"], said["treatment"]) == (GuardGround.RULE, Treatment.REFUSED)
    assert said["rule_id"]
    let = calls["+4915711777"]
    assert (let.guard, let.spam, let.outcome) == (None, None, Outcome.ANSWERED)
    assert len([call for call in calls.values() if call.target_id]) == 1


def test_whoever_presses_the_digit_comes_through_at_once_and_is_not_asked_again(
    house: House, company: int
) -> None:
    line, caller = house.line(company_id=company), "+4915733123456"
    office = house.telephone(OFFICE, port=line.phones[0].port)
    challenged = dial(house, line, caller)
    robot = dial(house, line, "+4915733999999")
    leaver = dial(house, line, "+4915733555555")
    for talk in (challenged, robot, leaver):
        talk.answered()
    until(lambda: len(challenged.media.heard()) > 8000, why="the words are heard")
    assert float(np.abs(challenged.media.heard()).max()) > 0.05
    assert leaver.hang_up().status == 200
    wrong = "2" if digit_of(house, line, "+4915733999999") != "2" else "3"
    robot.media.press(wrong)
    challenged.media.press(digit_of(house, line, caller))
    office.take_call()
    robot.media.said()
    heard = len(robot.media.heard())
    until(lambda: len(robot.media.heard()) > heard + 8000, why="he is asked once more")
    robot.media.press(wrong)
    robot.over()
    assert challenged.hang_up().status == 200
    passed = [Call.caller == caller, Call.guard == GuardStep.PASSED]
    until(lambda: house.count(*passed), why="it is written down that he passed")
    again = dial(house, line, caller)
    office.take_call()
    assert again.answered().hang_up().status == 200
    calls = on(house, line, 4)
    by_caller = {call.caller: call for call in reversed(calls)}
    first = by_caller[caller]
    assert (first.guard, first.spam, first.outcome) == (GuardStep.PASSED, None, Outcome.ANSWERED)
    assert [it["step"] for it in steps_of(house, first)] == ["challenged", "passed"]
    failed, left = by_caller["+4915733999999"], by_caller["+4915733555555"]
    assert (failed.guard, failed.spam, failed.outcome) == (GuardStep.FAILED, Spam.FAILED, Outcome.REFUSED)
    assert (left.guard, left.spam, left.outcome) == (GuardStep.CHALLENGED, Spam.LEFT, Outcome.GAVE_UP)
    second = max((call for call in calls if call.caller == caller), key=lambda call: call.id)
    assert (second.guard, second.outcome) == (None, Outcome.ANSWERED)


def test_a_caller_who_calls_again_and_again_is_challenged(house: House, company: int) -> None:
    line, caller = house.line(company_id=company), "+4915744123456"
    office = house.telephone(OFFICE, port=line.phones[0].port)
    for count in (1, 2):
        talk = dial(house, line, caller)
        office.invited().reply("486 Busy Here")
        assert talk.refused() == BUSY
        on(house, line, count)
    third = dial(house, line, caller).answered()
    assert third.hang_up().status == 200
    last = max(on(house, line, 3), key=lambda call: call.id)
    assert last.guard is GuardStep.CHALLENGED
    (said,) = steps_of(house, last)
    assert (said["ground"], said["rule_id"]) == (GuardGround.MINUTE, None)


def test_with_the_tracker_dead_the_block_list_holds_and_nobody_is_challenged(
    house: House, company: int
) -> None:
    line = house.line(company_id=company)
    office = house.telephone(OFFICE, port=line.phones[0].port)
    try:
        with broken("closes at once") as port:
            house.apply(agi_port=port)
            number, prefix = dial(house, line, "004915700000001"), dial(house, line, "4915711123456")
            hidden = dial(house, line, "anonymous", "Privacy: id", "P-Asserted-Identity: <sip:+49157999@x>")
            assert (number.refused(), prefix.refused(), hidden.refused()) == (DECLINED, BUSY, BUSY)
            allowed = dial(house, line, "+4915711777")
            office.take_call()
            assert allowed.answered().hang_up().status == 200
            for number_of in ("+4915733123456", "+4915755555555", "7" * 60):  # asked, no longer blocked, odd
                ringing = dial(house, line, number_of)
                office.take_call()
                assert ringing.answered().hang_up().status == 200
    finally:
        house.apply()
    calls = on(house, line, 7)
    assert sum(call.spam is Spam.BLOCKED for call in calls) == 3
    assert [call.outcome for call in calls].count(Outcome.ANSWERED) == 4
    assert {call.seen_by_agi for call in calls} == {False}
