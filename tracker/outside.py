"""Asking another system over HTTP: time limits, no redirects, TLS verified, an address looked at first.

The name is looked up once, and the connection goes to the address that was judged: nobody can answer
differently in between.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tracker.policy.telling import address_problem, url_problem

SECONDS = 10.0  # for the connection, and for each part of the answer
WHOLE = 3  # times that, for all of it
READ = 262_144  # bytes of an answer that are read


class Trouble(Exception):
    """Nothing came back, for a reason that a person can read. `final`: nor would it the next time."""

    def __init__(self, text: str, *, final: bool = False) -> None:
        super().__init__(text)
        self.final = final


@dataclass(frozen=True)
class Reply:
    """What was answered. Header names are in small letters."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body, as far as a person can read it."""
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """The body as JSON; an empty object where it is none."""
        try:
            return json.loads(self.body or b"{}")
        except ValueError:
            return {}

    def shown(self) -> str:
        """One line of it: "400 Bad Request · {…"."""
        said = "".join(each if each.isprintable() else " " for each in self.text[:2000]).strip()[:200]
        line = " ".join(part for part in (str(self.status), self.reason, f"· {said}" if said else "") if part)
        return f"{line} · redirects are not followed" if 300 <= self.status < 400 else line


def ask(
    method: str,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allowed: Sequence[str],
    read: int = READ,
    seconds: float = SECONDS,
) -> Reply:
    """Send a request, and what came back. `allowed` are networks of the house. Raises Trouble.

    The connection and each part of the answer may take so many seconds, all of it three times as many.
    """
    if problem := url_problem(url):
        raise Trouble(str(problem), final=True)
    until = time.monotonic() + WHOLE * seconds
    try:
        with connected(url, allowed, seconds, WHOLE * seconds) as connection:
            usual = {"User-Agent": "Leaseline", "Connection": "close"}
            connection.request(method, way_of(url), body, {**usual, **headers})
            with contextlib.closing(connection.getresponse()) as response:
                told = {name.lower(): value for name, value in response.getheaders()}
                body = response.read(read)
                if time.monotonic() >= until:  # it was cut, and nobody knows where
                    raise TimeoutError
                return Reply(response.status, response.reason, told, body)
    except (OSError, http.client.HTTPException) as trouble:
        raise Trouble(in_words(trouble, seconds)) from trouble


@contextlib.contextmanager
def connected(
    url: str, allowed: Sequence[str], seconds: float, whole_seconds: float
) -> Iterator[http.client.HTTPConnection]:
    """A connection to an address that was judged, cut at last whatever comes.

    Raises Trouble, OSError, http.client.HTTPException.
    """
    until = time.monotonic() + whole_seconds
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    plain = reach(parts.scheme, host, port, allowed, seconds=seconds, until=until)
    held = _secured(plain, host) if secure else plain  # wrapped, `plain` is no connection any more
    connection = http.client.HTTPConnection(host, port, timeout=seconds)
    try:
        with cut_after(lambda: held, until - time.monotonic()):
            if isinstance(held, ssl.SSLSocket):
                held.do_handshake()
            connection.sock = held
            yield connection
    finally:
        connection.close()
        held.close()


def way_of(url: str) -> str:
    """What is asked for at an address's host: path and query."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def reach(
    scheme: str, host: str, port: int, allowed: Sequence[str], *, seconds: float, until: float
) -> socket.socket:
    """A bare connection to an address of that name, which was looked up once and judged.

    If one of its addresses is forbidden, all are: whoever gave it is not to be trusted.
    Raises Trouble, OSError.
    """
    addresses = _found(host, port, seconds)
    for address in addresses:
        if problem := address_problem(scheme, address, allowed):
            raise Trouble(problem)
    for place, address in enumerate(addresses, start=1):
        left = min(seconds, until - time.monotonic())
        try:
            if left <= 0:
                raise TimeoutError
            return socket.create_connection((address, port), timeout=left)
        except OSError:
            if place == len(addresses) or left <= 0:
                raise
    raise Trouble("That name has no address")


def _found(host: str, port: int, seconds: float) -> list[str]:
    """A name's addresses, in time: the system's own look-up takes as long as somebody's name server likes."""
    told: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def look() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            told.put(list(dict.fromkeys(str(each[4][0]) for each in found)))
        except (OSError, UnicodeError) as trouble:
            told.put(trouble)

    threading.Thread(target=look, daemon=True, name="name").start()
    try:
        answer = told.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, UnicodeError):  # a part that is empty, or longer than 63 letters
        raise Trouble("That is no name of a machine", final=True)
    if isinstance(answer, Exception):
        raise answer
    return answer


def _secured(plain: socket.socket, host: str) -> ssl.SSLSocket:
    """TLS with the certificate of the name, whatever address the connection goes to."""
    context = ssl.create_default_context()
    return context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)


@contextlib.contextmanager
def cut_after(find: Callable[[], socket.socket | None], seconds: float) -> Iterator[None]:
    """A trickle of bytes is no answer: whoever reads from the connection then sees its end, beneath TLS."""

    def cut() -> None:
        if (connection := find()) is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, seconds), cut)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def in_words(trouble: Exception, seconds: float = SECONDS) -> str:
    """What went wrong on the way, for a person."""
    if isinstance(trouble, TimeoutError):
        return f"No answer within {seconds:g} s"
    if isinstance(trouble, ssl.SSLCertVerificationError):
        return f"Its certificate is not valid: {trouble.verify_message}"
    detail: Any = getattr(trouble, "strerror", None) or trouble
    return f"{trouble.__class__.__name__}: {detail}"
