"""Writing down what the AGI saw, after the caller has been served.

A bounded queue and one thread: what has gathered in `gather_seconds`, and while the last transaction was
synced, goes into the next one. The importer of the spool is faster than that; then there is only the mark to
set that the AGI was there. What cannot be written is dropped and counted, never waited for: the dialplan's
spool holds the same fact.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

from tracker import books
from tracker.database import Database
from tracker.logs import of
from tracker.models import Call
from tracker.policy.facts import Started

log = logging.getLogger("leaseline.agi")


class Writer:
    """`put` never waits; `run` writes until it is cancelled; `flush` waits for what is still queued."""

    def __init__(
        self, database: Database, *, queue: int = 1000, batch: int = 100, gather_seconds: float = 0.0
    ) -> None:
        self.written = 0
        self.dropped = 0
        self._database = database
        self._queue: deque[Started] = deque()
        self._longest = queue
        self._batch = batch
        self._gather_seconds = gather_seconds
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="write")

    def put(self, fact: Started) -> None:
        """Have the fact written soon."""
        if len(self._queue) >= self._longest:
            self._drop([fact], "the queue is full")
            return
        self._queue.append(fact)
        self._idle.clear()
        self._wake.set()

    async def run(self) -> None:
        """Write batch after batch, each in one transaction."""
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), self._gather_seconds)
            self._wake.clear()
            while self._queue:
                batch = [self._queue.popleft() for _ in range(min(self._batch, len(self._queue)))]
                await loop.run_in_executor(self._thread, self._store, batch)
            self._idle.set()

    async def flush(self, seconds: float) -> bool:
        """Wait until everything is written; False when `seconds` were not enough."""
        self._hurry.set()
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        finally:
            self._hurry.clear()
        return True

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _store(self, batch: list[Started]) -> None:
        try:
            self._record(batch)
        except sa.exc.OperationalError as error:  # locked or gone: the others would fail alike
            self._drop(batch, str(error.orig).strip())
        except Exception:  # noqa: BLE001  one bad fact must not take the others with it
            for fact in batch:
                try:
                    self._record([fact])
                except Exception as error:  # noqa: BLE001
                    self._drop([fact], f"{type(error).__name__}: {error}")

    def _record(self, batch: list[Started]) -> None:
        with self._database.write() as session:
            known = set(
                session.scalars(sa.select(Call.key).where(Call.key.in_([fact.call for fact in batch])))
            )
            if missing := [fact for fact in batch if fact.call not in known]:
                books.record_all(session, missing)
            seen = sa.update(Call).where(Call.key.in_([fact.call for fact in batch]))
            session.execute(seen.values(seen_by_agi=True), execution_options={"synchronize_session": False})
        self.written += len(batch)

    def _drop(self, facts: list[Started], reason: str) -> None:
        self.dropped += len(facts)
        why = " ".join(reason.split())[:200]
        for fact in facts:
            log.warning("left to the spool: %s", why, extra=of(fact.call))
