"""Messages about alerts on their way to their addresses: written with the alert, claimed, settled.

A claim is one statement and holds for `CLAIM`: a worker that dies meanwhile leaves the message to the next.
So a message arrives at least once, always with the same key.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.models import AlertAddress, AlertMessage, News

CLAIM = timedelta(seconds=60)


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
        key=f"msg_{uuid4().hex}", address_id=address_id, alert_id=alert_id, news=news, created_at=now,
        due_at=now, tries=0,
    )  # fmt: skip
