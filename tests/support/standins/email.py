"""A mail server: it takes what comes, says 451 while it is busy, and 550 to whom it does not know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from support.receivers import Mailbox, mailbox
from support.standin import Asked, Said, StandIn
from support.standins.double import Double


class Server(Double):
    refusal = Said(550, b"no such user")
    says_when = False
    secret_travels = False
    closes_days = 2

    def values(self, url: str) -> dict[str, str]:
        return {"to": "boss@pallets.example"}

    @contextmanager
    def serve(self) -> Iterator[StandIn]:
        found = StandIn()
        with mailbox(_Box(found, self)) as box:
            self.settings = {
                "smtp_host": "127.0.0.1", "smtp_port": box.port, "smtp_security": "none",
                "smtp_from": "leaseline@pallets.example",
            }  # fmt: skip
            yield found


class _Box(Mailbox):
    """Answers a recipient as the stand-in is told to."""

    def __init__(self, found: StandIn, double: Server) -> None:
        super().__init__()
        self._found, self._double = found, double

    def reply(self, word: str) -> str:
        if word != "RCPT":
            return super().reply(word)
        said = self._found.down or (self._found.said.pop(0) if self._found.said else Said(250))
        if said.pause is not None:
            said.pause.wait(60)
        if said.status < 300:
            return super().reply(word)
        return "550 no such user" if said is self._double.refusal else "451 busy, try again"

    def take(self, to: str, letter: EmailMessage) -> None:
        super().take(to, letter)
        text = letter.get_content()
        headers: dict[str, Any] = {name.lower(): value for name, value in letter.items()}
        self._found.asked.append(Asked("MAIL", to, {}, headers, text.encode()))
        self._double.taken.append(text.rpartition("/calls/")[2].strip())
