"""The parts of Leaseline in the foreground: `leaseline asterisk`, `agi`, `web`, `worker`; logs to stderr."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import click

from commands.context import Here, here
from tracker.errors import Rejected


@click.command("asterisk")
def asterisk_command() -> None:
    """Run Asterisk in the foreground; `leaseline up` does it for you.

    \b
    Example:
      leaseline asterisk
    """
    from dialplan.program import find_program
    from dialplan.render import place_of

    settings = here().settings
    program = find_program(settings)
    configuration = place_of(settings).current / "asterisk.conf"
    if not configuration.exists():
        raise click.ClickException("Asterisk has no configuration yet: run `leaseline apply`")
    here().close()
    os.execv(program.path, [program.path, "-C", str(configuration), "-f"])  # noqa: S606  (no shell wanted)


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


@contextmanager
def _logged(name: str) -> Iterator[Here]:
    """Logging set up, the schema looked at once; a mistake of ours leaves its traceback in the log."""
    opened = here()
    logging.basicConfig(
        level=opened.settings.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        force=True,
    )
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        _ = opened.database
        yield opened
    except (Rejected, click.ClickException):
        raise
    except Exception as problem:
        logging.getLogger(f"leaseline.{name}").exception("cannot go on")
        raise click.exceptions.Exit(1) from problem
