"""Unwanted callers beside the calls: the page of what was kept out, and the buttons of a call's page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import blocks, calls, spam
from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import Call, Company
from tracker.policy.rights import Right
from web.house import house
from web.viewer import hand, viewer

pages = Blueprint("spam", __name__)


@pages.get("/spam")
def index() -> str:
    """What was blocked, challenged and marked in the last days."""
    with house().database.read() as session:
        found = spam.read_spam(session, viewer().company_ids, house().clock())
    owners = viewer().having(Right.ADMINISTER)
    return render_template("spam.html", found=found, days=spam.DAYS, most=spam.MOST, owners=owners)


@pages.post("/calls/<key>/spam")
def mark(key: str) -> Response:
    """Says that the call is spam (`spam`: yes), or that it is none (no)."""
    word = request.form.get("spam", "")
    if word not in {"yes", "no"}:
        raise Rejected("spam.do", "The form does not say what to do", "Use the page's buttons")
    with _judging(key) as (session, by, call):
        spam.mark(session, by, [call], word == "yes")
    return redirect(f"/calls/{key}#unwanted", 303)


@pages.post("/calls/<key>/block")
def block(key: str) -> Response:
    """Blocks the call's caller, with `reason`; with `do` allow lets him through always, with undo neither."""
    with _judging(key) as (session, by, call):
        owner, callers = session.get_one(Company, call.company_id), blocks.caller_alone(call)
        do = request.form.get("do", "block")
        if do == "undo":
            blocks.remove(session, by, blocks.find_about(session, owner.id, callers))
        elif do in {"block", "allow"}:
            wish = blocks.Wish(allows=do == "allow", reason=request.form.get("reason", ""))
            blocks.add(session, by, owner, callers, wish)
        else:
            raise Rejected("spam.do", "The form does not say what to do", "Use the page's buttons")
    return redirect(f"/calls/{key}?{do}#unwanted", 303)


@contextmanager
def _judging(key: str) -> Iterator[tuple[Session, By, Call]]:
    """The call in a write transaction, for those who may judge it."""
    by = hand()
    with house().database.write() as session:
        call = calls.find_call(session, viewer().company_ids, key)
        viewer().need(Right.JUDGE, call.company_id)
        yield session, by, call
