"""Trunks over TLS and SRTP, peers we log in at, links that set up phones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

BEFORE = ("caller", "own")
AFTER = (*BEFORE, "rpid", "diversion")
SRTP = ("off", "optional", "required")


def upgrade() -> None:
    op.create_table(
        "provision_links",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("target_id", sa.Integer(), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("served_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["target_id"], ["targets.id"], name=op.f("fk_provision_links_target_id_targets")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provision_links")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_provision_links_token_sha256")),
    )
    op.create_index(op.f("ix_provision_links_target_id"), "provision_links", ["target_id"])
    for table, columns in (("targets", _of_targets()), ("trunks", _of_trunks())):
        with _made_anew(table) as batch:
            for column in columns:
                batch.add_column(column)
            _show(batch, table, AFTER)


def downgrade() -> None:
    for table, columns in (("trunks", _of_trunks()), ("targets", _of_targets())):
        op.execute(sa.text(f"UPDATE {table} SET caller_id = 'own' WHERE caller_id = 'rpid'"))  # noqa: S608
        op.execute(sa.text(f"UPDATE {table} SET caller_id = 'caller' WHERE caller_id = 'diversion'"))  # noqa: S608
        with _made_anew(table) as batch:
            for column in columns:
                if isinstance(column.type, sa.Enum):
                    batch.drop_constraint(op.f(f"ck_{table}_{column.type.name}"), type_="check")
                batch.drop_column(column.name)
            _show(batch, table, BEFORE)
    op.drop_table("provision_links")


@contextmanager
def _made_anew(table: str) -> Iterator[Any]:
    """SQLite changes what it checks only by making the table anew, and forgets the triggers on it."""
    triggers: list[str] = []
    if op.get_bind().dialect.name == "sqlite":
        wanted = sa.text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table")
        triggers = list(op.get_bind().execute(wanted, {"table": table}).scalars())
    with op.batch_alter_table(table) as batch:
        yield batch
    for trigger in triggers:
        op.get_bind().exec_driver_sql(trigger)


def _show(batch: Any, table: str, policies: tuple[str, ...]) -> None:
    words = ", ".join(f"'{policy}'" for policy in policies)
    batch.drop_constraint(op.f(f"ck_{table}_calleridpolicy"), type_="check")
    batch.create_check_constraint(op.f(f"ck_{table}_calleridpolicy"), f"caller_id IN ({words})")


def _of_targets() -> list[sa.Column[Any]]:
    return [
        sa.Column("login", sa.String(length=100)),
        sa.Column("login_password", sa.String(length=200)),
        _words("srtp", "srtp", SRTP, "off"),
        sa.Column("tls_verify", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("tls_ca", sa.String(length=255)),
        sa.Column("tells_source", sa.Boolean(), server_default=sa.false(), nullable=False),
    ]


def _of_trunks() -> list[sa.Column[Any]]:
    return [
        sa.Column("country", sa.String(length=2)),
        sa.Column("did_in", sa.String(length=60), server_default="uri", nullable=False),
        _words("dial_as", "dialas", ("plus", "digits", "national"), "plus"),
        _words("srtp", "srtp", SRTP, "off"),
        sa.Column("tls_verify", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("tls_ca", sa.String(length=255)),
        sa.Column("outbound_proxy", sa.String(length=255)),
        sa.Column("codecs", sa.JSON(), server_default='["alaw", "ulaw"]', nullable=False),
        _words("dtmf", "dtmfmode", ("rfc4733", "info", "inband", "auto"), "rfc4733"),
        sa.Column("qualify_seconds", sa.Integer()),
        sa.Column("symmetric", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True)),
    ]


def _words(column: str, name: str, words: tuple[str, ...], default: str) -> sa.Column[Any]:
    kind = sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=20)
    return sa.Column(column, kind, server_default=default, nullable=False)
