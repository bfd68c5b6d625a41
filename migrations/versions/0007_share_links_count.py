"""Share links: what they show, how often they were played."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("share_links", sa.Column("played", sa.Integer(), server_default="0", nullable=False))
    op.add_column(
        "share_links", sa.Column("shows_caller", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
