"""The sites the visit API is asked about, kept in memory a few seconds: their numbers, rules and referrers.

A change on the command line is in force within KEEP_SECONDS in every process. While the database is away the
last that was known goes on being served, so that scripts load.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tracker.database import Database
from tracker.grounds import Ground, read_ground

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
        return self._find(key)

    def by_id(self, site_id: int) -> Ground | None:
        """The site of that id, as a visit's token names it; raises as by_key."""
        return self._find(site_id)

    def _find(self, name: str | int) -> Ground | None:
        with self._lock:
            kept, now = self._kept.get(name), self._clock()
            if kept is not None:
                if now < kept.until:
                    return kept.ground
                # One asks anew; who comes meanwhile is told what was known, and does not wait.
                self._kept[name] = _Kept(kept.ground, now + KEEP_SECONDS)
        try:
            with self._database.read() as session:
                found = read_ground(session, name)
        except (OperationalError, PoolTimeout):
            if kept is None:
                raise
            return kept.ground
        self._keep(found, {name} if found is None else {found.site.key, found.site.id})
        return found

    def _keep(self, found: Ground | None, names: Iterable[str | int]) -> None:
        with self._lock:
            for name in names:
                self._kept[name] = _Kept(found, self._clock() + KEEP_SECONDS)
                self._kept.move_to_end(name)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
