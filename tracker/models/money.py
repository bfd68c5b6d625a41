"""Money: what advertising cost, what was sold, in which currencies; and the keys of programs that tell so."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.models.base import Base, BigId, Money, Rate, words
from tracker.models.calls import Call
from tracker.models.company import Channel
from tracker.policy.costs import Entered
from tracker.policy.rights import Scope
from tracker.policy.sales import Match, SaleStatus


class Cost(Base):
    """What was paid for one day of advertising, in the words of visits' sources.

    A channel's words are its own: of a cost with a channel, those stored here are what they were.
    """

    __tablename__ = "costs"
    __table_args__ = (
        sa.UniqueConstraint("company_id", "reference"),
        sa.Index("ix_costs_company_id_day", "company_id", "day", "id"),
        sa.Index("ix_costs_company_id_changed_at", "company_id", "changed_at"),
        sa.Index(
            "ix_costs_channel_id",
            "channel_id",
            sqlite_where=sa.text("channel_id IS NOT NULL"),
            postgresql_where=sa.text("channel_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"))
    day: Mapped[dt.date]
    medium: Mapped[str | None] = mapped_column(sa.String(100))
    source: Mapped[str] = mapped_column(sa.String(200))
    campaign: Mapped[str | None] = mapped_column(sa.String(200))
    keyword: Mapped[str | None] = mapped_column(sa.String(200))
    content: Mapped[str | None] = mapped_column(sa.String(200))  # the ad
    channel_id: Mapped[int | None] = mapped_column(sa.ForeignKey("channels.id"))
    amount: Mapped[Decimal] = mapped_column(Money())
    currency: Mapped[str] = mapped_column(sa.String(3))
    note: Mapped[str | None] = mapped_column(sa.String(300))
    entered: Mapped[Entered] = mapped_column(words(Entered))
    # What makes it the same when it is told again; None for what a person typed.
    reference: Mapped[str | None] = mapped_column(sa.String(100))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    channel: Mapped[Channel | None] = relationship()


class ChannelRent(Base):
    """What a channel costs a month, both days included; its days' costs are computed, never stored."""

    __tablename__ = "channel_rents"
    __table_args__ = (sa.CheckConstraint("until_day IS NULL OR until_day >= from_day", name="days"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"), index=True)
    channel_id: Mapped[int] = mapped_column(sa.ForeignKey("channels.id"), index=True)
    amount: Mapped[Decimal] = mapped_column(Money())
    currency: Mapped[str] = mapped_column(sa.String(3))
    from_day: Mapped[dt.date]
    until_day: Mapped[dt.date | None]
    note: Mapped[str | None] = mapped_column(sa.String(300))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    channel: Mapped[Channel] = relationship()


class Sale(Base):
    """What was sold, as it was told, and the call or visitor that it was found to belong to."""

    __tablename__ = "sales"
    __table_args__ = (
        sa.UniqueConstraint("company_id", "reference"),
        sa.Index("ix_sales_company_id_at", "company_id", "at", "id"),
        sa.Index("ix_sales_company_id_changed_at", "company_id", "changed_at"),
        sa.Index(
            "ix_sales_unmatched",
            "company_id",
            "at",
            "id",
            sqlite_where=sa.text("matched_by IS NULL"),
            postgresql_where=sa.text("matched_by IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"))
    at: Mapped[datetime]
    revenue: Mapped[Decimal] = mapped_column(Money())
    profit: Mapped[Decimal | None] = mapped_column(Money())  # gross; None: nobody said
    currency: Mapped[str] = mapped_column(sa.String(3))
    status: Mapped[SaleStatus] = mapped_column(words(SaleStatus), default=SaleStatus.WON)
    reference: Mapped[str | None] = mapped_column(sa.String(100))  # the order's, of the shop or the CRM
    note: Mapped[str | None] = mapped_column(sa.String(300))
    entered: Mapped[Entered] = mapped_column(words(Entered))
    # Whose it is, as it was told; the call or visitor need not be in the books yet.
    call_key: Mapped[str | None] = mapped_column(sa.String(40))
    phone: Mapped[str | None] = mapped_column(sa.String(40))  # E.164
    visitor_key: Mapped[str | None] = mapped_column(sa.String(40))
    # What it was found to belong to. A visitor's sale has a call as well where he called.
    matched_by: Mapped[Match | None] = mapped_column(words(Match))
    call_id: Mapped[int | None] = mapped_column(sa.ForeignKey("calls.id"), index=True)
    visitor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("visitors.id"), index=True)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    call: Mapped[Call | None] = relationship()


class ExchangeRate(Base):
    """What one unit of `currency` is in the currency `into`, from that day on until the next."""

    __tablename__ = "exchange_rates"
    __table_args__ = (sa.UniqueConstraint("company_id", "into", "currency", "from_day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"))
    into: Mapped[str] = mapped_column(sa.String(3))  # the company's own when it was set
    currency: Mapped[str] = mapped_column(sa.String(3))
    from_day: Mapped[dt.date]
    rate: Mapped[Decimal] = mapped_column(Rate())
    created_at: Mapped[datetime]


class ApiKey(Base):
    """What a program of one company shows; only its SHA-256 is kept."""

    __tablename__ = "api_keys"
    __table_args__ = (sa.UniqueConstraint("company_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"))
    name: Mapped[str] = mapped_column(sa.String(40))
    token_sha256: Mapped[str] = mapped_column(sa.String(64), unique=True)
    opens: Mapped[str] = mapped_column("scopes", sa.String(400))  # words with spaces between
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]  # to the hour: tracker.api_keys.TOUCH_EVERY
    revoked_at: Mapped[datetime | None]

    @property
    def scopes(self) -> frozenset[Scope]:
        """What it opens; a word that only a newer version knows opens nothing here."""
        known = set(Scope)
        return frozenset(Scope(word) for word in self.opens.split() if word in known)
