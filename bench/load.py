"""HTTP load from one process: at a planned rate, whatever the answers take, or as fast as they come.

An answer's time counts from the instant its request was planned for, so that waiting in a queue counts.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

START_SECONDS = 1.0
CONNECTIONS = 8  # of a closed loop: twice as many as the server has threads
MOST_CONNECTIONS = (
    64  # of an open one, as a reverse proxy keeps; further requests wait, and their time counts
)


@dataclass
class Measured:
    """What came of a load: seconds each answer took, in order of planning, and the answers."""

    took: list[float] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    failed: int = 0
    seconds: float = 0.0

    @property
    def per_second(self) -> float:
        return len(self.answers) / self.seconds

    def percentile_ms(self, percent: float) -> float:
        ordered = sorted(self.took)
        return 1000 * ordered[min(len(ordered) - 1, math.ceil(len(ordered) * percent / 100) - 1)]


def posting(path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> bytes:
    """A POST of that JSON, ready to be sent on a connection that is kept."""
    content = json.dumps(body).encode()
    head = {"Host": "127.0.0.1", "Content-Length": str(len(content)), **headers}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    return "\r\n".join(lines).encode() + content


def at_rate(port: int, requests: Sequence[bytes], per_second: float) -> Measured:
    """Send them at that rate (open loop), on whichever connection is idle."""
    return asyncio.run(_at_rate(port, requests, per_second))


def as_fast(port: int, requests: Iterator[bytes], seconds: float) -> Measured:
    """Send one after the other on each of CONNECTIONS (closed loop) for so long."""
    return asyncio.run(_as_fast(port, requests, seconds))


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _at_rate(port: int, requests: Sequence[bytes], per_second: float) -> Measured:
    measured = Measured()
    idle: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
    for _ in range(MOST_CONNECTIONS):
        idle.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    # Thousands of tasks take a quarter of a second to make: the first request is due when all are there, or
    # the time lost here would count as the server's.
    began = time.perf_counter() + START_SECONDS

    async def send(number: int, request: bytes) -> None:
        planned = began + number / per_second
        await asyncio.sleep(planned - time.perf_counter())
        connection = await idle.get()
        await _exchange(connection, request, measured)
        measured.took.append(time.perf_counter() - planned)
        idle.put_nowait(connection)

    await asyncio.gather(*(send(number, request) for number, request in enumerate(requests)))
    measured.seconds = time.perf_counter() - began
    while not idle.empty():
        idle.get_nowait()[1].close()
    return measured


async def _as_fast(port: int, requests: Iterator[bytes], seconds: float) -> Measured:
    measured = Measured()
    began = time.perf_counter()

    async def loop() -> None:
        connection = await asyncio.open_connection("127.0.0.1", port)
        while (sent := time.perf_counter()) < began + seconds:
            await _exchange(connection, next(requests), measured)
            measured.took.append(time.perf_counter() - sent)
        connection[1].close()

    await asyncio.gather(*(loop() for _ in range(CONNECTIONS)))
    measured.seconds = time.perf_counter() - began
    return measured


async def _exchange(connection: Connection, request: bytes, measured: Measured) -> None:
    reader, writer = connection
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
    content = await reader.readexactly(length)
    if head.startswith(b"http/1.1 200"):
        measured.answers.append(json.loads(content))
    else:
        measured.failed += 1
