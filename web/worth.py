"""What people say of a call, sent by the page's forms and keys: category, tags, notes, what the caller told.

Each view changes one call and leads back to it; a script that asks for JSON gets its new state instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint, jsonify, make_response, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import calls, worth
from tracker.audit import By
from tracker.errors import Rejected
from tracker.models import Call
from tracker.policy.money import read_amount
from tracker.policy.rights import Right
from web.calls import call_page
from web.house import house, row_id
from web.languages import language
from web.refusals import translated
from web.viewer import hand, viewer, wants_json

pages = Blueprint("worth", __name__)


@pages.post("/calls/<key>/category")
def categorise(key: str) -> Response:
    """Sets the category to `category`: target, service, non-target, or none to take it back."""
    with _judging(key) as (session, by, call):
        worth.categorise(session, by, [call], worth.parse_category(request.form.get("category", "")))
        return _done(call)


@pages.post("/calls/<key>/tags")
def tag(key: str) -> Response:
    """Adds the tag `add`, or takes `remove` away."""
    with _judging(key) as (session, by, call):
        if "remove" in request.form:
            worth.remove_tag(session, by, [call], request.form["remove"])
        else:
            worth.add_tag(session, by, [call], request.form.get("add", ""))
        return _done(call)


@pages.post("/calls/<key>/notes")
def write_note(key: str) -> Response:
    """Writes `text`; with `second`, pinned to that moment of the recording."""
    with _judging(key) as (session, by, call):
        worth.add_note(session, by, call, request.form.get("text", ""), _second())
        return _done(call)


@pages.post("/calls/<key>/notes/<note>/delete")
def delete_note(key: str, note: str) -> Response:
    """Takes one's own note back."""
    with _judging(key) as (session, by, call):
        worth.remove_note(session, by, call, row_id(note))
        return _done(call)


@pages.post("/calls/<key>/told")
def note_told(key: str) -> Response:
    """What the caller said: `heard_of`, `promo_code`; empty for nothing."""
    with _judging(key) as (session, by, call):
        heard, code = request.form.get("heard_of", ""), request.form.get("promo_code", "")
        worth.note_told(session, by, call, heard_of=heard, promo_code=code)
        return _done(call)


@pages.post("/calls/<key>/value")
def value(key: str) -> Response:
    """What it was worth in money: `value`, empty for nothing; what is no amount is said beside the field."""
    text = request.form.get("value", "").strip()
    try:
        with _judging(key) as (session, by, call):
            amount = read_amount(text, call.company.currency, language()) if text else None
            worth.value_call(session, by, call, amount)
            return _done(call)
    except Rejected as problem:
        if wants_json() or not problem.id.startswith("value."):
            raise
        return make_response(call_page(key, value_problem=translated(problem), value_text=text[:60]), 400)


@pages.post("/calls/bulk")
def judge_many() -> Response:
    """Sets the `category` of every call named by `key`, or adds `tag` to all; all of them or none."""
    by = hand()
    with house().database.write() as session:
        chosen = list(calls.calls_by_key(session, viewer().company_ids, request.form.getlist("key")).values())
        for company_id in {call.company_id for call in chosen}:
            viewer().need(Right.JUDGE, company_id)
        if "category" in request.form:
            changed = worth.categorise(session, by, chosen, worth.parse_category(request.form["category"]))
        else:
            changed = worth.add_tag(session, by, chosen, request.form.get("tag", ""))
    if wants_json():
        return jsonify(changed=changed)
    back = request.form.get("back", "")
    return redirect("/calls" + (back if back.startswith("?") else ""), 303)


@contextmanager
def _judging(key: str) -> Iterator[tuple[Session, By, Call]]:
    """The call in a write transaction, for those who may judge it; 404 and 403 for the others."""
    by = hand()
    with house().database.write() as session:
        call = calls.find_call(session, viewer().company_ids, key)
        viewer().need(Right.JUDGE, call.company_id)
        yield session, by, call


def _second() -> float | None:
    text = request.form.get("second", "").strip()
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise Rejected(
            "note.malformed", "%(text)r is no second", "Give a number, as 12.5", text=text[:20]
        ) from None


def _done(call: Call) -> Response:
    if wants_json():
        return jsonify(key=call.key, category=call.category)
    return redirect(f"/calls/{call.key}#worth", 303)
