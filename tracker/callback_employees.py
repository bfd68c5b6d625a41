"""Who is rung for a callback: as the site's settings say; else as calls to the shown number ring.

Where a plan counts for that number, those ring who would by it at that moment, for a caller who presses
nothing (tracker.policy.plan_ringers).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.dialling import dial_of, header_policy
from tracker.forwarding import Way, ways
from tracker.known_callers import known_of_request, last_target, responsible_target
from tracker.models import CallbackRequest, CallbackSettings, Company, Number, Target
from tracker.plan_list import listed, newest
from tracker.policy.callback_hours import Hours
from tracker.policy.plan import Plan
from tracker.policy.plan_ringers import has_hours, next_ringing, ringers
from tracker.policy.plan_text import read_plan


@dataclass(frozen=True)
class Employee:
    """A target to ring for a callback. `dial` is Asterisk's channel."""

    target_id: int
    dial: str
    seconds: int
    headers: str  # extension of [leaseline-headers]: what its leg is shown


@dataclass(frozen=True)
class Asked:
    """When somebody is to be rung, and for whom; without a request, for anybody."""

    at: datetime
    request: CallbackRequest | None = None


def employees_of(
    session: Session, settings: CallbackSettings, asked: Asked | None = None
) -> tuple[Employee, ...]:
    """Who is rung, in order; None: whoever is rung at some time at all."""
    shown = settings.number
    if shown is None:
        return ()
    rings = _rings(session, settings, shown, asked)
    wanted = sa.select(Target).where(
        Target.company_id == shown.company_id, Target.id.in_([target_id for target_id, _ in rings])
    )
    targets = {target.id: target for target in session.scalars(wanted)}
    return tuple(
        Employee(
            target_id, dial_of(targets[target_id], shown.e164), seconds, header_policy(targets[target_id])
        )
        for target_id, seconds in rings
        if target_id in targets
    )


def opens_at(
    session: Session, settings: CallbackSettings, hours: Hours, zone: ZoneInfo, at: datetime
) -> datetime | None:
    """From when on somebody is rung by the shown number's plan, within the site's hours; None: never."""
    way = way_of_shown(session, settings)
    if way is None or way.plan is None or settings.number is None:
        return None
    clocks = ZoneInfo(session.get_one(Company, settings.number.company_id).timezone)
    plans = _plans(session, settings.number.company_id)
    return next_ringing(plans, str(way.plan.plan_id), at, clocks=clocks, week=hours, zone=zone)


def rung_at(
    session: Session, settings: CallbackSettings, hours: Hours, zone: ZoneInfo, asked: Asked
) -> datetime:
    """When he is called who asks to be called then: later, where the plan rings nobody at that hour."""
    way = way_of_shown(session, settings)
    if way is None or way.plan is None or employees_of(session, settings, asked):
        return asked.at
    return opens_at(session, settings, hours, zone, asked.at) or asked.at


def way_of_shown(session: Session, settings: CallbackSettings) -> Way | None:
    """What happens to calls to the shown number, where the settings name nobody to ring."""
    if settings.number is None or settings.rings:
        return None
    return ways(session, [settings.number.id]).get(settings.number.id)


def plan_closes(session: Session, company_id: int, plan_id: int) -> bool:
    """Whether that plan has hours of its own, at which callbacks may find nobody."""
    return has_hours(_plans(session, company_id), str(plan_id))


def _rings(
    session: Session, settings: CallbackSettings, shown: Number, asked: Asked | None
) -> Sequence[tuple[int, int]]:
    """Targets with their seconds."""
    way = way_of_shown(session, settings)
    if way is None:
        return [(int(ring["target"]), int(ring["seconds"])) for ring in settings.rings]
    if way.plan is None:
        return [(ring.target_id, ring.ring_seconds) for ring in way.rings]
    request = asked.request if asked else None
    phone = request.phone if request else None
    clocks = ZoneInfo(session.get_one(Company, shown.company_id).timezone)
    members = ringers(
        _plans(session, shown.company_id),
        str(way.plan.plan_id),
        asked.at.astimezone(clocks) if asked else None,
        known=known_of_request(session, request) if request else None,
        last=last_target(session, shown.company_id, phone) or None,
        responsible=responsible_target(session, shown.company_id, phone) or None,
    )
    return [(int(member.target), member.seconds) for member in members]


def _plans(session: Session, company_id: int) -> dict[str, Plan]:
    """The company's plans by their ids, as they name targets and each other."""
    company = session.get_one(Company, company_id)
    return {str(each.id): read_plan(str(each.id), newest(each).document) for each in listed(session, company)}
