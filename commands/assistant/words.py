"""The words that an assistant may ask with, as types: closed words are lists to choose from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from commands.call_options import HELP
from tracker.errors import Rejected
from tracker.policy.call_filter import LONGEST, MANY, Period, WithSpam, longest
from tracker.policy.call_words import Delay, Kind
from tracker.policy.credit import Model
from tracker.policy.facts import Outcome
from tracker.policy.recovery import Recovered
from tracker.policy.report import Leads
from tracker.policy.report_words import By

Yes = Literal["yes", "no"]
Words = dict[str, list[str]]

CompanyName = Annotated[
    str | None,
    Field(max_length=40, description="A company by its short name; needless if only one is open."),
]
PeriodWord = Annotated[
    Period | None,
    Field(description="Days without dates; without any, the last 30 days. Not beside `since` or `until`."),
]
Since = Annotated[
    str | None, Field(max_length=10, description="First day, as 2026-11-01, by the company's clocks.")
]
Until = Annotated[str | None, Field(max_length=10, description="Last day, included, as 2026-11-30.")]
ReportBy = Annotated[By, Field(description="What a row is: `glossary` tells what each word means.")]
SplitBy = Annotated[By | None, Field(description="What each row is split by.")]
CreditModel = Annotated[
    Model | None,
    Field(description="How several origins share in sales; without it, the call's own source."),
]
AgainstModel = Annotated[
    Model | Literal["own"] | None,
    Field(description="A second model beside the first ('own': the call's own source). Not with `compare`."),
]
LeadsWord = Annotated[Leads, Field(description="What counts as a lead: every call, or target calls only.")]
Only = Annotated[str | None, Field(max_length=LONGEST, description="Narrow the report to this one.")]
SortBy = Annotated[
    Literal["calls", "callers", "missed", "target", "leads", "orders", "revenue", "gross_profit", "cost",
            "net", "romi_percent"],
    Field(description="Rows with the most of this come first; the total never depends on it."),
]  # fmt: skip
Limit = Annotated[int, Field(ge=1, le=200, description="How many rows at most; what is left off is told.")]
Goal = Annotated[
    Literal["sale", "target_call"] | None,
    Field(description="What paths lead to; without it sales, or target calls where nothing was sold."),
]
PathBy = Annotated[Literal["channel", "source", "campaign"], Field(description="What a path's steps are.")]


def days(period: Period | None, since: str | None, until: str | None) -> dict[str, str]:
    """The days asked for, as the words of an address. Raises Rejected filter.malformed for two ways at "
    "once."""
    if period is not None and (since or until):
        raise Rejected(
            "filter.malformed", "Both a period and days are given", "Give `period`, or `since` and `until`"
        )
    given = {"period": period and period.value, "since": since, "until": until}
    return {name: word for name, word in given.items() if word}


def listed(words: Mapping[str, str]) -> Words:
    """The words as an address has them."""
    return {name: [word] for name, word in words.items()}


def _of(name: str) -> Any:
    """A word of the filter that need not be given, as `leaseline calls list --help` explains it."""
    said = HELP[name].replace("may be repeated", "several may be given")
    said = re.sub(r"\b(gave|non|known)-(up|target|caller)\b", r"\1_\2", said)
    return Field(default=None, description=said)


def _text(name: str) -> Any:
    return Field(default=None, max_length=longest(name), description=_of(name).description)


class CallFilter(BaseModel):
    """Which calls: all that is given must be true of a call. The `filter` of a report's row is one."""

    model_config = ConfigDict(extra="forbid", use_enum_values=True)

    period: Period | None = _of("period")
    since: str | None = _text("since")
    until: str | None = _text("until")
    hour: list[str] | None = _of("hour")
    direction: list[Literal["in", "out", "callback", "any"]] | None = _of("direction")
    spam: WithSpam | None = _of("spam")
    outcome: list[Outcome] | None = _of("outcome")
    category: list[Literal["target", "service", "non_target", "none"]] | None = _of("category")
    channel: str | None = _text("channel")
    site: str | None = _text("site")
    group: str | None = _text("group")
    medium: str | None = _text("medium")
    source: str | None = _text("source")
    campaign: str | None = _text("campaign")
    keyword: str | None = _text("keyword")
    ad: str | None = _text("ad")
    landing: str | None = _text("landing")
    country: str | None = _text("country")
    device: str | None = _text("device")
    region: str | None = _text("region")
    kind: Kind | None = _of("kind")
    delay: Delay | None = _of("delay")
    without: list[str] | None = _of("without")
    number: str | None = _text("number")
    answered_by: str | None = _text("answered_by")
    tag: str | None = _text("tag")
    repeat: Yes | None = _of("repeat")
    uncertain: Yes | None = _of("uncertain")
    attributed: Yes | None = _of("attributed")
    beside: list[str] | None = _of("beside")
    known: Yes | None = _of("known")
    missed_by: str | None = _text("missed_by")
    recovered: Recovered | None = _of("recovered")
    recorded: Yes | None = _of("recorded")
    message: Yes | None = _of("message")
    talk_from: Annotated[float, Field(ge=0, lt=1e6)] | None = _of("talk_from")
    talk_to: Annotated[float, Field(ge=0, lt=1e6)] | None = _of("talk_to")
    value_from: Annotated[float, Field(ge=0, lt=1e12)] | None = _of("value_from")
    value_to: Annotated[float, Field(ge=0, lt=1e12)] | None = _of("value_to")
    q: str | None = _text("q")

    @model_validator(mode="before")
    @classmethod
    def _as_given(cls, given: Any) -> Any:
        """Lists of one where one is wanted, one where several may be, true for yes: they mean the same."""
        if not isinstance(given, dict):
            return given
        return {name: _meant(name, value) for name, value in given.items()}

    def words(self) -> Words:
        """The words as an address has them."""
        given = self.model_dump(exclude_none=True)
        return {
            name: [_written(each) for each in (value if isinstance(value, list) else [value])]
            for name, value in given.items()
        }


def _meant(name: str, value: Any) -> Any:
    if isinstance(value, bool):
        value = "yes" if value else "no"
    if name in MANY:
        return [value] if isinstance(value, str) else value
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _written(value: Any) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
