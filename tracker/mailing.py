"""Queues of messages in the database: written with what they tell, claimed, sent, settled.

    ALERTS = Queue(AlertMessage, AlertMessage.address_id, timedelta(seconds=90))

A claim is one statement and holds for a while: a worker that dies meanwhile leaves the message to the next.
So a message arrives at least once, always with the same key. A lane (an address) has one message on its way
at a time: a slow or dead one holds up nobody else's.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from tracker.policy.telling import Answer, next_try

KEPT = timedelta(days=60)


def new_key() -> str:
    """What a message is known by at every try."""
    return f"msg_{uuid4().hex[:32]}"


class Queue:
    """The messages of a `Queued` model; `lane` is one of its columns."""

    def __init__(self, model: Any, lane: str, claim: timedelta) -> None:
        self.model, self._claim = model, claim
        self._message, self._other = aliased(model), aliased(model)
        self._lane = getattr(self._message, lane) == getattr(self._other, lane)
        self.waiting = sa.and_(model.sent_at.is_(None), model.given_up_at.is_(None))

    def is_due(self, session: Session, now: datetime) -> bool:
        """Whether something may have to be sent: looking takes no writer's place."""
        wanted = sa.select(self.model.id).where(self.waiting, self.model.due_at <= now).limit(1)
        return session.scalar(wanted) is not None

    def claim(self, session: Session, now: datetime, limit: int) -> list[int]:
        """Messages that are due and in nobody's hands, one a lane at most; they are this worker's now."""
        choice = self._choice(now, limit)
        take = (
            sa.update(self.model)
            .where(self.model.id.in_(sa.select(choice.c.id)), self.waiting)
            .where(sa.or_(self.model.claimed_until.is_(None), self.model.claimed_until <= now))
            .values(claimed_until=now + self._claim, tries=self.model.tries + 1)
            .returning(self.model.id)
        )
        return sorted(session.connection().execute(take).scalars())

    def _choice(self, now: datetime, limit: int) -> sa.CTE:
        message, other = self._message, self._other
        wanted = (
            sa.select(message.id)
            .where(
                message.sent_at.is_(None),
                message.given_up_at.is_(None),
                message.due_at <= now,
                ~sa.exists().where(self._lane, other.claimed_until > now),
                ~sa.exists().where(  # the oldest of its lane that is due
                    self._lane,
                    other.id < message.id,
                    other.sent_at.is_(None),
                    other.given_up_at.is_(None),
                    other.due_at <= now,
                ),
            )
            .order_by(message.due_at, message.id)
            .limit(limit)
            .with_for_update(of=message, skip_locked=True)
        )
        return wanted.cte("choice")  # chosen once, however the update is planned

    def settle(self, session: Session, message_id: int, answer: Answer, now: datetime, dice: float) -> Any:
        """Write down what became of a try: sent, to be tried again, or given up. The message.

        None where there is nothing to write: it is gone; or another worker, after our claim ran out, was as
        good.
        """
        message = session.get(self.model, message_id, with_for_update=True)
        if message is None or message.sent_at is not None:
            return None
        message.answer, message.tried_at, message.claimed_until = answer.text[:300], now, None
        again = (
            None if answer.final or answer.gone else next_try(message.tries, message.created_at, now, dice)
        )
        if answer.ok:
            message.sent_at = now
        elif again is None:
            message.given_up_at = now
        else:
            message.due_at = again
        return message

    def forget_old(self, session: Session, now: datetime) -> int:
        """Delete messages that were settled long ago. How many."""
        old = sa.delete(self.model).where(self.model.created_at < now - KEPT, ~self.waiting)
        return session.connection().execute(old).rowcount
