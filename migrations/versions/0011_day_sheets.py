"""Day sheets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tracker.models.sheet_triggers import FIRST_CALL_COLUMNS, statements

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "day_sheets",
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("draft", sa.String(length=32), nullable=True),
        sa.Column("data", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_day_sheets_company_id_companies")
        ),
        sa.PrimaryKeyConstraint("company_id", "since_at", "kind", name=op.f("pk_day_sheets")),
    )
    made = sa.text("draft IS NULL")
    op.create_index(
        "ix_day_sheets_made",
        "day_sheets",
        ["company_id", "since_at", "until_at", "kind"],
        sqlite_where=made,
        postgresql_where=made,
    )
    op.create_table(
        "sheet_changes",
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_sheet_changes_company_id_at", "sheet_changes", ["company_id", "at"])
    # The calls of which it is asked who rang in vain are found by their own time.
    told = sa.text("kind = 'leg_ended'")
    op.drop_index("ix_call_events_leg_ended", "call_events")
    op.create_index(
        "ix_call_events_leg_ended", "call_events", ["call_id"], sqlite_where=told, postgresql_where=told
    )
    for statement in statements(op.get_bind().dialect.name, FIRST_CALL_COLUMNS):
        op.get_bind().exec_driver_sql(statement)
