"""Everything leaves, and comes into an empty installation on the other database: equal, or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from support import showroom
from support.books import KEY, sqlite_books
from support.command import Installation, furnish
from support.config import by
from support.postgres import Postgres
from test_backup import settings_of

from tracker import api_keys, costs, package, package_export, package_import, sales, worth
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import AuditEntry, Base, Call, Category, Company, Prompt, Trunk, TrunkKind, User
from tracker.package import DERIVED, Kind
from tracker.package_export import Written, sha256_of
from tracker.settings import Settings

REVISION = "0026"
FEW = (showroom.DAY[0], showroom.DAY[1], showroom.DAY[6], showroom.DAY[13])


@pytest.fixture
def furnished(tmp_path: Path, now: datetime) -> Iterator[tuple[Database, Settings]]:
    """A furnished house on SQLite: calls, sound, money, people, secrets."""
    home = tmp_path / "one"
    home.mkdir()
    settings = settings_of(home, sqlite_books(home))
    database = Database(settings.database_url, secret_key=KEY)
    room = showroom.furnish(database, settings, now, FEW)
    with database.write() as session:
        company = session.get_one(Company, room.pallets.company_id)
        call = session.scalars(sa.select(Call).order_by(Call.id)).first()
        assert call is not None
        worth.categorise(session, by(now), [call], Category.TARGET)
        worth.add_tag(session, by(now), [call], "опт «А»")
        worth.add_note(session, by(now), call, "Line one\nline two\u2028and more")
        row = {"day": "2026-11-05", "source": "google", "amount": "5.1234"}
        costs.add_cost(session, by(now), company, costs.wanted_of(session, company), row)
        sales.add_sale(session, by(now), company, {"at": "2026-11-05", "revenue": "7", "call": call.key})
        api_keys.add_key(session, by(now), company, "crm")
        session.add(
            Prompt(company_id=company.id, name="Hello", digest="d" * 32, sound=b"\x00RIFF\xff",
                   seconds=1.25, created_at=now)
        )  # fmt: skip
        session.add(
            Trunk(name="carrier", kind=TrunkKind.REGISTRATION, host="sip.example", username="u",
                  password="hush", created_at=now)
        )  # fmt: skip
        user = session.scalars(sa.select(User)).first()
        assert user is not None
        user.password_hash = "argon"
    (settings.home / "secrets").mkdir(exist_ok=True)
    (settings.home / "secrets" / "visit_secret").write_text("of the first house")
    yield database, settings
    database.close()


def rows(database: Database, but: frozenset[str] = DERIVED) -> dict[str, list[str]]:
    with database.read() as session:
        return {
            table.name: sorted(map(str, session.execute(sa.select(table))))
            for table in Base.metadata.sorted_tables
            if table.name not in but
        }


def audio(settings: Settings) -> dict[str, str]:
    folder = settings.recordings_folder
    return {str(it.relative_to(folder)): sha256_of(it) for it in folder.rglob("*") if it.is_file()}


def write(furnished: tuple[Database, Settings], folder: Path, now: datetime, **more: Any) -> Written:
    how: dict[str, Any] = {"kinds": [Kind.JSONL], "secrets": True, "revision": REVISION} | more
    return package_export.write(*furnished, folder, now, **how)


def empty(home: Path, url: str) -> tuple[Database, Settings]:
    home.mkdir()
    settings = settings_of(home, url or sqlite_books(home))
    return Database(settings.database_url, secret_key=KEY), settings


def test_a_house_moves_to_the_other_database_and_back(
    furnished: tuple[Database, Settings], tmp_path: Path, now: datetime, postgres: Postgres
) -> None:
    before = rows(furnished[0]), audio(furnished[1])
    assert all(before[0][name] for name in ("calls", "call_events", "costs", "sales", "prompts", "leases"))
    assert before[1]
    written = write(furnished, tmp_path / "leaving", now)
    assert set(written.left_out) == DERIVED
    assert written.problems == []
    second = empty(tmp_path / "two", postgres.books())
    done = package_import.read(*second, tmp_path / "leaving", revision=REVISION)
    assert (rows(second[0]), audio(second[1])) == before
    assert done.rows == written.rows
    assert (second[1].home / "secrets" / "visit_secret").read_text() == "of the first house"
    with second[0].write() as session:  # new rows come after those that moved
        session.add(Company(slug="new", name="New", default_region="DE", created_at=now))
    with second[0].write() as session:
        session.execute(sa.delete(Company).where(Company.slug == "new"))
    write(second, tmp_path / "back", now, kinds=[Kind.PARQUET])
    third = empty(tmp_path / "three", "")
    package_import.read(*third, tmp_path / "back", revision=REVISION)
    assert (rows(third[0]), audio(third[1])) == before
    for each in (second, third):
        each[0].close()


def test_the_description_tells_every_column_and_nothing_secret_leaves(
    furnished: tuple[Database, Settings], tmp_path: Path, now: datetime
) -> None:
    written = write(furnished, tmp_path / "leaving", now, kinds=list(Kind), secrets=False)
    folder = tmp_path / "leaving"
    told = json.loads((folder / "datapackage.json").read_text())
    resources = {it["name"]: it for it in told["resources"]}
    for portion in package.portions(secrets=False):
        it = resources[portion.table.name]
        assert [each["name"] for each in it["schema"]["fields"]] == [each.name for each in portion.columns]
        lines = (folder / it["path"]).read_text().split("\n")[:-1]
        assert it["rows"] == len(lines) == written.rows[portion.table.name]
        assert pq.read_table(folder / resources[f"{it['name']}_parquet"]["path"]).num_rows == len(lines)
    calls = {it["name"]: it for it in resources["calls"]["schema"]["fields"]}
    assert calls["started_at"]["type"] == "datetime"
    assert calls["outcome"]["constraints"]["enum"][0] == "answered"
    assert calls["category"]["description"] == "set by a person; None: not yet"
    assert {"fields": ["number_id"], "reference": {"resource": "numbers", "fields": ["id"]}} in resources[
        "calls"
    ]["schema"]["foreignKeys"]
    assert {"api_keys", "login_sessions", "share_links"} <= set(written.left_out)
    everything = "".join(it.read_text() for it in folder.rglob("*.json*"))
    for secret in ("hush", "argon", "of the first house"):
        assert secret not in everything
    assert not (folder / "secrets").exists()
    assert (folder.stat().st_mode | (folder / "audio.jsonl").stat().st_mode) & 0o077 == 0
    second = empty(tmp_path / "two", "")
    package_import.read(*second, folder, revision=REVISION)
    out = frozenset(written.left_out)
    assert rows(second[0], out).keys() == rows(furnished[0], out).keys()
    for name, theirs in rows(second[0], out).items():
        if name not in {"trunks", "users", "targets"}:
            assert theirs == rows(furnished[0], out)[name], name
    second[0].close()


def test_what_changes_while_it_is_written_is_not_in_it(
    furnished: tuple[Database, Settings], tmp_path: Path, now: datetime
) -> None:
    def change(table: str) -> None:
        if table == "costs":
            with furnished[0].write() as session:
                session.execute(sa.update(Call).values(caller_name="too late"))

    write(furnished, tmp_path / "leaving", now, seen=change)
    assert "too late" not in (tmp_path / "leaving" / "tables" / "calls.jsonl").read_text()


@pytest.mark.parametrize("harm", ["row", "audio", "cut", "description", "revision", "elsewhere"])
def test_a_damaged_export_changes_nothing(
    furnished: tuple[Database, Settings], tmp_path: Path, now: datetime, harm: str
) -> None:
    folder = tmp_path / "leaving"
    write(furnished, folder, now)
    revision = REVISION
    match harm:
        case "row":
            path = folder / "tables" / "calls.jsonl"
            path.write_text(path.read_text().replace("answered", "bought!!"))
        case "audio":
            next((folder / "audio").rglob("*.wav")).write_bytes(b"RIFF")
        case "cut":
            (folder / "tables" / "costs.jsonl").unlink()
        case "description":
            (folder / "datapackage.json").write_text("{}")
        case "revision":
            revision = "0001"
        case _:
            shutil.copy(folder / "audio.jsonl", tmp_path / "audio.jsonl")
            text = (folder / "datapackage.json").read_text().replace('"audio.jsonl"', '"../audio.jsonl"')
            (folder / "datapackage.json").write_text(text)
    second = empty(tmp_path / "two", "")
    with pytest.raises(Rejected) as no:
        package_import.read(*second, folder, revision=revision)
    assert no.value.id == ("import.revision" if harm == "revision" else "import.damaged")
    assert not any(rows(second[0]).values())
    assert not second[1].recordings_folder.exists() or not audio(second[1])
    assert list(second[1].home.glob(".import-*")) == []
    second[0].close()


def test_nothing_is_mixed_with_what_is_there(
    furnished: tuple[Database, Settings], tmp_path: Path, now: datetime
) -> None:
    write(furnished, tmp_path / "leaving", now)
    with pytest.raises(Rejected, match="not empty: there is something in the table"):
        package_import.read(*furnished, tmp_path / "leaving", revision=REVISION)
    with pytest.raises(Rejected, match="There is something in"):
        write(furnished, tmp_path / "leaving", now)


def test_both(tmp_path: Path) -> None:
    """The commands say what moved, and the log keeps it. A longer name makes a path too long for a socket."""
    one, two = Installation(tmp_path / "1"), Installation(tmp_path / "2")
    furnish(one)
    told = one.json("export", "--everything", str(tmp_path / "leaving"), "--format", "jsonl")
    assert told["rows"]["numbers"] == 1
    assert "0 rows" not in two.done("import", "everything", str(tmp_path / "leaving"))
    assert two.json("number", "list")[0]["number"] == one.json("number", "list")[0]["number"]
    assert "is not empty" in two.refused("import", "everything", str(tmp_path / "leaving"))
    assert one.run("export", str(tmp_path / "x"), "--with-secrets").exit_code == 2
    assert one.run("export", str(tmp_path / "x"), "--everything", "--company", "pallets").exit_code == 2
    database = Database(f"sqlite:///{tmp_path / '2' / 'leaseline.db'}")
    with database.read() as session:
        actions = session.scalars(sa.select(AuditEntry.action)).all()
    assert {"data.export", "data.import", "number.add"} <= set(actions)
    database.close()
