"""Fixtures every test may use: both databases, an instant, a company."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from support.books import open_books, sqlite_books
from support.house import House
from support.memory import use_memory
from support.postgres import Postgres
from support.told import Told
from xdist.scheduler import LoadScopeScheduling

from tracker.database import Database

# A run started in the background inherits an ignored SIGINT, and so would the programs whose Ctrl-C we test.
signal.signal(signal.SIGINT, signal.default_int_handler)

use_memory()

# A busy machine is no failure: how long an example may take is pytest-timeout's business.
hypothesis_settings.register_profile("leaseline", deadline=None)
hypothesis_settings.load_profile("leaseline")


CALLS = "calls: "  # what files are named after that place real calls
# Beside those that ask for the house: they start the product by themselves.
TELEPHONY = {"test_demo.py", "test_supervisor.py", "test_fault_database.py"}
# Minutes in which something is away, and a handful of people talk and wait; and what places no calls.
BESIDE = ("test_fault_ami.py", "test_fault_database.py", "test_supervisor.py")
# How long callers wait when something is wrong: one after the other, beside calls at which nothing is.
FAULTS = ("test_fault_agi.py", "test_fault_apply.py")
# What wants much of the machine.
HEAVY = (
    "test_call_hostile.py",
    "test_demo.py",
    "test_fault_crash.py",
    "test_fault_flood.py",
    "test_plan_calls.py",
)


@cache
def telephones(file: Path) -> bool:
    """Whether it places real calls."""
    return file.name in TELEPHONY or "\nfrom support.house import" in file.read_text()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real calls come first: the minutes, then what two workers share, then what wants the machine."""
    items.sort(
        key=lambda item: (not telephones(item.path), item.path.name not in BESIDE, item.path.name in HEAVY)
    )


class Queues(LoadScopeScheduling):
    """Each file runs as a whole, two of real calls at once; beside those nothing runs: they are measured."""

    def _split_scope(self, nodeid: str) -> str:
        file = self.config.rootpath / nodeid.partition("::")[0]
        if not telephones(file):
            return file.name
        return CALLS + next((queue[0] for queue in (BESIDE, FAULTS, HEAVY) if file.name in queue), file.name)

    def _assign_work_unit(self, node: Any) -> None:
        """A worker on the telephone gets what it goes on to, without which it would not end its last call."""
        telephony = next(iter(self.workqueue)).startswith(CALLS)
        if telephony or self._calls(node) or not any(map(self._calls, self.nodes)):
            super()._assign_work_unit(node)

    def _calls(self, node: Any) -> bool:
        """Whether calls of this worker are still to be placed."""
        work = self.assigned_work[node].items()
        return any(not all(tests.values()) for queue, tests in work if queue.startswith(CALLS))

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:
        super().mark_test_complete(node, item_index, duration)
        for each in self.nodes:
            self._reschedule(each)  # who has waited for the calls to end


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Queues:
    return Queues(config, log)


def pytest_collection_finish() -> None:
    """What is there now stays: the collector need not walk half a million objects again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One cluster a test run, started when the first test asks for it."""
    cluster = Postgres()
    yield cluster
    cluster.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A fresh database with the present schema, once on SQLite and once on PostgreSQL."""
    with _books(request, tmp_path) as fresh:
        yield fresh


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kept_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """As `database`, but one for all the tests of a file, which only look at it."""
    with _books(request, tmp_path_factory.mktemp("kept")) as fresh:
        yield fresh


@contextmanager
def _books(request: pytest.FixtureRequest, folder: Path) -> Iterator[Database]:
    cluster: Postgres | None = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    url = cluster.books() if cluster else sqlite_books(folder)
    fresh = open_books(url)
    yield fresh
    fresh.close()
    if cluster:
        cluster.give_back(url)


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """A fresh SQLite database, for tests in which the engine makes no difference."""
    fresh = open_books(sqlite_books(tmp_path))
    yield fresh
    fresh.close()


@pytest.fixture
def told(sqlite: Database, now: datetime, tmp_path: Path) -> Told:
    """A company whose calls are told to destinations."""
    return Told(sqlite, tmp_path, now)


@pytest.fixture(scope="session")
def now() -> datetime:
    """A Friday noon."""
    return datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """The whole product on real Asterisk, started when the first test asks for it, stopped at the end."""
    started = House()
    yield started
    started.close()


@pytest.fixture(autouse=True)
def _hush(request: pytest.FixtureRequest) -> Iterator[None]:
    """No caller and no phone outlives its test."""
    yield
    for value in request.node.funcargs.values():
        if isinstance(value, House):
            value.hush()
