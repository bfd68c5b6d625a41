"""Unwanted callers: rules about them, what became of their calls, and which calls are spam."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tracker.models.sheet_triggers import WAY_CALL_COLUMNS, statements

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

CALL_COLUMNS = (*WAY_CALL_COLUMNS, "spam")  # of which sheets tell, then
TREATMENTS = ("busy", "refused", "announced", "challenged")


def upgrade() -> None:
    # Both databases know this; made anew as others are, the table would lose its triggers on SQLite.
    op.execute(
        "ALTER TABLE calls ADD COLUMN guard VARCHAR(20)"
        " CONSTRAINT ck_calls_guardstep CHECK (guard IN ('blocked', 'challenged', 'passed', 'failed'))"
    )
    op.execute(
        "ALTER TABLE calls ADD COLUMN spam VARCHAR(20)"
        " CONSTRAINT ck_calls_spam CHECK (spam IN ('blocked', 'failed', 'left', 'person'))"
    )
    guarded = sa.text("guard IS NOT NULL OR spam IS NOT NULL")
    op.create_index(
        "ix_calls_guarded",
        "calls",
        ["company_id", "started_at", "id"],
        sqlite_where=guarded,
        postgresql_where=guarded,
    )
    _guards()
    _rules()
    _triggers(CALL_COLUMNS)


def downgrade() -> None:
    _triggers(WAY_CALL_COLUMNS)
    op.drop_table("caller_rules")
    op.drop_table("guards")
    op.drop_index("ix_calls_guarded", "calls")
    op.drop_column("calls", "spam")
    op.drop_column("calls", "guard")


def _triggers(call_columns: tuple[str, ...]) -> None:
    for statement in statements(op.get_bind().dialect.name, call_columns):
        op.get_bind().exec_driver_sql(statement)


def _treatments() -> sa.Enum:
    return sa.Enum(*TREATMENTS, name="treatment", native_enum=False, create_constraint=True, length=20)


def _guards() -> None:
    numbers = {
        "per_minute": 4, "per_hour": 15, "per_day": 40, "numbers": 3, "short_calls": 4, "short_seconds": 6,
        "passed_days": 30,
    }  # fmt: skip
    op.create_table(
        "guards",
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("treatment", _treatments(), server_default="busy", nullable=False),
        sa.Column("watches", sa.Boolean(), server_default=sa.false(), nullable=False),
        *(
            sa.Column(name, sa.Integer(), server_default=str(count), nullable=False)
            for name, count in numbers.items()
        ),
        sa.Column("countries", sa.JSON(), server_default="[]", nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_guards_company_id_companies")
        ),
        sa.PrimaryKeyConstraint("company_id", name=op.f("pk_guards")),
    )


def _rules() -> None:
    kinds = sa.Enum(
        "number", "prefix", "withheld", name="rulekind", native_enum=False, create_constraint=True, length=20
    )
    op.create_table(
        "caller_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("kind", kinds, nullable=False),
        sa.Column("digits", sa.String(length=20), nullable=False),
        sa.Column("allows", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("treatment", _treatments(), nullable=True),
        sa.Column("reason", sa.String(length=200), server_default="", nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_caller_rules_company_id_companies")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_caller_rules")),
        sa.UniqueConstraint(
            "company_id", "digits", "kind", name=op.f("uq_caller_rules_company_id_digits_kind")
        ),
    )
