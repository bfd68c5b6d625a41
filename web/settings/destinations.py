"""Destinations: where calls are told, how each fares, what it was told; tried out before it counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, make_response, redirect, request
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import deliveries, destination_access, destination_list, destination_trial, owned
from tracker.audit import By
from tracker.deliveries import Asked
from tracker.destination_list import NO_LAG, Filled
from tracker.destination_safe import Safe
from tracker.destination_trial import Tried
from tracker.destinations import KINDS, FieldKind, Kind
from tracker.destinations.fields import kind_of
from tracker.destinations.oauth import REFRESH
from tracker.errors import Rejected
from tracker.models import Company, Destination
from tracker.whereabouts import waits_for
from web.catalogues import translator
from web.destination_words import DELIVERY_STATES, DESTINATION_STATES, EVENTS, WAITS_FOR, WHYS
from web.house import house, row_id
from web.settings.forms import EMPTY, Form, attempt, text
from web.settings.room import changing, reading, show
from web.viewer import viewer

pages = Blueprint("settings_destinations", __name__)

SHOWN = 50  # deliveries of a destination


@dataclass(frozen=True)
class Box:
    """A field of a destination's form, in the page's language."""

    name: str
    label: str
    hint: str
    kind: str
    required: bool
    usual: str
    choices: tuple[str, ...]
    stored: str
    removable: bool  # a secret that is kept and need not be

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The choices as a form's options."""
        return [(each, each) for each in self.choices]


@pages.get("/settings/<company>/destinations")
def index(company: str) -> str:
    """The company's destinations, how each fares, and the kinds there are."""
    with reading(company) as (session, owner):
        lags = destination_list.lags(session, owner, house().clock())
        rows = [
            (it, destination_list.describe(it), lags.get(it.id, NO_LAG))
            for it in destination_list.list_destinations(session, owner)
        ]
        return _show(session, owner, "destinations.html", rows=rows, kinds=_kinds())


@pages.get("/settings/<company>/destinations/add/<word>")
def add_form(company: str, word: str) -> str:
    """Asks for what a destination of that kind needs."""
    return _add(company, word, EMPTY)


@pages.post("/settings/<company>/destinations/add/<word>")
def add(company: str, word: str) -> Response:
    """Adds a destination; a webhook's secret is shown in the answer, this once."""

    def act() -> str | Response:
        with changing(company) as (session, owner, by):
            filled = _filled(kind_of(word), changed=False)
            made = destination_list.add(session, by, owner, word, filled, vault=house().vault)
            number, sealed = made.id, made.secrets
        if word != "webhook" or text("secret"):
            return f"/settings/{company}/destinations/{number}?saved"
        answer = make_response(
            _page(company, str(number), EMPTY, secret=house().vault.open(sealed)["secret"])
        )
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return attempt(act, lambda form: _add(company, word, form), {})


@pages.get("/settings/<company>/destinations/<destination>")
def destination_form(company: str, destination: str) -> str:
    """A destination: how it fares, its fields, what it was told last."""
    return _page(company, destination, EMPTY)


@pages.post("/settings/<company>/destinations/<destination>")
def change(company: str, destination: str) -> Response:
    """What `do` says: change, test, pause, resume, replay, forget, delete."""
    deed = _DEEDS.get(text("do"))

    def act() -> str | Response:
        if text("do") == "test":
            return make_response(_page(company, destination, EMPTY, tried=_try(company, destination)))
        if deed is None:
            raise Rejected("destination.do", "The form does not say what to do", "Use the page's buttons")
        with changing(company) as (session, owner, by):
            deed(session, by, owned.find(session, Destination, owner.id, row_id(destination)))
        things = f"/settings/{company}/destinations"
        return f"{things}?saved" if text("do") == "delete" else f"{things}/{destination}?saved"

    return attempt(act, lambda form: _page(company, destination, form), {})


@pages.get("/settings/<company>/destinations/<destination>/connect")
def connect(company: str, destination: str) -> Response:
    """Leads on to the other system, which asks whether it may let us in."""
    with reading(company) as (session, owner):
        it = owned.find(session, Destination, owner.id, row_id(destination))
        asker = owner.slug, viewer().token
        place = destination_access.question(it, _safe(it), house().settings, asker, house().clock())
    return redirect(place, 302)


@pages.get(destination_access.PLACE)
def connected() -> Response:
    """Where the other system sends the browser back to, with a code; leads on to the destination."""
    settings, now, told = house().settings, house().clock(), request.args
    company, number = destination_access.read_state(settings, viewer().token, told.get("state", ""), now)
    with reading(company) as (session, owner):
        it = owned.find(session, Destination, owner.id, number)
        session.expunge(it)
    try:
        destination_access.connect(it, _safe(it), settings, told.get("code", ""), now)
    except Rejected as problem:
        return make_response(_page(company, str(number), Form(None, problem)), 400)
    with changing(company) as (session, owner, by):
        destination_access.note(session, by, owned.find(session, Destination, owner.id, number))
    return redirect(f"/settings/{company}/destinations/{number}?saved", 303)


def _change(session: Session, by: By, it: Destination) -> None:
    destination_list.change(session, by, it, _filled(kind_of(it.kind), changed=True), vault=house().vault)


def _replay(session: Session, by: By, it: Destination) -> None:
    """What was chosen in the list; or all that was given up from one day of the company's to another."""
    if text("since"):
        zone = ZoneInfo(session.get_one(Company, it.company_id).timezone)
        since, until = _day(text("since"), zone), _day(text("until") or text("since"), zone)
        deliveries.replay(session, by, it, since=since, until=until + timedelta(days=1))
        return
    chosen = [row_id(each) for each in request.form.getlist("delivery")]
    deliveries.replay(session, by, it, ids=chosen)


def _day(typed: str, zone: ZoneInfo) -> datetime:
    """The first instant of a day. Raises Rejected delivery.day."""
    try:
        return datetime.combine(date.fromisoformat(typed), time(), zone)
    except ValueError:
        raise Rejected("delivery.day", "%(day)s is no day", "Give it as 2026-11-27", day=typed[:20]) from None


_DEEDS: Mapping[str, Callable[[Session, By, Destination], None]] = {
    "change": _change,
    "pause": lambda session, by, it: destination_list.pause(session, by, it, paused=True),
    "resume": lambda session, by, it: destination_list.pause(session, by, it, paused=False),
    "replay": _replay,
    "forget": lambda session, by, it: destination_list.forget_secret(session, by, it, vault=house().vault),
    "delete": destination_list.delete,
}


def _filled(kind: Kind, *, changed: bool) -> Filled:
    """What the form holds; an empty box of a secret that is kept means that it stays, unless it says so."""
    values = {
        each.name: text(each.name)
        for each in kind.fields
        if text(each.name)
        or not (changed and each.kind is FieldKind.SECRET)
        or text(f"without_{each.name}") == "yes"
    }
    return Filled(values, request.form.getlist("event"), text("name") or None)


def _try(company: str, destination: str) -> Tried:
    with reading(company) as (session, owner):
        its = owned.find(session, Destination, owner.id, row_id(destination)).id
    return destination_trial.try_now(
        house().database, house().settings, its, house().clock(), translator=translator
    )


def _add(company: str, word: str, form: Form) -> str:
    kind = kind_of(word)
    with reading(company) as (session, owner):
        return _show(
            session, owner, "destination_add.html", kind=kind, about=kind.about.told(gettext),
            form=_about_its_field(form), boxes=_boxes(kind, {}, set()),
            redirect=destination_access.redirect_of(house().settings),
        )  # fmt: skip


def _page(
    company: str, destination: str, form: Form, *, secret: str | None = None, tried: Tried | None = None
) -> str:
    with reading(company) as (session, owner):
        it = owned.find(session, Destination, owner.id, row_id(destination))
        kind = kind_of(it.kind)
        now, state = house().clock(), request.args.get("state", "")
        lag = destination_list.lags(session, owner, now).get(it.id, NO_LAG)
        asked = Asked(destination_id=it.id, state=state if state in DELIVERY_STATES else None)
        told = deliveries.list_deliveries(session, [owner.id], asked, SHOWN)
        return _show(
            session, owner, "destination.html", it=it, kind=kind, form=_about_its_field(form), lag=lag,
            state=destination_list.describe(it)["state"], boxes=_boxes(kind, it.options, _kept(it)),
            told=[(each, deliveries.state_of(each), waits_for(each, now)) for each in told], secret=secret,
            tried=tried, two_secrets="secret_before" in _kept(it), at_once=now, wanted=asked.state or "",
            today=now.astimezone(ZoneInfo(owner.timezone)).date(),
            redirect=destination_access.redirect_of(house().settings), connected=REFRESH in _kept(it),
            has_application={"client_id", "client_secret"} <= _kept(it),
        )  # fmt: skip


def _show(session: Session, owner: Company, template: str, **more: Any) -> str:
    words = {
        "EVENTS": EVENTS, "WHYS": WHYS, "WAITS_FOR": WAITS_FOR, "STATES": DESTINATION_STATES,
        "DELIVERIES": DELIVERY_STATES,
    }  # fmt: skip
    return show(session, owner, template, **words, **more)


def _kinds() -> list[tuple[str, str, str]]:
    return [(it.word, it.title, it.about.told(gettext)) for it in KINDS.values()]


def _boxes(kind: Kind, options: Mapping[str, str], kept: set[str]) -> list[Box]:
    return [
        Box(
            it.name,
            it.label.told(gettext),
            it.hint.told(gettext),
            it.kind.value,
            it.required and it.name not in kept,
            it.usual,
            it.choices,
            "•" if it.name in kept else options.get(it.name, ""),
            # A webhook without a secret would get another one, which nobody has seen.
            it.name in kept and not it.required and not it.signs,
        )
        for it in kind.fields
    ]


def _kept(it: Destination) -> set[str]:
    """The names of its secrets; of none where another key sealed them."""
    try:
        return set(house().vault.open(it.secrets))
    except Rejected:
        return set()


def _about_its_field(form: Form) -> Form:
    """The refusal beside the field that it names."""
    if form.problem is None:
        return form
    about = {
        "destination.duplicate": "name",
        "destination.name": "name",
        "destination.event": "event",
        "destination.place": "url",
    }
    name = about.get(form.problem.id) or str(form.problem.said.values.get("name", ""))
    return Form(form.typed, form.problem, {form.problem.id: (name,)} if name in (form.typed or {}) else {})


def _safe(it: Destination) -> Safe:
    return Safe(house().database, house().vault, it.id, house().clock)
