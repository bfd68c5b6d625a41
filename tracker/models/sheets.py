"""Day sheets: what reports count of a company's calls, a day at a time, and what has changed since.

A sheet holds for as long as no change is noted at an instant of its day. Triggers note them (sheet_triggers),
in the transaction of whoever changes something.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from tracker.models.base import Base, Instant
from tracker.models.sheet_triggers import statements


class DaySheet(Base):
    """Counts of a company's calls of one of its days: a half-open interval, as its clocks went then."""

    __tablename__ = "day_sheets"
    __table_args__ = (
        # Whether any is missing is asked every few seconds.
        sa.Index(
            "ix_day_sheets_made",
            "company_id",
            "since_at",
            "until_at",
            "kind",
            sqlite_where=sa.text("draft IS NULL"),
            postgresql_where=sa.text("draft IS NULL"),
        ),
    )

    company_id: Mapped[int] = mapped_column(sa.ForeignKey("companies.id"), primary_key=True)
    since_at: Mapped[datetime] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(20), primary_key=True)  # whose counts: tracker.sheets.KINDS
    until_at: Mapped[datetime]
    made_at: Mapped[datetime]
    draft: Mapped[str | None] = mapped_column(sa.String(32))  # the turn that is making it; None: it is made
    data: Mapped[str | None] = mapped_column(sa.Text)  # JSON; None while it is being made


class SheetColumn(Base):
    """One thing that a sheet tells of each of its facts: a column, as tracker.policy.columns writes it."""

    __tablename__ = "sheet_columns"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["company_id", "since_at", "kind"],
            ["day_sheets.company_id", "day_sheets.since_at", "day_sheets.kind"],
            ondelete="CASCADE",
            name="fk_sheet_columns_day_sheets",
        ),
    )

    company_id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    since_at: Mapped[datetime] = mapped_column(primary_key=True)
    data: Mapped[bytes] = mapped_column(sa.LargeBinary)


# No key, no reference, nothing unique: whoever adds a row waits for nobody, and nobody waits for him.
sheet_changes = sa.Table(
    "sheet_changes",
    Base.metadata,
    sa.Column("company_id", sa.Integer, nullable=False),
    sa.Column("at", Instant(), nullable=False),
    sa.Index("ix_sheet_changes_company_id_at", "company_id", "at"),
)


@sa.event.listens_for(Base.metadata, "after_create")
def _make_triggers(_metadata: sa.MetaData, connection: sa.Connection, **_: Any) -> None:
    """Where tables are made from the models, as a revision does elsewhere."""
    for statement in statements(connection.dialect.name):
        connection.exec_driver_sql(statement)
