"""A plan as text: a new one from a template, and the document of one changed, every fault at its step.

What is to be heard is spoken before the change is stored, outside its transaction: it takes a while.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, request
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import plan_cases, plan_list, plan_sounds, plans, targets
from tracker.errors import Rejected
from tracker.models import CallPlan, Company
from tracker.plan_cases import Result
from tracker.policy.entries import read_title
from tracker.policy.plan import Plan
from tracker.policy.plan_cases import way
from tracker.policy.plan_check import Fault
from tracker.policy.plan_document import document_of
from tracker.policy.plan_edit import Make
from tracker.policy.plan_templates import Heard, Template, document_for, new_step
from tracker.policy.plan_text import read_plan
from tracker.policy.plan_yaml import lines_of, read_text, write_text
from web.catalogues import translator
from web.house import house, row_id
from web.settings.forms import EMPTY, Form, attempt, text
from web.settings.plan_trial_words import kept_line, kinds_of
from web.settings.plan_words import Card, cards
from web.settings.plans import FIELDS, plan_ids
from web.settings.room import changing, reading, show

pages = Blueprint("settings_plan_editor", __name__)

TEMPLATES = {
    Template.HOURS: lazy_gettext("Hours and voicemail"),
    Template.TURN: lazy_gettext("Ring in turn"),
    Template.MENU: lazy_gettext("A menu"),
    Template.OFFICE: lazy_gettext("All of it"),
}


Told = Callable[[Result], list[str]]


@dataclass(frozen=True)
class Draft:
    """A document that was typed: its steps as far as they can be read, and what is wrong."""

    cards: Sequence[Card] = ()
    faults: Sequence[Fault] = ()  # all of them, those of steps too
    lines: Mapping[str, int] = field(default_factory=dict)
    differing: Sequence[tuple[str, Result]] = ()
    plans: Mapping[str, Plan] = field(default_factory=dict)  # the one that was typed


@pages.get("/settings/<company>/plans/add")
def add_form(company: str) -> str:
    """Asks for a name and a document; `template` is hours, turn, menu or office."""
    return _add(company, EMPTY)


@pages.post("/settings/<company>/plans/add")
def add(company: str) -> Response:
    """Adds the plan `name` of the `document`, written as YAML."""

    def act() -> str:
        name, document = read_title(text("name"), "plan"), read_text(request.form.get("document", ""))
        _make_heard(company, name, document)
        with changing(company) as (session, owner, by):
            made = plans.add(session, by, owner, name, document)
        return f"/settings/{company}/plans/{made.id}?saved"

    return attempt(act, lambda form: _add(company, form), FIELDS)


@pages.get("/settings/<company>/plans/<plan>/document")
def document_form(company: str, plan: str) -> str:
    """The plan's document, to be changed by hand."""
    return _change(company, plan, EMPTY)


@pages.post("/settings/<company>/plans/<plan>/document")
def change_document(company: str, plan: str) -> Response:
    """Stores the `document`; with `anew` the trials that are kept expect from now on what they do then.

    With `version` it is refused where the plan is of another by now.
    """

    def act() -> str:
        store(company, plan, read_text(request.form.get("document", "")))
        return f"/settings/{company}/plans/{plan}?saved"

    return attempt(act, lambda form: _change(company, plan, form), FIELDS)


def store(company: str, plan: str, document: object, step: tuple[str, str] | None = None) -> None:
    """A new version of the plan, by the form's `anew` and the `version` that was looked at.

    `step`: one of its steps has another name in it. Raises Rejected as tracker.plans.change does,
    and sound.*.
    """
    anew, since = "anew" in request.form, row_id(text("version")) or None
    with reading(company) as (session, owner):
        name = plan_list.by_id(session, owner, row_id(plan)).name
    _make_heard(company, name, document)
    with changing(company) as (session, owner, by):
        found = plan_list.by_id(session, owner, row_id(plan))
        plans.change(session, by, owner, found, document, anew=anew, since=since, step=step)


def _make_heard(company: str, name: str, document: object) -> None:
    """Speaks what the plan says, if it is sound; what cannot be spoken is refused here and not in a call."""
    with reading(company) as (session, owner):
        heard = plans.to_hear(session, owner, name, document)
    plan_sounds.speak(house().settings, heard)


def _add(company: str, form: Form) -> str:
    word = form.value("template", request.args.get("template", ""))
    template = Template(word) if word in list(Template) else Template.HOURS
    with reading(company) as (session, owner):
        document = _begun(session, owner, template)
        draft = _draft(session, owner, form.value("name"), form)
        return show(
            session,
            owner,
            "plan_add.html",
            form=form,
            begun=template.value,
            TEMPLATES=TEMPLATES,
            written=write_text(document),
            shown=draft.cards or cards(read_plan("", document)),
            has_targets=bool(targets.of_company(session, owner)),
            draft=draft,
            ids=plan_ids(session, owner),
            above=_above(form),
        )


def _change(company: str, plan: str, form: Form) -> str:
    with reading(company) as (session, owner):
        found = plan_list.by_id(session, owner, row_id(plan))
        known = plan_list.read_all(session, owner)
        draft = _draft(session, owner, found.name, form)
        was, now = told_ways(session, owner, draft)
        return show(
            session,
            owner,
            "plan_document.html",
            form=form,
            plan=found,
            written=write_text(document_of(known[found.name])),
            draft=draft,
            ids=plan_ids(session, owner),
            was=was,
            now=now,
            above=_above(form),
        )


def told_ways(session: Session, owner: Company, draft: Draft) -> tuple[Told, Told]:
    """What puts into words how a kept trial went before, and how it goes by the plan that was typed."""
    kinds = kinds_of(plan_list.read_all(session, owner)) | kinds_of(draft.plans)
    return (
        lambda result: [kept_line(each, kinds) for each in result.expected],
        lambda result: [kept_line(each, kinds) for each in way(result.trial)],
    )


def _draft(session: Session, owner: Company, name: str, form: Form) -> Draft:
    """What was typed and refused, looked through once more for what to show of it."""
    if form.typed is None:
        return Draft()
    typed = form.value("document")
    try:
        return looked_through(session, owner, name, read_text(typed), lines_of(typed))
    except Rejected:
        return Draft(lines=lines_of(typed))


def looked_through(
    session: Session, owner: Company, name: str, document: object, lines: Mapping[str, int] | None = None
) -> Draft:
    """What is wrong with a document, or what it would change. Raises Rejected plan.malformed."""
    told, faults = plans.look_through(session, owner, name, document)
    if faults:
        return Draft(cards(told, faults), faults, lines or {})
    is_new = plan_list.find(session, owner, name) is None
    differing = [] if is_new else plan_cases.differing(session, owner, told)
    return Draft(lines=lines or {}, differing=differing, plans={name: told})


def _above(form: Form) -> bool:
    """Whether the refusal is to be told above the form: faults and trials are told one by one instead."""
    return form.problem is not None and form.problem.id not in {"plan.unsound", "plan.cases"}


def _begun(session: Session, owner: Company, template: Template) -> dict[str, Any]:
    names = [each.name for each in targets.of_company(session, owner)]
    return document_for(template, names, heard_by(owner))


def maker(session: Session, owner: Company, plan: CallPlan) -> Make:
    """What makes new steps of that plan: they ring the company's first target and speak its language."""
    target = next((each.name for each in targets.of_company(session, owner)), "")
    other = next((name for name in plan_ids(session, owner) if name != plan.name), "")
    heard = heard_by(owner)
    return lambda kind, then: new_step(kind, then, target, other, heard)


def heard_by(owner: Company) -> Heard:
    """What callers of the company hear until somebody says it better."""
    said = translator(owner.language)
    return Heard(said(_LEAVE), said(_CHOOSE), said(_WELCOME), said(_RECORDED), said(_TYPE))


def _(text: str) -> str:
    """Marks what is told in the company's language and not in the page's."""
    return text


_LEAVE = _("Nobody can take your call now. Please leave a message after the tone.")
_CHOOSE = _("For sales press one, for service press two.")
_WELCOME = _("Welcome.")
_RECORDED = _("This call is recorded.")
_TYPE = _("Please type the code that the website shows.")
