"""`leaseline asterisk include`: our part inside a phone system's own Asterisk, and out again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands.context import Here, here
from commands.printing import print_json

if TYPE_CHECKING:
    from dialplan.facts import Facts
    from tracker.settings import Settings


@click.command("include")
@click.option(
    "--for",
    "folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="That Asterisk's configuration folder; default: LEASELINE_ASTERISK_FOR.",
)
@click.option("--freepbx", is_flag=True, help="FreePBX writes its files: lines go into its …_custom ones.")
@click.option("--check", "checking", is_flag=True, help="Look whether everything is in place.")
@click.option("--remove", "removing", is_flag=True, help="Delete our files; tell which lines are left.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def include_command(
    *, folder: Path | None, freepbx: bool, checking: bool, removing: bool, as_json: bool
) -> None:
    """Put our part of a dialplan into a phone system's own Asterisk; show the lines to add by hand.

    Writes files of ours below leaseline.d and nothing else. Calls whose inbound route leads to
    [leaseline-arrive] are then known, recorded and ring the phone system's own extensions.

    \b
    Examples:
      leaseline asterisk include --for /etc/asterisk
      leaseline asterisk include --check
      leaseline asterisk include --remove
    """
    settings = _settings(here(), folder)
    place = settings.asterisk_for
    assert place is not None  # noqa: S101  (as _settings gives it)
    if removing:
        _remove(settings, place, as_json=as_json)
    elif checking:
        _check_all(settings, place, freepbx=freepbx, as_json=as_json)
    else:
        _write(settings, place, freepbx=freepbx, as_json=as_json)


def _settings(opened: Here, folder: Path | None) -> Settings:
    if folder is None and opened.settings.asterisk_for is None:
        raise click.UsageError("Say which Asterisk: --for /etc/asterisk")
    chosen = folder.absolute() if folder else opened.settings.asterisk_for
    return replace(opened.settings, asterisk_for=chosen)


def _facts() -> Facts:
    from dialplan.facts import load_facts

    with here().database.read() as session:
        return load_facts(session)


def _write(settings: Settings, folder: Path, *, freepbx: bool, as_json: bool) -> None:
    from dialplan import include
    from dialplan.inside import apply_inside
    from dialplan.program import find_program
    from dialplan.render import INCLUDED

    facts, program = _facts(), find_program(settings)
    applied = apply_inside(settings, program, facts)
    files = include.written(folder)
    freepbx = freepbx or include.is_freepbx(folder)
    found = include.find_lines(folder, _wanted(files, facts, freepbx=freepbx))
    route = include.route_lines(freepbx=freepbx)
    if as_json:
        print_json({"changed": applied.changed, "lines": list(map(_described, found)), "route": route})
        return
    click.echo(f"{len(applied.changed)} files changed below {folder / INCLUDED}.")
    for each in found:
        if each.at is None:
            below = f", below [{each.wanted.section}]" if each.wanted.section else ""
            click.echo(f"\nAdd to {each.wanted.file}{below}: {each.wanted.why}\n  {each.wanted.line}")
    click.echo("\nThe inbound route of the numbers, where it is now:")
    for line in route:
        click.echo(f"  {line}")
    click.echo("\nThen reload it, and see `leaseline asterisk include --check`.")
    if here().settings.asterisk_for is None:
        click.echo(f"Set LEASELINE_ASTERISK_FOR={folder}, so that `apply` and `up` know it.", err=True)


def _check_all(settings: Settings, folder: Path, *, freepbx: bool, as_json: bool) -> None:
    """Everything that is amiss, a line each; ends with 1 if something needed is."""
    from dialplan import include
    from dialplan.inside import apply_inside, look
    from dialplan.program import find_program

    facts, program = _facts(), find_program(settings)
    files = include.written(folder)
    stale = apply_inside(settings, program, facts, dry=True).changed
    rows: list[tuple[str, bool, str]] = [
        ("files", not stale, f"not as the database says: {', '.join(stale)}" if stale else "up to date")
    ]
    wanted = _wanted(files, facts, freepbx=freepbx or include.is_freepbx(folder)) if files else []
    found = include.find_lines(folder, wanted)
    rows += [(it.wanted.file, it.at is not None, it.at or f"lacks {it.wanted.line}") for it in found]
    rows += [(what, wrong is None, wrong or "knows ours") for what, wrong in look(settings, program, files)]
    if as_json:
        print_json([{"what": what, "ok": fine, "told": told} for what, fine, told in rows])
    else:
        for what, fine, told in rows:
            click.echo(f"{'ok ' if fine else 'BAD'}  {what}: {told}")
    if not all(fine for _, fine, _ in rows):
        raise click.exceptions.Exit(1)


def _remove(settings: Settings, folder: Path, *, as_json: bool) -> None:
    from dialplan import include
    from dialplan.apply import command, running
    from dialplan.program import find_program
    from dialplan.render import place_of

    names, left = include.remove(folder), include.left_behind(folder)
    place = place_of(settings)
    if running(place):
        for line in ("dialplan reload", "manager reload"):
            command(find_program(settings), place, line)
    if as_json:
        print_json({"removed": names, "left": left})
        return
    click.echo(f"{len(names)} files removed; nothing else was touched.")
    if left:
        click.echo("Lines of ours that somebody added, harmless now; delete them:")
        for line in left:
            click.echo(f"  {line}")


def _wanted(files: dict[str, str], facts: Facts, *, freepbx: bool) -> Any:
    from dialplan import include

    judged = any(target.judges for target in facts.targets)
    return include.lines_to_add(files, freepbx=freepbx, judged=judged)


def _described(found: Any) -> dict[str, Any]:
    it = found.wanted
    return {"file": it.file, "section": it.section, "line": it.line, "at": found.at}
