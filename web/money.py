"""What the pages of costs and of sales have in common: a month, whose money it is, what was typed."""

from __future__ import annotations

import calendar
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from flask import Flask, request
from flask_babel import format_date, format_decimal

from tracker.errors import Rejected
from tracker.policy import references
from tracker.policy.rights import Right
from web.house import house
from web.settings.forms import text
from web.viewer import SeenCompany, viewer

_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True)
class Month:
    """A month that is shown, and the ones beside it; None: it has not come yet."""

    first: date
    last: date
    before: date
    after: date | None


def install(app: Flask) -> None:
    """What the templates write days and months with."""
    app.jinja_env.filters.update(date=_date, month_name=_month_name, rate=_rate, order=references.told)
    app.jinja_env.globals.update(judges=_judges, once=_once)


def _date(day: date) -> str:
    """ "30 Nov 2026", as everywhere in the page."""
    return str(format_date(day, "d MMM y"))


def _month_name(day: date) -> str:
    return str(format_date(day, "LLLL yyyy"))


def _rate(rate: Decimal) -> str:
    return str(format_decimal(rate, "#,##0.##########"))


def _once() -> str:
    """The key of one form of one page that was sent out."""
    return secrets.token_urlsafe(12)


def _judges() -> bool:
    return bool(viewer().having(Right.JUDGE))


def month_asked() -> Month:
    """The month of the address, as 2026-11; the present one where it names none."""
    today = house().clock().astimezone(viewer().zone).date()
    found = _MONTH.fullmatch(request.values.get("month", ""))
    first = date(int(found[1]), int(found[2]), 1) if found else today.replace(day=1)
    last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
    after = last + timedelta(days=1)
    return Month(first, last, (first - timedelta(days=1)).replace(day=1), after if after <= today else None)


def having(right: Right) -> list[SeenCompany]:
    """The companies looked at in which one has the right; Rejected `role.needed` when there is none."""
    found = viewer().having(right)
    if not found:
        raise Rejected("role.needed", "Your role shows you no money", "Ask an owner or an admin")
    return found


def company_meant(right: Right) -> SeenCompany:
    """The company that the form names, or the only one there is."""
    mine = having(right)
    slug = text("company")
    found = next((it for it in mine if it.slug == slug), mine[0] if len(mine) == 1 and not slug else None)
    if found is None:
        raise Rejected("company.unknown", "You see no such company", "Choose one in the form")
    return found


def form_sent(typed: Mapping[str, str]) -> str | None:
    """What this sending of a form is known again by, so that a double click tells nothing twice."""
    return references.of_form(text("once")[:40], typed)


def typed(*names: str) -> dict[str, str]:
    """What was typed into these fields, without those left empty."""
    return {name: text(name) for name in names if text(name)}
