"""Blocked callers: the block list, whom it always lets through, and who is challenged."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import Blueprint
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import blocks
from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import Company
from tracker.policy.block_list import read_callers, read_countries, read_expiry, read_treatment
from tracker.policy.facts import Treatment
from web.guard_words import TREATMENTS
from web.house import house, row_id
from web.settings.forms import EMPTY, Form, attempt, text, whole
from web.settings.room import changing, reading, show

pages = Blueprint("settings_blocked", __name__)

SHOWN = 500  # rules on the page; more are for the command line
FIELDS = {
    "block.prefix": ("callers",),
    "number.malformed": ("callers",),
    "block.duplicate": ("callers",),
    "block.treatment": ("treatment",),
    "block_reason.malformed": ("reason",),
    "block.expiry": ("until",),
    "guard.country": ("countries",),
}


@pages.get("/settings/<company>/blocked")
def index(company: str) -> str:
    """The rules, the newest first, and when a caller is suspicious."""
    return _page(company, EMPTY)


@pages.post("/settings/<company>/blocked")
def change(company: str) -> Response:
    """What `do` says: add (`callers`, `allow`, `treatment`, `reason`, `until`), remove-ID, conduct."""

    def act() -> str:
        verb, _, number = text("do").partition("-")
        with changing(company) as (session, owner, by):
            if verb == "add":
                _add(session, by, owner)
            elif verb == "remove":
                blocks.remove(session, by, blocks.find(session, owner.id, row_id(number)))
            elif verb == "conduct":
                blocks.change_conduct(session, by, owner, _conduct())
            else:
                raise Rejected("block.do", "The form does not say what to do", "Use the page's buttons")
        return f"/settings/{company}/blocked?saved"

    return attempt(act, lambda form: _page(company, form), FIELDS)


def _add(session: Session, by: By, owner: Company) -> None:
    callers = read_callers(text("callers"), owner.default_region)
    treatment = text("treatment")
    wish = blocks.Wish(
        allows=treatment == "allow",
        treatment=None if treatment == "allow" else read_treatment(treatment),
        reason=text("reason"),
        expires_at=read_expiry(text("until"), ZoneInfo(owner.timezone), by.at),
    )
    blocks.add(session, by, owner, callers, wish)


def _conduct() -> blocks.Conduct:
    counts = {
        name: whole(name, Rejected("guard.limit", "%(name)s is no number", "Give a whole number", name=name))
        for name in blocks.LIMITS
    }
    return blocks.Conduct(
        treatment=read_treatment(text("usual")) or Treatment.BUSY,
        watches=text("watches") == "yes",
        countries=read_countries(text("countries")),
        **counts,
    )


def _page(company: str, form: Form) -> str:
    with reading(company) as (session, owner):
        rules = blocks.of_company(session, owner.id)
        return show(
            session,
            owner,
            "blocked.html",
            form=form,
            rules=[(rule, blocks.callers_of(rule)) for rule in rules[:SHOWN]],
            count=len(rules),
            conduct=blocks.read_conduct(session, owner.id),
            TREATMENTS=TREATMENTS,
            ways=[("", gettext("The usual")), *TREATMENTS.items(), ("allow", gettext("Always through"))],
            now=house().clock(),
        )
