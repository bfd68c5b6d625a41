"""A plan tried out before it rings: by a clock that is none, and by what targets and caller are said to do.

    trial = tried(plans, "office", at, zone, Script(targets={"sales": [Reaction(Answer.BUSY)]}))
    for each in trial.events: print(each.seconds, each.plan, each.place, each.what, each.about)

Nothing here knows Asterisk; the dialplan that is rendered of the same plan does the same (tests let both go
through random plans and scripts).
"""

from __future__ import annotations

import contextlib
import enum
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from tracker.policy.plan import (
    FINISHED,
    FIRST_KEY_SECONDS,
    Branch,
    By,
    Cause,
    Code,
    Consent,
    Hangup,
    Hours,
    Last,
    Member,
    Menu,
    Order,
    Other,
    Place,
    Plan,
    Responsible,
    Ring,
    Say,
    Step,
    Voicemail,
    fits,
    keyed,
)


class Answer(enum.StrEnum):
    """What a target does when it rings."""

    ANSWERS = "answers"
    SILENT = "does not answer"
    BUSY = "busy"
    DECLINES = "declines"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class Reaction:
    """So many seconds after it began to ring; a target that is silent rings on."""

    answer: Answer
    seconds: float = 0.0


@dataclass(frozen=True)
class Script:
    """What everybody does. Of a target's reactions each call to it takes the next, the last again and again.

    `keys`: what the caller presses, prompt by prompt, "" for nothing; `gives_up`: after so many seconds.
    `known`: what Leaseline says of the call; None: Leaseline does not answer. `turn`: of the rounds;
    `chance`: 0 to 1, where weights decide; `taken`: calls that targets have already.
    """

    targets: Mapping[str, Sequence[Reaction]] = field(default_factory=dict)
    keys: Sequence[str] = ()
    gives_up: float | None = None
    known: Mapping[By, str] | None = None
    turn: int = 0
    chance: float = 0.0
    taken: Mapping[str, int] = field(default_factory=dict)
    last: str | None = None  # who spoke with this caller last
    responsible: str | None = None  # who is for him
    visitor: bool = False  # he is known by the number he dialled
    listens: float = 0.0  # seconds that each prompt lasts


class What(enum.StrEnum):
    CAME = "came"  # to a step
    RINGS = "rings"
    ANSWERED = "answered"
    NO_ANSWER = "no answer"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    FULL = "full"  # a target that has as many calls as it may
    PRESSED = "pressed"
    CODE = "code"
    MESSAGE = "message"
    RECORDING = "recording"  # "yes" or "refused"
    GAVE_UP = "gave up"
    ENDED = "ended"


@dataclass(frozen=True)
class Event:
    """So many seconds after the call came in; `about`: the target, the key, the way that was taken."""

    seconds: float
    plan: str
    place: Place
    what: What
    about: str = ""


@dataclass(frozen=True)
class Trial:
    """All that happened, in its order, and how the call ended: the last of the events says it."""

    events: Sequence[Event]

    @property
    def end(self) -> Event:
        return self.events[-1]


class _Over(Exception):
    """The call has ended."""


def tried(plans: Mapping[str, Plan], name: str, at: datetime, zone: ZoneInfo, script: Script) -> Trial:
    """What happens to a call that comes in at that instant, by a plan that is sound (plan_check)."""
    call = _Call(plans, at, zone, script)
    with contextlib.suppress(_Over):
        call.go(name)
    return Trial(call.events)


class _Call:
    """One call on its way; `now` is in seconds after it came in."""

    def __init__(self, plans: Mapping[str, Plan], at: datetime, zone: ZoneInfo, script: Script) -> None:
        self.events: list[Event] = []
        self._plans, self._at, self._zone, self._script = plans, at, zone, script
        self._plan, self._place, self._now = "", "", 0.0
        self._last = Cause.NO_ANSWER  # as the last target said it
        self._rung = defaultdict[str, int](int)
        self._keys = iter(script.keys)

    def go(self, name: str) -> None:
        self._plan, place = name, self._plans[name].start
        while place != FINISHED:
            self._place = place
            self._tell(What.CAME)
            place = self._pass_through(self._plans[self._plan].steps[place])
        self._end(What.ENDED, self._last)

    def _pass_through(self, step: Step) -> Place:
        """Where the call goes from there."""
        if isinstance(step, Other):
            self._plan = step.plan
            return self._plans[step.plan].start
        doing: Mapping[type[Step], Callable[[Any], Place]] = {
            Hours: lambda it: it.ways["open" if is_open(it, self._here()) else "closed"],
            Ring: self._ring,
            Last: lambda it: self._ring_one(it, self._script.last),
            Responsible: lambda it: self._ring_one(it, self._script.responsible),
            Say: self._say,
            Menu: self._choose,
            Code: self._take_code,
            Branch: self._branch,
            Consent: self._ask,
            Voicemail: self._take_message,
            Hangup: lambda it: self._end(What.ENDED, it.cause),
        }
        return doing[type(step)](step)

    def _here(self) -> datetime:
        return (self._at + timedelta(seconds=self._now)).astimezone(self._zone)

    def _tell(self, what: What, about: str = "") -> None:
        self.events.append(Event(round(self._now, 3), self._plan, self._place, what, about))

    def _end(self, what: What, about: str = "") -> NoReturn:
        self._tell(what, about)
        raise _Over

    def _pass(self, seconds: float) -> None:
        """Time goes by; the caller may hang up meanwhile."""
        until = self._now + seconds
        if self._script.gives_up is not None and self._script.gives_up < until:
            self._now = max(self._now, self._script.gives_up)
            self._end(What.GAVE_UP)
        self._now = until

    # ---- what is heard and pressed ----

    def _hear(self) -> None:
        self._pass(self._script.listens)

    def _say(self, step: Say) -> Place:
        self._hear()
        return step.then

    def _take_message(self, step: Voicemail) -> Place:
        self._hear()
        self._end(What.MESSAGE)

    def _branch(self, step: Branch) -> Place:
        told = (self._script.known or {}).get(step.by, "")
        known = told if step.by is By.NUMBER else keyed(told)
        return next((place for word, place in step.cases.items() if known and fits(word, known)), step.then)

    def _take_code(self, step: Code) -> Place:
        if self._script.visitor:
            return step.then
        self._hear()
        typed = self._press()
        if not typed:
            self._pass(FIRST_KEY_SECONDS)
            return step.then
        code = "".join(key for key in typed if key.isdigit())
        if typed == code and len(code) < step.digits:
            self._pass(step.seconds)
        if code:
            self._tell(What.CODE, code)
        return step.then

    def _press(self) -> str:
        return next(self._keys, "")

    def _choose(self, step: Menu) -> Place:
        for _ in range(step.tries):
            self._hear()
            key = self._press()
            if not key:
                self._pass(step.seconds)
            else:
                self._tell(What.PRESSED, key)
                if key in step.keys:
                    return step.keys[key]
        return step.then

    def _ask(self, step: Consent) -> Place:
        self._hear()
        refused = step.refuse is not None and self._press() == step.refuse
        self._tell(What.RECORDING, "refused" if refused else "yes")
        return step.then

    # ---- who rings ----

    def _ring_one(self, step: Last | Responsible, target: str | None) -> Place:
        if target is not None and self._script.known is not None:
            self._hear_why(self._rung_together([Member(target, step.seconds)]))
        return step.then

    def _ring(self, step: Ring) -> Place:
        members = list(self._in_order(step))
        groups = [members] if step.order is Order.AT_ONCE else [[member] for member in members]
        kinds = self._hear_why([what for group in groups for what in self._rung_together(group)])
        if kinds == {What.UNREACHABLE}:
            return step.then if step.unreachable is None else step.unreachable
        if What.NO_ANSWER not in kinds:
            return step.then if step.busy is None else step.busy
        return step.then

    def _hear_why(self, came_of: Sequence[What]) -> set[What]:
        """What came of those that rang, which is how the call ends where nothing follows."""
        kinds = set(came_of)
        rang = kinds == {What.UNREACHABLE} or What.NO_ANSWER in kinds
        self._last = Cause.NO_ANSWER if rang else Cause.BUSY
        return kinds

    def _in_order(self, step: Ring) -> Iterator[Member]:
        first = 0
        if step.order is Order.ROUND:
            first = self._script.turn % len(step.members)
        elif step.order is Order.WEIGHT:
            first = chosen([member.weight for member in step.members], self._script.chance)
        yield from step.members[first:]
        yield from step.members[:first]

    def _rung_together(self, members: Sequence[Member]) -> list[What]:
        """They ring from the same moment on, each for its own time."""
        ringing = list[tuple[float, int, Member, What]]()
        told = list[What]()
        for place, member in enumerate(members):
            if member.most and self._script.taken.get(member.target, 0) >= member.most:
                self._tell(What.FULL, member.target)
                told.append(What.FULL)
                continue
            self._tell(What.RINGS, member.target)
            seconds, what = self._reaction(member)
            ringing.append((seconds, place, member, what))
        begun = self._now
        for seconds, _, member, what in sorted(ringing, key=lambda it: it[:2]):
            self._pass(max(0.0, begun + seconds - self._now))
            told.append(what)
            if what is What.ANSWERED:
                self._end(What.ANSWERED, member.target)
            self._tell(what, member.target)
        return told

    def _reaction(self, member: Member) -> tuple[float, What]:
        told = self._script.targets.get(member.target) or [Reaction(Answer.SILENT)]
        reaction = told[min(self._rung[member.target], len(told) - 1)]
        self._rung[member.target] += 1
        if reaction.answer is Answer.SILENT or reaction.seconds >= member.seconds:
            return float(member.seconds), What.NO_ANSWER
        return reaction.seconds, _CAME_OF[reaction.answer]


_CAME_OF = {
    Answer.ANSWERS: What.ANSWERED,
    Answer.BUSY: What.BUSY,
    Answer.DECLINES: What.BUSY,
    Answer.UNREACHABLE: What.UNREACHABLE,
}


def is_open(hours: Hours, here: datetime) -> bool:
    """Whether somebody is there when the company's clocks show that; going back they show an hour twice."""
    minute, day = here.hour * 60 + here.minute, here.date()
    special = next((each for each in hours.special if each.is_on(day)), None)
    spans = (
        special.spans
        if special
        else [span for it in hours.openings if here.weekday() in it.days for span in it.spans]
    )
    return any(span.begin <= minute < span.end for span in spans)


def chosen(weights: Sequence[int], chance: float) -> int:
    """Which of them it is for a chance from 0 to below 1; the first, where none has weight."""
    total, reached = sum(weights), 0
    for place, weight in enumerate(weights):
        reached += weight
        if chance * total < reached:
            return place
    return 0
