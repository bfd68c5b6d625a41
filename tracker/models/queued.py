"""What a message in a queue (tracker.mailing) has beside what it tells: key, tries, what was answered."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from tracker.models.base import BigId


class Queued:
    """A message that is delivered at least once, always with the same key."""

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(40), unique=True)  # who gets it twice can tell
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    claimed_until: Mapped[datetime | None]  # a worker is at it until then; after that, anybody
    tries: Mapped[int] = mapped_column(default=0)
    tried_at: Mapped[datetime | None]  # when what became of the last try was known
    sent_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(sa.String(300))  # what was answered last, or what went wrong


def due_index(table: str) -> sa.Index:
    """By which the messages that wait are found among all that were sent."""
    waiting = sa.text("sent_at IS NULL AND given_up_at IS NULL")
    return sa.Index(f"ix_{table}_due", "due_at", sqlite_where=waiting, postgresql_where=waiting)
