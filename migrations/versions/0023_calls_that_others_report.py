"""Calls that other phone systems report, what a key is for, extensions of another Asterisk."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tracker.models.sheet_triggers import statements

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reported_calls",
        sa.Column(
            "call_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("system", sa.String(length=30), nullable=False),
        sa.Column("reference", sa.String(length=100), nullable=False),
        sa.Column("employee", sa.String(length=100), nullable=True),
        sa.Column("recording_url", sa.String(length=500), nullable=True),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_reported_calls_call_id_calls")),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_reported_calls")),
    )
    op.create_table(
        "call_folders",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("system", sa.String(length=30), nullable=False),
        sa.Column("folder", sa.String(length=500), nullable=False),
        sa.Column("files", sa.String(length=100), nullable=False),
        sa.Column("preset", sa.String(length=20), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("zone", sa.String(length=60), nullable=True),
        sa.Column("dates", sa.String(length=20), nullable=True),
        sa.Column("did", sa.String(length=16), nullable=True),
        sa.Column("calls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("left_out", sa.Integer(), server_default="0", nullable=False),
        sa.Column("bad", sa.Integer(), server_default="0", nullable=False),
        sa.Column("doubtful", sa.Integer(), server_default="0", nullable=False),
        sa.Column("strange", sa.String(length=40), nullable=True),
        sa.Column("problem", sa.String(length=300), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_call_folders_company_id_companies")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_folders")),
        sa.UniqueConstraint("company_id", "system", name=op.f("uq_call_folders_company_id_system")),
    )
    scopes = sa.Enum("money", "calls", name="scope", native_enum=False, create_constraint=True, length=20)
    with op.batch_alter_table("api_keys") as batch:
        batch.add_column(sa.Column("scope", scopes, server_default="money", nullable=False))
    _allow("'peer', 'phone', 'outside', 'extension'")


def _allow(kinds: str) -> None:
    """Which kinds of targets there may be."""
    with op.batch_alter_table("targets") as batch:
        batch.drop_constraint(op.f("ck_targets_targetkind"), type_="check")
        batch.create_check_constraint(op.f("ck_targets_targetkind"), f"kind IN ({kinds})")
    for statement in statements(op.get_bind().dialect.name):  # made anew, the table lost its own on SQLite
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    extensions = "(SELECT id FROM targets WHERE kind = 'extension')"
    op.execute(f"UPDATE calls SET target_id = NULL WHERE target_id IN {extensions}")  # noqa: S608
    op.execute(f"DELETE FROM forwardings WHERE target_id IN {extensions}")  # noqa: S608
    op.execute("DELETE FROM targets WHERE kind = 'extension'")
    _allow("'peer', 'phone', 'outside'")
    with op.batch_alter_table("api_keys") as batch:
        batch.drop_constraint(op.f("ck_api_keys_scope"), type_="check")
        batch.drop_column("scope")
    op.drop_table("call_folders")
    op.drop_table("reported_calls")
