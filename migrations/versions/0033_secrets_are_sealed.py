"""Secrets stand sealed in the database: their columns take texts of any length.

What is there is sealed after the upgrade (tracker.rekeying.seal_open), since revisions know no key.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tracker.models.sheet_triggers import statements

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

COLUMNS = {
    "trunks": (("password", 200, True),),
    "targets": (("password", 200, True), ("login_password", 200, True)),
    "users": (("totp_secret", 64, True),),
    "alert_addresses": (("address", 500, False), ("secret", 100, True)),
}


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        with op.batch_alter_table(table) as batch:
            for name, length, empty in columns:
                was = sa.String(length=length)
                batch.alter_column(name, type_=sa.Text(), existing_type=was, existing_nullable=empty)
    for statement in statements(op.get_bind().dialect.name):  # made anew, targets lost its own on SQLite
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """The columns stay as they are: what is sealed does not fit into those of before."""
