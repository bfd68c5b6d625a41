"""What processes say of themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "process_figures",
        sa.Column("node", sa.String(length=40), nullable=False),
        sa.Column("process", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("node", "process", name=op.f("pk_process_figures")),
    )


def downgrade() -> None:
    op.drop_table("process_figures")
