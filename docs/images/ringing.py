"""What a company that uses plans, callbacks and a block list has to show: part of the pictures' showroom."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session
from support.showroom import OWNER, Showroom

from tracker import blocks, callbacks, outgoing, plan_cases, plan_uses, plans, prompts
from tracker.audit import By
from tracker.blocks import Wish
from tracker.callbacks import Asking
from tracker.models import CallbackSettings, CallbackVia, Channel, Company, Number, Site, Target
from tracker.policy.block_list import read_callers
from tracker.policy.plan_cases import read_case
from tracker.settings import Settings


def ring(session: Session, settings: Settings, room: Showroom, now: datetime) -> None:
    """A plan with its trials for the billboard, a greeting, callbacks, calls out, unwanted callers."""
    company = session.get_one(Company, room.pallets.company_id)
    by = By(now - timedelta(days=3), OWNER)
    greeting = prompts.ready_words(settings, "en", "Pallets Limited. One moment, please.")
    prompts.add(session, by, company, "greeting", greeting)
    plan = plans.add(session, by, company, "Office", _office(session, room))
    plan_uses.use(session, by, session.get_one(Channel, room.pallets.billboard_channel_id), plan)
    for name, at, what in (
        ("Forenoon", "2026-12-01 09:30", {"Main line": "answers:6"}),
        ("Christmas Eve", "2026-12-24 15:00", {}),
    ):
        told = {"at": at, "targets": what, "keys": ["1"], "listens": 3}
        plan_cases.keep(session, by, plan, name, read_case(told))
    _call_back(session, room, now)
    shown = session.scalars(select(Number.e164).where(Number.company_id == company.id)).first()
    outgoing.allow(session, by, company, outgoing.Wish(trunk="pallets-carrier", number=shown))
    outgoing.grant(session, by, company, [session.get_one(Target, room.pallets.office_id).name])
    for callers, why in (("+74950000001", "sells toner"), ("+882*", "satellite numbers")):
        blocks.add(session, by, company, read_callers(callers, company.default_region), Wish(reason=why))


def _office(session: Session, room: Showroom) -> dict[str, object]:
    first, second = (
        session.get_one(Target, each).name for each in (room.pallets.office_id, room.pallets.mobile_id)
    )
    return {
        "start": "hours",
        "steps": {
            "hours": {
                "kind": "hours",
                "open": {"mon-fri": "09:00-18:00", "sat": "10:00-14:00"},
                "special": {"12-24": "09:00-12:00"},
                "holidays": ["01-01", "12-25"],
                "then": "menu",
                "closed": "box",
            },
            "menu": {
                "kind": "menu",
                "say": "For sales press one, for service press two.",
                "keys": {"1": "sales", "2": "service"},
                "then": "sales",
            },
            "sales": {
                "kind": "ring",
                "targets": [f"{first}:20", f"{second}:25"],
                "busy": "box",
                "then": "box",
            },
            "service": {
                "kind": "ring",
                "order": "at once",
                "targets": [{"target": first, "seconds": 20, "most": 2}, {"target": second, "seconds": 20}],
                "then": "box",
            },
            "box": {
                "kind": "voicemail",
                "say": "Please leave a message after the tone.",
                "mail": ["office@pallets.example"],
            },
        },
    }


def _call_back(session: Session, room: Showroom, now: datetime) -> None:
    site = session.get_one(Site, room.pallets.site_id)
    number = session.scalars(select(Number).where(Number.e164 == room.pallets.billboard)).one()
    session.add(
        CallbackSettings(
            site_id=site.id,
            is_on=True,
            trunk_id=room.pallets.trunk_id,
            number_id=number.id,
            visitor_seconds=20,
        )
    )
    session.flush()
    for minutes, phone in ((4, "8 916 123-45-67"), (55, "8 903 555-01-02"), (70, "+44 20 7946 0101")):
        callbacks.ask(session, site, Asking(phone, CallbackVia.WIDGET), now - timedelta(minutes=minutes))
