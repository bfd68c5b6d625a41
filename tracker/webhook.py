"""A webhook: one POST of JSON, signed, to an address that was looked at first. No redirect is followed.

The name is looked up once, and the connection goes to the address that was judged: nobody can answer
differently in between.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from tracker.policy.telling import Answer, address_problem, url_problem

SECONDS = 10.0  # for the connection, and for each part of the answer
WHOLE_SECONDS = 30.0
READ = 2000  # bytes of an answer that anybody looks at
GONE = 410


class _Refused(Exception):
    """Nothing was sent, for a reason that a person can read."""


def post(url: str, body: bytes, headers: Mapping[str, str], allowed: Sequence[str]) -> Answer:
    """Send it; never raises for what the other side does. `allowed` are networks of the house."""
    if problem := url_problem(url):
        return Answer(False, str(problem), final=True)
    try:
        return _post(url, body, headers, allowed)
    except _Refused as refused:
        return Answer(False, str(refused))
    except (OSError, http.client.HTTPException) as trouble:
        return Answer(False, _in_words(trouble))


def _post(url: str, body: bytes, headers: Mapping[str, str], allowed: Sequence[str]) -> Answer:
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    plain = _connect(_judged(parts.scheme, host, port, allowed), port)
    cut = threading.Timer(WHOLE_SECONDS, _cut, [plain])  # a trickle of bytes is no answer
    cut.start()
    connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    try:
        connection.sock = _secured(plain, host) if secure else plain
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        more = {"Content-Type": "application/json", "User-Agent": "Leaseline", "Connection": "close"}
        connection.request("POST", path, body, {**more, **headers})
        response = connection.getresponse()
        said = response.read(READ).decode(errors="replace")
    finally:
        cut.cancel()
        connection.close()
        plain.close()
    return _answer(response.status, response.reason, said)


def _judged(scheme: str, host: str, port: int, allowed: Sequence[str]) -> list[str]:
    """The addresses of a name. If one of them is forbidden, all are: whoever gave it is not to be trusted."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(each[4][0]) for each in found]
    for address in addresses:
        if problem := address_problem(scheme, address, allowed):
            raise _Refused(problem)
    return addresses


def _connect(addresses: Sequence[str], port: int) -> socket.socket:
    """To the first of them that answers."""
    for place, address in enumerate(addresses, start=1):
        try:
            return socket.create_connection((address, port), timeout=SECONDS)
        except OSError:
            if place == len(addresses):
                raise
    raise _Refused("That name has no address")


def _secured(plain: socket.socket, host: str) -> socket.socket:
    """TLS with the certificate of the name, whatever address the connection goes to."""
    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _answer(status: int, reason: str, said: str) -> Answer:
    shown = "".join(each if each.isprintable() else " " for each in said).strip()[:160]
    text = " ".join(part for part in (str(status), reason, f"· {shown}" if shown else "") if part)
    if 300 <= status < 400:
        text += " · redirects are not followed"
    return Answer(200 <= status < 300, text, gone=status == GONE)


def _in_words(trouble: Exception) -> str:
    if isinstance(trouble, TimeoutError):
        return f"No answer within {SECONDS:.0f} s"
    if isinstance(trouble, ssl.SSLCertVerificationError):
        return f"Its certificate is not valid: {trouble.verify_message}"
    detail: Any = getattr(trouble, "strerror", None) or trouble
    return f"{trouble.__class__.__name__}: {detail}"
