"""The page of missed callers: how many called in vain, who was spoken to since, who still waits."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from babel.dates import format_timedelta
from flask import Blueprint, Flask, Response, render_template, request
from flask_babel import gettext

from tracker.errors import Rejected
from tracker.models import Company
from tracker.policy.call_filter import Period
from tracker.policy.recovery import MissedCall, MissedCaller, Recovered
from tracker.policy.spans import Asks, Span
from tracker.recovery import Found, read_recovery
from web.filters import origin_words
from web.house import house
from web.languages import language
from web.one_company import also_asked, shown_of_one
from web.refusals import translated
from web.viewer import SeenCompany

pages = Blueprint("missed", __name__)

WORDS = ("period", "since", "until", "company")


def install(app: Flask) -> None:
    """Gives the templates these words."""
    app.jinja_env.filters.update(took=took)
    app.jinja_env.globals.update(recovered_words=recovered_words, origin_words=origin_words)


@pages.get("/reports/missed")
def show() -> Response:
    """What `leaseline missed` says, for the days that the address asks for."""
    return shown_of_one(lambda slug: link(company=slug), _read, _page)


def link(**more: str | None) -> str:
    """This page with other words; None takes one away."""
    given = {name: word for name in WORDS if (word := request.args.get(name))}
    words = {name: word for name, word in (given | more).items() if word}
    return "/reports/missed" + ("?" + urlencode(words) if words else "")


def took(seconds: float | None) -> str:
    """A wait as a person says it: "12 minutes"; "–" for none."""
    if seconds is None:
        return "–"
    return format_timedelta(timedelta(seconds=round(seconds)), threshold=1.5, locale=language())


def recovered_words(call: MissedCall) -> str:
    """What became of a missed caller, with the time it took."""
    caller = MissedCaller([call])
    if caller.how is Recovered.NO:
        return gettext("Not called back yet")
    waited, name = took(caller.seconds), call.spoken.employee if call.spoken else None
    if caller.how is Recovered.SELF:
        return gettext("Called again and was answered, %(waited)s later", waited=waited)
    if name is None:
        return gettext("Called back %(waited)s later", waited=waited)
    return gettext("Called back by %(name)s, %(waited)s later", name=name, waited=waited)


def _read(mine: SeenCompany) -> tuple[Found, Asks]:
    words = request.args.to_dict(flat=False)
    with house().database.read() as session:
        company = session.get_one(Company, mine.id)
        return read_recovery(session, company, words, house().clock()), also_asked(mine)


def _page(mine: SeenCompany, read: tuple[Found, Asks] | None, problem: Rejected | None) -> str:
    found, also = read or (None, ())
    return render_template(
        "missed.html", found=found, it=found and found.report, problem=problem and translated(problem),
        link=link, period=found and _period(found.span), region=mine.region,
        asks=(*also, *found.span.asks) if found else (), Recovered=Recovered,
    )  # fmt: skip


def _period(span: Span) -> Period | None:
    name, value = span.asks[0]
    return Period(value) if name == "period" else None
