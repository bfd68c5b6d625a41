"""Visitors of a website, their visits, and the numbers leased to them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.models.base import Base, BigId
from tracker.models.company import Number


class Site(Base):
    """A website with our script."""

    __tablename__ = "sites"
    __table_args__ = (sa.UniqueConstraint("company_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"))
    name: Mapped[str] = mapped_column(sa.String(100))
    key: Mapped[str] = mapped_column(sa.String(40), unique=True)
    pool_id: Mapped[int | None] = mapped_column(sa.ForeignKey("pools.id"))
    created_at: Mapped[datetime]


class Visitor(Base):
    """A browser, remembered."""

    __tablename__ = "visitors"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"), index=True)
    key: Mapped[str] = mapped_column(sa.String(40), unique=True)
    created_at: Mapped[datetime]


class Visit(Base):
    """One session on a site, with the source that brought it."""

    __tablename__ = "visits"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    visitor_id: Mapped[int] = mapped_column(sa.ForeignKey("visitors.id"), index=True)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("sites.id"), index=True)
    started_at: Mapped[datetime]
    landing_url: Mapped[str | None] = mapped_column(sa.Text)
    referrer: Mapped[str | None] = mapped_column(sa.Text)
    medium: Mapped[str] = mapped_column(sa.String(100))
    source: Mapped[str] = mapped_column(sa.String(200))
    campaign: Mapped[str | None] = mapped_column(sa.String(200))
    keyword: Mapped[str | None] = mapped_column(sa.String(200))

    visitor: Mapped[Visitor] = relationship()


class Lease(Base):
    """A number held for a visit, from / until. The history stays; at most one is open per number."""

    __tablename__ = "leases"
    __table_args__ = (
        sa.Index(
            "uq_leases_active",
            "number_id",
            unique=True,
            sqlite_where=sa.text("until_at IS NULL"),
            postgresql_where=sa.text("until_at IS NULL"),
        ),
        sa.Index("ix_leases_number_id_from_at", "number_id", "from_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    number_id: Mapped[int] = mapped_column(sa.ForeignKey("numbers.id"))
    pool_id: Mapped[int] = mapped_column(sa.ForeignKey("pools.id"))
    visit_id: Mapped[int] = mapped_column(sa.ForeignKey("visits.id"), index=True)
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None]

    number: Mapped[Number] = relationship()
    visit: Mapped[Visit] = relationship()
