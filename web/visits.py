"""The visit API: what the script on a website speaks, from whatever page it runs on.

A request names its site (by key, or by the signed token of its visit), must come from a page of that site's
domains, and is bounded in size and rate. docs/integrator.md describes it from the outside.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request

from tracker import sites, tokens, visits
from tracker.database import Database
from tracker.errors import Rejected
from tracker.grounds import Ground
from tracker.places import country_of
from tracker.policy.agents import is_bot
from tracker.policy.leasing import Miss
from tracker.policy.reported import Opening, read_happening, read_opening
from tracker.policy.swapping import written
from tracker.policy.visits import PING_SECONDS, may_remember
from tracker.together import Together
from tracker.tokens import Pass
from tracker.visits import Answer, Offer, Request
from web import errors
from web.house import house
from web.known import KnownSites
from web.limits import Limits, Place, place_of
from web.public import from_anywhere
from web.tally import Tally
from web.viewer import client_address

visits_api = Blueprint("visits", __name__, url_prefix="/api/v1/visits")

LONGEST_BODY = 65_536  # bytes; some pages keep their whole state in the address
WAIT_SECONDS = 5.0  # nobody waits longer for a number; the page keeps its own
COOKIE, COOKIE_SECONDS = "_llv", 400 * 86_400  # the longest that browsers keep one


@dataclass(frozen=True)
class Desk:
    """What this process keeps in memory for the visit API and the script."""

    known: KnownSites
    limits: Limits
    tally: Tally
    books: Together  # what is written is done in another request's thread at times: without flask in it


def install(app: Flask, database: Database, clock: Callable[[], float]) -> None:
    """Register the API; `clock` gives monotonic seconds."""
    app.extensions["leaseline.visits"] = Desk(
        KnownSites(database, clock), Limits(clock), Tally(database, clock), Together(database, WAIT_SECONDS)
    )
    app.register_blueprint(visits_api)


def desk() -> Desk:
    found: Desk = current_app.extensions["leaseline.visits"]
    return found


@visits_api.post("")
@from_anywhere
def open_() -> Response:
    """A page was opened by somebody who has no visit yet, or an old one."""
    body = _body()
    on = admitted(desk().known.by_key(str(body.get("site", ""))[:40]))
    opening = _opening(body)
    if is_bot(_agent(), dict(request.headers)):
        return _turned_away(on, Miss.BOT, told="none")
    place = place_of(client_address())
    shown = own_pass(on, opening.token)
    if not may_remember(opening.consent, needs_consent=on.site.needs_consent):
        return _speaks(place, on) or _unremembered(on, opening)
    if shown is not None:  # one visitor has one number, however often he asks: nothing to be drained here
        if refusal := _speaks(place, on):
            return refusal
    elif not desk().limits.opens(place, on.site.id):
        return _turned_away(on, Miss.LIMITED)
    trusted = not opening.automated and (shown is not None or desk().limits.believes(place))
    arrival, asked = visits.arrive(on, opening.page, _agent()), _request(on, trusted=trusted)
    answer = desk().books.write(lambda session: visits.open_visit(session, asked, arrival, opening, shown))
    return _remember(_answered(on, answer), answer)


@visits_api.post("/<token>/pages")
@from_anywhere
def pages(token: str) -> Response:
    """A further page was opened."""
    on, shown = _spoken_for(token)
    opening = _opening(_body())
    if refusal := _speaks(place_of(client_address()), on):
        return refusal
    arrival, asked = visits.arrive(on, opening.page, _agent()), _request(on)
    answer = desk().books.write(lambda session: visits.open_page(session, asked, arrival, opening, shown))
    return _answered(on, answer)


@visits_api.post("/<token>/ping")
@from_anywhere
def ping(token: str) -> Response:
    """The visitor is still looking."""
    on, shown = _spoken_for(token)
    if refusal := _speaks(place_of(client_address()), on):
        return refusal
    asked = _request(on)
    answer = desk().books.write(lambda session: visits.ping(session, asked, shown))
    return _answered(on, answer)


@visits_api.post("/<token>/leave")
@from_anywhere
def leave(token: str) -> Response:
    """The page was closed or left."""
    on, shown = _spoken_for(token)
    if refusal := _speaks(place_of(client_address()), on):
        return refusal
    now = house().clock()
    desk().books.write(lambda session: visits.leave(session, shown, now))
    return Response(status=204)


@visits_api.post("/<token>/events")
@from_anywhere
def events(token: str) -> Response:
    """A click on the phone link, a form that was sent, or what the site's own script tells."""
    on, shown = _spoken_for(token)
    what = read_happening(_body())
    if refusal := _speaks(place_of(client_address()), on):
        return refusal
    now = house().clock()
    desk().books.write(lambda session: visits.happened(session, shown, what, now))
    return Response(status=204)


@visits_api.after_request
def allow_origin(response: Response) -> Response:
    """CORS: a page may read the answer if it is one of the site's; a preflight tells nobody anything."""
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Methods"] = "POST"
        response.headers["Access-Control-Allow-Headers"] = "Content-Type"
        response.headers["Access-Control-Max-Age"] = "86400"
    elif origin := g.get("admitted_origin"):
        response.headers["Access-Control-Allow-Origin"] = origin
    elif (
        response.status_code >= 400
    ):  # why it said no is everybody's to read: whose site it is stands nowhere
        response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Vary"] = "Origin"
    return response


def _body() -> dict[str, Any]:
    """The request's JSON object, whatever its content type: `text/plain` spares a browser the preflight."""
    request.max_content_length = LONGEST_BODY
    try:
        body = json.loads(request.get_data() or b"{}")
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Rejected("visit.malformed", "The request is no JSON object", "docs/integrator.md shows one")
    return body


def _opening(body: dict[str, Any]) -> Opening:
    """The opening as it counts: a browser's privacy signal overrides, a cookie stands in."""
    opening = read_opening(body)
    if request.headers.get("Sec-GPC") == "1":
        opening = replace(opening, consent=replace(opening.consent, ads=False))
    return replace(opening, visitor=opening.visitor or request.cookies.get(COOKIE, "")[:40] or None)


def admitted(on: Ground | None) -> Ground:
    """The site, if the page that asks is one of its own. Raises Rejected site.unknown, site.origin."""
    if on is None:
        raise Rejected("site.unknown", "There is no such site", "`leaseline site show` prints the snippet")
    origin = request.headers.get("Origin")
    if origin is None:
        return on
    if not sites.accepts(on.site, _host_of(origin)):
        raise Rejected(
            "site.origin",
            "Pages of this address may not speak for the site",
            "Add its host: `leaseline site change NAME --domain HOST`",
        )
    g.admitted_origin = origin
    return on


def _host_of(origin: str) -> str:
    """The host and port of an Origin header; "" for "null" and for what is none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _spoken_for(token: str) -> tuple[Ground, Pass]:
    """Whom a token speaks for. Raises Rejected visit.token for one that is forged, or of another site."""
    claimed = tokens.claimed_site(token)
    on = desk().known.by_id(claimed) if claimed is not None else None
    shown = tokens.read(house().settings.secret_key, token)
    if on is not None:
        try:
            admitted(on)
        except Rejected:
            shown = None
    if on is None or shown is None:
        raise Rejected("visit.token", "This is no visit of yours", "Open one: POST /api/v1/visits")
    return on, shown


def own_pass(on: Ground, token: str | None) -> Pass | None:
    """The pass of an old token that came along, if it is genuine and of this site."""
    shown = tokens.read(house().settings.secret_key, token) if token else None
    return shown if shown is not None and shown.site_id == on.site.id else None


def _agent() -> str:
    return request.headers.get("User-Agent", "")[:1000]


def _request(on: Ground, *, trusted: bool = True) -> Request:
    return Request(on, house().clock(), country_of(client_address()), trusted=trusted)


def _speaks(place: Place, on: Ground) -> Response | None:
    """None when the request may go on; else the refusal."""
    wait = desk().limits.speaks(place, on.site.id)
    if not wait:
        return None
    refusal = errors.answer(
        429, Rejected("visit.limited", "Too many requests from there", "Wait as Retry-After says")
    )
    refusal.headers["Retry-After"] = str(math.ceil(wait))
    return refusal


def _turned_away(on: Ground, reason: Miss, told: str | None = None) -> Response:
    """Counted, and answered like anybody: the page keeps its own number. A robot learns no reason."""
    desk().tally.count(on, country_of(client_address()), reason, house().clock())
    return _answered(on, Answer(None, None, (), told or reason))


def _unremembered(on: Ground, opening: Opening) -> Response:
    origin, asked = visits.arrive(on, opening.page, _agent()).origin, _request(on)
    answer = desk().books.write(lambda session: visits.unremembered(session, asked, origin))
    response = _answered(on, answer)
    if COOKIE in request.cookies:
        response.delete_cookie(COOKIE)
    return response


def _answered(on: Ground, answer: Answer) -> Response:
    secret, pass_ = house().settings.secret_key, answer.speaks_for
    numbers = [_number(offer, on.region) for offer in answer.offers if _is_swapped(offer)]
    first = answer.offers[0] if answer.offers else None
    main = numbers[0] if first is not None and _is_swapped(first) else None
    return jsonify(
        visit=tokens.make(secret, pass_) if pass_ else None,
        visitor=answer.visitor_key,
        number=main and {"e164": main["e164"], "display": main["display"]},
        numbers=numbers,
        reason=answer.reason,
        hold_seconds=answer.hold_seconds,
        ping_seconds=PING_SECONDS,
        until=answer.for_seconds,
    )


def _is_swapped(offer: Offer) -> bool:
    return offer.shown.e164 is not None or offer.shown.code is not None


def _number(offer: Offer, region: str) -> dict[str, Any]:
    e164 = offer.shown.e164 or offer.real
    form = written(e164, region)
    return {
        "from": offer.real,
        "e164": e164,
        "display": form.display,
        "international": form.international,
        "variants": form.variants,
        "code": offer.shown.code,
    }


def _remember(response: Response, answer: Answer) -> Response:
    """A first-party visitor, behind the site's own proxy, is remembered by a cookie that only a server sets.

    Browsers keep it longer than anything a script has stored.
    """
    origin = request.headers.get("Origin", "")
    if answer.visitor_key and (_host_of(origin) == request.host or COOKIE in request.cookies):
        response.set_cookie(
            COOKIE, answer.visitor_key, max_age=COOKIE_SECONDS, path="/", httponly=True, samesite="Lax",
            secure=origin.startswith("https:") or house().settings.cookie_secure,
        )  # fmt: skip
    return response
