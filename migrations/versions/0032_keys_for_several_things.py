"""What a key of a program opens: several things. Answers of the API, so that a request may be sent again.

The column `scope` goes at once: two places that say what a key opens would be a hole.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

OPENED = {
    "money": "callbacks:read callbacks:write money:read money:write reports:read",
    "calls": "calls:report",
}


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("scopes", sa.String(400), nullable=False, server_default=""))
    for scope, scopes in OPENED.items():
        op.execute(f"UPDATE api_keys SET scopes = '{scopes}' WHERE scope = '{scope}'")  # noqa: S608
    with op.batch_alter_table("api_keys") as batch:
        batch.drop_constraint(op.f("ck_api_keys_scope"), type_="check")
        batch.drop_column("scope")
        batch.alter_column("scopes", server_default=None)
    op.create_table(
        "api_answers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("asker", sa.String(300), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("request_sha256", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_answers")),
        sa.UniqueConstraint("asker", "key", name=op.f("uq_api_answers_asker_key")),
    )
    op.create_index(op.f("ix_api_answers_at"), "api_answers", ["at"])


def downgrade() -> None:
    """Back to one thing each; a key that would open more than it was made for is revoked."""
    op.drop_table("api_answers")
    op.add_column("api_keys", sa.Column("scope", sa.String(20), nullable=False, server_default="money"))
    op.execute("UPDATE api_keys SET scope = 'calls' WHERE scopes = 'calls:report'")
    all_of_it = " AND ".join(f"' ' || scopes || ' ' LIKE '% {it} %'" for it in OPENED["money"].split())
    op.execute(
        "UPDATE api_keys SET revoked_at = CURRENT_TIMESTAMP "  # noqa: S608  (words of this file)
        f"WHERE revoked_at IS NULL AND scope = 'money' AND NOT ({all_of_it})"
    )
    with op.batch_alter_table("api_keys") as batch:
        batch.create_check_constraint(op.f("ck_api_keys_scope"), "scope IN ('money', 'calls')")
        batch.drop_column("scopes")
