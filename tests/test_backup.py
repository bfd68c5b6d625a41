"""A backup holds everything, a restore brings equal rows and bytes back, a doctored file changes nothing."""

from __future__ import annotations

import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.command import Installation, furnish
from support.config import billboard, by, main_line, pallets
from support.facts import ended, started
from support.postgres import Postgres

from tracker import api_keys, backup, costs, forward, numbers, sales
from tracker.books import record_all
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import Base
from tracker.restore import restore
from tracker.settings import Settings, read_settings


def settings_of(home: Path, url: str) -> Settings:
    return read_settings({"LEASELINE_HOME": str(home), "LEASELINE_DATABASE_URL": url})


def fill(settings: Settings, database: Database, now: datetime) -> None:
    """Rows in the database, and a file in each place that is kept."""
    with database.write() as session:
        company = pallets(session, now)
        board = billboard(session, now, company)
        numbers.add(session, by(now), company, "+74951234567", board, label="вход «А»")
        forward.set_rings(session, by(now), company, [(main_line(session, now, company), 20)])
        record_all(session, [started("+74951234567", now, "one"), ended(now, "one")])
        row = {"day": "2026-11-05", "channel": board.name, "amount": "5.1234"}
        costs.add_cost(session, by(now), company, costs.wanted_of(session, company), row)
        sales.add_sale(session, by(now), company, {"at": "2026-11-05", "revenue": "7", "call": "one"})
        api_keys.add_key(session, by(now), company, "crm")
    for path, content in (
        (settings.recordings_folder / "2026" / "11" / "call.wav", b"RIFF" + os.urandom(50_000)),
        (settings.asterisk_folder / "conf.d" / "pjsip-own.conf", b"; by hand\n"),
        (settings.spool / "calls" / "calls-2026112012.jsonl", b'{"e":"start"}\n'),
        (settings.home / "leaseline.toml", b"quarantine_days = 30\n"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def rows(database: Database) -> dict[str, list[Any]]:
    """Every row of every table."""
    with database.read() as session:
        return {
            table.name: sorted(map(str, session.execute(sa.select(table))))
            for table in Base.metadata.sorted_tables
        }


def triggers(database: Database) -> set[str]:
    """By their names: what notes that a day sheet holds no more."""
    theirs = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    if not database.is_sqlite:
        theirs = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    with database.read() as session:
        return set(session.scalars(sa.text(theirs)))


def files(settings: Settings) -> dict[str, bytes]:
    """Every file that is kept, with its content."""
    return {source.name: source.path.read_bytes() for source in backup.sources(settings)}


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Two empty databases of one kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/one/leaseline.db", f"sqlite:///{tmp_path}/two/leaseline.db"
    cluster: Postgres = request.getfixturevalue("postgres")
    return cluster.url(), cluster.url()


def test_what_is_restored_equals_what_was_backed_up(
    tmp_path: Path, urls: tuple[str, str], now: datetime
) -> None:
    one, two = settings_of(tmp_path / "one", urls[0]), settings_of(tmp_path / "two", urls[1])
    before, after = Database(one.database_url), Database(two.database_url)
    Base.metadata.create_all(before.engine)
    fill(one, before, now)
    file = tmp_path / "backup.tar"
    seen: list[int] = []
    made = backup.make(one, before, file, now, seen=seen.append)
    assert sum(seen) == made.bytes
    assert file.stat().st_mode & 0o777 == 0o600
    restored = restore(two, after, file, now)
    assert restored.files == len(made.files)
    assert rows(after) == rows(before)
    assert all(rows(after)[name] for name in ("costs", "sales", "api_keys", "calls"))
    assert triggers(after) == triggers(before) != set()
    assert files(settings_of(tmp_path / "two", urls[1])) == files(one)
    assert list(tmp_path.glob("*/.restore-*")) == []
    with pytest.raises(Rejected, match="something in this home already: a database") as no:
        restore(two, after, file, now)
    assert "--force" in no.value.fix
    before.close()
    after.close()


def test_force_moves_aside_what_was_there(tmp_path: Path, urls: tuple[str, str], now: datetime) -> None:
    one = settings_of(tmp_path / "one", urls[0])
    database = Database(one.database_url)
    Base.metadata.create_all(database.engine)
    fill(one, database, now)
    file = tmp_path / "backup.tar"
    backup.make(one, database, file, now)
    before, kept = rows(database), files(one)
    with database.write() as session:
        session.execute(sa.text("UPDATE companies SET name = 'Changed'"))
    (one.recordings_folder / "later.wav").write_bytes(b"later")
    database.close()
    restored = restore(one, database, file, now, force=True)
    assert rows(database) == before
    assert files(one) == kept
    (aside,) = [path for path in restored.aside if path.name.startswith("recordings")]
    assert (aside / "later.wav").read_bytes() == b"later"
    database.close()


def made_backup(tmp_path: Path, now: datetime) -> Path:
    one = settings_of(tmp_path / "one", f"sqlite:///{tmp_path}/one/leaseline.db")
    database = Database(one.database_url)
    Base.metadata.create_all(database.engine)
    fill(one, database, now)
    backup.make(one, database, tmp_path / "backup.tar", now)
    database.close()
    return tmp_path / "backup.tar"


def refused(tmp_path: Path, file: Path, now: datetime) -> str:
    """Restores into an empty home: it has to be refused, and the home left empty."""
    two = settings_of(tmp_path / "two", f"sqlite:///{tmp_path}/two/leaseline.db")
    with pytest.raises(Rejected) as no:
        restore(two, Database(two.database_url), file, now)
    assert [path.name for path in two.home.iterdir()] == ["secrets"]
    return no.value.id


def test_a_flipped_byte_is_found(tmp_path: Path, now: datetime) -> None:
    file = made_backup(tmp_path, now)
    content = bytearray(file.read_bytes())
    content[content.index(b"RIFF") + 9] ^= 1
    file.write_bytes(content)
    assert refused(tmp_path, file, now) == "restore.damaged"


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9])
def test_a_file_cut_short_is_found(tmp_path: Path, now: datetime, part: float) -> None:
    file = made_backup(tmp_path, now)
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * part)])
    assert refused(tmp_path, file, now) == "restore.damaged"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../escape", tarfile.REGTYPE),
        ("/etc/leaseline-escape", tarfile.REGTYPE),
        ("recordings/../../escape", tarfile.REGTYPE),
        ("recordings/link", tarfile.SYMTYPE),
        ("recordings/hard", tarfile.LNKTYPE),
        ("recordings/device", tarfile.CHRTYPE),
        ("asterisk/current/manager.conf", tarfile.REGTYPE),
        ("crontab", tarfile.REGTYPE),
    ],
)
def test_a_file_made_by_somebody_else_puts_nothing_anywhere(
    tmp_path: Path, now: datetime, name: str, kind: bytes
) -> None:
    file = tmp_path / "evil.tar"
    with tarfile.open(file, "x:") as tar:
        about = tarfile.TarInfo(name)
        about.type, about.linkname, about.size = kind, "/etc/passwd", 4 if kind == tarfile.REGTYPE else 0
        tar.addfile(about, io.BytesIO(b"evil"))
        manifest = json.dumps({"format": 1, "made_at": "", "files": {}}).encode()
        end = tarfile.TarInfo(backup.MANIFEST)
        end.size = len(manifest)
        tar.addfile(end, io.BytesIO(manifest))
    assert refused(tmp_path, file, now) == "restore.unsafe"
    assert not (tmp_path / "escape").exists()


def test_a_backup_of_the_other_kind_of_database_is_refused(
    tmp_path: Path, postgres: Postgres, now: datetime
) -> None:
    file = made_backup(tmp_path, now)
    two = settings_of(tmp_path / "two", postgres.url())
    database = Database(two.database_url)
    with pytest.raises(Rejected, match="other kind of database"):
        restore(two, database, file, now)
    database.close()


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder whose path leaves room for the names of Asterisk's and supervisor's sockets."""
    with tempfile.TemporaryDirectory(prefix="ll-") as folder:
        yield Path(folder)


def test_one_command_each_way(short_path: Path) -> None:
    one, two = Installation(short_path / "one"), Installation(short_path / "two")
    furnish(one)
    file = str(short_path / "backup.tar")
    assert one.json("backup", file, "--without-recordings")["files"] >= 3
    assert "exists already" in one.refused("backup", file)
    assert "leaseline up" in two.done("restore", file)
    assert two.json("number", "list") == one.json("number", "list")
    assert "--force" in two.refused("restore", file)
    two.done("restore", file, "--force")
