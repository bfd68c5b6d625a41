"""The two engines keep the promises the rest is built on."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from tracker.database import Database
from tracker.models import Channel, Company, Number, NumberUse


def company(**more: object) -> Company:
    return Company(slug="pallets", name="Pallets", default_region="RU", created_at=datetime.now(UTC), **more)


def test_an_instant_comes_back_aware_and_in_utc(database: Database) -> None:
    noon = datetime(2026, 11, 20, 12, 0, 0, 123000, tzinfo=timezone(timedelta(hours=3)))
    with database.write() as session:
        session.add(Company(slug="a", name="A", default_region="RU", created_at=noon))
    with database.read() as session:
        found = session.scalars(sa.select(Company)).one().created_at
    assert found == noon
    assert found.tzinfo == UTC


def test_a_naive_instant_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="naive datetime"), database.write() as session:
        session.add(Company(slug="a", name="A", default_region="RU", created_at=datetime(2026, 1, 1)))  # noqa: DTZ001


def test_an_exception_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as session:
        session.add(company())
        session.flush()
        raise RuntimeError
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Company)) == 0


def test_a_number_has_at_most_one_open_use(database: Database, now: datetime) -> None:
    with database.write() as session:
        owner = company()
        session.add(owner)
        session.flush()
        number = Number(company_id=owner.id, e164="+74951234567", created_at=now)
        channel = Channel(company_id=owner.id, name="Billboard", source="billboard", created_at=now)
        session.add_all([number, channel])
        session.flush()
        session.add(NumberUse(number_id=number.id, channel_id=channel.id, from_at=now))
        use = {"number_id": number.id, "channel_id": channel.id, "from_at": now}
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(NumberUse(**use))


def test_a_reader_does_not_wait_for_a_writer_on_sqlite(sqlite: Database) -> None:
    with sqlite.write() as writing:
        writing.add(company())
        writing.flush()
        with sqlite.read() as reading:
            assert reading.scalar(sa.select(sa.func.count()).select_from(Company)) == 0


def test_the_planner_of_sqlite_knows_how_many_rows_there_are(sqlite: Database) -> None:
    with sqlite.write() as session:
        session.add(company())
    sqlite.analyse()
    with sqlite.read() as session:
        wanted = "SELECT stat FROM sqlite_stat1 WHERE tbl = 'companies'"
        assert session.execute(sa.text(wanted)).scalar_one().startswith("1 ")


# ---- for reading only ----

WRITES = (
    "UPDATE companies SET name = 'x'",
    "DELETE FROM companies",
    "INSERT INTO tags (company_id, name, created_at) VALUES (1, 'x', '2026-01-01')",
    "CREATE TABLE theirs (id INTEGER)",
    "DROP TABLE calls",
)


def test_what_is_opened_for_reading_refuses_every_change(database: Database) -> None:
    with database.write() as session:
        session.add(company())
    reader = Database(database.url.render_as_string(hide_password=False), read_only=True)
    for statement in WRITES:
        with pytest.raises(DBAPIError, match=r"read.?only"), reader.write() as session:
            session.execute(sa.text(statement))
        with pytest.raises(DBAPIError, match=r"read.?only"), reader.engine.connect() as connection:
            connection.execute(sa.text(statement))
    with reader.read() as session:
        assert session.scalars(sa.select(Company.slug)).all() == ["pallets"]
        session.add(company())
        with pytest.raises(DBAPIError, match=r"read.?only"):
            session.commit()
    reader.close()


def test_a_file_is_opened_for_reading_whatever_its_name_and_never_made(
    sqlite: Database, now: datetime, tmp_path: Path
) -> None:
    sqlite.close()
    folder = tmp_path / "a b#c&d"
    folder.mkdir()
    there = Database(f"sqlite:///{shutil.copy(tmp_path / 'books.db', folder / 'e.db')}", read_only=True)
    with there.read() as session:
        assert session.scalars(sa.select(Company)).all() == []
    there.close()
    none = Database(f"sqlite:///{folder}/f.db", read_only=True)
    with pytest.raises(DBAPIError, match="unable to open"), none.read() as session:
        session.scalar(sa.text("SELECT 1"))
    assert not (folder / "f.db").exists()
