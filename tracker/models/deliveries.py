"""Destinations, and what is on its way to them: one row a destination, event and call."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.models.base import Base, BigId, words
from tracker.models.calls import Call
from tracker.models.company import Company
from tracker.policy.delivering import Event, Why


class Destination(Base):
    """Where a company's calls are told. What it answers last holds up nobody but itself."""

    __tablename__ = "destinations"
    __table_args__ = (sa.UniqueConstraint("company_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"))
    kind: Mapped[str] = mapped_column(sa.String(20))  # a word of tracker.destinations.KINDS
    name: Mapped[str] = mapped_column(sa.String(60))
    options: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    secrets: Mapped[str] = mapped_column(sa.Text, default="", server_default="")  # sealed (tracker.vault)
    events: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    paused_at: Mapped[datetime | None]  # by a person: what comes waits
    disabled_at: Mapped[datetime | None]  # by itself: it wants no more, or cannot be logged in to
    disabled_because: Mapped[str | None] = mapped_column(sa.String(300))
    # In a row: a destination that fails is left alone for a while, with everything that waits for it.
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    failing_since: Mapped[datetime | None]
    retry_at: Mapped[datetime | None]
    held_by: Mapped[str | None] = mapped_column(sa.String(40))  # the worker that is at it
    held_until: Mapped[datetime | None]
    renewing_until: Mapped[datetime | None]  # a worker fetches new secrets, until then at the latest
    disconnected_at: Mapped[datetime | None]  # since then its access is gone: a person must connect it
    sent_at: Mapped[datetime | None]  # the last that was taken
    answer: Mapped[str | None] = mapped_column(sa.String(300))  # the last that was said

    company: Mapped[Company] = relationship()


class Delivery(Base):
    """An event of a call on its way to a destination, at least once, always with the same key."""

    __tablename__ = "deliveries"
    __table_args__ = (
        sa.UniqueConstraint("destination_id", "event", "call_id", "revision"),
        sa.Index(
            "ix_deliveries_waiting",
            "destination_id",
            "due_at",
            "id",
            sqlite_where=sa.text("sent_at IS NULL AND given_up_at IS NULL"),
            postgresql_where=sa.text("sent_at IS NULL AND given_up_at IS NULL"),
        ),
        sa.Index(
            "ix_deliveries_verdict",
            "destination_id",
            "verdict_at",
            sqlite_where=sa.text("verdict_at IS NOT NULL"),
            postgresql_where=sa.text("verdict_at IS NOT NULL"),
        ),
        sa.Index("ix_deliveries_call_id", "call_id"),
        sa.Index("ix_deliveries_destination_id_id", "destination_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(40), unique=True)  # who gets it twice can tell
    destination_id: Mapped[int] = mapped_column(sa.ForeignKey("destinations.id"))
    call_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("calls.id"))
    event: Mapped[Event] = mapped_column(words(Event))
    revision: Mapped[int] = mapped_column(default=0, server_default="0")  # of events that come again
    created_at: Mapped[datetime]  # the fact's instant
    due_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    tried_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(sa.String(300))  # what was answered last, or what went wrong
    why: Mapped[Why | None] = mapped_column(words(Why))  # it was given up, or not sent at all
    receipt: Mapped[str | None] = mapped_column(sa.String(100))  # what the other side calls what it took
    verdict_at: Mapped[datetime | None]  # when it is asked what became of that
    # What a destination of several steps has answered so far, so that a second try goes on there.
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")

    destination: Mapped[Destination] = relationship()
    call: Mapped[Call] = relationship()
