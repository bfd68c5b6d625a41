"""What becomes of a call's recording: decided from the call and the spool file, without touching either."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.policy.taping import Withheld

QUIET_SECONDS = 1.0  # MixMonitor writes every second, and closes 30 ms after the call's end is written down
GRACE_SECONDS = 60.0  # for a file to appear
WORDLESS_SECONDS = 0.3  # of a message: the click of a receiver, the tone of a key
SHORT_SECONDS = 5.0  # of talk that may be missing before a person is told
FAILURES = 3  # then the file is kept aside
_NOTHING, _EMPTY = "Nothing was recorded", "The recording is empty"
_STORAGE_RETRY = timedelta(seconds=15)
_COPY_RETRY = timedelta(minutes=10)


@dataclass(frozen=True)
class EndedCall:
    """What the books say: `record` is whether the number is to be recorded, `withheld` why not this call.

    A message counts as answered by the tone and as to be recorded. `talk_seconds` are those that were to be
    recorded: pauses are not counted.
    """

    ended_at: datetime
    answered: bool  # by a person, or by the tone after which a message was left
    record: bool
    talk_seconds: float
    withheld: Withheld | None = None


@dataclass(frozen=True)
class Audio:
    """What the spool holds: `empty` means not one frame of sound, `brief` hardly more than a tone."""

    empty: bool
    changed_at: datetime
    brief: bool = False


@dataclass(frozen=True)
class Ready:
    """The file is complete: prepare it."""


@dataclass(frozen=True)
class Later:
    """Not yet; look again at `at`, or at once when it is None."""

    at: datetime | None = None


@dataclass(frozen=True)
class Nothing:
    """Nobody was recorded, and nobody should have been; or what was recorded may not be kept."""


@dataclass(frozen=True)
class Lost:
    """Something should be there and is not."""

    problem: str


def decide(call: EndedCall, audio: Audio | None, now: datetime) -> Ready | Later | Nothing | Lost:
    """What to do about the recording of a call that ended.

    Sound is a recording even if the books know of no answer; its absence is a loss only if people talked.
    What remains of a caller who hung up at the tone is no message.
    """
    expected = call.answered and call.record and call.withheld is None
    if audio is None:
        return _without_file(call, now) if expected else Nothing()
    # A clock that stepped back leaves files from the future: as quiet as those from the past.
    if abs((now - audio.changed_at).total_seconds()) < QUIET_SECONDS:
        return Later()
    if not audio.empty and call.withheld is None and (call.answered or not audio.brief):
        return Ready()
    if expected and call.talk_seconds >= 2 * QUIET_SECONDS:
        return Lost(f"{_EMPTY}, though {_spoken(call.talk_seconds)} were talked")
    return Nothing()


def _without_file(call: EndedCall, now: datetime) -> Later | Lost:
    if (now - call.ended_at).total_seconds() < GRACE_SECONDS:
        return Later(now + timedelta(seconds=5))
    return Lost(f"{_NOTHING}, though {_spoken(call.talk_seconds)} were talked")


def is_lost(problem: str | None) -> bool:
    """Whether a damaged recording's problem is that there was no sound, rather than sound nobody can play."""
    return problem is not None and problem.startswith((_NOTHING, _EMPTY))


def shortness(seconds: float, talk_seconds: float | None) -> str | None:
    """The sentence for a recording that is much shorter than the talk; what there is can be played."""
    if talk_seconds is None or seconds >= talk_seconds - SHORT_SECONDS:
        return None
    return f"Only {_spoken(seconds)} of {_spoken(talk_seconds)} talk were recorded"


def retry_failed_at(now: datetime, tries: int) -> datetime | None:
    """When a file that broke the audio process `tries` times is tried again; None: never."""
    return None if tries >= FAILURES else now + timedelta(seconds=5 * tries)


def retry_unwritable_at(now: datetime) -> datetime:
    """When a full or broken disk is tried again: until space returns, at no cost to the recording."""
    return now + _STORAGE_RETRY


def retry_copy_at(now: datetime, tries: int) -> datetime:
    """When a missing MP3 or Opus copy is tried again, ever less often, a day apart at most."""
    return now + min(_COPY_RETRY * (1 << min(tries, 10)), timedelta(days=1))


def _spoken(seconds: float) -> str:
    return f"{seconds:.0f} s"
