"""Where a connection waits until it has shown a whole header: a buffer in a table, no task, no stream.

A port scan or a thousand silent peers cost a socket and a few microseconds each; one sweep a tenth of a
second sends away whoever stood there too long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_SWEEP_SECONDS = 0.1
Admit = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], None]


class Doorstep:
    """Makes a protocol for each new connection; `admit` gets those that showed a header."""

    def __init__(
        self,
        admit: Admit,
        welcome: Callable[[asyncio.Transport], bool],
        *,
        seconds: float,
        size: int,
        room: int,
    ) -> None:
        self.turned_away = 0
        self.size = size
        self._admit = admit
        self._welcome = welcome
        self._seconds = seconds
        self._room = room
        self._loop = asyncio.get_running_loop()
        self._since: dict[asyncio.Transport, float] = {}  # in the order they came
        self._sweep = self._loop.call_later(_SWEEP_SECONDS, self._send_away)

    def __call__(self) -> asyncio.Protocol:
        return _Waiting(self)

    def came(self, transport: asyncio.Transport) -> None:
        """A new connection. When the step is full, the one that waited longest goes."""
        if not self._welcome(transport):
            self.turned_away += 1
            transport.abort()
            return
        self._since[transport] = self._loop.time()
        if len(self._since) > self._room:
            oldest = next(iter(self._since))
            self.left(oldest)
            oldest.abort()

    def left(self, transport: asyncio.Transport) -> None:
        """The connection is gone, or shown in."""
        if self._since.pop(transport, None) is not None:
            self.turned_away += 1

    def show_in(self, head: bytes, rest: bytes, transport: asyncio.Transport) -> None:
        """From here on the connection is a stream."""
        if self._since.pop(transport, None) is None:
            return
        reader = asyncio.StreamReader(limit=self.size, loop=self._loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=self._loop)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        if rest:
            reader.feed_data(rest)
        self._admit(head, reader, asyncio.StreamWriter(transport, protocol, reader, self._loop))

    def close(self) -> None:
        """Nobody waits here any more."""
        self._sweep.cancel()
        for transport in list(self._since):
            transport.abort()

    def _send_away(self) -> None:
        latest = self._loop.time() - self._seconds
        for transport, since in list(self._since.items()):
            if since > latest:
                break
            transport.abort()
        self._sweep = self._loop.call_later(_SWEEP_SECONDS, self._send_away)


class _Waiting(asyncio.Protocol):
    def __init__(self, step: Doorstep) -> None:
        self._step = step
        self._shown = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  (a TCP server's always is)
        self._transport = transport
        self._step.came(transport)

    def data_received(self, data: bytes) -> None:
        self._shown += data
        head, end, rest = self._shown.partition(b"\n\n")
        if end and len(head) <= self._step.size:
            self._step.show_in(head + end, rest, self._transport)
        elif len(self._shown) > self._step.size:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._step.left(self._transport)
