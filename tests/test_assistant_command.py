"""`leaseline mcp` as an assistant starts it: over real stdin and stdout, with the answers of the commands."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from mcp import StdioServerParameters, stdio_client
from sqlalchemy.exc import DBAPIError
from support.assistant import Assistant, assistant
from support.command import PROGRAM, Installation, make_ready
from support.earnings import tell_earnings
from support.journeys import tell_journeys
from support.postgres import Postgres
from support.recorded import settings_in
from support.showroom import DAY, furnish

import migrations
from commands.assistant.desk import open_books
from tracker.database import Database
from tracker.errors import Rejected

MOSCOW = ZoneInfo("Europe/Moscow")


@dataclass(frozen=True)
class Started:
    """A server that an assistant has started, and the installation that it answers of."""

    installation: Installation
    asking: Assistant
    errors: Path
    process_id: int


def last_month() -> datetime:
    """Noon of last month's last day, by the company's clocks."""
    first = datetime.now(MOSCOW).replace(day=1, hour=12, minute=0, second=0, microsecond=0)
    return (first - timedelta(days=1)).astimezone(UTC)


def furnished(home: Path) -> Installation:
    """A company with a month of calls, costs and sales behind it."""
    installation = Installation(home)
    make_ready(installation)
    database, now = Database(f"sqlite:///{home / 'leaseline.db'}"), last_month()
    calls = tuple(replace(each, sound=False) for each in DAY)
    room = furnish(database, settings_in(home), now, calls)
    with database.write() as session:
        tell_journeys(session, room.pallets, now)
        tell_earnings(session, room.pallets, now)
    database.close()
    return installation


def children() -> set[int]:
    told = Path("/proc/self/task").glob("*/children")
    return {int(each) for path in told for each in path.read_text().split()}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """The server, started with what `--snippet` tells an assistant's configuration."""
    folder = tmp_path_factory.mktemp("assistant")
    installation = furnished(folder / "home")
    told = json.loads(installation.done("mcp", "--with-numbers", "--snippet"))["mcpServers"]["leaseline"]
    command, *first = PROGRAM
    asked = StdioServerParameters(command=command, args=[*first, *told["args"]], env=told["env"], cwd="/")
    before = children()
    with (folder / "errors").open("w") as errors, assistant(stdio_client(asked, errors)) as asking:
        (process_id,) = children() - before
        yield Started(installation, asking, folder / "errors", process_id)
    assert (folder / "errors").read_text() == ""


def test_the_question_of_a_manager_is_one_call(started: Started) -> None:
    answer = started.asking.ask("report", by="keyword", period="last_month", sort_by="target")
    told = started.installation.json("report", "--by", "keyword", "--period", "last_month")
    rows = [row for row in told["rows"] if "without" not in row]
    best = max(rows, key=lambda row: row["target"])
    first = answer["rows"][0]
    assert (
        (first["keyword"], first["target"]) == (best["keyword"], best["target"]) == ("euro pallets buy", 30)
    )
    assert [row["target"] for row in answer["rows"][: len(rows)]] == sorted(
        (row["target"] for row in rows), reverse=True
    )
    assert answer["coverage"] == told["coverage"]


REPORTS: tuple[tuple[dict[str, Any], tuple[str, ...]], ...] = (
    ({}, ()),
    ({"by": "campaign", "period": "90d", "compare": True},
     ("--by", "campaign", "--period", "90d", "--compare")),
    ({"by": "source", "split": "medium", "leads": "target", "period": "last_month"},
     ("--split", "medium", "--leads", "target", "--period", "last_month")),
    ({"by": "source", "model": "first", "against": "last", "period": "last_month"},
     ("--model", "first", "--against", "last", "--period", "last_month")),
    ({"by": "keyword", "campaign": "pallets-euro", "model": "data_driven", "period": "90d"},
     ("--by", "keyword", "--only", "campaign=pallets-euro", "--model", "data_driven", "--period", "90d")),
    ({"by": "weekday", "period": "last_month"}, ("--by", "weekday", "--period", "last_month")),
    ({"by": "employee", "since": "2026-01-01", "until": "2026-01-31"},
     ("--by", "employee", "--since", "2026-01-01", "--until", "2026-01-31")),
)  # fmt: skip


@pytest.mark.parametrize(("asked", "options"), REPORTS, ids=lambda it: " ".join(it) or "as it is")
def test_a_report_is_that_of_the_command(
    started: Started, asked: dict[str, Any], options: tuple[str, ...]
) -> None:
    answer = started.asking.ask("report", **asked)
    told = started.installation.json("report", *options)
    assert {name: answer[name] for name in told} == told
    assert answer["left_off"] is None


@pytest.mark.parametrize(
    ("tool", "asked", "command"),
    [
        ("overview", {"period": "last_month", "with_times": True}, "overview --period last_month"),
        ("paths", {"by": "source", "goal": "target_call", "period": "90d"},
         "paths --by source --goal target_call --period 90d"),
        ("missed_callers", {"period": "last_month", "limit": 100}, "missed --period last_month"),
    ],
)  # fmt: skip
def test_figures_are_those_of_the_command(
    started: Started, tool: str, asked: dict[str, Any], command: str
) -> None:
    answer, told = started.asking.ask(tool, **asked), started.installation.json(*command.split())
    assert {name: answer[name] for name in told} == told


def subset(answer: Any, told: Any) -> bool:
    """Whether the answer says nothing but what the command says."""
    if isinstance(answer, dict):
        return all(subset(value, told[name]) for name, value in answer.items())
    if isinstance(answer, list):
        return len(answer) == len(told) and all(map(subset, answer, told))
    return bool(answer == told)


def test_calls_are_those_of_the_command(started: Started) -> None:
    asked = {"category": ["target"], "keyword": "pallet prices", "period": "90d"}
    answer = started.asking.ask("list_calls", filter=asked, limit=5)
    options = ["--category", "target", "--keyword"]
    told = started.installation.json(
        "calls", "list", *options, "pallet prices", "--period", "90d", "--limit", "5"
    )
    assert answer["found"] == 13
    assert subset(answer["calls"], told["calls"])
    assert answer["next"] == told["next"]
    more = started.asking.ask("list_calls", filter=asked, before=answer["next"], limit=100)
    assert len(answer["calls"]) + len(more["calls"]) == 13
    key = answer["calls"][0]["key"]
    story, told = started.asking.ask("show_call", key=key), started.installation.json("calls", "show", key)
    assert subset(story["call"], told)
    assert subset(story["candidates"], told["attribution"]["candidates"])
    for name in ("events", "earlier", "later", "notes", "category_history"):
        assert len(story[name]) == len(told[name])


def test_money_and_the_setup_are_those_of_the_commands(started: Started) -> None:
    first = last_month().date().replace(day=1)
    days = ("--since", f"{first}", "--until", f"{last_month().date()}")
    assert subset(
        started.asking.ask("costs", period="last_month", limit=200)["costs"],
        started.installation.json("cost", "list", *days),
    )
    assert subset(
        started.asking.ask("sales", period="last_month", limit=200)["sales"],
        started.installation.json("sale", "list", *days),
    )
    setup = started.asking.ask("setup", parts=["channels", "numbers", "sites", "pools", "destinations"])
    for part in ("channels", "numbers", "sites", "destinations"):
        assert subset(setup[part], started.installation.json(part.removesuffix("s"), "list")), part
    assert subset(setup["pools"], [started.installation.json("pool", "show", "Website")])


def test_nothing_listens_and_the_file_of_the_database_stays_as_it_is(started: Started) -> None:
    path = started.installation.home / "leaseline.db"
    before = sha256(path.read_bytes()).digest()
    for tool in (
        "companies",
        "overview",
        "report",
        "paths",
        "missed_callers",
        "list_calls",
        "sales",
        "setup",
    ):
        started.asking.ask(tool)
    assert sha256(path.read_bytes()).digest() == before
    assert (
        not (path.parent / "leaseline.db-wal").exists()
        or not (path.parent / "leaseline.db-wal").stat().st_size
    )
    assert listening(started.process_id) == []


def listening(process_id: int) -> list[str]:
    """The network addresses at which the process waits for others."""
    sockets = set()
    for each in Path(f"/proc/{process_id}/fd").iterdir():
        with suppress(FileNotFoundError):
            sockets.add(each.readlink().name)
    found = []
    for kind in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{process_id}/net/{kind}").read_text().splitlines()[1:]:
            words = line.split()
            if f"socket:[{words[9]}]" in sockets:
                found.append(words[1])
    return found


# ---- what cannot start ----


def test_without_a_database_it_says_where_one_was_looked_for(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "none")
    said = installation.refused("mcp")
    assert f"There is no database {tmp_path}/none/leaseline.db. Set LEASELINE_HOME" in said
    assert not (tmp_path / "none" / "leaseline.db").exists()
    (tmp_path / "none" / "leaseline.db").touch()
    assert "is empty. Set LEASELINE_HOME" in installation.refused("mcp")


def test_an_older_or_newer_database_is_left_alone(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    make_ready(installation)
    for revision, fix in (("0001", "leaseline db upgrade"), ("9999", "Install the newer Leaseline")):
        database = Database(f"sqlite:///{tmp_path / 'leaseline.db'}")
        with database.write() as session:
            session.execute(sa.text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
        database.close()
        assert fix in installation.refused("mcp")
        assert migrations.current(f"sqlite:///{tmp_path / 'leaseline.db'}") == revision


def test_a_database_of_postgresql_is_opened_where_it_has_the_present_schema(postgres: Postgres) -> None:
    url = postgres.books()  # which has every table, and does not say of which revision
    with pytest.raises(Rejected, match="is empty"):
        open_books(url)
    database = Database(url)
    with database.write() as session:
        session.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        session.execute(sa.text("INSERT INTO alembic_version VALUES (:it)"), {"it": migrations.head()})
    database.close()
    books = open_books(url)
    with pytest.raises(DBAPIError, match="read-only"), books.write() as session:
        session.execute(sa.text("DELETE FROM companies"))
    books.close()
    postgres.give_back(url)


def test_a_company_that_is_not_there_is_refused_at_once(started: Started) -> None:
    said = started.installation.refused("mcp", "--company", "palets")
    assert said == "leaseline: There is no company 'palets'. There are: pallets"


def test_without_the_sdk_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)  # as if it were not installed
    assert "pip install 'leaseline[mcp]'" in Installation(tmp_path).refused("mcp")


def test_the_snippet_is_what_an_assistant_reads(tmp_path: Path) -> None:
    told = json.loads(Installation(tmp_path).done("mcp", "--company", "pallets", "--snippet"))
    server = told["mcpServers"]["leaseline"]
    assert server["args"] == ["mcp", "--company", "pallets"]
    assert server["env"] == {"LEASELINE_HOME": str(tmp_path)}
