"""A service that keeps recordings, over https on this machine, with a certificate of its own.

with media(tmp_path) as server:                 # server.url; trust it: SSL_CERT_FILE=server.certificate
    server.pages["/a.mp3"] = Page(200, b"…")
"""

from __future__ import annotations

import io
import ssl
import subprocess
import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from support.audio import Samples


@dataclass(frozen=True)
class Page:
    """What is answered; `trickles`: a byte at a time, until the other side leaves."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "audio/mpeg"),)
    trickles: bool = False


@dataclass
class Media:
    url: str = ""
    certificate: str = ""
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)  # path, and what was shown to be let in


@contextmanager
def media(folder: Path) -> Iterator[Media]:
    found, stop = Media(), threading.Event()
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append((self.path, self.headers["Authorization"]))
            page = found.pages.get(self.path.partition("?")[0], Page(404))
            self.send_response(page.status)
            length = () if page.trickles else (("Content-Length", str(len(page.body))),)
            for name, value in (*page.headers, *length):
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(page.body)
                while page.trickles and not stop.wait(0.05):
                    self.wfile.write(b"x")
            except OSError:
                pass

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.daemon_threads = True
    found.url, found.certificate = f"https://localhost:{server.server_port}", str(certificate)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        server.shutdown()
        thread.join(10)
        server.server_close()


def wav(*sides: Samples, rate: int = 8000) -> bytes:
    """A WAV of one or two sides."""
    both = np.stack([np.asarray(side) for side in sides], axis=1)
    scaled = both if both.dtype == np.int16 else (np.clip(both, -1, 1) * 32767).astype("<i2")
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(len(sides))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(scaled.tobytes())
    return out.getvalue()


def mp3(content: bytes) -> bytes:
    """The same sound as MP3."""
    command = ["ffmpeg", "-v", "error", "-i", "-", "-f", "mp3", "-"]
    return subprocess.run(command, input=content, capture_output=True, check=True).stdout
