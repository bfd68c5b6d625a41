"""Every row of the measured Dial table (Asterisk 22.10.1), alone and together with other targets."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from support.facts import leg_ended

from tracker.policy.facts import HungUpBy, LegEnded, Outcome
from tracker.policy.outcome import LastWord, outcome_of

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CALLER, COMPANY = HungUpBy.CALLER, HungUpBy.COMPANY


def leg(status: str, cause: int, rang: bool, position: int = 1) -> LegEnded:
    return leg_ended(1, NOON, status=status, cause=cause, rang_at=NOON if rang else None, position=position)


ROWS = {
    "answers, caller hangs up": (True, [], LastWord("ANSWER", 16, True, CALLER), Outcome.ANSWERED),
    "answers, main line hangs up": (True, [], LastWord("ANSWER", 16, True, COMPANY), Outcome.ANSWERED),
    "486": (False, [leg("BUSY", 17, False)], LastWord("BUSY", 17, False, None), Outcome.BUSY),
    "503": (False, [leg("CONGESTION", 34, False)], LastWord("CONGESTION", 34, False, None), Outcome.FAILED),
    "404": (False, [leg("CHANUNAVAIL", 1, False)], LastWord("CHANUNAVAIL", 19, False, None), Outcome.FAILED),
    "603 decline": (
        False,
        [leg("CHANUNAVAIL", 21, True)],
        LastWord("CHANUNAVAIL", 21, True, None),
        Outcome.REFUSED,
    ),
    "480": (False, [leg("NOANSWER", 19, False)], LastWord("NOANSWER", 19, False, None), Outcome.MISSED),
    "rings, Dial times out": (
        False,
        [leg("NOANSWER", 16, True)],
        LastWord("NOANSWER", 19, True, None),
        Outcome.MISSED,
    ),
    "host dead": (False, [leg("NOANSWER", 16, False)], LastWord("NOANSWER", 19, False, None), Outcome.FAILED),
    "caller cancels while ringing": (False, [], LastWord("CANCEL", 127, True, None), Outcome.GAVE_UP),
    "183 early media then 486": (
        False,
        [leg("BUSY", 17, True)],
        LastWord("BUSY", 17, True, None),
        Outcome.BUSY,
    ),
    "caller hangs up before any target": (False, [], LastWord("", 127, False, CALLER), Outcome.GAVE_UP),
    "nobody to ring": (False, [], LastWord("", 19, False, None), Outcome.FAILED),
    "the leg's own line was lost": (False, [], LastWord("BUSY", 17, False, None), Outcome.BUSY),
    "the answer's own line was lost": (False, [], LastWord("ANSWER", 16, True, CALLER), Outcome.ANSWERED),
    "answered, then a crash": (True, [], None, Outcome.ANSWERED),
    "rang out, then a crash": (False, [leg("NOANSWER", 16, True)], None, Outcome.MISSED),
    "a crash before anything": (False, [], None, Outcome.FAILED),
}


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_its_outcome(row: str) -> None:
    answered, legs, end, expected = ROWS[row]
    assert outcome_of(answered, legs, end) is expected


RANG, BUSY, DECLINED, OFF, DEAD = (
    ("NOANSWER", 16, True),
    ("BUSY", 17, False),
    ("CHANUNAVAIL", 21, True),
    ("NOANSWER", 19, False),
    ("NOANSWER", 16, False),
)


@pytest.mark.parametrize(
    ("legs", "expected"),
    [
        ([RANG, BUSY, DECLINED, OFF, DEAD], Outcome.MISSED),
        ([DEAD, OFF, DECLINED, BUSY], Outcome.BUSY),
        ([DEAD, OFF, DECLINED], Outcome.REFUSED),
        ([DEAD, OFF], Outcome.MISSED),
        ([DEAD, DEAD], Outcome.FAILED),
    ],
)
def test_of_several_targets_the_strongest_word_counts(
    legs: list[tuple[str, int, bool]], expected: Outcome
) -> None:
    tried = [leg(*each, position=position) for position, each in enumerate(legs, start=1)]
    end = LastWord("NOANSWER", 19, False, None)
    assert outcome_of(False, tried, end) is expected
    assert outcome_of(False, tried[::-1], end) is expected


def test_a_caller_who_leaves_while_the_second_target_rings_gave_up() -> None:
    assert outcome_of(False, [leg(*RANG)], LastWord("CANCEL", 127, True, None)) is Outcome.GAVE_UP


def test_an_answer_outweighs_every_other_word() -> None:
    assert outcome_of(True, [leg(*BUSY)], LastWord("CANCEL", 127, True, CALLER)) is Outcome.ANSWERED
