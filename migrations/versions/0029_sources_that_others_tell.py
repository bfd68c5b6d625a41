"""What another call-tracking service says of its calls' sources."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("reported_calls") as batch:
        for name, table in (("visit_id", "visits"), ("channel_id", "channels")):
            kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite") if table == "visits" else sa.Integer()
            batch.add_column(sa.Column(name, kind, nullable=True))
            batch.create_foreign_key(op.f(f"fk_reported_calls_{name}_{table}"), table, [name], ["id"])
            batch.create_index(op.f(f"ix_reported_calls_{name}"), [name])


def downgrade() -> None:
    with op.batch_alter_table("reported_calls") as batch:
        for name, table in (("channel_id", "channels"), ("visit_id", "visits")):
            batch.drop_index(op.f(f"ix_reported_calls_{name}"))
            batch.drop_constraint(op.f(f"fk_reported_calls_{name}_{table}"), type_="foreignkey")
            batch.drop_column(name)
