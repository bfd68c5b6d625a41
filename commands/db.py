"""`leaseline db`."""

from __future__ import annotations

import click

from commands.context import here, json_option
from commands.printing import print_thing


@click.group("db")
def db_group() -> None:
    """The database's schema.

    \b
    Example:
      leaseline db upgrade
    """


@db_group.command("upgrade")
def upgrade_command() -> None:
    """Bring the database to the present schema; what is in it stays.

    \b
    Example:
      leaseline backup && leaseline db upgrade
    """
    import migrations
    from commands.schema import upgrade

    before = migrations.current(here().settings.database_url)
    after = upgrade(here().settings.database_url, here().settings.secret_key)
    click.echo("The schema is up to date." if before == after else f"The schema is at {after} now.")


@db_group.command("status")
@json_option
def status_command(as_json: bool) -> None:
    """Show where the database is and whether its schema is the present one.

    \b
    Example:
      leaseline db status
    """
    import migrations

    url = here().settings.database_url
    thing = {
        "database": here().unchecked_database.url.render_as_string(hide_password=True),
        "revision": migrations.current(url),
        "head": migrations.head(),
        "pending": migrations.pending(url),
    }
    print_thing(thing, as_json=as_json)
