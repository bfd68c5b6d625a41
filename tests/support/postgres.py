"""A PostgreSQL cluster of the tests' own: started on a free port, gone afterwards."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import psycopg
from support.books import make_books
from support.ports import free_port


class Postgres:
    """`url()` makes a fresh, empty database and gives its SQLAlchemy URL; `books()` one with the schema.

    Books that are given back are dropped: thousands of them, of 700 files each, take half a minute to remove.
    """

    options = "-c fsync=off -c full_page_writes=off -c max_wal_size=128MB -c max_connections=200"

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="leaseline-pg-"))
        self.port = free_port()
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        if not programs:
            raise RuntimeError("PostgreSQL's programs are missing: apt-get install postgresql")
        self.programs = programs[-1]
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self._run("initdb", "-A", "trust", "-U", "leaseline", "-D", "data", "--no-sync")
        self.restart()
        self._names = (f"books{number}" for number in itertools.count(1))
        self._maker = ThreadPoolExecutor(1)
        self._next: Future[str] | None = None  # books for who asks next, made meanwhile

    def _run(self, program: str, *arguments: str) -> None:
        user = "postgres" if os.getuid() == 0 else None
        group = pwd.getpwnam(user).pw_gid if user else None
        subprocess.run(
            [self.programs / program, *arguments],
            cwd=self.folder,
            check=True,
            user=user,
            group=group,
            extra_groups=[] if user else None,
            stdout=subprocess.DEVNULL,
        )

    def url(self, template: str = "template1") -> str:
        name = next(self._names)
        self._say(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return f"postgresql+psycopg://leaseline@127.0.0.1:{self.port}/{name}"

    def books(self) -> str:
        """A database with the present schema."""
        ready, self._next = self._next, None
        return ready.result() if ready else self._copy()

    def give_back(self, books: str) -> None:
        """Drop the books, and copy others for who asks next, beside the next test."""
        self._next = self._maker.submit(self._renew, books)

    def _renew(self, books: str) -> str:
        self._say(f"DROP DATABASE {books.rpartition('/')[2]} WITH (FORCE)")
        return self._copy()

    def _copy(self) -> str:
        return self.url(self._empty_books)

    def _say(self, statement: str) -> None:
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="leaseline", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)

    @cached_property
    def _empty_books(self) -> str:
        url = self.url()
        make_books(url)
        return url.rpartition("/")[2]

    def restart(self) -> None:
        """Start it, again on the same port."""
        options = f"-p {self.port} -k {self.folder} -h 127.0.0.1 {self.options}"
        self._run("pg_ctl", "-D", "data", "-l", "log", "-o", options, "-w", "start")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", "data", "-m", mode, "-w", "stop")

    def close(self) -> None:
        self._maker.shutdown()
        if (self.folder / "data" / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.folder)
