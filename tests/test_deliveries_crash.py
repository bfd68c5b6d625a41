"""kill -9 at 200 random points between the commit of a fact and the settling of what it had to tell."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from support.told import Told

from tracker.database import Database
from tracker.models import Call, Delivery

ROUNDS = 200
TESTS = Path(__file__).parent


def test_no_event_is_lost_whatever_dies_when(database: Database, tmp_path: Path) -> None:
    """Each is taken once or more, with one key; none of a fact that was not stored."""
    told = Told(database, tmp_path, datetime.now(UTC))
    url = database.url.render_as_string(hide_password=False)
    with told.pointing("webhook", events=["call.completed"]) as (server, double):
        with database.write() as session:
            session.execute(sa.text("UPDATE destinations SET created_at = '2026-01-01 00:00:00'"))
        words = (url, tmp_path, ROUNDS, 20261130, told.pallets.billboard, told.pallets.office_id)
        done = subprocess.run(
            [sys.executable, "-m", "support.dying", *map(str, words)],
            cwd=TESTS, env={"PYTHONPATH": f"{TESTS.parent}:{TESTS}", "PATH": "/usr/bin:/bin"},
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
    acknowledged = set(done.stdout.split())
    with database.read() as session:
        stored = set(session.scalars(sa.select(Call.key)))
        left = session.scalar(sa.select(sa.func.count()).where(Delivery.sent_at.is_(None)))
    taken = Counter(double.taken)
    assert acknowledged <= stored
    assert set(taken) == stored
    assert left == 0
    keys = Counter(asked.headers["webhook-id"] for asked in server.asked)
    assert len(keys) == len(stored)
    assert len(stored) > 50
