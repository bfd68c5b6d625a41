"""Costs and sales."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_api_keys_company_id_companies")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("company_id", "name", name=op.f("uq_api_keys_company_id_name")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_api_keys_token_sha256")),
    )
    op.create_table(
        "exchange_rates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("into", sa.String(length=3), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_exchange_rates_company_id_companies")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_rates")),
        sa.UniqueConstraint(
            "company_id",
            "into",
            "currency",
            "from_day",
            name=op.f("uq_exchange_rates_company_id_into_currency_from_day"),
        ),
    )
    op.create_table(
        "channel_rents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("channel_id", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("until_day", sa.Date(), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("until_day IS NULL OR until_day >= from_day", name=op.f("ck_channel_rents_days")),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_channel_rents_channel_id_channels")
        ),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_channel_rents_company_id_companies")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_rents")),
    )
    op.create_index(op.f("ix_channel_rents_channel_id"), "channel_rents", ["channel_id"], unique=False)
    op.create_index(op.f("ix_channel_rents_company_id"), "channel_rents", ["company_id"], unique=False)

    op.create_table(
        "costs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("medium", sa.String(length=100), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("campaign", sa.String(length=200), nullable=True),
        sa.Column("keyword", sa.String(length=200), nullable=True),
        sa.Column("content", sa.String(length=200), nullable=True),
        sa.Column("channel_id", sa.Integer(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.Column(
            "entered",
            sa.Enum(
                "hand",
                "file",
                "api",
                "rent",
                name="entered",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("reference", sa.String(length=100), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_costs_channel_id_channels")),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_costs_company_id_companies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_costs")),
        sa.UniqueConstraint("company_id", "reference", name=op.f("uq_costs_company_id_reference")),
    )
    op.create_index(
        "ix_costs_channel_id",
        "costs",
        ["channel_id"],
        unique=False,
        sqlite_where=sa.text("channel_id IS NOT NULL"),
        postgresql_where=sa.text("channel_id IS NOT NULL"),
    )
    op.create_index("ix_costs_company_id_changed_at", "costs", ["company_id", "changed_at"], unique=False)
    op.create_index("ix_costs_company_id_day", "costs", ["company_id", "day", "id"], unique=False)

    op.create_table(
        "sales",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revenue", sa.BigInteger(), nullable=False),
        sa.Column("profit", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "won", "cancelled", name="salestatus", native_enum=False, create_constraint=True, length=20
            ),
            nullable=False,
        ),
        sa.Column("reference", sa.String(length=100), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.Column(
            "entered",
            sa.Enum(
                "hand",
                "file",
                "api",
                "rent",
                name="entered",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("call_key", sa.String(length=40), nullable=True),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("visitor_key", sa.String(length=40), nullable=True),
        sa.Column(
            "matched_by",
            sa.Enum(
                "call", "phone", "visitor", name="match", native_enum=False, create_constraint=True, length=20
            ),
            nullable=True,
        ),
        sa.Column("call_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("visitor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_sales_call_id_calls")),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_sales_company_id_companies")),
        sa.ForeignKeyConstraint(["visitor_id"], ["visitors.id"], name=op.f("fk_sales_visitor_id_visitors")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales")),
        sa.UniqueConstraint("company_id", "reference", name=op.f("uq_sales_company_id_reference")),
    )
    op.create_index(op.f("ix_sales_call_id"), "sales", ["call_id"], unique=False)
    op.create_index("ix_sales_company_id_at", "sales", ["company_id", "at", "id"], unique=False)
    op.create_index("ix_sales_company_id_changed_at", "sales", ["company_id", "changed_at"], unique=False)
    op.create_index(
        "ix_sales_unmatched",
        "sales",
        ["company_id", "at", "id"],
        unique=False,
        sqlite_where=sa.text("matched_by IS NULL"),
        postgresql_where=sa.text("matched_by IS NULL"),
    )
    op.create_index(op.f("ix_sales_visitor_id"), "sales", ["visitor_id"], unique=False)
