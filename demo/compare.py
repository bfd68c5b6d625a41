"""What was played against what the books say: pure, so that every difference can be tried in a test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from demo.books import Entry
from demo.play import Played
from demo.story import REGION, Expected, LeavesMessage, Scene
from tracker.calls import Source
from tracker.models import RecordingState
from tracker.policy.facts import HungUpBy, Outcome
from tracker.policy.phone import display

SLACK_SECONDS = 0.3  # the books and SIPp's clock on the wire
_SAME_CALL_SECONDS = 1.0
_AUDIBLE = 0.01  # of full scale; a speaking voice has 0.05 to 0.2


def differences(played: Sequence[Played], entries: Sequence[Entry]) -> list[str]:
    """One sentence for everything that is not as it was played; an empty list when all is well."""
    left = list(entries)
    found: list[str] = []
    for each in played:
        entry = _entry_of(each, left)
        if entry is not None:
            left.remove(entry)
        found += _of_one(each, entry)
    return found + [f"A call from {entry.caller or 'a withheld number'} was not played" for entry in left]


def _entry_of(played: Played, entries: Sequence[Entry]) -> Entry | None:
    for entry in entries:
        same = (entry.caller, entry.number) == (_shown(played.scene, entry), played.scene.dials)
        if same and abs(entry.started_at.timestamp() - played.started_at) < _SAME_CALL_SECONDS:
            return entry
    return None


def _shown(scene: Scene, entry: Entry) -> str | None:
    """The caller as it should stand there: of one turned away, the digits as they came."""
    return scene.number[1:] if scene.number and entry.turned_away and not _plus(entry) else scene.number


def _plus(entry: Entry) -> bool:
    return (entry.caller or "").startswith("+")


def _of_one(played: Played, entry: Entry | None) -> Iterator[str]:
    scene = played.scene
    name = f"{scene.who}'s call to {display(scene.dials, REGION)}"
    if played.trouble:
        yield f"{name} did not go as written: {played.trouble}"
    if entry is None:
        yield f"{name} is not in the books"
        return
    for problem in (*_facts(scene.expected, entry), *_times(played, entry), *_sound(scene, entry)):
        yield f"{name}: {problem}"


def _facts(expected: Expected, entry: Entry) -> Iterator[str]:
    if expected.turned_away != entry.turned_away:
        yield "was not turned away" if expected.turned_away else "was turned away"
    if entry.outcome is not expected.outcome:
        yield f"the outcome is {_word(entry.outcome)}, it was {_word(expected.outcome)}"
    if entry.source != expected.source:
        yield f"the source is {_told(entry.source)}, it was {_told(expected.source)}"
    if entry.repeat != expected.repeat:
        yield "is not marked as a repeat caller's" if expected.repeat else "is marked as a repeat caller's"
    if entry.hung_up_by is not expected.hung_up_by:
        yield f"hung up by {_word(entry.hung_up_by)}, it was {_word(expected.hung_up_by)}"


def _times(played: Played, entry: Entry) -> Iterator[str]:
    if entry.turned_away or played.trouble:
        return
    pairs = (
        ("the wait", entry.wait_seconds, played.wait_seconds),
        ("the talk", entry.talk_seconds, played.talk_seconds),
    )
    for what, booked, heard in pairs:
        if (booked is None) != (heard is None) or abs((booked or 0) - (heard or 0)) > SLACK_SECONDS:
            yield f"{what} is {_seconds(booked)}, on the wire it was {_seconds(heard)}"


def _sound(scene: Scene, entry: Entry) -> Iterator[str]:
    message = isinstance(scene.course, LeavesMessage)
    if entry.message != message:
        yield "no message was left" if message else "a message was left"
    if not scene.talk and not message:
        if entry.recording not in {None, RecordingState.NONE}:
            yield f"there is a recording ({entry.recording}), though nobody talked"
        return
    if entry.recording is not RecordingState.READY:
        yield f"the recording is {_word(entry.recording)}, not ready"
        return
    if message:
        if entry.sides()[0] < _AUDIBLE:
            yield "the message cannot be heard"
        return
    length, talk = entry.recording_seconds or 0.0, entry.talk_seconds or 0.0
    if abs(length - talk) > 2 * SLACK_SECONDS:
        yield f"the recording has {_seconds(length)} of {_seconds(talk)} talk"
    for side, loud in zip(("caller", "company"), entry.sides(), strict=True):
        if loud < _AUDIBLE:
            yield f"the {side} cannot be heard in the recording"


def _word(value: Outcome | HungUpBy | RecordingState | None) -> str:
    return value.value.replace("_", " ") if value else "unknown"


def _told(source: Source | None) -> str:
    if source is None:
        return "unknown"
    parts = (source.channel, source.medium, source.source, source.campaign, source.keyword)
    return ", ".join(part for part in parts if part)


def _seconds(value: float | None) -> str:
    return "none" if value is None else f"{value:.1f} s"
