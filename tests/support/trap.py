"""Servers that say what a test likes, byte by byte, over TLS if wanted; and one that nobody may ever reach.

with trap() as canary: ...                     # canary.port, on 127.0.0.1 and ::1; canary.reached
with speaking(say, context) as server: ...     # say(connection) answers; server.port, server.asked
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Say = Callable[[socket.socket], object] | None


@dataclass
class Speaking:
    port: int = 0
    reached: int = 0  # connections
    asked: list[bytes] = field(default_factory=list)  # the head of each request


@contextmanager
def speaking(
    say: Say, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0, *, first: bool = True
) -> Iterator[Speaking]:
    """A server that reads the head of a request, then says something; without `say` it hangs up at once.

    Where the other side does not speak `first`, it waits for nothing.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family)
    found = Speaking(listener.getsockname()[1])

    def answer(connection: socket.socket) -> None:
        if say is None:
            connection.close()
            return
        with contextlib.suppress(OSError), connection:
            talk = tls.wrap_socket(connection, server_side=True) if tls else connection
            with talk:
                head = b""
                while first and b"\r\n\r\n" not in head and (part := talk.recv(4096)):
                    head += part
                found.asked.append(head)
                say(talk)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # closed: the test is over
            found.reached += 1
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


@dataclass(frozen=True)
class Trap:
    port: int
    servers: tuple[Speaking, ...]

    @property
    def reached(self) -> int:
        return sum(each.reached for each in self.servers)


@contextmanager
def trap() -> Iterator[Trap]:
    """On the same port of both loopback addresses; it is there, and counts who comes."""
    with ExitStack() as opened:
        first = opened.enter_context(speaking(None))
        found = [first]
        with contextlib.suppress(OSError):  # a machine without IPv6 has nothing there to be reached
            found.append(opened.enter_context(speaking(None, host="::1", port=first.port)))
        yield Trap(first.port, tuple(found))


def answering(body: bytes, *headers: str, status: str = "200 OK") -> Say:
    """Says one whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return lambda connection: connection.sendall("\r\n".join(lines).encode() + body)


def certified(folder: Path, *names: str, days: float = 2) -> tuple[ssl.SSLContext, bytes]:
    """What a server with a certificate for these names shows, and that certificate, to be believed."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    until = datetime.now(UTC) + timedelta(days=days)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(until - timedelta(days=30))
        .not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName([_name(each) for each in names]), critical=False)
        .sign(key, SHA256())
    )
    path = folder / f"{key.public_key().public_numbers().x:x}.pem"
    shown = made.public_bytes(Encoding.PEM)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + shown)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, shown


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)
