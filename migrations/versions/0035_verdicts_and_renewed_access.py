"""What a destination says of a delivery later on; access that is renewed, or has ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

ASKED = sa.text("verdict_at IS NOT NULL")


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("receipt", sa.String(length=100), nullable=True))
    op.add_column("deliveries", sa.Column("verdict_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_deliveries_verdict",
        "deliveries",
        ["destination_id", "verdict_at"],
        sqlite_where=ASKED,
        postgresql_where=ASKED,
    )
    op.add_column("destinations", sa.Column("renewing_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("destinations", sa.Column("disconnected_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("destinations", "disconnected_at")
    op.drop_column("destinations", "renewing_until")
    op.drop_index("ix_deliveries_verdict", table_name="deliveries")
    op.drop_column("deliveries", "verdict_at")
    op.drop_column("deliveries", "receipt")
