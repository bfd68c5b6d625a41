"""Which recordings the worker should look at now: the queries, and the rows as plain facts."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from recordings.decide import QUIET_SECONDS, EndedCall
from tracker.call_words import TO_BE_RECORDED
from tracker.models import Call, Company, Number, Recording, RecordingState
from tracker.policy.facts import Direction

_PAGE = 64


@dataclass(frozen=True)
class Due:
    """A recording to be finished, of an ended call."""

    recording_id: int
    key: str
    slug: str
    started_at: datetime
    facts: EndedCall
    is_turned: bool = False  # the company's side comes first: it called


@dataclass(frozen=True)
class CopyDue:
    """A recording that is ready but for a copy; `path` is its WAV below the recordings folder."""

    recording_id: int
    path: str


def count(session: Session, node: str) -> int:
    """How many recordings of this node are pending."""
    query = sa.select(sa.func.count()).select_from(Recording).join(Call)
    return session.scalar(query.where(Recording.state == RecordingState.PENDING, Call.node == node)) or 0


def pending(session: Session, node: str, now: datetime, busy_with: AbstractSet[int]) -> list[Due]:
    """The oldest pending recordings whose time has come and that are in nobody's hands; a page of them."""
    query = (
        sa.select(
            Recording.id,
            Call.key,
            Company.slug,
            Call.started_at,
            Call.ended_at,
            Call.answered_at.is_not(None),
            Call.talk_seconds,
            TO_BE_RECORDED,
            Call.direction == Direction.OUT,
        )
        .join(Call, Recording.call_id == Call.id)
        .join(Company, Call.company_id == Company.id)
        .join(Number, Call.number_id == Number.id)
        .where(
            Recording.state == RecordingState.PENDING,
            Call.node == node,
            Call.ended_at <= now - timedelta(seconds=QUIET_SECONDS),
            sa.or_(Recording.retry_at.is_(None), Recording.retry_at <= now),
            Recording.id.not_in(busy_with),
        )
        .order_by(Recording.id)
        .limit(_PAGE)
    )
    return [
        Due(
            row[0],
            row[1],
            row[2],
            row[3],
            EndedCall(row[4], bool(row[5]), bool(row[7]), row[6] or 0.0),
            bool(row[8]),
        )
        for row in session.execute(query)
        if row[4]  # the query asked for it
    ]


def copies(session: Session, node: str, now: datetime, busy_with: AbstractSet[int]) -> list[CopyDue]:
    """Recordings that are ready and whose missing copies are to be tried again now."""
    query = (
        sa.select(Recording.id, Recording.path)
        .join(Call)
        .where(
            retries(RecordingState.READY, now),
            Call.node == node,
            Recording.id.not_in(busy_with),
        )
        .limit(_PAGE)
    )
    return [CopyDue(recording_id, path or "") for recording_id, path in session.execute(query)]


def retries(state: RecordingState, now: datetime) -> sa.ColumnElement[bool]:
    """Recordings in that state that are to be looked at again, found by the small index on `retry_at`.

    Asked for as "in no other state", because SQLite would rather go through every recording that is ready.
    """
    others = [each for each in RecordingState if each is not state]
    return sa.and_(Recording.retry_at <= now, Recording.state.not_in(others))


def locked(session: Session, recording_id: int) -> Recording | None:
    """The row, held against other writers until the transaction ends; None when it is gone."""
    return session.get(Recording, recording_id, with_for_update=True)
