"""The page of paths: over which origins persons came to target calls and sales, and who helped."""

from __future__ import annotations

from fractions import Fraction
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request
from flask_babel import lazy_gettext as _

from tracker.errors import Rejected
from tracker.models import Company
from tracker.path_report import read_paths
from tracker.policy.call_filter import Period
from tracker.policy.journeys import Goal
from tracker.policy.origins import NOT_SET
from tracker.policy.path_table import PathTable, read_path_wish
from tracker.policy.report_words import CHANNEL, Blank, By, Cell, label
from tracker.policy.spans import Span
from web.house import house
from web.one_company import also_asked, shown_of_one
from web.refusals import translated
from web.tiles import share
from web.viewer import SeenCompany
from web.words import plain

pages = Blueprint("paths", __name__)

WORDS = ("by", "goal", "top", "period", "since", "until", "company")
MORE = 100  # paths, when more are wanted
BY = {By.CHANNEL: _("Channels"), By.SOURCE: _("Sources"), By.CAMPAIGN: _("Campaigns")}
GOALS = {Goal.SALE: _("Sales"), Goal.TARGET_CALL: _("Target calls")}
NONE = _("(none)")


@pages.get("/reports/paths")
def show() -> Response:
    """The paths that the words of `/api/v1/paths` ask for."""
    return shown_of_one(lambda slug: link(company=slug), _read, _page)


def link(**more: str | None) -> str:
    """This page with other words; None takes one away."""
    given = {name: word for name in WORDS if (word := request.args.get(name))}
    words = {name: word for name, word in (given | more).items() if word}
    return "/reports/paths" + ("?" + urlencode(words) if words else "")


def _page(_mine: SeenCompany, table: PathTable | None, problem: Rejected | None) -> str:
    return render_template(
        "paths.html", it=table, problem=problem and translated(problem), link=link, cell_name=_name,
        part=_part, kept=[(name, request.args[name]) for name in WORDS[:3] if name in request.args],
        period=table and _period(table.span), BY=BY, GOALS=GOALS, MORE=MORE,
    )  # fmt: skip


def _read(mine: SeenCompany) -> PathTable:
    wish, words = read_path_wish(request.args), request.args.to_dict(flat=False)
    with house().database.read() as session:
        company, also = session.get_one(Company, mine.id), also_asked(mine)
        return read_paths(session, company, wish, words, house().clock(), also=also)


def _period(span: Span) -> Period | None:
    name, value = span.asks[0]
    return Period(value) if name == "period" else None


def _name(cell: Cell) -> str:
    """An origin as a person reads it."""
    if isinstance(cell, Blank) or cell == NOT_SET:
        return str(NONE)
    return plain(label(cell).removeprefix(CHANNEL)) or str(NONE)


def _part(value: Fraction | None) -> str:
    return share(None if value is None else float(value))
