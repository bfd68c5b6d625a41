"""Counting tries to log in, when many come at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from tracker import tries
from tracker.database import Database
from tracker.policy import access

EMAIL = "olga@pallets.example"


def test_tries_at_once_add_up(database: Database, now: datetime) -> None:
    with ThreadPoolExecutor(4) as browsers:
        waits = list(
            browsers.map(lambda it: tries.claim(database, EMAIL, f"198.51.100.{it}", now), range(20))
        )
    assert waits.count(0) == access.FREE_TRIES


def test_a_try_that_comes_while_the_account_is_forgiven_is_counted(database: Database, now: datetime) -> None:
    def come(address: str) -> None:
        for _ in range(access.CLIENT_TRIES):
            assert tries.claim(database, EMAIL, address, now) == 0
            with database.write() as session:
                tries.forgive(session, EMAIL)

    with ThreadPoolExecutor(3) as browsers:
        for each in [browsers.submit(come, f"198.51.100.{it}") for it in range(3)]:
            each.result()
    assert tries.claim(database, EMAIL, "198.51.100.9", now) == 0
