"""What every report costs over a year of a million calls and ten million page views, on both databases.

A year of two companies is drawn (bench.pages.books), with what advertising cost and what was sold (money).
Day sheets are made as the worker makes them, the real web server is started over the books, and every
built-in report (asks) is asked for by its API, over a connection that is kept. Compared with one plain pass
over the same rows in the same database: all calls of the company with their visits, and all its visits.

Then a thousand facts come late, of any day of the year (facts): measured is what the worker needs until every
sheet holds again; then all that sheets say is counted anew and compared, and so are some reports. A
difference ends the benchmark.

LEASELINE_BENCH_CALLS, LEASELINE_BENCH_VIEWS: other books.
"""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from support.postgres import Postgres

from bench.leases import folder, with_suffix
from bench.pages import CALLS, VIEWS, books, browse, make_sheets
from bench.pages.browse import Visitor, Watch
from bench.pages.pour import settle
from bench.reports.asks import asks
from bench.reports.facts import tell_late
from bench.reports.money import pour_money
from bench.served import OURS, served
from commands.schema import make_ready
from tracker import sheet_maker
from tracker.database import Database
from tracker.models import Company
from tracker.policy.credit import Model
from tracker.policy.report import Wish
from tracker.policy.report_words import By
from tracker.reports import read_report

DAYS = 365
TIMES, AT_LEAST, PATIENCE_SECONDS = 20, 3, 6  # a report that takes long is asked for less often
FACTS = 1_000
ZONE = ZoneInfo("Europe/Moscow")

COMPARED = (
    Wish(By.SOURCE),
    Wish(By.CAMPAIGN, By.KEYWORD),
    Wish(By.WEEKDAY, By.HOUR),
    Wish(By.CHANNEL, model=Model.LINEAR),
)

# Every row of the company's calls and visits, once, and something of each.
SCANS = (
    """SELECT count(*), sum(c.wait_seconds), sum(c.talk_seconds), count(c.category), count(c.caller),
    count(v.source), count(v.medium), count(v.campaign), count(v.keyword), count(v.device)
    FROM calls c LEFT JOIN visits v ON v.id = c.visit_id WHERE c.company_id = :company""",
    """SELECT count(*), count(v.source), count(v.medium), count(v.campaign), count(v.keyword),
    max(v.visitor_id)
    FROM visits v JOIN sites s ON s.id = v.site_id WHERE s.company_id = :company""",
)


@dataclass
class Asked(Watch):
    """How long a report took; `first` is the first time, which does not count among the others."""

    first: float = 0.0


def run() -> dict[str, float]:
    """Of the slowest report p50_ms, p95_ms, its ratio to a scan; and refresh_seconds; _pg: PostgreSQL's."""
    postgres = Postgres()
    try:
        with folder() as home:
            figures = measure("SQLite", home, f"sqlite:///{home / 'leaseline.db'}")
        with folder() as home:
            figures |= with_suffix(measure("PostgreSQL", home, postgres.url()))
    finally:
        postgres.close()
    return figures


def measure(name: str, home: Path, url: str) -> dict[str, float]:
    """The reports of a whole web process on that database, then the worker's sheets."""
    database = Database(url)
    now = datetime.now(UTC)
    drawn = draw_books(name, database, now)
    scan_ms = scan(database, drawn.firms[0].company_id)
    with served(OURS, home, {"LEASELINE_DATABASE_URL": url}) as server:
        visitor = browse.log_in(server.port, database, drawn.owner)
        seen = [ask_for(visitor, ask.name, ask.address) for ask in asks(now.astimezone(ZONE).date())]
    tell(seen, scan_ms)
    refreshed = refresh(database, drawn, now)
    database.close()
    return {
        "p50_ms": max(each.percentile_ms(50) for each in seen),
        "p95_ms": max(each.percentile_ms(95) for each in seen),
        "scan_ratio": max(each.percentile_ms(50) for each in seen) / scan_ms,
        "scan_ms": scan_ms,
        "refresh_seconds": refreshed,
    }


def draw_books(name: str, database: Database, now: datetime) -> books.Books:
    """A year's books with money, and their sheets."""
    calls = int(os.environ.get("LEASELINE_BENCH_CALLS", CALLS))
    views = int(os.environ.get("LEASELINE_BENCH_VIEWS", VIEWS))
    make_ready(database.engine.url.render_as_string(hide_password=False))
    begun = time.monotonic()
    drawn = books.fill(database, calls, views, now, days=DAYS)
    money = pour_money(database, drawn, DAYS, now)
    settle(database)
    print(
        f"{name}: {calls:,} calls, {views:,} page views, {money.costs:,} costs, {money.sales:,} sales,"
        f" drawn in {time.monotonic() - begun:.0f} s",
        flush=True,
    )
    make_sheets(database, now)
    return drawn


def scan(database: Database, company_id: int, times: int = 3) -> float:
    """Milliseconds of one pass over all rows, the median of some; the first does not count."""
    took = []
    for _ in range(times + 1):
        begun = time.perf_counter()
        with database.read() as session:
            for statement in SCANS:
                session.connection().execute(sa.text(statement), {"company": company_id}).all()
        took.append(1000 * (time.perf_counter() - begun))
    return statistics.median(took[1:])


def ask_for(visitor: Visitor, name: str, address: str) -> Asked:
    """Ask for a report some times, after a first that is told beside them."""
    seen = Asked(name)
    seen.first, _ = _once(visitor, address)
    while len(seen.took) < AT_LEAST or (len(seen.took) < TIMES and sum(seen.took) < PATIENCE_SECONDS):
        seconds, seen.kilobytes = _once(visitor, address)
        seen.took.append(seconds)
    return seen


def _once(visitor: Visitor, address: str) -> tuple[float, float]:
    """Seconds, and how many kilobytes came."""
    begun = time.perf_counter()
    body = visitor.get(address)
    return time.perf_counter() - begun, len(body) / 1024


def refresh(database: Database, drawn: books.Books, now: datetime, days: int = DAYS) -> float:
    """Seconds until every sheet holds again after late facts; AssertionError if one is wrong."""
    tell_late(database, drawn, FACTS, now, days)
    begun, made = time.monotonic(), 0
    while turn := sheet_maker.take_turn(database, now).days:
        made += turn
    took = time.monotonic() - begun
    print(f"  {FACTS} late facts: sheets of {made} days made anew in {took:.1f} s", flush=True)
    checked = list(sheet_maker.check(database))
    wrong = [each for each in checked if not each.agrees]
    assert checked, "no sheet holds"
    assert not wrong, f"{len(wrong)} of {len(checked)} sheets say something else: {wrong[:3]}"
    _compare(database, drawn.firms[0].company_id, now)
    print(f"  all {len(checked)} sheets say what the facts say, and so do reports", flush=True)
    return took


def _compare(database: Database, company_id: int, now: datetime) -> None:
    """Reports by sheets are those counted anew, to the last digit."""
    for wish in COMPARED:
        with database.read() as session:
            company = session.get_one(Company, company_id)
            by_sheets, anew = (
                read_report(session, company, wish, {"period": ["30d"]}, now, by_sheets=each)
                for each in (True, False)
            )
        assert by_sheets == anew, f"the report {wish} says something else by sheets"


def tell(seen: list[Asked], scan_ms: float) -> None:
    print(f"  one pass over the same rows: {scan_ms:.0f} ms")
    print(f"  {'report':52} {'first ms':>9} {'p50 ms':>8} {'p95 ms':>8} {'of a pass':>9} {'KB':>6}")
    for each in sorted(seen, key=lambda each: -each.percentile_ms(95)):
        p50 = each.percentile_ms(50)
        print(
            f"  {each.name:52} {1000 * each.first:9.1f} {p50:8.1f} {each.percentile_ms(95):8.1f}"
            f" {p50 / scan_ms:9.3f} {each.kilobytes:6.1f}",
        )
    print(end="", flush=True)
