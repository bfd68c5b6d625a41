"""Where a visitor came from: medium, source, campaign and keyword out of a landing address and a referrer.

Both are whatever a browser, or somebody who pretends to be one, sends: nothing here fails on them. The order
of decision is explained in docs/sources.md.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field

from tracker.policy.addresses import Address, clean, read_address, readable, shown_host
from tracker.policy.channel_groups import PAID, ChannelGroup, group_of
from tracker.policy.click_ids import (
    ClickId,
    deciding,
    is_well_formed,
    read_click_ids,
    read_openstat,
    suspicion,
)
from tracker.policy.patterns import compiled
from tracker.policy.referrers import BUILT_IN, Kind, KnownHost, Referrers

__all__ = ["BUILT_IN", "Decision", "Origin", "Part", "Referrers", "Rule", "classify", "decide"]

DIRECT, NONE, NOT_SET = "(direct)", "(none)", "(not set)"
AI_MEDIUM, AI_CAMPAIGN = "ai-assistant", "(ai-assistant)"  # Google Analytics' own words, since May 2026
LONGEST_MEDIUM, LONGEST_NAME = 100, 200  # characters, as the table of visits has room

UTM = (
    "utm_source", "utm_medium", "utm_campaign", "utm_id", "utm_term", "utm_content",
    "utm_source_platform", "utm_creative_format", "utm_marketing_tactic",
)  # fmt: skip
# What Google's ValueTrack and Yandex.Direct fill in where an advertiser has asked for it.
_KEYWORDS = ("utm_term", "keyword", "utm_keyword", "kw")
_CONTENTS = ("utm_content", "creative", "ad_id", "banner_id")
_CAMPAIGNS = ("utm_campaign", "utm_id", "campaignid", "campaign_id")
_PLACEMENTS = (
    "matchtype", "match_type", "network", "placement", "adposition", "position", "position_type", "adgroupid",
    "adgroup_id", "gbid", "targetid", "retargeting_id", "phrase_id", "device", "devicemodel", "source_type",
    "source", "addphrases", "loc_physical_ms", "loc_interest_ms", "region_id",
)  # fmt: skip
KEPT = tuple(dict.fromkeys((*UTM, *_KEYWORDS, *_CONTENTS, *_CAMPAIGNS, *_PLACEMENTS)))
# One of these makes it a campaign; a keyword alone may be the site's own search.
_TAGS = ("utm_source", "utm_medium", "utm_campaign", "utm_id")

_KIND_MEDIA = {Kind.SEARCH: "organic", Kind.SOCIAL: "social", Kind.EMAIL: "email", Kind.AI: AI_MEDIUM}
_KIND_NAMES = {
    Kind.SEARCH: "search engines", Kind.SOCIAL: "social networks", Kind.VIDEO: "video sites",
    Kind.SHOPPING: "shops", Kind.EMAIL: "mail sites", Kind.AI: "AI assistants",
    Kind.REFERRAL: "ordinary pages", Kind.THROUGH: "payment and log-in pages",
}  # fmt: skip


class Part(enum.StrEnum):
    """Where a rule's pattern is searched in."""

    LANDING = "landing"
    REFERRER = "referrer"


@dataclass(frozen=True)
class Rule:
    """A company's own word: an address in which `pattern` is found gives this source."""

    part: Part
    pattern: str  # accepted by tracker.policy.patterns.read_pattern
    medium: str
    source: str
    campaign: str | None = None


@dataclass(frozen=True)
class Origin:
    """Where a visit came from. Medium and source are in small letters unless a rule of the company says more.

    `new_touch`: an address or a referrer from outside says so; False for direct visits, for pages opened from
    the company's own sites, and for returns from a payment page. `paid`: as far as can be known, an
    advertisement brought the visitor. `suspicion`: why the click ids may be forged.
    """

    medium: str
    source: str
    campaign: str | None
    keyword: str | None
    content: str | None
    group: str
    paid: bool
    click_ids: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    suspicion: str | None = None
    new_touch: bool = False


@dataclass(frozen=True)
class Decision:
    """An origin, and in one sentence why it is that."""

    origin: Origin
    because: str


@dataclass(frozen=True)
class _Seen:
    """What the two addresses tell, before anything is decided."""

    landing: str  # as the rules see it
    referrer: str
    told: dict[str, str]  # the landing address's parameters that mean something
    click_ids: dict[str, str]
    came_from: Address | None  # None also where the referrer is no address
    host: KnownHost | None
    own: bool  # the referrer is the company's, or a page the visitor passed through

    def first(self, names: Sequence[str]) -> str | None:
        """The first of these parameters that was filled in; "{keyword}" is a template that was not."""
        values = (self.told.get(name, "") for name in names)
        return next((value for value in values if value and not _is_template(value)), None)


@dataclass(frozen=True)
class _Touch:
    medium: str
    source: str
    because: str
    campaign: str | None = None
    by: ClickId | None = None  # the click id that decided
    new: bool = True


def classify(
    landing_url: str | None,
    referrer: str | None,
    *,
    own_hosts: Sequence[str],
    rules: Sequence[Rule] = (),
    known: Referrers = BUILT_IN,
) -> Origin:
    """Where a visitor came from who landed on that address. Never fails, whatever the texts are.

    `own_hosts` are the company's ("shop.example", "*.shop.example"): coming from one of them, or from the
    landing page's own host, is no touch.
    """
    return decide(landing_url, referrer, own_hosts=own_hosts, rules=rules, known=known).origin


def decide(
    landing_url: str | None,
    referrer: str | None,
    *,
    own_hosts: Sequence[str],
    rules: Sequence[Rule] = (),
    known: Referrers = BUILT_IN,
) -> Decision:
    """As `classify`, with the reason."""
    seen = _look(landing_url, referrer, own_hosts, known)
    touch = (
        _by_rule(seen, rules)
        or _by_campaign(seen, known)
        or _by_click_id(seen)
        or _by_referrer(seen)
        or _Touch(NONE, DIRECT, "neither a campaign nor a referrer: direct", new=False)
    )
    return Decision(_origin(seen, touch, known), touch.because)


def is_own(host: str, own_hosts: Sequence[str]) -> bool:
    """Whether a host is one of these, or below one of them; www. makes no difference."""
    bare = host.removeprefix("www.")
    owned = (own.lower().strip(".").removeprefix("*.").removeprefix("www.") for own in own_hosts)
    return any(bare == own or bare.endswith("." + own) for own in owned if own)


def _look(landing_url: str | None, referrer: str | None, own_hosts: Sequence[str], known: Referrers) -> _Seen:
    landing, came_from = read_address(landing_url), read_address(referrer)
    host = known.find(came_from.host, came_from.path) if came_from else None
    given = landing.parameters if landing else {}
    own = [*own_hosts, landing.host] if landing and landing.host else own_hosts
    through = host is not None and host.kind is Kind.THROUGH
    return _Seen(
        landing=readable(landing_url),
        referrer=readable(referrer),
        told=_told(given),
        click_ids=read_click_ids(given),
        came_from=came_from if came_from and came_from.host else None,
        host=host,
        own=came_from is not None and (through or is_own(came_from.host, own)),
    )


def _told(given: dict[str, str]) -> dict[str, str]:
    told = {name: given[name] for name in KEPT if name in given}
    return told | read_openstat(given.get("_openstat", ""))


def _by_rule(seen: _Seen, rules: Sequence[Rule]) -> _Touch | None:
    for number, rule in enumerate(rules, start=1):
        text = seen.landing if rule.part is Part.LANDING else seen.referrer
        if text and compiled(rule.pattern).search(text):
            if rule.part is Part.LANDING and seen.own and not _is_tagged(seen):
                continue  # he walks about on the site: the page he opens now did not bring him
            because = f"rule {number}: {rule.pattern!r} is found in the {rule.part} address"
            return _Touch(rule.medium, rule.source, because, rule.campaign)
    return None


def _by_campaign(seen: _Seen, known: Referrers) -> _Touch | None:
    tags = [name for name in _TAGS if seen.first([name])]
    if not tags:
        return None
    because = f"campaign parameters: {', '.join(tags)}"
    source, medium = seen.first(["utm_source"]), seen.first(["utm_medium"])
    assistant = known.find(source.lower()) if source and not medium else None
    if assistant and assistant.kind is Kind.AI:  # ChatGPT tags its links with its host, and with nothing else
        return _Touch(AI_MEDIUM, assistant.name.lower(), because)
    # What the tags leave out is filled in from what else there is, if it speaks of the same source.
    rest = _by_click_id(seen) or _by_referrer(seen)
    if rest is None or not rest.new or (source and source.lower() != rest.source):
        rest = _Touch(NOT_SET, NOT_SET, "")
    return _Touch((medium or rest.medium).lower(), (source or rest.source).lower(), because)


def _by_click_id(seen: _Seen) -> _Touch | None:
    found = deciding(seen.click_ids, paid=True)
    if found is None:
        found = deciding(seen.click_ids, paid=False)
        # People share addresses with such an id in it, and sites carry it from page to page.
        if (
            found is None
            or seen.own
            or (seen.came_from and (not seen.host or seen.host.name != found.source))
        ):
            return None
    service = seen.told.get("openstat_service", "direct.yandex.ru") if found.name == "_openstat" else ""
    source = service if service and "yandex" not in service else str(found.source)
    return _Touch(found.medium, source.lower(), f"click id {found.name}", found.campaign, by=found)


def _by_referrer(seen: _Seen) -> _Touch | None:
    if seen.came_from is None:
        return None
    shown = shown_host(seen.came_from.host)
    if seen.own:
        passed = seen.host is not None and seen.host.kind is Kind.THROUGH
        what = f"{shown} is a page that visitors pass through" if passed else f"{shown} is the company's own"
        return _Touch(NONE, DIRECT, f"{what}: no new source", new=False)
    if seen.host is None:
        return _Touch("referral", shown, f"the referrer {shown} is on no list")
    medium = _KIND_MEDIA.get(seen.host.kind, "referral")
    name = shown if seen.host.kind is Kind.REFERRAL else seen.host.name.lower()
    return _Touch(medium, name, f"the referrer {shown} is on the list of {_KIND_NAMES[seen.host.kind]}")


def _origin(seen: _Seen, touch: _Touch, known: Referrers) -> Origin:
    medium, source = clean(touch.medium, LONGEST_MEDIUM), clean(touch.source, LONGEST_NAME)
    campaign = _name(_campaign(seen, touch))
    group = group_of(source, medium, campaign, known)
    return Origin(
        medium=medium,
        source=source,
        campaign=campaign,
        keyword=_name(_keyword(seen)) if touch.new else None,
        content=_name(seen.first((*_CONTENTS, "openstat_ad"))) if touch.new else None,
        group=group.value,
        paid=_is_paid(seen, touch, group),
        click_ids=seen.click_ids,
        parameters=seen.told,
        suspicion=suspicion(seen.click_ids),
        new_touch=touch.new,
    )


def _campaign(seen: _Seen, touch: _Touch) -> str | None:
    if not touch.new:
        return None
    told = touch.campaign or seen.first(_CAMPAIGNS) or seen.click_ids.get("gad_campaignid")
    told = told or seen.first(["openstat_campaign"])
    return told or (AI_CAMPAIGN if touch.medium == AI_MEDIUM else None)


def _is_paid(seen: _Seen, touch: _Touch, group: ChannelGroup) -> bool:
    clicked = deciding(seen.click_ids, paid=True)
    if clicked and is_well_formed(clicked.name, seen.click_ids[clicked.name]):
        return True
    # Numbers are kept back for those who came by an advertisement: an id that looks forged opens no door.
    return group in PAID and touch.by is None


def _keyword(seen: _Seen) -> str | None:
    if told := seen.first(_KEYWORDS):
        return told
    if seen.host is None or seen.came_from is None or seen.host.kind is not Kind.SEARCH:
        return None
    given = seen.came_from.parameters
    names = (name.lower() for name in seen.host.parameters)
    return next((given[name] for name in names if name in given), None)


def _is_tagged(seen: _Seen) -> bool:
    return seen.first(_TAGS) is not None or deciding(seen.click_ids, paid=True) is not None


def _is_template(value: str) -> bool:
    return value.startswith("{") and value.endswith("}")


def _name(text: str | None) -> str | None:
    return clean(text, LONGEST_NAME) or None
