"""Answers in figures: reports, the overview, paths, missed callers. Their fields are those of `--json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from commands.assistant.cleaning import CAUTION

MOST_CHARACTERS = 40_000  # of the rows of an answer: some ten thousand tokens
Count = int | float
Ends = list[float | None] | None


class Answer(BaseModel):
    """What every answer begins with."""

    caution: str = CAUTION
    company: str = Field(description="Short name of the company.")


class LeftOff(BaseModel):
    """What an answer had no place for."""

    count: int
    advice: str = Field(description="How to see the rest.")


class Dates(BaseModel):
    """The days counted, both included."""

    first: str
    last: str


class Days(Dates):
    """`until` has a time where the last day is counted up to it."""

    until: str


class Sums(BaseModel):
    """Counts, and money as decimals in the company's currency; null is what nobody has said."""

    calls: Count
    callers: int | None = Field(description="Different people, by their numbers.")
    missed: Count = Field(description="Calls that nobody took.")
    target: Count = Field(description="Calls a person judged to be a client from advertising.")
    leads: Count
    orders: Count = Field(description="Sales.")
    conversion_percent: float | None = Field(description="Orders of leads.")
    revenue: str | None
    gross_profit: str | None
    cost: str | None
    cost_per_call: str | None
    cost_per_caller: str | None
    cost_per_target: str | None
    cost_per_lead: str | None
    cost_per_order: str | None
    net: str | None = Field(description="Gross profit less cost.")
    romi_percent: float | None = Field(description="(Gross profit - cost) / cost: a loss begins below 0.")
    gross_return_percent: float | None
    roas_percent: float | None = Field(description="Revenue / cost; see roas_break_even_percent.")
    roas_break_even_percent: float | None


class ReportRow(Sums):
    """A row: its words under their own names (`keyword`, `source` …), null with `without` where it has "
    "none."""

    model_config = ConfigDict(extra="allow")

    share_percent: float | None = Field(description="Of all calls.")
    judged: int = Field(description="Calls of which a person said what they were worth.")
    non_target: int
    intervals: dict[str, Ends] | None = Field(description="Where true values lie, 95 times in 100.")
    doubts: list[str] = Field(description="Why the figures say less than they seem to.")
    filter: dict[str, list[str]] | None = Field(description="Finds exactly these calls with `list_calls`.")
    before: Sums | None = Field(description="The same of the days before.")
    against: dict[str, Any] | None = Field(description="The same by the model beside.")


class Coverage(BaseModel):
    """How much of the calls and orders is known; what is not known is in no row's favour."""

    calls: int
    attributed: int
    unattributed_percent: float | None
    uncertain: int
    answered: int
    judged: int
    orders: Count
    orders_matched: Count
    conversions_learned_from: int | None


class Losing(BaseModel):
    row: list[str]
    loss: str
    sure: bool = Field(description="More than chance explains.")


class Negative(BaseModel):
    keyword: str
    judged: int
    non_target: int
    wasted: str | None


class Advice(BaseModel):
    """What follows from the figures; a person decides."""

    losing: list[Losing]
    dropping: dict[str, Any] | None = Field(description="What leaving rows out would cost.")
    negative_keywords: list[Negative] = Field(description="Keywords whose calls are of no use.")
    every_call_is_a_lead: bool = Field(description="Nobody has judged any call.")


class ReportAnswer(Answer):
    by: str
    split: str | None
    model: str | None
    leads: str
    only: dict[str, str]
    currency: str
    days: Days
    before: Days | None
    against: str | None
    rows: list[ReportRow]
    total: ReportRow = Field(description="Of all rows, also those left off.")
    coverage: Coverage
    advice: Advice
    left_off: LeftOff | None


class Counts(BaseModel):
    """Calls of a kind; shares as fractions."""

    calls: int
    first_time: int
    answered_share: float | None
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
    target_share: float | None = Field(description="Target calls of those judged.")


class TotalsBefore(Counts):
    callers: int
    wait_median_seconds: float | None
    wait_90_seconds: float | None
    talk_seconds: float


class Totals(TotalsBefore):
    talk_median_seconds: float | None


class TimeCounts(Counts):
    first: str
    last: str
    hour: int | None


class SourceCounts(Counts):
    source: str
    group: str | None
    name: str | None


class NumberCounts(Counts):
    number: str
    label: str | None
    channel: str
    most_effective: bool
    least_effective: bool


class EmployeeCounts(BaseModel):
    name: str
    answered: int
    rang_in_vain: int
    target: int
    judged: int
    wait_median_seconds: float | None
    wait_90_seconds: float | None
    talk_median_seconds: float | None
    talk_seconds: float


class OverviewAnswer(Answer):
    days: Days
    before: Days
    figures: Totals
    figures_before: TotalsBefore = Field(description="Of as many days before.")
    sources: list[SourceCounts]
    employees: list[EmployeeCounts]
    numbers: list[NumberCounts] = Field(description="Numbers of channels.")
    by_time: list[TimeCounts] | None = Field(description="Asked for with `with_times`.")
    hours_of_week: dict[str, int] | None
    missed_by_hour_of_week: dict[str, int] | None
    left_off: LeftOff | None


class Path(BaseModel):
    path: list[str | None]
    conversions: int
    share_percent: float | None
    revenue: str | None
    median_touches: float | None
    median_days: float | None


class Reached(BaseModel):
    conversions: int
    revenue: str | None


class PathOrigin(BaseModel):
    model_config = ConfigDict(extra="allow")

    first: Reached
    last: Reached
    assisted: Reached
    assisted_per_last: float | None
    filter: dict[str, list[str]] | None


class PathsAnswer(Answer):
    by: str
    goal: str
    currency: str
    days: Dates
    persons: int
    conversions: int
    known: int
    over_several: int
    median_days: float | None
    paths: list[Path]
    other_paths: Path | None = Field(description="All paths that are not named, together.")
    origins: list[PathOrigin]
    left_off: LeftOff | None


class MissedFigures(BaseModel):
    missed_callers: int
    called_back: int
    called_again: int
    waiting: int
    median_seconds: float | None
    p90_seconds: float | None


class MissedBySource(MissedFigures):
    source: str | None


class MissedByEmployee(MissedFigures):
    employee: str | None


class Waiting(BaseModel):
    caller: str | None
    since: str
    last_call_at: str
    calls: int
    tries: int = Field(description="How often we called him in vain.")
    source: str | None
    key: str = Field(description="His last call, for `show_call`.")


class MissedAnswer(Answer, MissedFigures):
    since: str
    until: str
    missed_calls: int
    unknown_callers: int = Field(description="Called in vain without a number: nobody can call them back.")
    by_source: list[MissedBySource]
    by_employee: list[MissedByEmployee]
    still_waiting: list[Waiting]
    left_off: LeftOff | None


def cut(
    rows: Sequence[Mapping[str, Any]], limit: int, advice: str = "Ask for fewer days"
) -> tuple[list[Mapping[str, Any]], LeftOff | None]:
    """The first of the rows, at most `limit` and no more than an answer holds, and what was left off."""
    kept: list[Mapping[str, Any]] = []
    characters = 0
    for row in rows[:limit]:
        characters += len(json.dumps(row, ensure_ascii=False))
        if kept and characters > MOST_CHARACTERS:
            break
        kept.append(row)
    if len(kept) == len(rows):
        return kept, None
    more = ", or raise `limit`" if len(kept) == limit else ": an answer has place for no more"
    return kept, LeftOff(count=len(rows) - len(kept), advice=advice + more)
