"""The page of reports: which advertisement earned money, what to stop paying for, and the same as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext

from tracker.audit import By as Hand
from tracker.errors import Rejected
from tracker.models import Company
from tracker.overview import has_calls
from tracker.policy.report import ONLY, Report
from tracker.policy.report_words import By
from tracker.policy.rights import Right
from tracker.report_export import flat
from tracker.reports import read_asked
from tracker.spreadsheet import cell
from web.house import house
from web.one_company import also_asked, only_one, shown_of_one
from web.refusals import translated
from web.report_columns import SHOWS
from web.report_links import LOOKS, Place, words_of
from web.report_names import BY, LEADS, MODELS, READY
from web.report_view import read_look, view_of
from web.viewer import SeenCompany, hand, viewer

pages = Blueprint("reports", __name__)

KEPT = ("period", "since", "until", "company")  # when another report is opened
LEFT = (*KEPT, "compare", *LOOKS)  # what does not make it another report


@pages.get("/reports")
def show() -> Response:
    """The report that the address asks for, by the words of `/api/v1/report`, and the form to ask anew."""
    place = Place("/reports", words_of(request.args.to_dict()))

    def page(mine: SeenCompany, report: Report | None, problem: Rejected | None) -> str:
        return _page(mine, place, report, problem)

    return shown_of_one(lambda slug: place.with_(company=slug), _read, page)


@pages.get("/reports.csv")
def as_csv() -> Response:
    """All rows of the report as CSV, the total last; the same address without `.csv` shows it."""
    company, by = only_one(), hand()
    report = _read(company)
    query = Place("", words_of(request.args.to_dict())).with_()
    with house().database.write() as session:
        detail = {"report": query, "format": "csv"}
        by.note(session, "report.export", company.id, detail=detail)
    response = Response(_lines(report), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{_file_name(report, by)}"'
    return response


def _file_name(report: Report, by: Hand) -> str:
    return f"report-{report.wish.by.value}-{by.at.astimezone(viewer().zone):%Y-%m-%d-%H%M}.csv"


def _lines(report: Report) -> str:
    """RFC 4180, the names first, with the mark by which Excel knows UTF-8."""
    out, rows = io.StringIO(), list(flat(report))
    writer = csv.writer(out)
    writer.writerow(rows[0])
    writer.writerows([cell(value) for value in row.values()] for row in rows)
    return "\N{ZERO WIDTH NO-BREAK SPACE}" + out.getvalue()


def _read(mine: SeenCompany) -> Report:
    """The report that the address asks for."""
    with house().database.read() as session:
        company, words = session.get_one(Company, mine.id), request.args.to_dict()
        return read_asked(session, company, words, house().clock(), also=also_asked(mine))


def _page(mine: SeenCompany, place: Place, report: Report | None, problem: Rejected | None) -> str:
    keeps_costs = viewer().may(Right.ADMINISTER, mine.id)
    view = view_of(report, place, read_look(request.args), keeps_costs=keeps_costs) if report else None
    return render_template(
        "reports.html", view=view, place=place, company=mine, problem=problem and translated(problem),
        keeps_costs=keeps_costs, is_new=bool(view and not view.rows) and not _has_calls(mine),
        form=dict(place.words), ready=_ready(place), chips=_chips(place), csv=Place("", place.words).with_(),
        BY=BY, MODELS=MODELS, LEADS=LEADS, SHOWS=SHOWS, ONLY=ONLY,
    )  # fmt: skip


def _has_calls(mine: SeenCompany) -> bool:
    with house().database.read() as session:
        return has_calls(session, [mine.id])


def _ready(place: Place) -> list[tuple[Any, str, bool]]:
    """The reports that are one click away: name, address, and whether it is the one shown."""
    given = {name: word for name, word in place.words if name not in LEFT}
    kept = Place(place.path, tuple((name, word) for name, word in place.words if name in KEPT))
    shown = {"by": By.SOURCE.value} | given
    ready = [(name, kept.with_(**words), _plain(words) == shown) for name, words in READY]
    return [
        *ready,
        *(
            (name, replace(kept, path=path).with_(), False)
            for name, path in (
                (gettext("Paths"), "/reports/paths"),
                (gettext("Missed callers"), "/reports/missed"),
            )
        ),
    ]


def _plain(words: Mapping[str, str]) -> dict[str, str]:
    return {name: word for name, word in words.items() if name not in LEFT}


def _chips(place: Place) -> list[tuple[Any, str, str]]:
    """What the report is narrowed to: the word's name, the word, and the address without it."""
    return [
        (BY[By(name)].one, word, place.with_(**{name: None})) for name, word in place.words if name in ONLY
    ]
