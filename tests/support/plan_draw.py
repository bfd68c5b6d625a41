"""Random plans that are sound, and what everybody does when a call comes in.

    drawn = draw(random.Random(7), 7, ("a", "b", "c"), now, {By.REGION: "de", …})
    drawn.plans[drawn.name]; drawn.script

Ringing lasts a second, what ends earlier ends well before and each at another time, so that a slow machine
tells the same; hours begin and end far from now.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tracker.policy.plan import (
    FINISHED,
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
    Opening,
    Order,
    Other,
    Place,
    Plan,
    Prompt,
    Responsible,
    Ring,
    Say,
    Span,
    SpecialDay,
    Step,
    Voicemail,
)
from tracker.policy.plan_trial import Answer, Reaction, Script

RING_SECONDS = 1
TONE = Prompt(sound="tone")
_KINDS = (Hours, Ring, Ring, Ring, Say, Menu, Code, Branch, Consent, Last, Responsible)
_ENDS = (Voicemail, Hangup, Ring, Ring)


@dataclass(frozen=True)
class Drawn:
    """`plans`: the plan that the number goes by, and the one it may go over to."""

    name: str
    plans: Mapping[str, Plan]
    script: Script


def draw(
    chance: random.Random, count: int, targets: tuple[str, ...], here: datetime, known: Mapping[By, str]
) -> Drawn:
    """A plan and its script; `known` is what Leaseline will say of the call."""
    drawing = _Drawing(chance, targets, here, known)
    name, other = f"plan {count}", f"other {count}"
    plans = {name: drawing.plan(name, other)}
    if any(isinstance(step, Other) for step in plans[name].steps.values()):
        plans[other] = drawing.plan(other, None)
    keys = tuple(chance.choice(("1", "#", "9", "", "5")) for _ in range(12))
    reactions, whose = drawing.reactions(), chance.choice((None, *targets))
    return Drawn(name, plans, Script(targets=reactions, keys=keys, known=known, responsible=whose))


class _Drawing:
    def __init__(
        self, chance: random.Random, targets: tuple[str, ...], here: datetime, known: Mapping[By, str]
    ) -> None:
        self.chance, self.targets, self.here, self.known = chance, targets, here, known

    def plan(self, name: str, other: str | None) -> Plan:
        """A chain of steps from the last to the first, so that every way leads on."""
        steps: dict[Place, Step] = {"last": self._step(self.chance.choice(_ENDS), [], other)}
        for place in [f"s{at}" for at in range(self.chance.randint(1, 5), 0, -1)]:
            kind = self.chance.choice((*_KINDS, *([Other] if other else [])))
            steps[place] = self._step(kind, [*steps, FINISHED], other)
        whole = Plan(name, "s1", steps)
        kept = {place: steps[place] for place in whole.reached()}
        if {type(step) for step in kept.values()}.isdisjoint({Ring, Last, Responsible, Voicemail, Other}):
            return replace(whole, steps={"s1": self._ring([FINISHED])})
        return replace(whole, steps=kept)

    def reactions(self) -> dict[str, list[Reaction]]:
        """What each target does, call by call."""
        return {
            target: [self._reaction(0.2 + 0.2 * place) for _ in range(2)]
            for place, target in enumerate(self.targets)
        }

    def _reaction(self, seconds: float) -> Reaction:
        answer = self.chance.choice([*Answer, Answer.SILENT, Answer.BUSY])
        return Reaction(answer, 0.0 if answer is Answer.UNREACHABLE else seconds)

    def _to(self, places: list[Place]) -> Place:
        return self.chance.choice(places[-3:] or [FINISHED])

    def _step(self, kind: type, places: list[Place], other: str | None) -> Step:
        then = self._to(places)
        if kind is Ring:
            return self._ring(places)
        if kind is Hours:
            return self._hours(then, self._to(places))
        if kind is Menu:
            return Menu(TONE, {"1": self._to(places), "#": self._to(places)}, then, seconds=1, tries=2)
        if kind is Branch:
            by = self.chance.choice([By.REGION, By.CALLER, By.SOURCE, By.NUMBER])
            words = ["+491515*", "+4916*", "withheld"] if by is By.NUMBER else [self.known[by], "another"]
            word = self.chance.choice(words)
            return Branch(by, {word: self._to(places)}, then)
        made: dict[type, Step] = {
            Say: Say(TONE, then),
            Code: Code(TONE, then, digits=4, seconds=1),
            Consent: Consent(TONE, then, refuse="9"),
            Last: Last(then, RING_SECONDS),
            Responsible: Responsible(then, RING_SECONDS),
            Voicemail: Voicemail(TONE, 5),
            Hangup: Hangup(self.chance.choice(list(Cause))),
            Other: Other(other or ""),
        }
        return made[kind]

    def _ring(self, places: list[Place]) -> Ring:
        some = self.chance.sample(self.targets, self.chance.randint(1, 3))
        order = self.chance.choice([Order.IN_TURN, *Order])
        weights = [self.chance.choice((0, 0, 5)) for _ in some]
        if not any(weights):
            weights[-1] = 5
        members = tuple(
            Member(target, RING_SECONDS, weight, most=self.chance.choice((0, 0, 1)))
            for target, weight in zip(some, weights, strict=True)
        )
        ways = [self._to(places), None]
        busy, unreachable = self.chance.choice(ways), self.chance.choice(ways)
        return Ring(members, order, self._to(places), busy, unreachable)

    def _hours(self, then: Place, closed: Place) -> Hours:
        minute = self.here.hour * 60 + self.here.minute
        around, away = Span(max(0, minute - 90), min(1440, minute + 90)), Span(0, 1)
        span = self.chance.choice((around, away if minute > 30 else around))
        today, tomorrow = self.here.weekday(), (self.here.weekday() + 1) % 7
        openings = (Opening((self.chance.choice((today, tomorrow)),), (span,)),)
        special: tuple[SpecialDay, ...] = ()
        if self.chance.random() < 0.4:
            day = self.here.date()
            year = self.chance.choice((None, day.year, day.year + 1))
            special = (SpecialDay(day.month, day.day, year, self.chance.choice(((), (around,)))),)
        return Hours(openings, then, closed, special)
