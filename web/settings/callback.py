"""How a site calls its visitors back: who is rung and when, what a night can cost, what visitors read."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from babel.dates import format_datetime
from flask import Blueprint, request
from flask_babel import get_locale
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import callback_settings, callbacks, owned, plan_list, targets, trunks
from tracker.callback_employees import plan_closes, way_of_shown
from tracker.callback_figures import PROMISE_DAYS, promise_of
from tracker.callback_rules import hours_of
from tracker.callback_settings import BOUNDS, POSITIONS, Change
from tracker.companies import LANGUAGES
from tracker.errors import Rejected
from tracker.models import CallbackSettings, CallbackState, Company, Site
from tracker.policy.callback_hours import is_open, slots
from web.callback_texts import LOOKS, TEXTS, texts_in
from web.callbacks import REASONS
from web.house import house, row_id
from web.languages import language
from web.settings import places, ring_order
from web.settings.forms import EMPTY, Form, attempt, text, whole
from web.settings.ring_order import Step
from web.settings.room import changing, reading, show

pages = Blueprint("settings_callback", __name__)

LIMITS = {
    "per_client": (_("From one address within an hour"), _("Requests; more are refused.")),
    "per_number": (_("For one number within 24 hours"), ""),
    "per_day": (_("Of this site within 24 hours"), ""),
    "seconds_per_day": (
        _("Seconds talked within 24 hours"),
        _("The cap on what a night can cost: beyond it nobody is called back. 14400 are four hours."),
    ),
}
RETRIES = {
    "visitor_seconds": (_("The visitor’s phone rings, seconds"), ""),
    "tries": (_("Tries"), _("When nobody there took the phone, or the visitor did not answer.")),
    "retry_minutes": (_("Minutes between two tries"), ""),
}
PLACES = {"bottom-right": _("Bottom right"), "bottom-left": _("Bottom left")}
FIELDS = {
    "trunk.unknown": ("trunk",),
    "callback.trunk": ("trunk",),
    "callback.number": ("number",),
    "callback.hours": ("hours",),
    "company.timezone": ("timezone",),
    "company.region": ("countries",),
    "callback.prefix": ("prefixes",),
    "callback.color": ("color", "text_color"),
    "callback.language": ("language",),
    "callback.position": ("position",),
    "callback.test": ("phone",),
    **{f"callback.{name}": (name,) for name in BOUNDS},
}
SHOWN_SLOTS = 4


@pages.get("/settings/<company>/sites/<site>/callback")
def callback_form(company: str, site: str) -> str:
    """How the site calls back; `language`: in which its own texts are shown."""
    return _page(company, site, EMPTY, None)


@pages.post("/settings/<company>/sites/<site>/callback")
def change_callback(company: str, site: str) -> str | Response:
    """What `do` says: way, rings, forwarded, limits, looks, texts, test; anything else arranges who rings."""
    do = text("do")
    if do not in DEEDS and do != "test":
        with reading(company) as (session, owner):
            steps = ring_order.arranged(session, owner, do)
        return _page(company, site, EMPTY, steps)

    def act() -> str:
        if do == "test":
            return _try_out(company, site)
        with changing(company) as (session, owner, by):
            found = owned.find(session, Site, owner.id, row_id(site))
            callback_settings.change(session, by, owner, found, DEEDS[do](session, owner))
        more = f"&language={text('language')}" if do == "texts" and text("language").isalpha() else ""
        return f"/settings/{company}/sites/{site}/callback?saved{more}"

    def again(form: Form) -> str:
        with reading(company) as (session, owner):
            steps = ring_order.typed(session, owner) if do == "rings" else None
        return _page(company, site, form, steps)

    return attempt(act, again, FIELDS)


def _try_out(company: str, site: str) -> str:
    """A refusal is kept as every other; the form says why."""
    with changing(company) as (session, owner, by):
        made = callbacks.try_out(
            session, by, owned.find(session, Site, owner.id, row_id(site)), text("phone")[:60]
        )
        state, reason, key = made.state, made.reason, made.key
    if state is CallbackState.REFUSED and reason is not None:
        why = str(REASONS[reason]).rstrip(".")
        raise Rejected("callback.test", "It is refused: %(reason)s", "Change what stands here", reason=why)
    return f"/callbacks#{key}"


def _way(_session: Session, _owner: Company) -> Change:
    return Change(
        is_on=bool(text("is_on")),
        trunk=text("trunk"),
        number=text("number"),
        hours=text("hours"),
        timezone=text("timezone"),
    )


def _rings(session: Session, owner: Company) -> Change:
    steps = ring_order.typed(session, owner)
    if not steps:
        raise Rejected("forward.empty", "No target is named", "Name one or more: TARGET or TARGET:SECONDS")
    return Change(rings=[(step.name, ring_order.seconds_of(step)) for step in steps])


def _limits(_session: Session, _owner: Company) -> Change:
    counts = {}
    for name in (*RETRIES, *LIMITS):
        least, most = BOUNDS[name]
        problem = Rejected(
            f"callback.{name}",
            "%(name)s cannot be %(value)s",
            "Give a whole number from %(least)s to %(most)s",
            name=name,
            value=text(name)[:20],
            least=least,
            most=most,
        )
        counts[name] = whole(name, problem)
    return Change(countries=_words("countries"), prefixes=_words("prefixes"), counts=counts)


def _looks(_session: Session, _owner: Company) -> Change:
    return Change(
        color=text("color"),
        text_color=text("text_color"),
        position=text("position"),
        language=text("language"),
    )


def _texts(_session: Session, _owner: Company) -> Change:
    return Change(texts={text("language"): {name: text(f"text-{name}") for name in TEXTS}})


DEEDS: Mapping[str, Callable[[Session, Company], Change]] = {
    "way": _way,
    "rings": _rings,
    "forwarded": lambda _session, _owner: Change(rings=()),
    "limits": _limits,
    "looks": _looks,
    "texts": _texts,
}


def _words(name: str) -> list[str]:
    return [each for each in re.split(r"[\s,;]+", text(name)) if each]


def _page(company: str, site: str, form: Form, steps: Sequence[Step] | None) -> str:
    with reading(company) as (session, owner):
        found = owned.find(session, Site, owner.id, row_id(site))
        it, now = callback_settings.of_site(session, found), house().clock()
        stored = _stored(session, owner, it)
        since = now - timedelta(days=PROMISE_DAYS)
        return show(
            session,
            owner,
            "callback.html",
            form=form,
            site=found,
            it=it,
            said=callback_settings.describe(session, found, it),
            steps=stored if steps is None else steps,
            unsaved=steps is not None and list(steps) != stored,
            forwarded=_forwarded(session, owner, it),
            looks=LOOKS | it.looks,
            targets=ring_order.choices(session, owner),
            usual=house().settings.ring_seconds,
            trunks=[(each.name, each.name) for each in trunks.everyone(session) if not each.retired_at],
            numbers=places.own_numbers(session, owner),
            timezones=sorted(zoneinfo.available_timezones()),
            offered=_offered(session, found, now),
            promise=promise_of(session, [owner.id], since, now, site_id=found.id),
            RETRIES=RETRIES,
            LIMITS=LIMITS,
            PLACES=[(word, PLACES[word]) for word in POSITIONS],
            form_url=f"{house().settings.web_url.rstrip('/')}/cb/{found.key}",
            **_spoken(it, form),
        )


def _stored(session: Session, owner: Company, it: CallbackSettings) -> list[Step]:
    names = {each.id: each.name for each in targets.of_company(session, owner)}
    return [
        Step(ring["target"], names[ring["target"]], str(ring["seconds"]))
        for ring in it.rings
        if ring["target"] in names
    ]


def _forwarded(session: Session, owner: Company, it: CallbackSettings) -> dict[str, Any]:
    """Who is rung where the settings name nobody: by which order, or which plan, and whether that closes."""
    way = way_of_shown(session, it)
    if way is None:
        return {"rings": [], "plan": None, "closes": False}
    names = {each.id: each.name for each in targets.of_company(session, owner)}
    return {
        "rings": [
            (names[ring.target_id], ring.ring_seconds) for ring in way.rings if ring.target_id in names
        ],
        "plan": plan_list.by_id(session, owner, way.plan.plan_id) if way.plan else None,
        "closes": way.plan is not None and plan_closes(session, owner.id, way.plan.plan_id),
    }


def _offered(session: Session, site: Site, now: datetime) -> tuple[bool, list[str]]:
    """Whether visitors are called at once at this moment, and the first of the times they may choose."""
    hours, zone = hours_of(session, site)
    times = (
        format_datetime(at, "EEE d MMM, HH:mm", tzinfo=zone, locale=get_locale())
        for at in slots(hours, zone, now, SHOWN_SLOTS)
    )
    return is_open(hours, zone, now), list(times)


def _spoken(it: CallbackSettings, form: Form) -> dict[str, Any]:
    """The texts in the language that is looked at: ours as they are, the site's own, and each one's name."""
    languages = [*LANGUAGES, *(each for each in sorted(it.texts) if each not in LANGUAGES)]
    asked = form.part("texts").value("language", request.args.get("language", ""))
    chosen = asked if asked in languages else it.language
    return {
        "languages": languages if chosen in languages else [*languages, chosen],
        "chosen": chosen,
        "own": it.texts.get(chosen, {}),
        "ours": texts_in(chosen),
        "names": texts_in(language()),
    }
