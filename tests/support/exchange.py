"""Many telephones in one: callers and company phones that signal only, hundreds at a time, by scripts.

    exchange = Exchange(asterisk, callers="127.0.0.2", phones="127.0.0.1")
    exchange.answers("x7a", [Reaction(Answer.BUSY, 0.3)])     # what that phone does, call by call
    call = exchange.call("+49151…", "+7495…")                 # a caller; call.over.wait(10)
    exchange.press(call, "1")                                 # as RFC 4733 has it
    call.code                                                 # the final answer, 200 when it was taken

One thread serves both sockets and a heap of times, so that two hundred calls cost what they signal.
"""

from __future__ import annotations

import heapq
import itertools
import re
import secrets
import selectors
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from support.rtp import SILENT, Packet, pressed
from support.sip import Address, Message, reply

from tracker.policy.plan_trial import Answer, Reaction

_SDP = (
    "v=0\r\no=user 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
)
_REFUSALS = {
    Answer.BUSY: "486 Busy Here",
    Answer.DECLINES: "603 Decline",
    Answer.UNREACHABLE: "503 Service Unavailable",
}


@dataclass
class OutCall:
    """A call as its caller sees it. `code`: the final answer to the INVITE; `over`: set when it has ended."""

    caller: str
    did: str
    call_id: str
    tag: str
    branch: str
    code: int = 0
    to: str = ""
    target: str = ""
    sequence: int = 1
    media: Address | None = None
    packets: int = 0
    over: threading.Event = field(default_factory=threading.Event)


class Exchange:
    """Phones hang up `talk_seconds` after they have answered."""

    def __init__(self, asterisk: Address, *, callers: str, phones: str, talk_seconds: float = 0.3) -> None:
        self._asterisk, self._talk_seconds = asterisk, talk_seconds
        self._callers, self._phones, self._media = _bound(callers), _bound(phones), _bound(callers)
        self.phones_port: int = self._phones.getsockname()[1]
        self._calls: dict[str, OutCall] = {}
        self._reactions: dict[str, list[Reaction]] = {}
        self._legs: dict[str, tuple[Message, str]] = {}  # ringing or taken: the INVITE and our tag
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._lock = threading.RLock()
        self._closed = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    # ---- what a test says ----

    def answers(self, extension: str, reactions: Sequence[Reaction]) -> None:
        """What that phone does: each call the next, the last one again and again."""
        self._reactions[extension] = list(reactions)

    def call(self, caller: str, did: str) -> OutCall:
        """A caller dials."""
        call = OutCall(caller, did, f"{secrets.token_hex(8)}@exchange", secrets.token_hex(6), _branch())
        call.target = f"sip:{did}@{self._asterisk[0]}:{self._asterisk[1]}"
        with self._lock:
            self._calls[call.call_id] = call
        self._send(call, "INVITE", call.branch, body=self._offer(callers=True))
        return call

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Do it then."""
        with self._lock:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._count), act))

    def press(self, call: OutCall, key: str) -> None:
        """The caller presses a key."""
        self._speak(call, pressed(key))

    def give_up(self, call: OutCall) -> None:
        """The caller hangs up, answered or not."""
        if call.code == 0:
            self._send(call, "CANCEL", call.branch)
        elif not call.over.is_set():
            self._send_next(call, "BYE")
            call.over.set()

    def close(self) -> None:
        self._closed = True
        self._thread.join(5)
        for each in (self._callers, self._phones, self._media):
            each.close()

    # ---- the thread ----

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._callers, selectors.EVENT_READ, self._for_callers)
            selector.register(self._phones, selectors.EVENT_READ, self._for_phones)
            while not self._closed:
                for key, _ in selector.select(self._wait()):
                    with suppress(OSError):
                        data, _ = key.fileobj.recvfrom(65535)  # type: ignore[union-attr]
                        if data.strip():
                            key.data(Message(data.decode(errors="replace"), time.time()))
                self._run_due()

    def _wait(self) -> float:
        with self._lock:
            return min(0.02, max(0.0, self._due[0][0] - time.monotonic())) if self._due else 0.02

    def _run_due(self) -> None:
        while True:
            with self._lock:
                if not self._due or self._due[0][0] > time.monotonic():
                    return
                act = heapq.heappop(self._due)[2]
            act()

    # ---- callers ----

    def _for_callers(self, message: Message) -> None:
        call = self._calls.get(message.header("Call-ID"))
        if call is None:
            return
        if message.status is None:
            if message.method == "BYE":
                call.over.set()
            if message.method != "ACK":
                self._put(self._callers, reply(message, "200 OK"))
        elif message.method == "INVITE" and message.status >= 200:
            self._answered(call, message, message.status)

    def _answered(self, call: OutCall, message: Message, status: int) -> None:
        call.to = message.header("To")
        first, call.code = call.code == 0, status
        if status == 200:
            call.target = re.findall(r"sip:[^>;\s]+", message.header("Contact"))[0]
            port = re.search(r"m=audio (\d+)", message.body)
            call.media = (self._asterisk[0], int(port[1])) if port else None
        self._send(call, "ACK", _branch() if status == 200 else call.branch)
        if first and status == 200:
            self._speak(
                call, [SILENT] * 8
            )  # until Asterisk has heard enough to believe that it is the caller
        elif first:
            call.over.set()

    def _speak(self, call: OutCall, packets: Sequence[Packet]) -> None:
        for place, packet in enumerate(packets):
            self.after(0.02 * place, lambda packet=packet: self._sound(call, packet))  # type: ignore[misc]

    def _sound(self, call: OutCall, packet: Packet) -> None:
        call.packets += 1
        if call.media is not None:
            self._media.sendto(
                packet.as_rtp(call.packets, call.packets * 160, call.tag[:4].encode()), call.media
            )

    def _offer(self, *, callers: bool) -> str:
        """Callers press keys from one socket; phones send no sound, and ours is thrown away."""
        address = (self._callers if callers else self._phones).getsockname()[0]
        return _SDP.format(address=address, port=self._media.getsockname()[1] if callers else 9)

    def _send_next(self, call: OutCall, method: str) -> None:
        call.sequence += 1
        self._send(call, method, _branch())

    def _send(self, call: OutCall, method: str, branch: str, *, body: str = "") -> None:
        host, port = self._callers.getsockname()
        number = 1 if method in {"INVITE", "ACK", "CANCEL"} else call.sequence
        lines = [
            f"{method} {call.target} SIP/2.0", f"Via: SIP/2.0/UDP {host}:{port};rport;branch={branch}",
            f"From: <sip:{call.caller}@carrier.example>;tag={call.tag}",
            f"To: {call.to or f'<sip:{call.did}@{self._asterisk[0]}>'}", f"Call-ID: {call.call_id}",
            f"CSeq: {number} {method}", f"Contact: <sip:caller@{host}:{port}>", "Max-Forwards: 70",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}", "", body,
        ]  # fmt: skip
        self._put(self._callers, "\r\n".join(lines))

    # ---- phones ----

    def _for_phones(self, message: Message) -> None:
        call_id = message.header("Call-ID")
        if message.status is not None or message.method == "ACK":
            return
        if message.method == "INVITE":
            if call_id not in self._legs:
                self._ring(message)
            return
        self._put(self._phones, reply(message, "200 OK"))
        if message.method == "CANCEL" and call_id in self._legs:
            self._final(call_id, "487 Request Terminated")
        elif message.method == "BYE":
            self._legs.pop(call_id, None)

    def _ring(self, invite: Message) -> None:
        call_id, tag = invite.header("Call-ID"), secrets.token_hex(6)
        self._legs[call_id] = invite, tag
        found = re.search(r"sip:([^@]+)@", invite.first_line)
        reactions = self._reactions.get(found[1] if found else "", [])
        reaction = (reactions.pop(0) if len(reactions) > 1 else reactions[0]) if reactions else None
        if reaction is None or reaction.answer is not Answer.UNREACHABLE:
            self._reply(call_id, "180 Ringing")
        if reaction is not None and reaction.answer is not Answer.SILENT:
            act = self._pick_up if reaction.answer is Answer.ANSWERS else self._refuse
            self.after(reaction.seconds, lambda: act(call_id, reaction.answer))

    def _refuse(self, call_id: str, answer: Answer) -> None:
        self._final(call_id, _REFUSALS[answer])

    def _pick_up(self, call_id: str, _: Answer) -> None:
        self._reply(call_id, "200 OK", body=self._offer(callers=False))
        self.after(self._talk_seconds, lambda: self._hang_up(call_id))

    def _hang_up(self, call_id: str) -> None:
        if call_id not in self._legs:
            return
        invite, tag = self._legs.pop(call_id)
        host, port = self._phones.getsockname()
        target = re.findall(r"sip:[^>;\s]+", invite.header("Contact"))[0]
        lines = [
            f"BYE {target} SIP/2.0", f"Via: SIP/2.0/UDP {host}:{port};rport;branch={_branch()}",
            f"From: {invite.header('To')};tag={tag}", f"To: {invite.header('From')}", f"Call-ID: {call_id}",
            "CSeq: 1 BYE", "Max-Forwards: 70", "Content-Length: 0", "", "",
        ]  # fmt: skip
        self._put(self._phones, "\r\n".join(lines))

    def _final(self, call_id: str, status: str) -> None:
        if call_id in self._legs:
            self._reply(call_id, status)
            del self._legs[call_id]

    def _reply(self, call_id: str, status: str, body: str = "") -> None:
        if call_id not in self._legs:
            return
        invite, tag = self._legs[call_id]
        host, port = self._phones.getsockname()
        to = f"{invite.header('To')};tag={tag}"
        self._put(
            self._phones, reply(invite, status, f"Contact: <sip:phone@{host}:{port}>", to=to, body=body)
        )

    def _put(self, via: socket.socket, text: str) -> None:
        with suppress(OSError):
            via.sendto(text.encode(), self._asterisk)


def _bound(address: str) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    bound.bind((address, 0))
    return bound


def _branch() -> str:
    return f"z9hG4bK{secrets.token_hex(8)}"
