"""A FastAGI server in a thread of its own, so that tests can talk to it with plain blocking sockets."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from support.ports import free_port

from agi.guard import Endpoint, Guard, Limits

T = TypeVar("T")


@dataclass
class Running:
    port: int
    guard: Guard
    loop: asyncio.AbstractEventLoop

    def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine in the server's loop and wait for it."""

        async def run() -> T:
            return await work()

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(10)


@contextmanager
def serving(
    routes: Mapping[str, Endpoint] | Callable[[], Mapping[str, Endpoint]], limits: Limits | None = None
) -> Iterator[Running]:
    """Routes may be made by a function, which then runs inside the loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    port = free_port()

    async def start() -> Guard:
        guard = Guard(routes() if callable(routes) else routes, limits)
        await guard.start("127.0.0.1", port)
        return guard

    guard = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    running = Running(port, guard, loop)
    try:
        yield running
    finally:
        running.call(lambda: guard.stop(0.2))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
