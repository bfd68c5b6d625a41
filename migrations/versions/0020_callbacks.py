"""Callbacks: requests, their tries, and how each site calls back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "callback_settings",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("is_on", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("trunk_id", sa.Integer(), nullable=True),
        sa.Column("number_id", sa.Integer(), nullable=True),
        sa.Column("rings", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("visitor_seconds", sa.Integer(), server_default="40", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="3", nullable=False),
        sa.Column("retry_minutes", sa.Integer(), server_default="5", nullable=False),
        sa.Column("hours", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("timezone", sa.String(length=60), nullable=True),
        sa.Column("countries", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("prefixes", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("per_client", sa.Integer(), server_default="5", nullable=False),
        sa.Column("per_number", sa.Integer(), server_default="3", nullable=False),
        sa.Column("per_day", sa.Integer(), server_default="200", nullable=False),
        sa.Column("seconds_per_day", sa.Integer(), server_default="14400", nullable=False),
        sa.Column("language", sa.String(length=5), server_default="en", nullable=False),
        sa.Column("texts", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("looks", sa.JSON(), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(
            ["number_id"], ["numbers.id"], name=op.f("fk_callback_settings_number_id_numbers")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_callback_settings_site_id_sites")),
        sa.ForeignKeyConstraint(
            ["trunk_id"], ["trunks.id"], name=op.f("fk_callback_settings_trunk_id_trunks")
        ),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_callback_settings")),
    )
    op.create_table(
        "callback_requests",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=24), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "via",
            sa.Enum(
                "widget",
                "page",
                "lead",
                "person",
                name="callbackvia",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=True),
        sa.Column("phone", sa.String(length=16), nullable=False),
        sa.Column("written", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "ringing_employee",
                "ringing_visitor",
                "talked",
                "failed",
                "refused",
                "given_up",
                name="callbackstate",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column(
            "reason",
            sa.Enum(
                "off",
                "malformed",
                "short",
                "country",
                "premium",
                "own",
                "client_limit",
                "number_limit",
                "day_limit",
                "cost_cap",
                "hours",
                "no_employee",
                "employee_left",
                "no_answer",
                "busy",
                "declined",
                "unreachable",
                "no_target",
                "no_trunk",
                "unknown",
                "cancelled",
                name="callbackreason",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=True,
        ),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unknowns", sa.Integer(), server_default="0", nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("promised_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("employee_rang_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("visitor_rang_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("over_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("call_key", sa.String(length=40), nullable=True),
        sa.Column("claimed_by", sa.String(length=60), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("target_id", sa.Integer(), nullable=True),
        sa.Column("story", sa.JSON(), server_default="[]", nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_callback_requests_company_id_companies")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_callback_requests_site_id_sites")),
        sa.ForeignKeyConstraint(
            ["target_id"], ["targets.id"], name=op.f("fk_callback_requests_target_id_targets")
        ),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visits.id"], name=op.f("fk_callback_requests_visit_id_visits")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callback_requests")),
        sa.UniqueConstraint("key", name=op.f("uq_callback_requests_key")),
        sa.UniqueConstraint("site_id", "token", name=op.f("uq_callback_requests_site_id_token")),
    )
    op.create_index(op.f("ix_callback_requests_call_key"), "callback_requests", ["call_key"], unique=False)
    op.create_index(
        "ix_callback_requests_claimed",
        "callback_requests",
        ["claimed_until"],
        unique=False,
        sqlite_where=sa.text("claimed_until IS NOT NULL"),
        postgresql_where=sa.text("claimed_until IS NOT NULL"),
    )
    op.create_index(
        "ix_callback_requests_company_id_requested_at",
        "callback_requests",
        ["company_id", "requested_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_callback_requests_due",
        "callback_requests",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_callback_requests_site_id_phone",
        "callback_requests",
        ["site_id", "phone", "requested_at"],
        unique=False,
    )
    op.create_table(
        "callback_tries",
        sa.Column("call_key", sa.String(length=40), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"],
            ["callback_requests.id"],
            name=op.f("fk_callback_tries_request_id_callback_requests"),
        ),
        sa.PrimaryKeyConstraint("call_key", name=op.f("pk_callback_tries")),
    )
    op.create_index(op.f("ix_callback_tries_request_id"), "callback_tries", ["request_id"], unique=False)


def downgrade() -> None:
    op.drop_table("callback_tries")
    op.drop_table("callback_requests")
    op.drop_table("callback_settings")
