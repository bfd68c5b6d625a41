"""The whole process: starts, answers, keeps the list, stops; and the one-shot actions beside it."""

from __future__ import annotations

import asyncio
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from support.agi_asterisk import Session
from support.facts import add_pallets
from support.fake_ami import FakeAmi, Message
from support.ports import free_port

from agi import server
from agi.asking import ask_asterisk
from agi.oneshot import ask
from tracker.database import Database
from tracker.errors import Rejected
from tracker.live import agi_answers
from tracker.models import Call, Node
from tracker.settings import CHECKOUT, Settings

PROGRAM = """
import sys
from pathlib import Path
from tracker.settings import Settings
from agi import server
server.run(Settings(home=Path(sys.argv[1]), database_url=sys.argv[2], agi_port=int(sys.argv[3]),
                    ami_port=int(sys.argv[4]), ami_secret="a-secret-of-ours"))
"""


@contextmanager
def process(home: Path, database: Database, port: int) -> Iterator[subprocess.Popen[bytes]]:
    url = database.url.render_as_string(hide_password=False)
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(home), url, str(port), str(free_port())],
        cwd=CHECKOUT,
        stderr=subprocess.DEVNULL,
    ) as running:
        try:
            deadline = time.monotonic() + 20
            while not agi_answers("127.0.0.1", port, 0.5):
                assert running.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield running
        finally:
            running.kill()


def question(now: datetime, call: str = "call-1") -> list[str]:
    at = f"{now.timestamp():.3f}"
    return [call, "+74951234567", "+4915112345678", "allowed", "trunk-1", at, "u-1.1", "u-1.1", "main"]


def test_it_answers_and_stops_at_sigterm_with_everything_written(sqlite: Database, tmp_path: Path) -> None:
    now, port = datetime.now(UTC), free_port()
    with sqlite.write() as session:
        add_pallets(session, now)
    with process(tmp_path, sqlite, port) as running:
        with Session(port, "inbound", question(now)) as call:
            assert call.run() == "SUCCESS"
        running.send_signal(signal.SIGTERM)
        assert running.wait(5) == 0
    with sqlite.read() as session:
        assert session.scalars(sa.select(Call.key)).all() == ["call-1"]
        node = session.scalars(sa.select(Node)).one()
        assert not node.ami_up


def test_hundreds_of_half_open_connections_leave_calls_unaffected(sqlite: Database, tmp_path: Path) -> None:
    now, port = datetime.now(UTC), free_port()
    with sqlite.write() as session:
        add_pallets(session, now)
    with process(tmp_path, sqlite, port):
        idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(400)]
        for each in idle[::2]:
            each.sendall(b"agi_network")
        for number in range(20):
            with Session(port, "inbound", question(now, f"call-{number}")) as call:
                assert call.run() == "SUCCESS"
        for each in idle:
            each.close()


def test_a_database_that_hangs_at_the_end_does_not_keep_the_process(sqlite: Database, tmp_path: Path) -> None:
    now, port = datetime.now(UTC), free_port()
    with sqlite.write() as session:
        add_pallets(session, now)
    with process(tmp_path, sqlite, port) as running, sqlite.write() as session:
        session.connection()  # takes the writer's place
        with Session(port, "inbound", question(now)) as call:
            assert call.run() == "SUCCESS"
        running.send_signal(signal.SIGTERM)
        assert running.wait(8) == 0


def test_a_taken_port_is_said_in_one_sentence(sqlite: Database, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        settings = Settings(
            home=tmp_path,
            database_url=sqlite.url.render_as_string(),
            agi_port=holder.getsockname()[1],
            ami_port=free_port(),
        )
        with pytest.raises(Rejected, match="cannot listen") as refused:
            asyncio.run(server.serve(settings))
    assert refused.value.id == "agi.port"


@contextmanager
def fake_ami(**answers: list[Message]) -> Iterator[FakeAmi]:
    """The fake in a loop of its own: what asks it is another process."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> FakeAmi:
        ami = FakeAmi()
        ami.answers |= answers
        await ami.listen()
        return ami

    ami = asyncio.run_coroutine_threadsafe(start(), loop).result(5)
    try:
        yield ami
    finally:
        asyncio.run_coroutine_threadsafe(ami.cut(listening=False), loop).result(5)
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.01), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def manager_at(port: int) -> Settings:
    return Settings(ami_port=port, ami_secret="a-secret-of-ours")


def test_a_one_shot_action_gives_the_whole_list() -> None:
    listed = [
        {"Response": "Success", "EventList": "start", "Message": "A listing follows"},
        *({"Event": "EndpointList", "ObjectName": f"trunk-{number}"} for number in range(50)),
        {"Event": "EndpointListComplete", "EventList": "Complete", "ListItems": "50"},
    ]
    with fake_ami(PJSIPShowEndpoints=listed) as ami:
        answer = ask(manager_at(ami.port), "PJSIPShowEndpoints")
        assert [each["ObjectName"] for each in answer[1:-1]] == [f"trunk-{number}" for number in range(50)]
        assert ask(manager_at(ami.port), "Ping")[0]["Ping"] == "Pong"
        assert ami.received[0]["Secret"] == "a-secret-of-ours"


def test_what_asterisk_refuses_is_told_with_its_reason() -> None:
    with fake_ami() as ami:
        with pytest.raises(Rejected, match="Permission denied") as refused:
            ask(manager_at(ami.port), "Originate")
        assert refused.value.id == "ami.refused"
        ami.refuses_logins = True
        with pytest.raises(Rejected, match="Authentication failed") as refused:
            ask(manager_at(ami.port), "Ping")
        assert refused.value.id == "ami.login"


def test_a_refusal_that_comes_with_the_end_of_the_link_is_still_read() -> None:
    class Closed:
        """pyst2's link where Asterisk answered and hung up before `flush`."""

        def __init__(self, *answers: SimpleNamespace) -> None:
            self._response_queue: queue.Queue[SimpleNamespace] = queue.Queue()
            for answer in answers:
                self._response_queue.put(answer)

        def register_event(self, name: str, function: object) -> None: ...

        def connect(self, host: str, port: int) -> None: ...

        def send_action(self, fields: dict[str, str]) -> None:
            raise ValueError("I/O operation on closed file.")

    question = {"host": "127.0.0.1", "port": 5038, "username": "leaseline", "secret": "s", "fields": {}}
    refusal = SimpleNamespace(headers={"Response": "Error", "Message": "Authentication failed"}, data="")
    assert ask_asterisk(Closed(refusal), question) == {"error": "login", "message": "Authentication failed"}
    assert ask_asterisk(Closed(), question) == {
        "error": "unreachable",
        "message": "it hung up without an answer",
    }


def test_an_asterisk_that_is_away_or_silent_is_told_within_the_deadline() -> None:
    with pytest.raises(Rejected, match="refused") as away:
        ask(manager_at(free_port()), "Ping")
    assert away.value.id == "ami.unreachable"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(Rejected) as late:
            ask(manager_at(silent.getsockname()[1]), "Ping", seconds=0.6)
        assert late.value.id == "ami.timeout"
        assert time.monotonic() - began < 2


def test_a_line_break_never_reaches_asterisk() -> None:
    with pytest.raises(Rejected, match="line break"):
        ask(replace(manager_at(free_port())), "Ping", Variable="a\r\nAction: Originate")


def test_the_secret_is_in_no_process_list() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        asking = threading.Thread(target=quietly, args=(silent.getsockname()[1],))
        asking.start()
        silent.accept()[0].close()
        shown = subprocess.run(["ps", "-eo", "args"], capture_output=True, check=True).stdout
        asking.join()
    assert b"agi.asking" in shown
    assert b"a-secret-of-ours" not in shown


def quietly(port: int) -> None:
    with pytest.raises(Rejected):
        ask(manager_at(port), "Ping", seconds=1)
