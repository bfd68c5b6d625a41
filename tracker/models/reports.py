"""Reports that are kept by name, when they are sent to whom, the mails on their way, and links to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.models.base import Base, words
from tracker.models.company import Company
from tracker.models.queued import Queued, due_index
from tracker.models.worth import Link
from tracker.policy.schedules import Every


class SavedReport(Base):
    """A report that a company keeps by name: the words of its address."""

    __tablename__ = "saved_reports"
    __table_args__ = (sa.UniqueConstraint("company_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"))
    name: Mapped[str] = mapped_column(sa.String(60))
    words: Mapped[dict[str, Any]]  # {"by": "campaign", "period": "last_month"}
    made_by: Mapped[str] = mapped_column(sa.String(200))  # an e-mail, or "cli:NAME"
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    company: Mapped[Company] = relationship()


class ReportSchedule(Base):
    """When a saved report is sent, and to whom: `next_at` is the instant that comes next."""

    __tablename__ = "report_schedules"

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(sa.ForeignKey("saved_reports.id"), index=True)
    every: Mapped[Every] = mapped_column(words(Every))
    day: Mapped[int]  # of the week (0: Monday), of the month, or 0
    hour: Mapped[int]  # of the company's clocks
    addresses: Mapped[list[str]] = mapped_column(sa.JSON)
    next_at: Mapped[datetime] = mapped_column(index=True)
    made_by: Mapped[str] = mapped_column(sa.String(200))
    created_at: Mapped[datetime]

    report: Mapped[SavedReport] = relationship()


class ReportMail(Queued, Base):
    """A report on its way to one address, written when it was due; `created_at` is the report's own now."""

    __tablename__ = "report_mails"
    __table_args__ = (
        sa.UniqueConstraint("schedule_id", "planned_at", "address"),  # who plans it twice writes it once
        due_index("report_mails"),
    )

    schedule_id: Mapped[int] = mapped_column(sa.ForeignKey("report_schedules.id"))
    planned_at: Mapped[datetime]  # when it was to be sent
    address: Mapped[str] = mapped_column(sa.String(200))

    schedule: Mapped[ReportSchedule] = relationship()


class ReportLink(Link, Base):
    """A link with which somebody without an account reads one saved report until it expires."""

    __tablename__ = "report_links"

    report_id: Mapped[int] = mapped_column(sa.ForeignKey("saved_reports.id"), index=True)

    report: Mapped[SavedReport] = relationship()
