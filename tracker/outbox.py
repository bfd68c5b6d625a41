"""Messages about alerts on their way to their addresses: written with the alert, claimed, settled.

A claim is one statement and holds for `CLAIM`: a worker that dies meanwhile leaves the message to the next.
So a message arrives at least once, always with the same key. An address has one message on its way at a time:
a slow or dead one holds up nobody else's.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased, joinedload

from tracker.models import Alert, AlertAddress, AlertMessage, News
from tracker.policy.telling import Answer, next_try

CLAIM = timedelta(seconds=90)  # longer than any try takes
KEPT = timedelta(days=60)

_message, _other = aliased(AlertMessage), aliased(AlertMessage)
_waiting = sa.and_(AlertMessage.sent_at.is_(None), AlertMessage.given_up_at.is_(None))


def announce(session: Session, alert_id: int, company_id: int | None, news: News, now: datetime) -> None:
    """A message to each address of the company, or of the installation, in the caller's transaction."""
    of = AlertAddress.company_id
    wanted = sa.select(AlertAddress.id).where(
        of.is_(None) if company_id is None else of == company_id, AlertAddress.disabled_at.is_(None)
    )
    for address_id in session.scalars(wanted.order_by(AlertAddress.id)):
        session.add(new_message(address_id, news, now, alert_id))


def new_message(address_id: int, news: News, now: datetime, alert_id: int | None = None) -> AlertMessage:
    """A message that is due at once."""
    return AlertMessage(
        key=f"msg_{uuid4().hex[:32]}", address_id=address_id, alert_id=alert_id, news=news, created_at=now,
        due_at=now, tries=0,
    )  # fmt: skip


def is_due(session: Session, now: datetime) -> bool:
    """Whether something may have to be sent: looking takes no writer's place."""
    wanted = sa.select(AlertMessage.id).where(_waiting, AlertMessage.due_at <= now).limit(1)
    return session.scalar(wanted) is not None


def claim(session: Session, now: datetime, limit: int) -> list[AlertMessage]:
    """Messages that are due and in nobody's hands, one an address at most; they are this worker's now."""
    choice = (
        sa.select(_message.id)
        .where(
            _message.sent_at.is_(None),
            _message.given_up_at.is_(None),
            _message.due_at <= now,
            ~sa.exists().where(_other.address_id == _message.address_id, _other.claimed_until > now),
            ~sa.exists().where(  # the oldest of its address that is due
                _other.address_id == _message.address_id,
                _other.id < _message.id,
                _other.sent_at.is_(None),
                _other.given_up_at.is_(None),
                _other.due_at <= now,
            ),
        )
        .order_by(_message.due_at, _message.id)
        .limit(limit)
        .with_for_update(of=_message, skip_locked=True)
        .cte("choice")  # chosen once, however the update is planned
    )
    take = (
        sa.update(AlertMessage)
        .where(AlertMessage.id.in_(sa.select(choice.c.id)), _waiting)
        .where(sa.or_(AlertMessage.claimed_until.is_(None), AlertMessage.claimed_until <= now))
        .values(claimed_until=now + CLAIM, tries=AlertMessage.tries + 1)
        .returning(AlertMessage.id)
    )
    ids = list(session.connection().execute(take).scalars())
    if not ids:
        return []
    wanted = (
        sa.select(AlertMessage)
        .where(AlertMessage.id.in_(ids))
        .options(
            joinedload(AlertMessage.address).joinedload(AlertAddress.company),
            joinedload(AlertMessage.alert).joinedload(Alert.company),
        )
    )
    return list(session.scalars(wanted.order_by(AlertMessage.id)))


def settle(session: Session, message_id: int, answer: Answer, now: datetime, dice: float) -> None:
    """Write down what became of a try: sent, to be tried again, or given up; nothing if it is gone."""
    message = session.get(AlertMessage, message_id, with_for_update=True)
    if message is None or message.sent_at is not None:
        return  # its address was deleted; or another worker, after our claim ran out, was as good
    message.answer, message.claimed_until = answer.text[:300], None
    again = None if answer.final or answer.gone else next_try(message.tries, message.created_at, now, dice)
    if answer.ok:
        message.sent_at = now
    elif again is None:
        message.given_up_at = now
    else:
        message.due_at = again
    if answer.gone:
        _disable(session, message.address_id, answer.text, now)


def _disable(session: Session, address_id: int, because: str, now: datetime) -> None:
    """The address is told no more, and what waits for it is given up."""
    address = session.get_one(AlertAddress, address_id)
    address.disabled_at, address.disabled_because = address.disabled_at or now, because[:300]
    session.execute(
        sa.update(AlertMessage)
        .where(AlertMessage.address_id == address_id, _waiting)
        .values(given_up_at=now, answer=because[:300])
    )


def forget_old(session: Session, now: datetime) -> int:
    """Delete messages that were settled long ago. How many."""
    old = sa.delete(AlertMessage).where(AlertMessage.created_at < now - KEPT, ~_waiting)
    return session.connection().execute(old).rowcount
