"""The list of calls, and a call's own page."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Blueprint, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import calls
from tracker.models import Number, NumberState, Target
from web import words
from web.days import by_day
from web.house import house
from web.now import look_now, over
from web.viewer import viewer

pages = Blueprint("calls", __name__)

PAGE = 50


@pages.get("/")
def home() -> Response:
    return redirect("/calls")


@pages.get("/calls")
def index() -> str:
    """Newest first; the calls going on stand on top of the first page."""
    before = request.args.get("before")
    who = viewer()
    with house().database.read() as session:
        page = calls.list_calls(session, who.company_ids, before, PAGE)
        now = None if before else look_now(session, who.company_ids)
        has_number = bool(page.calls) or _has_number(session)
    days = by_day(over(page.calls, now) if now else page.calls)
    return render_template(
        "calls.html", days=days, next=page.next, now=now, has_number=has_number, before=before
    )


@pages.get("/calls/<key>")
def show(key: str) -> str:
    """Everything known of one call."""
    with house().database.read() as session:
        story = calls.get_call(session, viewer().company_ids, key)
        names = session.execute(
            sa.select(Target.id, Target.name).where(Target.company_id == story.call.company_id)
        )
        steps = words.story(story.events, {row.id: row.name for row in names})
    return render_template("call.html", call=story.call, steps=steps, story=story)


def _has_number(session: Session) -> bool:
    wanted = sa.select(Number.id).where(
        Number.company_id.in_(viewer().company_ids), Number.state == NumberState.ACTIVE
    )
    return session.scalar(wanted.limit(1)) is not None
