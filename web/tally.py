"""Requests that got no number and left no visit: counted in memory, written down every few seconds.

A flood must not be able to keep the database busy with its own counting. What is not written yet when the
process is killed is lost: two seconds of a flood's count.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tracker import misses
from tracker.database import Database
from tracker.grounds import Ground

log = logging.getLogger(__name__)

EVERY_SECONDS = 2.0


class Tally:
    """Misses by site, pool, reason and hour; `clock` gives monotonic seconds."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database, self._clock = database, clock
        self._counts: Counter[tuple[int, int, str, datetime]] = Counter()
        self._written = float("-inf")
        self._lock = threading.Lock()

    def count(self, on: Ground, country: str | None, reason: str, at: datetime) -> None:
        """One request without a number for the swaps its visitor would have had."""
        hour = at.replace(minute=0, second=0, microsecond=0)
        with self._lock:
            for pool_id in {swap.pool_id for swap in on.swaps(country)}:
                self._counts[on.site.id, pool_id, reason, hour] += 1
        self.write_when_due()

    def write_when_due(self) -> None:
        """Write down what was counted, unless that was done a moment ago."""
        with self._lock:
            if not self._counts or self._clock() - self._written < EVERY_SECONDS:
                return
            counts, self._counts, self._written = self._counts, Counter(), self._clock()
        try:
            with self._database.write() as session:
                for (site_id, pool_id, reason, hour), by in counts.items():
                    misses.count(session, site_id, pool_id, reason, hour, by)
        except (OperationalError, PoolTimeout) as error:
            log.warning("misses are not written down yet: %s", error.__class__.__name__)
            with self._lock:
                self._counts.update(counts)
