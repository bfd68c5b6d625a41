"""“Check my site” and “Call my number”: the real thing, and what it showed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Blueprint, redirect, request
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from tracker import applying, number_check, owned, site_checks
from tracker.models import Number, NumberState, Site
from tracker.policy.page_check import Verdict
from web.house import house, row_id
from web.settings.forms import EMPTY, Form, attempt, text
from web.settings.reach import reach_of
from web.settings.room import changing, reading, show

pages = Blueprint("settings_checks", __name__)

LATE_AFTER = timedelta(minutes=3)
LONGEST_WAIT = timedelta(hours=1)  # for a call; then the page stops asking
FIELDS = {"check.address": ("url",), "check.foreign": ("url",)}
VERDICTS = {
    Verdict.SWAPPED.value: (lazy_gettext("Swapped"), "good"),
    Verdict.MISSED.value: (lazy_gettext("Missed"), "bad"),
    Verdict.LEFT.value: (lazy_gettext("Left alone"), "mute"),
    Verdict.GONE.value: (lazy_gettext("Gone"), "warn"),
    Verdict.STRANGE.value: (lazy_gettext("Not ours"), "warn"),
}


@pages.get("/settings/<company>/sites/<site>/check")
def site_report(company: str, site: str) -> str:
    """What the newest check of the site found, or that it goes on."""
    return _site_page(company, site, EMPTY)


@pages.post("/settings/<company>/sites/<site>/check")
def check_site(company: str, site: str) -> Response:
    """Has the page `url` of the site looked at in a real browser."""

    def act() -> str:
        with changing(company) as (session, owner, by):
            site_checks.ask(session, by, owned.find(session, Site, owner.id, row_id(site)), text("url"))
        return f"/settings/{company}/sites/{site}/check"

    return attempt(act, lambda form: _site_page(company, site, form), FIELDS)


@pages.get("/settings/<company>/numbers/<number>/check")
def call_number(company: str, number: str) -> str | Response:
    """Says what to call, and shows the call when it comes; `since` is when one began to wait for it."""
    at = house().clock()
    since = _since(request.args.get("since", ""), at)
    with reading(company) as (session, owner):
        found = owned.find(session, Number, owner.id, row_id(number))
        if since is None:
            return redirect(f"/settings/{company}/numbers/{found.id}/check?since={int(at.timestamp())}")
        states = applying.endpoints(session)
        seen = number_check.look(session, found, since)
        return show(
            session,
            owner,
            "number_check.html",
            number=found,
            seen=seen,
            reach=[(target, seconds, reach_of(target, states)) for target, seconds in seen.rings.rings],
            is_retired=found.state is NumberState.RETIRED,
            waits=seen.call is None and at - since < LONGEST_WAIT,
        )


def _site_page(company: str, site: str, form: Form) -> str:
    with reading(company) as (session, owner):
        found = owned.find(session, Site, owner.id, row_id(site))
        check = site_checks.newest(session, found)
        waits = check is not None and check.done_at is None
        first = next(iter(found.domains), "").removeprefix("*.")
        return show(
            session,
            owner,
            "site_check.html",
            form=form,
            site=found,
            check=check,
            waits=waits,
            late=waits and check is not None and house().clock() - check.asked_at > LATE_AFTER,
            address=check.url if check else f"https://{first}/" if first else "",
            VERDICTS=VERDICTS,
        )


def _since(text: str, now: datetime) -> datetime | None:
    """An instant that lies neither ahead nor more than a day back."""
    seconds = row_id(text)
    if not now.timestamp() - 86400 < seconds <= now.timestamp() + 1:
        return None
    return datetime.fromtimestamp(seconds, UTC)
