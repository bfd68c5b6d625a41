"""What a witness can say about a call: frozen facts, as the spool, the AGI and CEL write them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from tracker.policy.taping import Taping
from tracker.policy.worth import Category


class Presentation(enum.StrEnum):
    """What the caller allows: withheld numbers stay withheld in every page, export and delivery."""

    ALLOWED = "allowed"
    WITHHELD = "withheld"
    UNAVAILABLE = "unavailable"


class Direction(enum.StrEnum):
    """Who called whom. A callback is asked for by a visitor, so it counts as a call of his."""

    IN = "in"
    OUT = "out"
    CALLBACK = "callback"


COUNTED = frozenset({Direction.IN, Direction.CALLBACK})  # by reports, alerts and whoever judges advertising


class Outcome(enum.StrEnum):
    """How a call ended, from the company's point of view."""

    ANSWERED = "answered"
    MISSED = "missed"  # it rang, or should have; nobody answered
    BUSY = "busy"
    FAILED = "failed"  # no target could be reached
    GAVE_UP = "gave_up"  # the caller hung up before anybody answered
    REFUSED = "refused"  # a person declined the call, or the company blocks the caller


class HungUpBy(enum.StrEnum):
    CALLER = "caller"
    COMPANY = "company"
    SYSTEM = "system"


class Treatment(enum.StrEnum):
    """What becomes of a blocked caller."""

    BUSY = "busy"
    REFUSED = "refused"  # the caller's network is told that the call is declined
    ANNOUNCED = "announced"  # a sentence, then the end
    CHALLENGED = "challenged"  # who presses the digit that is said comes through


class GuardGround(enum.StrEnum):
    """Why a call did not simply ring."""

    RULE = "rule"
    MINUTE = "minute"  # too many calls of this caller within a minute
    HOUR = "hour"
    DAY = "day"
    NUMBERS = "numbers"  # he tries one of our numbers after the other
    SHORT = "short"  # he hangs up at once, again and again
    COUNTRY = "country"  # none the company expects calls from


class GuardStep(enum.StrEnum):
    """What became of a call before anything could ring."""

    BLOCKED = "blocked"
    CHALLENGED = "challenged"  # asked for a digit; if nothing follows, the caller hung up
    PASSED = "passed"
    FAILED = "failed"


class Spam(enum.StrEnum):
    """What makes a call spam."""

    BLOCKED = "blocked"
    FAILED = "failed"  # the challenge
    LEFT = "left"  # hung up when challenged
    PERSON = "person"  # somebody said so


@dataclass(frozen=True)
class Started:
    """A call reached us. `did` is our number (E.164); `caller` is as sent, digits and + only.

    Of a call that goes out `did` is the number shown, `caller` the person called.
    """

    call: str
    node: str
    at: datetime
    uniqueid: str
    linkedid: str
    trunk_id: int | None
    did: str
    dialled: str
    caller: str
    presentation: Presentation
    caller_name: str
    direction: Direction = Direction.IN
    target_id: int | None = None  # who calls out


@dataclass(frozen=True)
class LegEnded:
    """A target was tried and did not take the call. `rang_at` is None when it never rang."""

    call: str
    node: str
    at: datetime
    position: int
    target_id: int
    dialled_at: datetime
    rang_at: datetime | None
    status: str  # Asterisk's DIALSTATUS
    cause: int | None  # Q.850


@dataclass(frozen=True)
class Answered:
    """A person at a target took the call at this instant."""

    call: str
    node: str
    at: datetime
    position: int
    target_id: int
    rang_at: datetime | None


@dataclass(frozen=True)
class Ended:
    """The caller's channel is gone. `hung_up_by` is None when Asterisk could not tell."""

    call: str
    node: str
    at: datetime
    status: str  # DIALSTATUS of the last target, "" before any
    cause: int | None
    hung_up_by: HungUpBy | None
    rang_at: datetime | None  # of the target that was ringing when the caller gave up
    seen_by_agi: bool


@dataclass(frozen=True)
class JudgedByPhone:
    """Whoever took the call said by a key what it was worth, or took that back (None)."""

    call: str
    node: str
    at: datetime
    position: int
    target_id: int
    category: Category | None


class Doing(enum.StrEnum):
    """What a call did in a step of its plan."""

    CAME = "came"
    PRESSED = "pressed"  # a key
    CODE = "code"  # a visitor code was typed
    FULL = "full"  # a target has as many calls as it may
    RECORDING = "recording"  # the caller was told: "yes", or "refused"
    MESSAGE = "message"  # the caller began to leave one


@dataclass(frozen=True)
class Passed:
    """The call was in that step of a plan's version; `about`: the key, the code, the target's id."""

    call: str
    node: str
    at: datetime
    plan_id: int
    version: int
    step: str
    doing: Doing
    about: str


@dataclass(frozen=True)
class Taped:
    """Something about the recording: what the caller was told or said of it, or an employee's code.

    `target_id` is 0 while nobody has been dialled.
    """

    call: str
    node: str
    at: datetime
    position: int
    target_id: int
    what: Taping


@dataclass(frozen=True)
class Guarded:
    """A step of a call that did not simply ring. `rule_id` is the rule's, where one said so."""

    call: str
    node: str
    at: datetime
    step: GuardStep
    ground: GuardGround
    rule_id: int | None
    treatment: Treatment


@dataclass(frozen=True)
class SpamSaid:
    """A person said that a call is spam, or that it is none."""

    call: str
    node: str  # "" as it was said here and not by a witness
    at: datetime
    actor: str
    is_spam: bool


@dataclass(frozen=True)
class Interrupted:
    """Asterisk went away with the call up: `at` is the last sign of life anyone wrote down."""

    call: str
    node: str
    at: datetime


@dataclass(frozen=True)
class Refused:
    """Turned away before it became a call."""

    call: str
    node: str
    at: datetime
    trunk_id: int | None
    did: str
    caller: str
    reason: str
    target_id: int | None = None  # who wanted to call out: `did` is the number wanted


@dataclass(frozen=True)
class Reported:
    """A phone system beside us told of a call that is over, or of one part of it; no sound came through us.

    `at` is when it began. `part` is "" for the whole call, else what a line of its records is known by. The
    same part told otherwise is the next `edition`: the last one counts.
    """

    call: str
    node: str
    at: datetime
    part: str
    edition: int
    did: str  # our number, E.164
    caller: str
    presentation: Presentation
    caller_name: str
    answered_at: datetime | None
    ended_at: datetime
    outcome: Outcome
    employee: str  # who took the call, as that system calls him
    recording_url: str  # where that system keeps the recording; never fetched
    direction: Direction = Direction.IN


Fact = (
    Started | LegEnded | Answered | Ended | JudgedByPhone | Passed | Taped | Guarded | SpamSaid
    | Interrupted | Reported
)  # fmt: skip
