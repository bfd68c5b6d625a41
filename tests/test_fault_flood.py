"""A thousand connections to the AGI port that say nothing, or half of something: calls do not notice."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pytest
from support.agi_faults import cpu_seconds
from support.house import House, until
from support.talks import Place, begin, channel_place, check_booked, finish

CONNECTIONS = 1000
CALLS = 10
# What they say before they fall silent, in turn; the last ones close at once.
WORDS = (b"", b"agi_network: yes\n", b"agi_network: yes\nagi_network_script: inbound\nagi_arg_1: ", None)


@pytest.fixture(scope="module")
def places(house: House) -> list[Place]:
    with house.applying_once():
        return [channel_place(house) for _ in range(CALLS)]


def test_calls_do_not_notice_a_thousand_silent_connections(house: House, places: list[Place]) -> None:
    agi = house.pid("agi")
    with flood(house.settings.agi_port) as flooded:
        until(lambda: flooded.made >= 2 * CONNECTIONS, 20, why="all of them came, and came again")
        flooded.most = 0
        talks = [begin(house, place, 1) for place in places]
        finish(talks)
        assert flooded.most > CONNECTIONS / 2
    delays = [talk.delay for talk in talks]
    print(f"{flooded.made} connections; delays", " ".join(f"{delay:.3f}" for delay in delays))
    assert max(delays) < 0.5
    for talk in talks:
        check_booked(house, talk, seen_by_agi=True)
    assert house.pid("agi") == agi
    until(lambda: idle(agi), 15, why="the AGI process rests again")


@dataclass
class Flood:
    """How many connections were ever made, are open now, and were open at most.

    They come and go in waves, because the server shuts out at once all that came at once: how many are open
    at any one instant says nothing.
    """

    made: int = 0
    open: int = 0
    most: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)


@contextmanager
def flood(port: int) -> Iterator[Flood]:
    """As many connections as CONNECTIONS at every instant, each made anew when the server has closed it."""
    flooded, loop = Flood(), asyncio.new_event_loop()

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            for count in range(CONNECTIONS):
                group.create_task(again_and_again(port, WORDS[count % len(WORDS)], flooded))

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    try:
        yield flooded
    finally:
        loop.call_soon_threadsafe(flooded.over.set)
        thread.join()
        loop.close()


async def again_and_again(port: int, words: bytes | None, flooded: Flood) -> None:
    while not flooded.over.is_set():
        with suppress(OSError):
            await one(port, words, flooded)
        await asyncio.sleep(0.05)


async def one(port: int, words: bytes | None, flooded: Flood) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    flooded.made, flooded.open = flooded.made + 1, flooded.open + 1
    flooded.most = max(flooded.most, flooded.open)
    try:
        if words is None:
            await asyncio.sleep(0.5)
            return
        writer.write(words)
        await reader.read()  # until the server has had enough
    finally:
        flooded.open -= 1
        writer.close()


def idle(pid: int) -> bool:
    """Whether the process uses less than a tenth of a processor."""
    before = cpu_seconds(pid)
    time.sleep(1)
    return cpu_seconds(pid) - before < 0.1
