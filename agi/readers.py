"""Reading the database from asyncio with a deadline, by a few threads that are allowed to get stuck.

A thread cannot be stopped, so a database that hangs keeps the thread that asked it. No more than `threads`
are ever waiting there; once all of them are overdue, further questions fail at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from tracker.database import Database
from tracker.process_figures import Measured

T = TypeVar("T")


class Late(Exception):
    """The database did not answer in time."""


class Readers:
    """`ask(question)` runs `question(session)` in a thread."""

    def __init__(
        self,
        database: Database,
        *,
        threads: int = 4,
        seconds: float = 0.5,
        measured: Measured | None = None,
    ) -> None:
        self._measured = measured or Measured()
        self._database = database
        self._threads = threads
        self._seconds = seconds
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="read")
        self._free = asyncio.Semaphore(threads)
        self._overdue: set[Future[Any]] = set()

    @property
    def stuck(self) -> int:
        """Threads that are still waiting for an answer nobody waits for any more."""
        return len(self._overdue)

    async def ask(self, question: Callable[[Session], T]) -> T:
        """The answer. Raises Late, or whatever the question raised."""
        if self.stuck >= self._threads:
            raise Late("the database hangs: every reader is waiting for it")
        job: Future[T] | None = None
        began = time.perf_counter()
        try:
            async with asyncio.timeout(self._seconds):
                await self._free.acquire()
                job = self._start(question)
                return await asyncio.wrap_future(job)
        except TimeoutError as error:
            raise Late(f"the database did not answer within {self._seconds} s") from error
        finally:
            self._measured.observe("agi_lookup_seconds", time.perf_counter() - began)
            if job is not None and not job.done():
                self._overdue.add(job)

    def _start(self, question: Callable[[Session], T]) -> Future[T]:
        loop = asyncio.get_running_loop()
        job = self._executor.submit(self._answer, question)

        def ended(job: Future[T]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: we are shutting down
                loop.call_soon_threadsafe(self._ended, job)

        job.add_done_callback(ended)
        return job

    def _ended(self, job: Future[T]) -> None:
        self._overdue.discard(job)
        self._free.release()

    def _answer(self, question: Callable[[Session], T]) -> T:
        with self._database.read() as session:
            return question(session)

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
