"""Inlets by which CRMs tell us, what came in there, and who is responsible for which caller."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

SIGNATURES = (
    "standard", "hubspot", "sha256-hex", "sha256-base64", "sha1-hex", "sha1-base64",
    "token-header", "token-query", "token-field",
)  # fmt: skip
BECAME = ("taken", "nothing", "refused")
INSTANT = sa.DateTime(timezone=True)
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "inlets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("key", sa.String(40), nullable=False),
        sa.Column("signature", sa.String(20), nullable=False),
        sa.Column("place", sa.String(100), server_default="", nullable=False),
        sa.Column("secrets", sa.Text(), server_default="", nullable=False),
        sa.Column("mapping", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("persons", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("over_people", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.CheckConstraint(_one_of("signature", SIGNATURES), name=op.f("ck_inlets_signature")),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_inlets_company_id_companies")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inlets")),
        sa.UniqueConstraint("company_id", "name", name=op.f("uq_inlets_company_id_name")),
        sa.UniqueConstraint("key", name=op.f("uq_inlets_key")),
    )
    op.create_table(
        "arrivals",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("inlet_id", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("times", sa.Integer(), server_default="1", nullable=False),
        sa.Column("became", sa.String(20), nullable=False),
        sa.Column("message_id", sa.String(100), nullable=True),
        sa.Column("problem", sa.String(300), nullable=True),
        sa.Column("results", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("places", sa.JSON(), server_default="[]", nullable=False),
        sa.CheckConstraint(_one_of("became", BECAME), name=op.f("ck_arrivals_became")),
        sa.ForeignKeyConstraint(["inlet_id"], ["inlets.id"], name=op.f("fk_arrivals_inlet_id_inlets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arrivals")),
    )
    op.create_index("ix_arrivals_inlet_id_id", "arrivals", ["inlet_id", "id"])
    op.create_table(
        "responsibles",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("phone", sa.String(16), nullable=False),
        sa.Column("target_id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_responsibles_company_id_companies")
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["targets.id"], name=op.f("fk_responsibles_target_id_targets")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_responsibles")),
        sa.UniqueConstraint("company_id", "phone", name=op.f("uq_responsibles_company_id_phone")),
    )
    op.create_index(op.f("ix_responsibles_target_id"), "responsibles", ["target_id"])


def downgrade() -> None:
    op.drop_table("responsibles")
    op.drop_table("arrivals")
    op.drop_table("inlets")


def _one_of(column: str, known: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(word) for word in known)})"
