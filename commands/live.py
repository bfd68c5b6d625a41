"""`leaseline apply`: what the database says becomes what Asterisk does."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import click

from commands.context import Here, here, json_option
from commands.printing import print_json

if TYPE_CHECKING:
    from pathlib import Path

    from dialplan.apply import Applied
    from tracker.audit import By


@click.command("apply")
@click.option("--check", is_flag=True, help="Change nothing; show what would change.")
@json_option
def apply_command(check: bool, as_json: bool) -> None:
    """Render Asterisk's configuration and reload it.

    The new configuration is checked as a whole first and swapped in at once; calls that are up go on.
    If an entry is wrong, nothing changes and the message names it.

    \b
    Examples:
      leaseline apply --check     show the difference
      leaseline apply
    """
    applied = run_apply(here(), dry=check)
    if as_json:
        print_json({
            "changed": applied.changed,
            "reloaded": applied.reloaded,
            "restart": applied.restart,
            "diff": applied.diff,
        })  # fmt: skip
    elif check:
        click.echo(applied.diff or "Nothing to apply: Asterisk's configuration says what the database says.")
    else:
        click.echo(_told(applied))


def run_apply(
    opened: Here, *, dry: bool = False, by: By | None = None, company_id: int | None = None
) -> Applied:
    """Apply and write it down, by whose hand (else this account's). One at a time on this machine.

    Raises Rejected with Asterisk's configuration as it was.
    """
    from dialplan.apply import apply
    from dialplan.facts import load_facts
    from dialplan.inside import apply_inside
    from dialplan.program import find_program
    from tracker import guard_sounds, plan_sounds, prompts

    with nullcontext() if dry else _alone(opened.settings.home):
        with opened.database.read() as session:
            facts = load_facts(session)
            if not dry:
                prompts.make_all(session, opened.settings)
                plan_sounds.make_all(session, opened.settings, opened.now)
                guard_sounds.make_all(session, opened.settings)
        program = find_program(opened.settings)
        if opened.settings.asterisk_for:
            applied = apply_inside(opened.settings, program, facts, dry=dry)
        else:
            applied = apply(opened.settings, program, facts, opened.now, dry=dry)
    if applied.changed and not dry:
        with opened.database.write() as session:
            hand, detail = by or opened.by(), {"changed": list(applied.changed)}
            hand.note(session, "apply", company_id, detail=detail)
    return applied


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Waits for an apply that is going on: what it read before must not overtake what is read after it."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "apply.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def waiting_changes(opened: Here) -> bool:
    """Whether what would be rendered now differs from what is; also where it cannot be rendered."""
    from tracker.errors import Rejected

    try:
        return bool(run_apply(opened, dry=True).changed)
    except Rejected:
        return True


def _told(applied: Applied) -> str:
    from tracker.policy.entries import count_of

    count = len(applied.changed)
    names = f": {', '.join(applied.changed)}" if count <= 5 else ""
    said = f"{count_of(count, 'file')} changed{names}" if count else "Nothing changed"
    if applied.restart and applied.reloaded:
        return f"{said}. Restart Asterisk for {', '.join(applied.restart)}: `leaseline restart asterisk`"
    return f"{said}. " + (
        "Asterisk reloaded." if applied.reloaded else "Asterisk is not running: `leaseline up`."
    )
