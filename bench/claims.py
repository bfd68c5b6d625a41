"""Claims by racing processes, as many as asked for, and an offline look at the history they left.

Each process asks for its own visitors in a tight loop (tracker.leases.show), and leaves now and then; there
are far fewer numbers than visitors, so most attempts are for the last number.
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

import sqlalchemy as sa
from sqlalchemy.orm.attributes import set_committed_value
from support.shop import Shop, overlaps

from tracker import leases
from tracker.database import Database
from tracker.models import Base, Lease, Pool, Visit

PROCESSES, VISITS, NUMBERS = 4, 16, 3


@dataclass(frozen=True)
class Task:
    """A process's part."""

    url: str
    shop: Shop
    visit_ids: tuple[int, ...]
    attempts: int
    a_transaction: int  # attempts in each


@dataclass(frozen=True)
class Raced:
    """What came of it."""

    attempts: int
    leases: int
    double: int
    seconds: float


def race(url: str, attempts: int, a_transaction: int) -> Raced:
    """Let the processes race on an empty database."""
    database = Database(url)
    Base.metadata.create_all(database.engine)
    now = datetime.now(UTC)
    with database.write() as session:
        shop = Shop(session, now, NUMBERS, hold_seconds=0)
        visits = tuple(shop.visit(session, f"visitor-{n}", now).id for n in range(VISITS))
    tasks = [
        Task(url, shop, visits[n::PROCESSES], attempts // PROCESSES, a_transaction) for n in range(PROCESSES)
    ]
    began = time.perf_counter()
    outcome = _run_all(tasks)
    seconds = time.perf_counter() - began
    with database.read() as session:
        double = overlaps(session)
        made = session.scalar(sa.select(sa.func.count()).select_from(Lease)) or 0
    database.close()
    return Raced(outcome.total(), made, double, seconds)


def _run_all(tasks: Sequence[Task]) -> Counter[str]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(tasks), mp_context=context) as pool:
        return sum(pool.map(_run, tasks), Counter[str]())


def _run(task: Task) -> Counter[str]:
    database = Database(task.url, wait_seconds=60)
    dice = random.Random(repr(task.visit_ids))
    with database.read() as session:
        pool = session.get_one(Pool, task.shop.pool_id)
        visits = [session.get_one(Visit, visit_id) for visit_id in task.visit_ids]
        session.expunge_all()
    outcome: Counter[str] = Counter()
    while outcome.total() < task.attempts:
        with database.write() as session:
            here = session.merge(pool, load=False)
            for _ in range(task.a_transaction):
                known = dice.choice(visits)
                visit = session.merge(known, load=False)
                shown = leases.show(session, visit, here, datetime.now(UTC))
                outcome[shown.reason or "lease"] += 1
                set_committed_value(known, "missed", visit.missed)  # as if it were loaded anew each time
                if shown.lease_id is not None and dice.random() < 0.5:
                    leases.leave(session, visit.id, datetime.now(UTC))
    database.close()
    return outcome
