"""Trials that are kept beside a plan and run again on every change of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import CallPlan, Company, PlanCase
from tracker.plan_list import listed, read_all, target_ids
from tracker.policy.entries import read_title
from tracker.policy.plan import Plan
from tracker.policy.plan_cases import Case, case_document, named, read_case, renamed, same_way, try_case, way
from tracker.policy.plan_trial import Trial

MOST = 200  # of a plan


@dataclass(frozen=True)
class Result:
    """A kept trial as it goes now."""

    name: str
    case: Case
    trial: Trial
    expected: tuple[str, ...]

    @property
    def as_expected(self) -> bool:
        return same_way(self.expected, self.trial)


def keep(session: Session, by: By, plan: CallPlan, name: str, case: Case) -> Result:
    """Keeps a trial with the way that the call takes now; one of that name is replaced.

    Raises Rejected plan_case.many, plan.script.
    """
    name = read_title(name, "plan")
    _forget(session, plan, name)
    if len(plan.cases) >= MOST:
        raise Rejected("plan_case.many", "%(most)s trials are enough", "Delete one", most=MOST)
    trial = try_out(session, plan, case)
    expected = way(trial)
    plan.cases.append(PlanCase(name=name, script=case_document(case), expected=expected))
    by.note(session, "plan.case", plan.company_id, subject=plan.name, detail={"case": name, "way": expected})
    session.flush()
    return Result(name, case, trial, tuple(expected))


def try_out(session: Session, plan: CallPlan, case: Case) -> Trial:
    """What the plan does with that call now. Raises Rejected plan.script where nobody has a name it gives."""
    there = target_ids(session, plan.company)
    for name in named(case.script):
        if name not in there:
            raise Rejected(
                "plan.script",
                "There is no target %(name)r",
                "There are: %(names)s" if there else "Add targets first: `leaseline target add`",
                name=name[:40],
                names=sorted(there),
            )
    return _tried(read_all(session, plan.company), plan, case)


def forget(session: Session, by: By, plan: CallPlan, name: str) -> None:
    """Raises Rejected plan_case.unknown."""
    if not _forget(session, plan, name):
        raise Rejected(
            "plan_case.unknown",
            "Plan %(plan)r has no trial %(name)r",
            "There are: %(names)s",
            plan=plan.name,
            name=name,
            names=[each.name for each in plan.cases],
        )
    by.note(session, "plan.case_forget", plan.company_id, subject=plan.name, detail={"case": name})


def results(session: Session, plan: CallPlan) -> list[Result]:
    """Every trial that is kept beside the plan, run now."""
    return _results(read_all(session, plan.company), plan)


def run_again(session: Session, company: Company, changed: Plan) -> None:
    """Runs the trials of the plan, and of plans that may go over to it, by the changed one.

    Raises Rejected plan.cases naming those that go another way.
    """
    broken = [f"{name}/{result.name}" for name, result in differing(session, company, changed)]
    if broken:
        raise Rejected(
            "plan.cases",
            "These trials would go another way: %(names)s",
            "Look at `leaseline plan test`; forget a trial or keep it anew if the change is meant",
            names=broken,
        )


def differing(session: Session, company: Company, changed: Plan) -> list[tuple[str, Result]]:
    """By plan, the kept trials that go another way by the changed one, as they go then."""
    known = {**read_all(session, company), changed.name: changed}
    return [
        (each.name, result)
        for each in listed(session, company)
        for result in _results(known, each)
        if not result.as_expected
    ]


def rename(session: Session, company: Company, before: tuple[str, str], after: tuple[str, str]) -> None:
    """The ways that are kept name a plan ("office", ""), or a step of it, as it is called from now on."""
    for each in listed(session, company):
        for kept in each.cases:
            kept.expected = renamed(kept.expected, before, after)


def keep_anew(session: Session, company: Company) -> None:
    """The trials of the company's plans expect from now on what they do now."""
    known = read_all(session, company)
    for each in listed(session, company):
        for kept, result in zip(each.cases, _results(known, each), strict=True):
            kept.expected = way(result.trial)


def _results(known: Mapping[str, Plan], plan: CallPlan) -> list[Result]:
    found = []
    for kept in plan.cases:
        case = read_case(kept.script)
        trial = _tried(known, plan, case)
        found.append(Result(kept.name, case, trial, tuple(kept.expected)))
    return found


def _tried(known: Mapping[str, Plan], plan: CallPlan, case: Case) -> Trial:
    return try_case(known, plan.name, case, ZoneInfo(plan.company.timezone))


def _forget(session: Session, plan: CallPlan, name: str) -> bool:
    found = next((each for each in plan.cases if each.name == name), None)
    if found is not None:
        plan.cases.remove(found)
        session.flush()
    return found is not None
