"""An alert about a destination that does not take calls."""

from __future__ import annotations

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

KINDS = (
    "pool_low", "missed_calls", "silent_number", "report_unsent", "callback_late", "trunk_down", "node_away",
    "agi_failing", "disk_full", "books_behind", "recordings_failing",
)  # fmt: skip


def upgrade() -> None:
    _allow((*KINDS[:5], "destination_failing", *KINDS[5:]))


def downgrade() -> None:
    theirs = "FROM alerts WHERE kind = 'destination_failing'"
    op.execute(f"DELETE FROM alert_messages WHERE alert_id IN (SELECT id {theirs})")  # noqa: S608
    op.execute(f"DELETE {theirs}")
    _allow(KINDS)


def _allow(known: tuple[str, ...]) -> None:
    words = ", ".join(f"'{word}'" for word in known)
    with op.batch_alter_table("alerts") as batch:  # SQLite has no other way to change what it checks
        batch.drop_constraint(op.f("ck_alerts_alertkind"), type_="check")
        batch.create_check_constraint(op.f("ck_alerts_alertkind"), f"kind IN ({words})")
