"""Plans of companies: kept as documents, checked as a whole before one of them is stored.

A document is written with the names of targets and plans and kept with their ids, so that renaming a target
changes no plan. Each change is a version; the one before stays in the dialplan while a call may be in it.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker import plan_cases
from tracker.audit import By
from tracker.errors import Rejected, Said, beneath, say
from tracker.held import hold
from tracker.models import CallPlan, Company, PlanUse, PlanVersion
from tracker.plan_list import find, listed, named, newest, read_all, target_ids
from tracker.plan_sounds import Heard, heard_in
from tracker.policy.entries import read_title
from tracker.policy.plan import Other, Place, Plan
from tracker.policy.plan_check import Fault, faults
from tracker.policy.plan_document import document_of
from tracker.policy.plan_text import read_plan

MOST = 100  # of a company
_NAME_KEPT = 80  # of a deleted plan's name, before its id


def add(session: Session, by: By, company: Company, name: str, document: object) -> CallPlan:
    """A new plan. Raises Rejected plan.duplicate, plan.many, plan.malformed, plan.unsound."""
    name = read_title(name, "plan")
    if find(session, company, name):
        raise Rejected("plan.duplicate", "There is a plan %(name)r already", "Choose another name", name=name)
    if len(listed(session, company)) >= MOST:
        raise Rejected("plan.many", "%(most)s plans are enough", "Delete one that nobody needs", most=MOST)
    kept = _sound(session, company, name, document)
    plan = CallPlan(company_id=company.id, name=name, created_at=by.at)
    session.add(plan)
    session.flush()
    plan.versions.append(_version(plan, kept, by))
    by.note(session, "plan.add", company.id, subject=name, detail={"document": document_of(kept)})
    session.flush()
    return plan


def change(
    session: Session, by: By, company: Company, plan: CallPlan, document: object, *, anew: bool = False,
    since: int | None = None, step: tuple[Place, Place] | None = None,
) -> bool:  # fmt: skip
    """A new version of the plan; False when it says what the plan says already.

    `since` is the version that was looked at; `step`: one of its steps has another name, before and now.
    Raises Rejected plan.stale where that is not the newest any more, plan.malformed, plan.unsound;
    plan.cases where a trial kept beside it would now go another way, unless their ways are to be kept `anew`.
    """
    _hold(session, plan, since)
    kept = _sound(session, company, plan.name, document)
    if document_of(kept) == newest(plan).document:
        return False
    if step is not None:
        plan_cases.rename(session, company, (plan.name, step[0]), (plan.name, step[1]))
    if not anew:
        plan_cases.run_again(session, company, named(session, company, kept))
    newest(plan).until_at = by.at
    plan.version += 1
    plan.versions.append(_version(plan, kept, by))
    detail = {"version": plan.version, "document": document_of(kept)}
    by.note(session, "plan.change", company.id, subject=plan.name, detail=detail)
    session.flush()
    if anew:
        plan_cases.keep_anew(session, company)
    return True


def _hold(session: Session, plan: CallPlan, since: int | None) -> None:
    """Of two who change the plan at once the second sees what the first has done."""
    gone = Rejected("plan.unknown", "There is no such plan", "Choose one from the list")
    hold(session, plan, gone)
    session.expire(plan, ["versions"])
    if since is not None and since != plan.version:
        raise Rejected(
            "plan.stale",
            "Plan %(name)r has been changed meanwhile; it is version %(version)s now",
            "Look at it in another window. Saving once more writes over it",
            name=plan.name,
            version=plan.version,
        )


def rename(session: Session, by: By, company: Company, plan: CallPlan, name: str) -> None:
    """Plans that go over to it go on doing so. Raises Rejected plan.duplicate."""
    name = read_title(name, "plan")
    if name == plan.name:
        return
    if find(session, company, name):
        raise Rejected("plan.duplicate", "There is a plan %(name)r already", "Choose another name", name=name)
    before, plan.name = plan.name, name
    plan_cases.rename(session, company, (before, ""), (name, ""))
    by.note(session, "plan.rename", company.id, subject=name, detail={"before": before})
    session.flush()


def delete(session: Session, by: By, company: Company, plan: CallPlan) -> None:
    """A plan that counts nowhere. Raises Rejected plan.used.

    Calls that are in it go on by it: its versions stay, as superseded ones do, and its name is free.
    """
    if others := [each.name for each in listed(session, company) if plan.id in _leads_to(each)]:
        raise Rejected(
            "plan.used",
            "Calls go over to plan %(name)r from: %(others)s",
            "Let them lead elsewhere first",
            name=plan.name,
            others=others,
        )
    if used := session.scalar(sa.select(sa.func.count()).where(PlanUse.plan_id == plan.id)):
        raise Rejected(
            "plan.used",
            "Plan %(name)r still counts for calls, in so many places: %(used)s",
            "Take it away from them first",
            name=plan.name,
            used=used,
        )
    by.note(session, "plan.delete", company.id, subject=plan.name, detail={"document": newest(plan).document})
    newest(plan).until_at = by.at
    plan.cases.clear()
    plan.name = f"{plan.name[:_NAME_KEPT]}\t{plan.id}"  # no name that a person can give
    session.flush()


def look_through(session: Session, company: Company, name: str, document: object) -> tuple[Plan, list[Fault]]:
    """The plan of that document, with names, and all that is wrong. Raises Rejected plan.malformed."""
    told = read_plan(name, document)
    plans = {**read_all(session, company), name: told}
    return told, [each for each in faults(plans, target_ids(session, company)) if each.plan == name]


def to_hear(session: Session, company: Company, name: str, document: object) -> Heard:
    """What the plan of that document says: to be spoken before it is kept, and outside its transaction.

    Nothing where it is unsound. Raises Rejected plan.malformed, prompt.*.
    """
    told, found = look_through(session, company, name, document)
    return {} if found else heard_in(session, company, told)


def problem(fault: Fault) -> Said:
    """A fault as one line: where, what, and what to do."""
    where = say("Step %(place)s: ", place=fault.place) if fault.place else ""
    return say("%(where)s%(text)s. %(remedy)s.", where=where, text=fault.text, remedy=fault.fix)


def _sound(session: Session, company: Company, name: str, document: object) -> Plan:
    """The plan of that document, with ids. Raises Rejected plan.malformed, plan.unsound, prompt.*."""
    told, found = look_through(session, company, name, document)
    if found:
        raise Rejected(
            "plan.unsound",
            "Plan %(name)r cannot ring as it is:\n%(faults)s",
            "Correct it; nothing was changed",
            name=name,
            faults=beneath([problem(each) for each in found]),
        )
    heard_in(session, company, told)
    ids = {each.name: str(each.id) for each in listed(session, company)}
    return told.renamed(target_ids(session, company), ids)


def _version(plan: CallPlan, kept: Plan, by: By) -> PlanVersion:
    return PlanVersion(
        version=plan.version, document=document_of(kept), asks=sorted(kept.asks), from_at=by.at, until_at=None
    )


def _leads_to(plan: CallPlan) -> set[int]:
    steps = read_plan(plan.name, newest(plan).document).steps.values()
    return {int(step.plan) for step in steps if isinstance(step, Other)}
