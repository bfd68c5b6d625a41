"""`leaseline backup` and `leaseline restore`."""

from __future__ import annotations

from pathlib import Path

import click

from commands.context import here, json_option, progress
from commands.printing import print_json


@click.command("backup")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--without-recordings", is_flag=True, help="Leave the recordings out.")
@json_option
def backup_command(file: Path | None, without_recordings: bool, as_json: bool) -> None:
    """Write everything into one file: database, secrets, Asterisk additions, spool, recordings.

    Calls go on meanwhile. Keep the file safe: it holds every secret of this installation.

    \b
    Examples:
      leaseline backup
      leaseline backup /mnt/usb/leaseline.tar --without-recordings
    """
    from tracker import backup

    opened = here()
    path = (file or Path(f"leaseline-{opened.now:%Y%m%dT%H%M%SZ}.tar")).absolute()
    if not path.parent.is_dir():
        raise click.ClickException(f"{path.parent} is no folder: make it first")
    recordings = not without_recordings
    total = sum(source.bytes for source in backup.sources(opened.settings, recordings=recordings))
    with progress("Backing up", total) as bar:
        made = backup.make(
            opened.settings, opened.database, path, opened.now, recordings=recordings, seen=bar.update
        )
    if as_json:
        print_json({"file": str(path), "files": len(made.files), "bytes": made.bytes})
    else:
        click.echo(f"{path}: {len(made.files)} files, {made.bytes / 1e6:.1f} MB")


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Move what is there aside first.")
@json_option
def restore_command(file: Path, force: bool, as_json: bool) -> None:
    """Bring everything back from a backup, into an empty home. Leaseline must be stopped.

    The file is verified as a whole before anything changes. With --force, what is there is moved aside and
    kept under names that end in .before- and the time.

    \b
    Examples:
      leaseline restore leaseline-20261120T120000Z.tar
      leaseline restore backup.tar --force
    """
    from commands import supervisor
    from tracker.restore import restore

    opened = here()
    supervisor.refuse_if_running(opened.settings)
    with progress("Restoring", file.stat().st_size) as bar:
        done = restore(
            opened.settings, opened.unchecked_database, file, opened.now, force=force, seen=bar.update
        )
    if as_json:
        aside = [str(path) for path in done.aside]
        print_json({"made_at": done.made_at, "files": done.files, "moved_aside": aside})
        return
    click.echo(f"{done.files} files are back as of {done.made_at}. Start everything: `leaseline up`")
    for path in done.aside:
        click.echo(f"What was there before: {path}")
