"""What the worker measures of itself and its machine for `/metrics`, and leaves in the database."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from commands.context import Here
    from commands.watching import Watch
    from tracker.process_figures import Measured
    from tracker.worker import Job


def figure_jobs(opened: Here, watch: Watch, measured: Measured) -> Sequence[Job]:
    """The figures are written down every few seconds."""
    from tracker.process_figures import EVERY_SECONDS
    from tracker.worker import Job

    return (Job("figures", EVERY_SECONDS, lambda: take_turn(opened, watch, measured)),)


def take_turn(opened: Here, watch: Watch, measured: Measured) -> None:
    """Measure, and write all of it down; how long that took is told the next time."""
    from tracker import process_figures

    measure(opened, measured)
    tell_seen(watch, measured)
    began = time.perf_counter()
    with opened.database.write() as session:
        figures = measured.figures()
        process_figures.publish(session, opened.settings.node, process_figures.WORKER, figures, opened.now)
    measured.set("database_write_seconds", time.perf_counter() - began)


def measure(opened: Here, measured: Measured) -> None:
    """The spool and the disks."""
    from tracker.importer import behind_seconds

    settings = opened.settings
    with opened.database.read() as session:
        behind = behind_seconds(session, settings.spool / "calls", settings.node, opened.now)
    measured.set("spool_age_seconds", behind)
    for name, folder in (("home", settings.home), ("recordings", settings.recordings_folder)):
        disk = shutil.disk_usage(_existing(folder))
        measured.set("disk_free_bytes", disk.free, name)
        measured.set("disk_size_bytes", disk.total, name)


def tell_seen(watch: Watch, measured: Measured) -> None:
    """What the last look at this machine saw of the call server and the trunks; unknown is left out."""
    if watch.seen is None:
        return
    if watch.seen.agi_answers is not None:
        measured.set("agi_up", watch.seen.agi_answers)
    measured.forget("trunk_up")
    for trunk in watch.seen.trunks or ():
        measured.set("trunk_up", trunk.problem is None, str(trunk.trunk_id))


def _existing(folder: Path) -> Path:
    """The folder, or where it will be."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder
