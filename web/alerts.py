"""Alerts as people see them: in the header of each page, on the board, and on a page of their own."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, g, redirect, render_template, request
from flask_babel import gettext
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from tracker import alert_addresses, alerts
from tracker.alerts import Seer
from tracker.errors import Rejected
from tracker.models import Alert, AlertAddress, Company
from tracker.policy.alert_words import Words, words_for
from tracker.policy.phone import display
from tracker.policy.rights import Right
from web.house import house, row_id
from web.languages import count
from web.viewer import SeenCompany, hand, viewer

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


@pages.post("/alerts/addresses")
def add_address() -> str:
    """Tells alerts of the company `company` to `address`; a webhook's secret is shown, this once."""
    company = _administered(request.form.get("company", ""))
    by = hand()
    with house().database.write() as session:
        owner = session.get_one(Company, company.id)
        made = alert_addresses.add(session, by, owner, request.form.get("address", ""))
    return _alerts_page(made)


@pages.post("/alerts/addresses/<address>/delete")
def delete_address(address: str) -> Response:
    """Tells it nothing more."""
    by = hand()
    with house().database.write() as session:
        found = alert_addresses.get_address(session, _administered_ids(), row_id(address))
        alert_addresses.delete(session, by, found)
    return redirect("/alerts#told", 303)


@pages.post("/alerts/addresses/<address>/test")
def test_address(address: str) -> Response:
    """Has the worker send a test message; what is answered appears beside the address."""
    by = hand()
    with house().database.write() as session:
        found = alert_addresses.get_address(session, _administered_ids(), row_id(address))
        alert_addresses.test(session, by, found)
    return redirect("/alerts#told", 303)


def seer() -> Seer:
    """The alerts this person may see: those of the installation are for who administers something."""
    return Seer(viewer().company_ids, installation=administers())


def administers() -> bool:
    return bool(viewer().having(Right.ADMINISTER))


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


def _alerts_page(made: AlertAddress | None = None) -> str:
    at = house().clock()
    with house().database.read() as session:
        past = alerts.history(session, seer(), at)
        told = alert_addresses.list_addresses(session, _administered_ids())
    owners = viewer().having(Right.ADMINISTER)
    mail = bool(house().settings.smtp_host)
    return render_template(
        "alerts.html", going_on=open_alerts(), past=past, told=told, owners=owners, made=made, mail=mail
    )


def _administered_ids() -> list[int]:
    return [it.id for it in viewer().having(Right.ADMINISTER)]


def _administered(slug: str) -> SeenCompany:
    found = next((it for it in viewer().having(Right.ADMINISTER) if it.slug == slug), None)
    if found is None:
        raise Rejected("role.needed", "You do not administer this company", "Ask one of its owners")
    return found
