"""A SIP telephone of our own, for what SIPp cannot play: registering, two calls at once, hearing.

    ann = Telephone(asterisk, "127.0.0.1", user="ann", password="...")
    ann.register()
    talk = ann.take_call()                    # the next call that comes in: rings, picks up
    other = ann.dial("bob").answered()        # a second call, while the first goes on
    talk.transfer(other)                      # REFER with Replaces (RFC 3891)
    talk.media.say(samples); talk.media.heard()

SIP over UDP on loopback, where nothing is lost: no retransmission by us, the other side's is seen through.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import quote

from support.rtp import Media

Address = tuple[str, int]


@dataclass(frozen=True)
class Message:
    """A SIP message as it came in; `text` is all of it."""

    text: str
    at: float

    @property
    def first_line(self) -> str:
        return self.text.split("\r\n", 1)[0]

    @property
    def status(self) -> int | None:
        """200 of `SIP/2.0 200 OK`; None for a request."""
        return int(self.first_line.split()[1]) if self.text.startswith("SIP/2.0 ") else None

    @property
    def method(self) -> str:
        return self.header("CSeq").split()[1]

    def header(self, name: str) -> str:
        """The value of the first such header, "" when there is none."""
        return next(iter(self.headers(name)), "")

    def headers(self, name: str) -> list[str]:
        head = self.text.split("\r\n\r\n", 1)[0]
        return re.findall(rf"(?im)^{re.escape(name)}\s*:\s*(.*?)\r?$", head)

    @property
    def body(self) -> str:
        return self.text.partition("\r\n\r\n")[2]


class Telephone:
    """One address that speaks SIP. What comes in is kept until a test takes it; small talk answers itself."""

    def __init__(
        self, asterisk: Address, address: str, *, port: int = 0, user: str = "phone", password: str = ""
    ) -> None:
        self.asterisk, self.user, self.password = asterisk, user, password
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, port))
        self.address, self.port = self.socket.getsockname()
        self.talks: list[Talk] = []
        self.everything: list[Message] = []
        self._inbox: list[Message] = []
        self._arrived = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def contact(self) -> str:
        return f"<sip:{self.user}@{self.address}:{self.port}>"

    # ---- what it does ----

    def register(self, seconds: int = 300) -> Message:
        """REGISTER with the digest asked for; gives the final answer."""
        host = f"{self.asterisk[0]}:{self.asterisk[1]}"
        me = f"<sip:{self.user}@{host}>"
        login = Talk(self, f"{me};tag={_token()}", me, f"sip:{host}")
        return login.request("REGISTER", f"Contact: {self.contact}", f"Expires: {seconds}")

    def dial(self, asked: str, *headers: str, who: str | None = None, to: str | None = None) -> Talk:
        """INVITE, and log in if we have a password; what comes of it is the talk's to wait for.

        `who` is the From address, `to` the To address where it is not what is asked for.
        """
        host = f"{self.asterisk[0]}:{self.asterisk[1]}"
        talk = Talk(
            self,
            f"{who or f'<sip:{self.user}@{host}>'};tag={_token()}",
            to or f"<sip:{asked}@{host}>",
            f"sip:{asked}@{host}",
        )
        self.talks.append(talk)
        talk.send("INVITE", f"Contact: {self.contact}", *headers, body=talk.offer())
        if self.password:
            talk.log_in()
        return talk

    def invited(self, seconds: float = 10) -> Talk:
        """The next call that comes in; it hears 180 at once."""
        invite = self.wait(lambda message: message.status is None and message.method == "INVITE", seconds)
        remote = re.findall(r"sip:[^>;\s]+", invite.header("Contact"))[0]
        talk = Talk(self, f"{invite.header('To')};tag={_token()}", invite.header("From"), remote)
        talk.call_id, talk.invite = invite.header("Call-ID"), invite
        self.talks.append(talk)
        talk.reply("180 Ringing")
        return talk

    def take_call(self, seconds: float = 10) -> Talk:
        talk = self.invited(seconds)
        talk.pick_up()
        return talk

    def wait(self, wanted: Callable[[Message], bool], seconds: float = 5) -> Message:
        """Takes the first message that is wanted out of those that came, or come in time."""
        end = time.monotonic() + seconds
        with self._arrived:
            while True:
                for message in self._inbox:
                    if wanted(message):
                        self._inbox.remove(message)
                        return message
                if not self._arrived.wait(end - time.monotonic()):
                    came = [message.first_line for message in self.everything]
                    raise TimeoutError(f"not within {seconds} s; came: {came}")

    def close(self) -> None:
        for talk in self.talks:
            talk.media.close()
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    # ---- what comes in ----

    def put(self, text: str) -> None:
        with suppress(OSError):  # the test is over, and Asterisk still says good-bye
            self.socket.sendto(text.encode(), self.asterisk)

    def _listen(self) -> None:
        seen = set()
        while True:
            try:
                data, _ = self.socket.recvfrom(65535)
            except OSError:
                return
            message = Message(data.decode(errors="replace"), time.time())
            if not data.strip() or data in seen:  # a keep-alive, or said again
                continue
            seen.add(data)
            self._answer_small_talk(message)
            with self._arrived:
                self.everything.append(message)
                self._inbox.append(message)
                self._arrived.notify_all()

    def _answer_small_talk(self, message: Message) -> None:
        again = message.method == "INVITE" and "tag=" in message.header("To")  # the other party has changed
        if message.status is not None or not (again or message.method in {"OPTIONS", "NOTIFY", "BYE"}):
            return
        body = next(talk for talk in self.talks if talk.is_of(message)).offer() if again else ""
        self.put(reply(message, "200 OK", *([f"Contact: {self.contact}"] if again else []), body=body))


class Talk:
    """One dialog (RFC 3261, section 12): a call as one side sees it."""

    def __init__(self, telephone: Telephone, local: str, remote: str, target: str) -> None:
        self.telephone, self.local, self.remote, self.target = telephone, local, remote, target
        self.call_id = f"{_token()}@leaseline.test"
        self.sequence = 0
        self.invite: Message | None = None
        self._via = ""
        self.media = Media(telephone.address)

    def is_of(self, message: Message) -> bool:
        return message.header("Call-ID") == self.call_id

    def offer(self) -> str:
        return "".join(
            f"{line}\r\n"
            for line in (
                "v=0", f"o=user 1 {int(time.time() * 1000)} IN IP4 {self.telephone.address}", "s=-",
                f"c=IN IP4 {self.telephone.address}", "t=0 0", f"m=audio {self.media.port} RTP/AVP 0 101",
                "a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15",
            )
        )  # fmt: skip

    # ---- the side that calls ----

    def send(self, method: str, *headers: str, body: str = "") -> None:
        if method not in {"ACK", "CANCEL"}:
            self.sequence += 1
        via = f"SIP/2.0/UDP {self.telephone.address}:{self.telephone.port};rport;branch=z9hG4bK{_token()}"
        if method == "INVITE":
            self._via = f"Via: {via}"
        lines = [
            f"{method} {self.target} SIP/2.0", f"Via: {via}", f"From: {self.local}", f"To: {self.remote}",
            f"Call-ID: {self.call_id}", f"CSeq: {self.sequence} {method}", "Max-Forwards: 70", *headers,
        ]  # fmt: skip
        self.telephone.put(_whole(lines, body))

    def request(self, method: str, *headers: str) -> Message:
        """Send, log in if asked to, and give the final answer."""
        self.send(method, *headers)
        answer = self.final(method)
        if answer.status == 401:
            self.send(method, *headers, self._login(answer, method))
            answer = self.final(method)
        return answer

    def final(self, method: str, seconds: float = 10) -> Message:
        return self.telephone.wait(
            lambda message: self.is_of(message) and message.method == method and (message.status or 0) >= 200,
            seconds,
        )

    def heard(self, status: int, seconds: float = 5) -> Message:
        """The provisional answer of this kind; its sound is listened to and answered."""
        message = self.telephone.wait(lambda each: self.is_of(each) and each.status == status, seconds)
        self.media.towards(message.body)
        return message

    def log_in(self) -> None:
        """Meet the challenge to our INVITE."""
        challenge = self.final("INVITE")
        self._acknowledge(challenge)
        login = self._login(challenge, "INVITE")
        self.send("INVITE", f"Contact: {self.telephone.contact}", login, body=self.offer())

    def answered(self, seconds: float = 10) -> Talk:
        """Wait until the call is taken."""
        answer = self.final("INVITE", seconds)
        self._acknowledge(answer)
        if answer.status != 200:
            raise AssertionError(f"not answered: {answer.first_line}")
        return self

    def give_up(self) -> None:
        """Hang up before anybody has answered: the CANCEL belongs to the INVITE's own transaction."""
        cancel = [
            f"CANCEL {self.target} SIP/2.0", self._via, f"From: {self.local}", f"To: {self.remote}",
            f"Call-ID: {self.call_id}", f"CSeq: {self.sequence} CANCEL", "Max-Forwards: 70",
        ]  # fmt: skip
        self.telephone.put(_whole(cancel))
        assert self.refused() == 487

    def refused(self, seconds: float = 10) -> int:
        """Wait for the final answer, which is no 200; gives its code."""
        answer = self.final("INVITE", seconds)
        self._acknowledge(answer)
        return answer.status or 0

    def _acknowledge(self, answer: Message) -> None:
        opened = answer.status == 200
        if opened:
            self.remote = answer.header("To")
            self.target = re.findall(r"sip:[^>;\s]+", answer.header("Contact"))[0]
            self.media.towards(answer.body)
            self.send("ACK")
        else:  # the ACK of a refusal belongs to the INVITE's own transaction
            ack = [
                f"ACK {self.target} SIP/2.0", f"Via: {answer.header('Via')}", f"From: {self.local}",
                f"To: {answer.header('To')}", f"Call-ID: {self.call_id}", f"CSeq: {self.sequence} ACK",
            ]  # fmt: skip
            self.telephone.put(_whole(ack))

    def _login(self, challenge: Message, method: str) -> str:
        asked = challenge.header("WWW-Authenticate")
        me = self.telephone
        return f"Authorization: {authorization(asked, method, self.target, me.user, me.password)}"

    # ---- the side that is called ----

    def reply(self, status: str, *headers: str, body: str = "") -> None:
        if self.invite is None:
            raise AssertionError("this talk was not called")
        contact = f"Contact: {self.telephone.contact}"
        self.telephone.put(reply(self.invite, status, contact, *headers, to=self.local, body=body))

    def pick_up(self) -> None:
        if self.invite is None:
            raise AssertionError("this talk was not called")
        self.media.towards(self.invite.body)
        self.reply("200 OK", body=self.offer())
        self.telephone.wait(lambda message: self.is_of(message) and message.method == "ACK")

    # ---- both ----

    def hang_up(self) -> Message:
        return self.request("BYE")

    def hold(self, way: str = "sendonly") -> Message:
        """Put the other side on hold by a new INVITE within the talk, or take it back ("sendrecv")."""
        offer = self.offer() + f"a={way}\r\n"
        self.send("INVITE", f"Contact: {self.telephone.contact}", body=offer)
        answer = self.final("INVITE")
        self.send("ACK")
        return answer

    def over(self, seconds: float = 10) -> Message:
        """Wait until the other side hangs up."""
        return self.telephone.wait(
            lambda message: self.is_of(message) and message.status is None and message.method == "BYE",
            seconds,
        )

    def transfer(self, to: Talk | str) -> Message:
        """Hand the other side on: to an extension (blind), or to the party of another talk (attended)."""
        if isinstance(to, Talk):
            tags = {"to-tag": to.remote, "from-tag": to.local}
            replaces = ";".join([to.call_id, *(f"{name}={_tag(party)}" for name, party in tags.items())])
            wanted = f"{to.target}?Replaces={quote(replaces, safe='')}"
        else:
            wanted = f"sip:{to}@{self.telephone.asterisk[0]}:{self.telephone.asterisk[1]}"
        me = f"Contact: {self.telephone.contact}"
        return self.request(
            "REFER", me, f"Refer-To: <{wanted}>", f"Referred-By: <sip:{self.telephone.user}@x>"
        )


@dataclass
class Registrar:
    """A carrier at which we log in: challenges every REGISTER, and believes those who know the password."""

    telephone: Telephone
    realm: str = "carrier.example"
    believed: list[Message] = field(default_factory=list)
    turned_away: list[Message] = field(default_factory=list)

    def serve_one(self, seconds: float = 15) -> Message:
        """Meet REGISTERs until one of them has the right password; gives that one."""
        while True:
            message = self.telephone.wait(
                lambda each: each.status is None and each.method == "REGISTER", seconds
            )
            if self._is_right(message):
                self.believed.append(message)
                contact = f"Contact: {message.header('Contact')};expires=300"
                self.telephone.put(reply(message, "200 OK", contact))
                return message
            self.turned_away.append(message)
            challenge = f'Digest realm="{self.realm}",nonce="{_token()}",algorithm=MD5,qop="auth"'
            self.telephone.put(reply(message, "401 Unauthorized", f"WWW-Authenticate: {challenge}"))

    def _is_right(self, message: Message) -> bool:
        said = _parameters(message.header("Authorization"))
        if not said:
            return False
        user, password = self.telephone.user, self.telephone.password
        proof = _digest(said, "REGISTER", said["uri"], user, password, said["cnonce"])
        return said["username"] == user and said["response"] == proof


# ---- how things are written ----


def reply(message: Message, status: str, *headers: str, to: str = "", body: str = "") -> str:
    """An answer to a request, as text."""
    to = to or message.header("To")
    lines = [
        f"SIP/2.0 {status}", *(f"Via: {via}" for via in message.headers("Via")),
        f"From: {message.header('From')}", f"To: {to if 'tag=' in to else f'{to};tag={_token()}'}",
        f"Call-ID: {message.header('Call-ID')}", f"CSeq: {message.header('CSeq')}", *headers,
    ]  # fmt: skip
    return _whole(lines, body)


def authorization(challenge: str, method: str, uri: str, user: str, password: str) -> str:
    """The answer to a digest challenge (RFC 2617, qop=auth, MD5)."""
    asked, cnonce = _parameters(challenge), _token()
    proof = _digest(asked, method, uri, user, password, cnonce)
    said = {
        "username": user, "realm": asked["realm"], "nonce": asked["nonce"], "uri": uri, "cnonce": cnonce,
        "response": proof,
    }  # fmt: skip
    if "opaque" in asked:
        said["opaque"] = asked["opaque"]
    quoted = ",".join(f'{name}="{value}"' for name, value in said.items())
    return f"Digest {quoted},qop=auth,nc=00000001,algorithm=MD5"


def _whole(lines: list[str], body: str = "") -> str:
    kind = ["Content-Type: application/sdp"] if body else []
    return "\r\n".join([*lines, *kind, f"Content-Length: {len(body)}", "", body])


def _parameters(header: str) -> dict[str, str]:
    return {
        name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', header)
    }


def _digest(asked: dict[str, str], method: str, uri: str, user: str, password: str, cnonce: str) -> str:
    who = _md5(f"{user}:{asked['realm']}:{password}")
    return _md5(f"{who}:{asked['nonce']}:00000001:{cnonce}:auth:{_md5(f'{method}:{uri}')}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def _tag(party: str) -> str:
    return party.rpartition("tag=")[2].split(";")[0]


def _token() -> str:
    return secrets.token_hex(8)
