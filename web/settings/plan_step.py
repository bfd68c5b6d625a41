"""One step of a plan in a form: hours and holidays, who rings, what is heard, where the call goes then.

As on the forwarding page the order is arranged by buttons, each a request that only shows it anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from flask import Blueprint, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import plan_list, targets
from tracker.errors import Rejected
from tracker.models import CallPlan, Company
from tracker.policy.plan import FINISHED, Menu, Order, Plan, Ring, Step
from tracker.policy.plan_cases import way
from tracker.policy.plan_document import document_of
from tracker.policy.plan_text import USUAL_SECONDS
from tracker.policy.week import DAYS
from web.house import row_id
from web.settings.forms import EMPTY, Form, attempt, text
from web.settings.plan_editor import Draft, looked_through, store
from web.settings.plan_trial_words import kept_line, kinds_of
from web.settings.plan_words import KINDS, ORDERS, weekday
from web.settings.plans import FIELDS, FORMS
from web.settings.room import reading, show

pages = Blueprint("settings_plan_step", __name__)

Document = dict[str, Any]
_WAYS = {"hours": ("then", "closed"), "ring": ("then", "busy", "unreachable"), "voicemail": ()}
_ARRANGES = ("up", "down", "remove", "add")


@pages.get("/settings/<company>/plans/<plan>/steps/<step>")
def step_form(company: str, plan: str, step: str) -> str:
    """A step of the plan, to be changed in a form."""
    return _page(company, plan, step, EMPTY)


@pages.post("/settings/<company>/plans/<plan>/steps/<step>")
def change(company: str, plan: str, step: str) -> Response | str:
    """What `do` says: save the step; anything else arranges who rings and stores nothing."""
    if text("do").partition("-")[0] in _ARRANGES:
        return _page(company, plan, step, Form(request.form))

    def act() -> str:
        with reading(company) as (session, owner):
            document = _typed(session, owner, plan, step)
        store(company, plan, document)
        return f"/settings/{company}/plans/{plan}?saved#step-{step}"

    return attempt(act, lambda form: _page(company, plan, step, form), FIELDS)


def _found(session: Session, owner: Company, plan: str, place: str) -> tuple[CallPlan, Plan, Document]:
    """The plan, as it is read, and the step's document. Raises Rejected plan.unknown, plan.step."""
    row = plan_list.by_id(session, owner, row_id(plan))
    told = plan_list.read(session, owner, row)
    step = document_of(told)["steps"].get(place)
    if step is None or step["kind"] not in FORMS:
        raise Rejected("plan.step", "There is no such step", "Change the plan as text")
    return row, told, step


def _typed(session: Session, owner: Company, plan: str, place: str) -> Document:
    """The plan's document with the step as the form has it."""
    _, told, step = _found(session, owner, plan, place)
    document = document_of(told)
    document["steps"][place] = changed(step, _arranged(_members()))
    return document


def changed(step: Document, members: list[Document]) -> Document:
    """The step's document with what stands in the form."""
    found = dict(step)
    match step["kind"]:
        case "hours":
            found |= {"open": _open(), "holidays": text("holidays").split(), "special": _special()}
        case "ring":
            found |= {"targets": members, "order": text("order") or Order.IN_TURN.value}
        case "voicemail":
            found |= {"mail": text("mail").split(), "most_seconds": _whole(text("most_seconds"))}
        case "menu":
            found["keys"] = {key: text(f"key-{key}") for key in step["keys"]}
        case "last":
            found["seconds"] = _whole(text("seconds"))
    if isinstance(step.get("say"), str):
        found["say"] = text("say")
    ways = {word: text(word) for word in _WAYS.get(step["kind"], ("then",))}
    return {word: value for word, value in (found | ways).items() if value != ""}


def _open() -> dict[str, str]:
    """Days that have the same hours one after another are told as one."""
    typed = [(day, text(f"open-{day}")) for day in DAYS]
    runs = [(spans, [day for day, _ in run]) for spans, run in groupby(typed, key=lambda it: it[1])]
    return {(f"{days[0]}-{days[-1]}" if len(days) > 1 else days[0]): spans for spans, days in runs if spans}


def _special() -> dict[str, str]:
    """ "12-24 09:00-12:00" on each line."""
    lines = [line.strip() for line in text("special").splitlines() if line.strip()]
    wrong = next((line for line in lines if len(line.split(maxsplit=1)) < 2), None)
    if wrong is not None:
        raise Rejected(
            "plan.special",
            "%(line)r is no day with hours",
            "One day on each line with its hours: 12-24 09:00-12:00.",
            line=wrong[:40],
        )
    return dict(line.split(maxsplit=1) for line in lines)


def _members() -> list[Document]:
    """Who rings, as typed."""
    lists = [request.form.getlist(name) for name in ("target", "seconds", "weight", "most")]
    return [
        {
            "target": name,
            "seconds": _whole(seconds),
            "weight": _whole(weight or "1"),
            "most": _whole(most or "0"),
        }
        for name, seconds, weight, most in zip(*lists, strict=False)
    ]


def _arranged(members: list[Document]) -> list[Document]:
    """After a button: up-2, down-1, remove-3, add."""
    verb, _, number = text("do").partition("-")
    place = row_id(number) - 1
    if verb == "add" and text("new_target"):
        new = {"target": text("new_target"), "seconds": _whole(text("new_seconds")), "weight": 1, "most": 0}
        return [*members, new]
    if 0 <= place < len(members) and verb in _ARRANGES:
        moved = members.pop(place)
        if verb != "remove":
            members.insert(max(0, place + (-1 if verb == "up" else 1)), moved)
    return members


def _whole(typed: str) -> int | str:
    """A whole number; anything else is refused with the plan."""
    typed = typed.strip()
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else typed


def _page(company: str, plan: str, place: str, form: Form) -> str:
    with reading(company) as (session, owner):
        row, told, step = _found(session, owner, plan, place)
        draft = _draft(session, owner, plan, place, form)
        kinds = kinds_of({**plan_list.read_all(session, owner), **draft.plans})
        members = _arranged(_members()) if form.typed is not None else _stored_members(told.steps[place])
        return show(
            session,
            owner,
            "plan_step.html",
            form=form,
            plan=row,
            place=place,
            step=step,
            kind=KINDS[type(told.steps[place])],
            draft=draft,
            members=members,
            unsaved=form.typed is not None and form.problem is None,
            opening=_opening(step),
            places=[each for each in told.steps if each != place],
            targets=[each.name for each in targets.of_company(session, owner)],
            WEEK=[(day, weekday(number)) for number, day in enumerate(DAYS)],
            ways=_WAYS.get(step["kind"], ("then",)),
            keys=list(step["keys"]) if isinstance(told.steps[place], Menu) else [],
            ORDERS=ORDERS,
            FINISHED=FINISHED,
            usual=USUAL_SECONDS,
            was=lambda result: [kept_line(each, kinds) for each in result.expected],
            now=lambda result: [kept_line(each, kinds) for each in way(result.trial)],
        )


def _draft(session: Session, owner: Company, plan: str, place: str, form: Form) -> Draft:
    """What was typed and refused, looked through once more."""
    if form.problem is None:
        return Draft()
    name = plan_list.by_id(session, owner, row_id(plan)).name
    try:
        return looked_through(session, owner, name, _typed(session, owner, plan, place))
    except Rejected:
        return Draft()


def _stored_members(step: Step) -> list[Document]:
    found: Iterable[Any] = step.members if isinstance(step, Ring) else ()
    return [
        {"target": it.target, "seconds": it.seconds, "weight": it.weight, "most": it.most} for it in found
    ]


def _opening(step: Mapping[str, Any]) -> dict[str, str]:
    """The hours of each day of the week, as they are typed."""
    if step["kind"] != "hours":
        return {}
    each: dict[str, list[str]] = {day: [] for day in DAYS}
    for days, spans in step["open"].items():
        for day in _days(days):
            each[day].append(spans)
    return {day: ", ".join(spans) for day, spans in each.items()}


def _days(word: str) -> list[str]:
    """The days of "mon-fri" or "sat, sun", as documents are written."""
    first, dash, last = word.partition("-")
    if dash:
        return list(DAYS[DAYS.index(first) : DAYS.index(last) + 1])
    return [day.strip() for day in word.split(",")]
