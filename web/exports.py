"""The calls of a filter as files to keep; each export is written down like every way in which calls leave."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response, request
from werkzeug.wsgi import wrap_file

from tracker import call_export, call_workbook
from web import filters
from web.house import house
from web.viewer import hand, viewer

pages = Blueprint("exports", __name__)

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pages.get("/calls.csv")
def as_csv() -> Response:
    """All calls of the filter as CSV, sent while they are read."""
    ids, by, database = viewer().company_ids, filters.asked(), house().database
    name = _noted("csv")

    def lines() -> Iterator[str]:  # runs when the request is over
        with database.read() as session:
            yield from call_export.csv_lines(session, ids, by)

    return _named(Response(lines(), mimetype="text/csv"), name)


@pages.get("/calls.xlsx")
def as_workbook() -> Response:
    """All calls of the filter as an Excel workbook; its file has no name and is gone when it is sent."""
    ids, by, name = viewer().company_ids, filters.asked(), _noted("xlsx")
    with house().database.read() as session:
        file, size = call_workbook.unnamed_file(session, ids, by, house().settings.home)
    response = Response(wrap_file(request.environ, file), mimetype=WORKBOOK, direct_passthrough=True)
    response.content_length = size
    return _named(response, name)


def _noted(kind: str) -> str:
    """Writes down who exports what, in each company; the file's name."""
    exporter, detail = hand(), {"filter": filters.query(), "format": kind}
    with house().database.write() as session:
        for company_id in viewer().company_ids:
            exporter.note(session, "call.export", company_id, detail=detail)
    return f"calls-{exporter.at.astimezone(viewer().zone):%Y-%m-%d-%H%M}.{kind}"


def _named(response: Response, name: str) -> Response:
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
