"""What a destination may be told of a call, apart from the database and from any destination's format.

A caller who withholds his number has none here, so nobody can send it; what a visitor did not allow is
not here either (`allowed`), so no destination has to think of it twice.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from tracker.policy.facts import Direction, Outcome
from tracker.policy.worth import Category


@dataclass(frozen=True)
class VisitFacts:
    """The visit that a call came from. `ads` and `analytics` are what the visitor said; None: nothing."""

    key: str  # of the visitor
    started_at: datetime
    landing_url: str | None
    page_url: str | None  # looked at last before the call
    referrer: str | None
    click_ids: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)  # of analytics and ads: "_ga", "_fbp", "_ym_uid"
    ads: bool | None = None
    analytics: bool | None = None
    asks: bool = False  # the site's visitors are asked: without a word nothing is allowed

    def allows_ads(self) -> bool:
        """Whether advertising systems may be told."""
        return _allows(self.ads, self.asks)

    def allows_analytics(self) -> bool:
        """Whether analytics may be told."""
        return _allows(self.analytics, self.asks)


@dataclass(frozen=True)
class Sound:
    """A call's recording as a file: its name, and all that is in it."""

    name: str
    content: bytes


ReadSound = Callable[[int], Sound | None]  # of so many bytes at most; None: there is none, or it is larger


def no_sound(_most_bytes: int) -> Sound | None:
    """Of a call that nothing was recorded of."""
    return None


@dataclass(frozen=True)
class CallFacts:
    """One call, as it stands when it is told."""

    key: str
    company: str
    company_name: str
    timezone: str
    language: str
    region: str  # ISO 3166: how the company's people write numbers
    currency: str
    direction: Direction
    number: str  # E.164, dialled or shown
    caller: str | None  # E.164; None when it is withheld, or is no number
    caller_name: str | None
    repeat: bool
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    wait_seconds: float | None
    talk_seconds: float | None
    outcome: Outcome | None
    answered_by: str | None
    left_message: bool
    medium: str | None
    source: str | None
    campaign: str | None
    keyword: str | None
    content: str | None
    channel: str | None  # a static one
    group: str | None  # the channel group, "Paid Search"
    category: Category | None
    value: Decimal | None
    tags: tuple[str, ...]
    link: str  # the call's page
    recording_link: str | None  # None: nothing to hear
    visit: VisitFacts | None = None
    described: Mapping[str, Any] = field(default_factory=dict)  # as the API shows it
    earlier_calls: int = 0  # of the same caller
    sound: ReadSound = field(default=no_sound, repr=False, compare=False)

    @property
    def answered(self) -> bool:
        """Whether somebody talked with the caller."""
        return self.outcome is Outcome.ANSWERED

    @property
    def is_static(self) -> bool:
        """Whether the number belongs to a channel, so that no visit is behind the call."""
        return self.channel is not None


def digest_plus(e164: str) -> str:
    """SHA-256 of "+16502530000" in hex: what Google compares (Data Manager API, enhanced conversions)."""
    return hashlib.sha256(e164.encode()).hexdigest()


def digest_digits(e164: str) -> str:
    """SHA-256 of "16502530000" in hex, what Meta compares: digits, no plus, no leading zeros."""
    return hashlib.sha256(re.sub(r"\D", "", e164).lstrip("0").encode()).hexdigest()


def ga_client_id(cookie: str | None) -> str | None:
    """The client id in a `_ga` cookie: "GA1.1.1197596843.1673515099" holds "1197596843.1673515099"."""
    parts = (cookie or "").split(".")
    fits = len(parts) >= 4 and parts[-1].isdecimal() and parts[-2].isdecimal()
    return ".".join(parts[-2:]) if fits else None


def ga_session_id(cookie: str | None) -> str | None:
    """The session id in a `_ga_<stream>` cookie, of either form (GS1 with dots, GS2 with dollar signs)."""
    form, _, rest = (cookie or "").partition(".")
    _, _, rest = rest.partition(".")
    if form == "GS1":
        found = rest.split(".")[0]
    elif form == "GS2":
        found = next((each[1:] for each in rest.split("$") if each[:1] == "s"), "")
    else:
        return None
    return found if found.isdecimal() else None


def _allows(word: bool | None, asks: bool) -> bool:
    return word is True or (word is None and not asks)
