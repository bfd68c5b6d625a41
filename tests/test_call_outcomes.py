"""Real calls on real Asterisk: every way a call can end, with the right outcome and the right times."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from support.house import Caller, House

from demo.scenario import (
    answered,
    early_media,
    give_up,
    hang_up,
    heard_ringing,
    hung_up,
    invite,
    invited,
    not_picked_up,
    phone_hangs_up,
    pick_up,
    refused,
    ringing,
    turn_down,
    wait,
)
from demo.sipp import Party
from tracker.models import RecordingState
from tracker.policy.facts import HungUpBy, Outcome

CLOSE = 0.1  # seconds our times may differ from SIPp's own


@dataclass(frozen=True)
class Row:
    """A row of the table of ways a Dial can end: what the phone and the caller do, what is booked."""

    phone: list[str]
    caller: list[str]
    outcome: Outcome
    hung_up_by: HungUpBy | None
    rang: bool = True


ROWS = {
    "answered, the caller hangs up": Row(
        [invited(), ringing(), wait(0.6), pick_up(), hung_up()],
        [invite(), answered(), wait(1.5), hang_up()],
        Outcome.ANSWERED, HungUpBy.CALLER,
    ),
    "answered, the company hangs up": Row(
        [invited(), ringing(), wait(0.6), pick_up(), wait(1.4), phone_hangs_up()],
        [invite(), answered(), hung_up()],
        Outcome.ANSWERED, HungUpBy.COMPANY,
    ),
    "486 busy": Row(
        [invited(), ringing(), wait(0.5), turn_down(486, "Busy Here")],
        [invite(), refused(486)],
        Outcome.BUSY, HungUpBy.SYSTEM,
    ),
    "503 out of service": Row(
        [invited(), wait(0.3), turn_down(503, "Service Unavailable")],
        [invite(), refused(503)],
        Outcome.FAILED, HungUpBy.SYSTEM, rang=False,
    ),
    "404 no such extension": Row(
        [invited(), wait(0.3), turn_down(404, "Not Found")],
        [invite(), refused(480)],
        Outcome.FAILED, HungUpBy.SYSTEM, rang=False,
    ),
    "603 declined": Row(
        [invited(), ringing(), wait(0.5), turn_down(603, "Decline")],
        [invite(), refused(403)],
        Outcome.REFUSED, HungUpBy.SYSTEM,
    ),
    "480 not available": Row(
        [invited(), wait(0.3), turn_down(480, "Temporarily Unavailable")],
        [invite(), refused(480)],
        Outcome.MISSED, HungUpBy.SYSTEM, rang=False,
    ),
    "nobody picks up": Row(
        [invited(), ringing(), not_picked_up()],
        [invite(), refused(480)],
        Outcome.MISSED, HungUpBy.SYSTEM,
    ),
    "the caller gives up": Row(
        [invited(), ringing(), not_picked_up()],
        [invite(), heard_ringing(), wait(1), give_up()],
        Outcome.GAVE_UP, HungUpBy.CALLER,
    ),
    "an announcement of the network, then busy": Row(
        [invited(), early_media(), wait(0.6), turn_down(486, "Busy Here")],
        [invite(), refused(486)],
        Outcome.BUSY, HungUpBy.SYSTEM, rang=False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_call_ends_with_the_right_outcome_and_times(house: House, row: Row) -> None:
    line = house.line(ring_seconds=2)
    phone = house.phone(line.phones[0], row.phone)
    caller = house.caller(line, row.caller)
    call = house.call_of(caller)
    assert caller.party.wait() == 0, caller.party.errors
    assert (call.outcome, call.hung_up_by) == (row.outcome, row.hung_up_by)
    assert call.seen_by_agi
    assert call.channel is not None
    assert call.started_at.timestamp() == near(caller.party, "^INVITE", sent=True)
    if row.rang:
        assert call.rang_at is not None
        assert call.rang_at.timestamp() == near(phone, "180 Ringing", sent=True)
    if row.outcome is Outcome.ANSWERED:
        check_talk(caller, phone, call)
    else:
        assert call.answered_at is None
        assert call.talk_seconds is None
        assert call.recording is not None
        assert call.recording.state is RecordingState.NONE


def near(party: Party, pattern: str, *, sent: bool | None = None) -> object:
    return pytest.approx(party.instant(pattern, sent=sent), abs=CLOSE)


def check_talk(caller: Caller, phone: Party, call: object) -> None:
    begin, end = caller.party.instant("200 OK", sent=False), caller.party.instant("^BYE")
    start = caller.party.instant("^INVITE", sent=True)
    assert call.answered_at.timestamp() == pytest.approx(begin, abs=CLOSE)  # type: ignore[attr-defined]
    assert call.ended_at.timestamp() == pytest.approx(end, abs=CLOSE)  # type: ignore[attr-defined]
    assert call.talk_seconds == pytest.approx(end - begin, abs=CLOSE)  # type: ignore[attr-defined]
    assert call.wait_seconds == pytest.approx(begin - start, abs=CLOSE)  # type: ignore[attr-defined]


def test_a_host_that_is_dead_is_a_failure_not_a_missed_call(house: House) -> None:
    line = house.line(ring_seconds=2)  # nobody listens on the phone's port
    caller = house.caller(line, [invite(), refused(480)])
    call = house.call_of(caller)
    assert call.outcome is Outcome.FAILED
    assert call.rang_at is None
