"""Tools that answer in figures: report, overview, paths, missed_callers."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field

from commands.assistant import words as w
from commands.assistant.cleaning import mask, told
from commands.assistant.desk import Desk
from commands.assistant.figures import MissedAnswer, OverviewAnswer, PathsAnswer, ReportAnswer, cut
from tracker import overview_export, path_report, recovery, report_export
from tracker.errors import Rejected
from tracker.overview import read_overview
from tracker.policy.journeys import Goal
from tracker.policy.path_table import PathWish
from tracker.policy.report import Leads
from tracker.policy.report_words import By
from tracker.reports import read_asked

_NUMBERS = 50
_TIMES = ("by_time", "hours_of_week", "missed_by_hour_of_week")


def report(
    desk: Desk,
    *,
    by: w.ReportBy = By.SOURCE,
    split: w.SplitBy = None,
    period: w.PeriodWord = None,
    since: w.Since = None,
    until: w.Until = None,
    source: w.Only = None,
    medium: w.Only = None,
    campaign: w.Only = None,
    keyword: w.Only = None,
    model: w.CreditModel = None,
    against: w.AgainstModel = None,
    leads: w.LeadsWord = Leads.CALLS,
    compare: Annotated[bool, Field(description="Beside as many days before.")] = False,
    sort_by: w.SortBy = "calls",
    limit: w.Limit = 30,
    company: w.CompanyName = None,
) -> ReportAnswer:
    """Which advertisement earned money: calls, target calls, sales, costs and ROMI by source, campaign,
    keyword …

    "Which keyword brought target calls last month?" is by=keyword, period=last_month, sort_by=target.
    `coverage` says how much is known, `doubts` and `intervals` where figures are too few: say so with every
    ranking. A row's `filter` given to `list_calls` lists its calls. Rows without a word carry `without`: they
    are no keyword.
    """
    if compare and against:
        raise Rejected(
            "report.malformed",
            "Beside a row stand the days before or another model",
            "Give `compare` or `against`",
        )
    given: dict[str, Any] = {
        "by": by, "split": split, "source": source, "medium": medium, "campaign": campaign,
        "keyword": keyword, "model": model, "against": against, "leads": leads,
        "compare": "yes" if compare else None,
    }  # fmt: skip
    asked = w.days(period, since, until) | {name: str(word) for name, word in given.items() if word}
    with desk.look(company) as (session, owner):
        answer = told(report_export.describe(read_asked(session, owner, asked, desk.now())))
        slug = owner.slug
    every = answer["rows"] if sort_by == "calls" else sorted(answer["rows"], key=_most_of(sort_by))
    rows, rest = cut(every, limit, "Narrow the report, sort by what matters")
    return ReportAnswer.model_validate(answer | {"company": slug, "rows": rows, "left_off": rest})


def overview(
    desk: Desk,
    *,
    period: w.PeriodWord = None,
    since: w.Since = None,
    until: w.Until = None,
    with_times: Annotated[bool, Field(description="Also by day and by hour of the week.")] = False,
    company: w.CompanyName = None,
) -> OverviewAnswer:
    """How things go: the days' calls, missed ones, target calls, waits and talks, beside as many days before.

    With sources, who answered, and what each channel's number brought.
    """
    asked = w.listed(w.days(period, since, until))
    with desk.look(company) as (session, owner):
        found = read_overview(session, [owner.id], asked, ZoneInfo(owner.timezone), desk.now())
        answer = told(overview_export.describe(found)) | {"company": owner.slug}
    numbers, rest = cut(answer["numbers"], _NUMBERS, "Ask for a report by number")
    times = {} if with_times else dict.fromkeys(_TIMES)
    return OverviewAnswer.model_validate(answer | times | {"numbers": numbers, "left_off": rest})


def paths(
    desk: Desk,
    *,
    by: w.PathBy = "channel",
    goal: w.Goal = None,
    period: w.PeriodWord = None,
    since: w.Since = None,
    until: w.Until = None,
    limit: Annotated[int, Field(ge=1, le=200, description="So many paths, and origins.")] = 20,
    company: w.CompanyName = None,
) -> PathsAnswer:
    """Over which channels, sources or campaigns people came to sales or target calls, and who helped on the
    way.

    `assisted_per_last` above 1: an origin prepares sales rather than closes them; a report by the last source
    undervalues it. Where `known` is far below `conversions` the rest says little.
    """
    wish = PathWish(By(by), Goal(goal) if goal else None, limit)
    asked = w.listed(w.days(period, since, until))
    with desk.look(company) as (session, owner):
        found = path_report.read_paths(session, owner, wish, asked, desk.now())
        answer = told(path_report.describe(found)) | {"company": owner.slug}
    origins, rest = cut(answer["origins"], limit, "Ask for coarser steps")
    return PathsAnswer.model_validate(answer | {"origins": origins, "left_off": rest})


def missed_callers(
    desk: Desk,
    *,
    period: w.PeriodWord = None,
    since: w.Since = None,
    until: w.Until = None,
    limit: Annotated[int, Field(ge=1, le=200, description="So many of those who still wait.")] = 20,
    company: w.CompanyName = None,
) -> MissedAnswer:
    """Who called in vain, who was spoken to since and how soon, and who still waits for a call.

    A person who calls several times in vain is one missed caller. Seconds are to the conversation.
    """
    asked = w.listed(w.days(period, since, until))
    with desk.look(company) as (session, owner):
        answer = told(recovery.describe(recovery.read_recovery(session, owner, asked, desk.now())))
        slug = owner.slug
    waiting, rest = cut(answer["still_waiting"], limit)
    if not desk.with_numbers:
        waiting = [{**each, "caller": mask(each["caller"])} for each in waiting]
    return MissedAnswer.model_validate(answer | {"company": slug, "still_waiting": waiting, "left_off": rest})


def _most_of(name: str) -> Any:
    """Sorts the largest first, what nobody knows after it, and rows that no word names last."""

    def place(row: dict[str, Any]) -> tuple[bool, Decimal]:
        value = row[name]
        return "without" in row, Decimal("Infinity") if value is None else -Decimal(str(value))

    return place
