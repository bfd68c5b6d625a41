"""The way out for Chromium while it looks at somebody's page: each address is judged as a webhook's is.

    with guarded(networks, "calls.example:443") as flags: ...      # flags for Chromium

A page may lead, embed and fetch what it likes, and its name may lead elsewhere a second later. So the browser
gets no way out but this proxy, which looks each name up once and connects to what it has judged.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from socketserver import BaseRequestHandler, ThreadingTCPServer
from urllib.parse import urlsplit

from tracker.outside import Trouble, reach, way_of
from tracker.policy.telling import is_web_port

SECONDS = 15.0  # for a connection, and for each silence
MOST_BYTES = 200_000_000  # of everything together
_HEAD, _PART = 65_536, 65_536
_HOP = re.compile(rb"^(?:proxy-[a-z-]+|connection|keep-alive):[^\r\n]*\r\n", re.IGNORECASE | re.MULTILINE)
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,9})[ \t]*\r\n", re.IGNORECASE | re.MULTILINE)


class _Proxy(ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, networks: Sequence[str], own: str) -> None:
        super().__init__(("127.0.0.1", 0), _Browser)
        self.networks, self.own = networks, own
        self.left = MOST_BYTES

    def reach(self, host: str, port: int) -> socket.socket:
        """Raises Trouble, OSError. Pages, unlike webhooks, may be plain http."""
        if f"{host}:{port}" == self.own:
            return socket.create_connection((host, port), timeout=SECONDS)
        if not is_web_port(port):
            raise Trouble("No web server answers at that port")
        until = time.monotonic() + SECONDS
        return reach("https", host, port, self.networks, seconds=SECONDS, until=until)


class _Browser(BaseRequestHandler):
    """One connection of the browser: one tunnel, or one request."""

    server: _Proxy
    request: socket.socket

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            self.request.settimeout(SECONDS)
            head, body = self._head()
            method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
            target = rest.rpartition(" ")[0]
            try:
                there, first = self._ask(method, target, head)
            except (Trouble, OSError, ValueError) as no:
                refused = HTTPStatus.FORBIDDEN if isinstance(no, Trouble) else HTTPStatus.BAD_GATEWAY
                said = f"HTTP/1.1 {refused.value} {refused.phrase}\r\n"
                self.request.sendall(said.encode() + b"Content-Length: 0\r\nConnection: close\r\n\r\n")
                return
            with there:
                there.settimeout(SECONDS)
                there.sendall(first)
                self._relay(there, body, None if method == "CONNECT" else _length_of(head))

    def _head(self) -> tuple[bytes, bytes]:
        head = b""
        while b"\r\n\r\n" not in head and len(head) < _HEAD:
            part = self.request.recv(_PART)
            if not part:
                raise ConnectionError
            head += part
        head, end, body = head.partition(b"\r\n\r\n")
        return head + end, body

    def _ask(self, method: str, target: str, head: bytes) -> tuple[socket.socket, bytes]:
        """The connection, and what is sent first over it. Raises Trouble, OSError, ValueError."""
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        port = parts.port or 80
        there = self.server.reach(parts.hostname or "", port)
        if method == "CONNECT":
            self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            return there, b""
        fields = _HOP.sub(b"", head.partition(b"\r\n")[2])
        first = f"{method} {way_of(target)} HTTP/1.1\r\nConnection: close\r\n"
        return there, first.encode("latin-1") + fields

    def _relay(self, there: socket.socket, body: bytes, length: int | None) -> None:
        """Both ways until either side has ended; of a request no more goes there than belongs to it."""
        up = threading.Thread(target=self._copy, args=(self.request, there, body, length), daemon=True)
        up.start()
        self._copy(there, self.request, b"", None)
        for each in (there, self.request):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        up.join(SECONDS)

    def _copy(self, source: socket.socket, into: socket.socket, first: bytes, length: int | None) -> None:
        with contextlib.suppress(OSError):
            part = first if length is None else first[:length]
            left = length
            while True:
                into.sendall(part)
                self.server.left -= len(part)
                left = None if left is None else left - len(part)
                if self.server.left <= 0 or left == 0:
                    return
                part = source.recv(_PART if left is None else min(_PART, left))
                if not part:
                    return


def _length_of(head: bytes) -> int:
    found = _LENGTH.search(head)
    return int(found[1]) if found else 0


@contextmanager
def guarded(networks: Sequence[str], own: str) -> Iterator[Sequence[str]]:
    """Flags with which Chromium has no other way out. `own`, HOST:PORT of our own page, is let through."""
    with _Proxy(networks, own) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield (
                f"--proxy-server=http://127.0.0.1:{proxy.server_address[1]}",
                "--proxy-bypass-list=<-loopback>",  # it would ask this machine by itself
                "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
                "--disable-quic",
            )
        finally:
            proxy.shutdown()
            thread.join()
