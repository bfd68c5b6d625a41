"""Last calls: a number's newest call is found without reading its others.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_calls_number_id_started_at", "calls", ["number_id", "started_at"])
    op.drop_index("ix_calls_number_id", "calls")


def downgrade() -> None:
    op.create_index("ix_calls_number_id", "calls", ["number_id"])
    op.drop_index("ix_calls_number_id_started_at", "calls")
