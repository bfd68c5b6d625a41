"""Numbers: adding one or many, what each is used for, its last calls, retiring and taking back."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, request
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import number_states, numbers, owned
from tracker.audit import By
from tracker.errors import Rejected, beneath, say
from tracker.models import Channel, Company, Number, NumberState
from tracker.number_list import BadRow, Row, read_list
from web.house import house, row_id
from web.settings import places
from web.settings.deeds import Deed, carry_out
from web.settings.forms import EMPTY, Form, attempt, differing, text, whole
from web.settings.room import changing, reading, show

pages = Blueprint("settings_numbers", __name__)

MOST = 200  # numbers in a list; more are found by their digits
TOLD = 20  # bad lines of a list that are told at once
STATES = {
    "static": lazy_gettext("In a channel"),
    "leased": lazy_gettext("Leased"),
    "resting": lazy_gettext("Resting"),
    "free": lazy_gettext("Free"),
    "unused": lazy_gettext("Not used"),
    "quarantined": lazy_gettext("Quarantined"),
    "retired": lazy_gettext("Retired"),
}
FIELDS = {
    "number.text": ("label",),
    "number.days": ("days",),
    "number.same": ("place",),
    "number.shown_to_all": ("place",),
    "number.quarantined": ("place",),
    "number.malformed": ("numbers",),
    "number.duplicate": ("numbers",),
    "number.list": ("numbers",),
    **dict.fromkeys(("list.empty", "list.columns", "list.csv", "list.long", "list.encoding"), ("numbers",)),
}


@pages.get("/settings/<company>/numbers")
def index(company: str) -> str:
    """The company's numbers: `q` looks into digits and labels, `state` narrows."""
    wanted, state = request.args.get("q", "").strip(), request.args.get("state", "")
    with reading(company) as (session, owner):
        at = house().clock()
        doing = number_states.states(session, owner, at)
        digits = "".join(each for each in wanted if each.isdigit())
        found = numbers.listed(session, owner, text=digits if len(digits) > 3 else wanted or None)
        listed = [it for it in found if _is(doing[it.number.id], state)]
        ids = [it.number.id for it in listed[:MOST]]
        return show(
            session,
            owner,
            "numbers.html",
            tally=number_states.tally(session, owner, at),
            listed=listed,
            most=MOST,
            doing=doing,
            rings=number_states.who_rings(session, ids),
            called=number_states.last_called(session, ids),
            STATES=STATES,
            wanted=wanted,
            state=state,
        )


@pages.get("/settings/<company>/numbers/add")
def add_form(company: str) -> str:
    """Asks for one number or many, and what they are for."""
    return _add(company, EMPTY)


@pages.post("/settings/<company>/numbers/add")
def add(company: str) -> Response:
    """Adds `numbers` (one a line, or CSV with columns), all or none, to `place`, each with `label`."""
    return attempt(lambda: _import(company), lambda form: _add(company, form), FIELDS)


@pages.get("/settings/<company>/numbers/<number>")
def number_form(company: str, number: str) -> str:
    """A number: what it is and was used for, who rings, its last calls."""
    return _page(company, number, EMPTY)


@pages.post("/settings/<company>/numbers/<number>")
def change(company: str, number: str) -> Response:
    """What `do` says: change (`label`, `record`), move (`place`), retire (`days`), restore, delete."""
    return attempt(
        lambda: carry_out(DEEDS, Number, company, number), lambda form: _page(company, number, form), FIELDS
    )


def _change(session: Session, by: By, _owner: Company, number: Number) -> None:
    given = {"label": text("label"), "record": bool(text("record"))}
    if wish := differing(given, {"label": number.label or "", "record": number.record}):
        numbers.change(session, by, number, **wish)


def _move(session: Session, by: By, owner: Company, number: Number) -> None:
    numbers.move(session, by, number, places.read(session, owner, text("place")))


def _retire(session: Session, by: By, _owner: Company, number: Number) -> None:
    problem = Rejected("number.days", "That is no number of days", "Give 0 to 3650 whole days")
    days = whole("days", problem)
    if not 0 <= days <= 3650:
        raise problem
    numbers.retire(session, by, number, days)


def _restore(session: Session, by: By, _owner: Company, number: Number) -> None:
    numbers.restore(session, by, number)


def _delete(session: Session, by: By, _owner: Company, number: Number) -> None:
    numbers.delete(session, by, number)


DEEDS: dict[str, Deed] = {
    "change": _change,
    "move": _move,
    "retire": _retire,
    "restore": _restore,
    "delete": _delete,
}


def _import(company: str) -> str:
    """Adds what was typed; where that is one number, a refusal is about it and not about a line."""
    with changing(company) as (session, owner, by):
        place = places.read(session, owner, text("place"))
        rows = [_meant(row, place) for row in read_list(text("numbers").encode())]
        if len(rows) == 1 and isinstance(row := rows[0], Row):
            place = numbers.find_place(session, owner, row.channel, row.pool)
            added = [numbers.add(session, by, owner, row.number, place, label=row.label, record=row.record)]
        else:
            try:
                added = numbers.import_rows(session, by, owner, rows)
            except numbers.BadRows as bad:
                lines = [
                    say("Line %(line)s: %(problem)s", line=each.line, problem=each.problem)
                    for each in bad.problems[:TOLD]
                ]
                raise Rejected("number.list", bad.said, beneath(lines)) from None
    return f"/settings/{company}/numbers" + (f"/{added[0].id}" if len(added) == 1 else "") + "?saved"


def _meant(row: Row | BadRow, place: numbers.Place) -> Row | BadRow:
    """The row with what the form says of all: the place where it names none, the label, whether to record."""
    if isinstance(row, BadRow):
        return row
    row = replace(row, label=row.label or text("label") or None, record=row.record and bool(text("record")))
    if place is None or row.channel or row.pool:
        return row
    is_channel = isinstance(place, Channel)
    return replace(row, channel=place.name if is_channel else None, pool=None if is_channel else place.name)


def _add(company: str, form: Form) -> str:
    with reading(company) as (session, owner):
        chosen = request.args.get("place", "")
        return show(
            session,
            owner,
            "numbers_add.html",
            form=form,
            places=places.choices(session, owner),
            chosen=chosen,
        )


def _page(company: str, number: str, form: Form) -> str:
    with reading(company) as (session, owner):
        found = owned.find(session, Number, owner.id, row_id(number))
        uses = numbers.uses(session, found)
        present = next((use for use in uses if use.until_at is None), None)
        return show(
            session,
            owner,
            "number.html",
            form=form,
            number=found,
            uses=uses,
            place=places.used_for(present),
            places=places.choices(session, owner),
            doing=number_states.states(session, owner, house().clock())[found.id],
            STATES=STATES,
            rings=number_states.who_rings(session, [found.id])[found.id],
            calls=numbers.last_calls(session, found),
            days=house().settings.quarantine_days,
            is_active=found.state is NumberState.ACTIVE,
        )


def _is(doing: str, state: str) -> bool:
    """Whether a number that does this belongs into the list asked for."""
    return doing == state if state in number_states.NAMES else True
