"""Google Analytics 4 by the Measurement Protocol: the call at once, its category as a second event.

Wire format: https://developers.google.com/analytics/devguides/collection/protocol/ga4. The server answers
2xx to whatever reaches it, so what it would not take is left out here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from tracker.destinations.kind import Field, FieldKind, Kind, Line, Parcel, post_json, usual_answer
from tracker.errors import say
from tracker.outside import Trouble
from tracker.policy.delivering import Event, Timing, Why
from tracker.policy.parcels import CallFacts, VisitFacts, ga_client_id, ga_session_id
from tracker.policy.telling import Answer

ADDRESS = "https://www.google-analytics.com"
VALUE_LONGEST = 100  # of a parameter
# What arrives a day after the session began is not joined to it any more; backdating ends after 72 hours.
INSIDE_SESSION = Timing(until=timedelta(hours=24), of_visit=True)


def why_not(_options: Mapping[str, str], parcel: Parcel) -> Why | None:
    """Only calls of visits that analytics knows: no client id is made up."""
    visit = parcel.call.visit
    if visit is None:
        return Why.NOBODY
    if not visit.allows_analytics():
        return Why.CONSENT
    return None if ga_client_id(visit.cookies.get("_ga")) else Why.NOBODY


def body_of(options: Mapping[str, str], parcel: Parcel, visit: VisitFacts) -> dict[str, Any]:
    """One event of one client, at the instant of the fact."""
    micros = int(parcel.created_at.timestamp() * 1_000_000)
    told: dict[str, Any] = {
        "client_id": ga_client_id(visit.cookies.get("_ga")),
        "timestamp_micros": micros,
        "events": [{"name": _name(options, parcel), "params": _parameters(options, parcel, visit)}],
    }
    if visit.ads is not None:
        word = "GRANTED" if visit.ads else "DENIED"
        told["consent"] = {"ad_user_data": word, "ad_personalization": word}
    return told


def send(line: Line, parcels: Sequence[Parcel]) -> Iterator[Answer]:
    """One request an event: the time of a request is that of all its events."""
    query = {"measurement_id": line.options["measurement_id"], "api_secret": line.secrets["api_secret"]}
    url = f"{line.options.get('address') or ADDRESS}/mp/collect?{urlencode(query)}"
    for parcel in parcels:
        visit = parcel.call.visit
        if visit is None:  # since somebody looked; the call was attributed anew
            yield Answer(False, "The call is nobody's visit any more", final=True)
            continue
        try:
            yield usual_answer(post_json(line, url, body_of(line.options, parcel, visit)), line.now)
        except Trouble as trouble:
            yield Answer(False, str(trouble))


def check(line: Line, parcels: Sequence[Parcel]) -> Iterator[Answer]:
    """The same to the validation server, which says what is wrong and keeps nothing."""
    query = {"measurement_id": line.options["measurement_id"], "api_secret": line.secrets["api_secret"]}
    url = f"{line.options.get('address') or ADDRESS}/debug/mp/collect?{urlencode(query)}"
    for parcel in parcels:
        if (visit := parcel.call.visit) is None:
            continue
        try:
            reply = post_json(line, url, body_of(line.options, parcel, visit))
        except Trouble as trouble:
            yield Answer(False, str(trouble))
            continue
        wrong = [str(each.get("description")) for each in reply.json().get("validationMessages") or ()]
        yield Answer(False, "; ".join(wrong), final=True) if wrong else usual_answer(reply, line.now)


def _name(options: Mapping[str, str], parcel: Parcel) -> str:
    if parcel.event is Event.CATEGORISED:
        return f"{options.get('event_name') or 'phone_call'}_{parcel.call.category or 'undecided'}"
    return options.get("event_name") or "phone_call"


def _parameters(options: Mapping[str, str], parcel: Parcel, visit: VisitFacts) -> dict[str, Any]:
    call = parcel.call
    stream = options["measurement_id"].removeprefix("G-")
    told: dict[str, Any] = {
        "engagement_time_msec": 100,
        "call_id": call.key,
        "call_status": call.outcome,
        "call_duration": round(call.talk_seconds or 0),
        "first_time_caller": 0 if call.repeat else 1,
        "tracking_number_label": call.channel,
        "call_category": call.category,
        "session_id": ga_session_id(visit.cookies.get(f"_ga_{stream}")),
        "page_location": visit.page_url or visit.landing_url,
    }
    told |= _worth(call)
    return {name: _short(value) for name, value in told.items() if value is not None}


def _worth(call: CallFacts) -> dict[str, Any]:
    return {} if call.value is None else {"value": float(call.value), "currency": call.currency}


def _short(value: Any) -> Any:
    return str(value)[:VALUE_LONGEST] if isinstance(value, str) else value


KIND = Kind(
    word="ga4",
    title="Google Analytics 4",
    about=say("Each call as an event of the visitor's own session; its category as a second event"),
    fields=(
        Field(
            "measurement_id",
            say("Measurement id"),
            say("Admin, Data streams, your stream: G-…"),
            form=r"G-[A-Z0-9]{4,20}",
        ),
        Field(
            "api_secret",
            say("API secret"),
            say("There too, under Measurement Protocol API secrets"),
            FieldKind.SECRET,
        ),
        Field(
            "event_name",
            say("Name of the event"),
            say("Of a call; a category adds _target, _service, _non_target"),
            required=False,
            usual="phone_call",
            form=r"[A-Za-z][A-Za-z0-9_]{0,25}",
        ),
        Field(
            "address",
            say("Address"),
            say("region1.google-analytics.com collects in the European Union"),
            FieldKind.URL,
            required=False,
            usual=ADDRESS,
        ),
    ),
    timings={Event.COMPLETED: INSIDE_SESSION, Event.CATEGORISED: INSIDE_SESSION},
    usual_events=(Event.COMPLETED, Event.CATEGORISED),
    send=send,
    test=check,
    why_not=why_not,
)
