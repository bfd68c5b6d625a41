"""A server that stands in for another system: it answers as that one would, and remembers what it was asked.

with stand_in(answer) as server:            # answer(asked) -> Said
    server.url; server.asked; server.said    # `said` are used up first, in turn
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in small letters
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


@dataclass(frozen=True)
class Said:
    """An answer; a body that is no bytes is sent as JSON. With `pause` it waits until that is set.

    One that is said `to` something stands until a request's path ends so.
    """

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    pause: threading.Event | None = None
    to: str = ""


Answer = Callable[[Asked], Said]


@dataclass
class StandIn:
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    down: Said | None = None  # what everybody is told while it is set


@contextmanager
def stand_in(answer: Answer) -> Iterator[StandIn]:
    found, one_at_a_time = StandIn(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, parts.path, query, headers, self.rfile.read(length))
            with one_at_a_time:
                found.asked.append(asked)
                meant = found.said and asked.path.endswith(found.said[0].to)
                said = found.down or (found.said.pop(0) if meant else answer(asked))
            if said.pause is not None:
                said.pause.wait(60)
            body = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
            self.send_response(said.status)
            for name, value in {**said.headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self._take()

        def do_POST(self) -> None:
            self._take()

        def do_PATCH(self) -> None:
            self._take()

        def do_DELETE(self) -> None:
            self._take()

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # who asked did not wait
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
