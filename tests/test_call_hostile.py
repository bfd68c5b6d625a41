"""Two thousand calls whose every field was written by somebody who means us harm."""

from __future__ import annotations

import csv
import itertools
import re
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from support.house import CARRIER, OFFICE, House, Line, until
from support.page import Page

from demo.scenario import answered, hang_up, hung_up, invite, invited, pick_up, turn_down, wait
from tracker.models import Call, Refusal
from tracker.policy.spool import parse_line

CALLS = 2000
EACH_SECONDS = 1 / 60

NASTY = [
    b"${SHELL(touch /tmp/owned)}", b"${EXTEN}", b"$[1/0]", b"${LL_CALL}", b"%24%7BSYSTEM%28id%29%7D", b"${",
    b"&PJSIP/79161234567@trunk-1", b"%26PJSIP/79161234567%40trunk-1", b"&Local/s@leaseline-call", b",1,Dial",
    b"'; DROP TABLE calls;--", b'","e":"end","call":"x', b"%22%7D%0A%7B%22e%22%3A%22end%22", b"\\", b"\\\\",
    b'\\"', b"%0Aagi_arg_2:%20%2B79990000000", b"%0D%0AHANGUP", b"%0A%0A200%20result=1", b"%00", b"%00%00x",
    b"%FF%FE", b"<script>alert(1)</script>", b"%3Cscript%3Ealert(1)%3C/script%3E", b"javascript:alert(1)",
    b"<img src=x onerror=alert(1)>", b"=cmd|' /C calc'!A0", b"@SUM(1+1)*cmd", b"-2+3", b"{{7*7}}", b"{%x%}",
    b"|id", b"`id`", b"../../../../etc/passwd", b"\xff\xfe\x80", b"\xc3\x28", "Ü\u202emüde".encode(),
    "日本".encode(), b";ext=1;x", b"#31#", b"*97", b"^{X}", b"()", b"))", b"[0-9]", b"_X.", b"A" * 300,
    b"7" * 300,
    b"%", b"%zz", b"\t", b"\x01\x7f", b" ", b"\r\n X-Folded: 1", b"NULL", b"None", b"anonymous", b"1e999",
    b"NaN", b"-1", b"0x41",
]  # fmt: skip

INVITE = (
    b"INVITE sip:%(did)s@%(there)s SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP %(here)s;rport;branch=z9hG4bKhostile%(count)d\r\n"
    b"%(from)s\r\nTo: <sip:%(did)s@%(there)s>\r\n"
    b"Call-ID: hostile-%(count)d@carrier.example\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n"
    b"Contact: <sip:caller@%(here)s>\r\n%(more)sContent-Length: 0\r\n\r\n"
)
ACK = (
    b"ACK sip:x@%(there)s SIP/2.0\r\nVia: %(via)s\r\n%(from)s\r\nTo: %(to)s\r\nCall-ID: %(call_id)s\r\n"
    b"CSeq: 1 ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


@dataclass(frozen=True)
class Wish:
    """One call: what is dialled, the From header, and further headers."""

    did: bytes
    sender: bytes
    more: bytes = b""


def wishes(ours: bytes) -> Iterator[Wish]:
    """Endlessly, in turn: each nasty value as the number dialled, and in every header of a good call."""
    good = b"From: <sip:+4915155901@carrier.example>;tag=h"
    for nasty in itertools.cycle(NASTY):
        yield Wish(b"+7495" + nasty, good)
        yield Wish(nasty, good)
        yield Wish(ours + nasty, good)
        yield Wish(ours, b"From: <sip:+49151" + nasty + b"@carrier.example>;tag=h")
        yield Wish(ours, b'From: "' + nasty + b'" <sip:+4915155902@carrier.example>;tag=h')
        yield Wish(ours, good, b"P-Asserted-Identity: <sip:+49151" + nasty + b"@carrier.example>\r\n")
        yield Wish(
            ours, good, b'P-Asserted-Identity: "' + nasty + b'" <sip:+49@x>\r\nPrivacy: ' + nasty + b"\r\n"
        )
        yield Wish(
            ours, good, b'Diversion: "' + nasty + b'" <sip:' + nasty + b"@x>;reason=" + nasty + b"\r\n"
        )


class Attacker:
    """Sends calls at a steady pace, and acknowledges what is answered."""

    def __init__(self, there: tuple[str, int]) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((CARRIER, 0))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.there = there
        self.finals: dict[bytes, int] = {}  # Call-ID: status

    def close(self) -> None:
        self.socket.close()

    def attack(self, ours: bytes, calls: int) -> None:
        began = time.monotonic()
        for count, wish in enumerate(itertools.islice(wishes(ours), calls)):
            self._invite(count, wish)
            self._read(until=began + (count + 1) * EACH_SECONDS)
        self._read(until=time.monotonic() + 2)

    def _invite(self, count: int, wish: Wish) -> None:
        here = b"%s:%d" % (CARRIER.encode(), self.socket.getsockname()[1])
        values = {b"did": wish.did, b"there": self._there(), b"here": here, b"count": count}
        message = INVITE % (values | {b"from": wish.sender, b"more": wish.more})
        self.socket.sendto(message, self.there)

    def _there(self) -> bytes:
        return b"%s:%d" % (self.there[0].encode(), self.there[1])

    def _read(self, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                self._acknowledge(self.socket.recv(65535))
            except TimeoutError:
                return

    def _acknowledge(self, message: bytes) -> None:
        status = re.match(rb"SIP/2.0 (\d+)", message)
        if not status or int(status[1]) < 200:
            return
        found = {
            name: re.findall(rb"(?im)^%s: (.*?)\r$" % title, message)
            for name, title in (
                (b"via", b"Via"),
                (b"to", b"To"),
                (b"from", b"From"),
                (b"call_id", b"Call-ID"),
            )
        }
        if not all(found.values()):
            return
        values = {name: lines[0] for name, lines in found.items()} | {b"there": self._there()}
        self.socket.sendto(ACK % (values | {b"from": b"From: " + values[b"from"]}), self.there)
        self.finals[values[b"call_id"]] = int(status[1])


@dataclass(frozen=True)
class Aftermath:
    """The house after the attack: what it wrote down meanwhile, and how many calls the phone got."""

    line: Line
    statuses: dict[bytes, int]
    phone_calls: int
    channels: list[str]
    spooled: list[bytes]
    pids_before: tuple[int, int]


@pytest.fixture(scope="module")
def aftermath(house: House) -> Aftermath:
    line = house.line()
    phone = house.phone(line.phones[0], [invited(), turn_down(486, "Busy Here")], calls=10**6)
    pids = house.pid("asterisk"), house.pid("agi")
    cel = house.place.logs / "cel-custom" / "cel.csv"
    cel_from, spool_from = cel.stat().st_size if cel.exists() else 0, len(spool_lines(house))
    with closing(Attacker((OFFICE, house.settings.sip_port))) as attacker:
        attacker.attack(line.e164.encode(), CALLS)
    until(lambda: "0 active channels" in house.console("core show channels count"), 30)
    rung = {message.call_id for message in phone.messages() if message.line.startswith("INVITE")}
    text = cel.read_bytes()[cel_from:].decode(errors="replace")
    rows = csv.reader(text.splitlines())
    channels = [row[5] for row in rows if row and row[0] == "CHAN_START"]
    house.hush()
    return Aftermath(line, attacker.finals, len(rung), channels, spool_lines(house)[spool_from:], pids)


def spool_lines(house: House) -> list[bytes]:
    files = sorted(house.place.calls.glob("*.jsonl"))
    return [line for file in files for line in file.read_bytes().splitlines()]


def test_asterisk_and_the_agi_live_through_it(house: House, aftermath: Aftermath) -> None:
    assert (house.pid("asterisk"), house.pid("agi")) == aftermath.pids_before


def test_nobody_was_called_but_the_lines_own_phone(house: House, aftermath: Aftermath) -> None:
    assert aftermath.phone_calls > CALLS / 4  # the calls with a good number, as far as they are SIP
    target = f"target-{aftermath.line.phones[0].target_id}"
    kinds = [re.sub(r"-[0-9a-f]{8}$", "", channel) for channel in aftermath.channels]
    assert set(kinds) == {f"PJSIP/trunk-{house.trunk_id}", f"PJSIP/{target}"}
    assert kinds.count(f"PJSIP/{target}") == aftermath.phone_calls


def test_every_call_was_refused_or_busy(aftermath: Aftermath) -> None:
    assert set(aftermath.statuses.values()) <= {400, 404, 414, 416, 420, 484, 486}
    assert list(aftermath.statuses.values()).count(486) == aftermath.phone_calls


def test_every_line_of_the_spool_can_be_read(aftermath: Aftermath) -> None:
    assert len(aftermath.spooled) > CALLS / 2
    for line in aftermath.spooled:
        parse_line(line)  # raises BadLine


def test_every_call_is_in_the_books_with_sane_values(house: House, aftermath: Aftermath) -> None:
    ended = Call.number_id == aftermath.line.number_id, Call.ended_at.is_not(None)
    calls = until(lambda: found if len(found := house.calls(*ended)) >= aftermath.phone_calls else None, 30)
    assert len(calls) == aftermath.phone_calls
    for call in calls:
        assert call.caller is None or re.fullmatch(r"\+?[0-9]{1,40}", call.caller)
        assert call.caller_name is None or re.fullmatch(r"[^\x00-\x1f\x7f]{1,200}", call.caller_name)
    with house.database.read() as session:
        refused = session.scalars(sa.select(Refusal.did)).all()
    assert all(re.fullmatch(r"[+0-9]{0,80}", did) for did in refused)


def test_the_agi_understood_every_call(house: House, aftermath: Aftermath) -> None:
    calls = house.calls(Call.number_id == aftermath.line.number_id)
    unseen = [(call.caller, call.caller_name) for call in calls if not call.seen_by_agi]
    assert not unseen


def test_pages_and_json_are_inert(house: House, aftermath: Aftermath) -> None:
    page, path, seen = Page(house), "/calls", 0
    while path and seen < 20:
        html, seen = page.get(path), seen + 1
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        older = re.search(r'href="(/calls\?before=[^"]+)"', html)
        path = older[1] if older else ""
    assert seen > 5
    assert len(page.json("/api/v1/calls?limit=500")["calls"]) == 500
    assert "<script>alert" not in page.get("/calls/now")


def test_the_next_caller_is_put_through(house: House, aftermath: Aftermath) -> None:
    line = house.line()
    house.phone(line.phones[0], [invited(), pick_up(), hung_up()])
    call = house.call_of(house.caller(line, [invite(), answered(), wait(0.2), hang_up()]))
    assert call.seen_by_agi
    assert call.answered_at
