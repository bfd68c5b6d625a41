"""Every way a FastAGI server can fail a caller, each on a port of its own; processes frozen, links cut.

with broken("hangs") as port:
    house.apply(agi_port=port)
"""

from __future__ import annotations

import os
import signal
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from support.ports import free_port

LOOPBACK = "127.0.0.1"


@contextmanager
def broken(how: str) -> Iterator[int]:
    """The port of a server that fails in that way: one of WAYS."""
    with WAYS[how]() as port:
        yield port


@contextmanager
def _refuses() -> Iterator[int]:
    """Nobody listens."""
    yield free_port()


@contextmanager
def _swallows() -> Iterator[int]:
    """No answer to a SYN: the queue of accepted connections is full, and the kernel drops the rest."""
    waiting: list[socket.socket] = []
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        listener.listen(0)
        try:
            while _connects(listener.getsockname(), waiting):
                pass
            yield listener.getsockname()[1]
        finally:
            for each in waiting:
                each.close()


def _connects(address: tuple[str, int], waiting: list[socket.socket]) -> bool:
    waiting.append(socket.socket())
    waiting[-1].settimeout(0.3)
    try:
        waiting[-1].connect(address)
    except TimeoutError:
        return False
    return True


def _served(session: Callable[[socket.socket, threading.Event], None]) -> Callable[[], Iterator[int]]:
    """A server that does `session` with every connection."""

    def serve() -> Iterator[int]:
        over = threading.Event()

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with suppress(OSError):
                    session(self.request, over)

        class Server(socketserver.ThreadingTCPServer):
            request_queue_size = 64

        with Server((LOOPBACK, 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            try:
                yield int(server.server_address[1])
            finally:
                over.set()
                server.shutdown()
                thread.join()

    return serve


def _closes(_connection: socket.socket, _over: threading.Event) -> None:
    """Accepts and closes: AGISTATUS is SUCCESS all the same."""


def _says_failure(connection: socket.socket, _over: threading.Event) -> None:
    connection.recv(8192)
    connection.sendall(b"failure\n")


def _hangs(_connection: socket.socket, over: threading.Event) -> None:
    over.wait()


def _dies(connection: socket.socket, _over: threading.Event) -> None:
    """Says half of what it meant to say, all of it wrong, then is gone with a reset."""
    connection.recv(8192)
    for command in (b'SET VARIABLE LL_RINGS "999999:3"\n', b'SET VARIABLE LL_RECORD "0"\n'):
        connection.sendall(command)
        connection.recv(200)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _hangs_halfway(connection: socket.socket, over: threading.Event) -> None:
    connection.recv(8192)
    connection.sendall(b'SET VARIABLE LL_RINGS "999999:3"\n')
    over.wait()


def _babbles(connection: socket.socket, over: threading.Event) -> None:
    """Nonsense without end."""
    while not over.is_set():
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" * 10)
        connection.recv(8192)


WAYS = {
    "refuses": _refuses,
    "swallows the SYN": _swallows,
    "closes at once": contextmanager(_served(_closes)),
    "says failure": contextmanager(_served(_says_failure)),
    "accepts and hangs": contextmanager(_served(_hangs)),
    "dies in mid session": contextmanager(_served(_dies)),
    "hangs in mid session": contextmanager(_served(_hangs_halfway)),
    "talks nonsense": contextmanager(_served(_babbles)),
}


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a process (SIGSTOP) and let it go on afterwards, if it still exists."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def cpu_seconds(pid: int) -> float:
    """What the process has used so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Wire:
    """A way for TCP connections to `port`, that can be cut without either end being told."""

    def __init__(self, port: int, towards: int) -> None:
        self._towards = towards
        self._up = threading.Event()
        self._up.set()
        self._over = False
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server((LOOPBACK, port))
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def cut(self) -> None:
        self._up.clear()

    def mend(self) -> None:
        self._up.set()

    def close(self) -> None:
        self._over = True
        self._up.set()
        for each in (self._listener, *self._ends):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self._ends.append(near)
                self._up.wait()
                if self._over:
                    return
                far = socket.create_connection((LOOPBACK, self._towards))
                self._ends.append(far)
                for ends in ((near, far), (far, near)):
                    self._threads.append(threading.Thread(target=self._carry, args=ends))
                    self._threads[-1].start()

    def _carry(self, end: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := end.recv(65536):
                self._up.wait()
                other.sendall(data)
        with suppress(OSError):
            other.shutdown(socket.SHUT_WR)
