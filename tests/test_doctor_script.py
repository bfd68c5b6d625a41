"""What doctor says of `web_url`: whether browsers get the websites' script there, and its answers."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from support.browser import serving
from support.command import Installation, furnish, furnish_anew
from support.ports import free_port

from tracker.settings import read_settings


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A company with a site; nobody has set `web_url`."""
    made = Installation(tmp_path_factory.mktemp("home"))
    furnish(made)
    return made


@pytest.fixture(scope="module")
def key(here: Installation) -> str:
    return str(here.json("site", "show", "Shop")["key"])


@dataclass
class Proxy:
    """What stands at `web_url`: a status, a media type and a text for the script and for the visit API."""

    script: tuple[int, str, str] = (404, "text/html", "<h1>Not Found</h1>")
    api: tuple[int, str, str] = (404, "application/json", '{"error": {"id": "site.unknown"}}')
    callbacks: tuple[int, str, str] = (404, "text/html", "<h1>Not Found</h1>")
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@contextmanager
def standing(proxy: Proxy, certificate: Path | None = None) -> Iterator[str]:
    """The proxy on a port of its own; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            proxy.asked.append(f"{self.command} {self.path}")
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            posted = proxy.callbacks if "/callbacks/" in self.path else proxy.api
            status, kind, text = proxy.script if self.command == "GET" else posted
            self.send_response(status)
            for name, value in ({"Content-Type": kind} | proxy.headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        do_POST = do_GET  # noqa: N815  (the name is http.server's)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            scheme = "https"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"{scheme}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For 127.0.0.1, signed by itself, with its key."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", path,
            "-out", path.with_suffix(".crt"), "-days", "1", "-subj", "/CN=127.0.0.1",
            "-addext", "subjectAltName=IP:127.0.0.1",
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())
    return path


def at(here: Installation, web_url: str, **more: str) -> Installation:
    return Installation(here.home, {"LEASELINE_WEB_URL": web_url, **more})


def said(here: Installation, name: str) -> list[tuple[str, str, str]]:
    """State, message and fix of every line of that name."""
    found = here.json_anyway("doctor")
    return [(each["state"], each["message"], each["fix"]) for each in found if each["name"] == name]


def test_an_address_that_only_this_machine_reaches_is_told(here: Installation) -> None:
    ((state, message, fix),) = said(here, "web_url")
    assert state == "warn"
    assert message == "only this machine reaches http://127.0.0.1:8080: no visitor gets the script"
    assert "https" in fix
    assert said(here, "script") == []  # nobody said that it should be there


def test_an_address_without_https_is_told(here: Installation) -> None:
    ((state, message, _),) = said(at(here, "http://leaseline.invalid"), "web_url")
    assert (state, message) == (
        "warn", "http://leaseline.invalid is not https: pages with https refuse the script",
    )  # fmt: skip


def test_a_script_and_an_api_that_are_really_there_are_good(here: Installation, key: str) -> None:
    with serving(read_settings(here.environ)) as url:
        asked = at(here, url)
        assert said(asked, "script") == [("ok", f"{url}/s/{key}.js is served", "")]
        assert said(asked, "visit API") == [("ok", f"{url}/api/v1/visits answers", "")]
        unknown = f"{url}/nowhere"  # our own server, asked for an address that it does not have
        ((state, message, fix),) = said(at(here, unknown), "script")
        assert (state, message) == ("bad", f"{unknown}/s/{key}.js answers 404")
        assert "pass on /s/" in fix


def test_the_script_of_another_house_is_told(here: Installation, key: str, tmp_path: Path) -> None:
    other = Installation(tmp_path)
    furnish_anew(other)
    with serving(read_settings(other.environ)) as url:
        ((state, message, fix),) = said(at(here, url), "script")
    assert state == "bad"
    assert message.startswith(f"{url}/s/{key}.js does not know the site: There is no such site")
    assert fix.startswith("Another Leaseline")


@pytest.mark.parametrize(
    ("answer", "message", "fix"),
    [
        ((404, "text/html", "<h1>Not Found</h1>"), "answers 404", "Have the proxy pass on /s/"),
        ((200, "text/html", "<h1>Welcome</h1>"), "answers with text/html that is not", "pass on /s/"),
        ((200, "text/javascript", "alert(1)"), "answers with text/javascript that is not", "pass on /s/"),
        ((403, "text/html", ""), "answers 403", "let everybody reach /s/"),
        ((502, "text/html", ""), "answers 502: the proxy does not reach", "http://127.0.0.1:8080"),
        ((301, "text/html", ""), "redirects to https://elsewhere.example", "Set web_url to where it leads"),
        (
            (503, "text/javascript", "/* Leaseline: The script is not built. Build it: `npm` */\n"),
            "answers 503: The script is not built. Build it: `npm`",
            "leaseline restart web",
        ),
    ],
)
def test_what_is_there_instead_of_the_script_is_told(
    here: Installation, key: str, answer: tuple[int, str, str], message: str, fix: str
) -> None:
    proxy = Proxy(script=answer, headers={"Location": "https://elsewhere.example/"})
    with standing(proxy) as url:
        ((state, told, what),) = said(at(here, url), "script")
    assert state == "bad"
    assert told.startswith(f"{url}/s/{key}.js {message}")
    assert fix in what
    assert proxy.asked == [f"GET /s/{key}.js"]


def test_a_proxy_that_passes_on_no_callbacks_is_told(tmp_path: Path) -> None:
    here = Installation(tmp_path)
    furnish(here)
    wish = ("--trunk", "carrier", "--number", "84951234567", "--ring", "Reception", "--on")
    here.done("callback", "settings", "Shop", *wish)
    key = str(here.json("site", "show", "Shop")["key"])
    proxy = Proxy(script=(200, "text/javascript", json.dumps({"k": key}, separators=(",", ":"))))
    with standing(proxy) as url:
        ((state, told, fix),) = said(at(here, url), "callbacks")
        assert (state, told) == ("bad", f"{url}/api/v1/callbacks/ask answers 404")
        assert "pass on /api/v1/callbacks/ask" in fix
        proxy.callbacks = proxy.api
        ((state, told, fix),) = said(at(here, url), "callbacks")
        assert state == "ok"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((404, "text/html", "<h1>Not Found</h1>"), "answers 404"),
        ((200, "text/html", "<h1>Welcome</h1>"), "answers with text/html that is not ours"),
        ((405, "application/json", "[]"), "answers 405"),
    ],
)
def test_a_proxy_that_passes_on_the_script_alone_is_told(
    here: Installation, key: str, answer: tuple[int, str, str], message: str
) -> None:
    proxy = Proxy(script=(200, "text/javascript", json.dumps({"k": key}, separators=(",", ":"))), api=answer)
    with standing(proxy) as url:
        ((state, told, fix),) = said(at(here, f"{url}/numbers"), "visit API")
    assert (state, told) == ("bad", f"{url}/numbers/api/v1/visits {message}")
    assert "pass on /api/v1/visits" in fix
    assert proxy.asked == [f"GET /numbers/s/{key}.js", "POST /numbers/api/v1/visits"]


def test_a_certificate_that_browsers_refuse_is_told(here: Installation, key: str, certificate: Path) -> None:
    proxy = Proxy(script=(200, "text/javascript", f'{{"k":"{key}"}}'))
    with standing(proxy, certificate) as url:
        ((state, message, fix),) = said(at(here, url), "script")
        assert state == "bad"
        assert "has a certificate that browsers refuse: self-signed certificate" in message
        assert fix.startswith("Give the proxy a valid certificate for 127.0.0.1")
        trusted = at(here, url, SSL_CERT_FILE=str(certificate.with_suffix(".crt")))
        assert said(trusted, "script") == [("ok", f"{url}/s/{key}.js is served", "")]


def test_a_port_without_https_is_told(here: Installation) -> None:
    with standing(Proxy()) as url:
        ((_, message, fix),) = said(at(here, url.replace("http:", "https:")), "script")
    assert "does not speak https" in message
    assert "correct web_url" in fix


def test_an_address_where_nobody_is_is_told(here: Installation) -> None:
    ((state, message, fix),) = said(at(here, f"http://127.0.0.1:{free_port()}"), "script")
    assert state == "bad"
    assert message.endswith("cannot be reached: Connection refused")
    assert "/etc/hosts" in fix
    ((_, message, fix),) = said(at(here, "https://leaseline.invalid"), "script")
    assert message.endswith("cannot be found: no address for leaseline.invalid")
    assert "DNS" in fix


def test_a_server_that_says_nothing_is_not_waited_for_long(here: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ((_, message, _),) = said(at(here, f"http://127.0.0.1:{silent.getsockname()[1]}"), "script")
    assert message.endswith("does not answer within 5 s")
