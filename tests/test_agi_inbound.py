"""The route `inbound`, from Asterisk's question to the row in the books."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session as DatabaseSession
from support.agi_asterisk import Session, header
from support.agi_server import Running, serving
from support.facts import Pallets, add_pallets, started
from support.postgres import Postgres

from agi.guard import Endpoint, Limits
from agi.inbound import Unanswerable, inbound_route, started_from
from agi.readers import Late, Readers
from agi.writer import Writer
from tracker.database import Database
from tracker.models import Base, Call, Forwarding, Number
from tracker.policy.facts import Presentation

ARGUMENTS = {
    "call": "4c71ac0f-74c2-4efe-823f-82edce7c5379",
    "did": "+74951234567",
    "caller": "+4915112345678",
    "presentation": "allowed_not_screened",
    "trunk": "trunk-1",
    "at": "1795176000.123",  # 2026-11-20 12:00 UTC
    "uniqueid": "main-1795176000.7",
    "linkedid": "main-1795176000.7",
    "node": "main",
}


@dataclass
class House:
    server: Running
    readers: Readers
    writer: Writer
    pallets: Pallets

    def ring(self, **changed: str) -> tuple[str, dict[str, str]]:
        with Session(self.server.port, "inbound", list((ARGUMENTS | changed).values())) as session:
            return session.run(), session.variables

    def written(self) -> bool:
        return self.server.call(lambda: self.writer.flush(3))


@contextmanager
def house(database: Database, now: datetime, **reading: float) -> Iterator[House]:
    with database.write() as session:
        pallets = add_pallets(session, now)
    asked = Database(database.url.render_as_string(hide_password=False), wait_seconds=0.2, connections=2)
    parts: list[tuple[Readers, Writer, asyncio.Task[None]]] = []

    def routes() -> dict[str, Endpoint]:
        readers = Readers(asked, threads=2, seconds=reading.get("seconds", 0.3))
        writer = Writer(database, queue=5)
        parts.append((readers, writer, asyncio.get_running_loop().create_task(writer.run())))
        return {"inbound": inbound_route(readers, writer)}

    with serving(routes, Limits(session_seconds=reading.get("session_seconds", 0.7))) as server:
        readers, writer, task = parts[0]
        yield House(server, readers, writer, pallets)
        server.loop.call_soon_threadsafe(task.cancel)
        server.call(lambda: asyncio.wait([task]))
    readers.close()
    writer.close()
    asked.close()


def test_a_call_gets_its_plan_and_its_row(database: Database, now: datetime) -> None:
    with house(database, now) as it:
        status, variables = it.ring()
        assert status == "SUCCESS"
        rings = f"{it.pallets.office_id}:25-{it.pallets.mobile_id}:25"
        assert variables == {"LL_PLAN": "", "LL_RINGS": rings, "LL_RECORD": "1", "LL_OK": "1"}
        assert list(variables)[-1] == "LL_OK"
        assert it.written()
    with database.read() as session:
        call = session.scalars(sa.select(Call)).one()
        assert call.key == ARGUMENTS["call"]
        assert call.seen_by_agi
        assert call.channel_id == it.pallets.billboard_channel_id
        assert call.started_at == now + timedelta(milliseconds=123)
        assert call.caller == "+4915112345678"
        assert call.caller_name == "Ann Caller"


def test_the_same_question_twice_is_one_call(database: Database, now: datetime) -> None:
    with house(database, now) as it:
        it.ring()
        it.ring()
        assert it.written()
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Call)) == 1


def test_a_number_that_is_not_to_be_recorded_is_not(sqlite: Database, now: datetime) -> None:
    with house(sqlite, now) as it:
        with sqlite.write() as session:
            session.execute(sa.update(Number).values(record=False))
        assert it.ring()[1]["LL_RECORD"] == "0"


@pytest.mark.parametrize(
    "changed",
    [
        {"did": "+74950000000"},
        {"did": "74951234567"},
        {"did": ""},
        {"call": ""},
        {"call": "x" * 41},
        {"call": "a;b"},
        {"at": "yesterday"},
        {"at": "1e9"},
        {"trunk": "trunk-x"},
        {"node": "../x"},
        {"presentation": "$(id)"},
        {"caller": "+49<script>"},
    ],
    ids=str,
)
def test_a_question_that_cannot_be_answered_fails_and_sets_nothing(
    sqlite: Database, now: datetime, changed: dict[str, str]
) -> None:
    with house(sqlite, now) as it:
        assert it.ring(**changed) == ("FAILURE", {})


def test_a_number_without_forwarding_is_left_to_the_rendered_plan(sqlite: Database, now: datetime) -> None:
    with house(sqlite, now) as it:
        with sqlite.write() as session:
            session.execute(sa.delete(Forwarding))
        assert it.ring() == ("FAILURE", {})


def test_a_locked_database_costs_the_caller_only_the_deadline(sqlite: Database, now: datetime) -> None:
    with house(sqlite, now) as it:
        with locked(sqlite):
            began = time.monotonic()
            assert it.ring() == ("FAILURE", {})
            assert time.monotonic() - began < 0.6
        assert it.ring()[0] == "SUCCESS"


@contextmanager
def locked(database: Database) -> Iterator[None]:
    """Nobody else may even read."""
    database.engine.dispose()
    connection = sqlite3.connect(str(database.url.database), timeout=5)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("CREATE TABLE IF NOT EXISTS lock (x)")
        yield
    finally:
        connection.rollback()
        connection.close()


def test_a_stopped_database_fails_every_call_in_time_and_comes_back(now: datetime) -> None:
    cluster = Postgres()
    try:
        database = Database(cluster.url(), wait_seconds=1)
        Base.metadata.create_all(database.engine)
        with house(database, now) as it:
            assert it.ring()[0] == "SUCCESS"
            assert it.written()
            cluster.stop()
            began = time.monotonic()
            threads = threading.active_count()
            for _ in range(5):
                assert it.ring() == ("FAILURE", {})
            assert time.monotonic() - began < 4
            assert threading.active_count() <= threads + 2
            options = f"-p {cluster.port} -k {cluster.folder} -h 127.0.0.1"
            cluster._run("pg_ctl", "-D", "data", "-l", "log", "-o", options, "-w", "start")
            assert it.ring(call="call-after")[0] == "SUCCESS"
            assert it.written()
        with database.read() as session:
            assert session.scalar(sa.select(Call.seen_by_agi).where(Call.key == "call-after"))
        database.close()
    finally:
        cluster.close()


def stuck(release: threading.Event) -> Callable[[DatabaseSession], None]:
    """A question that the database never answers."""

    def question(_session: DatabaseSession) -> None:
        release.wait(10)

    return question


def test_readers_that_are_all_stuck_fail_at_once_and_recover(sqlite: Database, now: datetime) -> None:
    release = threading.Event()

    async def scenario() -> None:
        readers = Readers(sqlite, threads=2, seconds=0.1)
        slow = [asyncio.create_task(readers.ask(stuck(release))) for _ in range(5)]
        results = await asyncio.gather(*slow, return_exceptions=True)
        assert {type(result) for result in results} == {Late}
        assert readers.stuck == 2
        began = time.monotonic()
        with pytest.raises(Late, match="hangs"):
            await readers.ask(lambda _session: 1)
        assert time.monotonic() - began < 0.05
        release.set()
        while readers.stuck:  # noqa: ASYNC110  (nothing tells that a thread is free again)
            await asyncio.sleep(0.005)
        assert [await readers.ask(lambda _session: 1) for _ in range(10)] == [1] * 10
        readers.close()

    asyncio.run(scenario())


def test_many_questions_at_once_are_all_answered_by_few_threads(sqlite: Database, now: datetime) -> None:
    async def scenario() -> None:
        readers = Readers(sqlite, threads=2, seconds=5)
        answers = await asyncio.gather(
            *(readers.ask(lambda session: session.scalar(sa.text("SELECT 1"))) for _ in range(200))
        )
        assert answers == [1] * 200
        assert readers.stuck == 0
        readers.close()

    asyncio.run(scenario())


def test_a_writer_batches_and_drops_what_does_not_fit(
    sqlite: Database, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    with sqlite.write() as session:
        pallets = add_pallets(session, now)

    async def scenario() -> Writer:
        writer = Writer(sqlite, queue=5)
        for number in range(8):
            writer.put(started(pallets.billboard, now, call=f"call-{number}"))
        task = asyncio.create_task(writer.run())
        assert await writer.flush(3)
        task.cancel()
        writer.close()
        return writer

    writer = asyncio.run(scenario())
    assert (writer.written, writer.dropped) == (5, 3)
    assert "the queue is full" in caplog.text
    with sqlite.read() as session:
        assert session.scalars(sa.select(Call.seen_by_agi)).all() == [True] * 5


def test_a_writer_whose_database_is_locked_drops_and_goes_on(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        pallets = add_pallets(session, now)
    impatient = Database(sqlite.url.render_as_string(), wait_seconds=0.1, connections=1)

    async def scenario() -> Writer:
        writer = Writer(impatient)
        task = asyncio.create_task(writer.run())
        with sqlite.write() as session:
            session.connection()  # takes the writer's place
            writer.put(started(pallets.billboard, now, call="lost-to-the-spool"))
            assert await writer.flush(3)
        writer.put(started(pallets.billboard, now, call="written"))
        assert await writer.flush(3)
        task.cancel()
        writer.close()
        return writer

    writer = asyncio.run(scenario())
    impatient.close()
    assert (writer.written, writer.dropped) == (1, 1)


def test_fifty_calls_at_once_are_all_answered(sqlite: Database, now: datetime) -> None:
    with house(sqlite, now, seconds=5, session_seconds=5) as it, ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(lambda number: it.ring(call=f"call-{number}")[0], range(50)))
    assert answers == ["SUCCESS"] * 50


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("allowed", Presentation.ALLOWED),
        ("allowed_passed_screen", Presentation.ALLOWED),
        ("prohib_not_screened", Presentation.WITHHELD),
        ("unavailable", Presentation.UNAVAILABLE),
        ("", Presentation.UNAVAILABLE),
    ],
)
def test_what_the_caller_allows_is_understood(said: str, meant: Presentation) -> None:
    assert started_from(headers(presentation=said)).presentation is meant


def test_the_fact_is_what_the_spool_line_says_too() -> None:
    fact = started_from(headers())
    assert fact.at == datetime(2026, 11, 20, 12, 0, 0, 123000, tzinfo=UTC)
    assert (fact.dialled, fact.trunk_id, fact.caller_name) == ("84951234567", 1, "Ann Caller")
    assert started_from(headers(trunk="")).trunk_id is None
    assert started_from(headers() | {"agi_calleridname": "unknown"}).caller_name == ""
    assert started_from(headers() | {"agi_dnid": "unknown"}).dialled == "+74951234567"


def test_a_missing_argument_is_named() -> None:
    given = headers()
    del given["agi_arg_6"]
    with pytest.raises(Unanswerable, match="argument at"):
        started_from(given)


@pytest.mark.parametrize(
    "key", ["6bb3bcca-f47d-512d-bb70-fe06d6ea942c", "1795176000.12-123456", "pbx-1795176000.12-123456"]
)
def test_a_key_is_understood_whichever_asterisk_minted_it(key: str) -> None:
    """As dialplan.render has it: by UUID(), or before 20.12 of UNIQUEID, which has a dot."""
    assert started_from(headers(call=key)).call == key


def headers(**changed: str) -> dict[str, str]:
    text = header("inbound", list((ARGUMENTS | changed).values()))
    return dict(line.split(": ", 1) for line in text.strip().split("\n") if ": " in line)
