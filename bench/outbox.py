"""How fast deliveries go out, and what a destination that hangs costs the others.

On SQLite and PostgreSQL, calls are told to ten destinations. First all of them answer: that is the baseline.
Then one of them takes the connection and never answers. `per_s`: deliveries a second that the nine others
took meanwhile; `ratio`: the share of the baseline's speed, over the same nine. `delay_ms`: how much later
than in the baseline the news of a single call reaches a destination, 95 of 100. `lost` and `doubled` are
counted at the nine receivers: each call once.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from support.standin import Asked, Said, StandIn, stand_in
from support.standins.webhook import SECRET
from support.told import Told

from bench.leases import Durable, folder, with_suffix
from commands.schema import make_ready
from tracker.database import Database
from tracker.policy.callback import quantile
from tracker.postman import Postman

ALL, CALLS, SINGLE = 10, 100, 20
WARM = 20  # calls before anything is measured
TURN = 0.5  # seconds, as the worker takes them
LONGEST = 120.0


@dataclass
class Receiver:
    """Takes what it is told, and notes when."""

    taken: list[tuple[str, float]] = field(default_factory=list)

    def answer(self, asked: Asked) -> Said:
        self.taken.append((json.loads(asked.body)["data"]["key"], time.monotonic()))
        return Said(204)


@dataclass(frozen=True)
class Measured:
    per_s: float
    wait_ms: float  # 95 of 100


def run() -> dict[str, float]:
    """All figures of the contract for the outbox; those of PostgreSQL end in _pg."""
    postgres = Durable()
    try:
        with folder() as home:
            figures = compared("SQLite", home, f"sqlite:///{home / 'leaseline.db'}")
        with folder() as home:
            figures |= with_suffix(compared("PostgreSQL", home, postgres.url()))
    finally:
        postgres.close()
    return figures


def compared(name: str, home: Path, url: str) -> dict[str, float]:
    make_ready(url)
    told = Told(Database(url, secret_key="k" * 40), home, datetime.now(UTC))
    hangs = threading.Event()
    with ExitStack() as opened:
        receivers, servers = receiving(told, opened)
        opened.callback(hangs.set)
        opened.enter_context(working(told))
        warm_up(told, receivers)
        well = measured(told, receivers, "well")
        servers[-1].down = Said(200, pause=hangs)
        ill = measured(told, receivers, "ill")
    keys = Counter(key for each in receivers for key, _ in each.taken)
    wanted = WARM + 2 * (CALLS + SINGLE)
    lost = sum(len(receivers) - min(count, len(receivers)) for count in keys.values())
    lost += (wanted - len(keys)) * len(receivers)
    doubled = sum(max(0, count - len(receivers)) for count in keys.values())
    for how, it in (("all answer", well), ("one hangs", ill)):
        print(f"{name}, {how}: {it.per_s:.0f} deliveries/s, a single one after {it.wait_ms:.0f} ms")
    return {
        "per_s": ill.per_s, "ratio": ill.per_s / well.per_s, "delay_ms": ill.wait_ms - well.wait_ms,
        "lost": lost, "doubled": doubled,
    }  # fmt: skip


def receiving(told: Told, opened: ExitStack) -> tuple[list[Receiver], list[StandIn]]:
    """Ten destinations; the receivers of the first nine, and everybody's servers."""
    receivers = [Receiver() for _ in range(ALL)]
    servers = [opened.enter_context(stand_in(each.answer)) for each in receivers]
    for place, server in enumerate(servers):
        told.add("webhook", {"url": server.url, "secret": SECRET}, f"to {place}", events=["call.completed"])
    return receivers[:-1], servers


@contextmanager
def working(told: Told) -> Iterator[None]:
    """The worker's turns, by the real clock."""
    postman, over = Postman(told.database, told.settings, lambda: datetime.now(UTC)), threading.Event()

    def work() -> None:
        while not over.wait(TURN):
            postman.take_turn()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def warm_up(told: Told, receivers: Sequence[Receiver]) -> None:
    """Nobody pays for what is done once."""
    for number in range(WARM):
        book(told, f"warm-{number:03d}")
    arrived(receivers, WARM * len(receivers))


def measured(told: Told, receivers: Sequence[Receiver], how: str) -> Measured:
    """As many as there are at once; then one at a time, each timed from its booking."""
    before = sum(len(each.taken) for each in receivers)
    for number in range(CALLS):
        book(told, f"{how}-{number:03d}")
    began = time.monotonic()
    arrived(receivers, before + CALLS * len(receivers))
    seconds = max(at for each in receivers for _, at in each.taken) - began
    waits = []
    for number in range(SINGLE):
        key, at = f"{how}-single-{number:03d}", time.monotonic()
        book(told, key)
        arrived(receivers, before + (CALLS + number + 1) * len(receivers))
        waits += [(taken - at) * 1e3 for each in receivers for what, taken in each.taken if what == key]
    return Measured(CALLS * len(receivers) / seconds, quantile(waits, 0.95) or 0.0)


def book(told: Told, key: str) -> None:
    told.clock.now = datetime.now(UTC)
    told.call(key)


def arrived(receivers: Sequence[Receiver], count: int) -> None:
    """Wait until so many arrived, or for two minutes: what is missing then is lost."""
    end = time.monotonic() + LONGEST
    while sum(len(each.taken) for each in receivers) < count and time.monotonic() < end:
        time.sleep(0.005)
