"""The overview of the settings, and the company itself: name, country, time zone, money, language."""

from __future__ import annotations

import zoneinfo
from typing import Any

import phonenumbers
from babel.numbers import list_currencies
from flask import Blueprint, redirect, render_template
from flask_babel import get_locale
from werkzeug.wrappers import Response

from tracker import (
    api_keys,
    blocks,
    channels,
    companies,
    forward,
    number_states,
    outgoing,
    plan_list,
    pools,
    sites,
    sources,
    targets,
    trunks,
)
from tracker.models import Forwarding
from web.house import house
from web.settings import plan_places
from web.settings.forms import EMPTY, Form, attempt, differing, text
from web.settings.room import administered, changing, reading, show
from web.viewer import viewer

pages = Blueprint("settings_company", __name__)

FIELDS = {
    "company.text": ("name",),
    "company.region": ("region",),
    "company.timezone": ("timezone",),
    "company.currency": ("currency",),
    "company.language": ("language",),
}


@pages.get("/settings")
def choose() -> str | Response:
    """The settings of the company that one looks at or administers alone, else which of several."""
    looked_at = set(viewer().company_ids)
    every = administered()
    found = [it for it in every if it.id in looked_at] or every
    if len(found) == 1:
        return redirect(f"/settings/{found[0].slug}")
    return render_template("settings/choose.html", companies=found)


@pages.get("/settings/<company>")
def overview(company: str) -> str:
    """Each section with its state, and what needs somebody's attention."""
    with reading(company) as (session, owner):
        at = house().clock()
        return show(
            session,
            owner,
            "overview.html",
            numbers=number_states.tally(session, owner, at),
            channels=len(channels.channels_of(session, owner)),
            pools=[(each, pools.standing(session, each, at)) for each in pools.pools_of(session, owner)],
            sites=sites.listed(session, owner),
            rules=len(sources.rows_of(session, owner.id)),
            targets=targets.of_company(session, owner),
            plans=[each.name for each in plan_list.listed(session, owner)],
            plan=next((it.plan for it in plan_places.uses_of(session, owner) if it.kind == "company"), None),
            default=[row for row in forward.of_company(session, owner) if _is_default(row)],
            outgoing=outgoing.rule_of(session, owner.id),
            granted=[each.name for each in outgoing.granted(session, owner)],
            blocked=len(blocks.of_company(session, owner.id)),
            watches=blocks.read_conduct(session, owner.id).watches,
            trunks=trunks.everyone(session),
            keys=[it.name for it in api_keys.list_keys(session, owner) if it.revoked_at is None],
        )


@pages.get("/settings/<company>/company")
def company_form(company: str) -> str:
    """The company's name, country, time zone, currency, language."""
    return _form(company, EMPTY)


@pages.post("/settings/<company>/company")
def change_company(company: str) -> Response:
    """Changes `name`, `region`, `timezone`, `currency`, `language`, `judge_by_phone` (ticked or left out)."""

    def change() -> str:
        with changing(company) as (session, owner, by):
            given = {name: text(name) for name in ("name", "region", "timezone", "currency", "language")}
            stored = {name: getattr(owner, name) for name in ("name", "timezone", "currency", "language")}
            wanted = given | {"judge_by_phone": bool(text("judge_by_phone"))}
            present = stored | {"region": owner.default_region, "judge_by_phone": owner.judge_by_phone}
            if found := differing(wanted, present):
                companies.change(session, by, owner, **found)
        return f"/settings/{company}/company?saved"

    return attempt(change, lambda form: _form(company, form), FIELDS)


def _is_default(row: Forwarding) -> bool:
    return row.number_id is None and row.channel_id is None and row.pool_id is None


def _form(company: str, form: Form) -> str:
    with reading(company) as (session, owner):
        return show(session, owner, "company.html", form=form, **_known())


def _known() -> dict[str, Any]:
    """Countries and currencies in the page's language; time zones by their IANA names."""
    locale = get_locale()
    regions = {code: locale.territories.get(code, code) for code in phonenumbers.SUPPORTED_REGIONS}
    money = {code: locale.currencies[code] for code in list_currencies() if code in locale.currencies}
    return {
        "regions": sorted(regions.items(), key=lambda it: it[1]),
        "currencies": sorted(money.items()),
        "timezones": sorted(zoneinfo.available_timezones()),
    }
