"""HubSpot: a call as an engagement of the contact whose number it is; a new contact where nobody has it.

Wire format: https://developers.hubspot.com/docs/api-reference/crm-calls-v3. HubSpot knows no call again,
unless the portal has a property of calls whose values are unique: then a call is sent as an upsert. Without
one the calls of that instant are looked at before a call is sent a second time; only a worker that dies
between the call and its note can double it then.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from tracker.destinations.crm import (
    AFTER_RECORDING,
    is_inbound,
    last_digits,
    may_be_new,
    one_by_one,
    people_field,
    person_of,
    story_of,
    taken,
    title_field,
    title_of,
)
from tracker.destinations.kind import BARRED, Field, FieldKind, Kind, Line, Parcel, Stop, post_json, wants_all
from tracker.errors import say
from tracker.outside import Reply
from tracker.policy.delivering import Event
from tracker.policy.facts import Outcome
from tracker.policy.parcels import CallFacts
from tracker.policy.telling import Answer

ADDRESS = "https://api.hubapi.com"
OBJECTS = "/crm/v3/objects"
JOIN = "/crm/v4/associations/calls/contacts/batch/create"  # unconfirmed
# Unconfirmed: the words of hs_call_status; the number of "call to contact".
STATUSES = {
    Outcome.ANSWERED: "COMPLETED", Outcome.MISSED: "NO_ANSWER", Outcome.BUSY: "BUSY",
    Outcome.FAILED: "FAILED", Outcome.GAVE_UP: "CANCELED", Outcome.REFUSED: "NO_ANSWER",
}  # fmt: skip
CALL_TO_CONTACT = 194
_BARRED = BARRED | {404}  # no such property or object type: no call's fault
CONNECTED, VOICEMAIL = "f240bbac-87c9-4f6e-bf70-924b57d47db7", "b2cf5968-551e-4856-9783-52b3da59a7d0"
BUSY, NO_ANSWER = "9d9162e7-6cf3-4944-bf63-4dff82258764", "73a0d17f-1163-4015-bdd5-ec830791da20"
CONTACT, ASKED = "contact", "asked"  # a parcel's progress: whose it is; that a try was under way


def properties_of(options: Mapping[str, str], call: CallFacts) -> dict[str, str]:
    """A call's properties: all of them are text there."""
    ours, theirs = call.number, call.caller
    inbound = is_inbound(call)
    told = {
        "hs_timestamp": str(_millis(call)),
        "hs_call_title": title_of(options, call),
        "hs_call_body": "<br>".join(html.escape(line) for line in story_of(call)),
        "hs_call_direction": "INBOUND" if inbound else "OUTBOUND",
        "hs_call_duration": str(round((call.talk_seconds or 0) * 1000)),
        "hs_call_from_number": theirs if inbound else ours,
        "hs_call_to_number": ours if inbound else theirs,
        "hs_call_status": STATUSES.get(call.outcome, "") if call.outcome else "",
        "hs_call_disposition": disposition_of(call),
        "hs_call_recording_url": call.recording_link if is_https(call.recording_link) else "",
        "hubspot_owner_id": person_of(options, call),
    }
    return {name: value for name, value in told.items() if value}


def is_https(url: str | None) -> bool:
    """The only addresses of recordings that HubSpot takes."""
    return bool(url) and str(url).startswith("https://")


def disposition_of(call: CallFacts) -> str:
    """How it ended, as one of the outcomes that every portal has."""
    if call.left_message:
        return VOICEMAIL
    if call.answered:
        return CONNECTED
    return BUSY if call.outcome is Outcome.BUSY else NO_ANSWER


def contact_of(call: CallFacts) -> dict[str, str]:
    """A new contact: his number, and the name that the phone network told."""
    told = {"phone": call.caller, "firstname": call.caller_name, "hs_lead_status": "NEW"}
    return {name: value for name, value in told.items() if value}


def _tell(line: Line, parcel: Parcel) -> Answer:
    """Find or make the contact, then the call. A withheld caller's call is nobody's."""
    call, done = parcel.call, parcel.progress
    if call.caller and CONTACT not in done:
        done[CONTACT] = _contact(line, call)
    told = {"properties": properties_of(line.options, call), "associations": associated(done.get(CONTACT))}
    if name := line.options.get("unique_property"):
        return _upsert(line, name, call.key, told)
    if done.get(ASKED) and (there := _find_call(line, call)):
        return Answer(True, f"It had arrived: call {there}")
    done[ASKED] = True
    return Answer(True, _post(line, "calls", told).shown())


def associated(contact: str | None) -> list[dict[str, Any]]:
    """Whose call it is."""
    if not contact:
        return []
    kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": CALL_TO_CONTACT}
    return [{"to": {"id": contact}, "types": [kind]}]


def _contact(line: Line, call: CallFacts) -> str | None:
    """The id of the contact that has the caller's number; None where none is to be made."""
    found = _search(line, "contacts", _by_phone(call.caller or ""))
    if found or line.options.get("create") == "no" or not may_be_new(call):
        return str(found[0]["id"]) if found else None
    return _id_in(_post(line, "contacts", {"properties": contact_of(call)}))


def _by_phone(e164: str) -> list[dict[str, str]]:
    """HubSpot keeps of a contact's numbers what is dialled inside a country."""
    place = "hs_searchable_calculated_phone_number"
    return [{"propertyName": place, "operator": "CONTAINS_TOKEN", "value": f"*{last_digits(e164)}"}]


def _find_call(line: Line, call: CallFacts) -> str | None:
    """A call of that instant between those numbers."""
    by = [{"propertyName": "hs_timestamp", "operator": "EQ", "value": str(_millis(call))}]
    numbers = {name for name in (call.number, call.caller) if name}
    for each in _search(line, "calls", by, ("hs_call_from_number", "hs_call_to_number")):
        its = each.get("properties") or {}
        if {its.get("hs_call_from_number"), its.get("hs_call_to_number")} - {None, ""} == numbers:
            return str(each["id"])
    return None


def _upsert(line: Line, name: str, key: str, told: dict[str, Any]) -> Answer:
    """The call under a key of its own: the same one again changes nothing."""
    one = {"id": key, "idProperty": name, "properties": {**told["properties"], name: key}}
    reply = _post(line, "calls/batch/upsert", {"inputs": [one]})
    if told["associations"]:
        _associate(line, {"from": {"id": _id_in(reply)}, **told["associations"][0]})
    return Answer(True, reply.shown())


def _associate(line: Line, pair: dict[str, Any]) -> None:
    """An upsert takes no associations; one that is there already stays."""
    _post(line, JOIN, {"inputs": [pair]})


def _search(
    line: Line, what: str, filters: list[dict[str, str]], wanted: tuple[str, ...] = ()
) -> list[dict[str, Any]]:
    asked = {"filterGroups": [{"filters": filters}], "properties": list(wanted), "limit": 10}
    told = _post(line, f"{what}/search", asked).json()
    return list(told.get("results") or ()) if isinstance(told, dict) else []


def _post(line: Line, what: str, told: Any) -> Reply:
    """Raises Stop with what a refusal means, Trouble."""
    place = (line.options.get("address") or ADDRESS).rstrip("/")
    url = f"{place}{what}" if what.startswith("/") else f"{place}{OBJECTS}/{what}"
    headers = {"Authorization": f"Bearer {line.secrets['token']}"}
    return taken(post_json(line, url, told, headers), line.now, _BARRED)


def _id_in(reply: Reply) -> str:
    """The id of what was made."""
    told = reply.json()
    rows = told.get("results") if isinstance(told, dict) else None
    found = (rows[0] if rows else told).get("id") if isinstance(told, dict) else None
    if not found:
        raise Stop(Answer(False, f"It does not say what it made: {reply.shown()}"))
    return str(found)


def _check(line: Line, parcel: Parcel) -> Answer:
    """Look the caller up: that needs the same token, and leaves nothing."""
    found = _search(line, "contacts", _by_phone(parcel.call.caller or ""))
    return Answer(True, f"200 · {len(found)} contacts have that number")


def _millis(call: CallFacts) -> int:
    return round(call.started_at.timestamp() * 1000)


KIND = Kind(
    word="hubspot",
    title="HubSpot",
    about=say("Each call in the timeline of its contact, and a contact for a new caller"),
    fields=(
        Field(
            "token",
            say("Token"),
            say("Of a private app with the scopes crm.objects.contacts.read and .write: pat-…"),
            FieldKind.SECRET,
            form=r"[A-Za-z0-9._-]{16,300}",
        ),
        people_field("HubSpot"),
        title_field(),
        Field(
            "create",
            say("Contacts for new callers"),
            say("Create a contact for a number that nobody has there"),
            FieldKind.YES_NO,
            required=False,
            usual="yes",
        ),
        Field(
            "unique_property",
            say("Property that tells calls apart"),
            say("The internal name of a text property of calls that takes each value once; empty: none"),
            required=False,
            form=r"[a-z][a-z0-9_]{0,99}",
        ),
        Field("address", say("Address"), say("Of the API"), FieldKind.URL, required=False, usual=ADDRESS),
    ),
    timings=AFTER_RECORDING,
    usual_events=(Event.COMPLETED,),
    send=one_by_one(_tell),
    test=one_by_one(_check),
    why_not=wants_all,
    outgoing=True,
)
