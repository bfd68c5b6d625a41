"""How the schema grows: alembic, configured in code.

    migrations.upgrade(url)          # to the newest revision; safe when several processes start at once
    migrations.pending(url)          # is there something to do?

An upgrade is one transaction on either database: it happens whole or not at all. A new revision is written by
`python -m migrations "What it does"` after the models have changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from tracker.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

_FOLDER = Path(__file__).parent
_LOCK = 0x1EA5E11E  # the advisory lock of upgrades on PostgreSQL; any constant of our own
_PATIENCE_SECONDS = 600  # another process may be upgrading a large database


def upgrade(url: str) -> None:
    """Brings the database to the newest revision, or raises what the database said and changes nothing."""
    from alembic import command

    from tracker import report_views

    with _alone(url) as connection:
        # Without a revision to run, what others have built upon the views stays as well.
        at_head = revision_of(connection) == head()
        with report_views.made_anew(connection, in_place=at_head):
            command.upgrade(config(connection), "head")


def current(url: str) -> str | None:
    """The revision the database is at; None for an empty one."""
    database = Database(url)
    try:
        with database.engine.connect() as connection:
            return revision_of(connection)
    finally:
        database.close()


def revision_of(connection: sa.Connection) -> str | None:
    """The revision of the database at the other end; None for an empty one.

    Every command asks this first: it needs no alembic, which takes longer to load than all else.
    """
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return found


def head() -> str:
    """The newest revision there is."""
    return max(revisions())


def revisions() -> set[str]:
    """All revisions: their files are named by them, in order."""
    found = {path.name.partition("_")[0] for path in (_FOLDER / "versions").glob("[0-9]*_*.py")}
    if not found:
        raise RuntimeError(f"{_FOLDER / 'versions'} holds no revision: the installation is incomplete")
    return found


def pending(url: str) -> bool:
    """Whether the database is older than the programs."""
    return current(url) != head()


def config(connection: sa.Connection | None = None) -> Config:
    """alembic's configuration: this folder, and the connection to work on."""
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    settings.attributes["connection"] = connection
    return settings


@contextmanager
def _alone(url: str) -> Iterator[sa.Connection]:
    """One transaction that no other upgrade can run beside."""
    database = Database(url, wait_seconds=_PATIENCE_SECONDS)
    try:
        engine = database.engine.execution_options(leaseline_begin="BEGIN IMMEDIATE")
        with engine.connect() as connection:
            if database.is_sqlite:
                # A table is altered by making it anew: its references must not be followed meanwhile. SQLite
                # takes this only outside a transaction, hence on the bare connection.
                connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")
            with connection.begin():
                if not database.is_sqlite:
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
                yield connection
    finally:
        database.close()
