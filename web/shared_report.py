"""A saved report as somebody without an account sees it, by a link: its figures, and nobody's calls."""

from __future__ import annotations

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response

from tracker import saved_reports
from tracker.audit import By
from tracker.errors import Rejected
from tracker.reports import read_asked
from web.house import house
from web.public import public
from web.report_links import Place
from web.report_names import MODELS
from web.report_view import read_look, view_of
from web.shared import apart, brake, moment_at, over
from web.viewer import client_address

pages = Blueprint("shared_report", __name__)


@pages.get("/shared/reports/<token>")
@public
def show(token: str) -> Response:
    """The report as it is now; each opening is counted and written down."""
    now = house().clock()
    try:
        brake()
        with house().database.read() as session:
            link, saved = saved_reports.find_link(session, token, now)
            report = read_asked(session, saved.company, saved.words, now)
        if request.method == "GET" and not request.args:  # sorted otherwise is no further opening
            by = By(now, saved_reports.actor_of(link), client_address())
            with house().database.write() as session:
                saved_reports.note_opened(session, by, link, saved)
    except Rejected as problem:
        return over(problem)
    view = view_of(report, Place(f"/shared/reports/{token}", ()), read_look(request.args), linked=False)
    page = render_template(
        "shared_report.html", saved=saved, view=view, MODELS=MODELS,
        until=moment_at(link.expires_at, saved.company), at=moment_at(now, saved.company),
    )  # fmt: skip
    return apart(make_response(page))
