"""A webhook in CallRail's format, so that receivers written for CallRail work by changing the address.

Keys and types are those of https://apidocs.callrail.com/#webhooks with the old names; what is not known is an
empty text. Each body is signed: `Signature` is HMAC-SHA1 in base64 with the company's signing key. CallRail
tries once; here what was not taken is tried again, with the same `id`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from babel.numbers import format_currency

from tracker.destinations.kind import BARRED, Field, FieldKind, Kind, Line, Parcel, usual_answer, wants_all
from tracker.errors import say
from tracker.outside import Trouble
from tracker.policy.delivering import Event, Hold, Timing
from tracker.policy.facts import Direction
from tracker.policy.parcels import CallFacts, VisitFacts, ga_client_id
from tracker.policy.phone import display, place_of
from tracker.policy.telling import Answer
from tracker.policy.worth import Category

POST_CALL = Timing(Hold.RECORDING, hold_for=timedelta(minutes=20))  # as long as CallRail waits for it
AT_ONCE = Timing()
MILESTONES = ("first_touch", "lead_created")  # "last_touch" and "qualified" are unconfirmed
# What `changes` may name, of what people change here. Which of them it was, a delivery does not know.
CHANGES = ("tags", "note", "value")
LEAD = {Category.TARGET: "good_lead", Category.SERVICE: "not_a_lead", Category.NON_TARGET: "not_a_lead"}
# What nobody here knows, of each call.
_UNKNOWN = (
    "agent_email", "business_phone_number", "conversational_transcript", "custom", "customer_city",
    "customer_state", "destinationnum", "device_type", "formatted_business_phone_number", "ip",
    "kissmetrics_id", "keywords_spotted", "note", "speaker_percent", "transcription", "utma", "utmb", "utmc",
    "utmv", "utmz", "callercity", "callerstate",
)  # fmt: skip
_TOUCH = (
    "event_date", "ad_position", "campaign", "device", "keywords", "landing", "match_type", "medium",
    "referrer", "session_browser", "source",
)  # fmt: skip
_TOUCH_MAPS = ("landing_page_url_params", "referrer_url_params", "url_utm_params")


def signature(key: str, body: bytes) -> str:
    """What `Signature` holds."""
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha1).digest()).decode()


def send(line: Line, parcels: Sequence[Parcel]) -> Iterator[Answer]:
    """One POST a parcel."""
    for parcel in parcels:
        body = json.dumps(payload(parcel, line.now), ensure_ascii=False, separators=(",", ":")).encode()
        headers = {
            "Content-Type": "application/json",
            "Signature": signature(line.secrets["signing_key"], body),
        }
        try:
            reply = line.ask("POST", line.options["url"], body, headers)
        except Trouble as trouble:
            yield Answer(False, str(trouble))
            continue
        yield usual_answer(reply, line.now, BARRED | {404, 405})


def payload(parcel: Parcel, now: datetime) -> dict[str, Any]:
    """The body; of a call that was changed with `changes`."""
    call = parcel.call
    told: dict[str, Any] = dict.fromkeys(_UNKNOWN, "")
    told |= _who(call) | _what(call) | _where_from(call) | _heard(call) | _worth(call)
    told["timestamp"] = _local(call, now)
    told |= _old_names(told, call)
    if parcel.event in {Event.CATEGORISED, Event.UPDATED}:
        told["changes"] = list(CHANGES)
    return told


def numbered(name: str) -> int:
    """A number that stands for a name of ours, where CallRail has one: always the same, exact in JSON."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big")


def call_type(call: CallFacts) -> str:
    """CallRail's word for what became of a call; unconfirmed but for "voicemail" and "abandoned"."""
    if call.ended_at is None:
        return "in_progress"
    if call.left_message:
        return "voicemail"
    if call.answered:
        return "answered"
    return "abandoned" if call.outcome == "gave_up" else "missed"


def _who(call: CallFacts) -> dict[str, Any]:
    caller = call.caller or ""
    place = place_of(caller)
    name, shown = call.caller_name or "", display(caller, call.region) if caller else ""
    country = (place.country if place else None) or ""
    return {
        "company_id": numbered(call.company),
        "company_name": call.company_name,
        "company_time_zone": call.timezone,
        "customer_country": country,
        "customer_name": name,
        "customer_phone_number": caller,
        "formatted_customer_location": country,
        "formatted_customer_name": name,
        "formatted_customer_name_or_phone_number": name or shown,
        "formatted_customer_phone_number": shown,
        "first_call": not call.repeat,
        "prior_calls": call.earlier_calls,
        "total_calls": call.earlier_calls + 1,
    }


def _what(call: CallFacts) -> dict[str, Any]:
    kind, seconds = call_type(call), _seconds(call)
    return {
        "id": numbered(call.key),
        "resource_id": call.key,
        "answered": call.answered,
        "call_type": kind,
        "formatted_call_type": kind.replace("_", " ").capitalize(),
        "created_at": _local(call, call.started_at),
        "start_time": _local(call, call.started_at),
        "direction": "outbound" if call.direction is Direction.OUT else "inbound",
        "duration": "" if seconds is None else str(seconds),
        "formatted_duration": "(abandoned)" if kind == "abandoned" else _spoken(seconds),
        "voicemail": call.left_message,
        "tracker_id": numbered(call.number),
        "tracking_phone_number": call.number,
        "formatted_tracking_phone_number": display(call.number, call.region),
        "integration_data": [{"integration": "Webhooks", "data": None}],
        "call_highlights": [],
    }


def _where_from(call: CallFacts) -> dict[str, Any]:
    visit = call.visit
    source = call.channel or " ".join(part.title() for part in (call.source, call.medium) if part)
    landing, referrer = (visit.landing_url or "", visit.referrer or "") if visit else ("", "")
    return {
        "campaign": call.campaign or "",
        "formatted_tracking_source": source,
        "keywords": call.keyword or "",
        "landing_page_url": landing,
        "last_requested_url": (visit.page_url or "") if visit else "",
        "medium": call.medium or "",
        "referrer_domain": _domain(referrer),
        "referring_url": referrer,
        "source": call.source or "",
        "source_name": call.channel or call.group or source,
        **_utm(call),
        **_ids(visit),
        "milestones": {name: _touch(call if name == "lead_created" else None) for name in MILESTONES},
    }


def _utm(call: CallFacts) -> dict[str, str]:
    """As the landing address had them, else what was made of it."""
    known = {
        "source": call.source, "medium": call.medium, "term": call.keyword, "content": call.content,
        "campaign": call.campaign,
    }  # fmt: skip
    given: Mapping[str, str] = call.visit.parameters if call.visit else {}
    return {f"utm_{name}": str(given.get(f"utm_{name}") or value or "") for name, value in known.items()}


def _ids(visit: VisitFacts | None) -> dict[str, str]:
    """Click ids and Google's client id, as far as the visitor allowed them."""
    clicks = visit.click_ids if visit and visit.allows_ads() else {}
    ga = ga_client_id(visit.cookies.get("_ga")) if visit and visit.allows_analytics() else None
    return {name: clicks.get(name, "") for name in ("gclid", "fbclid", "msclkid")} | {"ga": ga or ""}


def _touch(call: CallFacts | None) -> dict[str, Any]:
    """A milestone; of the visitor's first visit nothing is known here."""
    told: dict[str, Any] = dict.fromkeys(_TOUCH, "") | {name: {} for name in _TOUCH_MAPS}
    if call is None:
        return told
    visit = call.visit
    return told | {
        "event_date": _local(call, call.started_at),
        "campaign": call.campaign or "",
        "keywords": call.keyword or "",
        "landing": (visit.landing_url or "") if visit else "",
        "medium": call.medium or "",
        "referrer": (visit.referrer or "") if visit else "",
        "source": call.source or "",
        "url_utm_params": {name: value for name, value in _utm(call).items() if value},
    }


def _heard(call: CallFacts) -> dict[str, Any]:
    seconds = (call.described.get("recording") or {}).get("seconds") if call.recording_link else None
    return {
        "recording": call.recording_link or "",
        "recording_duration": "" if seconds is None else round(seconds),
        "recording_player": call.recording_link or "",
        "waveforms": [],
    }


def _worth(call: CallFacts) -> dict[str, Any]:
    good = call.category is Category.TARGET
    value = None if call.value is None else f"{call.value:f}"
    return {
        "lead_status": LEAD.get(call.category, "") if call.category else "",
        "good_lead_call_id": numbered(call.key) if good else "",
        "good_lead_call_time": _local(call, call.started_at) if good else "",
        "value": value or "",
        "formatted_value": "--" if value is None else format_currency(value, call.currency, locale="en_US"),
        "tags": list(call.tags),
        "detail_tags": [],
        "score": int(good),
    }


def _old_names(told: Mapping[str, Any], call: CallFacts) -> dict[str, Any]:
    """What the fields were called before, which receivers still read."""
    return {
        "callercountry": told["customer_country"],
        "callername": told["customer_name"],
        "callernum": told["customer_phone_number"],
        "callsource": re.sub(r"\W+", "_", str(told["formatted_tracking_source"]).lower()).strip("_"),
        "datetime": call.started_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "landingpage": told["landing_page_url"],
        "referrer": told["referring_url"],
        "referrermedium": "",
        "tag": call.tags[0] if call.tags else "",
        "trackingnum": told["tracking_phone_number"],
    }


def _local(call: CallFacts, at: datetime) -> str:
    """ISO 8601 with milliseconds and the offset of the company's time zone."""
    return at.astimezone(ZoneInfo(call.timezone)).isoformat(timespec="milliseconds")


def _seconds(call: CallFacts) -> int | None:
    return None if call.ended_at is None else round((call.ended_at - call.started_at).total_seconds())


def _spoken(seconds: int | None) -> str:
    """65 as "1m 5s"."""
    if seconds is None:
        return ""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours}h"] * bool(hours) + [f"{minutes}m"] * bool(minutes or hours) + [f"{rest}s"]
    return " ".join(parts)


def _domain(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


KIND = Kind(
    word="callrail",
    title="Webhook in CallRail's format",
    about=say("Calls as CallRail posts them, for receivers that were written for it"),
    fields=(
        Field(
            "url",
            say("Address"),
            say("Where calls are posted; https, or a network named in webhook_networks"),
            FieldKind.URL,
        ),
        Field(
            "signing_key",
            say("Signing key"),
            say("The one that the receiver checks by; any text of 16 to 128 letters and digits"),
            FieldKind.SECRET,
            form=r"[0-9A-Za-z_-]{16,128}",
            signs=True,
        ),
    ),
    timings={
        Event.STARTED: AT_ONCE,
        Event.COMPLETED: POST_CALL,
        Event.CATEGORISED: AT_ONCE,
        Event.UPDATED: AT_ONCE,
    },
    usual_events=(Event.COMPLETED,),
    send=send,
    why_not=wants_all,
)
