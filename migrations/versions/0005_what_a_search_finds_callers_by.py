"""What a search finds callers by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("sought", sa.String(length=250), nullable=True))
    calls = sa.table(
        "calls", *(sa.column(name) for name in ("caller", "caller_name", "presentation", "sought"))
    )
    both = sa.func.coalesce(calls.c.caller, "") + " " + sa.func.coalesce(calls.c.caller_name, "")
    written = sa.func.nullif(sa.func.trim(sa.func.lower(both)), "")
    op.execute(sa.update(calls).where(calls.c.presentation == "allowed").values(sought=written))
    op.create_index("ix_calls_sought", "calls", ["company_id", "started_at", "id", "sought"])
