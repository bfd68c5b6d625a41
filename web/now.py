"""The calls going on right now: what AMI sees, joined with what the books know of each call.

The page asks every second or two; as long as nothing changed the answer is 304 and empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session

from tracker import calls, recovery
from tracker.live import LiveCall, live_calls
from tracker.messages import is_message
from tracker.models import Call, Node
from tracker.policy.recovery import MissedCall
from web import filters
from web.days import by_day
from web.health import FRESH
from web.house import house
from web.viewer import viewer

pages = Blueprint("now", __name__)

NEWEST = 25  # calls of the list that are refreshed along with the live ones
STATES = {
    "arriving": _("Arriving"),
    "ringing": _("Ringing"),
    "talking": _("Talking"),
    "message": _("Leaves a message"),
    "open": _("In progress"),
}


@dataclass(frozen=True)
class Going:
    """A call going on. Until the books know it (`call` is None) nothing is shown of its caller."""

    key: str
    state: str
    since: datetime
    number: str
    region: str
    target: str | None
    call: Call | None

    @property
    def word(self) -> str:
        return str(STATES.get(self.state, STATES["open"]))


@dataclass(frozen=True)
class Now:
    """The calls going on, newest first, and the nodes whose calls cannot be seen at the moment."""

    going: Sequence[Going]
    away: Sequence[str]


@pages.get("/calls/now")
def now() -> Response:
    """The live calls and the newest rows of the list, as a piece of HTML; 304 when it is as it was."""
    who = viewer()
    with house().database.read() as session:
        found = look_now(session, who.company_ids)
        page = calls.list_calls(session, who.company_ids, limit=NEWEST, by=filters.asked())
        spoken = spoken_in(session, page.calls)
    days = by_day(over(page.calls, found))
    response = make_response(render_template("_now.html", now=found, days=days, spoken=spoken))
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    return response.make_conditional(request)  # type: ignore[return-value]


def look_now(session: Session, company_ids: Iterable[int]) -> Now:
    """What goes on in these companies. A fixed number of statements, however many calls are up."""
    company_ids, at = list(company_ids), house().clock()
    away = _away(session, at)
    live = live_calls(session, company_ids, at)
    books = calls.calls_by_key(session, company_ids, [each.call for each in live])
    going = [_going(each, books.get(each.call)) for each in live if each.node not in away]
    if away:  # nobody sees those nodes' calls: what the books hold open is the best that is known
        going += [_held(call) for call in calls.open_calls(session, company_ids, at) if call.node in away]
    return Now(sorted(going, key=lambda each: each.since, reverse=True), away)


def spoken_in(session: Session, found: Iterable[Call]) -> dict[int, MissedCall]:
    """Of those calls that nobody took, whether somebody has spoken with the caller since."""
    return recovery.spoken_of(session, [call.id for call in found if recovery.is_missed(call)])


def over(found: Iterable[Call], now: Now) -> list[Call]:
    """The calls for the list: without those shown as going on, and those too young to have been seen yet."""
    going, young = {each.key for each in now.going}, house().clock() - timedelta(seconds=10)
    return [it for it in found if it.key not in going and (it.ended_at is not None or it.started_at < young)]


def _away(session: Session, at: datetime) -> list[str]:
    nodes = session.scalars(sa.select(Node).where(Node.seen_at > at - timedelta(days=1)).order_by(Node.name))
    return [node.name for node in nodes if not node.ami_up or at - node.seen_at >= FRESH]


def _going(live: LiveCall, call: Call | None) -> Going:
    region = next((it.region for it in viewer().companies if it.id == live.company_id), "ZZ")
    state = "message" if call is not None and is_message(call) else live.state
    return Going(live.call, state, live.since, live.did, region, live.target_name, call)


def _held(call: Call) -> Going:
    since = call.answered_at or call.started_at
    state = "talking" if call.answered_at else "open"
    target = call.target.name if call.target else None
    return Going(call.key, state, since, call.number.e164, call.company.default_region, target, call)
