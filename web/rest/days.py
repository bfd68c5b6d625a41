"""The days that an address asks for: `since` to `until`, both included, by the company's clocks."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field

from tracker.errors import Rejected
from tracker.policy.dates import Dates
from tracker.policy.tables import Unreadable
from web.rest.operation import Asked
from web.rest.shapes import Line, Query

_AS_A_DAY = {"format": "date"}
Day = Annotated[Line, Field(min_length=1)]


class DayWords(Query):
    """Days, both included; without any the present month until today."""

    since: Annotated[
        Day | None, Field(description="From this day on; the month's first", json_schema_extra=_AS_A_DAY)
    ] = None
    until: Annotated[
        Day | None, Field(description="Until this day, included; today", json_schema_extra=_AS_A_DAY)
    ] = None


class SpanWords(Query):
    """The days of a report; without any the last 30."""

    period: Annotated[
        Line | None,
        Field(description="today, yesterday, 7d, 30d, 90d, last_week, this_month, last_month"),
    ] = None
    since: Annotated[Line | None, Field(description="From this day on, as 2026-11-20")] = None
    until: Annotated[Line | None, Field(description="Until this day, included")] = None

    def words(self) -> dict[str, str]:
        """What was asked for, without the company."""
        return self.model_dump(exclude_none=True, exclude={"company"})


def days_of(asked: Asked[Any, Any]) -> tuple[date, date]:
    """The first and the last day. Raises Rejected filter.malformed."""
    since, until = asked.query.since, asked.query.until
    today = asked.by.at.astimezone(ZoneInfo(asked.company.timezone)).date()
    try:
        last = Dates(()).day(until) if until else today
        return Dates(()).day(since) if since else last.replace(day=1), last
    except Unreadable as why:
        raise Rejected("filter.malformed", why.said, "Give since and until as 2026-11-30") from None
