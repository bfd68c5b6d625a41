"""Saved reports over the API: kept by name, run, sent by e-mail at their times."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field

from tracker import report_export, report_schedules, reports, saved_reports
from tracker.models import SavedReport
from tracker.policy.rights import Right, Scope
from tracker.policy.saved_reports import words_of
from tracker.policy.schedules import read_addresses, read_schedule
from web.house import row_id
from web.rest.kinds import Words
from web.rest.operation import Asked, Made, operation
from web.rest.report_shapes import ReportOut
from web.rest.shapes import Id, Line, Page, Paged, Query, Shape, cut

api = Blueprint("rest_saved_reports", __name__, url_prefix="/api/v1")

Every = Literal["day", "week", "month"]
Name = Annotated[Line, Field(min_length=1, max_length=60)]
ReportQuery = Annotated[
    Words, Field(description="As `by=campaign&period=30d`: those that `GET /report` takes")
]


class ReportMailOut(Shape):
    """What became of a mail."""

    to: str
    planned_at: datetime
    tried_at: datetime | None
    next_try_at: datetime | None
    sent_at: datetime | None
    given_up_at: datetime | None
    answer: str | None


class ScheduleOut(Shape):
    """When a report is sent to whom."""

    id: Id
    every: Every
    day: Annotated[int, Field(description="Of the week (0: Monday), of the month; 0 where it is every day")]
    hour: Annotated[int, Field(description="Of the company's clocks")]
    to: list[str]
    next_at: datetime
    made_by: str
    last: Annotated[list[ReportMailOut], Field(description="The last mails")]


class SavedReportOut(Shape):
    """A report that is kept by name."""

    id: Id
    name: str
    words: str
    made_by: str
    created_at: datetime
    changed_at: datetime
    schedules: list[ScheduleOut]


class SavedReportPage(Page):
    saved_reports: list[SavedReportOut]


class SavedReportWish(Shape):
    """A name, and the words of a report."""

    name: Name
    words: ReportQuery = ""


class SavedReportChange(Shape):
    """Another name."""

    name: Name


class ScheduleWish(Shape):
    """When and to whom. A month without the day has its last."""

    every: Every = "week"
    day: Annotated[int, Field(ge=0, le=31, strict=True)] = 0
    hour: Annotated[int, Field(ge=0, le=23, strict=True)] = 8
    to: Annotated[list[Line], Field(min_length=1, max_length=20, description="E-mail addresses")]


@api.get("/saved-reports")
@operation(Scope.REPORTS_READ, Right.JUDGE, query=Paged, answer=SavedReportPage)
def list_reports(asked: Asked[Paged, None]) -> dict[str, Any]:
    """The company's saved reports, with when each is sent."""
    found = saved_reports.list_reports(asked.session, [asked.company.id])
    return cut(found, asked.query, "saved_reports", lambda it: _told(asked, it))


@api.get("/saved-reports/<report>")
@operation(Scope.REPORTS_READ, Right.JUDGE, answer=SavedReportOut)
def show_report(asked: Asked[Query, None], report: str) -> dict[str, Any]:
    """One saved report."""
    return _told(asked, _find(asked, report))


@api.get("/saved-reports/<report>/run")
@operation(Scope.REPORTS_READ, Right.JUDGE, answer=ReportOut)
def run_report(asked: Asked[Query, None], report: str) -> dict[str, Any]:
    """What a saved report says now."""
    words = _find(asked, report).words
    return report_export.describe(reports.read_asked(asked.session, asked.company, words, asked.by.at))


@api.post("/saved-reports")
@operation(Scope.SETTINGS_WRITE, Right.JUDGE, body=SavedReportWish, answer=SavedReportOut, status=201)
def save_report(asked: Asked[Query, SavedReportWish]) -> Made:
    """Keeps a report by name."""
    wish = asked.body
    made = saved_reports.save(asked.session, asked.by, asked.company, wish.name, words_of(wish.words))
    return Made(_told(asked, made), f"/api/v1/saved-reports/{made.id}")


@api.patch("/saved-reports/<report>")
@operation(
    Scope.SETTINGS_WRITE, Right.JUDGE, body=SavedReportChange, answer=SavedReportOut, current=show_report
)
def rename_report(asked: Asked[Query, SavedReportChange], report: str) -> dict[str, Any]:
    """Gives a saved report another name."""
    found = _find(asked, report)
    saved_reports.rename(asked.session, asked.by, found, asked.body.name)
    return _told(asked, found)


@api.delete("/saved-reports/<report>")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, status=204, current=show_report)
def delete_report(asked: Asked[Query, None], report: str) -> None:
    """Deletes a saved report: it is no longer sent, and links to it open nothing."""
    saved_reports.delete(asked.session, asked.by, _find(asked, report))


@api.post("/saved-reports/<report>/schedules")
@operation(
    Scope.SETTINGS_WRITE, Right.ADMINISTER, body=ScheduleWish, answer=SavedReportOut,
    besides=(Scope.REPORTS_READ,),
)  # fmt: skip
def add_schedule(asked: Asked[Query, ScheduleWish], report: str) -> dict[str, Any]:
    """Sends a saved report by e-mail from now on, with its workbook.

    A key needs `reports:read` as well: whoever is sent a report reads it.
    """
    found, wish = _find(asked, report), asked.body
    when, to = read_schedule(wish.every, str(wish.day), str(wish.hour)), read_addresses(" ".join(wish.to))
    report_schedules.add(asked.session, asked.by, found, when, to)
    return _told(asked, found)


@api.delete("/saved-reports/<report>/schedules/<schedule>")
@operation(Scope.SETTINGS_WRITE, Right.ADMINISTER, status=204)
def delete_schedule(asked: Asked[Query, None], report: str, schedule: str) -> None:
    """Sends a saved report no more at a time."""
    found = _find(asked, report)
    its = report_schedules.get_schedule(asked.session, found, row_id(schedule))
    report_schedules.delete(asked.session, asked.by, found, its)


def _find(asked: Asked[Any, Any], report: str) -> SavedReport:
    return saved_reports.get_report(asked.session, [asked.company.id], row_id(report))


def _told(asked: Asked[Any, Any], it: SavedReport) -> dict[str, Any]:
    schedules = report_schedules.list_schedules(asked.session, [it.id]).get(it.id, [])
    return saved_reports.describe(it) | {"schedules": [report_schedules.describe(each) for each in schedules]}
