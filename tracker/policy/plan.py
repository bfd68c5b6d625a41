"""A plan: who rings, in what order and when, and what a caller hears. Data only; steps name each other.

    Plan("office", "hours", {"hours": Hours(…, then="sales", closed="box"), "sales": Ring(…), "box": …})

Its document is read by tracker.policy.plan_text and written by plan_document, looked through as a whole by
plan_check, tried out by a virtual clock in plan_trial, and handed to Asterisk as a stretch of dialplan.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

FIRST_KEY_SECONDS = 1
Place = str  # the name of a step of the same plan
FINISHED: Place = (
    "end"  # no step: the call ends, and the caller's network is told why, as the last target said it
)


@dataclass(frozen=True)
class Span:
    """Whole minutes after midnight, half-open; 1440 is the next midnight."""

    begin: int
    end: int


@dataclass(frozen=True)
class Opening:
    """On these days of the week (0: Monday) people are there in these spans."""

    days: tuple[int, ...]
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class SpecialDay:
    """A date with hours of its own, none on a holiday; `year` None: each year."""

    month: int
    day: int
    year: int | None = None
    spans: tuple[Span, ...] = ()

    def is_on(self, day: date) -> bool:
        return (self.month, self.day) == (day.month, day.day) and self.year in {None, day.year}


@dataclass(frozen=True)
class Hours:
    """Whether somebody is there, by the company's clocks. The first special day that it is decides."""

    openings: tuple[Opening, ...]
    then: Place
    closed: Place = FINISHED
    special: tuple[SpecialDay, ...] = ()

    @property
    def ways(self) -> Mapping[str, Place]:
        return {"open": self.then, "closed": self.closed}


class Order(enum.StrEnum):
    """How several targets ring."""

    IN_TURN = "in turn"  # one after the other, as they are named
    AT_ONCE = "at once"
    ROUND = "round"  # one after the other, each call begins with the next one
    WEIGHT = "weight"  # one after the other, begun by chance in proportion to the weights


@dataclass(frozen=True)
class Member:
    """A target that rings; `most`: of calls at once, 0 is no limit."""

    target: str
    seconds: int
    weight: int = 1
    most: int = 0


@dataclass(frozen=True)
class Ring:
    """These ring. `unreachable`: none could be reached; `busy`: none else rang in vain; `then`: otherwise."""

    members: tuple[Member, ...]
    order: Order = Order.IN_TURN
    then: Place = FINISHED
    busy: Place | None = None
    unreachable: Place | None = None

    @property
    def ways(self) -> Mapping[str, Place]:
        told = {"busy": self.busy, "unreachable": self.unreachable}
        return {"nobody": self.then, **{word: place for word, place in told.items() if place is not None}}


@dataclass(frozen=True)
class Prompt:
    """What is heard: a sound file's name, or words that are spoken in that language."""

    sound: str | None = None
    words: str | None = None
    language: str | None = None


@dataclass(frozen=True)
class Say:
    prompt: Prompt
    then: Place

    @property
    def ways(self) -> Mapping[str, Place]:
        return {"said": self.then}


@dataclass(frozen=True)
class Menu:
    """The caller presses a key. `then` when none of those came in so many tries."""

    prompt: Prompt
    keys: Mapping[str, Place]
    then: Place
    seconds: int = 5
    tries: int = 2

    @property
    def ways(self) -> Mapping[str, Place]:
        return {**self.keys, "nothing": self.then}


class By(enum.StrEnum):
    """What is known of a call before it rings."""

    SOURCE = "source"
    MEDIUM = "medium"
    CAMPAIGN = "campaign"
    REGION = "region"  # the country of the caller's number
    CALLER = "caller"  # first or repeat
    NUMBER = "number"  # the caller's own: +4930123456, +4930* for all that begin so, withheld


def keyed(word: str) -> str:
    """A word as branches compare it: small letters, digits, points; all else is one hyphen."""
    return re.sub(r"[^a-z0-9.]+", "-", word.lower().encode("ascii", "replace").decode()).strip("-")[:60]


def fits(word: str, known: str) -> bool:
    """Whether a branch's word is what is known; a star at its end stands for anything."""
    return known.startswith(word[:-1]) if word.endswith("*") else known == word


@dataclass(frozen=True)
class Branch:
    """Another way for calls from there; the first word that fits decides.

    Without Leaseline's answer nothing is known: `then`.
    """

    by: By
    cases: Mapping[str, Place]
    then: Place

    @property
    def ways(self) -> Mapping[str, Place]:
        return {**self.cases, "else": self.then}


@dataclass(frozen=True)
class Last:
    """Whoever spoke with this caller last rings. `then` for first callers, and when he does not take it."""

    then: Place
    seconds: int = 20

    @property
    def ways(self) -> Mapping[str, Place]:
        return {"nobody": self.then}


@dataclass(frozen=True)
class Responsible:
    """Whoever is responsible for this caller rings. `then` where nobody is, and when he does not take it."""

    then: Place
    seconds: int = 20

    @property
    def ways(self) -> Mapping[str, Place]:
        return {"nobody": self.then}


@dataclass(frozen=True)
class Code:
    """The caller types his visitor code.

    Whoever is known by his number goes on at once, whoever does not begin to type FIRST_KEY_SECONDS after
    the prompt.
    """

    prompt: Prompt
    then: Place
    digits: int = 4
    seconds: int = 4  # of silence between two digits, after which nothing more is expected

    @property
    def ways(self) -> Mapping[str, Place]:
        return {"on": self.then}


@dataclass(frozen=True)
class Voicemail:
    """A message is recorded and mailed to `mail`; the call ends as a missed one."""

    prompt: Prompt
    most_seconds: int = 120
    mail: tuple[str, ...] = ()

    @property
    def ways(self) -> Mapping[str, Place]:
        return {}


@dataclass(frozen=True)
class Consent:
    """The caller is told of the recording; `refuse`: the key by which he has none made."""

    prompt: Prompt
    then: Place
    refuse: str | None = None

    @property
    def ways(self) -> Mapping[str, Place]:
        return {"told": self.then}


@dataclass(frozen=True)
class Other:
    """The call goes on by another plan of the company's, from its beginning."""

    plan: str

    @property
    def ways(self) -> Mapping[str, Place]:
        return {}


class Cause(enum.StrEnum):
    BUSY = "busy"
    REFUSED = "refused"
    NO_ANSWER = "no answer"


@dataclass(frozen=True)
class Hangup:
    """The call ends so."""

    cause: Cause

    @property
    def ways(self) -> Mapping[str, Place]:
        return {}


Step = Hours | Ring | Last | Responsible | Say | Menu | Code | Branch | Voicemail | Consent | Other | Hangup


@dataclass(frozen=True)
class Plan:
    """`start` is the first of the steps."""

    name: str
    start: Place
    steps: Mapping[Place, Step]

    def reached(self) -> Iterator[Place]:
        """The steps that a call can come to, each once, the first one first."""
        seen, waiting = set[Place](), [self.start]
        while waiting:
            place = waiting.pop(0)
            if place in seen or place not in self.steps:
                continue
            seen.add(place)
            yield place
            waiting += self.steps[place].ways.values()

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """All that is heard, each once."""
        heard = (getattr(step, "prompt", None) for step in self.steps.values())
        return tuple(dict.fromkeys(prompt for prompt in heard if prompt is not None))

    @property
    def targets(self) -> tuple[str, ...]:
        """Who rings somewhere in it, each once."""
        rings = (step for step in self.steps.values() if isinstance(step, Ring))
        return tuple(dict.fromkeys(member.target for step in rings for member in step.members))

    @property
    def asks(self) -> frozenset[str]:
        """What has to be known of a call: By's words, "last", "responsible", "visitor"; "plan": others'."""
        words = {str(step.by) for step in self.steps.values() if isinstance(step, Branch)}
        kinds = {type(step) for step in self.steps.values()}
        return frozenset(words | {word for kind, word in _ASKED.items() if kind in kinds})

    def renamed(self, targets: Mapping[str, str], plans: Mapping[str, str]) -> Plan:
        """The same with other names for targets and plans; a name without another stays."""
        return replace(
            self, steps={place: _renamed(step, targets, plans) for place, step in self.steps.items()}
        )


def _renamed(step: Step, targets: Mapping[str, str], plans: Mapping[str, str]) -> Step:
    match step:
        case Ring():
            members = (replace(each, target=targets.get(each.target, each.target)) for each in step.members)
            return replace(step, members=tuple(members))
        case Other():
            return replace(step, plan=plans.get(step.plan, step.plan))
    return step


_ASKED: Mapping[type[Step], str] = {
    Last: "last",
    Responsible: "responsible",
    Code: "visitor",
    Other: "plan",
}
