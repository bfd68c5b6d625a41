"""What the worker does by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from support.command import Installation, furnish, make_ready

from commands.context import Here
from commands.worker import books_jobs, end_quarantines, rare_jobs, recording_jobs, sheet_jobs
from tracker.database import Database
from tracker.models import Number, NumberState
from tracker.settings import read_settings


def opened(installation: Installation) -> Here:
    """An invocation as `leaseline worker` has it."""
    made = Here()
    made.__dict__["settings"] = read_settings(installation.environ)
    return made


def test_a_number_whose_quarantine_is_over_is_retired(tmp_path: Path) -> None:
    here = Installation(tmp_path)
    furnish(here)
    here.done("number", "retire", "84951234567", "--days", "1")
    worker = opened(here)
    end_quarantines(worker)
    assert here.json("number", "show", "84951234567")["state"] == "quarantined"
    database = Database(f"sqlite:///{tmp_path / 'leaseline.db'}")
    with database.write() as session:
        session.execute(sa.update(Number).values(quarantined_until=datetime.now(UTC) - timedelta(minutes=1)))
    database.close()
    end_quarantines(worker)
    worker.close()
    thing = here.json("number", "show", "84951234567")
    assert thing["state"] == NumberState.RETIRED
    assert thing["uses"][0]["until_at"] is not None


def test_every_job_can_be_done_in_an_empty_home(tmp_path: Path) -> None:
    here = Installation(tmp_path)
    make_ready(here)
    worker = opened(here)
    for job in (*books_jobs(worker), *recording_jobs(worker), *sheet_jobs(worker), *rare_jobs(worker)):
        job.run()
    worker.close()
