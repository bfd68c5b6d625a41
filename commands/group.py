"""The `leaseline` group: how every refusal and failure leaves the program.

One line on stderr, `leaseline: …`; exit code 0 done, 1 refused or failed, 2 wrong usage. A traceback is shown
only with LEASELINE_LOG_LEVEL=debug.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import Any, NoReturn

import click

from tracker.errors import Rejected

FAILED, WRONG_USAGE = 1, 2


class Leaseline(click.Group):
    """The root group. Wherever a command ends badly, it says so in one line."""

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run a command line and exit with its code."""
        extra = {"prog_name": "leaseline", **extra, "standalone_mode": False}
        try:
            code = super().main(*args, **extra)
        except Exception as problem:  # noqa: BLE001  (the last line of defence: nobody reads a traceback)
            sys.exit(_tell(problem))
        sys.exit(code if isinstance(code, int) else 0)


def _tell(problem: Exception) -> int:
    if isinstance(problem, click.exceptions.Exit):
        return problem.exit_code
    if isinstance(problem, OSError) and problem.errno == errno.EPIPE:  # `leaseline number list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    if isinstance(problem, click.UsageError):
        _say(_usage(problem))
        return WRONG_USAGE
    if _debugging():
        raise problem
    _say(explain(problem))
    return FAILED


def explain(problem: Exception) -> str:
    """One sentence about what went wrong and, where known, what to do."""
    from tracker.settings import SettingsError

    match problem:
        case Rejected():
            said = f"{problem.message.rstrip('.')}. {problem.fix.rstrip('.')}"
        case click.ClickException():
            said = problem.format_message()
        case click.Abort():
            said = "stopped"
        case SettingsError():
            said = f"the settings cannot be used: {problem}"
        case _ if _too_large(problem):
            said = "a number here is larger than the books can hold. Give one that was listed"
        case OSError():
            said = ": ".join(str(part) for part in (problem.strerror or problem, problem.filename) if part)
        case _ if type(problem).__module__.startswith("sqlalchemy"):
            said = _database_trouble(problem)
        case _:
            said = f"our mistake, {type(problem).__name__}: {problem}. LEASELINE_LOG_LEVEL=debug shows where"
    return said


def _too_large(problem: Exception) -> bool:
    """Whether a number fits into no column; SQLite's driver and PostgreSQL say so in their own ways."""
    from sqlalchemy.exc import DBAPIError

    if isinstance(problem, DBAPIError):
        return getattr(problem.orig, "sqlstate", None) == "22003"
    return isinstance(problem, OverflowError) and "SQLite" in str(problem)


def _database_trouble(problem: Exception) -> str:
    from sqlalchemy.exc import DBAPIError, IntegrityError

    if isinstance(problem, IntegrityError):
        return "somebody else changed the same thing at the same time; try again"
    if isinstance(problem, DBAPIError):
        return f"the database does not answer: {str(problem.orig).splitlines()[0]}; see `leaseline doctor`"
    return f"the database does not answer: {str(problem).splitlines()[0]}; see `leaseline doctor`"


def _usage(problem: click.UsageError) -> str:
    path = problem.ctx.command_path if problem.ctx else "leaseline"
    return f"{problem.format_message().rstrip('.')}. See `{path} --help`"


def _say(sentence: str) -> None:
    click.echo(f"leaseline: {' '.join(sentence.split())}", err=True)


def _debugging() -> bool:
    return os.environ.get("LEASELINE_LOG_LEVEL", "").lower() == "debug"
