"""What becomes of a recording, as tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from recordings.decide import (
    Audio,
    EndedCall,
    Later,
    Lost,
    Nothing,
    Ready,
    decide,
    retry_copy_at,
    retry_failed_at,
    shortness,
)

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
AGO = NOW - timedelta(seconds=30)
ANSWERED = EndedCall(ended_at=AGO, answered=True, record=True, talk_seconds=42)
BLINK = EndedCall(ended_at=AGO, answered=True, record=True, talk_seconds=0.4)
LONG_AGO = EndedCall(NOW - timedelta(seconds=61), answered=True, record=True, talk_seconds=42)
MISSED = EndedCall(ended_at=AGO, answered=False, record=True, talk_seconds=0)
UNRECORDED = EndedCall(ended_at=AGO, answered=True, record=False, talk_seconds=42)

SOUND = Audio(empty=False, changed_at=AGO)
BRIEF = Audio(empty=False, changed_at=AGO, brief=True)
EMPTY = Audio(empty=True, changed_at=AGO)
GROWING = Audio(empty=False, changed_at=NOW - timedelta(seconds=0.9))
FUTURE = Audio(empty=False, changed_at=NOW + timedelta(hours=1))


@pytest.mark.parametrize(
    ("call", "audio", "decision"),
    [
        (ANSWERED, SOUND, Ready()),
        (ANSWERED, GROWING, Later()),
        (ANSWERED, FUTURE, Ready()),  # the clock stepped back; the file is as complete as any
        (ANSWERED, EMPTY, Lost("The recording is empty, though 42 s were talked")),
        (ANSWERED, None, Later(NOW + timedelta(seconds=5))),
        (LONG_AGO, None, Lost("Nothing was recorded, though 42 s were talked")),
        (BLINK, EMPTY, Nothing()),
        (MISSED, EMPTY, Nothing()),
        (MISSED, None, Nothing()),
        (MISSED, SOUND, Ready()),  # the books missed the answer; what was said counts
        (MISSED, BRIEF, Nothing()),  # he hung up at the tone
        (ANSWERED, BRIEF, Ready()),
        (UNRECORDED, None, Nothing()),
        (UNRECORDED, EMPTY, Nothing()),
    ],
)
def test_call_and_file_decide(
    call: EndedCall, audio: Audio | None, decision: Ready | Later | Nothing | Lost
) -> None:
    assert decide(call, audio, NOW) == decision


@pytest.mark.parametrize(
    ("seconds", "talk", "sentence"),
    [
        (60.0, 60.0, None),
        (55.1, 60.0, None),
        (54.9, 60.0, "Only 55 s of 60 s talk were recorded"),
        (0.1, 4.0, None),
        (70.0, 60.0, None),
        (1.0, None, None),
    ],
)
def test_a_recording_much_shorter_than_the_talk_is_noted(
    seconds: float, talk: float | None, sentence: str | None
) -> None:
    assert shortness(seconds, talk) == sentence


def test_a_file_that_fails_three_times_is_not_tried_again() -> None:
    assert [retry_failed_at(NOW, tries) for tries in (1, 2, 3)] == [
        NOW + timedelta(seconds=5),
        NOW + timedelta(seconds=10),
        None,
    ]


def test_a_missing_copy_is_tried_for_ever_but_at_most_daily() -> None:
    waits = [retry_copy_at(NOW, tries) - NOW for tries in (0, 1, 5, 8, 1000)]
    assert waits == [
        timedelta(minutes=10),
        timedelta(minutes=20),
        timedelta(minutes=320),
        timedelta(days=1),
        timedelta(days=1),
    ]
