"""Default channel groups: Google Analytics 4's published rules, in their order, and one for AI assistants.

https://support.google.com/analytics/answer/9756891. Everything is compared regardless of case.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from dataclasses import dataclass

from tracker.policy.referrers import BUILT_IN, Kind, Referrers


class ChannelGroup(enum.StrEnum):
    DIRECT = "Direct"
    CROSS_NETWORK = "Cross-network"
    PAID_SHOPPING = "Paid Shopping"
    PAID_SEARCH = "Paid Search"
    PAID_SOCIAL = "Paid Social"
    PAID_VIDEO = "Paid Video"
    DISPLAY = "Display"
    PAID_OTHER = "Paid Other"
    ORGANIC_SHOPPING = "Organic Shopping"
    ORGANIC_SOCIAL = "Organic Social"
    ORGANIC_VIDEO = "Organic Video"
    ORGANIC_SEARCH = "Organic Search"
    AI_ASSISTANT = "AI Assistant"
    REFERRAL = "Referral"
    EMAIL = "Email"
    AFFILIATES = "Affiliates"
    AUDIO = "Audio"
    SMS = "SMS"
    MOBILE_PUSH = "Mobile Push"
    UNASSIGNED = "Unassigned"


PAID = frozenset(
    {
        ChannelGroup.CROSS_NETWORK,
        ChannelGroup.PAID_SHOPPING,
        ChannelGroup.PAID_SEARCH,
        ChannelGroup.PAID_SOCIAL,
        ChannelGroup.PAID_VIDEO,
        ChannelGroup.DISPLAY,
        ChannelGroup.PAID_OTHER,
    }
)

_PAID_MEDIUM = re.compile(r"^(.*cp.*|ppc|retargeting|paid.*)$")
_SHOP = re.compile(r"^(.*(([^a-df-z]|^)shop|shopping).*)$")
_NO_MEDIUM = frozenset({"", "(none)", "(not set)"})
_DISPLAY = frozenset({"display", "banner", "expandable", "interstitial", "cpm"})
_SOCIAL = frozenset({"social", "social-network", "social-media", "sm", "social network", "social media"})
_REFERRAL = frozenset({"referral", "app", "link"})
_EMAIL = frozenset({"email", "e-mail", "e_mail", "e mail"})


@dataclass(frozen=True)
class _Visit:
    """Small letters throughout; `kind` is what the source is known as."""

    source: str
    medium: str
    campaign: str
    kind: Kind | None

    @property
    def paid(self) -> bool:
        return _PAID_MEDIUM.match(self.medium) is not None

    @property
    def shopping(self) -> bool:
        return self.kind is Kind.SHOPPING or _SHOP.match(self.campaign) is not None


def _is_push(visit: _Visit) -> bool:
    named = "mobile" in visit.medium or "notification" in visit.medium
    return named or visit.medium.endswith("push") or visit.source == "firebase"


# The first that fits decides.
_RULES: tuple[tuple[ChannelGroup, Callable[[_Visit], bool]], ...] = (
    (ChannelGroup.DIRECT, lambda visit: visit.source in {"", "(direct)"} and visit.medium in _NO_MEDIUM),
    (ChannelGroup.CROSS_NETWORK, lambda visit: "cross-network" in visit.campaign),
    (ChannelGroup.PAID_SHOPPING, lambda visit: visit.shopping and visit.paid),
    (ChannelGroup.PAID_SEARCH, lambda visit: visit.kind is Kind.SEARCH and visit.paid),
    (ChannelGroup.PAID_SOCIAL, lambda visit: visit.kind is Kind.SOCIAL and visit.paid),
    (ChannelGroup.PAID_VIDEO, lambda visit: visit.kind is Kind.VIDEO and visit.paid),
    (ChannelGroup.DISPLAY, lambda visit: visit.medium in _DISPLAY),
    (ChannelGroup.PAID_OTHER, lambda visit: visit.paid),
    (ChannelGroup.ORGANIC_SHOPPING, lambda visit: visit.shopping),
    (ChannelGroup.ORGANIC_SOCIAL, lambda visit: visit.kind is Kind.SOCIAL or visit.medium in _SOCIAL),
    (ChannelGroup.ORGANIC_VIDEO, lambda visit: visit.kind is Kind.VIDEO or "video" in visit.medium),
    (ChannelGroup.ORGANIC_SEARCH, lambda visit: visit.kind is Kind.SEARCH or visit.medium == "organic"),
    # Since May 2026; Google has published neither its list of assistants nor the rule's place.
    (ChannelGroup.AI_ASSISTANT, lambda visit: visit.kind is Kind.AI or visit.medium == "ai-assistant"),
    (ChannelGroup.REFERRAL, lambda visit: visit.medium in _REFERRAL),
    (ChannelGroup.EMAIL, lambda visit: visit.source in _EMAIL or visit.medium in _EMAIL),
    (ChannelGroup.AFFILIATES, lambda visit: visit.medium == "affiliate"),
    (ChannelGroup.AUDIO, lambda visit: visit.medium == "audio"),
    (ChannelGroup.SMS, lambda visit: "sms" in {visit.source, visit.medium}),
    (ChannelGroup.MOBILE_PUSH, _is_push),
)


def group_of(
    source: str, medium: str, campaign: str | None = None, known: Referrers = BUILT_IN
) -> ChannelGroup:
    """The channel group of a visit that came by that source, medium and campaign."""
    visit = _Visit(source.lower(), medium.lower(), (campaign or "").lower(), known.kind_of(source))
    return next((group for group, fits in _RULES if fits(visit)), ChannelGroup.UNASSIGNED)
