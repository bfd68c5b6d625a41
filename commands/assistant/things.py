"""Answers about things: calls, channels, numbers, sites, pools, destinations, costs, sales.

A field that is not named here does not leave: secrets, links to recordings, addresses with click ids,
whatever a website or a phone system sends along.
"""

from __future__ import annotations

from pydantic import BaseModel, Field

from commands.assistant.figures import Answer, LeftOff

Amount = str | None


class Source(BaseModel):
    """Where a caller came from: a static channel, or what brought the website's visitor."""

    channel: str | None
    medium: str | None
    source: str | None
    campaign: str | None
    keyword: str | None
    content: str | None = Field(description="The ad.")
    channel_group: str | None


class Attribution(BaseModel):
    basis: str | None
    probability: float | None
    uncertain: bool | None


class Recording(BaseModel):
    state: str
    seconds: float | None


class Message(BaseModel):
    at: str | None
    seconds: float | None


class CallRow(BaseModel):
    """A call. Instants are in UTC; `outcome` is null while it goes on."""

    key: str = Field(description="For `show_call`.")
    direction: str
    number: str = Field(description="Ours, that was dialled.")
    caller: str | None = Field(description="Masked unless the owner shows numbers; null: withheld.")
    caller_name: str | None
    presentation: str
    repeat: bool | None
    spam: str | None
    source: Source | None
    attribution: Attribution
    started_at: str
    answered_at: str | None
    ended_at: str | None
    wait_seconds: float | None
    talk_seconds: float | None
    outcome: str | None
    answered_by: str | None
    hung_up_by: str | None
    category: str | None
    tags: list[str]
    heard_of: str | None = Field(description="How the caller said he heard of the company.")
    promo_code: str | None
    value: Amount
    currency: str
    recording: Recording | None
    message: Message | None


class CallsAnswer(Answer):
    timezone: str
    found: int = Field(description="How many calls the filter finds, also those on other pages.")
    calls: list[CallRow] = Field(description="Newest first.")
    next: str | None = Field(description="Give it as `before` for the next page; null: these are the last.")


class VisitName(BaseModel):
    id: int
    started_at: str
    medium: str
    source: str
    campaign: str | None
    keyword: str | None
    content: str | None
    channel_group: str | None


class Candidate(BaseModel):
    """A possible source of the call, with why it may be."""

    basis: str
    probability: float | None
    reasons: list[str]
    visit: VisitName | None
    channel: str | None


class PageView(BaseModel):
    at: str
    until_at: str | None
    page: str | None
    title: str | None


class VisitEvent(BaseModel):
    at: str
    kind: str


class Visit(BaseModel):
    """The visit that led to the call."""

    id: int
    site: str
    started_at: str
    landing_page: str | None
    referrer: str | None
    device: str | None
    system: str | None
    browser: str | None
    language: str | None
    country: str | None
    pages: list[PageView]
    events: list[VisitEvent]
    visits: list[VisitName] = Field(description="All known of the same visitor.")


class CallEvent(BaseModel):
    """What a witness wrote down of the call."""

    kind: str
    at: str | None = None
    status: str | None = None
    position: int | None = None


class Note(BaseModel):
    at: str | None
    text: str


class Judged(BaseModel):
    at: str | None
    category: str | None


class Suggestion(BaseModel):
    category: str
    ground: str
    since: str | None


class Became(BaseModel):
    recovered: str
    seconds: float | None
    by: str | None


class CallAnswer(Answer):
    timezone: str
    call: CallRow
    candidates: list[Candidate]
    visit: Visit | None
    events: list[CallEvent]
    earlier: list[CallRow] = Field(description="Of the same caller, the newest first.")
    earlier_count: int
    later: list[CallRow]
    notes_count: int
    notes: list[Note] = Field(description="Empty unless the owner shows numbers and names.")
    category_history: list[Judged]
    suggestion: Suggestion | None = Field(description="A proposal only: a person decides.")
    missed: Became | None = Field(description="What became of a missed caller.")
    left_off: LeftOff | None


class CompanyThing(BaseModel):
    company: str = Field(description="Short name, as every tool takes it.")
    name: str
    currency: str
    timezone: str
    today: str
    first_call_on: str | None
    last_call_on: str | None


class CompaniesAnswer(BaseModel):
    companies: list[CompanyThing]
    shows_numbers: bool = Field(description="Whether callers' numbers and names are shown.")


class Channel(BaseModel):
    name: str
    medium: str
    source: str
    campaign: str | None
    keyword: str | None
    shown_to: str | None
    numbers: int
    created_at: str


class Number(BaseModel):
    number: str
    state: str
    quarantined_until: str | None
    channel: str | None
    pool: str | None
    label: str | None
    record: bool
    created_at: str


class Swap(BaseModel):
    number: str
    pool: str
    region: str | None
    alias: str | None


class Site(BaseModel):
    name: str
    domains: list[str]
    needs_consent: bool
    numbers: list[Swap]
    created_at: str


class Standing(BaseModel):
    numbers: int
    leased: int
    resting: int
    free: int


class PoolDay(BaseModel):
    visits: int
    own_number: int
    missed: dict[str, int]
    share: float | None = Field(description="Visits that had a number of their own; as a fraction.")


class Pool(BaseModel):
    name: str
    numbers: int
    hold_seconds: int
    cooldown_seconds: int
    when_empty: str
    overflow_number: str | None
    now: Standing
    last_day: PoolDay


class Destination(BaseModel):
    """Where calls are told; addresses and secrets stay here."""

    name: str
    kind: str
    title: str
    state: str
    events: list[str]
    sent_at: str | None
    failing_since: str | None
    answer: str | None
    disabled_because: str | None
    waiting: int
    oldest_at: str | None
    failed: int = Field(description="Given up in the last 7 days.")


class SetupAnswer(Answer):
    """Null: not asked for."""

    channels: list[Channel] | None
    numbers: list[Number] | None
    sites: list[Site] | None
    pools: list[Pool] | None
    destinations: list[Destination] | None
    left_off: dict[str, LeftOff] = Field(description="By part.")


class Cost(BaseModel):
    day: str
    medium: str | None
    source: str | None
    campaign: str | None
    keyword: str | None
    content: str | None
    channel: str | None
    amount: str
    currency: str
    note: str | None
    entered: str


class Rent(BaseModel):
    channel: str
    amount: str
    currency: str
    first: str = Field(description="Due from this day on.")
    until: str | None
    note: str | None


class CostsAnswer(Answer):
    first: str
    last: str
    costs: list[Cost]
    rents: list[Rent] = Field(description="What channels cost a month; reports spread them over the days.")
    left_off: LeftOff | None


class Sale(BaseModel):
    at: str
    revenue: Amount
    profit: Amount
    currency: str
    status: str
    reference: str | None
    matched_by: str | None = Field(description="Null: it belongs to nobody known.")
    call: str | None = Field(description="Key of its call.")
    phone: str | None = Field(description="Masked unless the owner shows numbers.")
    note: str | None
    entered: str


class SalesAnswer(Answer):
    first: str
    last: str
    sales: list[Sale]
    left_off: LeftOff | None
