"""A call as one level of names and texts: for forms, and for an address with places in its query.

Receivers that were written long ago read no JSON. Every name is there at every call; what is not known is an
empty text. A value in an address is escaped whole, and places stand only behind its question mark, so that
nothing a caller or a visitor sends can lead the request elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from tracker.errors import Rejected

CLICKS = ("gclid", "gbraid", "wbraid", "yclid", "fbclid", "msclkid")
NAMES = (
    "event", "timestamp", "key", "company", "direction", "number", "caller", "caller_name", "presentation",
    "repeat", "guard", "spam", "source_channel", "source_medium", "source_source", "source_campaign",
    "source_keyword", "source_content", "source_channel_group", "attribution_basis",
    "attribution_probability", "attribution_uncertain", "started_at", "rang_at", "answered_at", "ended_at",
    "wait_seconds", "talk_seconds", "outcome", "interrupted", "answered_by", "hung_up_by", "category", "tags",
    "heard_of", "promo_code", "value", "currency", "recording_state", "recording_seconds",
    "recording_sha256", "recording_withheld", "message_at", "message_seconds", "reported_system",
    "reported_reference", "reported_recording_url", "visit_visitor", "visit_landing_url", "visit_page_url",
    "visit_referrer", *(f"visit_click_ids_{name}" for name in CLICKS), "link", "recording_link",
)  # fmt: skip
LONGEST = 1000  # of a value in an address; servers take addresses of 8 KB at the least
_PLACE = re.compile(r"\{([^{}]*)\}")


def flatten(event: str, timestamp: str, data: Mapping[str, Any]) -> dict[str, str]:
    """All of `NAMES`: a thing within a thing by both names, several with commas, yes and no as in JSON."""
    found = {"event": event, "timestamp": timestamp} | dict(_flat(data, ""))
    return {name: found.get(name, "") for name in NAMES}


def fill(template: str, values: Mapping[str, str]) -> str:
    """The address with values in its places."""
    head, mark, query = template.partition("?")
    return head + mark + _PLACE.sub(lambda place: _escaped(values.get(place[1], "")), query)


def check_places(template: str) -> None:
    """Raises Rejected destination.place."""
    head, _, query = template.partition("?")
    if re.search(r"[{}]", head):
        raise Rejected(
            "destination.place",
            "A place stands before the question mark of the address",
            "Put places into the query: https://crm.example/call?from={caller}",
        )
    unknown = [name for name in _PLACE.findall(query) if name not in NAMES]
    if unknown or re.search(r"[{}]", _PLACE.sub("", query)):
        raise Rejected(
            "destination.place",
            "The address has a place that is none: %(place)s",
            "Places are names in braces: %(names)s",
            place=unknown[0][:40] if unknown else "{ }",
            names=list(NAMES),
        )


def _flat(told: Mapping[str, Any], before: str) -> Iterator[tuple[str, str]]:
    for name, value in told.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}_")
        else:
            yield before + name, _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(str(each) for each in value) if isinstance(value, list | tuple) else str(value)


def _escaped(value: str) -> str:
    return quote(value[:LONGEST], safe="", errors="replace")
