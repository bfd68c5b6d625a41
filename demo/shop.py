"""The company's website: three pages and a style sheet on a port of their own, with Leaseline's snippet."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

_FOLDER = Path(__file__).parent / "shop"
_PAGES = {
    "/": (
        "Wooden pallets",
        "<h1>Wooden pallets, tomorrow at your door</h1><p>New and used, in every usual size.</p>",
    ),
    "/euro-pallets": (
        "Euro pallets",
        "<h1>Euro pallets</h1><table><tr><th>Size</th><th>Each</th></tr>"
        "<tr><td>1200 × 800 mm, new</td><td>£11.00</td></tr>"
        "<tr><td>1200 × 800 mm, used, grade A</td><td>£7.50</td></tr></table>",
    ),
    "/used": (
        "Used pallets",
        "<h1>We buy and sell used pallets</h1><p>Three pounds for each that is whole. We collect.</p>",
    ),
    "/delivery": (
        "Delivery",
        "<h1>Delivery</h1><p>Free from fifty pallets on, within a day.</p>",
    ),
}


@contextmanager
def shop(port: int, *, snippet: str, e164: str, phone: str) -> Iterator[str]:
    """The shop with `phone` on every page as the company's own number; its address."""
    template = Template((_FOLDER / "page.html").read_text())

    class Pages(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path == "/shop.css":
                self._answer(200, "text/css", (_FOLDER / "shop.css").read_text())
                return
            title, body = _PAGES.get(path, ("Not here", "<h1>There is no such page</h1>"))
            words = {"title": title, "body": body, "snippet": snippet, "e164": e164, "phone": phone}
            self._answer(200 if path in _PAGES else 404, "text/html", template.substitute(words))

        def _answer(self, status: int, kind: str, text: str) -> None:
            data = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """The demo says what happens; requests are not for its reader."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Pages)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
