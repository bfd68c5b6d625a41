"""What reports and paths answer (tracker.report_export, tracker.path_report). What nobody knows is null."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from tracker.policy.credit import Model
from tracker.policy.journeys import Goal
from tracker.policy.money_figures import Doubt
from tracker.policy.report import Leads
from tracker.policy.report_words import By
from web.rest.shapes import Shape

Money = Annotated[str | None, Field(description="An exact decimal in the company's currency")]
Share = float | None
Ends = Annotated[
    list[float | None] | None,
    Field(min_length=2, max_length=2, description="From and to, 95 times in 100; null: no end"),
]
Filter = Annotated[
    dict[str, list[str]] | None, Field(description="The words with which `GET /calls` lists its calls")
]


class SpanOut(Shape):
    """Days, both included."""

    first: date
    last: date
    until: Annotated[str, Field(description="The last day, or the minute until which it is compared")]


class SharedFigures(Shape):
    """What depends on the model, of some rows together."""

    target: float
    leads: float
    orders: float
    conversion_percent: Share
    revenue: Money
    gross_profit: Money
    cost_per_target: Money
    cost_per_lead: Money
    cost_per_order: Money
    net: Money
    romi_percent: Share
    gross_return_percent: Share
    roas_percent: Share
    roas_break_even_percent: Share


class ReportFigures(SharedFigures):
    """Everything that is counted."""

    calls: float
    callers: int | None
    missed: float
    cost: Money
    cost_per_call: Money
    cost_per_caller: Money


class ReportIntervals(Shape):
    """Between which the true values lie: shares as fractions, money as it is."""

    conversion: Ends
    cost_per_order: Ends
    net: Ends
    romi: Ends


class ReportRow(ReportFigures):
    """A row; of what rows are, the words that `by` and `split` ask for are there."""

    source: str | None = None
    medium: str | None = None
    channel: str | None = None
    campaign: str | None = None
    ad: str | None = None
    keyword: str | None = None
    landing: str | None = None
    site: str | None = None
    number: str | None = None
    kind: str | None = None
    delay: str | None = None
    caller: str | None = None
    region: str | None = None
    country: str | None = None
    device: str | None = None
    month: str | None = None
    day: str | None = None
    hour: str | None = None
    weekday: str | None = None
    employee: str | None = None
    category: str | None = None
    tag: str | None = None
    without: Annotated[list[str], Field(default_factory=list, description="Why a word is null")]
    share_percent: Share
    judged: float
    non_target: float
    intervals: Annotated[ReportIntervals | None, Field(description="Where there are few orders")]
    doubts: list[Doubt]
    filter: Filter
    before: Annotated[ReportFigures | None, Field(description="The days before; with `compare`")]
    against: Annotated[SharedFigures | None, Field(description="By the model beside; with `against`")]


class ReportCoverage(Shape):
    """How much of it is known."""

    calls: int
    attributed: int
    unattributed_percent: Share
    uncertain: int
    answered: int
    judged: int
    orders: float
    orders_matched: float
    conversions_learned_from: int | None


class ReportLoss(Shape):
    row: list[str]
    loss: Money
    sure: bool


class ReportDropping(Shape):
    """What would become of the whole without rows that lose."""

    rows: list[list[str]]
    cost: Money
    would_lose: Money
    romi_percent_before: Share
    romi_percent_after: Share
    must_earn_percent: Share


class ReportWaste(Shape):
    keyword: str
    judged: int
    non_target: int
    wasted: Money


class ReportAdvice(Shape):
    """What the rows advise."""

    losing: list[ReportLoss]
    dropping: ReportDropping | None
    negative_keywords: list[ReportWaste]
    every_call_is_a_lead: bool


class ReportOut(Shape):
    """A report."""

    by: By
    split: By | None
    model: Model | None
    leads: Leads
    only: dict[str, str]
    currency: str
    days: SpanOut
    before: SpanOut | None
    against: str | None
    rows: list[ReportRow]
    total: ReportRow
    coverage: ReportCoverage
    advice: ReportAdvice


class PathDays(Shape):
    first: date
    last: date


class PathOut(Shape):
    """A way that persons went."""

    path: Annotated[list[str | None], Field(description="Its steps; null: unknown")]
    conversions: int
    share_percent: Share
    revenue: Money
    median_touches: float | None
    median_days: float | None


class PathWon(Shape):
    conversions: float
    revenue: Money


class PathOrigin(Shape):
    """What an origin began, ended and helped."""

    channel: str | None = None
    source: str | None = None
    campaign: str | None = None
    first: PathWon
    last: PathWon
    assisted: PathWon
    assisted_per_last: float | None
    filter: Filter


class PathsOut(Shape):
    """The ways to a goal."""

    by: Literal["channel", "source", "campaign"]
    goal: Goal
    currency: str
    days: PathDays
    persons: int
    conversions: int
    known: int
    over_several: int
    median_days: float | None
    paths: list[PathOut]
    other_paths: PathOut | None
    origins: list[PathOrigin]
