"""Reports over the API: which advertisement earned money, the ways to sales, the overview, saved reports."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from flask import Blueprint
from pydantic import Field

from tracker import overview, overview_export, path_report, report_export, reports
from tracker.policy.credit import Model
from tracker.policy.path_table import BY, MOST, USUAL, read_path_wish
from tracker.policy.report import Leads
from tracker.policy.report_wish import OWN, spans_of
from tracker.policy.report_words import By
from tracker.policy.rights import Right, Scope
from web.rest.days import SpanWords
from web.rest.operation import Asked, operation
from web.rest.overview_shapes import OverviewOut
from web.rest.report_shapes import PathsOut, ReportOut
from web.rest.shapes import Line

api = Blueprint("rest_reports", __name__, url_prefix="/api/v1")

DIMENSIONS = {"enum": [by.value for by in By]}


class ReportWords(SpanWords):
    """Which rows, by which model, narrowed to what."""

    by: Annotated[Line | None, Field(description="What rows are; source", json_schema_extra=DIMENSIONS)] = (
        None
    )
    split: Annotated[
        Line | None, Field(description="What rows are split by", json_schema_extra=DIMENSIONS)
    ] = None
    model: Annotated[
        Line | None,
        Field(
            description="How visits before the call share its merit; none: the call's own source",
            json_schema_extra={"enum": [it.value for it in Model]},
        ),
    ] = None
    against: Annotated[
        Line | None,
        Field(description="A model beside", json_schema_extra={"enum": [OWN, *(it.value for it in Model)]}),
    ] = None
    leads: Annotated[
        Line | None,
        Field(description="What a lead is; calls", json_schema_extra={"enum": [it.value for it in Leads]}),
    ] = None
    compare: Annotated[Literal["yes"] | None, Field(description="yes: with as many days before")] = None
    source: Annotated[Line | None, Field(description="Of this source alone; so the next ones")] = None
    medium: Line | None = None
    campaign: Line | None = None
    keyword: Line | None = None


class PathWords(SpanWords):
    """Whose steps, to what."""

    by: Annotated[
        Line | None,
        Field(description="What steps are; channel", json_schema_extra={"enum": [it.value for it in BY]}),
    ] = None
    goal: Annotated[
        Literal["sale", "target_call", "target-call"] | None,
        Field(description="Sales, if anything was sold, else target calls"),
    ] = None
    top: Annotated[int, Field(ge=1, le=MOST, description="How many ways are told one by one")] = USUAL

    def words(self) -> dict[str, str]:
        return {name: str(word) for name, word in super().words().items()}


@api.get("/report")
@operation(Scope.REPORTS_READ, Right.JUDGE, query=ReportWords, answer=ReportOut)
def report(asked: Asked[ReportWords, None]) -> dict[str, Any]:
    """What advertising brought and cost, as `leaseline report --json` has it."""
    words = asked.query.words()
    return report_export.describe(reports.read_asked(asked.session, asked.company, words, asked.by.at))


@api.get("/paths")
@operation(Scope.REPORTS_READ, Right.JUDGE, query=PathWords, answer=PathsOut)
def list_paths(asked: Asked[PathWords, None]) -> dict[str, Any]:
    """The ways over several origins to sales or target calls, as `leaseline paths --json` has them."""
    words = asked.query.words()
    found = path_report.read_paths(
        asked.session, asked.company, read_path_wish(words), spans_of(words), asked.by.at
    )
    return path_report.describe(found)


@api.get("/overview")
@operation(Scope.REPORTS_READ, query=SpanWords, answer=OverviewOut)
def show_overview(asked: Asked[SpanWords, None]) -> dict[str, Any]:
    """The days' figures beside those of as many days before, as `leaseline overview --json` has them."""
    words, zone = spans_of(asked.query.words()), ZoneInfo(asked.company.timezone)
    found = overview.read_overview(asked.session, [asked.company.id], words, zone, asked.by.at)
    return overview_export.describe(found)
