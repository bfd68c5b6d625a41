"""The words with which calls are asked for: those of tracker.policy.call_filter, each with what it takes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from tracker.policy.addresses import LONGEST_ADDRESS
from web.rest.shapes import Line, Paged


def _underlined(word: Any) -> Any:
    """The command line's words have dashes: `gave-up`."""
    return word.replace("-", "_") if isinstance(word, str) else word


Dashed = BeforeValidator(_underlined)
YesNo = Literal["yes", "no"]
Day = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2})?$")]
Seconds = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}(\.[0-9]{1,3})?$")]
Amount = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}([.,][0-9]{1,4})?$")]
Hour = Annotated[str, StringConstraints(pattern=r"^(mon|tue|wed|thu|fri|sat|sun)-([01]?[0-9]|2[0-3])$")]
Address = Annotated[
    str, StringConstraints(max_length=LONGEST_ADDRESS, pattern=r"^[^\x00-\x1f\x7f]*$")
]  # of a page
PeriodWord = Annotated[
    Literal["today", "yesterday", "7d", "30d", "90d", "last_week", "this_month", "last_month"], Dashed
]
OutcomeWord = Annotated[Literal["answered", "missed", "busy", "failed", "gave_up", "refused"], Dashed]
CategoryWord = Annotated[Literal["target", "service", "non_target", "none"], Dashed]
KindWord = Annotated[Literal["dynamic", "static", "known_caller"], Dashed]
DelayWord = Literal["under-1m", "1m-5m", "5m-30m", "30m-1h", "1h-24h", "over-24h"]
WithoutWord = Literal[
    "campaign", "keyword", "ad", "landing", "site", "country", "device", "delay", "employee", "tag", "region"
]


class CallsAsked(Paged):
    """The list takes the same words as the page and as `leaseline calls list`; all of them must hold."""

    before: Annotated[
        Line | None, Field(description="The old name of `cursor`", json_schema_extra={"deprecated": True})
    ] = None

    period: Annotated[
        PeriodWord | None, Field(description="`today` to `90d` end with today; weeks begin with Monday")
    ] = None
    since: Annotated[
        Day | None,
        Field(description="A day in the company's time zone, or a minute of it; counts before `period`"),
    ] = None
    until: Annotated[Day | None, Field(description="The same; a day is included whole")] = None
    hour: Annotated[
        list[Hour] | None,
        Field(description="An hour of the week, by the company's clocks; needs a period", max_length=168),
    ] = None
    outcome: Annotated[list[OutcomeWord] | None, Field(description="One of these", max_length=20)] = None
    category: Annotated[
        list[CategoryWord] | None, Field(description="One of these; `none`: not judged", max_length=20)
    ] = None
    direction: Annotated[
        list[Literal["in", "out", "callback", "any"]] | None,
        Field(description="One of these; without it `in` and `callback`, as reports count", max_length=20),
    ] = None
    spam: Annotated[
        Literal["only", "also"] | None, Field(description="Without it, calls that are no spam")
    ] = None

    source: Annotated[Line | None, Field(description="The visit's or the channel's, exactly so")] = None
    medium: Annotated[Line | None, Field(description="The same")] = None
    campaign: Annotated[Line | None, Field(description="The same")] = None
    keyword: Annotated[Line | None, Field(description="The same")] = None
    group: Annotated[Line | None, Field(description="The channel group: `Paid Search`")] = None
    channel: Annotated[Line | None, Field(description="A static channel's name")] = None
    site: Annotated[Line | None, Field(description="A website's name")] = None
    ad: Annotated[Line | None, Field(description="The visit's `utm_content`")] = None
    landing: Annotated[
        Address | None, Field(description="The visit's first page, without what follows its path")
    ] = None
    country: Annotated[Line | None, Field(description="The visitor's, ISO 3166")] = None
    device: Annotated[Line | None, Field(description="The visitor's: phone, tablet, desktop, other")] = None
    region: Annotated[
        Line | None,
        Field(description="Of the caller's number, ISO 3166; `001`: of no country, `ZZ`: unknown"),
    ] = None
    kind: Annotated[KindWord | None, Field(description="How the caller came to the number")] = None
    delay: Annotated[DelayWord | None, Field(description="From the beginning of the visit to the call")] = (
        None
    )
    without: Annotated[
        list[WithoutWord] | None, Field(description="Has none of these, though it could", max_length=20)
    ] = None
    beside: Annotated[
        list[Line] | None,
        Field(
            description="From none of these: `channel/Billboard`, `Paid Search/google`, `none`",
            max_length=200,
        ),
    ] = None

    number: Annotated[Line | None, Field(description="Dialled, E.164")] = None
    answered_by: Annotated[Line | None, Field(description="A target's name")] = None
    missed_by: Annotated[Line | None, Field(description="A target that rang and did not take it")] = None
    tag: Annotated[Line | None, Field(description="A tag's name")] = None
    repeat: Annotated[YesNo | None, Field(description="The caller had called before")] = None
    uncertain: Annotated[YesNo | None, Field(description="The source is not to be counted on")] = None
    recorded: Annotated[YesNo | None, Field(description="There is a recording")] = None
    message: Annotated[YesNo | None, Field(description="The caller left a message")] = None
    attributed: Annotated[YesNo | None, Field(description="Something says where it came from")] = None
    known: Annotated[YesNo | None, Field(description="The caller's number is known")] = None
    recovered: Annotated[
        Literal["no", "yes", "us", "self"] | None,
        Field(description="Nobody took it, and what became of the caller"),
    ] = None
    talk_from: Annotated[Seconds | None, Field(description="Seconds")] = None
    talk_to: Annotated[Seconds | None, Field(description="Seconds")] = None
    value_from: Annotated[Amount | None, Field(description="In each company's own currency")] = None
    value_to: Annotated[Amount | None, Field(description="The same")] = None
    q: Annotated[
        Line | None, Field(description="Part of the caller's number or name, if he shows them, or of a note")
    ] = None
