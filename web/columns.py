"""The columns of the list of calls: their names, which of them this person sees, the form that says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, request
from flask_babel import lazy_gettext as _
from werkzeug.wrappers import Response

from tracker import preferences
from tracker.policy.call_columns import ALWAYS, CallColumn, kept_columns, read_columns
from web.filters import back
from web.house import house
from web.viewer import hand, viewer

pages = Blueprint("columns", __name__)

MANY = 10  # more than these are given the whole width of the screen


@dataclass(frozen=True)
class Head:
    """A column's name, and how it is set: `num` for numbers."""

    word: Any  # translated when it is shown
    look: str = ""


HEADS = {
    CallColumn.TIME: Head(_("Time")), CallColumn.OUTCOME: Head(_("Outcome")),
    CallColumn.CALLER: Head(_("Caller")), CallColumn.SOURCE: Head(_("Source")),
    CallColumn.CAMPAIGN: Head(_("Campaign")), CallColumn.KEYWORD: Head(_("Keyword")),
    CallColumn.NUMBER: Head(_("Number dialled")), CallColumn.ANSWERED_BY: Head(_("Answered by")),
    CallColumn.COMPANY: Head(_("Company")), CallColumn.WAIT: Head(_("Wait"), "num wait"),
    CallColumn.TALK: Head(_("Talk"), "num"), CallColumn.HEARD_OF: Head(_("Heard of us")),
    CallColumn.VALUE: Head(_("Value"), "num"), CallColumn.WORTH: Head(_("Worth")),
    CallColumn.RECORDING: Head(_("Recording"), "sound"),
}  # fmt: skip


def shown_columns() -> dict[CallColumn, Head]:
    """What this person's list shows, from left to right."""
    kept = kept_columns(viewer().preferences.get(preferences.COLUMNS))
    return {column: HEADS[column] for column in kept if _makes_sense(column)}


def offered_columns() -> dict[CallColumn, Head]:
    """What may be chosen: all but those that are always there."""
    return {column: it for column, it in HEADS.items() if column not in ALWAYS and _makes_sense(column)}


@pages.post("/calls/columns")
def choose() -> Response:
    """Shows each `column` from now on; with `usual`, the usual ones. Leads back to the view."""
    chosen = None if "usual" in request.form else read_columns(request.form.getlist("column"))
    with house().database.write() as session:
        preferences.keep_columns(session, hand(), viewer().user_id, chosen)
    return redirect(back(), 303)


def _makes_sense(column: CallColumn) -> bool:
    return column is not CallColumn.COMPANY or len(viewer().companies) > 1
