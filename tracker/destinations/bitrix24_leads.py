"""Bitrix24 by an inbound webhook: a lead for a new caller, a comment in the timeline of one who is known.

Wire format: https://apidocs.bitrix24.com, crm.item.add, crm.duplicate.findbycomm. It needs no application,
and knows no calls: telephony's reports, cards and recordings are tracker.destinations.bitrix24's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracker.destinations.bitrix24 import (
    COMMENTS,
    LEAD,
    comment_of,
    has_comment,
    marks_of,
    result_of,
    was_answered,
    whose,
)
from tracker.destinations.crm import (
    AFTER_RECORDING,
    one_by_one,
    people_field,
    person_of,
    title_field,
    title_of,
)
from tracker.destinations.kind import Field, FieldKind, Kind, Line, Parcel, Stop, post_json
from tracker.errors import say
from tracker.outside import Reply
from tracker.policy.delivering import Event, Why
from tracker.policy.parcels import CallFacts
from tracker.policy.telling import Answer

KNOWN = ("CONTACT", "COMPANY", "LEAD")  # whose timeline a call goes to, the first there is
# A parcel's progress: of whom the timeline is told; that it was told and the answer did not come.
ENTITY, ASKED = "entity", "asked"


def why_not(options: Mapping[str, str], parcel: Parcel) -> Why | None:
    """A lead that nobody can ring back is none."""
    if not parcel.call.caller:
        return Why.NOBODY
    return Why.UNWANTED if parcel.call.answered and options.get("calls") == "missed" else None


def lead_of(options: Mapping[str, str], call: CallFacts) -> dict[str, Any]:
    """A new lead. The shape of `fm` is unconfirmed."""
    told = {
        "title": title_of(options, call),
        "name": call.caller_name,
        "sourceId": options.get("source_id") or "CALL",
        "originatorId": "leaseline",
        "originId": call.key,
        "assignedById": person_of(options, call, options.get("user_id", "")),
        "opportunity": None if call.value is None else float(call.value),
        "currencyId": None if call.value is None else call.currency,
        "fm": [{"typeId": "PHONE", "valueType": "WORK", "value": call.caller}],
        **marks_of(call),
    }
    return {name: value for name, value in told.items() if value not in (None, "")}


def _tell(line: Line, parcel: Parcel) -> Answer:
    """Find whose number it is, else make a lead; then the comment."""
    done, call = parcel.progress, parcel.call
    if ENTITY not in done:
        done[ENTITY] = _known(line, call) or _new_lead(line, call)
    kind, entity = done[ENTITY]
    fields = comment_of(call, kind, entity)
    if not (done.get(ASKED) and has_comment(_reply(line, COMMENTS, whose(fields)), call)):
        done[ASKED] = True
        reply = _reply(line, "crm.timeline.comment.add", {"fields": fields})
        if was_answered(reply):
            del done[ASKED]
        result_of(reply, line)
    return Answer(True, f"{kind.capitalize()} {entity}")


def _known(line: Line, call: CallFacts) -> tuple[str, int] | None:
    found = _ask(line, "crm.duplicate.findbycomm", {"type": "PHONE", "values": [call.caller]})
    there = found if isinstance(found, dict) else {}  # an empty list where there is none
    return next(((kind, there[kind][0]) for kind in KNOWN if there.get(kind)), None)


def _new_lead(line: Line, call: CallFacts) -> tuple[str, int]:
    told = _ask(line, "crm.item.add", {"entityTypeId": LEAD, "fields": lead_of(line.options, call)})
    try:
        return "LEAD", told["item"]["id"]
    except (KeyError, TypeError):
        raise Stop(Answer(False, f"It does not say which lead it made: {str(told)[:100]}")) from None


def _ask(line: Line, method: str, what: Mapping[str, Any]) -> Any:
    """The result of a method. Raises Stop, Trouble."""
    return result_of(_reply(line, method, what), line)


def _reply(line: Line, method: str, what: Mapping[str, Any]) -> Reply:
    hook = line.secrets["webhook"]
    url = f"{hook}{'' if hook.endswith('/') else '/'}{method}"
    return post_json(line, url, what)


def _check(line: Line, parcel: Parcel) -> Answer:
    """Look the caller up: that needs the same right, and leaves nothing."""
    found = _known(line, parcel.call)
    return Answer(True, "200 · known by that number" if found else "200 · nobody has that number")


KIND = Kind(
    word="bitrix24_leads",
    title="Bitrix24 leads",
    about=say("A lead for each new caller and a comment for a known one, by an inbound webhook"),
    fields=(
        Field(
            "webhook",
            say("Inbound webhook"),
            say("Developer resources, Other, Inbound webhook, with the right crm: https://…/rest/1/…/"),
            FieldKind.SECRET,
            form=r"https?://[A-Za-z0-9.:-]{3,200}/rest/\d{1,9}/[A-Za-z0-9]{6,100}/?",
        ),
        Field(
            "user_id",
            say("User"),
            say("The id of the user who gets the leads; empty: whose webhook it is"),
            required=False,
            form=r"\d{1,9}",
        ),
        people_field("Bitrix24"),
        title_field(),
        Field(
            "source_id",
            say("Source"),
            say("The code of a source of your CRM that new leads get"),
            required=False,
            usual="CALL",
            form=r"[A-Za-z0-9_|]{1,50}",
        ),
        Field(
            "calls",
            say("Which calls"),
            say("all, or only those that nobody answered"),
            FieldKind.CHOICE,
            required=False,
            usual="all",
            choices=("all", "missed"),
        ),
    ),
    timings=AFTER_RECORDING,
    usual_events=(Event.COMPLETED,),
    send=one_by_one(_tell),
    test=one_by_one(_check),
    why_not=why_not,
)
