"""The plans that a company has: found, read, and as the dialplan has to know them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from tracker.errors import Rejected
from tracker.models import CallPlan, Company, PlanVersion, Target
from tracker.policy.plan import Plan
from tracker.policy.plan_text import read_plan

LONGEST_CALL = timedelta(days=1)  # longer than call_max_seconds may be
# A deleted plan is one of which no version counts any more.
_THERE = CallPlan.versions.any(PlanVersion.until_at.is_(None))


def find(session: Session, company: Company, name: str) -> CallPlan | None:
    return session.scalar(_of(company).where(CallPlan.name == name.strip()))


def get(session: Session, company: Company, name: str) -> CallPlan:
    """The company's plan of that name. Raises Rejected plan.unknown, naming those there are."""
    if plan := find(session, company, name):
        return plan
    names = [each.name for each in listed(session, company)]
    raise Rejected(
        "plan.unknown",
        "There is no plan %(name)r",
        "There are: %(names)s" if names else "Add it: `leaseline plan add`",
        name=name,
        names=names,
    )


def by_id(session: Session, company: Company, plan_id: int) -> CallPlan:
    """The company's plan of that id. Raises Rejected plan.unknown, also for what is another company's."""
    if plan := session.scalars(_of(company).where(CallPlan.id == plan_id)).one_or_none():
        return plan
    raise Rejected("plan.unknown", "There is no such plan", "Choose one from the list")


def listed(session: Session, company: Company) -> Sequence[CallPlan]:
    """All the company's plans by name."""
    wanted = _of(company).order_by(CallPlan.name).options(joinedload(CallPlan.versions))
    return session.scalars(wanted).unique().all()


def newest(plan: CallPlan) -> PlanVersion:
    return plan.versions[-1]


def stored(plan: CallPlan) -> Plan:
    """The plan as it rings now, with the ids of its targets and plans."""
    return read_plan(plan.name, newest(plan).document)


def read(session: Session, company: Company, plan: CallPlan) -> Plan:
    """The plan as it rings now, with the names of its targets and plans."""
    return named(session, company, read_plan(plan.name, newest(plan).document))


def read_all(session: Session, company: Company) -> dict[str, Plan]:
    """All the company's plans, by name and with names."""
    targets, plans = _names(session, company)
    return {
        each.name: read_plan(each.name, newest(each).document).renamed(targets, plans)
        for each in listed(session, company)
    }


def named(session: Session, company: Company, plan: Plan) -> Plan:
    """A plan that speaks of ids, with names instead."""
    return plan.renamed(*_names(session, company))


def rendered(session: Session, at: datetime, longest_call: timedelta) -> Sequence[PlanVersion]:
    """The versions that Asterisk has to know at that instant: the newest, and those calls may still be in."""
    living = PlanVersion.until_at.is_(None) | (PlanVersion.until_at > at - longest_call)
    wanted = sa.select(PlanVersion).where(living).order_by(PlanVersion.plan_id, PlanVersion.version)
    return session.scalars(wanted.options(joinedload(PlanVersion.plan))).all()


def all_asks(session: Session, company_id: int) -> frozenset[str]:
    """What any of the company's plans has to know of a call: one of them may go over to all others."""
    wanted = (
        sa.select(PlanVersion.asks)
        .join(CallPlan, CallPlan.id == PlanVersion.plan_id)
        .where(CallPlan.company_id == company_id, PlanVersion.until_at.is_(None))
    )
    return frozenset(word for asks in session.scalars(wanted) for word in asks)


def hearing(session: Session, company_id: int, prompt: str) -> list[str]:
    """The names of the plans in which the company's prompt of that name is heard."""
    ours = listed(session, session.get_one(Company, company_id))
    heard = {each.name: read_plan(each.name, newest(each).document).prompts for each in ours}
    return [name for name, prompts in heard.items() if any(each.sound == prompt for each in prompts)]


def using(session: Session, target: Target) -> list[str]:
    """The names of the plans in which that target rings."""
    company = session.get_one(Company, target.company_id)
    ours = listed(session, company)
    return [
        each.name for each in ours if str(target.id) in read_plan(each.name, newest(each).document).targets
    ]


def target_ids(session: Session, company: Company) -> dict[str, str]:
    """The ids of the company's targets by their names."""
    rows = session.execute(sa.select(Target.name, Target.id).where(Target.company_id == company.id))
    return {name: str(number) for name, number in rows}


def _of(company: Company) -> sa.Select[CallPlan]:
    return sa.select(CallPlan).where(CallPlan.company_id == company.id, _THERE)


def _names(session: Session, company: Company) -> tuple[Mapping[str, str], Mapping[str, str]]:
    targets = {number: name for name, number in target_ids(session, company).items()}
    rows = session.execute(sa.select(CallPlan.id, CallPlan.name).where(CallPlan.company_id == company.id))
    return targets, {str(number): name for number, name in rows}
