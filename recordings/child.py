"""The audio process: jobs on standard input, replies on standard output, gone when the input ends.

It runs behind the calls (nice 10) and under limits: a file that makes it eat memory or time kills it, and
nothing else. Started by recordings.workshop; imports neither the database nor the settings.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path

from recordings.audio import work
from recordings.jobs import Failed, Job, Reply, Unwritable, job_from, to_line

_MEMORY_BYTES = 256 << 20


def main() -> None:
    """Work until the input ends or the parent is another one: then somebody else may be doing our jobs."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints goes to the log, not between the replies
    os.nice(10)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the worker; we see our input end
    parent = os.getppid()
    _limit(resource.RLIMIT_AS, _MEMORY_BYTES)
    for line in iter(sys.stdin.buffer.readline, b""):
        if os.getppid() != parent:
            return
        job = job_from(line)
        _allow_seconds(60 + job.source_bytes // 1_000_000)
        replies.write(to_line(_answer(job)))
        replies.flush()


def _answer(job: Job) -> Reply:
    try:
        return work(job)
    except FileNotFoundError as error:
        return Failed(job.recording_id, f"{Path(str(error.filename)).name} is not there any more")
    except OSError as error:
        return Unwritable(job.recording_id, error.strerror or str(error))
    except Exception as error:  # noqa: BLE001  (whatever a file does to us is the answer about that file)
        return Failed(job.recording_id, f"{type(error).__name__}: {error}"[:200])


def _allow_seconds(seconds: int) -> None:
    """Processor time for the next job; the limit counts from the start of the process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + seconds)


def _limit(kind: int, amount: int) -> None:
    """The soft limit, within what the machine allows us; ffmpeg sets its own."""
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (amount if hard == resource.RLIM_INFINITY else min(amount, hard), hard))
