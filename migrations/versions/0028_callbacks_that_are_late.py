"""An alert about callbacks that are late, and a reason for one that no plan rings for at its hour."""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

KINDS = (
    "pool_low", "missed_calls", "silent_number", "report_unsent", "trunk_down", "node_away", "agi_failing",
    "disk_full", "books_behind", "recordings_failing",
)  # fmt: skip
REASONS = (
    "off", "malformed", "short", "country", "premium", "own", "client_limit", "number_limit", "day_limit",
    "cost_cap", "hours", "no_employee", "employee_left", "no_answer", "busy", "declined", "unreachable",
    "no_target", "no_trunk", "unknown", "cancelled",
)  # fmt: skip


def upgrade() -> None:
    _allow("alerts", "ck_alerts_alertkind", "kind", (*KINDS[:4], "callback_late", *KINDS[4:]))
    reasons = *REASONS[:-2], "closed", *REASONS[-2:]
    _allow("callback_requests", "ck_callback_requests_callbackreason", "reason", reasons)


def downgrade() -> None:
    theirs = "FROM alerts WHERE kind = 'callback_late'"
    op.execute(f"DELETE FROM alert_messages WHERE alert_id IN (SELECT id {theirs})")  # noqa: S608
    op.execute(f"DELETE {theirs}")
    op.execute("UPDATE callback_requests SET reason = 'no_target' WHERE reason = 'closed'")
    _allow("alerts", "ck_alerts_alertkind", "kind", KINDS)
    _allow("callback_requests", "ck_callback_requests_callbackreason", "reason", REASONS)


def _allow(table: str, check: str, column: str, known: tuple[str, ...]) -> None:
    words = ", ".join(f"'{word}'" for word in known)
    with op.batch_alter_table(table) as batch:  # SQLite has no other way to change what it checks
        batch.drop_constraint(op.f(check), type_="check")
        batch.create_check_constraint(op.f(check), f"{column} IN ({words})")
