"""Inlets: where a CRM or a shop tells us, how its messages are read, what came in, and a sample tried out."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, make_response, request
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import arriving, inlets, owned, targets
from tracker.errors import Rejected
from tracker.inlets import Filled
from tracker.models import Company, Inlet
from tracker.policy.inlet_kinds import KINDS
from tracker.policy.tables import BadRows
from web.house import house, row_id
from web.inlet_words import BECAME, SIGNATURES
from web.inlets import refusal, sample
from web.settings.forms import EMPTY, Form, attempt, text
from web.settings.room import changing, reading, show

pages = Blueprint("settings_inlets", __name__)

SHOWN = 50  # arrivals
FIELDS = {
    "inlet.duplicate": ("name",), "inlet.text": ("name",), "inlet.place": ("place",),
    "inlet.secret": ("secret",), "target.unknown": ("persons",),
}  # fmt: skip
PLACES = {
    "map.rows": _("The list, where a message has several in one"),
    "map.phone": _("Telephone number"),
    "map.call": _("Key of our call"),
    "map.visitor": _("Visitor of the website"),
    "map.reference": _("Number of the order or deal"),
    "map.status": _("Status"),
    "map.revenue": _("Revenue"),
    "map.profit": _("Profit"),
    "map.currency": _("Currency"),
    "map.at": _("When it was sold"),
    "map.note": _("Note"),
    "map.responsible": _("Who is responsible"),
}
STATUSES = {
    "won": _("Make a sale"),
    "cancelled": _("Cancel the sale"),
    "target": _("Make it a target call"),
    "service": _("Make it a service call"),
    "non_target": _("Make it a non-target call"),
}


@pages.get("/settings/<company>/inlets")
def index(company: str) -> str:
    """The company's inlets, and what came in there last."""
    return _index(company, EMPTY)


@pages.post("/settings/<company>/inlets")
def add(company: str) -> Response:
    """Adds an inlet like the `kind`; its secret is shown in the answer, this once."""

    def act() -> str | Response:
        with changing(company) as (session, owner, by):
            filled = Filled(name=text("name") or None, secret=text("secret") or None)
            made, secret = inlets.add(session, by, owner, text("kind"), filled, vault=house().vault)
            number = made.id
        return _once(_page(company, str(number), EMPTY, secret=secret))

    return attempt(act, lambda form: _index(company, form), FIELDS)


@pages.get("/settings/<company>/inlets/<inlet>")
def inlet_form(company: str, inlet: str) -> str:
    """An inlet: its address, how its messages are read, what came in."""
    return _page(company, inlet, EMPTY)


@pages.post("/settings/<company>/inlets/<inlet>")
def change(company: str, inlet: str) -> Response:
    """What `do` says: change, secret, try, remove."""

    def act() -> str | Response:
        match text("do"):
            case "try":
                return make_response(_page(company, inlet, Form(request.form), tried=_try(company, inlet)))
            case "secret":
                with changing(company) as (session, owner, by):
                    it = owned.find(session, Inlet, owner.id, row_id(inlet))
                    secret = inlets.renew_secret(session, by, it, vault=house().vault)
                return _once(_page(company, inlet, EMPTY, secret=secret))
            case "change" | "remove":
                with changing(company) as (session, owner, by):
                    it = owned.find(session, Inlet, owner.id, row_id(inlet))
                    if text("do") == "remove":
                        inlets.remove(session, by, it)
                        return f"/settings/{company}/inlets?saved"
                    inlets.change(session, by, it, _filled(), vault=house().vault)
                return f"/settings/{company}/inlets/{inlet}?saved"
        raise Rejected("inlet.do", "The form does not say what to do", "Use the page's buttons")

    return attempt(act, lambda form: _page(company, inlet, form), FIELDS)


def _filled() -> Filled:
    """What the form holds; an empty box of the secret means that it stays."""
    persons = [line.partition("=") for line in text("persons").splitlines() if line.strip()]
    if wrong := [word for word, equals, _name in persons if not equals]:
        raise Rejected(
            "inlet.persons", "%(line)r names nobody", "One on each line: 17 = Reception", line=wrong[0][:40]
        )
    return Filled(
        words={word: text(word) for word in (*PLACES, *STATUSES)},
        persons={word.strip(): name.strip() for word, _equals, name in persons},
        signature=text("signature"),
        place=text("place"),
        secret=text("secret") or None,
        over_people="over_people" in request.form,
        name=text("name") or None,
        anew=True,
    )


def _try(company: str, inlet: str) -> list[dict[str, Any]]:
    """What the sample would do. Raises Rejected, also for rows that are bad."""
    told = sample(request.form.get("body", ""), text("query"))
    with reading(company) as (session, owner):
        it = owned.find(session, Inlet, owner.id, row_id(inlet))
        try:
            return [each.document() for each in arriving.look(session, owner, it, told, house().clock())]
        except BadRows as bad:
            raise refusal(bad) from None


def _once(page: str) -> Response:
    answer = make_response(page)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _index(company: str, form: Form) -> str:
    with reading(company) as (session, owner):
        newest = inlets.newest_arrivals(session, owner)
        rows = [(it, newest.get(it.id)) for it in inlets.list_inlets(session, owner)]
        kinds = [(it.word, it.title) for it in KINDS.values()]
        return _show(session, owner, "inlets.html", rows=rows, form=form, kinds=kinds)


def _page(
    company: str, inlet: str, form: Form, *, secret: str | None = None,
    tried: list[dict[str, Any]] | None = None,
) -> str:  # fmt: skip
    with reading(company) as (session, owner):
        it = owned.find(session, Inlet, owner.id, row_id(inlet))
        persons = inlets.persons_of(session, it)
        return _show(
            session, owner, "inlet.html", it=it, form=form, secret=secret, tried=tried,
            address=inlets.address_of(it, house().settings.web_url, secret),
            persons="\n".join(f"{word} = {name}" for word, name in persons.items()),
            arrivals=inlets.list_arrivals(session, it, SHOWN),
            names=[each.name for each in targets.of_company(session, owner)],
        )  # fmt: skip


def _show(session: Session, owner: Company, template: str, **more: Any) -> str:
    words = {"SIGNATURES": SIGNATURES, "BECAME": BECAME, "PLACES": PLACES, "STATUSES": STATUSES}
    return show(session, owner, template, **words, **more)
