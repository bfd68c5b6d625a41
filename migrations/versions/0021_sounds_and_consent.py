"""Sounds that callers and employees hear, consent to recording, and who is never recorded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "prompts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=True),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("sound", sa.LargeBinary(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_prompts_company_id_companies")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prompts")),
        sa.UniqueConstraint("company_id", "name", name=op.f("uq_prompts_company_id_name")),
    )
    op.create_table(
        "unrecorded_callers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("caller", sa.String(length=40), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "wish",
            sa.Enum(
                "caller",
                "employee",
                "person",
                name="wish",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_unrecorded_callers_company_id_companies")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unrecorded_callers")),
        sa.UniqueConstraint("company_id", "caller", name=op.f("uq_unrecorded_callers_company_id_caller")),
    )
    op.create_table(
        "consents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("number_id", sa.Integer(), nullable=True),
        sa.Column(
            "mode",
            sa.Enum(
                "tell",
                "refusable",
                "required",
                name="consentmode",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("prompt_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=1), nullable=True),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_consents_company_id_companies")
        ),
        sa.ForeignKeyConstraint(["number_id"], ["numbers.id"], name=op.f("fk_consents_number_id_numbers")),
        sa.ForeignKeyConstraint(["prompt_id"], ["prompts.id"], name=op.f("fk_consents_prompt_id_prompts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
        sa.UniqueConstraint("company_id", "number_id", name=op.f("uq_consents_company_id_number_id")),
    )
    for name in ("recording_codes", "remember_refusals"):
        op.add_column("companies", sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("companies", sa.Column("whisper", sa.String(length=200), nullable=True))
    op.add_column("targets", sa.Column("whispers", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("recordings", sa.Column("pauses", sa.JSON(), server_default="[]", nullable=False))
    with op.batch_alter_table("recordings") as batch:  # SQLite has no other way to add a check
        batch.add_column(sa.Column("withheld", _withheld(), nullable=True))


def _withheld() -> sa.Enum:
    return sa.Enum(
        "refused",
        "not_agreed",
        "not_asked",
        "listed",
        "forbidden",
        name="withheld",
        native_enum=False,
        create_constraint=True,
        length=20,
    )


def downgrade() -> None:
    with op.batch_alter_table("recordings") as batch:
        batch.drop_constraint(op.f("ck_recordings_withheld"), type_="check")
        batch.drop_column("withheld")
    op.drop_column("recordings", "pauses")
    op.drop_column("targets", "whispers")
    for column in ("whisper", "remember_refusals", "recording_codes"):
        op.drop_column("companies", column)
    for table in ("consents", "unrecorded_callers", "prompts"):
        op.drop_table(table)
