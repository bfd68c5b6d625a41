"""What people ask the worker for on the page, and what it answers: making changes live, checking a site."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from tracker.models.base import Base, BigId


class ApplyRequest(Base):
    """Somebody asked on the page that what the database says be made live. Every node's worker answers."""

    __tablename__ = "apply_requests"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    company_id: Mapped[int | None] = mapped_column(sa.ForeignKey("companies.id"))  # he was looking at
    actor: Mapped[str] = mapped_column(sa.String(200))
    client: Mapped[str | None] = mapped_column(sa.String(100))
    asked_at: Mapped[datetime]


class NodeConfiguration(Base):
    """What a node's worker saw when it last compared Asterisk's configuration with the database."""

    __tablename__ = "node_configurations"

    node: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    looked_at: Mapped[datetime]
    audit_id: Mapped[int] = mapped_column(BigId)  # the newest change that was looked at
    request_id: Mapped[int] = mapped_column(BigId, default=0)  # the newest request that was answered
    waiting: Mapped[list[str]] = mapped_column(default=list)  # files that would change
    live_at: Mapped[datetime | None]  # since when the configuration in force is; None before the first
    runs: Mapped[bool] = mapped_column(default=False)  # Asterisk does
    restart: Mapped[list[str]] = mapped_column(default=list)  # files that it reads only at its start
    problem: Mapped[str | None] = mapped_column(sa.String(2000))  # why it cannot be made live
    fix: Mapped[str | None] = mapped_column(sa.String(1000))
    # Trunks and targets by their names in Asterisk ("target-3"), and what it says of each.
    endpoints: Mapped[dict[str, Any]] = mapped_column(default=dict)


class SiteCheck(Base):
    """Somebody asked on the page for a look at a page of a site in a real browser. One worker does it.

    A worker that dies at it is followed by another, once `claimed_until` is over.
    """

    __tablename__ = "site_checks"
    __table_args__ = (
        sa.Index(
            "ix_site_checks_open",
            "id",
            sqlite_where=sa.text("done_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("sites.id"), index=True)
    url: Mapped[str] = mapped_column(sa.String(2000))
    actor: Mapped[str] = mapped_column(sa.String(200))
    asked_at: Mapped[datetime]
    claimed_until: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[datetime | None]
    report: Mapped[dict[str, Any] | None]  # as `leaseline site check --json` prints it
    problem: Mapped[str | None] = mapped_column(sa.String(1000))  # why there is none
