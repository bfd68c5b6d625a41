"""Callbacks on their way: claimed by one process, rung, ended, tried again by the plan.

A request is claimed by one statement and only while it waits, so that two processes never call the same
visitor. Whoever claims it renews the claim while the phones ring; one that dies leaves a claim that runs out
(`settle`). From the moment an employee takes the phone the books tell what became of it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.callback_employees import opens_at
from tracker.callback_rules import rules_of
from tracker.models import (
    Call,
    CallbackReason,
    CallbackRequest,
    CallbackSettings,
    CallbackState,
    CallbackTry,
    Company,
)
from tracker.policy.callback import CALLING, Again, Over, after_try
from tracker.policy.facts import HungUpBy, Outcome

CLAIM_SECONDS = 15  # a claim holds so long, and is renewed three times within
SPOOL_SECONDS = 10  # by then the books know of a call that an employee may have taken
BOOKS_SECONDS = (
    3600  # so long is waited for the books, if they are behind, to tell of one that he surely took
)
_ANOTHERS = timedelta(minutes=1)
_REASONS = {
    Outcome.MISSED: CallbackReason.NO_ANSWER,
    Outcome.BUSY: CallbackReason.BUSY,
    Outcome.REFUSED: CallbackReason.DECLINED,
    Outcome.FAILED: CallbackReason.UNREACHABLE,
    Outcome.GAVE_UP: CallbackReason.EMPLOYEE_LEFT,
}


@dataclass(frozen=True)
class Claim:
    """A request that this process, and no other, is to call now."""

    request_id: int
    call: str  # our id of the call it may become


def claim(session: Session, who: str, now: datetime) -> Claim | None:
    """The request that has waited longest for its time, claimed; None when there is none."""
    due = (
        sa.select(CallbackRequest.id)
        .where(CallbackRequest.due_at <= now, CallbackRequest.state == CallbackState.WAITING)
        .order_by(CallbackRequest.due_at, CallbackRequest.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    call = str(uuid4())
    claimed = session.execute(
        sa.update(CallbackRequest)
        .where(CallbackRequest.id == due, CallbackRequest.state == CallbackState.WAITING)
        .values(
            state=CallbackState.RINGING_EMPLOYEE,
            tries=CallbackRequest.tries + 1,
            call_key=call,
            due_at=None,
            target_id=None,
            claimed_by=who,
            claimed_until=now + timedelta(seconds=CLAIM_SECONDS),
        )
        .returning(CallbackRequest.id),
        execution_options={"synchronize_session": False},
    ).scalar_one_or_none()
    if claimed is None:
        return None
    session.add(CallbackTry(call_key=call, request_id=claimed, at=now))
    return Claim(claimed, call)


def is_due(session: Session, now: datetime) -> bool:
    """Whether there is something to claim."""
    due = sa.select(CallbackRequest.id).where(
        CallbackRequest.due_at <= now, CallbackRequest.state == CallbackState.WAITING
    )
    return session.scalar(due.limit(1)) is not None


def _held(claim: Claim, who: str) -> tuple[sa.ColumnElement[bool], ...]:
    mine = CallbackRequest.claimed_by == who, CallbackRequest.state.in_(CALLING)
    return CallbackRequest.id == claim.request_id, CallbackRequest.call_key == claim.call, *mine


def progress(
    session: Session, claim: Claim, who: str, now: datetime, *, target_id: int | None = None,
    employee_rang_at: datetime | None = None, visitor_rang_at: datetime | None = None, taken: bool = False,
) -> bool:  # fmt: skip
    """Renews the claim and notes how far it has come; False when it is not ours any more."""
    values: dict[str, Any] = {"claimed_until": now + timedelta(seconds=CLAIM_SECONDS)}
    if target_id is not None:
        values["target_id"] = target_id
    if employee_rang_at:  # the first ring counts, and stays
        values["employee_rang_at"] = sa.func.coalesce(CallbackRequest.employee_rang_at, _at(employee_rang_at))
    if visitor_rang_at:
        values["visitor_rang_at"] = sa.func.coalesce(CallbackRequest.visitor_rang_at, _at(visitor_rang_at))
    if taken or visitor_rang_at:
        values["state"] = CallbackState.RINGING_VISITOR
    found = session.execute(
        sa.update(CallbackRequest).where(*_held(claim, who)).values(**values).returning(CallbackRequest.id),
        execution_options={"synchronize_session": False},
    )
    return found.one_or_none() is not None


def _at(instant: datetime) -> sa.BindParameter[Any]:
    return sa.bindparam(None, instant, type_=CallbackRequest.requested_at.type)


def end_try(
    session: Session, claim: Claim, who: str, reason: CallbackReason, now: datetime
) -> CallbackRequest | None:
    """No employee took it, or it could not be tried: what follows by the plan. None: not ours any more."""
    wanted = sa.select(CallbackRequest).where(*_held(claim, who)).with_for_update(key_share=True)
    request = session.scalar(wanted)
    if request is not None:
        _follow(session, request, reason, now)
    return request


def let_go(session: Session, claim: Claim, who: str, now: datetime) -> None:
    """The employee's phone is down: what became of it is told by the books."""
    session.execute(
        sa.update(CallbackRequest).where(*_held(claim, who)).values(claimed_until=now),
        execution_options={"synchronize_session": False},
    )


def settle(session: Session, node: str, now: datetime, up: Collection[str] | None = None) -> int:
    """Ends what nobody holds any more, and whatever the books know the end of; gives how many.

    `up` are the calls that this node's Asterisk has channels of; None when nobody can say. Another node's
    claims are left to it for a minute.
    """
    until = CallbackRequest.claimed_until
    ours = CallbackRequest.claimed_by.startswith(f"{node}:", autoescape=True)
    rows = session.execute(
        sa.select(CallbackRequest, Call)
        .outerjoin(Call, Call.key == CallbackRequest.call_key)
        .where(
            until.is_not(None),
            sa.or_(sa.and_(ours, until <= now), until <= now - _ANOTHERS, Call.answered_at.is_not(None)),
        )
        .with_for_update(of=CallbackRequest, key_share=True, skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    return sum(_settle(session, request, call, now, up) for request, call in rows)


def _settle(
    session: Session, request: CallbackRequest, call: Call | None, now: datetime, up: Collection[str] | None
) -> bool:
    if call is None:
        claimed_until = request.claimed_until or now
        if up is None or request.call_key in up:
            request.claimed_until = now + timedelta(seconds=CLAIM_SECONDS)
            return False
        taken = request.state is CallbackState.RINGING_VISITOR
        if now < claimed_until + timedelta(seconds=BOOKS_SECONDS if taken else SPOOL_SECONDS):
            return False
        request.unknowns += 1
        _follow(session, request, CallbackReason.UNKNOWN, now)
        return True
    request.target_id = call.target_id or request.target_id
    request.visitor_rang_at = request.visitor_rang_at or call.rang_at
    if call.answered_at is not None or call.outcome is Outcome.ANSWERED:
        end(request, CallbackState.TALKED, None, now)
        return True
    if call.outcome is None:
        request.state = CallbackState.RINGING_VISITOR
        request.claimed_until = now + timedelta(seconds=1)
        return False
    left = call.hung_up_by is HungUpBy.COMPANY
    _follow(session, request, CallbackReason.EMPLOYEE_LEFT if left else _REASONS[call.outcome], now)
    return True


def _follow(session: Session, request: CallbackRequest, reason: CallbackReason, now: datetime) -> None:
    settings = session.get(CallbackSettings, request.site_id)
    rules = rules_of(settings, session.get_one(Company, request.company_id))
    opens = None
    if settings is not None and reason is CallbackReason.CLOSED:
        opens = opens_at(session, settings, rules.hours, rules.zone, now)
    tell(request, reason.value, now)
    match after_try(reason, request.tries, request.unknowns, rules, now, opens_at=opens):
        case Again(at):
            request.state, request.reason, request.due_at = CallbackState.WAITING, reason, at
            request.claimed_by = request.claimed_until = None
        case Over(state):
            end(request, state, reason, now)


def end(request: CallbackRequest, state: CallbackState, reason: CallbackReason | None, now: datetime) -> None:
    """The request is over, for that reason."""
    if state is CallbackState.TALKED:
        tell(request, state.value, now)
    request.state, request.reason, request.over_at = state, reason, now
    request.due_at = request.claimed_by = request.claimed_until = None


def tell(request: CallbackRequest, what: str, now: datetime) -> None:
    """Adds to the request's story."""
    entry = {"at": now.isoformat(), "what": what, "call": request.call_key, "target": request.target_id}
    request.story = [*request.story, entry][-50:]


def waits_for_settling(session: Session, now: datetime) -> bool:
    """Whether `settle` may find something: a claim that has run out."""
    found = sa.select(CallbackRequest.id).where(CallbackRequest.claimed_until <= now).limit(1)
    return session.scalar(found) is not None
