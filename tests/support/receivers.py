"""What stands outside our machine and is told: a mail server and a webhook's, on free ports of this one.

with mailbox() as box: ...     # box.port; box.letters as (to, EmailMessage); box.replies says what it refuses
with hook() as server: ...     # server.url; server.heard as (headers, body); server.answers in turn
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Mailbox:
    """A mail server (RFC 5321, as little of it as smtplib needs)."""

    port: int = 0
    letters: list[tuple[str, EmailMessage]] = field(default_factory=list)
    replies: dict[str, list[str]] = field(default_factory=dict)  # by command, used up in turn

    def reply(self, word: str) -> str:
        """What is answered to a command."""
        meant = self.replies.get(word)
        return meant.pop(0) if meant else {"DATA": "354 go on", "QUIT": "221 bye"}.get(word, "250 ok")

    def take(self, to: str, letter: EmailMessage) -> None:
        self.letters.append((to, letter))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example\r\n")
        to = ""
        while line := (await reader.readline()).decode().strip():
            word = line.split(" ", 1)[0].upper()
            if word == "RCPT":
                to = line.partition("<")[2].rstrip(">")
            reply = self.reply(word)
            writer.write(reply.encode() + b"\r\n")
            if word == "DATA" and reply.startswith("354"):
                raw = await reader.readuntil(b"\r\n.\r\n")
                said = email.message_from_bytes(
                    raw[:-5].replace(b"\r\n..", b"\r\n."), policy=email.policy.default
                )
                self.take(to, said)
                writer.write(b"250 taken\r\n")
            if word == "QUIT":
                break
        writer.close()


@contextmanager
def mailbox(given: Mailbox | None = None) -> Iterator[Mailbox]:
    box, ready, loop = given or Mailbox(), threading.Event(), asyncio.new_event_loop()

    async def run() -> None:
        server = await asyncio.start_server(box.serve, "127.0.0.1", 0)
        box.port = server.sockets[0].getsockname()[1]
        ready.set()
        async with server:
            await stop.wait()

    stop = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    assert ready.wait(10)
    try:
        yield box
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


@dataclass(frozen=True)
class Reply:
    """What the webhook's server answers: after `pause` seconds, or, with `trickle`, a byte now and then."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    pause: threading.Event | None = None  # waits until it is set


@dataclass
class Hook:
    """A webhook's server; `answers` are used up in turn, then it says 200."""

    url: str = ""
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[Reply] = field(default_factory=list)


@contextmanager
def hook() -> Iterator[Hook]:
    found = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
            reply = found.answers.pop(0) if found.answers else Reply()
            if reply.pause is not None:
                reply.pause.wait(60)
            self.send_response(reply.status)
            for name, value in (*reply.headers, ("Content-Length", "5")):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def until(what: Callable[[], object], seconds: float = 30) -> None:
    """Waits until it is true."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)
