"""The list of calls, a call's own page, and the page of the visitor who made it."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, make_response, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import calls, deliveries, recovery, told
from tracker.deliveries import Asked
from tracker.errors import Rejected
from tracker.history import get_history
from tracker.journey import shows_codes
from tracker.models import Call, Number, NumberState, Target
from tracker.policy.rights import Right
from tracker.sales import sales_of_call
from tracker.share_links import links_of
from tracker.spam import unwanted_of
from tracker.whereabouts import untold, waits_for
from tracker.worth import read_worth
from web import call_story, facts, filters, timeline, views
from web.days import by_day
from web.destination_words import DELIVERY_STATES, EVENTS, UNTOLD, WAITS_FOR, WHYS
from web.house import house, row_id
from web.now import look_now, over, spoken_in
from web.viewer import hand, viewer, wants_json

pages = Blueprint("calls", __name__)

PAGE = 50


@pages.get("/calls")
def index() -> str:
    """Newest first, as far as the filter in the address asks for; the calls going on stand on top."""
    before, who, by = request.args.get("before"), viewer(), filters.asked()
    with house().database.read() as session:
        page = calls.list_calls(session, who.company_ids, before, PAGE, by)
        now = None if before else look_now(session, who.company_ids)
        has_number = bool(page.calls) or _has_number(session)
        choices = filters.choices(session, who.company_ids)
        links = views.list_links(session)
        spoken = spoken_in(session, page.calls)
    days = by_day(over(page.calls, now) if now else page.calls)
    return render_template(
        "calls.html", days=days, next=page.next, now=now, has_number=has_number, before=before,
        choices=choices, chips=filters.chips(), query=filters.query, views=links, sharing=views.sharing(),
        spoken=spoken,
    )  # fmt: skip


@pages.get("/calls/<key>")
def show(key: str) -> str:
    """Everything known of one call."""
    return call_page(key)


@pages.post("/calls/<key>/code")
def type_code(key: str) -> Response:
    """Names the call's source by the visitor code its caller told; a wrong code is said beside the field."""
    code = re.sub(r"[\s,.-]", "", request.form.get("code", ""))[:20]
    with house().database.read() as session:
        call = calls.find_call(session, viewer().company_ids, key)
    viewer().need(Right.JUDGE, call.company_id)
    by = hand()
    try:
        with house().database.write() as session:
            told.type_code(session, by, session.get_one(Call, call.id), code)
    except Rejected as problem:
        if wants_json() or not problem.id.startswith("code."):
            raise
        return make_response(call_page(key, problem, code), 400)
    return redirect(f"/calls/{key}#origin", 303)


@pages.get("/visits/<visit>")
def show_visit(visit: str) -> str:
    """What a website visitor did in one visit, and all visits and calls of that visitor."""
    who = viewer()
    with house().database.read() as session:
        found = get_history(session, who.company_ids, row_id(visit), house().clock())
    journey = found.journey
    region = next(it.region for it in who.companies if it.id == journey.visit.visitor.company_id)
    theirs = [call for call in found.calls if call.visit_id == journey.visit.id]
    days = timeline.by_day(timeline.timeline(journey, theirs, region), who.zone)
    return render_template("visit.html", journey=journey, calls=found.calls, days=days)


def call_page(key: str, problem: Rejected | None = None, code: str | None = None, **more: Any) -> str:
    """The page of a call; `more` is what the answer to a form adds to it."""
    with house().database.read() as session:
        story = calls.get_call(session, viewer().company_ids, key)
        names = session.execute(
            sa.select(Target.id, Target.name).where(Target.company_id == story.call.company_id)
        )
        targets = {row.id: row.name for row in names}
        steps, way = call_story.story(story.events, targets), facts.way(story.events, targets)
        codes = shows_codes(session, story.call.company_id)
        worth, links = read_worth(session, story.call), links_of(session, story.call)
        sold = sales_of_call(session, story.call)
        spoken = recovery.spoken_of(session, [story.call.id]).get(story.call.id)
        unwanted = unwanted_of(session, story.call, house().clock())
        told = deliveries.list_deliveries(session, viewer().company_ids, Asked(call=key), 200)
        silent = untold(session, story.call, {each.destination_id for each in told})
        went = [(it, deliveries.state_of(it), waits_for(it, house().clock())) for it in reversed(told)]
    same = [it for it in (*story.earlier, *story.later) if it.visit_id == story.call.visit_id]
    moments = timeline.timeline(story.journey, [story.call, *same], story.call.company.default_region)
    days = timeline.by_day(moments, viewer().zone)
    return render_template(
        "call.html", call=story.call, steps=steps, story=story, days=days, codes=codes, problem=problem,
        code=code, worth=worth, way=way, links=links, sold=sold,
        spoken=spoken, unwanted=unwanted, told=went, untold=silent, EVENTS=EVENTS, WHYS=WHYS,
        WAITS_FOR=WAITS_FOR, UNTOLD=UNTOLD, DELIVERIES=DELIVERY_STATES, at_once=house().clock(),
        **more,
    )  # fmt: skip


def _has_number(session: Session) -> bool:
    wanted = sa.select(Number.id).where(
        Number.company_id.in_(viewer().company_ids), Number.state == NumberState.ACTIVE
    )
    return session.scalar(wanted.limit(1)) is not None
