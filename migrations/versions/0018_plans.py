"""Plans of what happens to calls, their versions, where they count, and trials kept beside them."""

# ruff: noqa: E501  (a list of steps, as generated)
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plans",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_plans_company_id_companies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
        sa.UniqueConstraint("company_id", "name", name=op.f("uq_plans_company_id_name")),
    )
    op.create_table(
        "plan_cases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("script", sa.JSON(), nullable=False),
        sa.Column("expected", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_plan_cases_plan_id_plans")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_cases")),
        sa.UniqueConstraint("plan_id", "name", name=op.f("uq_plan_cases_plan_id_name")),
    )
    op.create_table(
        "plan_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("asks", sa.JSON(), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_plan_versions_plan_id_plans")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_versions")),
        sa.UniqueConstraint("plan_id", "version", name=op.f("uq_plan_versions_plan_id_version")),
    )
    op.create_table(
        "plan_uses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("number_id", sa.Integer(), nullable=True),
        sa.Column("channel_id", sa.Integer(), nullable=True),
        sa.Column("pool_id", sa.Integer(), nullable=True),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(CASE WHEN number_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN channel_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN pool_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN site_id IS NULL THEN 0 ELSE 1 END) <= 1",
            name=op.f("ck_plan_uses_one_scope"),
        ),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_plan_uses_channel_id_channels")
        ),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_plan_uses_company_id_companies")
        ),
        sa.ForeignKeyConstraint(["number_id"], ["numbers.id"], name=op.f("fk_plan_uses_number_id_numbers")),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_plan_uses_plan_id_plans")),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name=op.f("fk_plan_uses_pool_id_pools")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_plan_uses_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_uses")),
    )
    op.create_index("ix_plan_uses_company_id", "plan_uses", ["company_id"])
    op.create_index("ix_plan_uses_plan_id", "plan_uses", ["plan_id"])
    # What a plan had asked or taken while it went on: shown with the call.
    op.add_column("calls", sa.Column("message_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("calls", "message_at")
    for table in ("plan_uses", "plan_versions", "plan_cases", "plans"):
        op.drop_table(table)
