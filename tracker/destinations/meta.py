"""Meta (Facebook, Instagram) by the Conversions API: a call as an event, a target call as a second one.

Wire format: https://developers.facebook.com/docs/marketing-api/conversions-api. One event a request, since a
wrong one has the whole request refused. Within 48 hours an event of the same name and id counts once. Meta
keeps test events as real ones, so a test goes out with a test code or not at all.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from tracker.destinations.kind import Field, FieldKind, Kind, Line, Parcel, post_json, usual_answer
from tracker.errors import say
from tracker.outside import Reply, Trouble
from tracker.policy.delivering import Event, Timing, Why, is_transient
from tracker.policy.parcels import CallFacts, VisitFacts, digest_digits
from tracker.policy.telling import Answer
from tracker.policy.worth import Category

ADDRESS = "https://graph.facebook.com"
VERSION = "v25.0"
WINDOW = Timing(until=timedelta(days=7))  # an older event has its request refused
NAMES = {Event.COMPLETED: "Contact", Event.CATEGORISED: "Lead"}  # which of Meta's events fit is our choice
_CLICK = re.compile(r"fb\.\d\.\d{10,13}\..{1,400}")
# Unconfirmed: a bad token, a missing permission, a dataset that is not there (with its sub-code).
_BARRED, _NOT_THERE = frozenset({10, 102, 190, *range(200, 300)}), (100, 33)
_LIMITED = frozenset({1, 2, 4, 17, 613})  # unconfirmed: too many requests, or trouble over there


def why_not(_options: Mapping[str, str], parcel: Parcel) -> Why | None:
    """Only visitors whom Meta can know, and of the judged calls the targets."""
    visit = parcel.call.visit
    if visit is None:
        return Why.NOBODY
    if not visit.allows_ads():
        return Why.CONSENT
    if not (parcel.call.caller or click_of(visit) or visit.cookies.get("_fbp")):
        return Why.NOBODY
    judged_otherwise = parcel.event is Event.CATEGORISED and parcel.call.category is not Category.TARGET
    return Why.UNWANTED if judged_otherwise else None


def click_of(visit: VisitFacts) -> str | None:
    """The click as Meta's own cookie has it, or built from the `fbclid` that the visit came with."""
    found = visit.cookies.get("_fbc")
    if not found and (fbclid := visit.click_ids.get("fbclid")):
        # 1: the registered domain's level; the instant in milliseconds, unlike an event's.
        found = f"fb.1.{int(visit.started_at.timestamp() * 1000)}.{fbclid}"
    return found if found and _CLICK.fullmatch(found) else None


def body_of(options: Mapping[str, str], parcel: Parcel, visit: VisitFacts) -> dict[str, Any]:
    """One event, at the instant of the fact."""
    call, word = parcel.call, parcel.event.value.removeprefix("call.")
    told = {
        "event_name": options.get(_FIELDS[parcel.event]) or NAMES[parcel.event],
        "event_time": int(parcel.created_at.timestamp()),
        "event_id": f"{call.key}:{word}",
        "action_source": "phone_call",
        "event_source_url": visit.page_url or visit.landing_url,
        "user_data": _person(call, visit),
        "custom_data": _worth(call),
    }
    return {"data": [{name: value for name, value in told.items() if value is not None}]}


def send(line: Line, parcels: Sequence[Parcel]) -> Iterator[Answer]:
    """One request a parcel."""
    return (_tell(line, parcel, {}) for parcel in parcels)


def check(line: Line, parcels: Sequence[Parcel]) -> Iterator[Answer]:
    """With the test code, so that it is seen under Test events there."""
    code = line.options.get("test_event_code")
    if not code:
        yield Answer(
            False, "Fill in test_event_code first: without it a test would count as a call", final=True
        )
        return
    yield from (_tell(line, parcel, {"test_event_code": code}) for parcel in parcels)


def _tell(line: Line, parcel: Parcel, more: Mapping[str, str]) -> Answer:
    if (visit := parcel.call.visit) is None:  # since somebody looked; the call was attributed anew
        return Answer(False, "The call is nobody's visit any more", final=True)
    options = line.options
    query = urlencode({"access_token": line.secrets["access_token"]})
    place = f"{(options.get('address') or ADDRESS).rstrip('/')}/{options.get('version') or VERSION}"
    url = f"{place}/{options['dataset_id']}/events?{query}"
    try:
        return meaning(post_json(line, url, body_of(options, parcel, visit) | dict(more)), line)
    except Trouble as trouble:
        return Answer(False, str(trouble))


def meaning(reply: Reply, line: Line) -> Answer:
    """What Graph's answer means: its code says more than the status."""
    told = reply.json()
    if reply.ok:
        taken = isinstance(told, dict) and told.get("events_received") == 1
        return Answer(taken, reply.shown(), final=not taken)
    error = told.get("error") if isinstance(told, dict) else None
    if not isinstance(error, dict) or is_transient(reply.status):
        return usual_answer(reply, line.now)
    code, detail = error.get("code"), error.get("error_subcode")
    passes = code in _LIMITED or error.get("is_transient") is True
    ours = code in _BARRED or (code, detail) == _NOT_THERE
    return Answer(False, reply.shown(), final=not (passes or ours))


def _person(call: CallFacts, visit: VisitFacts) -> dict[str, Any]:
    told = {
        "ph": [digest_digits(call.caller)] if call.caller else None,
        "fbc": click_of(visit),
        "fbp": visit.cookies.get("_fbp"),
        "external_id": [hashlib.sha256(visit.key.encode()).hexdigest()],
    }
    return {name: value for name, value in told.items() if value}


def _worth(call: CallFacts) -> dict[str, Any]:
    told: dict[str, Any] = {"call_duration": round(call.talk_seconds or 0), "call_status": call.outcome}
    return told if call.value is None else told | {"value": float(call.value), "currency": call.currency}


_FIELDS = {Event.COMPLETED: "event_name", Event.CATEGORISED: "target_event_name"}
_EVENT_NAME = r"[A-Za-z][A-Za-z0-9_ ]{0,49}"
KIND = Kind(
    word="meta",
    title="Meta (Facebook, Instagram)",
    about=say("Each call as an event of the Conversions API; a target call as a second one"),
    fields=(
        Field(
            "dataset_id",
            say("Dataset id"),
            say("Events Manager, Data sources: the number under its name (once the pixel's)"),
            form=r"\d{5,20}",
        ),
        Field(
            "access_token",
            say("Access token"),
            say("Events Manager, Settings, Conversions API, Generate access token"),
            FieldKind.SECRET,
        ),
        Field(
            "event_name",
            say("Event of a call"),
            say("One of Meta's, as Contact, or a name of your own"),
            required=False,
            usual=NAMES[Event.COMPLETED],
            form=_EVENT_NAME,
        ),
        Field(
            "target_event_name",
            say("Event of a target call"),
            say("Told when somebody judges the call so"),
            required=False,
            usual=NAMES[Event.CATEGORISED],
            form=_EVENT_NAME,
        ),
        Field(
            "test_event_code",
            say("Test code"),
            say("Events Manager, Test events: TEST…; only tests are sent with it"),
            required=False,
            form=r"[A-Za-z0-9_]{3,40}",
        ),
        Field(
            "version",
            say("Version of the API"),
            say("As in the addresses of Meta's documentation"),
            required=False,
            usual=VERSION,
            form=r"v\d{1,3}\.\d",
        ),
        Field("address", say("Address"), say("Of the API"), FieldKind.URL, required=False, usual=ADDRESS),
    ),
    timings={Event.COMPLETED: WINDOW, Event.CATEGORISED: WINDOW},
    usual_events=(Event.COMPLETED, Event.CATEGORISED),
    send=send,
    test=check,
    why_not=why_not,
)
