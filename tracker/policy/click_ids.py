"""Click ids: what advertising systems append to an address to know their click again.

Their forms are observed, not promised: an id that looks otherwise raises a suspicion, and is kept.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass

from tracker.policy.addresses import clean

_TOKEN = r"[A-Za-z0-9_-]{20,}"  # noqa: S105  (a pattern, no secret)
_UUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
OPENSTAT_PARTS = ("openstat_service", "openstat_campaign", "openstat_ad", "openstat_source")


@dataclass(frozen=True)
class ClickId:
    """A parameter that identifies a click, and where it says that the click came from.

    `paid` ids come with advertisements only. The others are also on links that people share, so that they
    never outweigh a referrer. Without a source it accompanies another id and says nothing by itself.
    """

    name: str
    form: str
    source: str | None = None
    medium: str = "cpc"
    paid: bool = True
    campaign: str | None = None


# In the order in which they decide, should several be there.
CLICK_IDS = (
    ClickId("gclid", _TOKEN, "google"),
    ClickId("wbraid", r"[A-Za-z0-9_-]{10,}", "google"),  # iOS, from an app to the web
    ClickId("gbraid", r"[A-Za-z0-9_-]{10,}", "google"),  # iOS, from the web to an app
    ClickId("msclkid", r"[0-9A-Fa-f-]{32,40}", "bing"),
    ClickId("yclid", r"\d{15,20}", "yandex"),
    ClickId("ymclid", r"\d{15,25}", "yandex.market"),
    ClickId("_openstat", r"[A-Za-z0-9_=-]{8,}", "yandex"),  # Yandex.Direct and others, see `read_openstat`
    ClickId("ttclid", r"[A-Za-z0-9._-]{20,}", "tiktok", "paid_social"),
    ClickId("twclid", r"[A-Za-z0-9-]{10,}", "twitter", "paid_social"),
    ClickId("li_fat_id", _UUID, "linkedin", "paid_social"),
    ClickId("ScCid", r"[A-Za-z0-9-]{20,}", "snapchat", "paid_social"),
    ClickId("rdt_cid", r"[A-Za-z0-9_-]{10,}", "reddit", "paid_social"),
    ClickId("rb_clickid", r"[A-Za-z0-9_.:-]{6,}", "vk", "paid_social"),  # VK Ads, once myTarget
    ClickId("dclid", r"[A-Za-z0-9_-]{10,}", "dv360", "display"),
    ClickId("gad_campaignid", r"\d{5,20}", "google"),
    ClickId("gad_source", r"\d{1,2}", "google"),  # stays when the visitor's consent takes the gclid away
    ClickId("gclsrc", r"[a-z0-9.]{2,10}"),
    # What Google calls the visits of its unpaid product listings.
    ClickId("srsltid", _TOKEN, "google", "organic", paid=False, campaign="Shopping free listings"),
    ClickId("ysclid", r"[a-z0-9]{10,}", "yandex", "organic", paid=False),
    ClickId("fbclid", _TOKEN, "facebook", "social", paid=False),
    ClickId("igshid", r"[A-Za-z0-9_=-]{8,}", "instagram", "social", paid=False),
    ClickId("igsh", r"[A-Za-z0-9_=-]{8,}", "instagram", "social", paid=False),
    ClickId("epik", r"[A-Za-z0-9_.~=-]{20,}", "pinterest", "social", paid=False),
)
_FORMS = {each.name: re.compile(each.form) for each in CLICK_IDS}


def read_click_ids(parameters: Mapping[str, str]) -> dict[str, str]:
    """The click ids among an address's parameters, in the order of CLICK_IDS, exactly as they were sent."""
    return {each.name: parameters[each.name.lower()] for each in CLICK_IDS if each.name.lower() in parameters}


def is_well_formed(name: str, value: str) -> bool:
    """Whether the id looks like those that the advertising system gives out."""
    if name == "_openstat" and not read_openstat(value):
        return False
    return _FORMS[name].fullmatch(value) is not None


def deciding(ids: Mapping[str, str], *, paid: bool) -> ClickId | None:
    """The paid (or unpaid) click id that says where the click came from; a well-formed one before others."""
    able = [each for each in CLICK_IDS if each.name in ids and each.source and each.paid is paid]
    return min(able, key=lambda each: not is_well_formed(each.name, ids[each.name]), default=None)


def suspicion(ids: Mapping[str, str]) -> str | None:
    """Why these ids may be forged, at most 100 characters; None when nothing speaks against them."""
    odd = [name for name, value in ids.items() if not is_well_formed(name, value)]
    return f"unusual form: {', '.join(odd)}"[:100] if odd else None


def read_openstat(value: str) -> dict[str, str]:
    """What Yandex.Direct and others pack into `_openstat`: service, campaign, ad, source; {} if unreadable.

    It is base64 of "service;campaign;ad;source", in either alphabet and mostly without padding.
    """
    packed = value.replace("+", "-").replace("/", "_").rstrip("=")
    try:
        text = base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return {}
    parts = text.decode("utf-8", errors="replace").split(";")
    if len(parts) != len(OPENSTAT_PARTS):
        return {}
    return {
        name: kept for name, part in zip(OPENSTAT_PARTS, parts, strict=True) if (kept := clean(part, 200))
    }
