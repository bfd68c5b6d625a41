"""When a visit goes on and when a new one begins, what consent allows, and how long a page was looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

PING_SECONDS = 60  # the script's signs of life while its page is visible
SESSION = timedelta(minutes=30)  # silence after which it is another visit: GA's and Yandex Metrica's rule
# Two signs of life no further apart than this are one stretch of looking; a page that was hidden longer was
# not being looked at meanwhile.
LOOKING = timedelta(seconds=PING_SECONDS * 1.5)
_CAMPAIGN_PREFIX = "utm_"


class Touch(Protocol):
    """Where a page was opened from, as tracker.policy.sources.classify says it, or as a visit has kept it."""

    @property
    def medium(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def campaign(self) -> str | None: ...
    @property
    def keyword(self) -> str | None: ...
    @property
    def content(self) -> str | None: ...
    @property
    def click_ids(self) -> Mapping[str, Any]: ...
    @property
    def parameters(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Consent:
    """What the visitor allows; None: he was not asked, or has not answered."""

    storage: bool | None = None
    ads: bool | None = None
    analytics: bool | None = None

    def kept(self) -> dict[str, bool]:
        """As it is stored with the visit: what was said, and nothing else."""
        said = {"storage": self.storage, "ads": self.ads, "analytics": self.analytics}
        return {name: word for name, word in said.items() if word is not None}


def may_remember(consent: Consent, *, needs_consent: bool) -> bool:
    """Whether a visit may be stored: not after a no, and where a site asks, only after a yes."""
    return consent.storage is True or (consent.storage is None and not needs_consent)


def is_over(seen_at: datetime, at: datetime) -> bool:
    """Whether the visitor was silent for so long that what comes now is another visit."""
    return at - seen_at >= SESSION


def is_new_campaign(opened: Touch, running: Touch) -> bool:
    """Whether a page was opened by an advertisement or campaign other than the one that began the visit.

    Only what stands in the page's own address counts: a visitor who leaves for a search engine and comes
    back within the half hour is the same visit, one who clicks another advertisement is not.
    """
    return _carries_campaign(opened) and _signature(opened) != _signature(running)


def looked_until(until_at: datetime, at: datetime) -> datetime:
    """Until when a page was looked at, now that its visitor gives a sign of life at `at`."""
    return max(until_at, at) if at - until_at <= LOOKING else until_at


def _carries_campaign(touch: Touch) -> bool:
    return bool(touch.click_ids) or any(name.startswith(_CAMPAIGN_PREFIX) for name in touch.parameters)


def _signature(touch: Touch) -> tuple[object, ...]:
    named = touch.medium, touch.source, touch.campaign, touch.keyword, touch.content
    return (*named, sorted(touch.click_ids.items()))
