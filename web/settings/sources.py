"""A company's own rules on where visits come from, in their order, and a box to try an address in."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, request
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import sources
from tracker.errors import Rejected
from tracker.models import Company
from tracker.policy.sources import Decision, Part, decide
from web.house import row_id
from web.settings.forms import EMPTY, Form, attempt, text
from web.settings.room import changing, reading, show

pages = Blueprint("settings_sources", __name__)

LONGEST = 2000  # characters of an address that is tried
PARTS = {
    Part.LANDING: lazy_gettext("The landing address"),
    Part.REFERRER: lazy_gettext("The referrer"),
}
FIELDS = {
    "source.part": ("part",),
    "source.pattern": ("pattern",),
    "source.text": ("source", "medium", "campaign"),
}


@dataclass(frozen=True)
class Tried:
    """What was typed into the box: the address that a visit begins at, and the one that was left for it."""

    url: str
    referrer: str


@pages.get("/settings/<company>/sources")
def index(company: str) -> str:
    """The company's rules; with `url` and perhaps `referrer`, what would be decided about such a visit."""
    return _page(company, EMPTY)


@pages.post("/settings/<company>/sources")
def change(company: str) -> Response:
    """What `do` says: add (`part`, `pattern`, `source`, `medium`, `campaign`), up-2, down-2, delete-2."""

    def act() -> str:
        verb, _, number = text("do").partition("-")
        place = row_id(number)
        with changing(company) as (session, owner, by):
            if verb == "add":
                sources.add_rule(
                    session,
                    by,
                    owner,
                    text("part"),
                    text("pattern"),
                    medium=text("medium"),
                    source=text("source"),
                    campaign=text("campaign") or None,
                )
            elif verb in {"up", "down"}:
                sources.move_rule(session, by, owner, place, place + (-1 if verb == "up" else 1))
            elif verb == "delete":
                sources.delete_rule(session, by, owner, place)
            else:
                raise Rejected("source.do", "The form does not say what to do", "Use the page's buttons")
        return f"/settings/{company}/sources?saved"

    return attempt(act, lambda form: _page(company, form), FIELDS)


def _page(company: str, form: Form) -> str:
    given = request.args
    tried = Tried(given.get("url", "").strip()[:LONGEST], given.get("referrer", "").strip()[:LONGEST])
    with reading(company) as (session, owner):
        return show(
            session,
            owner,
            "sources.html",
            form=form,
            rules=sources.rows_of(session, owner.id),
            PARTS=PARTS,
            tried=tried,
            decision=_decide(session, owner, tried) if tried.url else None,
        )


def _decide(session: Session, owner: Company, tried: Tried) -> Decision:
    """As for a real visit of the company's."""
    return decide(
        tried.url,
        tried.referrer or None,
        own_hosts=sources.own_hosts_of(session, owner.id),
        rules=sources.rules_of(session, owner.id),
        known=sources.known_referrers(session),
    )
