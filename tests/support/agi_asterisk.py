"""Asterisk's side of AGI, after res_agi.c: sends the header, obeys commands, and says how the session ended.

    with Session(port, "inbound", args=[...]) as session:
        status = session.run()         # AGISTATUS as Asterisk would set it
        session.variables              # what was set

It reads commands with the parser of res_agi.c, so what it took for a value is what Asterisk would.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

USAGE = (
    "520-Invalid command syntax.  Proper usage follows:\n"
    " Usage: SET VARIABLE <variablename> <value>\n"
    "\n"
    " \tSets a variable.\n"
    "520 End of proper usage.\n"
)
MOST_WORDS = 128


def words_of(line: str) -> list[str]:
    """`parse_args` of res_agi.c, word for word; IndexError where it would write past its array."""
    words: list[str] = []
    quoted = escaped = False
    whitespace = True
    for letter in line:
        if letter == '"' and not escaped:
            quoted = not quoted
            if quoted and whitespace:
                words.append("")
                whitespace = False
        elif letter in " \t" and not quoted and not escaped:
            whitespace = True
        elif letter == "\\" and not escaped:
            escaped = True
            continue
        else:
            if whitespace:
                words.append("")
                whitespace = False
            words[-1] += letter
        escaped = False
    if len(words) >= MOST_WORDS:
        raise IndexError("Asterisk's argument array overflows")
    return words


def header(route: str, arguments: Sequence[str] = (), **more: str) -> str:
    """What Asterisk sends first."""
    fields = {
        "agi_network": "yes",
        "agi_network_script": route,
        "agi_request": f"agi://127.0.0.1/{route}",
        "agi_channel": "PJSIP/trunk-7-00000001",
        "agi_language": "en",
        "agi_type": "PJSIP",
        "agi_uniqueid": "1795313411.0",
        "agi_callerid": "+4915112345678",
        "agi_calleridname": "Ann Caller",
        "agi_dnid": "84951234567",
        "agi_context": "from-trunk",
        "agi_accountcode": "",
    } | more
    fields |= {f"agi_arg_{position}": text for position, text in enumerate(arguments, start=1)}
    return "".join(f"{name}: {value}\n" for name, value in fields.items()) + "\n"


class Channel:
    """A channel's variables, and what it answers to a command line."""

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}
        self.commands: list[str] = []

    def obey(self, line: str) -> str:
        self.commands.append(line)
        words = words_of(line)
        match [words[0].upper(), *(words[1:2] and [words[1].upper()]), *words[2:]] if words else []:
            case ["SET", "VARIABLE", name, value]:
                self.variables[name] = value
                return "200 result=1\n"
            case ["GET", "VARIABLE", name]:
                known = self.variables.get(name)
                return "200 result=0\n" if known is None else f"200 result=1 ({known})\n"
            case ["SET", "VARIABLE", *_]:
                return USAGE
            case ["EXEC", "MSET", pairs]:
                self.variables |= dict(pair.split("=", 1) for pair in pairs.split(","))
                return "200 result=0\n"
            case ["NOOP", *_]:
                return "200 result=0\n"
        return "510 Invalid or unknown command\n"


class Session:
    """One AGI session over a socket. `answers` replaces what the channel would say to a command."""

    def __init__(
        self,
        port: int,
        route: str = "inbound",
        arguments: Sequence[str] = (),
        *,
        head: bytes | None = None,
        answers: Callable[[str, str], str | bytes] = lambda _line, proper: proper,
        seconds: float = 5,
    ) -> None:
        self.channel = Channel()
        self.head = header(route, arguments).encode() if head is None else head
        self.answers = answers
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)

    @property
    def variables(self) -> dict[str, str]:
        return self.channel.variables

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def run(self) -> str:
        """AGISTATUS: SUCCESS also when the server just closes; FAILURE when it said so."""
        self.socket.sendall(self.head)
        try:
            for line in self.socket.makefile("rb"):
                text = line.decode().rstrip("\n")
                if text.lower().startswith("failure"):
                    return "FAILURE"
                answer = self.answers(text, self.channel.obey(text))
                self.socket.sendall(answer if isinstance(answer, bytes) else answer.encode())
        except ConnectionError:
            pass
        return "SUCCESS"
