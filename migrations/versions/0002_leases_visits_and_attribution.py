"""Leases, visits and attribution."""

# ruff: noqa: PLR0915  (a list of steps, as generated)
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "referrers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("host", sa.String(length=200), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referrers")),
        sa.UniqueConstraint("host", name=op.f("uq_referrers_host")),
    )
    op.create_table(
        "delay_models",
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("fitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("leases", sa.Integer(), nullable=False),
        sa.Column("model", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_delay_models_company_id_companies")
        ),
        sa.PrimaryKeyConstraint("company_id", name=op.f("pk_delay_models")),
    )
    op.create_table(
        "source_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(length=10), nullable=False),
        sa.Column("pattern", sa.String(length=300), nullable=False),
        sa.Column("medium", sa.String(length=100), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("campaign", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_source_rules_company_id_companies")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_rules")),
    )
    with op.batch_alter_table("source_rules", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_source_rules_company_id"), ["company_id"], unique=False)

    op.create_table(
        "code_leases",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("visit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_code_leases_company_id_companies")
        ),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name=op.f("fk_code_leases_pool_id_pools")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_code_leases_visit_id_visits")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_leases")),
    )
    with op.batch_alter_table("code_leases", schema=None) as batch_op:
        batch_op.create_index(
            "ix_code_leases_company_id_code_from_at", ["company_id", "code", "from_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_code_leases_visit_id"), ["visit_id"], unique=False)
        batch_op.create_index(
            "uq_code_leases_active",
            ["company_id", "code"],
            unique=True,
            sqlite_where=sa.text("until_at IS NULL"),
            postgresql_where=sa.text("until_at IS NULL"),
        )

    op.create_table(
        "miss_counts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("hour_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name=op.f("fk_miss_counts_pool_id_pools")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_miss_counts_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_miss_counts")),
        sa.UniqueConstraint(
            "site_id",
            "pool_id",
            "hour_at",
            "reason",
            name=op.f("uq_miss_counts_site_id_pool_id_hour_at_reason"),
        ),
    )
    op.create_table(
        "page_views",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("visit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_page_views_visit_id_visits")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page_views")),
    )
    with op.batch_alter_table("page_views", schema=None) as batch_op:
        batch_op.create_index("ix_page_views_visit_id_at", ["visit_id", "at"], unique=False)

    op.create_table(
        "swaps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("e164", sa.String(length=16), nullable=False),
        sa.Column("alias", sa.String(length=40), nullable=True),
        sa.Column("region", sa.String(length=2), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name=op.f("fk_swaps_pool_id_pools")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_swaps_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_swaps")),
        sa.UniqueConstraint("site_id", "e164", "region", name=op.f("uq_swaps_site_id_e164_region")),
    )
    op.create_table(
        "visit_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("visit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "phone_click",
                "form",
                "custom",
                name="visiteventkind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_visit_events_visit_id_visits")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_events")),
    )
    with op.batch_alter_table("visit_events", schema=None) as batch_op:
        batch_op.create_index("ix_visit_events_visit_id_at", ["visit_id", "at"], unique=False)

    op.create_table(
        "call_candidates",
        sa.Column("call_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "basis",
            sa.Enum(
                "channel",
                "lease",
                "repeat",
                "code",
                name="basis",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("lease_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("visit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("channel_id", sa.Integer(), nullable=True),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_call_candidates_call_id_calls")),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channels.id"], name=op.f("fk_call_candidates_channel_id_channels")
        ),
        sa.ForeignKeyConstraint(["lease_id"], ["leases.id"], name=op.f("fk_call_candidates_lease_id_leases")),
        sa.ForeignKeyConstraint(["visit_id"], ["visits.id"], name=op.f("fk_call_candidates_visit_id_visits")),
        sa.PrimaryKeyConstraint("call_id", "position", name=op.f("pk_call_candidates")),
    )
    with op.batch_alter_table("calls", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("visit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch_op.add_column(
            sa.Column(
                "basis",
                sa.Enum(
                    "channel",
                    "lease",
                    "repeat",
                    "code",
                    name="basis",
                    native_enum=False,
                    create_constraint=True,
                    length=20,
                ),
                nullable=True,
            )
        )
        batch_op.add_column(sa.Column("probability", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("uncertain", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("visitor_code", sa.String(length=8), nullable=True))
        batch_op.add_column(sa.Column("attributed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(
            "ix_calls_unjudged",
            ["id"],
            unique=False,
            sqlite_where=sa.text("attributed_at IS NULL"),
            postgresql_where=sa.text("attributed_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_calls_visit_id"), ["visit_id"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_calls_visit_id_visits"), "visits", ["visit_id"], ["id"])

    with op.batch_alter_table("channels", schema=None) as batch_op:
        batch_op.add_column(sa.Column("shown_to", sa.String(length=100), nullable=True))

    with op.batch_alter_table("leases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column(
                "ended_by",
                sa.Enum(
                    "left",
                    "idle",
                    "longest",
                    "call",
                    "moved",
                    "next",
                    name="leaseend",
                    native_enum=False,
                    create_constraint=True,
                    length=20,
                ),
                nullable=True,
            )
        )
        batch_op.create_index(
            "ix_leases_expiring",
            ["expires_at"],
            unique=False,
            sqlite_where=sa.text("until_at IS NULL"),
            postgresql_where=sa.text("until_at IS NULL"),
        )

    # Who holds a number without a limit has had his last sign of life when the schema learnt of limits.
    op.execute("UPDATE leases SET expires_at = coalesce(until_at, CURRENT_TIMESTAMP)")
    with op.batch_alter_table("leases", schema=None) as batch_op:
        batch_op.alter_column("expires_at", existing_type=sa.DateTime(timezone=True), nullable=False)

    with op.batch_alter_table("number_uses", schema=None) as batch_op:
        batch_op.create_index(
            "ix_number_uses_pool_id",
            ["pool_id"],
            unique=False,
            sqlite_where=sa.text("until_at IS NULL"),
            postgresql_where=sa.text("until_at IS NULL"),
        )

    with op.batch_alter_table("numbers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("free_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE numbers SET free_at = created_at"
        " WHERE id NOT IN (SELECT number_id FROM leases WHERE until_at IS NULL)"
    )
    op.execute(
        "UPDATE calls SET basis = 'channel', probability = 1, attributed_at = started_at"
        " WHERE channel_id IS NOT NULL"
    )
    op.execute(
        "UPDATE calls SET basis = 'lease', probability = 1,"
        " visit_id = (SELECT visit_id FROM leases WHERE leases.id = calls.lease_id)"
        " WHERE lease_id IS NOT NULL"
    )

    with op.batch_alter_table("pools", schema=None) as batch_op:
        batch_op.add_column(sa.Column("idle_seconds", sa.Integer(), server_default="600", nullable=False))
        batch_op.add_column(
            sa.Column("longest_seconds", sa.Integer(), server_default="14400", nullable=False)
        )
        batch_op.add_column(sa.Column("cooldown_seconds", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(
            sa.Column("release_after_call", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.add_column(sa.Column("paid_percent", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("dynamic_for", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(
            sa.Column(
                "when_empty",
                sa.Enum(
                    "real",
                    "source",
                    "overflow",
                    "code",
                    name="whenempty",
                    native_enum=False,
                    create_constraint=True,
                    length=20,
                ),
                server_default="real",
                nullable=False,
            )
        )
        batch_op.add_column(sa.Column("overflow_number_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_pools_overflow_number_id_numbers"), "numbers", ["overflow_number_id"], ["id"]
        )

    with op.batch_alter_table("sites", schema=None) as batch_op:
        batch_op.add_column(sa.Column("domains", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(
            sa.Column("needs_consent", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.drop_constraint(batch_op.f("fk_sites_pool_id_pools"), type_="foreignkey")
        batch_op.drop_column("pool_id")

    with op.batch_alter_table("visits", schema=None) as batch_op:
        batch_op.add_column(sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("left_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("content", sa.String(length=200), nullable=True))
        batch_op.add_column(
            sa.Column("channel_group", sa.String(length=40), server_default="", nullable=False)
        )
        batch_op.add_column(sa.Column("paid", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("click_ids", sa.JSON(), server_default="{}", nullable=False))
        batch_op.add_column(sa.Column("parameters", sa.JSON(), server_default="{}", nullable=False))
        batch_op.add_column(sa.Column("suspicion", sa.String(length=100), nullable=True))
        batch_op.add_column(sa.Column("device", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("system", sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column("browser", sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column("language", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("country", sa.String(length=2), nullable=True))
        batch_op.add_column(sa.Column("consent", sa.JSON(), server_default="{}", nullable=False))
        batch_op.add_column(sa.Column("analytics_ids", sa.JSON(), server_default="{}", nullable=False))
        batch_op.add_column(sa.Column("missed", sa.String(length=30), nullable=True))
        batch_op.add_column(sa.Column("missed_in", sa.JSON(), server_default="[]", nullable=False))
        batch_op.drop_index(batch_op.f("ix_visits_site_id"))
        batch_op.create_index("ix_visits_site_id_started_at", ["site_id", "started_at"], unique=False)
