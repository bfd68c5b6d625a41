"""How a site calls back, as its settings say, in the form in which policy decides and the phones are rung."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import consents
from tracker.callback_employees import Asked, Employee, employees_of
from tracker.dialling import as_dialled
from tracker.models import (
    Call,
    CallbackReason,
    CallbackRequest,
    CallbackSettings,
    CallbackTry,
    Company,
    Number,
    Site,
    Swap,
    Target,
)
from tracker.policy.callback import Limits, Rules
from tracker.policy.callback_hours import Hours
from tracker.policy.prompts import Words
from tracker.unrecorded import is_listed
from tracker.whispers import before_callback


@dataclass(frozen=True)
class Plan:
    """All that is needed to place a callback."""

    phone: str  # E.164 of the visitor
    dialled: str  # the same in the form the carrier wants
    shown: str  # E.164, one of our numbers
    trunk_id: int
    employees: tuple[Employee, ...]
    visitor_seconds: int
    record: bool
    judges: bool
    whispers: tuple[Words, ...] = ()  # to the employee, the fullest first


def rules_of(settings: CallbackSettings | None, company: Company) -> Rules:
    """What policy decides by; without settings nobody is called."""
    zone = ZoneInfo((settings and settings.timezone) or company.timezone)
    if settings is None:
        return Rules(False, company.default_region, zone)
    return Rules(
        is_on=settings.is_on,
        region=company.default_region,
        zone=zone,
        hours={day: tuple(tuple(span) for span in spans) for day, spans in settings.hours.items()},
        countries=tuple(settings.countries),
        prefixes=tuple(settings.prefixes),
        limits=Limits(settings.per_client, settings.per_number, settings.per_day, settings.seconds_per_day),
        tries=settings.tries,
        retry_minutes=settings.retry_minutes,
    )


def is_wanted(session: Session) -> bool:
    """Whether any site calls back, or somebody still waits for it."""
    anybody = sa.or_(
        sa.exists().where(CallbackSettings.is_on),
        sa.exists().where(CallbackRequest.due_at.is_not(None)),
        sa.exists().where(CallbackRequest.claimed_until.is_not(None)),
    )
    return bool(session.scalar(sa.select(anybody)))


def hours_of(session: Session, site: Site) -> tuple[Hours, ZoneInfo]:
    """When a site calls back, by which clocks."""
    rules = rules_of(session.get(CallbackSettings, site.id), session.get_one(Company, site.company_id))
    return rules.hours, rules.zone


def own_numbers(session: Session, company_id: int) -> frozenset[str]:
    """Numbers that would only call the company itself: its DIDs, those on its pages, its targets."""
    ours: sa.CompoundSelect[str] = sa.union(
        sa.select(Number.e164).where(Number.company_id == company_id),
        sa.select(Target.e164).where(Target.company_id == company_id, Target.e164.is_not(None)),
        sa.select(Swap.e164).where(Swap.site.has(company_id=company_id)),
    )
    return frozenset(session.scalars(ours))


def plan_of(session: Session, request: CallbackRequest, now: datetime) -> Plan | CallbackReason:
    """Who is rung and over what, or why nobody can be."""
    settings = session.get(CallbackSettings, request.site_id)
    if settings is None or not settings.is_on:
        return CallbackReason.OFF
    if settings.trunk_id is None or settings.number is None:
        return CallbackReason.NO_TRUNK
    if spoken_seconds(session, request.site_id, now) >= settings.seconds_per_day:
        return CallbackReason.COST_CAP
    employees = employees_of(session, settings, Asked(now, request))
    if not employees:
        return CallbackReason.CLOSED if employees_of(session, settings) else CallbackReason.NO_TARGET
    return Plan(
        phone=request.phone,
        dialled=as_dialled(request.phone, settings.trunk),
        shown=settings.number.e164,
        trunk_id=settings.trunk_id,
        employees=employees,
        visitor_seconds=settings.visitor_seconds,
        record=_records(session, request, settings.number, now),
        judges=request.company.judge_by_phone,
        whispers=before_callback(session, request.company, request.visit_id),
    )


def _records(session: Session, request: CallbackRequest, shown: Number, now: datetime) -> bool:
    """Where a company asks before it records, a callback is not recorded: nobody asks the visitor."""
    company = request.company
    asks = consents.find(session, company, shown) or consents.find(session, company)
    return shown.record and asks is None and not is_listed(session, company.id, request.phone, now)


def spoken_seconds(session: Session, site_id: int, now: datetime) -> float:
    """How long callbacks of a site were spoken within the last 24 hours, those going on included."""
    rows = session.execute(
        sa.select(Call.talk_seconds, Call.answered_at)
        .join(CallbackTry, CallbackTry.call_key == Call.key)
        .join(CallbackRequest, CallbackRequest.id == CallbackTry.request_id)
        .where(CallbackRequest.site_id == site_id, CallbackTry.at > now - timedelta(days=1))
        .where(Call.answered_at.is_not(None))
    )
    return float(
        sum(
            (now - row.answered_at).total_seconds() if row.talk_seconds is None else row.talk_seconds
            for row in rows
        )
    )
