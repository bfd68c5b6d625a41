"""Messages that callers left: to whom a plan mails them, written down when the recording is settled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from tracker.mailing import Queue, new_key
from tracker.models import Call, CallEvent, MessageMail, PlanVersion
from tracker.once import insert_once
from tracker.policy.detail import from_detail
from tracker.policy.facts import Doing, Passed
from tracker.policy.plan import Voicemail
from tracker.policy.plan_text import read_plan

CLAIM = timedelta(seconds=90)  # longer than any try takes
QUEUE = Queue(MessageMail, "address", CLAIM)


def is_message(call: Call) -> bool:
    """Whether what there is to hear of the call is a message, rather than a talk."""
    return call.message_at is not None and call.answered_at is None


def message_seconds(call: Call) -> float | None:
    """How long the caller spoke; None: the call is no message, or he is still at it."""
    if not is_message(call) or call.message_at is None or call.ended_at is None:
        return None
    if call.recording is not None and call.recording.seconds is not None:
        return call.recording.seconds
    return round((call.ended_at - call.message_at).total_seconds(), 3)


def announce(session: Session, call: Call, now: datetime) -> None:
    """A mail to each address of the step that took the call's message; written once, however often told."""
    if not is_message(call):
        return
    rows = [
        {
            "key": new_key(),
            "call_id": call.id,
            "address": address,
            "created_at": now,
            "due_at": now,
            "tries": 0,
        }
        for address in _addresses(session, call)
    ]
    insert_once(session, MessageMail, rows, ("call_id", "address"))


def claim(session: Session, now: datetime, limit: int) -> Sequence[MessageMail]:
    """Mails that are due and in nobody's hands, one an address at most; they are this worker's now."""
    ids = QUEUE.claim(session, now, limit)
    wanted = sa.select(MessageMail).where(MessageMail.id.in_(ids)).options(joinedload(MessageMail.call))
    return session.scalars(wanted.order_by(MessageMail.id)).all() if ids else []


def _addresses(session: Session, call: Call) -> Sequence[str]:
    """As the version of the plan has them in which the call was."""
    wanted = sa.select(CallEvent).where(CallEvent.call_id == call.id, CallEvent.kind == "passed")
    facts = (from_detail(event.kind, call.key, event.detail) for event in session.scalars(wanted))
    taken = [fact for fact in facts if isinstance(fact, Passed) and fact.doing is Doing.MESSAGE]
    if not taken:
        return ()
    fact = min(taken, key=lambda it: it.at)
    found = session.scalar(
        sa.select(PlanVersion).where(PlanVersion.plan_id == fact.plan_id, PlanVersion.version == fact.version)
    )
    if found is None or found.plan.company_id != call.company_id:
        return ()
    step = read_plan(found.plan.name, found.document).steps.get(fact.step)
    return tuple(dict.fromkeys(step.mail)) if isinstance(step, Voicemail) else ()
