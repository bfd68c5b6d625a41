"""Recordings to listen to and to keep: by range, of one's own company only, every time in the audit log."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from flask import Blueprint, send_file
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from recordings import store
from tracker import calls
from tracker.audit import note
from tracker.errors import Rejected
from tracker.models import AuditEntry, Call, Recording, RecordingState
from web.house import house
from web.viewer import client_address, viewer
from web.words import best_kind

pages = Blueprint("audio", __name__)

SAME_LISTENING = timedelta(minutes=10)  # a player asks for many ranges: that is one listening, one entry


@pages.get("/calls/<key>/audio")
def play(key: str) -> Response:
    """What the player plays, by range."""
    return hear(key)


def hear(key: str) -> Response:
    """The sound of a call that the viewer may see, by range; that it was heard is in the audit log."""
    with house().database.read() as session:
        call = calls.find_call(session, viewer().company_ids, key)
        recording = recording_of(call)
        heard = lately(session, "recording.play", call)
    copy = store.open_copy(house().settings, recording, best_kind(recording))
    if not heard:
        note_heard("recording.play", call)
    return send_copy(copy, None)


@pages.get("/calls/<key>/download/<kind>")
def download(key: str, kind: str) -> Response:
    """A file to keep, named by the call's instant and key; nothing in the name says who called."""
    with house().database.read() as session:
        call = calls.find_call(session, viewer().company_ids, key)
        recording = recording_of(call)
    copy = store.open_copy(house().settings, recording, kind)
    note_heard("recording.download", call, {"kind": kind})
    at = call.started_at.astimezone(viewer().zone)
    return send_copy(copy, f"call-{at:%Y-%m-%d-%H%M%S}-{call.key[:8]}.{kind}")


def recording_of(call: Call) -> Recording:
    """What there is to hear of a call. Raises Rejected `recording.missing` when there is nothing."""
    if call.recording is None or call.recording.state is not RecordingState.READY:
        raise Rejected(
            "recording.missing",
            "This call has no recording to play",
            "See the call's page for what became of it",
        )
    return call.recording


def send_copy(copy: store.Playable, name: str | None) -> Response:
    """The file, whole or by range; with a name, to be saved under it."""
    response = send_file(
        copy.path, mimetype=copy.content_type, conditional=True, etag=True, as_attachment=name is not None,
        download_name=name, max_age=0,
    )  # fmt: skip
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def lately(session: Session, action: str, call: Call) -> bool:
    """Whether who asks did the same a moment ago."""
    wanted = sa.select(AuditEntry.id).where(
        AuditEntry.at > house().clock() - SAME_LISTENING,
        AuditEntry.actor == viewer().email,
        AuditEntry.action == action,
        AuditEntry.subject == call.key,
    )
    return session.scalar(wanted.limit(1)) is not None


def note_heard(action: str, call: Call, detail: dict[str, str] | None = None) -> None:
    """In the log before the first byte leaves; a log that cannot be written lets nothing out."""
    with house().database.write() as session:
        note(
            session, house().clock(), viewer().email, action, company_id=call.company_id, subject=call.key,
            detail=dict(detail or {}), client=client_address(),
        )  # fmt: skip
