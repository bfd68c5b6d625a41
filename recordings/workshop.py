"""The worker's hand on its audio process: hands it jobs, collects replies, never waits for it.

The process starts with the first job, is replaced after some hundred files, and goes home when there is
nothing to do. If it dies, the job it was at has failed and the others go to its successor.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import subprocess
import sys
import time
from collections import deque
from datetime import datetime
from pathlib import Path
from typing import IO, cast

from recordings.jobs import Failed, Job, Reply, reply_from, to_line

log = logging.getLogger(__name__)

_ROOM = 48  # jobs on their way: as lines they fit into a pipe, so that writing one never waits
_START = "import sys; sys.path.insert(0, sys.argv[1]); from recordings.child import main; main()"


class _Process:
    """The audio process with its two pipes; reading from it never waits."""

    def __init__(self) -> None:
        root = Path(__file__).resolve().parent.parent
        self._popen = subprocess.Popen(
            [sys.executable, "-c", _START, os.fspath(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.id = self._popen.pid
        self.jobs = cast("IO[bytes]", self._popen.stdin)
        self.replies = cast("IO[bytes]", self._popen.stdout)
        os.set_blocking(self.replies.fileno(), False)

    def kill(self) -> None:
        self._popen.kill()

    def wait(self) -> int:
        return self._popen.wait()

    def end(self) -> None:
        """Let it go, or kill it if it does not."""
        with contextlib.suppress(BrokenPipeError):
            self.jobs.close()
        try:
            self._popen.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.kill()
            self.wait()
        self.replies.close()


class Workshop:
    """One audio process at most. Used by one thread; `collect` is what makes time pass for it."""

    def __init__(
        self, *, idle_seconds: float = 20.0, jobs_per_process: int = 200, patience_seconds: float = 180.0
    ) -> None:
        self.replies: deque[Reply] = deque()  # collected and not yet dealt with; popped by whoever did
        self.paused_until: datetime | None = None  # the disk refused: nothing new until then
        self._idle_seconds = idle_seconds
        self._jobs_per_process = jobs_per_process
        self._patience_seconds = patience_seconds
        self._jobs: dict[int, Job] = {}  # at work, in the order they were handed over
        self._process: _Process | None = None
        self._received = b""
        self._handed = 0
        self._moved_at = 0.0  # monotonic: last job handed to an idle process, or last reply

    @property
    def room(self) -> int:
        """How many jobs would be taken now."""
        if self._handed >= self._jobs_per_process:
            return 0
        return min(_ROOM - len(self._jobs), self._jobs_per_process - self._handed)

    @property
    def busy_with(self) -> set[int]:
        """The recordings that are in somebody's hands here."""
        return self._jobs.keys() | {reply.recording_id for reply in self.replies}

    @property
    def process_id(self) -> int | None:
        """The audio process, while there is one."""
        return self._process.id if self._process else None

    def hand(self, job: Job) -> None:
        """Queue a job; there must be room."""
        if not self._jobs:
            self._moved_at = time.monotonic()
        self._jobs[job.recording_id] = job
        self._handed += 1
        self._send(job)

    def collect(self, wait_seconds: float = 0.0) -> None:
        """Take in what the process has answered, waiting that long for the first answer."""
        if self._process is None:
            return
        if self._jobs and wait_seconds:
            select.select([self._process.replies], [], [], wait_seconds)
        ended = self._read(self._process)
        if ended:
            self._bury(self._process)
        elif self._jobs:
            self._hurry(self._process)
        elif self._handed >= self._jobs_per_process or self._idle_for() > self._idle_seconds:
            self.close()

    def close(self) -> None:
        """End the process; jobs at work are forgotten, their files still where they were."""
        self._jobs.clear()
        self._handed = 0
        self._received = b""
        if (process := self._process) is None:
            return
        self._process = None
        process.end()

    def _idle_for(self) -> float:
        return time.monotonic() - self._moved_at

    def _send(self, job: Job) -> None:
        self._process = self._process or _Process()
        with contextlib.suppress(BrokenPipeError):  # it died: collect() will see, and pass the job on
            self._process.jobs.write(to_line(job))
            self._process.jobs.flush()

    def _read(self, process: _Process) -> bool:
        """Take in complete replies; True at the end of the stream."""
        ended = False
        while (data := process.replies.read(65536)) is not None:
            if ended := not data:
                break
            self._received += data
        *lines, self._received = self._received.split(b"\n")
        for line in lines:
            self._take(reply_from(line))
        return ended

    def _take(self, reply: Reply) -> None:
        self._moved_at = time.monotonic()
        if self._jobs.pop(reply.recording_id, None) is not None:
            self.replies.append(reply)

    def _hurry(self, process: _Process) -> None:
        """Kill a process that has been at one job for far too long."""
        job = next(iter(self._jobs.values()))
        if self._idle_for() > self._patience_seconds + job.source_bytes / 50_000:
            log.warning("the audio process hangs at %s: ended", job.source)
            process.kill()

    def _bury(self, process: _Process) -> None:
        """The process is gone: the job it was at has failed, the others are done by the next one."""
        jobs = list(self._jobs.values())
        status = process.wait()
        self.close()
        if not jobs:
            return
        log.warning("the audio process ended with status %s at %s", status, jobs[0].source)
        self.replies.append(Failed(jobs[0].recording_id, f"the audio process ended with status {status}"))
        for job in jobs[1:]:
            self.hand(job)
