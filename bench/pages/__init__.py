"""What every page costs with a million calls and ten million page views in the books, on both databases.

Two years of two companies are drawn (books), the real web server is started over them, and a manager's pages
are asked for, one after the other, over a connection that is kept: every route of the page that shows
something, and the list of calls in the views people have of it. Compared with the same Flask and granian
answering nothing. The day sheets are made before, as the worker of an installation has made them long ago; it
is told how long that took. Counted too: what a browser transfers that opens the list for the first time.

LEASELINE_BENCH_CALLS, LEASELINE_BENCH_VIEWS: other books.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from support.postgres import Postgres

from bench.leases import folder, with_suffix
from bench.pages import books, browse
from bench.pages.browse import Visitor, Watch
from bench.pages.pour import settle
from bench.served import NOTHING, OURS, served
from commands.schema import make_ready
from tracker import sheet_maker
from tracker.database import Database

CALLS, VIEWS = 1_000_000, 10_000_000
TIMES = 30  # each page is asked for


def run() -> dict[str, float]:
    """Of the slowest page p50_ms and p95_ms, and what the list costs; those of PostgreSQL end in _pg."""
    postgres = Postgres()
    try:
        with folder() as home, served(NOTHING, home, {}) as server:
            idle = browse.watch(Visitor(server.port), "nothing", ["/healthz"] * TIMES * 10)
        with folder() as home:
            figures = measure("SQLite", home, f"sqlite:///{home / 'leaseline.db'}", idle)
        with folder() as home:
            figures |= with_suffix(measure("PostgreSQL", home, postgres.url(), idle))
    finally:
        postgres.close()
    return figures


def measure(name: str, home: Path, url: str, idle: Watch) -> dict[str, float]:
    """The pages of a whole web process on that database."""
    calls = int(os.environ.get("LEASELINE_BENCH_CALLS", CALLS))
    views = int(os.environ.get("LEASELINE_BENCH_VIEWS", VIEWS))
    make_ready(url)
    database = Database(url)
    begun = datetime.now(UTC)
    written = books.fill(database, calls, views, begun)
    took = (datetime.now(UTC) - begun).total_seconds()
    print(f"{name}: {calls:,} calls, {views:,} page views, drawn in {took:.0f} s", flush=True)
    make_sheets(database, begun)
    with served(OURS, home, {"LEASELINE_DATABASE_URL": url}) as server:
        visitor = browse.log_in(server.port, database, written.owner)
        seen = [
            browse.watch(visitor, rule, browse.addresses(page, written, TIMES))
            for rule, page in sorted(browse.pages(database).items())
        ]
        seen += [
            browse.watch(visitor, f"list: {word}", [path] * TIMES) for word, path in browse.VIEWS.items()
        ]
        transferred = visitor.transferred("/calls")
    database.close()
    tell(seen, idle, transferred)
    worst = max(seen, key=lambda each: each.percentile_ms(95))
    return {
        "p50_ms": max(each.percentile_ms(50) for each in seen),
        "p95_ms": worst.percentile_ms(95),
        "list_p95_ms": next(each for each in seen if each.name == "/calls").percentile_ms(95),
        "ratio": worst.percentile_ms(50) / idle.percentile_ms(50),
        "list_kb": transferred / 1024,
    }


def make_sheets(database: Database, now: datetime) -> None:
    """All day sheets, as after the worker's first hours."""
    begun, days = time.monotonic(), 0
    while made := sheet_maker.take_turn(database, now).days:
        days += made
    settle(database)
    print(f"  sheets of {days:,} days, made in {time.monotonic() - begun:.0f} s", flush=True)


def tell(seen: list[Watch], idle: Watch, transferred: int) -> None:
    print(f"  {'page':44} {'p50 ms':>8} {'p95 ms':>8} {'of nothing':>10} {'KB':>7}")
    for each in sorted(seen, key=lambda each: -each.percentile_ms(95)):
        ratio = each.percentile_ms(50) / idle.percentile_ms(50)
        print(
            f"  {each.name:44} {each.percentile_ms(50):8.1f} {each.percentile_ms(95):8.1f} {ratio:10.0f}"
            f" {each.kilobytes:7.1f}"
        )
    print(f"  the list, first visit: {transferred / 1024:.0f} KB transferred", flush=True)
