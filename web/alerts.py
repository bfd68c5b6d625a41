"""Alerts as people see them: in the header of each page, on the board, and on a page of their own."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, g, redirect, render_template
from flask_babel import gettext
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from tracker import alerts
from tracker.alerts import Seer
from tracker.models import Alert
from tracker.policy.alert_words import Words, words_for
from tracker.policy.phone import display
from tracker.policy.rights import Right
from web.house import house, row_id
from web.languages import count
from web.viewer import hand, viewer

pages = Blueprint("alerts", __name__)


@pages.get("/alerts")
def index() -> str:
    """What is wrong now, and what was in the last 30 days."""
    return _alerts_page()


@pages.post("/alerts/<alert>/seen")
def mark_seen(alert: str) -> Response:
    """Somebody has seen it; the others need not wonder."""
    by = hand()
    with house().database.write() as session:
        found = alerts.get_alert(session, seer(), row_id(alert))
        if found.company_id is not None:
            viewer().need(Right.JUDGE, found.company_id)
        alerts.mark_seen(session, by, found, viewer().name)
    return redirect(f"/alerts#alert-{found.id}", 303)


def seer() -> Seer:
    """The alerts this person may see: those of the installation are for who administers something."""
    return Seer(viewer().company_ids, installation=administers())


def administers() -> bool:
    return any(viewer().may(Right.ADMINISTER, it.id) for it in viewer().companies)


def may_mark(alert: Alert) -> bool:
    """Whether this person may say that it was seen."""
    if alert.company_id is None:
        return administers()
    return viewer().may(Right.JUDGE, alert.company_id)


def open_alerts() -> list[Alert]:
    """The alerts going on, for the header of whatever page; none when the database cannot be asked.

    An error page has a header too.
    """
    if "open_alerts" not in g:
        try:
            with house().database.read() as session:
                g.open_alerts = list(alerts.going_on(session, seer()))
        except SQLAlchemyError:
            g.open_alerts = []
    found: list[Alert] = g.open_alerts
    return found


def alert_words(alert: Alert) -> Words:
    """What is wrong, what to do, and the command, in the page's language."""
    region = next((it.region for it in viewer().companies if it.id == alert.company_id), "ZZ")

    def write(value: Any) -> str:
        if isinstance(value, int | float):
            return count(value)
        return display(value, region) if re.fullmatch(r"\+\d{7,15}", str(value)) else str(value)

    return words_for(alert.kind, alert.name, alert.detail, gettext, write)


def _alerts_page() -> str:
    at = house().clock()
    with house().database.read() as session:
        going_on = alerts.going_on(session, seer())
        past = alerts.history(session, seer(), at)
    return render_template("alerts.html", going_on=going_on, past=past)
