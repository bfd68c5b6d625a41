"""The schema that upgrades lead to is the one the models speak of, on both databases."""

from __future__ import annotations

import itertools
import multiprocessing
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from support.postgres import Postgres

import migrations
from tracker.database import Database
from tracker.models import Base
from tracker.settings import CHECKOUT


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes empty databases, all of the same kind."""
    numbers = itertools.count()
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path / f'empty{next(numbers)}.db'}"
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.url


@pytest.fixture
def url(new_url: Callable[[], str]) -> str:
    """An empty database."""
    return new_url()


def test_an_empty_database_becomes_what_the_models_say(url: str) -> None:
    assert migrations.current(url) is None
    assert migrations.pending(url)
    migrations.upgrade(url)
    assert migrations.current(url) == migrations.head()
    assert not migrations.pending(url)
    database = Database(url)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    database.close()


def test_upgrading_and_creating_give_the_same_tables(url: str, new_url: Callable[[], str]) -> None:
    migrations.upgrade(url)
    upgraded, created = Database(url), Database(new_url())
    Base.metadata.create_all(created.engine)
    assert schema(upgraded.engine) == schema(created.engine)
    assert len(triggers(upgraded.engine)) == 17
    upgraded.close()
    created.close()


def test_a_second_upgrade_changes_nothing(url: str) -> None:
    migrations.upgrade(url)
    migrations.upgrade(url)
    assert migrations.current(url) == migrations.head()


def test_files_are_named_by_their_revisions_in_order() -> None:
    scripts = ScriptDirectory.from_config(migrations.config())
    walked = [each.revision for each in scripts.walk_revisions()]
    assert walked == sorted(migrations.revisions(), reverse=True)
    assert migrations.head() == scripts.get_current_head()


def test_nothing_heavy_is_loaded_to_see_that_all_is_up_to_date(tmp_path: Path) -> None:
    """Every command sees to it first: alembic and numpy took half of its time."""
    url = f"sqlite:///{tmp_path / 'books.db'}"
    migrations.upgrade(url)
    program = (
        "import sys; from commands.schema import make_ready; make_ready(sys.argv[1])\n"
        "sys.exit(' '.join({'alembic', 'numpy'} & sys.modules.keys()))"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, url], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert told.stderr.strip() == ""


def test_processes_that_start_at_once_upgrade_once(url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=migrations.upgrade, args=(url,)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert not migrations.pending(url)


def test_a_failing_upgrade_leaves_nothing_behind(url: str) -> None:
    database = Database(url)
    with database.write() as session:
        session.execute(sa.text("CREATE TABLE users (id INTEGER)"))  # in the way of a later step
    with pytest.raises(sa.exc.SQLAlchemyError):
        migrations.upgrade(url)
    with database.engine.connect() as connection:
        assert set(sa.inspect(connection).get_table_names()) == {"users"}
    database.close()
    assert migrations.current(url) is None


def schema(engine: sa.Engine) -> dict[str, Any]:
    inspector = sa.inspect(engine)
    tables = set(inspector.get_table_names()) - {"alembic_version"}
    return {table: description(inspector, table) for table in sorted(tables)} | {"triggers": triggers(engine)}


def triggers(engine: sa.Engine) -> set[str]:
    """What each trigger does, as the database says it."""
    told = {
        "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT pg_get_triggerdef(t.oid) || pg_get_functiondef(t.tgfoid) FROM pg_trigger AS t"
        " WHERE NOT tgisinternal",
    }
    with engine.connect() as connection:
        return set(connection.execute(sa.text(told[engine.dialect.name])).scalars())


def description(inspector: sa.Inspector, table: str) -> dict[str, Any]:
    columns = {
        column["name"]: (str(column["type"]), column["nullable"]) for column in inspector.get_columns(table)
    }
    checks = {
        each["name"]: re.sub(r"\s+", " ", each["sqltext"]) for each in inspector.get_check_constraints(table)
    }
    indexes = {
        each["name"]: (
            each["column_names"],
            bool(each["unique"]),
            str(each.get("dialect_options", {}).get(f"{inspector.dialect.name}_where")),
        )
        for each in inspector.get_indexes(table)
    }
    return {
        "columns": columns,
        "checks": checks,
        "indexes": indexes,
        "primary key": inspector.get_pk_constraint(table)["constrained_columns"],
        "unique": sorted(str(each["column_names"]) for each in inspector.get_unique_constraints(table)),
        "references": sorted(
            f"{each['constrained_columns']} {each['referred_table']} {each['name']}"
            for each in inspector.get_foreign_keys(table)
        ),
    }
