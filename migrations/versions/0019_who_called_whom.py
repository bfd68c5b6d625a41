"""Who called whom."""

from __future__ import annotations

from alembic import op

from tracker.models.sheet_triggers import FIRST_CALL_COLUMNS, WAY_CALL_COLUMNS, statements

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Both databases know this; made anew as others are, the table would lose its triggers on SQLite.
    op.execute(
        "ALTER TABLE calls ADD COLUMN direction VARCHAR(20) DEFAULT 'in' NOT NULL"
        " CONSTRAINT ck_calls_direction CHECK (direction IN ('in', 'out', 'callback'))"
    )
    for statement in statements(op.get_bind().dialect.name, WAY_CALL_COLUMNS):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in statements(op.get_bind().dialect.name, FIRST_CALL_COLUMNS):
        op.get_bind().exec_driver_sql(statement)
    op.drop_column("calls", "direction")
