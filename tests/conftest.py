"""Fixtures every test may use: both databases, an instant, a company."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from support.books import sqlite_books
from support.house import House
from support.postgres import Postgres

from tracker.database import Database

# A run started in the background inherits an ignored SIGINT, and so would the programs whose Ctrl-C we test.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no failure: how long an example may take is pytest-timeout's business.
hypothesis_settings.register_profile("leaseline", deadline=None)
hypothesis_settings.load_profile("leaseline")


# Beside those that ask for the house: they start the product by themselves.
TELEPHONY = {"test_demo.py", "test_supervisor.py", "test_fault_database.py"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real calls are one queue, in which most of the time is waiting; beside it the other files run."""
    telephony = TELEPHONY | {it.path.name for it in items if "house" in getattr(it, "fixturenames", ())}
    for it in items:
        name = it.path.name
        it.add_marker(pytest.mark.xdist_group("telephony" if name in telephony else name))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Who runs beside real calls stands back for them: their instants are measured."""
    group = item.get_closest_marker("xdist_group")
    if "PYTEST_XDIST_WORKER" in os.environ and group:
        with suppress(PermissionError):  # only root comes forward again
            os.setpriority(os.PRIO_PROCESS, 0, 0 if group.args == ("telephony",) else 10)


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
    url = sqlite_books(tmp_path) if request.param == "sqlite" else request.getfixturevalue("postgres").books()
    fresh = Database(url, wait_seconds=5)
    yield fresh
    fresh.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """A fresh SQLite database, for tests in which the engine makes no difference."""
    fresh = Database(sqlite_books(tmp_path), wait_seconds=5)
    yield fresh
    fresh.close()


@pytest.fixture
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
