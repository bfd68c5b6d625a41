"""Reading calls as from CallRail's API v3, so that a connector written for it works by changing the address.

    https://api.callrail.com/v3/a/ACCOUNT/calls.json  ->  https://calls.example.com/callrail/v3/a/ACCOUNT/calls.json

Paths, words, pages, fields and the shape of errors are those of https://apidocs.callrail.com; what nobody
here knows of a call is null. The key goes as `Authorization: Token token="KEY"`. It only reads.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, jsonify, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from tracker import call_pages, calls, numbers
from tracker import worth as worths
from tracker.destinations.callrail import numbered, payload
from tracker.destinations.kind import Parcel
from tracker.errors import Rejected
from tracker.models import Company, NumberState
from tracker.parcels import read_calls
from tracker.policy.delivering import Event
from tracker.policy.parcels import CallFacts
from tracker.policy.rights import Right, Scope
from web.audio import hear, recording_of
from web.house import house
from web.public import by_key_for
from web.rest import throttle
from web.rest.callrail_words import MOST, USUAL, Wanted, fields_asked, wanted, whole
from web.rest.operation import the_company

api = Blueprint("rest_callrail", __name__, url_prefix="/callrail/v3")


@api.errorhandler(Rejected)
def _refused(problem: Rejected) -> Response:
    """CallRail's shape of a refusal, with what to do about it."""
    from web.errors import STATUS

    response = jsonify(error=f"{problem.message}. {problem.fix}")
    response.status_code = STATUS.get(problem.id, 400)
    return response


@api.get("/a.json")
@by_key_for(Scope.CALLS_READ)
def list_accounts() -> dict[str, Any]:
    """The one account of the key: its company."""
    with throttle.counted(), house().database.read() as session:
        return _one_page("accounts", [_account(_company(session, None))])


@api.get("/a/<account>.json")
@by_key_for(Scope.CALLS_READ)
def show_account(account: str) -> dict[str, Any]:
    """That account."""
    with throttle.counted(), house().database.read() as session:
        return _account(_company(session, account))


@api.get("/a/<account>/companies.json")
@by_key_for(Scope.CALLS_READ)
def list_companies(account: str) -> dict[str, Any]:
    """The company of the account: here the two are one."""
    with throttle.counted(), house().database.read() as session:
        it = _company(session, account)
        told = {
            "id": f"COM{numbered(it.slug)}",
            "name": it.name,
            "status": "active",
            "time_zone": it.timezone,
            "created_at": _local(it, it.created_at),
            "disabled_at": None,
        }
        return _one_page("companies", [told])


@api.get("/a/<account>/trackers.json")
@by_key_for(Scope.CALLS_READ)
def list_trackers(account: str) -> dict[str, Any]:
    """The company's numbers."""
    with throttle.counted(), house().database.read() as session:
        company = _company(session, account)
        told = [
            {
                "id": f"TRK{numbered(it.number.e164)}",
                "type": "session" if it.pool else "source",
                "name": _tracker_name(it),
                "status": "active" if it.number.state is NumberState.ACTIVE else "disabled",
                "tracking_number": it.number.e164,
                "tracking_numbers": [it.number.e164],
                "company": {"id": f"COM{numbered(company.slug)}", "name": company.name},
                "created_at": _local(company, it.number.created_at),
                "disabled_at": None,
            }
            for it in numbers.listed(session, company)
        ]
        return _one_page("trackers", told)


@api.get("/a/<account>/tags.json")
@by_key_for(Scope.CALLS_READ)
def list_tags(account: str) -> dict[str, Any]:
    """The tags that calls have."""
    with throttle.counted(), house().database.read() as session:
        company = _company(session, account)
        told = [
            {"id": numbered(f"{company.slug} {name}"), "name": name, "status": "enabled"}
            for name in worths.list_tags(session, company.id)
        ]
        return _one_page("tags", told)


@api.get("/a/<account>/calls.json")
@by_key_for(Scope.CALLS_READ)
def list_calls(account: str) -> dict[str, Any]:
    """Calls, the newest first, in pages: by number, or relative to one another."""
    with throttle.counted(), house().database.read() as session:
        company = _company(session, account)
        asked = wanted(session, company)
        if request.args.get("relative_pagination") == "true":
            return _relative(session, company, asked)
        page, size = whole("page", 1, 10**6), whole("per_page", USUAL, MOST)
        found = call_pages.read_page(
            session, [company.id], asked.by, page, size, newest_first=asked.newest_first
        )
        return {
            "page": page,
            "per_page": size,
            "total_pages": math.ceil(found.total / size),
            "total_records": found.total,
            "calls": _told(session, company, found.ids, asked.fields),
        }


@api.get("/a/<account>/calls/<call>.json")
@by_key_for(Scope.CALLS_READ)
def show_call(account: str, call: str) -> dict[str, Any]:
    """One call."""
    with throttle.counted(), house().database.read() as session:
        company = _company(session, account)
        found = calls.find_call(session, [company.id], _key(call))
        return _told(session, company, [found.id], fields_asked())[0]


@api.get("/a/<account>/calls/<call>/recording.json")
@by_key_for(Scope.RECORDINGS_READ)
def show_recording(account: str, call: str) -> dict[str, str]:
    """Where the sound is."""
    with throttle.counted(), house().database.read() as session:
        company = _company(session, account)
        recording_of(calls.find_call(session, [company.id], _key(call)))
        return {"url": f"{_base(company)}/calls/{call}/recording"}


@api.get("/a/<account>/calls/<call>/recording")
@by_key_for(Scope.RECORDINGS_READ)
def play_recording(account: str, call: str) -> Response:
    """The sound, by range; who listened is written down."""
    with throttle.counted(), house().database.read() as session:
        _company(session, account)
    return hear(_key(call))


def _company(session: Session, account: str | None) -> Company:
    """The company of the key; an account that is another's is unknown. Raises Rejected company.unknown."""
    found = session.get_one(Company, the_company(Right.LISTEN))
    if account is not None and account not in {found.slug, _account(found)["id"], str(numbered(found.slug))}:
        raise Rejected("company.unknown", "There is no such account", "See /callrail/v3/a.json")
    return found


def _account(company: Company) -> dict[str, Any]:
    return {"id": f"ACC{numbered(company.slug)}", "name": company.name, "hipaa_account": False}


def _base(company: Company) -> str:
    return f"{house().settings.web_url}/callrail/v3/a/{_account(company)['id']}"


def _tracker_name(it: numbers.Listed) -> str:
    place = it.channel or it.pool
    return place.name if place else it.number.label or it.number.e164


def _key(call: str) -> str:
    """Our key of a call: `CAL` and its digits, or the key itself."""
    digits = call.removeprefix("CAL")
    if call.startswith("CAL") and len(digits) == 32:
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return digits


def _id(key: str) -> str:
    return "CAL" + (key.replace("-", "") if len(key) == 36 else key)


def _told(
    session: Session, company: Company, ids: Sequence[int], fields: tuple[str, ...]
) -> list[dict[str, Any]]:
    found = read_calls(session, ids, house().settings.web_url)
    now = house().clock()
    return [_call(company, payload(_parcel(found[it][0], now), now), fields) for it in ids]


def _parcel(call: CallFacts, now: datetime) -> Parcel:
    return Parcel(call.key, Event.COMPLETED, 0, now, call)


def _call(company: Company, told: dict[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    """A webhook's fields as the API has them: what is unknown is null, seconds are a number."""
    name = _id(told["resource_id"])
    told |= {
        "id": name,
        "company_id": f"COM{told['company_id']}",
        "tracker_id": f"TRK{told['tracker_id']}",
        "duration": int(told["duration"]) if told["duration"] else None,
        "recording": f"{_base(company)}/calls/{name}/recording.json" if told["recording"] else None,
        "timeline_url": f"{house().settings.web_url}/calls/{told['resource_id']}",
    }
    return {field: None if told.get(field, "") == "" else told[field] for field in fields}


def _relative(session: Session, company: Company, asked: Wanted) -> dict[str, Any]:
    size = whole("per_page", USUAL, MOST)
    found = calls.list_calls(session, [company.id], request.args.get("offset"), size, asked.by)
    words = {name: value for name, value in request.args.items(multi=True) if name != "offset"}
    following = urlencode(words | {"offset": found.next})
    return {
        "per_page": size,
        "next_page": f"{_base(company)}/calls.json?{following}" if found.next else None,
        "has_next_page": found.next is not None,
        "calls": _told(session, company, [it.id for it in found.calls], asked.fields),
    }


def _one_page(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    size = max(len(rows), 1)
    return {"page": 1, "per_page": size, "total_pages": 1, "total_records": len(rows), name: rows}


def _local(company: Company, at: datetime) -> str:
    return at.astimezone(ZoneInfo(company.timezone)).isoformat(timespec="milliseconds")
