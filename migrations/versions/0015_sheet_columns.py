"""Day sheets of what reports group and count by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tracker.models.sheet_triggers import FIRST_CALL_COLUMNS, statements

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sheet_columns",
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id", "since_at", "kind"],
            ["day_sheets.company_id", "day_sheets.since_at", "day_sheets.kind"],
            name="fk_sheet_columns_day_sheets",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("company_id", "kind", "name", "since_at", name=op.f("pk_sheet_columns")),
    )
    for statement in statements(op.get_bind().dialect.name, FIRST_CALL_COLUMNS):
        op.get_bind().exec_driver_sql(statement)
