"""Calling out: who may, over which trunk, under which number, where to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outgoing_rules",
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("trunk_id", sa.Integer(), nullable=False),
        sa.Column("number_id", sa.Integer(), nullable=False),
        sa.Column("countries", sa.JSON(), nullable=False),
        sa.Column("prefixes", sa.JSON(), nullable=False),
        sa.Column("daily_calls", sa.Integer(), nullable=False),
        sa.Column("daily_minutes", sa.Integer(), nullable=False),
        sa.Column("record", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_outgoing_rules_company_id_companies")
        ),
        sa.ForeignKeyConstraint(
            ["number_id"], ["numbers.id"], name=op.f("fk_outgoing_rules_number_id_numbers")
        ),
        sa.ForeignKeyConstraint(["trunk_id"], ["trunks.id"], name=op.f("fk_outgoing_rules_trunk_id_trunks")),
        sa.PrimaryKeyConstraint("company_id", name=op.f("pk_outgoing_rules")),
    )
    op.add_column("targets", sa.Column("calls_out", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("refusals", sa.Column("target_id", sa.Integer(), nullable=True))
    out = sa.text("direction = 'out'")
    op.create_index(
        "ix_calls_out", "calls", ["company_id", "started_at"], sqlite_where=out, postgresql_where=out
    )


def downgrade() -> None:
    op.drop_index("ix_calls_out", "calls")
    op.drop_column("refusals", "target_id")
    op.drop_column("targets", "calls_out")
    op.drop_table("outgoing_rules")
