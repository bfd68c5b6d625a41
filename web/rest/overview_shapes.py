"""What the overview answers (tracker.overview_export): counts, seconds, shares as fractions."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from web.rest.report_shapes import SpanOut
from web.rest.shapes import Shape

Seconds = float | None
Fraction = Annotated[float | None, Field(description="From 0 to 1")]


class CallFigures(Shape):
    """Calls, by what became of them and what they were worth."""

    calls: int
    first_time: int
    answered_share: Fraction
    not_taken: int
    answered: int
    missed: int
    busy: int
    failed: int
    gave_up: int
    refused: int
    target: int
    service: int
    non_target: int
    not_judged: int
    target_share: Fraction


class FiguresBefore(CallFigures):
    """Those of as many days before."""

    callers: int
    wait_median_seconds: Seconds
    wait_90_seconds: Seconds
    talk_seconds: Seconds


class FiguresNow(FiguresBefore):
    """Those of the days."""

    talk_median_seconds: Seconds


class FiguresOfTime(CallFigures):
    """An hour, a day or a week."""

    first: date
    last: date
    hour: int | None


class FiguresOfSource(CallFigures):
    source: str
    group: str | None
    name: str | None


class FiguresOfEmployee(Shape):
    name: str
    answered: int
    rang_in_vain: int
    target: int
    judged: int
    wait_median_seconds: Seconds
    wait_90_seconds: Seconds
    talk_median_seconds: Seconds
    talk_seconds: Seconds


class FiguresOfNumber(CallFigures):
    number: str
    label: str | None
    channel: str | None
    most_effective: bool
    least_effective: bool


class OverviewOut(Shape):
    """What the page's overview shows."""

    days: SpanOut
    before: SpanOut
    figures: FiguresNow
    figures_before: FiguresBefore
    by_time: list[FiguresOfTime]
    sources: list[FiguresOfSource]
    hours_of_week: Annotated[dict[str, int], Field(description="Calls, by hours as `mon-14`")]
    missed_by_hour_of_week: dict[str, int]
    employees: list[FiguresOfEmployee]
    numbers: list[FiguresOfNumber]
