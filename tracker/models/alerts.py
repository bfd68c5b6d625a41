"""Alerts with their begin and end, the addresses that are told, and the messages on their way there."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.models.base import Base, BigId, words
from tracker.models.company import Company
from tracker.models.queued import Queued, due_index
from tracker.policy.alerts import AlertKind
from tracker.sealed import Sealed


class Way(enum.StrEnum):
    """How an address is reached."""

    EMAIL = "email"
    WEBHOOK = "webhook"


class News(enum.StrEnum):
    """What a message says of its alert."""

    BEGUN = "begun"
    ENDED = "ended"
    TEST = "test"  # of no alert


class Alert(Base):
    """Something is wrong, from / until. At most one is open per key."""

    __tablename__ = "alerts"
    __table_args__ = (
        sa.Index(
            "uq_alerts_open",
            "key",
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
        sa.Index("ix_alerts_company_id_begun_at", "company_id", "begun_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int | None] = mapped_column(sa.ForeignKey("companies.id"))  # None: the installation's
    kind: Mapped[AlertKind] = mapped_column(words(AlertKind))
    key: Mapped[str] = mapped_column(sa.String(80))  # "pool_low:3"
    name: Mapped[str] = mapped_column(sa.String(200))  # of what it is about
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)  # figures, as they were when it looked worst
    begun_at: Mapped[datetime]
    fine_since: Mapped[datetime | None]  # it looks fine, and has not for long enough
    ended_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]  # by a person, who said so
    seen_by: Mapped[str | None] = mapped_column(sa.String(200))  # his name

    company: Mapped[Company | None] = relationship()


class AlertAddress(Base):
    """Where alerts of a company go; without a company, those of the installation."""

    __tablename__ = "alert_addresses"

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int | None] = mapped_column(sa.ForeignKey("companies.id"), index=True)
    way: Mapped[Way] = mapped_column(words(Way))
    address: Mapped[str] = mapped_column(Sealed())
    secret: Mapped[str | None] = mapped_column(Sealed())  # signs webhooks: "whsec_…"
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]  # a webhook that answered 410 is not asked again
    disabled_because: Mapped[str | None] = mapped_column(sa.String(300))

    company: Mapped[Company | None] = relationship()


class AlertMessage(Queued, Base):
    """One message to one address: written with its alert, delivered at least once."""

    __tablename__ = "alert_messages"
    __table_args__ = (
        due_index("alert_messages"),
        sa.Index("ix_alert_messages_address_id", "address_id", "id"),
    )

    address_id: Mapped[int] = mapped_column(sa.ForeignKey("alert_addresses.id"))
    alert_id: Mapped[int | None] = mapped_column(sa.ForeignKey("alerts.id"), index=True)
    news: Mapped[News] = mapped_column(words(News))

    address: Mapped[AlertAddress] = relationship()
    alert: Mapped[Alert | None] = relationship()
