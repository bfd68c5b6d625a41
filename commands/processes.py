"""The parts of Leaseline in the foreground: `leaseline asterisk`, `agi`, `web`, `worker`; logs to stderr."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import click

from commands.context import Here, here
from commands.include import include_command
from tracker import logs
from tracker.errors import Rejected

_PR_SET_PDEATHSIG = 1


@click.group("asterisk", invoke_without_command=True)
@click.pass_context
def asterisk_command(context: click.Context) -> None:
    """Run Asterisk in the foreground; `leaseline up` does it for you. Or go inside another one: `include`.

    \b
    Examples:
      leaseline asterisk
      leaseline asterisk include --for /etc/asterisk
    """
    if context.invoked_subcommand is None:
        _run_asterisk()


def _run_asterisk() -> None:
    from dialplan.program import find_program
    from dialplan.render import place_of

    settings = here().settings
    if settings.asterisk_for:
        raise Rejected(
            "asterisk.included",
            "The Asterisk of %(folder)s is the phone system's own",
            "Start it as it was before; our part is in it",
            folder=settings.asterisk_for,
        )
    program = find_program(settings)
    configuration = place_of(settings).current / "asterisk.conf"
    if not configuration.exists():
        raise click.ClickException("Asterisk has no configuration yet: run `leaseline apply`")
    here().close()
    os.execv(program.path, [program.path, "-C", str(configuration), "-f"])  # noqa: S606  (no shell wanted)


asterisk_command.add_command(include_command)


@click.command("agi")
def agi_command() -> None:
    """Run the FastAGI server and AMI listener in the foreground.

    \b
    Example:
      leaseline agi
    """
    from agi.server import run

    with _logged("agi") as opened:
        run(opened.settings)


@click.command("web")
def web_command() -> None:
    """Run the web page in the foreground.

    \b
    Example:
      leaseline web
    """
    from web.serve import run

    # A killed server would leave its forked workers behind, holding the port against its successor.
    os.register_at_fork(after_in_child=die_with_parent)
    with _logged("web") as opened:
        run(opened.settings)


@click.command("worker")
def worker_command() -> None:
    """Run the worker in the foreground: reads the spool, finishes recordings, reconciles.

    \b
    Example:
      leaseline worker
    """
    from commands.worker import run

    with _logged("worker") as opened:
        run(opened)


def die_with_parent() -> None:
    """Have the kernel end this process when its parent ends, however that happens (Linux: prctl(2))."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@contextmanager
def _logged(name: str) -> Iterator[Here]:
    """Logging set up, the schema looked at once; a mistake of ours leaves its traceback in the log."""
    opened = here()
    logs.set_up(opened.settings, name)
    try:
        _ = opened.database
        yield opened
    except (Rejected, click.ClickException):
        raise
    except Exception as problem:
        logging.getLogger(f"leaseline.{name}").exception("cannot go on")
        raise click.exceptions.Exit(1) from problem
