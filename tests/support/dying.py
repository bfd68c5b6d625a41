"""A process that books calls and tells of them until it is killed, again and again.

    python -m support.dying URL HOME ROUNDS SEED NUMBER OFFICE

It imports once and forks a worker for each round; the worker ends calls, one transaction each, and takes
turns as the worker does, until kill -9 comes after a random time. The keys of calls whose transaction was
acknowledged go to standard output, a line each, before the worker goes on. The last round is not killed.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from support.facts import answered, ended, started
from support.recorded import settings_in

from tracker.books import record_all
from tracker.database import Database
from tracker.postman import HOLD, Postman

LONGEST_LIFE = 0.09  # seconds


def main(url: str, home: str, rounds: int, seed: int, number: str, office: int) -> None:
    dice, database = random.Random(seed), Database(url)
    warm_up(database, Path(home), number, office)
    for turn in range(rounds):
        told, telling = os.pipe()
        child = os.fork()
        if child == 0:
            live(database, Path(home), turn, number, office, telling)
        os.read(told, 1)
        os.close(told)
        os.close(telling)
        time.sleep(dice.uniform(0, LONGEST_LIFE))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    tell(database, Path(home), rounds)


def warm_up(database: Database, home: Path, number: str, office: int) -> None:
    """One call, so that every statement is built before the first fork; no connection outlives it."""
    book(database, "call-warm", number, office)
    tell(database, home, -1)
    database.engine.dispose()


def book(database: Database, key: str, number: str, office: int) -> None:
    at = datetime.now(UTC)
    with database.write() as session:
        facts = started(number, at - timedelta(minutes=1), key), answered(office, at, key), ended(at, key)
        record_all(session, facts)


def live(database: Database, home: Path, turn: int, number: str, office: int, telling: int) -> None:
    """Book and tell until somebody kills us; `telling` is told when it begins."""
    count, postman = 0, a_postman(database, home, turn)
    os.write(telling, b".")
    while True:
        key, count = f"call-{turn:03d}-{count:03d}", count + 1
        book(database, key, number, office)
        os.write(1, f"{key}\n".encode())
        postman.take_turn()
        if count % 3 == 0:
            postman.wait(1)


def tell(database: Database, home: Path, turn: int) -> None:
    """All that is left, in peace."""
    postman = a_postman(database, home, turn)
    while postman.take_turn():
        postman.wait(60)


def a_postman(database: Database, home: Path, turn: int) -> Postman:
    """Each by a clock a minute later, so that the dead one's hold has run out."""
    settings = settings_in(home, web_url="https://calls.pallets.example", secret_key="k" * 40,
                           webhook_networks=("127.0.0.0/8",))  # fmt: skip
    late = (HOLD + timedelta(seconds=5)) * (turn + 1)
    return Postman(database, settings, lambda: datetime.now(UTC) + late)


if __name__ == "__main__":
    url, home, rounds, seed, number, office = sys.argv[1:]
    main(url, home, int(rounds), int(seed), number, int(office))
