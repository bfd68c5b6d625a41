"""amoCRM and Kommo: a call at the contact whose number it is, else a lead among the unsorted ones.

Wire format: https://www.amocrm.ru/developers/content/crm_platform/calls-api and …/unsorted-api, the same at
https://developers.kommo.com. A call can be added and never changed, so it waits for its recording. Whether
`uniq` keeps a second one out is not known: where an answer was lost on the way, it is looked for over there
before anything is sent again. Only a worker that dies between the call and its note can double it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from tracker.destinations import oauth
from tracker.destinations.crm import (
    AFTER_RECORDING,
    came_from,
    is_inbound,
    may_be_new,
    one_by_one,
    people_field,
    person_of,
    seconds_of,
    taken,
    title_field,
    title_of,
    utm_of,
)
from tracker.destinations.kind import (
    BARRED,
    Field,
    FieldKind,
    Kind,
    Line,
    OAuth,
    Parcel,
    Stop,
    post_json,
    usual_answer,
)
from tracker.errors import Rejected, say
from tracker.outside import Reply
from tracker.policy.delivering import Event, Why, is_transient
from tracker.policy.facts import Outcome
from tracker.policy.parcels import CallFacts
from tracker.policy.telling import Answer

SERVICE = "leaseline"
STATUSES = {
    Outcome.ANSWERED: 4, Outcome.BUSY: 7, Outcome.MISSED: 6, Outcome.GAVE_UP: 6, Outcome.FAILED: 6,
    Outcome.REFUSED: 6,
}  # fmt: skip
LEFT_MESSAGE, UNDEFINED = 1, 8
NOBODY_HAS_IT = 263  # unconfirmed: the code of a number that no contact has
_BARRED = BARRED | {402, 404}  # the account is not paid for, or is not there
# Unconfirmed: the codes of a lead's tracking fields, by our names.
CLICKS = {"gclid": "GCLID", "yclid": "YCLID", "fbclid": "FBCLID"}
# A parcel's progress: nobody has the number; what was asked last and not answered.
UNKNOWN, ASKED = "unknown", "asked"
CALL, LEAD = "calls", "leads/unsorted/sip"
# Where each may have come to: a lead that somebody took up is unsorted no more, and its call a note.
NOTES = ("contacts/notes", "companies/notes", "leads/notes")
PLACES = {CALL: NOTES, LEAD: ("leads/unsorted", *NOTES)}
MOST_FOUND = 250  # of a list


def why_not(_options: Mapping[str, str], parcel: Parcel) -> Why | None:
    """Calls are found by their number alone."""
    return None if parcel.call.caller else Why.NOBODY


def call_of(options: Mapping[str, str], call: CallFacts) -> dict[str, Any]:
    """A call for the contact that has its number."""
    told = {
        "direction": "inbound" if is_inbound(call) else "outbound",
        "uniq": call.key,
        "duration": seconds_of(call),
        "source": SERVICE,
        "link": call.recording_link,
        "phone": call.caller,
        "call_result": came_from(call),
        "call_status": status_of(call),
        "call_responsible": call.answered_by,
        "responsible_user_id": _user(options, call),
        "created_at": int(call.started_at.timestamp()),
        "request_id": call.key,
    }
    return {name: value for name, value in told.items() if value not in (None, "")}


def status_of(call: CallFacts) -> int:
    """How it ended, in amoCRM's numbers."""
    if call.left_message:
        return LEFT_MESSAGE
    return STATUSES.get(call.outcome, UNDEFINED) if call.outcome else UNDEFINED


def lead_of(options: Mapping[str, str], call: CallFacts) -> dict[str, Any]:
    """The same of somebody new: a lead to be sorted, with its contact and its call."""
    at = int(call.started_at.timestamp())
    phone = {"field_code": "PHONE", "values": [{"value": call.caller, "enum_code": "WORK"}]}
    contact = {"name": call.caller_name or call.caller, "custom_fields_values": [phone]}
    lead = {"name": title_of(options, call), "custom_fields_values": marks_of(call) or None}
    about = {
        "phone": call.number,
        "from": call.caller,
        "called_at": at,
        "duration": seconds_of(call),
        "link": call.recording_link or call.link,
        "service_code": SERVICE,
        "uniq": call.key,
        "is_call_event_needed": True,
        "call_responsible": call.answered_by,
    }
    told: dict[str, Any] = {
        "request_id": call.key,
        "source_name": options.get("title") or "Leaseline",
        "source_uid": f"{SERVICE}-{call.company}",
        "created_at": at,
        "_embedded": {"leads": [_without_none(lead)], "contacts": [contact]},
        "metadata": _without_none(about),
    }
    pipeline = options.get("pipeline_id")
    return told | ({"pipeline_id": int(pipeline)} if pipeline else {})


def marks_of(call: CallFacts) -> list[dict[str, Any]]:
    """The tracking fields of a lead; clicks on ads only where the visitor allowed it."""
    marks = {f"UTM_{name.upper()}": value for name, value in utm_of(call).items()}
    if call.visit is not None and call.visit.allows_ads():
        clicks = call.visit.click_ids
        marks |= {code: clicks[name] for name, code in CLICKS.items() if clicks.get(name)}
    return [{"field_code": code, "values": [{"value": value}]} for code, value in marks.items()]


def _tell(line: Line, parcel: Parcel) -> Answer:
    """As a call; where nobody has the number, as an unsorted lead."""
    call, options, done = parcel.call, line.options, parcel.progress
    if (before := done.get(ASKED)) and (there := _find(line, before, call)):
        return Answer(True, f"It had arrived: {there}")
    if UNKNOWN not in done:
        reply = _ask_once(line, done, CALL, [call_of(options, call)])
        if not is_unknown(reply):
            return meaning(reply, line)
        done[UNKNOWN] = True
    if options.get("unsorted") == "no" or not may_be_new(call):
        return Answer(False, "No contact has that number", final=True)
    return meaning(_ask_once(line, done, LEAD, [lead_of(options, call)]), line)


def _ask_once(line: Line, done: MutableMapping[str, Any], what: str, told: Any) -> Reply:
    """Ask, and remember that as long as it is not known whether it was taken."""
    done[ASKED] = what
    reply = _ask(line, what, told)
    if reply.status < 500:
        del done[ASKED]
    return reply


def _find(line: Line, what: str, call: CallFacts) -> str | None:
    """Where a call that was asked to be kept stands. Raises Stop, Trouble."""
    for place in PLACES[what]:
        reply = _get(line, f"{place}?{urlencode(_newest(place, call))}")
        if is_transient(reply.status):
            raise Stop(usual_answer(reply, line.now, _BARRED))
        if any(uniq_of(row) == call.key for row in rows_of(reply)):
            return place
    return None


def _newest(place: str, call: CallFacts) -> list[tuple[str, str]]:
    """The list's filters: calls since that one began, the newest first; unconfirmed."""
    if place not in NOTES:
        return [("filter[category][]", "sip"), ("order[created_at]", "desc"), ("limit", str(MOST_FOUND))]
    since = int(call.started_at.timestamp()) - 60
    kinds = [("filter[note_type][]", kind) for kind in ("call_in", "call_out")]
    order = [("filter[updated_at][from]", str(since)), ("order[updated_at]", "desc")]
    return [*kinds, *order, ("limit", str(MOST_FOUND))]


def rows_of(reply: Reply) -> list[dict[str, Any]]:
    """The things in a list; an empty one has no body, and one that we may not see none for us."""
    told = reply.json()
    there = told.get("_embedded") if reply.ok and isinstance(told, dict) else None
    lists = there.values() if isinstance(there, dict) else ()
    return [each for rows in lists if isinstance(rows, list) for each in rows if isinstance(each, dict)]


def uniq_of(row: Mapping[str, Any]) -> object:
    """Our key of a call: in a note's parameters, in an unsorted lead's metadata; unconfirmed."""
    return {**(row.get("params") or {}), **(row.get("metadata") or {})}.get("uniq")


def is_unknown(reply: Reply) -> bool:
    """Whether the call was not kept because nobody has its number."""
    return any(each.get("code") == NOBODY_HAS_IT for each in errors_of(reply))


def errors_of(reply: Reply) -> list[dict[str, Any]]:
    """What was not kept, and why; beside a good status as well."""
    told = reply.json()
    there = told.get("errors") if isinstance(told, dict) else None
    return [each for each in there if isinstance(each, dict)] if isinstance(there, list) else []


def meaning(reply: Reply, line: Line) -> Answer:
    """What was answered to a list of one."""
    answer = usual_answer(reply, line.now, _BARRED)
    return replace(answer, ok=False, final=True) if reply.ok and errors_of(reply) else answer


def _ask(line: Line, what: str, told: Any) -> Reply:
    return _with_pass(line, lambda headers: post_json(line, _place(line, what), told, headers))


def _get(line: Line, what: str) -> Reply:
    return _with_pass(line, lambda headers: line.ask("GET", _place(line, what), b"", headers))


def _check(line: Line, _parcel: Parcel) -> Answer:
    """Read the account: that needs the token, and leaves nothing."""
    return Answer(True, taken(_get(line, "account"), line.now).shown())


def _place(line: Line, what: str) -> str:
    return f"{line.options['address'].rstrip('/')}/api/v4/{what}"


def _with_pass(line: Line, ask: Callable[[Mapping[str, str]], Reply]) -> Reply:
    """By the tokens of a connection, where there is one; else by the one that lives long."""
    token = line.secrets.get("token")
    if token and not line.secrets.get(oauth.REFRESH):
        return ask({"Authorization": f"Bearer {token}"})
    return oauth.asked_with_access(OAUTH, line, lambda access: ask({"Authorization": f"Bearer {access}"}))


def _log_in_place(options: Mapping[str, str]) -> str:
    """Where an account's people are asked; unconfirmed."""
    house = "amocrm.ru" if options["address"].rstrip("/").endswith(".amocrm.ru") else "kommo.com"
    return f"https://www.{house}/oauth?mode=post_message"


OAUTH = OAuth(
    authorize=_log_in_place,
    token=lambda options: f"{options['address'].rstrip('/')}/oauth2/access_token",
    ask=oauth.by_json,
)


def check_fields(values: Mapping[str, str]) -> None:
    """A token that lives long, or an integration to be connected. Raises Rejected destination.missing."""
    if not values.get("token") and not (values.get("client_id") and values.get("client_secret")):
        raise Rejected(
            "destination.missing",
            "%(title)s needs %(name)s",
            "Fill in the long-lived token, or client_id and client_secret, and connect it afterwards",
            title=KIND.title,
            name="token",
        )


def _user(options: Mapping[str, str], call: CallFacts) -> int | None:
    found = person_of(options, call)
    return int(found) if found.isdecimal() else None


def _without_none(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None}


KIND = Kind(
    word="amocrm",
    title="amoCRM / Kommo",
    about=say("Each call at its contact, and a lead among the unsorted ones for a new caller"),
    fields=(
        Field(
            "address",
            say("Address"),
            say("Of your account: https://shop.amocrm.ru, https://shop.kommo.com"),
            FieldKind.URL,
        ),
        Field(
            "token",
            say("Token"),
            say("A long-lived token of a private integration; or instead the two below, and connect it"),
            FieldKind.SECRET,
            required=False,
            form=r"[A-Za-z0-9._~+/=-]{16,1900}",
        ),
        Field(
            "client_id",
            say("OAuth client id"),
            say("The integration's ID, in its keys and scopes"),
            FieldKind.SECRET,
            required=False,
        ),
        Field(
            "client_secret", say("OAuth client secret"), say("There too"), FieldKind.SECRET, required=False
        ),
        people_field("amoCRM"),
        title_field(),
        Field(
            "unsorted",
            say("Leads for new callers"),
            say("A lead among the unsorted ones for a number that no contact has"),
            FieldKind.YES_NO,
            required=False,
            usual="yes",
        ),
        Field(
            "pipeline_id",
            say("Pipeline"),
            say("The id of the pipeline that they come to: the number in its address; empty: the first"),
            required=False,
            form=r"\d{1,12}",
        ),
    ),
    timings=AFTER_RECORDING,
    usual_events=(Event.COMPLETED,),
    send=one_by_one(_tell),
    test=one_by_one(_check),
    why_not=why_not,
    outgoing=True,
    check=check_fields,
    oauth=OAUTH,
)
