"""Links to one call: made, listed and taken back on its page; opened by somebody who has no account.

What a stranger asks for is bounded by address, so that nobody guesses tokens or fills the audit log.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_datetime
from flask import Blueprint, Flask, current_app, make_response, redirect, render_template, request
from flask_babel import get_locale
from werkzeug.wrappers import Response

from recordings import store
from tracker import calls, share_links
from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import Company, ShareLink
from tracker.policy.rights import Right
from web.audio import recording_of, send_copy
from web.calls import call_page
from web.errors import STATUS
from web.house import house, row_id
from web.limits import Buckets, Rate, place_of
from web.public import public
from web.viewer import client_address, hand, viewer, wants_json
from web.words import best_kind

pages = Blueprint("shared", __name__)

OPENINGS = Rate(30, 1 / 2)  # of pages, by one address: an office that was sent one link
PIECES = Rate(240, 12)  # of recordings: a player asks for a dozen, and for more at each jump


@dataclass(frozen=True)
class Brakes:
    openings: Buckets
    pieces: Buckets


def install(app: Flask, clock: Callable[[], float]) -> None:
    """Registers the pages; `clock` gives monotonic seconds."""
    app.extensions["leaseline.shared"] = Brakes(Buckets(OPENINGS, clock), Buckets(PIECES, clock))
    app.register_blueprint(pages)


@pages.post("/calls/<key>/share")
def make(key: str) -> str:
    """Makes a link that lives `days`, with `caller` one that shows the number; told in the answer, once."""
    days = request.form.get("days", "")
    by = hand()
    with house().database.write() as session:
        call = calls.find_call(session, viewer().company_ids, key)
        viewer().need(Right.JUDGE, call.company_id)
        token = share_links.make_link(
            session, by, call, days=row_id(days), shows_caller="caller" in request.form
        )
    return call_page(key, shared_link=house().settings.web_url.rstrip("/") + f"/shared/{token}")


@pages.post("/calls/<key>/share/<link>/revoke")
def revoke(key: str, link: str) -> Response:
    """Takes a link back: it opens nothing from now on."""
    by = hand()
    with house().database.write() as session:
        call = calls.find_call(session, viewer().company_ids, key)
        viewer().need(Right.JUDGE, call.company_id)
        share_links.revoke_link(session, by, call, row_id(link))
    return redirect(f"/calls/{key}#share", 303)


@pages.get("/shared/<token>")
@public
def show(token: str) -> Response:
    """One call for a stranger: when, how it ended, its source, its recording, and nothing else."""
    try:
        brake()
        with house().database.read() as session:
            link, call = share_links.find_link(session, token, house().clock())
        if request.method == "GET":
            with house().database.write() as session:
                share_links.note_opened(session, _stranger(link), link, call)
    except Rejected as problem:
        return over(problem)
    page = render_template(
        "shared.html", call=call, link=link, at=moment_at(call.started_at, call.company), token=token,
        until=moment_at(link.expires_at, call.company),
    )  # fmt: skip
    return apart(make_response(page))


def over(problem: Rejected) -> Response:
    """Why a link opens nothing, as a page or as JSON."""
    if wants_json() or problem.id not in STATUS:
        raise problem
    return apart(make_response(render_template("shared_over.html", problem=problem), STATUS[problem.id]))


@pages.get("/shared/<token>/audio")
@public
def play(token: str) -> Response:
    """What the player of a shared call plays, by range."""
    _brake(_brakes().pieces)
    with house().database.read() as session:
        link, call = share_links.find_link(session, token, house().clock())
        by = _stranger(link)
        heard = share_links.was_played(session, by, call)
        recording = recording_of(call)
    copy = store.open_copy(house().settings, recording, best_kind(recording))
    if not heard:
        with house().database.write() as session:
            share_links.note_played(session, by, link, call)
    return apart(send_copy(copy, None))


def brake() -> None:
    """Raises Rejected `share.too_many` for an address that opens links too often."""
    _brake(_brakes().openings)


def _brake(buckets: Buckets) -> None:
    """Raises Rejected `share.too_many` for an address that asks too often; this machine itself never does."""
    place = place_of(client_address())
    if not place.here and (wait := buckets.take(place.address)):
        raise Rejected(
            "share.too_many", "Too many tries", "Wait %(wait)s s and try again", wait=f"{wait:.0f}"
        )


def _brakes() -> Brakes:
    found: Brakes = current_app.extensions["leaseline.shared"]
    return found


def _stranger(link: ShareLink) -> By:
    return By(house().clock(), share_links.actor_of(link), client_address())


def apart(response: Response) -> Response:
    """In no search engine, and the token in no other site's log."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def moment_at(at: datetime, company: Company) -> str:
    """The instant where the company is, for a reader who may be anywhere."""
    try:
        zone = ZoneInfo(company.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    return str(format_datetime(at, "EEEE, d MMMM y, HH:mm (VVV)", tzinfo=zone, locale=get_locale()))
