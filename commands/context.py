"""What every command needs: settings, an open database, the company meant, whose hand it is.

Everything is opened when first asked for, so that `leaseline --help` reads nothing and asks nobody.
"""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tracker.audit import By
    from tracker.database import Database
    from tracker.models import Company
    from tracker.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


class Here:
    """This invocation of the command line, on this installation."""

    @cached_property
    def settings(self) -> Settings:
        from tracker.settings import read_settings

        return read_settings(os.environ)

    @cached_property
    def unchecked_database(self) -> Database:
        """The database as it is, whatever its schema."""
        from tracker.database import Database

        return Database(self.settings.database_url, secret_key=self.settings.secret_key)

    @cached_property
    def database(self) -> Database:
        """The database with the present schema: an empty one gets it, an older one is refused."""
        from commands.schema import make_ready

        make_ready(self.settings.database_url)
        return self.unchecked_database

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    def by(self) -> By:
        """Whose hand a change comes from: the account on this machine, also behind sudo."""
        from tracker.audit import By

        return By(at=self.now, actor=f"cli:{_account()}")

    def close(self) -> None:
        if "unchecked_database" in self.__dict__:
            self.unchecked_database.close()


@contextmanager
def reading(company: str | None) -> Iterator[tuple[Session, Company]]:
    """Look at one company: its short name, or the only one there is."""
    from tracker import companies

    with here().database.read() as session:
        yield session, companies.choose(session, company)


@contextmanager
def changing(company: str | None) -> Iterator[tuple[Session, Company, By]]:
    """Change one company, in one transaction."""
    from tracker import companies

    with here().database.write() as session:
        yield session, companies.choose(session, company), here().by()


def here() -> Here:
    """This invocation; made by the `leaseline` group, closed at its end."""
    found = click.get_current_context().find_root().obj
    if not isinstance(found, Here):
        raise TypeError("a command was called outside the `leaseline` group")
    return found


def company_option(command: Command) -> Command:
    """`--company`, needless where there is only one."""
    return click.option(
        "--company",
        envvar="LEASELINE_COMPANY",
        metavar="NAME",
        help="Company by its short name; needless if there is only one.",
    )(command)


def json_option(command: Command) -> Command:
    """`--json`, on everything that lists or shows."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


def hint_if_not_live() -> None:
    """After a change: say on stderr that Asterisk has not been told yet, if that is so.

    The test is exact: what would be rendered now differs from what is rendered.
    """
    from commands.live import waiting_changes

    if waiting_changes(here()):
        click.echo("Not live yet: run `leaseline apply`", err=True)


def _account() -> str:
    name = os.environ.get("SUDO_USER") or ""
    if not name:
        try:
            name = pwd.getpwuid(os.getuid()).pw_name
        except KeyError:
            name = str(os.getuid())
    return name[:60]


def progress(label: str, length: int) -> Any:
    """A progress bar on stderr for long work; only where a person watches."""
    return click.progressbar(
        length=max(length, 1), label=label, file=sys.stderr, hidden=not sys.stderr.isatty()
    )
