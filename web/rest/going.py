"""Calls going on, over the API: once, or as server-sent events while they change.

A stream holds one of the server's threads, so there are few at once in a process, and each ends by itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated, Any

from flask import Blueprint, copy_current_request_context, g, request
from pydantic import Field
from werkzeug.wrappers import Response

from tracker.calls import describe
from tracker.errors import Rejected
from tracker.journey import iso
from tracker.policy.rights import Scope
from web.house import house
from web.now import look_now
from web.rest.answering import answer_of, dumped, tagged
from web.rest.call_shapes import CallOut
from web.rest.operation import operation
from web.rest.reading import read_query
from web.rest.shapes import Query, Shape
from web.serve import STREAMS
from web.viewer import viewer

api = Blueprint("rest_going", __name__, url_prefix="/api/v1")

LOOK_SECONDS, BEAT_SECONDS, LONGEST_SECONDS = 1.0, 15.0, 300
_SLOTS = threading.BoundedSemaphore(STREAMS)


class GoingCall(Shape):
    """A call going on."""

    key: str
    state: Annotated[str, Field(description="arriving, ringing, talking, message, open")]
    since: datetime
    number: Annotated[str, Field(description="Dialled")]
    target: Annotated[str | None, Field(description="Who rings, or talks")]
    call: Annotated[CallOut | None, Field(description="Null until the books know it: nothing of its caller")]


class GoingOut(Shape):
    """The calls going on, the newest first."""

    calls: list[GoingCall]
    away: Annotated[list[str], Field(description="Nodes whose calls cannot be seen at the moment")]


class GoingAsked(Query):
    seconds: Annotated[
        int, Field(ge=0, le=LONGEST_SECONDS, description="How long to listen; come again after it")
    ] = LONGEST_SECONDS


@api.get("/live/calls")
@operation(Scope.CALLS_READ, answer=GoingOut, bare=True)
def list_going() -> Response:
    """The calls going on right now, of all companies one sees."""
    return answer_of(200, _look())


@api.get("/live/events")
@operation(Scope.CALLS_READ, query=GoingAsked, bare=True, content="text/event-stream")
def stream_going() -> Response:
    """The same as server-sent events.

    Each `calls` event has all calls going on; the first comes at once, unless `Last-Event-ID` names it. The
    stream ends after some minutes: whoever listens comes again, as browsers do by themselves. A few may
    listen at once; more are refused with 503.
    """
    asked = read_query(GoingAsked)
    if not _SLOTS.acquire(blocking=False):
        raise Rejected("live.busy", "As many are listening as can be", "Try again in a moment")
    who = viewer()

    @copy_current_request_context
    def look() -> str:
        g.viewer = who
        return _look()

    events = _events(look, asked.seconds, request.headers.get("Last-Event-ID", ""))
    response = Response(events, mimetype="text/event-stream")
    response.call_on_close(_SLOTS.release)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # nginx in front passes each event on at once
    return response


def _events(look: Callable[[], str], seconds: float, seen: str) -> Iterator[str]:
    begun = beat = time.monotonic()
    yield "retry: 2000\n\n"
    while True:
        told = look()
        if tagged(told) != seen:
            seen = tagged(told)
            yield f"id: {seen}\nevent: calls\ndata: {told}\n"
            beat = time.monotonic()
        elif time.monotonic() - beat >= BEAT_SECONDS:  # whoever has gone is found out by it
            yield ": still here\n\n"
            beat = time.monotonic()
        if time.monotonic() - begun + LOOK_SECONDS > seconds:
            return
        time.sleep(LOOK_SECONDS)


def _look() -> str:
    with house().database.read() as session:
        now = look_now(session, viewer().company_ids)
        told: dict[str, Any] = {
            "calls": [
                {
                    "key": it.key,
                    "state": it.state,
                    "since": iso(it.since),
                    "number": it.number,
                    "target": it.target,
                    "call": it.call and describe(it.call),
                }
                for it in now.going
            ],
            "away": list(now.away),
        }
    return dumped(told)
