"""Asking another system over HTTP: time limits, no redirects, TLS verified, an address looked at first.

The name is looked up once, and the connection goes to the address that was judged: nobody can answer
differently in between.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
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
    try:
        with _connected(url, allowed, seconds) as connection:
            parts = urlsplit(url)
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            usual = {"User-Agent": "Leaseline", "Connection": "close"}
            connection.request(method, path, body, {**usual, **headers})
            response = connection.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, response.reason, told, response.read(read))
    except (OSError, http.client.HTTPException) as trouble:
        raise Trouble(_in_words(trouble, seconds)) from trouble


@contextlib.contextmanager
def _connected(url: str, allowed: Sequence[str], seconds: float) -> Iterator[http.client.HTTPConnection]:
    """A connection to an address that was judged, cut at last whatever comes."""
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    plain = _connect(_judged(parts.scheme, host, port, allowed), port, seconds)
    cut = threading.Timer(WHOLE * seconds, _cut, [plain])  # a trickle of bytes is no answer
    cut.start()
    connection = http.client.HTTPConnection(host, port, timeout=seconds)
    try:
        connection.sock = _secured(plain, host) if secure else plain
        yield connection
    finally:
        cut.cancel()
        connection.close()
        plain.close()


def _judged(scheme: str, host: str, port: int, allowed: Sequence[str]) -> list[str]:
    """The addresses of a name. If one of them is forbidden, all are: whoever gave it is not to be trusted."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(each[4][0]) for each in found]
    for address in addresses:
        if problem := address_problem(scheme, address, allowed):
            raise Trouble(problem)
    return addresses


def _connect(addresses: Sequence[str], port: int, seconds: float) -> socket.socket:
    """To the first of them that answers."""
    for place, address in enumerate(addresses, start=1):
        try:
            return socket.create_connection((address, port), timeout=seconds)
        except OSError:
            if place == len(addresses):
                raise
    raise Trouble("That name has no address")


def _secured(plain: socket.socket, host: str) -> socket.socket:
    """TLS with the certificate of the name, whatever address the connection goes to."""
    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _in_words(trouble: Exception, seconds: float) -> str:
    if isinstance(trouble, TimeoutError):
        return f"No answer within {seconds:g} s"
    if isinstance(trouble, ssl.SSLCertVerificationError):
        return f"Its certificate is not valid: {trouble.verify_message}"
    detail: Any = getattr(trouble, "strerror", None) or trouble
    return f"{trouble.__class__.__name__}: {detail}"
