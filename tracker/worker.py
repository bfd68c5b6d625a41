"""The worker's loop: named jobs, each at its interval, one after the other in one thread.

A job that fails is logged and tried again, later each time; the others go on meanwhile. It fails by raising,
or by returning something whose `problem` is not None: a database that is down is no bug, and needs no
traceback.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

log = logging.getLogger("leaseline.worker")

_LONGEST_PAUSE_SECONDS = 10.0

# Told after every run: the job's name, how often in a row it has failed, how many seconds it took.
Teller = Callable[[str, int, float], None]


@dataclass(frozen=True)
class Job:
    """Something to do every so often; `run` opens its own transactions."""

    name: str
    every_seconds: float
    run: Callable[[], object]


@dataclass
class _Turn:
    """When a job is due next (monotonic seconds), and how often in a row it has failed."""

    job: Job
    due: float
    failures: int = 0


def pause_seconds(every_seconds: float, failures: int) -> float:
    """How long to wait for the next run: the interval, doubled with each failure, up to 10 s."""
    longest = max(every_seconds, _LONGEST_PAUSE_SECONDS)
    return min(longest, every_seconds * 2.0 ** min(failures, 30))


def run_jobs(jobs: Sequence[Job], stop: threading.Event, tell: Teller = lambda *_: None) -> None:
    """Runs the jobs until `stop` is set; the job being run is finished first."""
    turns = [_Turn(job, time.monotonic()) for job in jobs]
    while turns and not stop.is_set():
        turn = min(turns, key=lambda each: each.due)
        if stop.wait(max(0.0, turn.due - time.monotonic())):
            return
        _take(turn, tell)


def _take(turn: _Turn, tell: Teller) -> None:
    began = time.monotonic()
    try:
        problem = getattr(turn.job.run(), "problem", None)
    except Exception:
        turn.failures += 1
        log.exception("job %s failed, %d times in a row", turn.job.name, turn.failures)
    else:
        _note(turn, problem)
    tell(turn.job.name, turn.failures, time.monotonic() - began)
    # Counted from its start, so a quick job keeps its rhythm; after a slow one the others come first.
    due = began + pause_seconds(turn.job.every_seconds, turn.failures)
    turn.due = max(due, time.monotonic())


def _note(turn: _Turn, problem: object) -> None:
    if problem is not None:
        turn.failures += 1
        log.warning("job %s failed, %d times in a row: %s", turn.job.name, turn.failures, problem)
    elif turn.failures:
        log.info("job %s works again after %d failures", turn.job.name, turn.failures)
        turn.failures = 0
