"""Salesforce: each call as a completed task of the contact or lead whose number it is.

Wire format: https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta, the object Task; all of it is
unconfirmed. A task carries the call's key as its CallObject and is looked for before it is made, so that
a call that is told twice stands there once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tracker.destinations import oauth
from tracker.destinations.crm import (
    AFTER_RECORDING,
    is_inbound,
    last_digits,
    local,
    may_be_new,
    one_by_one,
    ours,
    people_field,
    person_of,
    seconds_of,
    story_of,
    title_field,
    title_of,
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
    wants_all,
)
from tracker.errors import say
from tracker.outside import Reply
from tracker.policy.delivering import Event
from tracker.policy.parcels import CallFacts
from tracker.policy.telling import Answer

API = "/services/data/v62.0"
TOKEN_PLACE = "/services/oauth2/token"  # noqa: S105  (a path)
EXPIRED = "INVALID_SESSION_ID"
SUBJECT_LONGEST = 255
WHO = "who"  # in a parcel's progress: whose the call is
_BARRED = BARRED | {404}
# What is to be mended over there, rather than in a call: a field that is hidden, an owner who has left.
_OURS = ("INVALID_FIELD", "INVALID_TYPE", "INACTIVE_OWNER_OR_USER", "MALFORMED_QUERY")


def _place(options: Mapping[str, str]) -> str:
    return options["address"].rstrip("/")


OAUTH = OAuth(
    authorize=lambda options: f"{_place(options)}/services/oauth2/authorize",
    token=lambda options: f"{_place(options)}{TOKEN_PLACE}",
    ask=oauth.by_form,
    alone=True,
)


@dataclass(frozen=True)
class Org:
    """The REST interface of an organisation."""

    line: Line

    def get(self, what: str, **query: str) -> Any:
        """Raises Stop, Trouble."""
        return self._ask("GET", f"{what}?{urlencode(query)}", None)

    def make(self, kind: str, fields: Mapping[str, Any]) -> str:
        """A new record's id. Raises Stop, Trouble."""
        told = self._ask("POST", f"/sobjects/{kind}", fields)
        if not isinstance(told, dict) or not told.get("id"):
            raise Stop(Answer(False, f"It does not say what it made: {str(told)[:100]}"))
        return str(told["id"])

    def _ask(self, method: str, what: str, told: Mapping[str, Any] | None) -> Any:
        """With a fresh token where the session has ended."""
        url = f"{_place(self.line.options)}{API}{what}"

        def with_token(token: str) -> Reply:
            headers = {"Authorization": f"Bearer {token}"}
            if told is None:
                return self.line.ask(method, url, b"", headers)
            return post_json(self.line, url, told, headers)

        reply = oauth.asked_with_access(
            OAUTH, self.line, with_token, lambda reply: reply.status == 401 and EXPIRED in reply.text
        )
        if reply.ok:
            return reply.json()
        answer = usual_answer(reply, self.line.now, _BARRED)
        raise Stop(ours(answer) if any(word in reply.text for word in _OURS) else answer)


def task_of(options: Mapping[str, str], call: CallFacts, who: str | None) -> dict[str, Any]:
    """A task that is done: the call."""
    told = {
        "Subject": title_of(options, call)[:SUBJECT_LONGEST],
        "Status": "Completed",
        "TaskSubtype": "Call",
        "CallType": "Inbound" if is_inbound(call) else "Outbound",
        "CallDurationInSeconds": seconds_of(call),
        "CallDisposition": disposition_of(call),
        "CallObject": call.key,
        "ActivityDate": f"{local(call.started_at, call):%Y-%m-%d}",
        "Description": "\n".join(story_of(call)),
        "WhoId": who,
        "OwnerId": person_of(options, call),
    }
    return {name: value for name, value in told.items() if value not in (None, "")}


def disposition_of(call: CallFacts) -> str:
    """What became of it, in a word or two: "Answered", "Gave up"."""
    word = "left a message" if call.left_message else (call.outcome or "")
    return word.replace("_", " ").capitalize()


def lead_of(call: CallFacts) -> dict[str, str]:
    """A new lead; Salesforce wants a name and a company of it."""
    caller = call.caller or ""
    return {
        "LastName": call.caller_name or caller,
        "Company": call.caller_name or caller,
        "Phone": caller,
        "LeadSource": "Phone Inquiry",
    }


def _tell(line: Line, parcel: Parcel) -> Answer:
    """Look for the task, then for whose it is, then make it."""
    org, call, done = Org(line), parcel.call, parcel.progress
    if there := _find_task(org, call.key):
        return Answer(True, f"It had arrived: task {there}")
    if call.caller and WHO not in done:
        wanted = line.options.get("create") == "yes" and may_be_new(call)
        done[WHO] = _who(org, call.caller) or (org.make("Lead", lead_of(call)) if wanted else None)
    task = org.make("Task", task_of(line.options, call, done.get(WHO)))
    return Answer(True, f"Task {task}")


def _find_task(org: Org, key: str) -> str | None:
    """The task of a call that was told before."""
    escaped = key.replace("\\", "\\\\").replace("'", "\\'")
    wanted = f"SELECT Id FROM Task WHERE CallObject = '{escaped}' LIMIT 1"  # noqa: S608  (escaped)
    told = org.get("/query/", q=wanted)
    return _first(told, "records")


def _who(org: Org, e164: str) -> str | None:
    """The contact, or else the lead, that has a number."""
    find = f"FIND {{{last_digits(e164)}}} IN PHONE FIELDS RETURNING Contact(Id, Name), Lead(Id, Name)"
    return _first(org.get("/search/", q=find), "searchRecords")


def _first(told: Any, name: str) -> str | None:
    rows = told.get(name) if isinstance(told, dict) else None
    return str(rows[0]["Id"]) if rows else None


def _check(line: Line, parcel: Parcel) -> Answer:
    """Look for a task and for the caller: that needs the same rights, and leaves nothing."""
    org = Org(line)
    _find_task(org, parcel.call.key)
    found = _who(org, parcel.call.caller or "")
    return Answer(True, "200 · somebody has that number" if found else "200 · nobody has that number")


KIND = Kind(
    word="salesforce",
    title="Salesforce",
    about=say("Each call as a completed task of the contact or lead whose number it is"),
    fields=(
        Field(
            "address",
            say("Address"),
            say("Of your organisation: https://shop.my.salesforce.com"),
            FieldKind.URL,
        ),
        Field(
            "client_id",
            say("OAuth client id"),
            say("Of a connected app: the consumer key"),
            FieldKind.SECRET,
        ),
        Field("client_secret", say("OAuth client secret"), say("There too"), FieldKind.SECRET),
        Field(
            "refresh_token",
            say("Refresh token"),
            say("Empty: the app logs in by itself, or as the user who connects the destination"),
            FieldKind.SECRET,
            required=False,
        ),
        people_field("Salesforce"),
        title_field(),
        Field(
            "create",
            say("Leads for new callers"),
            say("Create a lead for a number that nobody has there"),
            FieldKind.YES_NO,
            required=False,
            usual="no",
        ),
    ),
    timings=AFTER_RECORDING,
    usual_events=(Event.COMPLETED,),
    send=one_by_one(_tell),
    test=one_by_one(_check),
    why_not=wants_all,
    outgoing=True,
    oauth=OAUTH,
)
