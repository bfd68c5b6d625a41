"""The worker: which jobs come round, on which beat, and which of them must not wait for each other.

Those have threads of their own: the books stay half a second behind the
calls however long a recording takes.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commands.context import Here
    from tracker.worker import Job

log = logging.getLogger(__name__)


def run(opened: Here) -> None:
    """Do all jobs until SIGTERM or SIGINT; the job at hand is finished first."""
    from tracker.worker import run_jobs

    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    lines = (books_jobs(opened), recording_jobs(opened), rare_jobs(opened))
    threads = [threading.Thread(target=run_jobs, args=(jobs, stopping), daemon=True) for jobs in lines]
    for thread in threads:
        thread.start()
    log.info("working as node %s", opened.settings.node)
    stopping.wait()
    for thread in threads:
        thread.join(timeout=10)
    log.info("stopped")


def books_jobs(opened: Here) -> Sequence[Job]:
    """What keeps the books: the spool, CEL, calls cut by a crash."""
    from dialplan.render import place_of
    from tracker import cel, reconcile
    from tracker.importer import read_spool
    from tracker.worker import Job

    database, settings = opened.database, opened.settings
    place = place_of(settings)
    events = place.logs / "cel-custom"
    return (
        Job("spool", 0.25, lambda: read_spool(database, place.calls, settings.node, opened.now)),
        Job("cel", 1.0, lambda: cel.read_cel(database, events, settings.node, opened.now)),
        Job("reconcile", 5.0, lambda: reconcile.close_interrupted(database, settings.node, opened.now)),
    )


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


def rare_jobs(opened: Here) -> Sequence[Job]:
    """What is done a few times a day."""
    from tracker.logins import forget_old
    from tracker.worker import Job

    def logins() -> None:
        with opened.database.write() as session:
            forget_old(session, opened.now, opened.settings.session_days)

    return (
        Job("quarantine", 600.0, lambda: end_quarantines(opened)),
        Job("logins", 3600.0, logins),
    )


def end_quarantines(opened: Here) -> None:
    """Numbers whose quarantine is over are answered no more once the configuration is applied."""
    from commands.live import run_apply
    from tracker import numbers
    from tracker.audit import By

    with opened.database.write() as session:
        over = numbers.over_quarantine(session, opened.now)
        for number in over:
            numbers.end_quarantine(session, By(opened.now, "worker"), number)
            log.info("%s is retired: its quarantine is over", number.e164)
        any_over = bool(over)
    if any_over:
        run_apply(opened)
