"""What panoramisk reads in place of the socket: a checked header, then replies that cannot get out of step.

panoramisk 1.4 spins for ever on a peer that closes, takes HANGUP for the answer to the running command
(every later answer is then off by one), reads one line of the several that a 520 has, and dies on text that
is not UTF-8.
"""

from __future__ import annotations

import asyncio
import re

_REPLY = re.compile(rb"\d{3}[ -][^\n]*\n\Z")
_USAGE_LINES = 200


class Gone(ConnectionError):
    """The other side went away, or stopped speaking AGI."""


class Malformed(ValueError):
    """The header is none that Asterisk would send."""


def checked_head(head: bytes) -> tuple[str, bytes]:
    """The route that is asked for, and the header made safe to parse: UTF-8, no query string, each name once.

    Raises Malformed. A name given twice is refused whichever came first: a value carrying a line break could
    otherwise speak for Asterisk.
    """
    fields: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").rstrip("\n").split("\n"):
        name, separator, value = line.partition(": ")
        if not separator and not line.endswith(":"):
            raise Malformed(f"header line {line[:40]!r}")
        if name in fields:
            raise Malformed(f"{name[:40]!r} twice")
        fields[name] = value
    script = fields.get("agi_network_script")
    if script is None:
        raise Malformed("no agi_network_script")
    route = fields["agi_network_script"] = script.partition("?")[0].strip("/")
    text = "".join(f"{name}: {value}\n" for name, value in fields.items())
    return route, f"{text}\n".encode()


class Replies:
    """Stands in for a session's StreamReader: `read` replays the header, `readline` gives whole replies."""

    def __init__(self, head: bytes, reader: asyncio.StreamReader) -> None:
        self._head = head
        self._reader = reader
        self._usage_owed = False
        self.hung_up = False
        self.interrupted = False  # the session was cancelled; panoramisk would hide it

    async def read(self, size: int) -> bytes:
        part, self._head = self._head[:size], self._head[size:]
        if not part:
            raise Gone("nothing follows the header")
        return part

    async def readline(self) -> bytes:
        """One reply line. HANGUP is noted and skipped, a usage block is one line. Raises Gone."""
        if self._usage_owed:  # panoramisk reads one line more after a 520
            self._usage_owed = False
            return b"\n"
        while (line := await self._line()) == b"HANGUP\n":
            self.hung_up = True
        if not _REPLY.match(line):
            raise Gone(f"no AGI reply: {line[:40]!r}")
        if line.startswith(b"520"):
            if line.startswith(b"520-"):
                await self._skip_usage()
            self._usage_owed = True
        return line.decode("utf-8", "replace").encode()

    async def _skip_usage(self) -> None:
        for _ in range(_USAGE_LINES):
            if (await self._line()).startswith(b"520 "):
                return
        raise Gone("a usage text without end")

    async def _line(self) -> bytes:
        try:
            line = await self._reader.readline()
        except ValueError as error:  # longer than the stream's limit
            raise Gone("a line without end") from error
        if not line.endswith(b"\n"):
            raise Gone("closed in the middle of a session")
        return line
