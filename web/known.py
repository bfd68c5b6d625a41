"""The sites the visit API is asked about, kept in memory a few seconds: their numbers, rules and referrers.

A change on the command line is in force within KEEP_SECONDS in every process. While the database is away the
last that was known goes on being served, so that scripts load.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tracker.database import Database
from tracker.grounds import Ground, read_ground
from tracker.models import Site

KEEP_SECONDS = 5.0
MOST = 1000  # sites, and keys of none: somebody may ask for any


@dataclass(frozen=True)
class _Kept:
    ground: Ground | None
    until: float


class KnownSites:
    """Sites by key and by id; `clock` gives monotonic seconds."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database, self._clock = database, clock
        self._kept: OrderedDict[str | int, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def by_key(self, key: str) -> Ground | None:
        """The site of that public key. Raises OperationalError while nothing is known and nobody can tell."""
        return self._find(key, Site.key == key)

    def by_id(self, site_id: int) -> Ground | None:
        """The site of that id, as a visit's token names it; raises as by_key."""
        return self._find(site_id, Site.id == site_id)

    def _find(self, name: str | int, wanted: sa.ColumnElement[bool]) -> Ground | None:
        with self._lock:
            kept = self._kept.get(name)
        if kept is not None and self._clock() < kept.until:
            return kept.ground
        try:
            with self._database.read() as session:
                found = read_ground(session, wanted)
        except (OperationalError, PoolTimeout):
            if kept is None:
                raise
            found = kept.ground
        with self._lock:
            self._kept[name] = _Kept(found, self._clock() + KEEP_SECONDS)
            self._kept.move_to_end(name)
            if len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return found
