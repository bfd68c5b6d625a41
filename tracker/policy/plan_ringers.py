"""Who rings by a plan at one instant, where no caller is there to hear, press or wait: for a callback.

    ringers(plans, "7", here, known={By.REGION: "de"}, last="12")     # Member, Member, …, in their order

The way is that of a caller who presses nothing and whom nobody answers: who rings first, then who rings when
they did not. A menu in which pressing nothing rings nobody is asked key by key. How many calls somebody may
have, turns and weights are left out of account: all ring one after the other, as they are named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tracker.policy.callback_hours import Hours as Week
from tracker.policy.callback_hours import is_open as is_open_week
from tracker.policy.plan import (
    Branch,
    By,
    Hangup,
    Hours,
    Last,
    Member,
    Menu,
    Other,
    Place,
    Plan,
    Responsible,
    Ring,
    Step,
    Voicemail,
    fits,
)
from tracker.policy.plan_trial import is_open

MOST = 10  # of those who are rung for one callback
_STEP, _FARTHEST = timedelta(minutes=15), timedelta(days=15)


def ringers(
    plans: Mapping[str, Plan],
    name: str,
    here: datetime | None,
    *,
    known: Mapping[By, str] | None = None,
    last: str | None = None,
    responsible: str | None = None,
) -> tuple[Member, ...]:
    """Who rings when the company's clocks show `here`, each once; None: in the hours somebody is there.

    `known`: what branches ask of the caller, `last`: who spoke with him last, `responsible`: who is for him.
    """
    walk = _Walk(plans, here, known or {}, {Last: last, Responsible: responsible})
    found = {member.target: member for member in reversed(list(walk.begin(name)))}
    return tuple(reversed(found.values()))[:MOST]


def next_ringing(
    plans: Mapping[str, Plan], name: str, at: datetime, *, clocks: ZoneInfo, week: Week, zone: ZoneInfo
) -> datetime | None:
    """From when on the plan, by its clocks, rings somebody within this week's hours by those of `zone`.

    On a quarter of an hour; None: never within a fortnight.
    """
    quarter = at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)
    for turn in range(1, _FARTHEST // _STEP):
        then = quarter + turn * _STEP
        if is_open_week(week, zone, then) and ringers(plans, name, then.astimezone(clocks)):
            return then
    return None


def has_hours(plans: Mapping[str, Plan], name: str) -> bool:
    """Whether there are hours in which it rings other people than in others, or nobody."""
    seen, waiting = set[str](), [name]
    while waiting:
        plan = plans.get(waiting.pop())
        if plan is None or plan.name in seen:
            continue
        seen.add(plan.name)
        steps = [plan.steps[place] for place in plan.reached()]
        if any(isinstance(step, Hours) for step in steps):
            return True
        waiting += [step.plan for step in steps if isinstance(step, Other)]
    return False


class _Walk:
    """One way through the plans. A plan that is sound has no loop; one that is not ends where it repeats."""

    def __init__(
        self,
        plans: Mapping[str, Plan],
        here: datetime | None,
        known: Mapping[By, str],
        whose: Mapping[type[Step], str | None],
    ) -> None:
        self._plans, self._here, self._known, self._whose = plans, here, known, whose
        self._seen = set[tuple[str, Place]]()

    def begin(self, name: str) -> Iterator[Member]:
        plan = self._plans.get(name)
        return iter(()) if plan is None else self._go(name, plan.start)

    def _go(self, name: str, place: Place) -> Iterator[Member]:
        step = self._plans[name].steps.get(place)
        if step is None or (name, place) in self._seen:
            return
        self._seen.add((name, place))
        match step:
            case Ring():
                yield from step.members
            case Last() | Responsible() if (target := self._whose[type(step)]) is not None:
                yield Member(target, step.seconds)
            case Other():
                yield from self.begin(step.plan)
        for ways in self._ways(step):
            found = list(self._go(name, ways))
            yield from found
            if found:
                return

    def _ways(self, step: Step) -> tuple[Place, ...]:
        """Where the call may go on: the first of them that rings somebody counts."""
        match step:
            case Hours():
                return self._by_the_clock(step)
            case Branch():
                return (_branch(step, self._known),)
            case Menu():
                return (step.then, *step.keys.values())
            case Voicemail() | Hangup() | Other():
                return ()
        return (step.then,)

    def _by_the_clock(self, step: Hours) -> tuple[Place, ...]:
        if self._here is None:
            return step.then, step.closed
        return (step.then if is_open(step, self._here) else step.closed,)


def _branch(step: Branch, known: Mapping[By, str]) -> Place:
    told = known.get(step.by, "")
    return next((place for word, place in step.cases.items() if told and fits(word, told)), step.then)
