"""Alerts over the API: what needs somebody, and that somebody has seen it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field

from tracker import alerts
from tracker.alerts import Seer
from tracker.models import Alert
from tracker.policy.alerts import AlertKind
from tracker.policy.rights import Right, Scope
from tracker.telling import describe
from web.house import row_id
from web.rest.operation import Asked, operation
from web.rest.shapes import Id, Page, Paged, Query, Shape, cut

api = Blueprint("rest_alerts", __name__, url_prefix="/api/v1")


class AlertOut(Shape):
    """What needs somebody."""

    id: Id
    kind: AlertKind
    company: str | None
    name: str
    figures: dict[str, Any]
    title: str
    advice: str
    command: str | None
    begun_at: datetime
    ended_at: datetime | None
    seen_at: datetime | None
    seen_by: str | None


class AlertPage(Page):
    alerts: list[AlertOut]


class AlertWords(Paged):
    """Which alerts."""

    over: Annotated[
        Literal["yes", "no"] | None, Field(description="yes: those of the last 30 days that are over, too")
    ] = None


@api.get("/alerts")
@operation(Scope.SETTINGS_READ, query=AlertWords, answer=AlertPage)
def list_alerts(asked: Asked[AlertWords, None]) -> dict[str, Any]:
    """The company's alerts that are going on."""
    who = Seer([asked.company.id])
    found = list(alerts.going_on(asked.session, who))
    if asked.query.over == "yes":
        found += alerts.history(asked.session, who, asked.by.at)
    return cut(found, asked.query, "alerts", describe)


@api.get("/alerts/<alert>")
@operation(Scope.SETTINGS_READ, answer=AlertOut)
def show_alert(asked: Asked[Query, None], alert: str) -> dict[str, Any]:
    """One alert."""
    return describe(_find(asked, alert))


@api.post("/alerts/<alert>/seen")
@operation(Scope.SETTINGS_WRITE, Right.JUDGE, answer=AlertOut)
def mark_seen(asked: Asked[Query, None], alert: str) -> dict[str, Any]:
    """Says that somebody has seen it, so that the others need not wonder; the first one stays."""
    found = _find(asked, alert)
    alerts.mark_seen(asked.session, asked.by, found, asked.by.actor)
    return describe(found)


def _find(asked: Asked[Any, Any], alert: str) -> Alert:
    return alerts.get_alert(asked.session, Seer([asked.company.id]), row_id(alert))
