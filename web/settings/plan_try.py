"""A plan tried out before it rings: a call is told in a form, its way shown; trials that are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, request
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from tracker import plan_cases, plan_list
from tracker.errors import Rejected
from tracker.models import CallPlan, Company
from tracker.policy.plan import By, Code, Consent, Menu, Order, Other, Plan, Ring
from tracker.policy.plan_cases import Case, read_case, way
from tracker.policy.plan_trial import Answer, Trial
from web.house import house, row_id
from web.settings.forms import EMPTY, Fields, Form, attempt, text
from web.settings.plan_trial_words import ANSWERS, kept_line, kinds_of, line
from web.settings.plan_words import CALLERS, KNOWN
from web.settings.plans import plan_ids
from web.settings.room import changing, reading, show

pages = Blueprint("settings_plan_try", __name__)

FIELDS: Fields = {"plan.text": ("name",), "plan.at": ("time",), "plan_case.unknown": ()}


@dataclass(frozen=True)
class Asked:
    """What has to be told of a call: only what the plan, and those it goes over to, make a difference of."""

    targets: Mapping[str, str]  # names by ids
    known: Collection[By]
    has_keys: bool
    has_last: bool
    has_responsible: bool
    has_visitor: bool
    has_turn: bool
    has_chance: bool
    limited: Mapping[str, str]  # of the targets, those that take so many calls at a time


@pages.get("/settings/<company>/plans/<plan>/try")
def try_form(company: str, plan: str) -> str:
    """Asks for a call and shows its way; the call is in the address: `day`, `time`, `does-3`, `keys`, …"""
    return _page(company, plan, EMPTY, request.args)


@pages.post("/settings/<company>/plans/<plan>/try")
def keep(company: str, plan: str) -> Response:
    """What `do` says: keep the call in the form as the trial `name`, or forget that one."""

    def act() -> str:
        with changing(company) as (session, owner, by):
            found = plan_list.by_id(session, owner, row_id(plan))
            if text("do") == "forget":
                plan_cases.forget(session, by, found, text("name"))
            elif text("do") == "keep":
                plan_cases.keep(session, by, found, text("name"), _case(session, owner, found, request.form))
            else:
                raise Rejected("plan.do", "The form does not say what to do", "Use the page's buttons")
        return f"/settings/{company}/plans/{plan}/try?saved#kept"

    return attempt(act, lambda form: _page(company, plan, form, request.form), FIELDS)


def _page(company: str, plan: str, form: Form, told: MultiDict[str, str]) -> str:
    with reading(company) as (session, owner):
        found = plan_list.by_id(session, owner, row_id(plan))
        known = plan_list.read_all(session, owner)
        kinds = kinds_of(known)
        trial, problem = _tried(session, owner, found, told)
        clocks = house().clock().astimezone(ZoneInfo(owner.timezone))
        return show(
            session,
            owner,
            "plan_try.html",
            form=form if problem is None else Form(told, problem, FIELDS),
            plan=found,
            asked=asked(known, found.name, plan_list.target_ids(session, owner)),
            told=told,
            clocks=clocks,
            lines=[line(event, kinds) for event in trial.events] if trial else [],
            ids=plan_ids(session, owner),
            kept=plan_cases.results(session, found),
            was=lambda result: [kept_line(each, kinds) for each in result.expected],
            now=lambda result: [kept_line(each, kinds) for each in way(result.trial)],
            ending=lambda result: line(result.trial.end, kinds),
            ANSWERS=ANSWERS,
            CALLERS=CALLERS,
            KNOWN=KNOWN,
        )


def _tried(
    session: Session, owner: Company, plan: CallPlan, told: MultiDict[str, str]
) -> tuple[Trial | None, Rejected | None]:
    """The way of the call that was told; nothing was told yet: neither."""
    if not told.get("day"):
        return None, None
    try:
        return plan_cases.try_out(session, plan, _case(session, owner, plan, told)), None
    except Rejected as problem:
        return None, problem


def _case(session: Session, owner: Company, plan: CallPlan, told: MultiDict[str, str]) -> Case:
    known = plan_list.read_all(session, owner)
    wanted = asked(known, plan.name, plan_list.target_ids(session, owner))
    return read_case(case_told(wanted, told))


def asked(plans: Mapping[str, Plan], name: str, ids: Mapping[str, str]) -> Asked:
    """What makes a difference to a call by that plan."""
    steps = [step for each in _joined(plans, name) for step in plans[each].steps.values()]
    rings = [step for step in steps if isinstance(step, Ring)]
    members = [member for step in rings for member in step.members]
    words = frozenset[str]().union(*(plans[each].asks for each in _joined(plans, name)))
    return Asked(
        targets={ids[name]: name for name in dict.fromkeys(it.target for it in members) if name in ids},
        known=[by for by in By if by in words],
        has_keys=any(isinstance(step, Menu | Code | Consent) for step in steps),
        has_last="last" in words,
        has_responsible="responsible" in words,
        has_visitor="visitor" in words,
        has_turn=any(step.order is Order.ROUND for step in rings),
        has_chance=any(step.order is Order.WEIGHT for step in rings),
        limited={ids[it.target]: it.target for it in members if it.most and it.target in ids},
    )


def _joined(plans: Mapping[str, Plan], name: str) -> list[str]:
    """The plan and those it may go over to."""
    found, waiting = list[str](), [name]
    while waiting:
        each = waiting.pop()
        if each in found or each not in plans:
            continue
        found.append(each)
        waiting += [step.plan for step in plans[each].steps.values() if isinstance(step, Other)]
    return found


def case_told(wanted: Asked, told: MultiDict[str, str]) -> dict[str, Any]:
    """The trial's document of what stands in the form. Raises Rejected plan.script."""

    def value(name: str) -> str:
        return told.get(name, "").strip()

    doing = {name: value(f"does-{number}") for number, name in wanted.targets.items()}
    after = {name: value(f"after-{number}") or "0" for number, name in wanted.targets.items()}
    keys = value("keys").replace(",", " ").split()
    return {
        "at": f"{value('day')} {value('time') or '00:00'}",
        "targets": {name: f"{what}:{after[name]}" for name, what in doing.items() if what in list(Answer)},
        "keys": ["" if key == "-" else key for key in keys],
        "known": None
        if "away" in told
        else {by: value(f"known-{by}") for by in wanted.known if value(f"known-{by}")},
        "last": value("last") or None,
        "responsible": value("responsible") or None,
        "visitor": "visitor" in told,
        "gives_up": value("gives_up") or None,
        "turn": value("turn") or 0,
        "chance": value("chance") or 0,
        "listens": value("listens") or 0,
        "taken": {name: _calls(value(f"taken-{number}")) for number, name in wanted.limited.items()},
    }


def _calls(typed: str) -> int:
    if typed and not (typed.isascii() and typed.isdigit()):
        raise Rejected(
            "plan.script", "%(typed)r is no number of calls", "Give a whole number", typed=typed[:20]
        )
    return int(typed[:6] or 0)
