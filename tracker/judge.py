"""Judging calls: what each is attributed to, with what probability, and what else was possible.

The worker judges every call of which more may be known than when it was last judged (`attributed_at` is
NULL: it began, it ended, a visitor code was typed). Facts are read and weighed in a read transaction, so that
nobody waits for it; what was found is written in a short one of its own, except for calls that changed
meanwhile: these are judged again in the next turn. Killed in between, the worker judges the same calls again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.attribution import named_by
from tracker.call_words import HAS_CALLED
from tracker.callbacks import origins
from tracker.database import Database
from tracker.learning import learn_all, model_of
from tracker.logs import of
from tracker.models import Call, CallCandidate
from tracker.models.base import Instant
from tracker.policy.attribution import Attribution, asked_for, attribute
from tracker.policy.delays import DelayModel
from tracker.reported_calls import told_origins
from tracker.standing import Asked, Known, standing_of

__all__ = ["judge", "judge_pending", "learn_all", "rejudge"]

log = logging.getLogger("leaseline.judge")

_LATELY = timedelta(days=1)
_COLUMNS = (
    Call.id,
    Call.company_id,
    Call.number_id,
    Call.caller,
    Call.started_at,
    Call.ended_at,
    Call.visitor_code,
)
_PENDING = (
    sa.select(*_COLUMNS).where(Call.attributed_at.is_(None)).order_by(Call.id).limit(sa.bindparam("most"))
)
_CHOSEN = sa.select(*_COLUMNS).where(Call.id.in_(sa.bindparam("calls", expanding=True)), HAS_CALLED)
_ended = sa.bindparam("was_ended", type_=Instant())
_STORE = (
    sa.update(Call)
    .where(
        Call.id == sa.bindparam("call"),
        Call.ended_at.is_not_distinct_from(_ended),
        Call.visitor_code.is_not_distinct_from(sa.bindparam("was_code", type_=Call.visitor_code.type)),
    )
    .values(
        {
            name: sa.bindparam(f"new_{name}", type_=getattr(Call, name).type)
            for name in (
                "basis", "channel_id", "lease_id", "visit_id", "probability", "uncertain", "attributed_at"
            )
        }
    )
    .returning(Call.key)
)  # fmt: skip
_FORGET = sa.delete(CallCandidate).where(CallCandidate.call_id.in_(sa.bindparam("calls", expanding=True)))


@dataclass(frozen=True)
class _Verdict:
    call: Asked
    found: Attribution


def judge_pending(database: Database, now: datetime, limit: int = 200) -> int:
    """Judges calls that wait for it, the oldest first, at most `limit`; gives how many."""
    with database.read() as session:
        waiting = session.connection().execute(_PENDING, {"most": limit}).all()
        verdicts = _weigh(session, [Asked(*row) for row in waiting])
    if not verdicts:
        return 0
    with database.write() as session:
        return _store(session, verdicts, now)


def judge(session: Session, call_ids: Iterable[int], now: datetime) -> int:
    """Judges these calls, in the caller's transaction; gives how many."""
    rows = session.connection().execute(_CHOSEN, {"calls": list(call_ids)}).all()
    return _store(session, _weigh(session, [Asked(*row) for row in rows]), now)


def rejudge(session: Session, company_id: int, since: datetime) -> int:
    """Has the worker judge a company's calls since that instant again; gives how many."""
    again = (
        sa.update(Call)
        .where(Call.company_id == company_id, Call.started_at >= since, HAS_CALLED)
        .values(attributed_at=None)
        .returning(Call.id)
    )
    return len(session.connection().execute(again).all())


def _weigh(session: Session, calls: Sequence[Asked]) -> list[_Verdict]:
    """What each call comes from, in the order in which they came: a caller's first may tell of his second."""
    known = Known()
    models: dict[int, DelayModel] = {}
    verdicts = []
    asked = origins(session, [call.id for call in calls])
    told = told_origins(session, [call.id for call in calls])
    for call in sorted(calls, key=lambda call: (call.started_at, call.id)):
        if (found := told.get(call.id)) is not None:
            known.judged[call.id] = found
            verdicts.append(_Verdict(call, found))
            continue
        if (origin := asked.get(call.id)) is not None:
            known.judged[call.id] = asked_for(*origin)
            verdicts.append(_Verdict(call, known.judged[call.id]))
            continue
        if call.company_id not in models:
            models[call.company_id] = model_of(session, call.company_id)
        holders, history = standing_of(session, call, known)
        found = attribute(call.facts, holders, history, models[call.company_id])
        known.judged[call.id] = found
        verdicts.append(_Verdict(call, found))
    return verdicts


def _store(session: Session, verdicts: Sequence[_Verdict], now: datetime) -> int:
    """Writes judgements; gives how many calls were still as they had been judged."""
    connection = session.connection()
    stored: list[_Verdict] = []
    # Always in the same order, so that two workers cannot wait for each other.
    for verdict in sorted(verdicts, key=lambda each: each.call.id):
        call = verdict.call
        named = named_by(verdict.found) | {"attributed_at": now}
        asked = {"call": call.id, "was_ended": call.ended_at, "was_code": call.visitor_code}
        asked |= {f"new_{name}": value for name, value in named.items()}
        if (key := connection.execute(_STORE, asked).scalar_one_or_none()) is not None:
            stored.append(verdict)
            _tell(key, verdict, now)
    if stored:
        connection.execute(_FORGET, {"calls": [each.call.id for each in stored]})
        rows = [row for each in stored for row in _candidates(each)]
        if rows:
            connection.execute(sa.insert(CallCandidate), rows)
    return len(stored)


def _tell(key: str, verdict: _Verdict, now: datetime) -> None:
    """A line of the log; of old calls, which are judged by the thousand, only where everything is logged."""
    level = logging.INFO if now - verdict.call.started_at < _LATELY else logging.DEBUG
    if log.isEnabledFor(level):
        told = {name: value for name, value in named_by(verdict.found).items() if value is not None}
        log.log(level, "judged", extra=of(key, **told))


def _candidates(verdict: _Verdict) -> list[dict[str, Any]]:
    return [
        {
            "call_id": verdict.call.id,
            "position": position,
            "basis": each.basis,
            "lease_id": each.lease_id,
            "visit_id": each.visit_id,
            "channel_id": each.channel_id,
            "probability": each.probability,
            "reasons": [reason.value for reason in each.reasons],
        }
        for position, each in enumerate(verdict.found.candidates, start=1)
    ]
