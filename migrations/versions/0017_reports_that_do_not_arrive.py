"""When a message was tried last, and an alert about reports that do not arrive."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BEFORE = (
    "pool_low", "missed_calls", "silent_number", "trunk_down", "node_away", "agi_failing", "disk_full",
    "books_behind", "recordings_failing",
)  # fmt: skip
AFTER = (*BEFORE[:3], "report_unsent", *BEFORE[3:])


def upgrade() -> None:
    for table in ("alert_messages", "report_mails"):
        op.add_column(table, sa.Column("tried_at", sa.DateTime(timezone=True)))
    _allow(AFTER)


def downgrade() -> None:
    theirs = "FROM alerts WHERE kind = 'report_unsent'"
    op.execute(f"DELETE FROM alert_messages WHERE alert_id IN (SELECT id {theirs})")  # noqa: S608
    op.execute(f"DELETE {theirs}")
    _allow(BEFORE)
    for table in ("alert_messages", "report_mails"):
        op.drop_column(table, "tried_at")


def _allow(kinds: tuple[str, ...]) -> None:
    words = ", ".join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table("alerts") as batch:  # SQLite has no other way to change what it checks
        batch.drop_constraint(op.f("ck_alerts_alertkind"), type_="check")
        batch.create_check_constraint(op.f("ck_alerts_alertkind"), f"kind IN ({words})")
