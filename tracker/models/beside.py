"""Calls that other phone systems report, and the folders in which they leave their records."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from tracker.models.base import Base


class ReportedCall(Base):
    """That a call was reported by a phone system beside us, and what only that system knows of it."""

    __tablename__ = "reported_calls"

    call_id: Mapped[int] = mapped_column(sa.ForeignKey("calls.id"), primary_key=True, autoincrement=False)
    system: Mapped[str] = mapped_column(sa.String(30))
    reference: Mapped[str] = mapped_column(sa.String(100))  # what that system knows the call by
    employee: Mapped[str | None] = mapped_column(sa.String(100))
    # Shown as a link; fetched only when somebody who moves here asks for it.
    recording_url: Mapped[str | None] = mapped_column(sa.String(500))
    # What that system says of the call's source, where it saw the visitor and we did not: one or neither.
    visit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("visits.id"), index=True)
    channel_id: Mapped[int | None] = mapped_column(sa.ForeignKey("channels.id"), index=True)
    actor: Mapped[str] = mapped_column(sa.String(200))  # who told last: "key:pbx", "watch:main", "cli:ann"
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class CallFolder(Base):
    """A folder in which a company's phone system leaves its records, and how they are to be read."""

    __tablename__ = "call_folders"
    __table_args__ = (sa.UniqueConstraint("company_id", "system"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"))
    system: Mapped[str] = mapped_column(sa.String(30))
    folder: Mapped[str] = mapped_column(sa.String(500))
    files: Mapped[str] = mapped_column(sa.String(100))  # a pattern of names: "*.csv"
    preset: Mapped[str] = mapped_column(sa.String(20))
    columns: Mapped[dict[str, Any]]  # {"did": "userfield"}: our word and theirs
    zone: Mapped[str | None] = mapped_column(sa.String(60))  # None: the company's
    dates: Mapped[str | None] = mapped_column(sa.String(20))  # what comes first in 05/11/2026
    did: Mapped[str | None] = mapped_column(sa.String(16))  # of lines that name no number dialled
    calls: Mapped[int] = mapped_column(default=0, server_default="0")  # lines that were calls
    left_out: Mapped[int] = mapped_column(default=0, server_default="0")
    bad: Mapped[int] = mapped_column(default=0, server_default="0")
    doubtful: Mapped[int] = mapped_column(default=0, server_default="0")
    strange: Mapped[str | None] = mapped_column(sa.String(40))  # the last number that is not entered here
    problem: Mapped[str | None] = mapped_column(sa.String(300))  # why nothing can be read
    read_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
