"""Whom a plan rings, for calls that do not go through it themselves: callbacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from tracker.policy.plan import Member, Other, Plan, Ring
from tracker.policy.plan_trial import Script, What, tried


def rung_in_vain(plans: Mapping[str, Plan], name: str, at: datetime, zone: ZoneInfo) -> list[Member]:
    """Who rings one after the other when a stranger calls then and nobody answers."""
    rung: dict[str, Member] = {}
    for event in tried(plans, name, at, zone, Script()).events:
        step = plans[event.plan].steps.get(event.place)
        if event.what is What.RINGS and isinstance(step, Ring):
            member = next(each for each in step.members if each.target == event.about)
            rung.setdefault(member.target, member)
    return list(rung.values())


def all_that_ring(plans: Mapping[str, Plan], name: str) -> list[Member]:
    """Everybody who rings in the plan, or in one that it goes over to, at one time or another."""
    return list({member.target: member for member in _members(plans, name)}.values())


def _members(plans: Mapping[str, Plan], name: str) -> Iterator[Member]:
    for place in plans[name].reached():
        match plans[name].steps[place]:
            case Ring(members=members):
                yield from members
            case Other(plan=other):
                yield from _members(plans, other)
