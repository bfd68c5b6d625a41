"""What `/metrics` tells of the books, of the processes, and to whom."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.facts import Pallets
from support.recorded import settings_in
from support.showroom import Showroom, Told, furnish
from support.site import Site

from tracker import process_figures
from tracker.call_totals import SETTLED, CallTotals
from tracker.database import Database
from tracker.metrics import QUEUES, gather
from tracker.models import AlertAddress, AlertMessage, Call, Lease, News, Node, Pool, Way
from tracker.policy.exposition import Spread
from tracker.policy.facts import Outcome, Spam
from tracker.policy.metrics import METRICS, NAMED
from tracker.process_figures import FRESH, Measured
from tracker.settings import CHECKOUT

TOKEN = "t" * 32
CALLS = (
    Told(3, Pallets.billboard, "+79161234567", talk=4, sound=False),
    Told(9, Pallets.leaflet, "+79161234567", "missed", wait=41),
    Told(20, Pallets.leased, "", talk=5, sound=False),
)


@pytest.fixture
def room(sqlite: Database, tmp_path: Path, now: datetime) -> Showroom:
    settings = settings_in(tmp_path, secret_key="k" * 40)
    return furnish(sqlite, settings, now, CALLS)


def told(database: Database, now: datetime, *, named: bool = False) -> dict[str, float | Spread]:
    """Every sample by its name and labels."""
    with database.read() as session:
        families = gather(session, CallTotals(), now, named=named)
    return {
        ",".join((it.metric.name.removeprefix("leaseline_"), *sample.labels)): sample.value
        for it in families
        for sample in it.samples
    }


def test_the_figures_are_those_of_the_books(database: Database, now: datetime, tmp_path: Path) -> None:
    settings = settings_in(tmp_path, secret_key="k" * 40)
    furnish(database, settings, now, CALLS)
    with database.write() as session:
        leases = session.scalar(sa.select(sa.func.count()).select_from(Lease).where(Lease.until_at.is_(None)))
        pools = len(session.scalars(sa.select(Pool)).all())
        address = AlertAddress(way=Way.EMAIL, address="ann@pallets.example", created_at=now)
        session.add(address)
        session.flush()
        for ago in (600, 30):
            session.add(
                AlertMessage(
                    key=f"msg_{ago}", address_id=address.id, news=News.TEST, tries=0,
                    created_at=now - timedelta(seconds=ago), due_at=now,
                )
            )  # fmt: skip
        session.add(Node(name="main", seen_at=now, ami_up=True, asterisk_started_at=now, live=[{}, {}]))
    found = told(database, now)
    assert (found["calls_total,answered"], found["calls_total,missed"]) == (2, 1)
    assert found["leases_open"] == leases
    assert sum(name.startswith("pool_numbers,") for name in found) == 4 * pools
    assert sum(value for name, value in found.items() if name.endswith(",leased")) == leases  # type: ignore[misc]
    assert (found["queue_messages,alerts"], found["queue_age_seconds,alerts"]) == (2, 600)
    assert (found["queue_messages,reports"], found["queue_age_seconds,reports"]) == (0, 0)
    assert (found["node_up,main"], found["calls_live,main"]) == (1, 2)
    assert {f"queue_given_up,{queue}" for queue in QUEUES} <= found.keys()
    later = told(database, now + timedelta(minutes=1))
    assert later["node_up,main"] == 0


def test_a_counter_of_calls_never_goes_back(sqlite: Database, now: datetime, room: Showroom) -> None:
    """A mark, a fact that comes late: Prometheus would take a smaller figure for a restart."""
    totals = CallTotals()

    def count(at: datetime) -> int:
        with sqlite.read() as session:
            return sum(totals.read(session, at).values())

    def change(**values: object) -> None:
        with sqlite.write() as session:
            session.execute(sa.update(Call).values(**values))

    assert count(now) == 3
    change(spam=Spam.PERSON)
    assert count(now) == 3
    later = now + 2 * SETTLED
    assert count(later) == 3
    change(ended_at=None)
    assert count(later) == 3
    change(ended_at=now, outcome=Outcome.MISSED)
    assert count(later) == 3


def test_calls_are_counted_once_whenever_they_end(sqlite: Database, now: datetime, room: Showroom) -> None:
    """What was remembered and what is counted anew together are what is in the books, at any time."""
    totals = CallTotals()
    with sqlite.write() as session:
        calls = session.scalars(sa.select(Call).order_by(Call.id)).all()
        calls[1].ended_at = None
    for days in (0, 1, 2, 3, 30):
        at = now + timedelta(days=days)
        if days == 3:
            with sqlite.write() as session:
                session.execute(sa.update(Call).where(Call.ended_at.is_(None)).values(ended_at=at))
        with sqlite.read() as session:
            assert totals.read(session, at) == CallTotals().read(session, at)
            assert sum(totals.read(session, at).values()) == (2 if days < 3 else 3)


def test_what_a_process_measured_is_told_until_it_is_silent(database: Database, now: datetime) -> None:
    measured = Measured()
    for seconds in (0.004, 0.005, 0.02, 7.0):
        measured.observe("agi_session_seconds", seconds, "inbound", "served")
    measured.set("trunk_up", True, "3")
    measured.set("spool_age_seconds", 1.5)
    with database.write() as session:
        process_figures.publish(session, "main", "agi", measured.figures(), now - timedelta(seconds=5))
        process_figures.publish(session, "main", "agi", measured.figures(), now)
    found = told(database, now)
    spread = found["agi_session_seconds,main,inbound,served"]
    assert isinstance(spread, Spread)
    assert (spread.counts[0], spread.counts[2], spread.counts[-1], sum(spread.counts)) == (2, 1, 1, 4)
    assert spread.sum == pytest.approx(7.029)
    assert (found["trunk_up,main,3"], found["spool_age_seconds,main"]) == (1, 1.5)
    assert found["process_up,main,agi"] == 1
    later = told(database, now + FRESH)
    assert later["process_up,main,agi"] == 0
    assert later["process_seen_timestamp_seconds,main,agi"] == now.timestamp()
    assert "spool_age_seconds,main" not in later
    measured.forget("trunk_up")
    assert "leaseline_trunk_up" not in measured.figures()


def test_what_another_version_measured_breaks_nothing(sqlite: Database, now: datetime) -> None:
    strange: process_figures.Figures = {
        "leaseline_of_tomorrow": [[1]],
        "leaseline_spool_age_seconds": [["more", "labels", 3], [4]],
        "leaseline_agi_lookup_seconds": [[{"counts": [1, 2], "sum": 1}]],
    }
    with sqlite.write() as session:
        process_figures.publish(session, "main", "worker", strange, now)
    found = told(sqlite, now)
    assert found["spool_age_seconds,main"] == 4
    assert "agi_lookup_seconds,main" not in found


def test_without_the_token_nothing_names_anybody(
    sqlite: Database, tmp_path: Path, now: datetime, room: Showroom
) -> None:
    open_ = Site(sqlite, settings_in(tmp_path, secret_key="k" * 40), now).app.test_client()
    text = open_.get("/metrics").text
    with sqlite.read() as session:
        names = [it.name for it in session.scalars(sa.select(Pool))] + ["pallets"]
        callers = [it.caller for it in session.scalars(sa.select(Call)) if it.caller]
    assert [it for it in names + callers if f'"{it}"' in text] == []
    assert [it for it in NAMED if it in text] == []

    guarded = Site(sqlite, settings_in(tmp_path, secret_key="k" * 40, metrics_token=TOKEN), now)
    scraper = guarded.app.test_client()
    for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
        answer = scraper.get("/metrics", headers=header)
        assert (answer.status_code, answer.text.count("leaseline_")) == (401, 0)
    known = scraper.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert known.status_code == 200
    assert known.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert 'leaseline_company_calls_total{company="pallets",outcome="answered"} 2' in known.text
    assert [it.caller for it in CALLS if it.caller and it.caller in known.text] == []


def test_a_database_that_is_away_is_a_figure_too(tmp_path: Path, now: datetime) -> None:
    away = Database(f"sqlite:///{tmp_path / 'missing' / 'books.db'}", wait_seconds=1)
    site = Site(away, settings_in(tmp_path, secret_key="k" * 40), now)
    answer = site.app.test_client().get("/metrics")
    assert answer.status_code == 200
    assert "leaseline_database_up 0" in answer.text.splitlines()
    assert "leaseline_calls_total" not in answer.text


def test_every_metric_is_told_by_somebody() -> None:
    """None is promised and never told."""
    places = [*(CHECKOUT / "agi").glob("*.py"), *(CHECKOUT / "commands").glob("*.py")]
    places += [CHECKOUT / "web" / "health.py", CHECKOUT / "tracker" / "metrics.py"]
    told_of = "".join(path.read_text() for path in places).replace("leaseline_", "")
    assert {it for it in METRICS if f'"{it.removeprefix("leaseline_")}"' not in told_of} == set()
