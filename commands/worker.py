"""The worker: which jobs come round, on which beat, and which of them must not wait for each other.

Those have threads of their own: the books stay half a second behind the calls however long a recording takes.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commands.context import Here
    from tracker.cel import CelRead
    from tracker.importer import Imported
    from tracker.worker import Job

log = logging.getLogger("leaseline.worker")

_DAYS_READ_AGAIN = 3


def run(opened: Here) -> None:
    """Do all jobs until SIGTERM or SIGINT; the job at hand is finished first."""
    from commands.applying import applying_jobs
    from commands.checking import checking_jobs
    from commands.measuring import figure_jobs
    from commands.watching import (
        Watch,
        alert_jobs,
        delivery_jobs,
        message_jobs,
        report_jobs,
        telling_jobs,
    )
    from tracker.process_figures import Measured
    from tracker.worker import run_jobs

    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    measured, watch = Measured(), Watch(opened)
    lines = (
        books_jobs(opened),
        reported_jobs(opened),
        recording_jobs(opened),
        lease_jobs(opened),
        judging_jobs(opened),
        alert_jobs(watch),
        telling_jobs(opened),
        report_jobs(opened),
        message_jobs(opened),
        delivery_jobs(opened),
        applying_jobs(opened),
        checking_jobs(opened),
        sheet_jobs(opened),
        whisper_jobs(opened),
        rare_jobs(opened),
        figure_jobs(opened, watch, measured),
    )

    def tell(job: str, failures: int, seconds: float) -> None:
        measured.set("job_failures", failures, job)
        measured.set("job_seconds", seconds, job)

    threads = [threading.Thread(target=run_jobs, args=(jobs, stopping, tell), daemon=True) for jobs in lines]
    for thread in threads:
        thread.start()
    log.info("working as node %s", opened.settings.node)
    stopping.wait()
    for thread in threads:
        thread.join(timeout=10)
    log.info("stopped")


def whisper_jobs(opened: Here) -> Sequence[Job]:
    """What employees are told of calls to come is spoken beforehand."""
    from tracker import whispers
    from tracker.worker import Job

    def speak() -> None:
        with opened.database.read() as session:
            whispers.speak_ahead(session, opened.settings)

    return (
        Job("whispers", 2.0, speak),
        Job("old whispers", 3600.0, lambda: whispers.forget_old(opened.settings, opened.now)),
    )


def books_jobs(opened: Here) -> Sequence[Job]:
    """What keeps the books: the spool, CEL, calls cut by a crash."""
    from dialplan.render import place_of
    from tracker import cel, reconcile
    from tracker.importer import read_spool
    from tracker.worker import Job

    database, settings, node = opened.database, opened.settings, opened.settings.node
    place = place_of(settings)
    events = place.logs / "cel-custom"

    def close_lost() -> None:
        reconcile.reconcile(
            database,
            node,
            opened.now,
            spool=place.calls,
            cel_folder=events,
            recordings=place.recordings,
            call_max_seconds=settings.call_max_seconds,
        )

    def tidy() -> None:
        with database.write() as session:
            reconcile.tidy_waiting(session, opened.now)
        cel.rotate(database, events, node, opened.now)

    return (
        Job("spool", 0.4, lambda: _told(read_spool(database, place.calls, node, opened.now))),
        Job("cel", 5.0, lambda: _told(cel.read_cel(database, events, node, opened.now))),
        Job("reconcile", 5.0, close_lost),
        Job("tidy", 600.0, tidy),
    )


def _told(read: Imported | CelRead) -> None:
    """What the database's trouble keeps from being read is said, not raised: the next turn reads it."""
    if read.problem:
        log.warning("nothing was read: %s", read.problem)


def reported_jobs(opened: Here) -> Sequence[Job]:
    """The folders in which other phone systems leave their calls."""
    from tracker.cdr_files import read_folders
    from tracker.worker import Job

    return (Job("reported", 2.0, lambda: read_folders(opened.database, opened.now)),)


def recording_jobs(opened: Here) -> Sequence[Job]:
    """What happens to sound."""
    from recordings.finish import finish_pending
    from recordings.sweep import sweep
    from tracker.worker import Job

    database, settings = opened.database, opened.settings
    return (
        Job("recordings", 0.5, lambda: finish_pending(database, settings, opened.now)),
        Job("sweep", 300.0, lambda: sweep(database, settings, opened.now)),
    )


def lease_jobs(opened: Here) -> Sequence[Job]:
    """What gives numbers back; and, a second after the clock was set, puts right what was to be by then."""
    from tracker import leases
    from tracker.policy.leasing import Clocks, clock_step
    from tracker.worker import Job

    database = opened.database

    def read_clocks() -> Clocks:
        # Unlike the monotonic clock it goes on while the machine sleeps, and so do visitors.
        return Clocks(opened.now, time.clock_gettime(time.CLOCK_BOOTTIME))

    before = read_clocks()

    def mind_clock() -> None:
        nonlocal before
        clocks = read_clocks()
        if step := clock_step(before, clocks):
            with database.write() as session:
                shifted = leases.shift(session, step, clocks.wall)
            log.warning("the clock was set by %+.0f s; %d leases were moved with it", step, shifted)
        before = clocks

    def release() -> None:
        mind_clock()
        released = leases.BATCH
        while released == leases.BATCH:
            with database.write() as session:
                released = leases.release_due(session, opened.now)
        with database.write() as session:
            leases.released_after_call(session, opened.now)

    return (Job("clock", 1.0, mind_clock), Job("leases", 5.0, release))


def judging_jobs(opened: Here) -> Sequence[Job]:
    """Where the calls came from."""
    from tracker.judge import judge_pending
    from tracker.worker import Job

    return (Job("judge", 0.5, lambda: judge_pending(opened.database, opened.now)),)


def sheet_jobs(opened: Here) -> Sequence[Job]:
    """What reports read of the days that are over."""
    from tracker.sheet_maker import take_turn
    from tracker.worker import Job

    return (Job("sheets", 10.0, lambda: take_turn(opened.database, opened.now)),)


def rare_jobs(opened: Here) -> Sequence[Job]:
    """What is done a few times a day."""
    from tracker.importer import rerun
    from tracker.judge import learn_all
    from tracker.logins import forget_old
    from tracker.worker import Job

    database, settings = opened.database, opened.settings

    def logins() -> None:
        with database.write() as session:
            forget_old(session, opened.now, settings.session_days)

    def read_again() -> None:
        found = rerun(database, settings.spool / "calls", settings.node, _DAYS_READ_AGAIN, opened.now)
        log.info("read %d lines again: %d new facts, %d bad lines", found.lines, found.new, found.bad)

    return (
        Job("quarantine", 600.0, lambda: end_quarantines(opened)),
        Job("learn", 600.0, lambda: learn_all(database, opened.now)),
        Job("logins", 3600.0, logins),
        Job("statistics", 6 * 3600.0, database.analyse),
        Job("rerun", 86400.0, read_again),
    )


def end_quarantines(opened: Here) -> None:
    """Numbers whose quarantine is over are answered no more.

    Asterisk is told at once, unless an admin's changes wait for `apply`: those are not ours to make live.
    """
    from commands.live import run_apply, waiting_changes
    from tracker import numbers
    from tracker.audit import By

    with opened.database.read() as session:
        if not numbers.over_quarantine(session, opened.now):
            return
    others_wait = waiting_changes(opened)
    with opened.database.write() as session:
        for number in numbers.over_quarantine(session, opened.now):
            numbers.end_quarantine(session, By(opened.now, "worker"), number)
            log.info("%s is retired: its quarantine is over", number.e164)
    if others_wait:
        log.warning("Asterisk is told with the next `leaseline apply`: other changes wait for it")
    else:
        run_apply(opened)
