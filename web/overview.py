"""The first page: the figures of some days beside those of the days before, each leading to its calls."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from tracker.overview import has_calls, read_overview, read_today
from tracker.policy.call_filter import Period
from tracker.policy.spans import Asks, Span
from web.house import house
from web.tiles import tiles
from web.viewer import viewer

pages = Blueprint("overview", __name__)


@pages.get("/")
def home() -> Response:
    return redirect("/overview")


@pages.get("/overview")
def show() -> str:
    """Today, and the days chosen in the address by the same words as in the list of calls."""
    who, now, also = viewer(), house().clock(), _company()
    with house().database.read() as session:
        words = request.args.to_dict(flat=False)
        found = read_overview(session, who.company_ids, words, who.zone, now, also=also)
        today = read_today(session, who.company_ids, who.zone, now, also=also)
        is_empty = not found.now.counts.calls and not has_calls(session, who.company_ids)
    return render_template(
        "overview.html", it=found, today=today, is_empty=is_empty, tiles=tiles(found),
        period=_period(found.span), also=also,
    )  # fmt: skip


def _company() -> Asks:
    """The company chosen in the address: every link keeps it."""
    slug = request.args.get("company", "")
    return (("company", slug),) if slug else ()


def _period(span: Span) -> Period | None:
    """The period that was chosen by its name."""
    name, value = span.asks[0]
    return Period(value) if name == "period" else None
