"""Where visitors ask to be called back: the endpoint of button and lead forms, and a plain form page.

It follows the visit API's rules: a page of the site's own, bounded in size and rate, no session and no log-in
cookie. docs/integrator.md describes it from the outside.
"""

from __future__ import annotations

import json
import math
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from flask import Blueprint, Response, jsonify, make_response, render_template, request
from flask_babel import get_locale

from tracker import api_keys, callbacks, named, visits
from tracker.callback_rules import hours_of
from tracker.callbacks import Asking
from tracker.errors import Rejected
from tracker.grounds import Ground
from tracker.models import CallbackRequest, CallbackState, CallbackVia, Site
from tracker.places import country_of
from tracker.policy.agents import is_bot
from tracker.policy.callback import CallbackReason
from tracker.policy.callback_hours import is_open, slots
from tracker.policy.reported import Page
from tracker.policy.rights import Scope
from tracker.tokens import read as read_token
from web import errors
from web.callback_texts import texts_in
from web.house import house
from web.languages import language
from web.limits import place_of
from web.public import from_anywhere, public
from web.viewer import client_address
from web.visits import admitted, allow_origin, desk

asks = Blueprint("callback_asks", __name__)
asks.after_request(allow_origin)

LONGEST_BODY = 16_384
Body = dict[str, Any]


@asks.get("/api/v1/callbacks/offer")
@from_anywhere
def offer() -> Response:
    """Whether somebody calls back at this moment, and the times that may be chosen instead."""
    on = admitted(desk().known.by_key(request.args.get("site", "")[:40]))
    now = house().clock()
    with house().database.read() as session:
        hours, zone = hours_of(session, on.site)
    return jsonify(_offer(hours, zone, now))


@asks.post("/api/v1/callbacks/ask")
@from_anywhere
def ask() -> Response:
    """Somebody asks to be called back: by the button, or by a lead form with an API key or a site key."""
    body = _body()
    token = _key_shown()
    on = _of_key(body, token) if token else admitted(desk().known.by_key(str(body.get("site") or "")[:40]))
    if refusal := _too_many(on):
        return refusal
    if not token and is_bot(request.headers.get("User-Agent", ""), dict(request.headers)):
        raise Rejected("callback.robot", "Robots are not called back", "Show an API key: `leaseline key add`")
    if body.get("website"):  # a field that people do not see
        return jsonify(callback={"key": None, "state": CallbackState.WAITING, "at": None})
    via = CallbackVia.LEAD if token or "token" not in body else CallbackVia.WIDGET
    client = _text(body, "client", 64) or None if token else client_address()
    made = _take(on, body, via, client)
    if made.state is CallbackState.REFUSED:
        return errors.answer(422, refused(made.reason))
    return jsonify(callback=told(made))


@asks.get("/cb/<site_key>")
@public
def form(site_key: str) -> Response:
    """The plain page with a form: for social networks, and for whoever has no JavaScript."""
    return _form_page(_ground(site_key))


@asks.post("/cb/<site_key>")
@public
def send_form(site_key: str) -> Response:
    """The form of that page was sent."""
    on, given = _ground(site_key), request.form.to_dict()
    if _too_many(on):
        return _form_page(on, "bad_limit", 429)
    if given.get("website"):
        return _form_page(on, done="done_now")
    given |= {"url": request.url, "referrer": given.get("from", "")}
    made = _take(on, given, CallbackVia.PAGE, client_address())
    if made.state is CallbackState.REFUSED:
        return _form_page(on, _problem(made.reason), 422)
    return _form_page(on, done="done_later" if made.wanted_at else "done_now")


def told(request_: CallbackRequest) -> dict[str, Any]:
    """A request as whoever asked is told of it. `at`: when he is called; None: at once."""
    later = request_.due_at is not None and request_.due_at > request_.requested_at
    return {
        "key": request_.key,
        "state": request_.state,
        "at": request_.due_at.isoformat() if request_.due_at and later else None,
    }


def refused(reason: CallbackReason | None) -> Rejected:
    """What is said of a wish that is not granted; its id names the reason."""
    id_ = f"callback.{reason or CallbackReason.OFF}"
    match reason:
        case CallbackReason.OFF:
            return Rejected(id_, "Nobody is called back here", "Call instead")
        case CallbackReason.HOURS:
            return Rejected(id_, "Nobody is there at that time", "Choose one of the times that are offered")
        case (
            CallbackReason.CLIENT_LIMIT
            | CallbackReason.NUMBER_LIMIT
            | CallbackReason.DAY_LIMIT
            | CallbackReason.COST_CAP
        ):
            return Rejected(id_, "That was asked for too often", "Call instead, or try again tomorrow")
    return Rejected(id_, "This number is not called back", "Give a number of this country that people answer")


def _take(on: Ground, body: Body, via: CallbackVia, client: str | None) -> CallbackRequest:
    """The wish in the books, with the visit it came from: that of the page, or one made of what is told."""
    now = house().clock()
    asking = Asking(
        phone=_text(body, "phone", 60),
        via=via,
        token=_text(body, "token", 64),
        client=client,
        name=_text(body, "name", 200),
        note=_text(body, "note", 1000),
        wanted_at=_instant(_text(body, "at", 40)),
        visit_id=_visit_shown(on, _text(body, "visit", 200)),
    )
    with house().database.write() as session:
        site = session.get_one(Site, on.site.id)
        made = callbacks.ask(session, site, asking, now)
        if made.visit_id is None and made.requested_at == now and made.state is not CallbackState.REFUSED:
            made.visit_id = _visit_told(session, on, body, now)
        return made


def _visit_told(session: Any, on: Ground, body: Body, now: datetime) -> int | None:
    """A visit of whoever comes without our script, where the form tells its address."""
    url = _text(body, "url", 2000)
    if not url.startswith(("https://", "http://")):
        return None
    page = Page(url, _text(body, "referrer", 2000) or None, None)
    arrival = visits.arrive(on, page, request.headers.get("User-Agent", "")[:1000])
    asked = visits.Request(on, now, country_of(client_address()))
    return visits.note_visit(session, asked, arrival, _text(body, "language", 20) or None)


def _visit_shown(on: Ground, token: str) -> int | None:
    """The visit that a token speaks for, if it is genuine and of this site; a wish without one counts too."""
    shown = read_token(house().settings.secret_key, token) if token else None
    return shown.visit_id if shown is not None and shown.site_id == on.site.id else None


def _ground(site_key: str) -> Ground:
    on = desk().known.by_key(site_key[:40])
    if on is None or on.site.callback is None or not on.site.callback.is_on:
        raise Rejected("site.unknown", "There is no such site", "`leaseline site show` prints the snippet")
    return on


def _of_key(body: Body, token: str) -> Ground:
    """The site that a program means, of its key's company. Raises Rejected key.wrong, site.unknown."""
    now = house().clock()
    _key, company = api_keys.let_in(house().database, token, client_address(), now, Scope.CALLBACKS_WRITE)
    wanted = _text(body, "site", 100)
    with house().database.read() as session:
        sites = named.listed(session, Site, company)
        found = next((site for site in sites if wanted in {site.key, site.name}), None)
        if found is None and not wanted and len(sites) == 1:
            found = sites[0]
        key = found.key if found else ""
    on = desk().known.by_key(key) if key else None
    if on is None:
        raise Rejected("site.unknown", "There is no such site", "Give `site`, its name or its key")
    return on


def _key_shown() -> str | None:
    given = request.authorization
    return given.token if given is not None and given.type == "bearer" else None


def _too_many(on: Ground) -> Response | None:
    wait = desk().limits.asks(place_of(client_address()), on.site.id)
    if not wait:
        return None
    refusal = errors.answer(
        429, Rejected("callback.limited", "Too many requests from there", "Wait as Retry-After says")
    )
    refusal.headers["Retry-After"] = str(math.ceil(wait))
    return refusal


def _body() -> Body:
    """JSON, whatever its content type says (`text/plain` spares a browser the preflight), or a form."""
    request.max_content_length = LONGEST_BODY
    if request.mimetype in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        return dict(request.form.to_dict())
    try:
        body = json.loads(request.get_data() or b"{}")
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Rejected(
            "callback.body", "The request is no JSON object and no form", "docs/integrator.md shows one"
        )
    return body


def _text(body: Body, name: str, longest: int) -> str:
    value = body.get(name)
    return str(value)[:longest] if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _instant(text: str) -> datetime | None:
    """A time with its zone, as the offer gives it; nothing is "at once". Raises Rejected callback.time."""
    if not text:
        return None
    found = None
    with suppress(ValueError, OverflowError):  # the last day of the year 9999, somewhere
        told = datetime.fromisoformat(text)
        found = told.astimezone(UTC) if told.tzinfo else None
    if found is None:
        raise Rejected(
            "callback.time", "%(text)r is no time", "Give one like 2026-11-30T14:30:00+01:00", text=text
        )
    return found


def _offer(hours: Any, zone: ZoneInfo, now: datetime) -> dict[str, Any]:
    return {
        "open": is_open(hours, zone, now),
        "zone": zone.key,
        "times": [each.isoformat() for each in slots(hours, zone, now)],
    }


def _problem(reason: CallbackReason | None) -> str:
    if reason in {
        CallbackReason.CLIENT_LIMIT, CallbackReason.NUMBER_LIMIT, CallbackReason.DAY_LIMIT,
        CallbackReason.COST_CAP,
    }:  # fmt: skip
        return "bad_limit"
    return "bad_other" if reason in {CallbackReason.OFF, CallbackReason.HOURS} else "bad_number"


def _clock(at: datetime, zone: ZoneInfo) -> str:
    """A time that may be chosen, by the site's clocks: "Mon 30 Nov, 14:30"."""
    return str(format_datetime(at, "EEE d MMM, HH:mm", tzinfo=zone, locale=get_locale()))


def _form_page(on: Ground, problem: str = "", status: int = 200, done: str = "") -> Response:
    now = house().clock()
    with house().database.read() as session:
        hours, zone = hours_of(session, on.site)
    own = on.site.callback.texts if on.site.callback else {}
    page = render_template(
        "callback_form.html",
        site=on.site,
        say=texts_in(language(), own),
        open_now=is_open(hours, zone, now),
        times=[(each.isoformat(), _clock(each, zone)) for each in slots(hours, zone, now)],
        problem=problem,
        done=done,
        given=request.form,
        came_from=request.form.get("from", request.referrer or ""),
    )
    response = make_response(page, status)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
