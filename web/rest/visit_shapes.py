"""What is answered of visits and leases."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from tracker.models import VisitEventKind
from tracker.policy.leasing import LeaseEnd
from web.rest.shapes import Id, Page, Shape, SourceWords


class VisitBrief(SourceWords):
    """A visit, as far as its source goes."""

    id: Id
    started_at: datetime


class VisitCounted(VisitBrief):
    """The same, with how many pages were looked at."""

    pages: int


class VisitPageView(Shape):
    """A page that was opened, and when it was last looked at."""

    at: datetime
    until_at: datetime
    url: str
    title: str | None


class VisitHappening(Shape):
    """Something the visitor did besides looking at a page."""

    at: datetime
    kind: VisitEventKind
    detail: dict[str, Any]


class VisitTouches(Shape):
    """The visitor's first visit, the last, and the last that was not direct."""

    first: VisitBrief | None
    last: VisitBrief | None
    last_non_direct: VisitBrief | None


class VisitJourney(Shape):
    """A visit with all it did, among the visitor's other visits."""

    id: Id
    site: str
    started_at: datetime
    seen_at: Annotated[datetime | None, Field(description="Last sign of life")]
    left_at: Annotated[datetime | None, Field(description="Null: he is there, or went without a word")]
    landing_url: str | None
    referrer: str | None
    click_ids: dict[str, Any]
    parameters: dict[str, Any]
    suspicion: Annotated[str | None, Field(description="Why the source may be forged")]
    device: str | None
    system: str | None
    browser: str | None
    language: str | None
    country: str | None
    missed: Annotated[str | None, Field(description="Why he was shown no number of his own; null: he was")]
    pages: Annotated[list[VisitPageView], Field(description="At most 300")]
    events: Annotated[list[VisitHappening], Field(description="At most 300")]
    touches: VisitTouches
    visits: Annotated[list[VisitCounted], Field(description="All of the visitor, the oldest first")]


class VisitLease(Shape):
    """A number, or a code, that the visit was shown."""

    shown: str
    from_at: datetime
    until_at: datetime | None


class VisitOut(Shape):
    """A visit of the list."""

    id: Id
    site: str
    started_at: datetime
    seen_at: datetime | None
    left_at: datetime | None
    medium: str
    source: str
    campaign: str | None
    keyword: str | None
    channel_group: str | None
    paid: Annotated[bool, Field(description="It came from an ad that was paid for")]
    device: str | None
    system: str | None
    browser: str | None
    country: str | None
    landing_url: str | None
    pages: Annotated[int, Field(description="How many were looked at")]
    numbers: Annotated[list[str], Field(description="What it was shown: numbers, and codes")]
    missed: Annotated[str | None, Field(description="Why he was shown no number of his own; null: he was")]
    calls: Annotated[int, Field(description="How many have it as their source")]


class VisitPage(Page):
    visits: list[VisitOut]


class LeaseOut(Shape):
    """A number that was held for a visit."""

    id: Id
    number: str
    pool: str
    site: str
    visit_id: Id
    from_at: datetime
    expires_at: Annotated[datetime, Field(description="It ends then, unless a sign of life comes")]
    until_at: Annotated[datetime | None, Field(description="Null while it goes on")]
    ended_by: LeaseEnd | None


class LeasePage(Page):
    leases: list[LeaseOut]
