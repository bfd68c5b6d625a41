"""The tool that explains words: one a thing, the same in answers, commands and on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from commands.assistant.desk import Desk
from commands.call_options import HELP
from tracker.policy.credit import Model
from tracker.policy.report_words import By

TERMS = {
    "target call": "A call of which a person in the company said that it was a client's from "
    "advertising, with whom a sale may begin. Software never says so: where few calls are judged, their "
    "share says little. See `coverage.judged` beside `coverage.answered`.",
    "service call": "A call of which a person said that it was a client's whom the company has already.",
    "non-target call": "A call of which a person said that it is of no use: wrong number, another "
    "product, spam.",
    "lead": "Every call, or target calls only: `leads` of a report says which.",
    "order": "A sale. It counts in the days in which it was made, whenever its call was.",
    "missed": "A call that nobody took: missed, busy, failed, gave_up or refused.",
    "missed caller": "A person who called in vain, however often; recovered by the first conversation after.",
    "source": "Where a caller came from: a channel's number, or what brought the website's visitor, "
    "told as medium, source, campaign and keyword.",
    "channel": "A static source that owns numbers: a billboard, a leaflet, a business profile. In "
    "reports also the channel group of website visitors, as Paid Search.",
    "pool": "Numbers that are leased to a website's visitors, each to one visitor at a time.",
    "lease": "A number held for one visitor, from when until when.",
    "attribution": "The call's source and how likely it is; uncertain where another is nearly as "
    "likely. basis lease: the number was shown to that visitor alone; repeat: known from an earlier call; "
    "channel: the number is a channel's; code: the visitor's code, or he asked to be called.",
    "repeat caller": "The company has had a call from this number before.",
    "spam": "Blocked, or marked by a person. Reports and lists leave it out.",
    "outgoing call": "A call that the company made. It is in the books, and in no report.",
    "not divided": "A cost told less finely than the rows are: of a source, where rows are keywords.",
    "nothing known": "Calls and sales of which nothing says where they came from. No other row has a "
    "part of them.",
    "coverage": "How many calls have a source, how many are judged, how many orders belong to a call.",
    "destination": "Where calls are told: analytics, ad platforms, CRMs. failing: it refused what it "
    "was told last.",
    "ROMI": "(Gross profit - cost) / cost, in per cent. A loss begins below 0.",
    "ROAS": "Revenue / cost, in per cent. A loss begins below roas_break_even_percent, which the "
    "margin makes.",
    "doubts": "Why a row says less than it seems to. few_orders: chance alone may double or halve its "
    "figures.",
}
GROUPINGS: Mapping[str, str] = {
    By.SOURCE: "Who sent the visitor, or the channel's source: google, yandex, billboard.",
    By.MEDIUM: "How: cpc, organic, social, email, referral, (none).",
    By.CHANNEL: "Channel group of website visitors (Paid Search), and static channels as channel/NAME.",
    By.CAMPAIGN: "utm_campaign, or what the ad platform says.",
    By.AD: "utm_content.",
    By.KEYWORD: "utm_term: the keyword that was paid for, or typed.",
    By.LANDING: "The page on which the visit began, without what follows its path.",
    By.SITE: "The website.",
    By.NUMBER: "The company's number that was dialled.",
    By.KIND: "dynamic: a visitor's own number; static: a channel's; known_caller: known from an "
    "earlier call.",
    By.DELAY: "From the beginning of the visit to the call.",
    By.CALLER: "first, repeat, or withheld.",
    By.REGION: "The country of the caller's telephone number.",
    By.COUNTRY: "The country of the visitor's browser.",
    By.DEVICE: "phone, tablet, desktop, other.",
    By.MONTH: "By the company's clocks; sales and costs stand in their own month.",
    By.DAY: "By the company's clocks; sales and costs stand in their own day.",
    By.HOUR: "Hour of the day.",
    By.WEEKDAY: "Day of the week.",
    By.EMPLOYEE: "Who answered.",
    By.CATEGORY: "What people judged: target, service, non_target.",
    By.TAG: "A call with several tags stands in several rows.",
}
MODELS: Mapping[str, str] = {
    Model.FIRST: "The first step of the 90 days before has all the credit.",
    Model.LAST: "The last step has.",
    Model.LAST_NON_DIRECT: "The last step that was no direct visit; the last, if all were.",
    Model.LINEAR: "All steps alike.",
    Model.POSITION: "The first 40 %, the last 40 %, those between them the rest.",
    Model.DECAY: "The later the more: half as much for each 7 days before.",
    Model.DATA_DRIVEN: "As much as would be lost without the step's origin, learned from the company's "
    "own paths.",
}
Topic = Literal["terms", "groupings", "models", "filter"]


class Entry(BaseModel):
    word: str
    meaning: str


class GlossaryAnswer(BaseModel):
    """Null: not asked for."""

    terms: list[Entry] | None = None
    groupings: list[Entry] | None = Field(default=None, description="Words of `by` and `split`.")
    models: list[Entry] | None = Field(default=None, description="Words of `model`.")
    filter: list[Entry] | None = Field(default=None, description="Words of the filter of calls.")


def glossary(
    desk: Desk,  # noqa: ARG001  (as every tool)
    *,
    topics: Annotated[
        list[Topic] | None, Field(min_length=1, description="Without it: terms, groupings and models.")
    ] = None,
) -> GlossaryAnswer:
    """What the words mean here: target call, lead, missed, ROMI; what reports group by; models; the filter's
    words.

    A target call is what a person judged to be one, and nothing else: read this before you compare figures.
    """
    told: dict[str, Mapping[str, str]] = {
        "terms": TERMS,
        "groupings": GROUPINGS,
        "models": MODELS,
        "filter": HELP,
    }
    asked = topics or ["terms", "groupings", "models"]
    return GlossaryAnswer.model_validate(
        {name: [{"word": word, "meaning": text} for word, text in told[name].items()] for name in asked}
    )
