"""Messages about alerts on their way to their addresses, in a queue: written with the alert, then sent."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from tracker.mailing import KEPT, Queue, new_key
from tracker.models import Alert, AlertAddress, AlertMessage, News
from tracker.policy.telling import Answer

CLAIM = timedelta(seconds=90)  # longer than any try takes

__all__ = ["CLAIM", "KEPT", "announce", "claim", "forget_old", "is_due", "new_message", "settle"]

_QUEUE = Queue(AlertMessage, "address_id", CLAIM)
is_due, forget_old = _QUEUE.is_due, _QUEUE.forget_old


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
        key=new_key(), address_id=address_id, alert_id=alert_id, news=news, created_at=now, due_at=now,
        tries=0,
    )  # fmt: skip


def claim(session: Session, now: datetime, limit: int) -> list[AlertMessage]:
    """Messages that are due and in nobody's hands, one an address at most; they are this worker's now."""
    ids = _QUEUE.claim(session, now, limit)
    wanted = (
        sa.select(AlertMessage)
        .where(AlertMessage.id.in_(ids))
        .options(
            joinedload(AlertMessage.address).joinedload(AlertAddress.company),
            joinedload(AlertMessage.alert).joinedload(Alert.company),
        )
    )
    return list(session.scalars(wanted.order_by(AlertMessage.id))) if ids else []


def settle(session: Session, message_id: int, answer: Answer, now: datetime, dice: float) -> None:
    """Write down what became of a try; nothing if its address was deleted meanwhile."""
    message = _QUEUE.settle(session, message_id, answer, now, dice)
    if message is not None and answer.gone:
        _disable(session, message.address_id, answer.text, now)


def _disable(session: Session, address_id: int, because: str, now: datetime) -> None:
    """The address is told no more, and what waits for it is given up."""
    address = session.get_one(AlertAddress, address_id)
    address.disabled_at, address.disabled_because = address.disabled_at or now, because[:300]
    session.execute(
        sa.update(AlertMessage)
        .where(AlertMessage.address_id == address_id, _QUEUE.waiting)
        .values(given_up_at=now, answer=because[:300])
    )
