"""Processes that want the same few numbers at once: visitors with their tabs, an admin, the worker.

Each is a process of its own with its own connections, and they start together.
"""

from __future__ import annotations

import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier

import sqlalchemy as sa
from support.shop import Shop

from tracker import leases, numbers
from tracker.audit import By
from tracker.database import Database
from tracker.models import Number, Visit


@dataclass(frozen=True)
class Race:
    """What a process needs: where the books are, who runs, and how often."""

    url: str
    shop: Shop
    visit_ids: tuple[int, ...]
    turns: int
    admin: bool = False


class Racers:
    """Processes that wait for races; each race begins when all of them stand at the line."""

    def __init__(self, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.count = count
        self._pool = ProcessPoolExecutor(
            count, mp_context=context, initializer=_line_up, initargs=(context.Barrier(count),)
        )

    def run(self, races: Sequence[Race]) -> Counter[str]:
        """One race each, side by side; how often what came out, "error …" for what should not have."""
        assert len(races) == self.count
        futures = [self._pool.submit(_run, race) for race in races]
        return sum((future.result(timeout=240) for future in futures), Counter[str]())

    def close(self) -> None:
        self._pool.shutdown()


_barriers: list[Barrier] = []


def _line_up(barrier: Barrier) -> None:
    _barriers.append(barrier)


def _run(race: Race) -> Counter[str]:
    outcome: Counter[str] = Counter()
    database = Database(race.url, wait_seconds=60)
    dice = random.Random(repr(race.visit_ids))
    _barriers[0].wait(120)
    for turn in range(race.turns):
        try:
            if race.admin and turn % 4 == 0:
                _move(database, race, dice)
            else:
                outcome[_visit(database, race, dice.choice(race.visit_ids))] += 1
        except Exception as error:  # noqa: BLE001  (whatever it is, the test shows it)
            outcome[f"error {error!r}"] += 1
    database.close()
    return outcome


def _visit(database: Database, race: Race, visit_id: int) -> str:
    """Ask for a number, look at it for a moment, and leave; the worker comes round in the same transaction.

    Without that moment a process may have given its number back before anybody else has had SQLite's lock.
    """
    with database.write() as session:
        visit = session.get_one(Visit, visit_id)
        shown = race.shop.show(session, visit, datetime.now(UTC))
    time.sleep(0.002)
    with database.write() as session:
        leases.leave(session, visit_id, datetime.now(UTC))
        leases.release_due(session, datetime.now(UTC))
    return shown.reason or "lease"


def _move(database: Database, race: Race, dice: random.Random) -> None:
    """Take a number out of the pool, or put it back."""
    with database.write() as session:
        rows = session.scalars(sa.select(Number).order_by(Number.id)).all()
        number = dice.choice(rows)
        present = numbers.uses(session, number)[:1]
        place = None if present and present[0].until_at is None else race.shop.pool(session)
        numbers.move(session, By(datetime.now(UTC), "racer"), number, place)
