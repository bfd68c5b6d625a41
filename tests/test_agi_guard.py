"""The guarded FastAGI server against every way in which a peer or an endpoint was seen to go wrong."""

from __future__ import annotations

import asyncio
import resource
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.agi_asterisk import USAGE, Session, header
from support.agi_server import Running, serving

from agi.commands import set_variable
from agi.conversation import Conversation
from agi.guard import Limits, pong

QUICK = Limits(header_seconds=0.3, session_seconds=0.4, sessions=8, waiting=64, closing_seconds=0.2)


async def two_answers(request: Conversation) -> None:
    await set_variable(request, "FIRST", "1")
    reply = await request.send_command('GET VARIABLE "FIRST"')
    await set_variable(request, "SECOND", reply["result"][1])
    await set_variable(request, "LL_OK", "1")


async def careless(request: Conversation) -> None:
    """As two_answers, but goes on after a refusal."""
    await request.send_command("SET VARIABLE NONSENSE")
    await two_answers(request)


async def raising(request: Conversation) -> None:
    raise RuntimeError("a\nlook-up\r\nbroke")


async def hanging(request: Conversation) -> None:
    await asyncio.sleep(30)


ROUTES = {
    "inbound": two_answers,
    "careless": careless,
    "raising": raising,
    "hanging": hanging,
    "ping": pong,
}


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serving(ROUTES, QUICK) as running:
        yield running


def works(server: Running) -> bool:
    with Session(server.port) as session:
        return session.run() == "SUCCESS" and session.variables == {
            "FIRST": "1",
            "SECOND": "1",
            "LL_OK": "1",
        }


def closed(connection: socket.socket) -> bool:
    """Whether the server hung up, within the socket's time-out, without a word or with `failure`."""
    try:
        said = b""
        while part := connection.recv(100):
            said += part
    except ConnectionError:
        return True
    return said in {b"", b"failure\n", b"NOOP\nfailure\n"}  # the last: the bytes asked for `ping`


def test_a_session_sets_its_variables(server: Running) -> None:
    assert works(server)


def test_ping_is_a_session_of_one_command(server: Running) -> None:
    with Session(server.port, "ping") as session:
        assert session.run() == "SUCCESS"
        assert session.channel.commands == ["NOOP"]


@pytest.mark.parametrize("sent", [b"", b"a", b"agi_network: yes\nagi_network_sc"])
@pytest.mark.parametrize("reset", [False, True])
def test_a_peer_that_connects_and_closes_stops_nobody(server: Running, sent: bytes, reset: bool) -> None:
    for _ in range(20):
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.sendall(sent)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    before = time.process_time()
    assert works(server)
    time.sleep(0.2)
    assert time.process_time() - before < 0.15, "the event loop spins"


def test_a_silent_peer_is_closed_at_the_header_deadline(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=3) as connection:
        began = time.monotonic()
        assert closed(connection)
        assert 0.2 < time.monotonic() - began < 1.5


def test_a_header_without_end_is_cut_off(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=3) as connection:
        began = time.monotonic()
        with pytest.raises(OSError):
            while True:
                connection.sendall(b"agi_x: " + b"y" * 4000 + b"\n")
        assert time.monotonic() - began < 2
    assert works(server)


def test_half_a_header_dripping_in_does_not_extend_the_deadline(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.05) as connection:
        began = time.monotonic()
        while time.monotonic() - began < 3:
            try:
                connection.sendall(b"a")
                if not connection.recv(1):
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        assert time.monotonic() - began < 1.5


@pytest.mark.parametrize(
    "head",
    [
        b"\n\n",
        b"nonsense\n\n",
        b"agi_network: yes\n\n",
        header("inbound").replace("Ann Caller", "x\nagi_arg_1: y", 1).encode()[:-1] + b"agi_arg_1: z\n\n",
        header("no-such-route").encode(),
        b"GET / HTTP/1.1\r\nHost: x\r\n\n\n",
        bytes(range(128, 256)) + b"\n\n",
    ],
)
def test_a_malformed_header_or_unknown_route_is_a_failure(server: Running, head: bytes) -> None:
    with Session(server.port, head=head) as session:
        assert session.run() == "FAILURE"
        assert session.variables == {}


def test_a_query_string_and_slashes_do_not_hide_the_route(server: Running) -> None:
    with Session(server.port, head=header("/inbound?a=1&b").encode()) as session:
        assert session.run() == "SUCCESS"
        assert session.variables["LL_OK"] == "1"


def test_a_caller_name_that_is_not_utf_8_does_no_harm(server: Running) -> None:
    head = header("inbound").encode().replace(b"Ann Caller", "J\xf6rg M\xfcller".encode("latin-1"))
    with Session(server.port, head=head) as session:
        assert session.run() == "SUCCESS"
        assert session.variables["LL_OK"] == "1"


def test_hangup_between_command_and_reply_keeps_the_replies_in_step(server: Running) -> None:
    with Session(server.port, answers=lambda _line, proper: "HANGUP\n" + proper) as session:
        assert session.run() == "SUCCESS"
        assert session.variables == {"FIRST": "1", "SECOND": "1", "LL_OK": "1"}


@pytest.mark.parametrize("usage", [USAGE, "520 Invalid command syntax.  Proper usage not available.\n"])
def test_a_usage_text_keeps_the_replies_in_step(server: Running, usage: str) -> None:
    def answer(line: str, proper: str) -> str:
        return usage if "NONSENSE" in line else proper

    with Session(server.port, "careless", answers=answer) as session:
        assert session.run() == "SUCCESS"
        assert session.variables == {"FIRST": "1", "SECOND": "1", "LL_OK": "1"}


def test_trying_is_waited_through(server: Running) -> None:
    with Session(server.port, answers=lambda _line, proper: "100 result=0 Trying...\n" + proper) as session:
        assert session.run() == "SUCCESS"
        assert session.variables["LL_OK"] == "1"


@pytest.mark.parametrize(
    "answer",
    [
        "510 Invalid or unknown command\n", "511 Command Not Permitted on a dead channel\n", USAGE,
        "200 result=-1\n", "garbage\n", "\n", "HANGUP and more\n", "200\n", b"\xff\xfe\n",
        "2" * 20000 + "\n", "520-" + "x\n" * 500,
    ],
    ids=lambda answer: repr(answer[:12]),
)  # fmt: skip
def test_a_refusal_or_nonsense_in_place_of_a_reply_is_a_failure(server: Running, answer: str | bytes) -> None:
    with Session(server.port, answers=lambda _line, _proper: answer) as session:
        assert session.run() in {"FAILURE", "SUCCESS"}  # a reset may overtake the line
        assert "LL_OK" not in session.variables
    assert works(server)


def test_a_peer_that_closes_in_the_middle_is_only_a_failure(server: Running) -> None:
    before = server.guard.counts.failed
    with Session(server.port) as session:
        session.socket.sendall(session.head)
        assert session.socket.recv(100).startswith(b"SET VARIABLE")
    deadline = time.monotonic() + 3
    while server.guard.counts.failed == before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.guard.counts.failed == before + 1
    assert works(server)


def test_an_exception_in_the_endpoint_is_said_to_asterisk(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    with Session(server.port, "raising") as session:
        assert session.run() == "FAILURE"
    lines = [record.getMessage() for record in caplog.records if "RuntimeError" in record.getMessage()]
    assert lines == ["AGI session failed: route=raising RuntimeError: a look-up broke"]


def test_an_endpoint_that_hangs_is_said_to_asterisk_at_the_deadline(server: Running) -> None:
    began = time.monotonic()
    with Session(server.port, "hanging") as session:
        assert session.run() == "FAILURE"
    assert 0.3 < time.monotonic() - began < 1.2


def test_asterisk_that_stops_answering_is_left_at_the_deadline(server: Running) -> None:
    with Session(server.port) as session:
        session.socket.sendall(session.head)
        began = time.monotonic()
        said = b""
        while part := session.socket.recv(100):
            said += part
        assert said.endswith(b"failure\n")
        assert time.monotonic() - began < 1.2


def test_more_sessions_than_allowed_are_refused_at_once_and_the_others_go_on(server: Running) -> None:
    with ExitStack() as stack:
        for _ in range(QUICK.sessions):
            session = stack.enter_context(Session(server.port, "hanging"))
            session.socket.sendall(session.head)
        deadline = time.monotonic() + 2
        while len(server.guard._sessions) < QUICK.sessions and time.monotonic() < deadline:
            time.sleep(0.005)
        began = time.monotonic()
        with Session(server.port) as one_more:
            assert one_more.run() == "FAILURE"
        assert time.monotonic() - began < 0.3
    assert eventually_works(server)


def eventually_works(server: Running) -> bool:
    deadline = time.monotonic() + 2
    while not (good := works(server)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return good


def test_a_thousand_silent_connections_disturb_nobody() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 8192), hard), hard))
    with serving(ROUTES, Limits()) as server, ExitStack() as stack:
        for number in range(1000):
            connection = socket.create_connection(("127.0.0.1", server.port), timeout=5)
            stack.callback(connection.close)
            connection.sendall(b"agi_network: yes\n" if number % 2 else b"")
        took = []
        for _ in range(100):
            began = time.monotonic()
            assert works(server)
            took.append(time.monotonic() - began)
        assert sorted(took)[98] < 0.25


def test_above_the_limit_the_silent_peer_that_waited_longest_goes() -> None:
    limits = Limits(header_seconds=30, waiting=3)
    with serving(ROUTES, limits) as server, ExitStack() as stack:
        first, *others = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=3))
            for _ in range(4)
        ]
        assert closed(first)
        others[0].settimeout(0.2)
        with pytest.raises(TimeoutError):
            others[0].recv(1)
        assert works(server)


def test_stopping_lets_running_sessions_end_and_fails_the_rest() -> None:
    async def slow(request: Conversation) -> None:
        await asyncio.sleep(0.1)
        await set_variable(request, "LL_OK", "1")

    with serving({"slow": slow, "hanging": hanging}, Limits(session_seconds=20)) as server:
        with Session(server.port, "slow") as good, Session(server.port, "hanging") as bad:
            bad.socket.sendall(bad.head)
            good.socket.sendall(good.head)
            while len(server.guard._sessions) < 2:
                time.sleep(0.005)
            stopping = asyncio.run_coroutine_threadsafe(server.guard.stop(0.6), server.loop)
            good.head = bad.head = b""
            assert (good.run(), good.variables) == ("SUCCESS", {"LL_OK": "1"})
            assert bad.run() == "FAILURE"
            stopping.result(3)
        with pytest.raises(ConnectionError):
            socket.create_connection(("127.0.0.1", server.port), timeout=1)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=st.binary(max_size=300), proper_end=st.booleans())
def test_any_bytes_in_place_of_a_header_are_survived(server: Running, sent: bytes, proper_end: bool) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=3) as connection:
        connection.sendall(sent + (b"\n\n" if proper_end else b""))
        connection.shutdown(socket.SHUT_WR)
        assert closed(connection)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(max_size=80).filter(lambda noise: b"\n" not in noise))
def test_any_line_in_place_of_a_reply_never_shifts_the_later_replies(server: Running, noise: bytes) -> None:
    """Only the second command is answered with noise; LL_OK must come from the fourth or not at all."""

    def answer(line: str, proper: str) -> bytes:
        return noise + b"\n" if line.startswith("GET") else proper.encode()

    with Session(server.port, answers=answer) as session:
        session.socket.settimeout(2)
        session.run()
        if "LL_OK" in session.variables:
            assert session.channel.commands[-1] == 'SET VARIABLE "LL_OK" "1"'
            assert len(session.channel.commands) == 4
