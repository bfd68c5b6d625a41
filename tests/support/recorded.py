"""Ended calls whose recordings are to be finished, and the finishing of them."""

from __future__ import annotations

import os
import time
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from support.facts import Pallets

from recordings.finish import Finished, finish_pending
from recordings.workshop import Workshop
from tracker.database import Database
from tracker.models import Call, Number, Recording, RecordingState
from tracker.policy.facts import Presentation
from tracker.settings import Settings


def settings_in(folder: Path, **values: object) -> Settings:
    """Settings of an installation below `folder`."""
    home = folder / "home"
    (home / "spool" / "recordings").mkdir(parents=True, exist_ok=True)
    return Settings(home=home, **values)  # type: ignore[arg-type]


def spool_file(settings: Settings, name: str) -> Path:
    return settings.spool / "recordings" / name


def age(path: Path, at: datetime) -> Path:
    """Let a file have been written at that instant."""
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def end_call(
    database: Database,
    pallets: Pallets,
    key: str,
    ended_at: datetime,
    *,
    talk_seconds: float | None = 3.0,
    node: str = "main",
) -> int:
    """A call that is over, with its pending recording: the recording's id. No talk: nobody answered."""
    answered_at = None if talk_seconds is None else ended_at - timedelta(seconds=talk_seconds)
    with database.write() as session:
        number = session.scalars(sa.select(Number).where(Number.e164 == pallets.billboard)).one()
        call = Call(
            key=key,
            node=node,
            company_id=pallets.company_id,
            number_id=number.id,
            presentation=Presentation.ALLOWED,
            started_at=(answered_at or ended_at) - timedelta(seconds=5),
            answered_at=answered_at,
            ended_at=ended_at,
            talk_seconds=talk_seconds,
        )
        recording = Recording(call=call, state=RecordingState.PENDING)
        session.add(recording)
        session.flush()
        return recording.id


def recording_of(database: Database, recording_id: int) -> Recording:
    """The row as it is now, usable without a session."""
    with database.read() as session:
        recording = session.get_one(Recording, recording_id)
        session.expunge(recording)
        return recording


def finish_all(
    database: Database, settings: Settings, now: datetime, workshop: Workshop, *, within_seconds: float = 60
) -> Finished:
    """Tick until nothing waits: the sum of what was settled. Fails when that takes too long."""
    deadline = time.monotonic() + within_seconds
    ready = none = damaged = 0
    while True:
        tick = finish_pending(database, settings, now, workshop=workshop, wait_seconds=1)
        ready, none, damaged = ready + tick.ready, none + tick.none, damaged + tick.damaged
        if not tick.waiting:
            return Finished(ready, none, damaged, 0)
        assert time.monotonic() < deadline, tick
