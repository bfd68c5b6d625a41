"""Calling out: over which trunk and under which number, where to, from which phones; a number tried out."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, request
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import outgoing, owned, targets, trunks
from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import Company, Target, TargetKind
from tracker.policy.outgoing import DAILY_CALLS, DAILY_MINUTES, Bar, emergency_numbers
from web.house import house, row_id
from web.settings import places
from web.settings.forms import EMPTY, Fields, Form, attempt, text, whole
from web.settings.room import changing, reading, show

pages = Blueprint("settings_outgoing", __name__)

CAN_CALL = {TargetKind.PEER, TargetKind.PHONE}
SHOWN = 20  # refused calls
BARS = {
    Bar.NOT_ALLOWED: _("This phone may not call out."),
    Bar.MALFORMED: _("That is no telephone number."),
    Bar.UNKNOWN_RANGE: _("A number in no range that is in use."),
    Bar.COSTLY: _("A number that costs whoever calls it: such are never called."),
    Bar.ABROAD: _("A number of another country. Allow the country if you want such calls."),
    Bar.DAILY_CALLS: _("The calls allowed a day are used up."),
    Bar.DAILY_MINUTES: _("The minutes allowed a day are used up."),
    Bar.NOT_ASKED: _("Leaseline did not answer in time, so nobody could say whether it may."),
}
FIELDS: Fields = {
    "outgoing.trunk": ("trunk",),
    "trunk.unknown": ("trunk",),
    "outgoing.number": ("number",),
    "outgoing.retired": ("number",),
    "outgoing.off": (),
    "company.region": ("countries",),
    "outgoing.prefix": ("prefixes",),
    "outgoing.calls": ("daily_calls",),
    "outgoing.minutes": ("daily_minutes",),
}


@pages.get("/settings/<company>/outgoing")
def index(company: str) -> str:
    """What is allowed, to whom, and what was refused; with `try` and `from`, what a number would come to."""
    return _page(company, EMPTY)


@pages.post("/settings/<company>/outgoing")
def change(company: str) -> Response:
    """What `do` says: allow (the fields of the rule), grant (exactly these `target`s), forbid."""

    def act() -> str:
        with changing(company) as (session, owner, by):
            if text("do") == "allow":
                outgoing.allow(session, by, owner, _wish())
            elif text("do") == "grant":
                _grant(session, by, owner)
            elif text("do") == "forbid":
                outgoing.forbid(session, by, owner)
            else:
                raise Rejected("outgoing.do", "The form does not say what to do", "Use the page's buttons")
        return f"/settings/{company}/outgoing?saved"

    return attempt(act, lambda form: _page(company, form), FIELDS)


def _wish() -> outgoing.Wish:
    if not text("trunk"):
        raise Rejected("outgoing.trunk", "No trunk is chosen", "Choose the carrier to call over")
    if not text("number"):
        raise Rejected("outgoing.number", "No number is chosen", "Choose the number that is shown")
    return outgoing.Wish(
        trunk=text("trunk"),
        number=text("number"),
        countries=_words("countries") or None,
        prefixes=_words("prefixes"),
        daily_calls=_most("daily_calls", "outgoing.calls"),
        daily_minutes=_most("daily_minutes", "outgoing.minutes"),
        record=bool(text("record")),
    )


def _most(name: str, problem_id: str) -> int:
    problem = Rejected(
        problem_id,
        "%(most)s a day is no limit",
        "Give a number from 0 to %(limit)s",
        most=text(name)[:20],
        limit=outgoing.MOST_A_DAY,
    )
    most = whole(name, problem)
    if not 0 <= most <= outgoing.MOST_A_DAY:
        raise problem
    return most


def _words(name: str) -> list[str]:
    return [each for each in re.split(r"[\s,;]+", text(name)) if each]


def _grant(session: Session, by: By, owner: Company) -> None:
    """Whoever is not ticked may call out no more; those first, as two of one address cannot both."""
    ticked = {row_id(each) for each in request.form.getlist("target")}
    able = _able(session, owner)
    outgoing.grant(session, by, owner, [each.name for each in able if each.id not in ticked], to=False)
    outgoing.grant(session, by, owner, [each.name for each in able if each.id in ticked])


def _able(session: Session, owner: Company) -> list[Target]:
    return [each for each in targets.of_company(session, owner) if each.kind in CAN_CALL]


def _page(company: str, form: Form) -> str:
    with reading(company) as (session, owner):
        rule, now = outgoing.rule_of(session, owner.id), house().clock()
        spent = outgoing.spent(session, owner.id, owner.timezone, now)
        return show(
            session,
            owner,
            "outgoing.html",
            form=form,
            rule=rule,
            usual={"daily_calls": DAILY_CALLS, "daily_minutes": DAILY_MINUTES},
            trunks=_trunks(session, rule.trunk.name if rule else ""),
            numbers=places.own_numbers(session, owner),
            able=_able(session, owner),
            spent=spent,
            minutes=round(spent.seconds / 60),
            emergency=emergency_numbers(owner.default_region),
            refused=_refused(session, owner),
            **_tried(session, owner),
        )


def _trunks(session: Session, chosen: str) -> list[tuple[str, str]]:
    """Those that are on, and the one that is chosen already."""
    found = trunks.everyone(session)
    return [(each.name, each.name) for each in found if each.retired_at is None or each.name == chosen]


def _refused(session: Session, owner: Company) -> list[tuple[Any, str, str, str]]:
    """The newest calls that did not go out, with the reason in words."""
    rows = outgoing.refused(session, owner, SHOWN)
    known = {f"{outgoing.REASON}{bar.value}": str(words) for bar, words in BARS.items()}
    return [(at, name, did, known.get(why, why)) for at, name, did, why in rows]


def _tried(session: Session, owner: Company) -> dict[str, Any]:
    """What the number in the address would come to, from that phone."""
    wanted, chosen = request.args.get("try", "").strip()[:40], request.args.get("from", "")
    if not wanted:
        return {"wanted": "", "chosen": chosen, "tried": None, "bar": None}
    target = owned.find(session, Target, owner.id, row_id(chosen))
    found = outgoing.try_number(session, owner, target, wanted, house().clock())
    bar = BARS[found.answer] if isinstance(found.answer, Bar) else None
    return {"wanted": wanted, "chosen": str(target.id), "tried": found, "bar": bar}
