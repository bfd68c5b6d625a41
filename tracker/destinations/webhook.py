"""A webhook by the Standard Webhooks specification 1.0.0 (https://www.standardwebhooks.com).

One POST of JSON an event, signed; with two secrets while one takes the other's place. 410 ends it for good.
A receiver that reads no JSON is sent a form instead, or an address with the call's values in its query.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any
from urllib.parse import urlencode

from tracker.destinations.flat import check_places, fill, flatten
from tracker.destinations.kind import Field, FieldKind, Kind, Line, Parcel, usual_answer, wants_all
from tracker.errors import Rejected, say
from tracker.outside import Trouble
from tracker.policy.delivering import Event, Timing
from tracker.policy.telling import SECRET, Answer, sign
from tracker.webhook import GONE

NOW = Timing()
# The address is wrong, or asleep, rather than the call: a workflow that is switched off answers 404.
_BARRED = frozenset({401, 403, 404, 405})
JSON, FORM, GET = "json", "form", "get"
SEPARATOR = " | "  # of headers
_OURS = r"(?!(?i:host|connection|content-[a-z]+|transfer-encoding|webhook-[a-z]+):)"
_HEADER = rf"{_OURS}[A-Za-z][A-Za-z0-9-]{{0,59}}: [!-{{}}~][ -{{}}~]*"  # printable ASCII, without a bar
HEADERS = rf"{_HEADER}( \| {_HEADER}){{0,9}}"


def payload(parcel: Parcel) -> dict[str, Any]:
    """What is posted: the event's type, its instant, and the call as the API shows it."""
    call = parcel.call
    visit = call.visit and {
        "visitor": call.visit.key,
        "landing_url": call.visit.landing_url,
        "page_url": call.visit.page_url,
        "referrer": call.visit.referrer,
        "click_ids": dict(call.visit.click_ids) if call.visit.allows_ads() else {},
    }
    data = {**call.described, "visit": visit, "link": call.link, "recording_link": call.recording_link}
    stamp = parcel.created_at.astimezone(UTC).isoformat()
    return {"type": parcel.event.value, "timestamp": stamp, "data": data}


def send(line: Line, parcels: Sequence[Parcel]) -> Iterator[Answer]:
    """One request a parcel."""
    for parcel in parcels:
        method, url, body, kind = request(line.options, parcel)
        headers = {**own_headers(line.secrets.get("headers", "")), **kind, **signed(line, parcel.key, body)}
        try:
            reply = line.ask(method, url, body, headers)
        except Trouble as trouble:
            yield Answer(False, str(trouble))
            continue
        gone = reply.status == GONE
        yield Answer(False, reply.shown(), gone=True) if gone else usual_answer(reply, line.now, _BARRED)


def request(options: Mapping[str, str], parcel: Parcel) -> tuple[str, str, bytes, dict[str, str]]:
    """Method, address, body and what kind of body it is."""
    told, form = payload(parcel), options.get("format") or JSON
    if form == JSON:
        body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        return "POST", options["url"], body, {"Content-Type": "application/json"}
    values = flatten(told["type"], told["timestamp"], told["data"])
    if form == GET:
        return "GET", fill(options["url"], values), b"", {}
    return (
        "POST", options["url"], urlencode(values).encode(),
        {"Content-Type": "application/x-www-form-urlencoded"},
    )  # fmt: skip


def own_headers(text: str) -> dict[str, str]:
    """Headers as they are filled in: "X-Key: abc | X-Shop: 1"."""
    pairs = (each.partition(": ") for each in text.split(SEPARATOR) if each)
    return {name: value for name, _, value in pairs}


def check(values: Mapping[str, str]) -> None:
    """Places stand in an address that is got, in its query. Raises Rejected destination.place."""
    if values.get("format") == GET:
        check_places(values["url"])
    elif re.search(r"[{}]", values["url"]):
        raise Rejected(
            "destination.place", "The address has places for values", "Set format to get, or take them out"
        )


def signed(line: Line, key: str, body: bytes) -> Mapping[str, str]:
    """The three headers; while a secret is being replaced, the signatures of both."""
    headers = sign(line.secrets["secret"], key, line.now, body)
    if before := line.secrets.get("secret_before"):
        old = sign(before, key, line.now, body)["webhook-signature"]
        headers["webhook-signature"] += f" {old}"
    return headers


KIND = Kind(
    word="webhook",
    title="Webhook",
    about=say("Each event of a call as signed JSON, for programs of your own"),
    fields=(
        Field(
            "url",
            say("Address"),
            say("Where events are posted; https, or a network named in webhook_networks"),
            FieldKind.URL,
        ),
        Field(
            "secret",
            say("Secret"),
            say("whsec_ and 24 to 64 bytes in base64; empty: one is made"),
            FieldKind.SECRET,
            required=False,
            form=SECRET,
            signs=True,
        ),
        Field(
            "format",
            say("Format"),
            say(
                "json; form: a POST of a form; get: values stand in the address, https://…/call?from={caller}"
            ),
            FieldKind.CHOICE,
            required=False,
            usual=JSON,
            choices=(JSON, FORM, GET),
        ),
        Field(
            "headers",
            say("Headers of your own"),
            say("Such as X-Api-Key: abc; several with a bar between: X-Api-Key: abc | X-Shop: 1"),
            FieldKind.SECRET,
            required=False,
            form=HEADERS,
        ),
    ),
    timings={
        Event.STARTED: NOW,
        Event.COMPLETED: NOW,
        Event.CATEGORISED: NOW,
        Event.RECORDED: NOW,
        Event.UPDATED: NOW,
    },
    usual_events=(Event.COMPLETED, Event.CATEGORISED, Event.RECORDED),
    send=send,
    why_not=wants_all,
    check=check,
    outgoing=True,
)
