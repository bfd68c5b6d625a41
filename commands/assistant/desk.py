"""Where an assistant's questions are answered: a database that nothing can be written to.

desk = Desk(open_books(url), only="pallets")
with desk.look(None) as (session, company): ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

import migrations
from commands.schema import misfit
from tracker import companies
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import Company


def _clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Desk:
    """`only`: the short name of the one company whose books are open, or all. `now` gives an aware "
    "instant."""

    database: Database
    only: str | None = None
    with_numbers: bool = False  # callers' numbers and names, and what was noted of them
    now: Callable[[], datetime] = _clock

    @contextmanager
    def look(self, company: str | None) -> Iterator[tuple[Session, Company]]:
        """One company's books. Raises Rejected company.unknown, company.which, company.none."""
        with self.database.read() as session:
            yield session, self._chosen(session, company)

    @contextmanager
    def look_at_all(self) -> Iterator[tuple[Session, list[Company]]]:
        """The companies whose books are open."""
        with self.database.read() as session:
            yield session, self._open(session)

    def _open(self, session: Session) -> list[Company]:
        if self.only is not None:
            return [companies.get(session, self.only)]
        return list(companies.everyone(session))

    def _chosen(self, session: Session, slug: str | None) -> Company:
        there = self._open(session)
        if slug is None and len(there) == 1:
            return there[0]
        if not there:
            return companies.choose(session, None)  # which says that there is none, and what to do
        slugs = [each.slug for each in there]
        if slug is None:
            raise Rejected(
                "company.which",
                "There are several companies (%(slugs)s)",
                "Give one of them as `company`",
                slugs=slugs,
            )
        if slug not in slugs:
            raise Rejected(
                "company.unknown",
                "No company %(slug)r is open to this assistant",
                "Give one of %(slugs)s",
                slug=slug[:40],
                slugs=slugs,
            )
        return there[slugs.index(slug)]


def open_books(url: str) -> Database:
    """The database at that URL, for reading only; it is neither made nor brought up to date.

    Raises Rejected database.none, database.behind, database.ahead.
    """
    database = Database(url, read_only=True)
    path = database.url.database or ""
    try:
        if database.is_sqlite and not Path(path).is_file():
            raise _nothing(f"There is no database {path}")
        with database.engine.connect() as connection:
            revision = migrations.revision_of(connection)
            _check(connection, revision)
    except BaseException:
        database.close()
        raise
    return database


def _check(connection: sa.Connection, revision: str | None) -> None:
    if revision is None:
        raise _nothing(f"The database {connection.engine.url.database} is empty")
    if revision != migrations.head():
        raise misfit(revision)


def _nothing(message: str) -> Rejected:
    return Rejected(
        "database.none",
        message,
        "Set LEASELINE_HOME or LEASELINE_DATABASE_URL to what Leaseline runs with, or start it once",
    )
