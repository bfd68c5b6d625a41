"""`leaseline secrets`."""

from __future__ import annotations

from pathlib import Path

import click

from commands.context import here, json_option
from commands.printing import print_thing


@click.group("secrets")
def secrets_group() -> None:
    """The key that passwords and tokens in the database are sealed with.

    \b
    Example:
      leaseline secrets rekey --old-key-file old.key
    """


@secrets_group.command("rekey")
@click.option(
    "--old-key-file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the secret_key of before.",
)  # fmt: skip
@json_option
def rekey_command(old_key_file: Path, as_json: bool) -> None:
    """Seal every secret of the database anew, after secret_key was changed: all of them, or none.

    Leaseline must be stopped. Without the file of secrets/secret_key the next command makes a new key.

    \b
    Example:
      leaseline stop && mv var/secrets/secret_key old.key
      leaseline secrets rekey --old-key-file old.key && leaseline up
    """
    from commands import supervisor
    from tracker.rekeying import rekey
    from tracker.vault import Vault

    opened = here()
    supervisor.refuse_if_running(opened.settings)
    old = Vault(old_key_file.read_text().strip())
    count = rekey(opened.database, old, Vault(opened.settings.secret_key), opened.by())
    if as_json:
        print_thing({"sealed": count}, as_json=True)
    else:
        click.echo(f"{count} secrets are sealed with the new key. Old backups hold the old one")
