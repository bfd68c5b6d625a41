"""Which recordings the worker should look at now: the queries, and the rows as plain facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, object_session

from recordings.decide import QUIET_SECONDS, EndedCall
from tracker.call_words import TO_BE_RECORDED
from tracker.messages import is_message
from tracker.models import Call, CallEvent, Company, Number, Recording, RecordingState
from tracker.policy.detail import KINDS, from_detail
from tracker.policy.facts import Passed, Taped
from tracker.policy.refusing import said_by
from tracker.policy.taping import Taping, Told, Withheld, pauses, withheld
from tracker.unrecorded import is_listed

_PAGE = 64
_KINDS = [word for word, kind in KINDS.items() if kind in {Taped, Passed}]


@dataclass(frozen=True)
class Due:
    """A recording to be finished, of an ended call."""

    recording_id: int
    key: str
    slug: str
    started_at: datetime
    facts: EndedCall


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
        sa.select(Recording.id, Call, Company.slug, TO_BE_RECORDED.label("record"))
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
    rows = session.execute(query).all()
    told = _told(session, [row.Call.id for row in rows])
    return [
        Due(
            row.id,
            row.Call.key,
            row.slug,
            row.Call.started_at,
            _facts(session, row, told[row.Call.id]),
        )
        for row in rows
    ]


def pauses_of(call: Call) -> list[list[float]]:
    """Where and how long the recording of an ended call was paused."""
    session = object_session(call)
    if session is None or call.answered_at is None or call.ended_at is None:
        return []
    return pauses(_told(session, [call.id])[call.id], call.answered_at, call.ended_at)


def is_wordless(call: Call) -> bool:
    """Whether the message of a call that nobody took has turned out to be silence."""
    session = object_session(call)
    if session is None or call.answered_at is not None:
        return False
    return any(what is Taping.WORDLESS for _, what in _told(session, [call.id])[call.id])


def withheld_of(call: Call) -> Withheld | None:
    """Why nothing of that talk may be kept, as the books know it now."""
    session = object_session(call)
    if session is None or call.answered_at is None:
        return None
    return withheld(
        _told(session, [call.id])[call.id],
        listed=is_listed(session, call.company_id, call.caller, call.started_at),
    )


def _facts(session: Session, row: Any, told: Sequence[Told]) -> EndedCall:
    call: Call = row.Call
    ended_at = call.ended_at or call.started_at  # the query asked for those that have ended
    if is_message(call) and call.message_at is not None:  # he leaves it himself
        seconds = (ended_at - call.message_at).total_seconds()
        return EndedCall(ended_at, answered=True, record=True, talk_seconds=seconds)
    left_out = pauses(told, call.answered_at, ended_at) if call.answered_at else []
    listed = is_listed(session, call.company_id, call.caller, call.started_at)
    return EndedCall(
        ended_at,
        answered=call.answered_at is not None,
        record=row.record,
        talk_seconds=(call.talk_seconds or 0.0) - sum(seconds for _, seconds in left_out),
        withheld=withheld(told, listed=listed) if row.record and call.answered_at else None,
    )


def _told(session: Session, call_ids: Sequence[int]) -> dict[int, list[Told]]:
    """What was written about the recording of each of these calls."""
    wanted = sa.select(CallEvent.call_id, CallEvent.kind, CallEvent.at, CallEvent.detail).where(
        CallEvent.call_id.in_(call_ids), CallEvent.kind.in_(_KINDS)
    )
    found = defaultdict[int, list[Told]](list)
    for call_id, kind, at, detail in session.execute(wanted):
        if (said := said_by(from_detail(kind, "", detail))) is not None:
            found[call_id].append((at, said))
    return found


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
