"""The worker's loop: jobs at their intervals, failures in nobody's way."""

from __future__ import annotations

import logging
import threading
import time

import pytest

from tracker.importer import Imported
from tracker.worker import Job, pause_seconds, run_jobs


class Started:
    """`run_jobs` in a thread of its own, stopped and joined at the end."""

    def __init__(self, *jobs: Job) -> None:
        self.stop = threading.Event()
        self.thread = threading.Thread(target=run_jobs, args=(jobs, self.stop))

    def __enter__(self) -> Started:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join(5)
        assert not self.thread.is_alive()


def test_every_job_runs_at_its_own_interval() -> None:
    quick, slow = threading.Semaphore(0), threading.Semaphore(0)
    with Started(Job("quick", 0.01, quick.release), Job("slow", 60, slow.release)):
        for _ in range(5):
            assert quick.acquire(timeout=5)
        assert slow.acquire(timeout=5)
        assert not slow.acquire(timeout=0.05)


def test_a_failing_job_is_tried_again_and_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    sound, mended = threading.Semaphore(0), threading.Event()
    failures = iter(range(3))

    def fail_at_first() -> None:
        if next(failures, None) is not None:
            raise RuntimeError("no")
        mended.set()

    with (
        caplog.at_level(logging.INFO),
        Started(Job("failing", 0.01, fail_at_first), Job("sound", 0.01, sound.release)),
    ):
        assert mended.wait(5)
        assert sound.acquire(timeout=5)
    assert "job failing failed, 3 times in a row" in caplog.text


def test_a_job_that_returns_a_problem_is_tried_again_without_a_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    mended = threading.Event()
    results = iter([Imported(0, 0, None, "the database is locked")])

    def run() -> Imported:
        found = next(results, Imported(1, 0, 0.0))
        if found.problem is None:
            mended.set()
        return found

    with caplog.at_level(logging.INFO), Started(Job("spool", 0.01, run)):
        assert mended.wait(5)
    assert "job spool failed, 1 times in a row: the database is locked" in caplog.text
    assert "Traceback" not in caplog.text


def test_a_stop_is_obeyed_in_the_middle_of_a_pause() -> None:
    ran = threading.Event()
    began = time.monotonic()
    with Started(Job("rare", 3600, ran.set)):
        assert ran.wait(5)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("every", "failures", "expected"),
    [(0.25, 0, 0.25), (0.25, 1, 0.5), (0.25, 4, 4.0), (0.25, 99, 10.0), (86400, 3, 86400)],
)
def test_the_pause_grows_with_every_failure_up_to_ten_seconds(
    every: float, failures: int, expected: float
) -> None:
    assert pause_seconds(every, failures) == expected
