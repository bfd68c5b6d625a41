"""A webhook by the Standard Webhooks specification 1.0.0 (https://www.standardwebhooks.com).

One POST of JSON an event, signed; with two secrets while one takes the other's place. 410 ends it for good.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any

from tracker.destinations.kind import Field, FieldKind, Kind, Line, Parcel, usual_answer, wants_all
from tracker.errors import say
from tracker.outside import Trouble
from tracker.policy.delivering import Event, Timing
from tracker.policy.telling import SECRET, Answer, sign
from tracker.webhook import GONE

NOW = Timing()
# The address is wrong, or asleep, rather than the call: a workflow that is switched off answers 404.
_BARRED = frozenset({401, 403, 404, 405})


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
    """One POST a parcel."""
    for parcel in parcels:
        body = json.dumps(payload(parcel), ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", **signed(line, parcel.key, body)}
        try:
            reply = line.ask("POST", line.options["url"], body, headers)
        except Trouble as trouble:
            yield Answer(False, str(trouble))
            continue
        gone = reply.status == GONE
        yield Answer(False, reply.shown(), gone=True) if gone else usual_answer(reply, line.now, _BARRED)


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
    outgoing=True,
)
