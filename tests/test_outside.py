"""Whatever address somebody types, nothing inside is reached, and nobody outside holds us up or fills us."""

from __future__ import annotations

import gzip
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.books import KEY
from support.command import Installation
from support.config import by
from support.recorded import settings_in
from support.settings_page import HERE, admin, send
from support.site import Site
from support.standins import DOUBLES
from support.told import Told
from support.trap import Trap, answering, certified, speaking, trap

from tracker import alert_addresses, mail
from tracker.database import Database
from tracker.destinations import KINDS, FieldKind
from tracker.download import DownloadError, Limits, download
from tracker.errors import Rejected
from tracker.models import AlertMessage, Company
from tracker.outside import READ, Trouble, ask
from tracker.policy.telling import address_problem, url_problem
from tracker.sender import Sender
from tracker.settings import CHECKOUT

HERE_ONLY = ("127.0.0.0/8",)
ELSEWHERE = "https://crm.example"
# Each names a place inside, as an attacker would write it; PORT is where something listens on this machine.
HOSTILE = (
    "https://127.0.0.1:PORT", "http://127.0.0.1:PORT", "https://localhost:PORT", "https://LOCALHOST.:PORT",
    "https://127.1:PORT", "https://0x7f.1:PORT", "https://0x7f000001:PORT", "https://2130706433:PORT",
    "https://017700000001:PORT", "https://0177.0.0.1:PORT", "https://0:PORT", "https://0.0.0.0:PORT",
    "https://[::1]:PORT", "http://[::1]:PORT", "https://[::]:PORT", "https://[::ffff:127.0.0.1]:PORT",
    "https://[::ffff:7f00:1]:PORT", "https://[::127.0.0.1]:PORT", "https://[::ffff:0:127.0.0.1]:PORT",
    "https://[64:ff9b::7f00:1]:PORT", "https://[64:ff9b:1::7f00:1]:PORT", "https://[2002:7f00:1::]:PORT",
    "https://[2001:0:1:1:1:1:80ff:fffe]:PORT", "https://[::1%25lo]:PORT", "https://169.254.169.254",
    "https://[fd00:ec2::254]", "https://10.0.0.1", "https://192.168.1.1", "https://100.64.0.1",
    "https://user:pass@127.0.0.1:PORT", "https://crm.example@127.0.0.1:PORT",
    "https://127.0.0.1:PORT#@crm.example", "https://127.0.0.1:PORT\\@crm.example", "//127.0.0.1:PORT",
    "https:127.0.0.1:PORT", "file:///etc/passwd?", "gopher://127.0.0.1:PORT/_", "ftp://127.0.0.1:PORT",
    "https://①②⑦.⓪.⓪.①:PORT", "https://127。0。0。1:PORT", "https://rebind.example:PORT",
    "https://mixed.example:PORT", "https://a..example:PORT", f"https://{'x' * 64}.example",
)  # fmt: skip
NAMES = {"rebind.example": ["127.0.0.1"], "mixed.example": ["93.184.215.14", "::1"]}


@pytest.fixture
def canary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Trap]:
    """Nobody may have reached it at the end; names of attackers lead to it."""
    answers = {name: iter([addresses] * 1000) for name, addresses in NAMES.items()}
    resolve(monkeypatch, {name: lambda its=its: next(its) for name, its in answers.items()})
    with trap() as found:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{found.port}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{found.port}")
        yield found
        assert found.reached == 0


def resolve(monkeypatch: pytest.MonkeyPatch, names: dict[str, Any]) -> None:
    """A name server of the test's: other names are looked up as ever, with nothing leaving this machine."""
    real = socket.getaddrinfo

    def look(host: Any, port: Any, *more: Any, **also: Any) -> Any:
        if host in names:
            return [each for address in names[host]() for each in real(address, port, *more, **also)]
        if str(host).endswith(".example"):
            host.encode("idna")
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, port, *more, **also)

    monkeypatch.setattr(socket, "getaddrinfo", look)


def hostile(canary: Trap) -> list[str]:
    return [each.replace("PORT", str(canary.port)) for each in HOSTILE]


def typed(word: str, base: str) -> dict[str, str] | None:
    """The fields of a kind with that address in each that takes one; None where none does."""
    plain, filled = (DOUBLES[word]().values(each) for each in (ELSEWHERE, base))
    own = {it.name for it in KINDS[word].fields if it.kind is FieldKind.URL}
    for name in own - plain.keys():  # a field that its stand-in leaves at its usual value
        plain[name], filled[name] = ELSEWHERE, base
    taken = {name for name, text in plain.items() if ELSEWHERE in text}
    assert own <= taken
    return filled if taken else None


ADDRESSED = [word for word in sorted(KINDS) if typed(word, ELSEWHERE)]


def test_only_mail_goes_to_no_address_of_the_web() -> None:
    assert KINDS.keys() - set(ADDRESSED) == {"email"}


@pytest.mark.parametrize("word", ADDRESSED)
def test_no_destination_reaches_inside_by_a_test_or_by_a_call(told: Told, canary: Trap, word: str) -> None:
    told.settings = replace(told.settings, webhook_networks=())
    told.postman = told.worker(seconds=0.5)
    kept = 0
    for base in hostile(canary):
        values = typed(word, base)
        assert values
        try:
            told.add(word, values, events=[KINDS[word].usual_events[0].value])
        except Rejected:
            continue  # it is refused as it is typed
        kept += 1
        assert not told.try_out().answer.ok, base
        told.delete()
    assert kept
    told.add(word, typed(word, f"https://127.0.0.1:{canary.port}") or {})
    told.call("one")
    told.pass_time(days=4)
    told.send()
    assert not any(it.sent_at for it in told.deliveries())


def test_sending_a_test_from_page_and_command_reaches_nothing_inside(
    tmp_path: Path, sqlite: Database, now: datetime, canary: Trap
) -> None:
    told = Told(sqlite, tmp_path, now)
    site = Site(sqlite, replace(told.settings, webhook_networks=()), now)
    ann = admin(site)
    here = Installation(tmp_path / "home", {
        "LEASELINE_DATABASE_URL": sqlite.url.render_as_string(), "LEASELINE_SECRET_KEY": KEY,
    })  # fmt: skip
    migrated(sqlite)
    for word in ADDRESSED:
        made = told.add(word, typed(word, f"https://localhost:{canary.port}") or {}, name=word)
        page = unescape(send(ann, f"{HERE}/destinations/{made}", do="test").text)
        assert "The test was not taken" in page, word
        assert "inside the house" in page, word
        result = here.run("destination", "test", word)
        assert result.exit_code == 1, word
        assert "inside the house" in result.output, word


def migrated(database: Database) -> None:
    """The books of tests have the present schema, and no word of it."""
    import migrations

    with database.write() as session:
        session.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        session.execute(sa.text("INSERT INTO alembic_version VALUES (:it)"), {"it": migrations.head()})


def test_no_alert_reaches_inside(told: Told, canary: Trap, now: datetime) -> None:
    told.settings = replace(told.settings, webhook_networks=())
    sender = Sender(told.database, told.settings, told.clock)
    kept = 0
    for base in hostile(canary):
        with told.database.write() as session:
            company = session.scalars(sa.select(Company)).first()
            try:
                address = alert_addresses.add(session, by(now), company, f"{base}/hook")
            except Rejected:
                continue
            kept += 1
            alert_addresses.test(session, by(now), address)
        sender.take_turn()
        sender.wait(30)
        with told.database.write() as session:
            (message,) = session.scalars(sa.select(AlertMessage))
            assert message.tries == 1
            assert message.sent_at is None, base
            alert_addresses.delete(session, by(now), message.address)
    assert kept > 20


def test_no_link_to_a_recording_reaches_inside(tmp_path: Path, canary: Trap) -> None:
    for base in hostile(canary):
        with pytest.raises(DownloadError):
            download(f"{base}/a.mp3", tmp_path / "sound", Limits(1000, 2.0), ())
    assert not (tmp_path / "sound").exists()


def test_where_a_name_leads_is_asked_once_and_the_connection_goes_there(
    monkeypatch: pytest.MonkeyPatch, canary: Trap
) -> None:
    answers = iter([["127.0.0.2"], ["127.0.0.1"], ["127.0.0.1"]])
    resolve(monkeypatch, {"rebind.example": lambda: next(answers)})
    with speaking(answering(b"yes"), host="127.0.0.2", port=canary.port):
        url = f"http://rebind.example:{canary.port}/"
        assert ask("GET", url, b"", {}, allowed=("127.0.0.2/32",)).body == b"yes"
    assert next(answers) == ["127.0.0.1"]


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_a_redirect_to_the_inside_is_not_followed(tmp_path: Path, canary: Trap, status: str) -> None:
    away = answering(b"", f"Location: http://127.0.0.1:{canary.port}/", status=status)
    with speaking(away, host="127.0.0.2") as server:
        url = f"http://127.0.0.2:{server.port}/"
        reply = ask("POST", url, b"{}", {}, allowed=("127.0.0.2/32",))
        assert not reply.ok
        assert "redirects are not followed" in reply.shown()
    context, shown = certified(tmp_path, "127.0.0.2")
    (tmp_path / "known.pem").write_bytes(shown)
    away = answering(b"", f"Location: https://127.0.0.1:{canary.port}/", status=status)
    with pytest.MonkeyPatch.context() as patch, speaking(away, context, "127.0.0.2") as server:
        patch.setenv("SSL_CERT_FILE", str(tmp_path / "known.pem"))
        with pytest.raises(DownloadError, match="inside the house"):
            download(f"https://127.0.0.2:{server.port}/", tmp_path / "x", Limits(9, 5.0), ("127.0.0.2/32",))
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("names", "days", "known", "why"),
    [
        (("localhost",), 2, False, "certificate is not valid: self-signed"),
        (("localhost",), -1, True, "certificate is not valid: certificate has expired"),
        (("crm.example",), 2, True, "certificate is not valid: Hostname mismatch"),
        (("localhost",), 2, True, None),
    ],
)
def test_a_server_has_to_show_a_good_certificate_of_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    names: tuple[str, ...], days: int, known: bool, why: str | None,
) -> None:  # fmt: skip
    context, shown = certified(tmp_path, *names, days=days)
    _, strange = certified(tmp_path, "strange.example")
    (tmp_path / "known.pem").write_bytes(shown if known else strange)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "known.pem"))
    with speaking(answering(b"yes"), context) as server:
        url = f"https://localhost:{server.port}/"
        if why is None:
            assert ask("GET", url, b"", {}, allowed=(*HERE_ONLY, "::1")).body == b"yes"
            return
        with pytest.raises(Trouble, match=why):
            ask("POST", url, b"hush", {}, allowed=(*HERE_ONLY, "::1"))
        assert server.asked == []


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_tls_is_not_spoken(tmp_path: Path) -> None:
    context, _ = certified(tmp_path, "localhost")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with speaking(answering(b"yes"), context) as server:
        with pytest.raises(Trouble, match="SSL"):
            ask("GET", f"https://127.0.0.1:{server.port}/", b"", {}, allowed=HERE_ONLY)
        assert server.asked == []


def drip(head: bytes, drop: bytes, over: threading.Event) -> Any:
    """A byte now and then, for ever: no single read takes long."""

    def say(connection: socket.socket) -> None:
        connection.sendall(head)
        while not over.wait(0.05):
            connection.sendall(drop)

    return say


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_a_trickle_is_no_answer(head: bytes, drop: bytes) -> None:
    over = threading.Event()
    with speaking(drip(head, drop, over)) as server:
        with pytest.raises(Trouble):
            ask("GET", f"http://127.0.0.1:{server.port}/", b"", {}, allowed=HERE_ONLY, seconds=0.2)
        over.set()


def test_who_never_answers_and_a_name_server_that_does_not_are_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over = threading.Event()
    with (
        speaking(lambda _: over.wait(30)) as server,
        pytest.raises(Trouble, match=r"No answer within 0\.2 s"),
    ):
        ask("GET", f"http://127.0.0.1:{server.port}/", b"", {}, allowed=HERE_ONLY, seconds=0.2)
    resolve(monkeypatch, {"slow.example": lambda: over.wait(30) and []})
    with pytest.raises(Trouble, match=r"No answer within 0\.2 s"):
        ask("GET", "https://slow.example/", b"", {}, allowed=(), seconds=0.2)
    over.set()


def test_an_answer_is_read_so_far_and_never_unpacked(tmp_path: Path) -> None:
    bomb = gzip.compress(b"\0" * 20_000_000)
    with speaking(answering(bomb, "Content-Encoding: gzip")) as server:
        reply = ask("GET", f"http://127.0.0.1:{server.port}/", b"", {}, allowed=HERE_ONLY)
        assert reply.body == bomb
        assert b"accept-encoding: identity" in server.asked[0].lower()

    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with speaking(endless) as server:
        url = f"http://127.0.0.1:{server.port}/"
        assert len(ask("GET", url, b"", {}, allowed=HERE_ONLY).body) == READ

    def heads(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 100_000)

    with speaking(heads) as server, pytest.raises(Trouble):
        ask("GET", f"http://127.0.0.1:{server.port}/", b"", {}, allowed=HERE_ONLY)


@pytest.mark.parametrize("security", ["none", "starttls"])
def test_a_mail_server_that_trickles_is_not_listened_to_for_ever(tmp_path: Path, security: str) -> None:
    over = threading.Event()
    said = drip(b"220 mail.example\r\n", b"250-more\r\n", over)
    with speaking(said, first=False) as server:
        settings = settings_in(
            tmp_path, smtp_host="127.0.0.1", smtp_port=server.port, smtp_security=security,
            smtp_from="a@x.example",
        )  # fmt: skip
        message = mail.compose(settings, "b@x.example", "key", "Subject", "Text")
        assert not mail.send(settings, message, seconds=0.2).ok
        over.set()


# What opens connections by itself, and to where: none of it is an address that somebody types in the page.
OPENERS = {
    "tracker/outside.py",  # judges first
    "tracker/download.py",  # over tracker.outside
    "tracker/mail.py",  # the mail server of the settings
    "tracker/live.py",  # the agi process of the settings
    "agi/ami.py",  # Asterisk's manager of the settings
    "commands/site_proxy.py",  # by tracker.outside, and our own page
    "commands/site_browser.py",  # Chromium; what others asked for only over commands.site_proxy
    "commands/checks_script.py",  # our own page
    "commands/up.py",  # our own page
    "commands/supervisor.py",  # a socket in the home folder
    "commands/checks_machine.py",  # whether a port of ours is taken
    "commands/trunk_test.py",  # a trunk, by whoever administers the machine
}
_OPENS = re.compile(
    r"http\.client|urllib\.request|smtplib|create_connection|open_connection|socket\.socket\(|playwright\.sync_api"
    r"|^import (requests|httpx|aiohttp|urllib3)|xmlrpc",
    re.MULTILINE,
)


def test_nothing_else_opens_a_connection() -> None:
    """Who adds to this list says why: addresses that people type go over tracker.outside."""
    folders = ("tracker", "web", "recordings", "agi", "dialplan", "commands")
    files = [file for folder in folders for file in (CHECKOUT / folder).rglob("*.py")]
    found = {str(it.relative_to(CHECKOUT)) for it in files if _OPENS.search(it.read_text())}
    assert found == OPENERS


def test_proxies_that_the_environment_names_are_not_asked(canary: Trap) -> None:
    with speaking(answering(b"yes")) as server:
        url = f"http://127.0.0.1:{server.port}/"
        assert ask("GET", url, b"", {}, allowed=HERE_ONLY).body == b"yes"


@pytest.mark.parametrize("port", [1, 22, 25, 110, 445, 993, 1023, 5060, 6000, 6667, 10080])
def test_ports_of_other_protocols_are_refused_as_they_are_typed(port: int) -> None:
    assert url_problem(f"https://crm.example:{port}/") is not None


@pytest.mark.parametrize("port", [80, 443, 8080, 8443, 9443, 65535])
def test_ports_at_which_web_servers_are_may_be_named(port: int) -> None:
    assert url_problem(f"https://crm.example:{port}/") is None


@pytest.mark.parametrize(
    "address",
    ["192.0.0.8", "192.88.99.1", "198.18.0.1", "240.0.0.1", "255.255.255.255", "100.64.0.1", "::7f00:1",
     "::ffff:0:7f00:1", "64:ff9b:1::1", "fec0::1", "3fff::1", "5f00::1", "4000::1", "2001:db8::1", "100::1"],
)  # fmt: skip
def test_what_is_not_routed_in_public_is_inside(address: str) -> None:
    assert address_problem("https", address, ()) is not None


@pytest.mark.parametrize(
    "address", ["::a9fe:a9fe", "64:ff9b::a9fe:a9fe", "::ffff:0:a9fe:a9fe", "192.0.0.192"]
)
def test_no_spelling_of_where_machines_tell_of_themselves_is_spoken_to(address: str) -> None:
    assert address_problem("https", address, ("0.0.0.0/0", "::/0")) is not None
