"""The database's schema against the code's: made where there is none, refused where it is another."""

from __future__ import annotations

from contextlib import closing

from tracker.errors import Rejected

_LEFT = (
    "Secrets are sealed, but the SQLite file still holds them as they were, for it could not be written anew "
    "({why_not}): stop what uses it, make room for it once more, and run `leaseline db upgrade` again"
)


def make_ready(url: str) -> None:
    """Give an empty database the present schema. Raises Rejected database.behind, database.ahead."""
    import migrations

    revision = migrations.current(url)
    if revision is None:
        migrations.upgrade(url)
    elif revision != migrations.head():
        raise misfit(revision)


def upgrade(url: str, secret_key: str) -> str:
    """Bring the database to the present schema and return it. Raises Rejected database.ahead.

    Secrets from before they were sealed are sealed, if that was not done before, and the file is rid of them.
    """
    import click

    import migrations
    from tracker import rekeying
    from tracker.database import Database
    from tracker.vault import Vault

    revision = migrations.current(url)
    if revision is not None and not is_known(revision):
        raise misfit(revision)
    migrations.upgrade(url)
    with closing(Database(url)) as database:
        rekeying.seal_open(database, Vault(secret_key))
        if why_not := rekeying.wipe(database):
            click.echo(_LEFT.format(why_not=why_not), err=True)
    return migrations.head()


def misfit(revision: str) -> Rejected:
    """Why a database at another revision cannot be used, and what to do."""
    if is_known(revision):
        return Rejected(
            "database.behind",
            f"The database is older than this Leaseline (revision {revision})",
            "Bring it up to date: run `leaseline db upgrade` (after a `leaseline backup`)",
        )
    return Rejected(
        "database.ahead",
        f"The database is newer than this Leaseline (revision {revision})",
        "Install the newer Leaseline again, or restore the backup made before it",
    )


def is_known(revision: str) -> bool:
    """Whether this Leaseline has that revision."""
    import migrations

    return revision in migrations.revisions()
