"""One step of a plan in a form: what happens there, where the call goes then; put in, taken out, named anew.

As on the forwarding page the order is arranged by buttons, each a request that only shows it anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import plan_list, prompts, targets
from tracker.errors import Rejected
from tracker.models import CallPlan, Company
from tracker.policy.plan import FINISHED, Plan, Ring, Step
from tracker.policy.plan_check import KEYS
from tracker.policy.plan_document import document_of
from tracker.policy.plan_edit import NEW, Document, begun, grown, named_anew, taken_out
from tracker.policy.plan_text import USUAL_SECONDS
from tracker.policy.week import DAYS
from web.house import row_id
from web.settings import plan_form
from web.settings.forms import EMPTY, Form, attempt, text
from web.settings.plan_editor import Draft, looked_through, maker, store, told_ways
from web.settings.plan_words import BRANCHES, CAUSES, KINDS, ORDERS, kinds_by_word, weekday
from web.settings.plans import FIELDS, plan_ids
from web.settings.room import reading, show

pages = Blueprint("settings_plan_step", __name__)

FIELDS = {**FIELDS, "plan.say": ("say",), "plan.step_name": ("name",), "plan.special": ("special",)}
_MORE_CASES = 2  # empty rows for further ones


@dataclass(frozen=True)
class Found:
    """The step that the address names; `places`: where calls may go from it."""

    row: CallPlan
    told: Plan
    place: str
    step: Document

    @property
    def document(self) -> Document:
        return document_of(self.told)

    @property
    def places(self) -> list[str]:
        return [each for each in self.told.steps if each != self.place]


@pages.get("/settings/<company>/plans/<plan>/steps/<step>")
def step_form(company: str, plan: str, step: str) -> str:
    """A step of the plan, to be changed in a form."""
    return _page(company, plan, step, EMPTY)


@pages.post("/settings/<company>/plans/<plan>/steps/<step>")
def change(company: str, plan: str, step: str) -> Response | str:
    """What `do` says: save the step, drop it; anything else arranges who rings and stores nothing."""
    if text("do").partition("-")[0] in plan_form.ARRANGES:
        return _page(company, plan, step, Form(request.form))

    def act() -> str:
        with reading(company) as (session, owner):
            document, place = _changed(session, owner, plan, step)
        name = text("name") or step
        store(company, plan, document, (step, name))
        here = f"/settings/{company}/plans/{plan}"
        return f"{here}/steps/{place}?saved" if place else f"{here}?saved#step-{name}"

    return attempt(act, lambda form: _page(company, plan, step, form), FIELDS)


@pages.get("/settings/<company>/plans/<plan>/steps")
def begin_form(company: str, plan: str) -> str:
    """Asks with which step the plan shall begin."""
    return _begin(company, plan, EMPTY)


@pages.post("/settings/<company>/plans/<plan>/steps")
def begin(company: str, plan: str) -> Response:
    """Puts a step of the `kind` before all of the plan."""

    def act() -> str:
        with reading(company) as (session, owner):
            document, place = _begun(session, owner, plan)
        store(company, plan, document)
        return f"/settings/{company}/plans/{plan}/steps/{place}?saved"

    return attempt(act, lambda form: _begin(company, plan, form), FIELDS)


def _found(session: Session, owner: Company, plan: str, place: str) -> Found:
    """Raises Rejected plan.unknown, plan.step."""
    row = plan_list.by_id(session, owner, row_id(plan))
    told = plan_list.read(session, owner, row)
    step = document_of(told)["steps"].get(place)
    if step is None:
        raise Rejected("plan.step", "There is no such step", "Choose one on the plan's page")
    return Found(row, told, place, step)


def _changed(session: Session, owner: Company, plan: str, place: str) -> tuple[Document, str | None]:
    """The plan's document as the form has it, and the first of the steps that are new in it."""
    found = _found(session, owner, plan, place)
    if text("do") == "drop":
        return taken_out(found.document, place).document, None
    document, new = grown(
        found.document, place, plan_form.typed(found.step), maker(session, owner, found.row)
    )
    name = text("name") or place
    return (document if name == place else named_anew(document, place, name)), new


def _begun(session: Session, owner: Company, plan: str) -> tuple[Document, str]:
    row = plan_list.by_id(session, owner, row_id(plan))
    document = document_of(plan_list.read(session, owner, row))
    return begun(document, text("kind"), maker(session, owner, row))


def _page(company: str, plan: str, place: str, form: Form) -> str:
    with reading(company) as (session, owner):
        found = _found(session, owner, plan, place)
        is_dropped = text("do") == "drop"
        draft = _draft(session, owner, found, form)
        shown = EMPTY if is_dropped else form
        was, now = told_ways(session, owner, draft)
        return show(
            session,
            owner,
            "plan_step.html",
            form=shown,
            refusal=form,
            plan=found.row,
            place=place,
            step=found.step,
            kind=KINDS[type(found.told.steps[place])],
            draft=draft,
            is_dropped=is_dropped,
            removal=taken_out(found.document, place),
            unsaved=form.typed is not None and form.problem is None,
            **_choices(session, owner, found, shown),
            was=was,
            now=now,
        )


def _choices(session: Session, owner: Company, found: Found, form: Form) -> dict[str, Any]:
    """What there is to choose from, and what stands in the form's lists."""
    is_typed = form.typed is not None
    stored = found.step.get("cases", {}).items()
    others = [name for name in plan_ids(session, owner) if name != found.told.name]
    return {
        "members": plan_form.arranged(plan_form.members()) if is_typed else _members(found),
        "cases": [
            *(it for it in (plan_form.cases() if is_typed else stored) if it[0]),
            *[("", found.step.get("then", FINISHED))] * _MORE_CASES,
        ],
        "opening": _opening(found.step),
        "places": found.places,
        "targets": [each.name for each in targets.of_company(session, owner)],
        "prompts": [each.name for each in prompts.of_company(session, owner)],
        "others": others,
        "kinds": [(NEW + word, name) for word, name in kinds_by_word(has_others=bool(others)).items()],
        "WEEK": [(day, weekday(number).capitalize()) for number, day in enumerate(DAYS)],
        "ways": plan_form.ways_of(found.step["kind"]),
        "KEYS": KEYS,
        "key_pairs": [(key, key) for key in KEYS],
        "BRANCHES": BRANCHES,
        "CAUSES": CAUSES,
        "ORDERS": ORDERS,
        "FINISHED": FINISHED,
        "usual": USUAL_SECONDS,
    }


def _draft(session: Session, owner: Company, found: Found, form: Form) -> Draft:
    """What was typed and refused, looked through once more."""
    if form.problem is None:
        return Draft()
    try:
        document, _ = _changed(session, owner, str(found.row.id), found.place)
        return looked_through(session, owner, found.row.name, document)
    except Rejected:
        return Draft()


def _begin(company: str, plan: str, form: Form) -> str:
    with reading(company) as (session, owner):
        row = plan_list.by_id(session, owner, row_id(plan))
        draft = Draft()
        if form.problem is not None and form.problem.id in {"plan.unsound", "plan.cases"}:
            draft = looked_through(session, owner, row.name, _begun(session, owner, plan)[0])
        others = [name for name in plan_ids(session, owner) if name != row.name]
        was, now = told_ways(session, owner, draft)
        kinds = kinds_by_word(has_others=bool(others), ends=False).items()
        return show(
            session, owner, "plan_begin.html", form=form, plan=row, kinds=kinds, draft=draft, was=was, now=now
        )


def _members(found: Found) -> list[Document]:
    step: Step = found.told.steps[found.place]
    stored: Iterable[Any] = step.members if isinstance(step, Ring) else ()
    return [
        {"target": it.target, "seconds": it.seconds, "weight": it.weight, "most": it.most} for it in stored
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
