"""Who rang in vain."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_LEGS = sa.text("kind = 'leg_ended'")


def upgrade() -> None:
    op.create_index(
        "ix_call_events_leg_ended", "call_events", ["at"], sqlite_where=_LEGS, postgresql_where=_LEGS
    )
