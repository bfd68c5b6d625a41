"""Plans in the page: all of them, and one as its steps, where it counts, its name."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import plan_cases, plan_list, plan_uses, plans
from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import CallPlan, Company
from web.house import row_id
from web.settings import plan_places
from web.settings.deeds import Deed
from web.settings.forms import EMPTY, Form, attempt, text
from web.settings.plan_words import cards
from web.settings.room import changing, reading, show

pages = Blueprint("settings_plans", __name__)

FIELDS = {
    "plan.text": ("name",),
    "plan.duplicate": ("name",),
    "number.malformed": ("number",),
    "number.unknown": ("number",),
}


@pages.get("/settings/<company>/plans")
def index(company: str) -> str:
    """The company's plans: where each counts, and whether its trials go as they did."""
    with reading(company) as (session, owner):
        uses = plan_places.uses_of(session, owner)
        rows = [
            {
                "plan": plan,
                "steps": len(plan_list.newest(plan).document["steps"]),
                "results": plan_cases.results(session, plan),
                "uses": [use for use in uses if use.plan_id == plan.id],
            }
            for plan in plan_list.listed(session, owner)
        ]
        return show(session, owner, "plans.html", rows=rows)


@pages.get("/settings/<company>/plans/<plan>")
def plan_page(company: str, plan: str) -> str:
    """A plan: its steps in the order in which a call comes to them, and where it counts."""
    return _page(company, plan, EMPTY)


@pages.post("/settings/<company>/plans/<plan>")
def change(company: str, plan: str) -> Response:
    """What `do` says: use (for `where` or the number `number`), clear (`where`), rename (`name`), delete."""

    def act() -> str:
        with changing(company) as (session, owner, by):
            found = plan_list.by_id(session, owner, row_id(plan))
            deed = _DEEDS.get(text("do"))
            if deed is None:
                raise Rejected("plan.do", "The form does not say what to do", "Use the page's buttons")
            deed(session, by, owner, found)
        listing = f"/settings/{company}/plans"
        return f"{listing}?saved" if text("do") == "delete" else f"{listing}/{plan}?saved"

    return attempt(act, lambda form: _page(company, plan, form), FIELDS)


def _use(session: Session, by: By, owner: Company, plan: CallPlan) -> None:
    plan_uses.use(session, by, plan_places.chosen(session, owner), plan)


def _clear(session: Session, by: By, owner: Company, plan: CallPlan) -> None:
    word = text("where")
    if any(use.word == word and use.plan_id == plan.id for use in plan_places.uses_of(session, owner)):
        plan_uses.clear(session, by, plan_places.where(session, owner, word))


def _rename(session: Session, by: By, owner: Company, plan: CallPlan) -> None:
    plans.rename(session, by, owner, plan, text("name"))


_DEEDS: Mapping[str, Deed] = {"use": _use, "clear": _clear, "rename": _rename, "delete": plans.delete}


def _page(company: str, plan: str, form: Form) -> str:
    with reading(company) as (session, owner):
        found = plan_list.by_id(session, owner, row_id(plan))
        uses = plan_places.uses_of(session, owner)
        return show(
            session,
            owner,
            "plan.html",
            form=form,
            plan=found,
            cards=cards(plan_list.read(session, owner, found)),
            ids=plan_ids(session, owner),
            uses=[use for use in uses if use.plan_id == found.id],
            taken={use.word: use.plan for use in uses},
            places=plan_places.choices(session, owner),
        )


def plan_ids(session: Session, owner: Company) -> dict[str, int]:
    """The ids of the company's plans by their names."""
    return {each.name: each.id for each in plan_list.listed(session, owner)}
