"""Recordings over the API: what there is, the sound itself by range, and its end."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field
from werkzeug.wrappers import Response

from recordings import store
from tracker import calls
from tracker.models import RecordingState
from tracker.policy.rights import Right, Scope
from tracker.policy.taping import Withheld
from web.audio import lately, note_heard, recording_of, send_copy
from web.house import house
from web.rest.call_shapes import CallPause
from web.rest.calls import owner_of
from web.rest.operation import Asked, operation
from web.rest.reading import read_query
from web.rest.shapes import Query, Shape
from web.viewer import viewer
from web.words import best_kind

api = Blueprint("rest_recordings", __name__, url_prefix="/api/v1")

Kind = Literal["wav", "mp3", "opus"]


class RecordingOut(Shape):
    """What there is to hear of a call."""

    state: Annotated[RecordingState | None, Field(description="Null while the call is going on")]
    kinds: Annotated[list[Kind], Field(description="In which it may be fetched")]
    seconds: float | None
    bytes: Annotated[int | None, Field(description="Of the WAV")]
    sample_rate: int | None
    sha256: Annotated[str | None, Field(description="Of the WAV")]
    problem: Annotated[str | None, Field(description="Why it cannot be played")]
    withheld: Annotated[Withheld | None, Field(description="Why it was not recorded")]
    pauses: Annotated[list[CallPause], Field(description="Left out at somebody's wish")]
    stored_at: datetime | None


class AudioAsked(Query):
    kind: Annotated[
        Kind | None, Field(description="Without it the MP3, or the WAV where there is no other")
    ] = None


@api.get("/calls/<key>/recording")
@operation(Scope.RECORDINGS_READ, answer=RecordingOut, owner=owner_of)
def show_recording(asked: Asked[Query, None], key: str) -> dict[str, Any]:
    """What there is to hear of a call."""
    return store.describe(calls.find_call(asked.session, [asked.company.id], key))


@api.get("/calls/<key>/recording/audio")
@operation(
    Scope.RECORDINGS_READ,
    query=AudioAsked,
    bare=True,
    content=tuple(store.CONTENT_TYPES.values()),
    more={206: "The range that was asked for", 304: "You have it already", 416: "There is no such range"},
)
def fetch_audio(key: str) -> Response:
    """The sound, whole or by `Range`.

    Who fetched it stands in the audit log before the first byte leaves; ranges of one fetch are one entry.
    """
    asked = read_query(AudioAsked)
    with house().database.read() as session:
        call = calls.find_call(session, viewer().company_ids, key)
        recording = recording_of(call)
        fetched = lately(session, "recording.download", call)
    kind = asked.kind or best_kind(recording)
    copy = store.open_copy(house().settings, recording, kind)
    if not fetched:
        note_heard("recording.download", call, {"kind": kind})
    return send_copy(copy, None)


@api.delete("/calls/<key>/recording")
@operation(Scope.RECORDINGS_WRITE, Right.ADMINISTER, status=204, current=show_recording, owner=owner_of)
def delete_recording(asked: Asked[Query, None], key: str) -> None:
    """Deletes the sound of a call for good; the call stays."""
    call = calls.find_call(asked.session, [asked.company.id], key)
    store.delete_by(asked.session, asked.by, house().settings, call)
