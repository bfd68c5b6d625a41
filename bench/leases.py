"""What a lease costs the web server, and whether any number is ever leased twice.

Compared, on SQLite and PostgreSQL: `POST /api/v1/visits` by visitors nobody has seen before (visit, page view
and lease, committed) against the same Flask and granian answering a POST with nothing (bench/nothing.py).
First at 200 requests/s, each timed from the instant it was planned for; then as fast as they come. Then page
views of known visitors, as fast as they are acknowledged, and counted in the database afterwards. Last,
claims by racing processes, and the history they leave searched for a number that was held twice.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from support.postgres import Postgres
from support.visiting import CHROME, add_shop

from bench import claims, load
from bench.load import Measured, posting
from bench.served import NOTHING, OURS, Served, served
from commands.schema import make_ready
from tracker.database import Database
from tracker.models import PageView

RATE, SECONDS = 200, 15
# A hundred sites with a hundred numbers each: nobody is turned away, and each pool is one a company has.
SITES, NUMBERS = 100, 100
ALL_CLAIMS = 1_000_000  # half on each database; LEASELINE_BENCH_CLAIMS
# A race for the lock itself would be all we saw on SQLite; with several claims each turn is worth its wait.
A_TURN, A_TURN_PG = 50, 10


def run() -> dict[str, float]:
    """All figures of DESIGN.md's contract for leases; those of PostgreSQL end in _pg."""
    each = int(os.environ.get("LEASELINE_BENCH_CLAIMS", ALL_CLAIMS)) // 2
    postgres = Durable()
    try:
        idle = nothing()
        with folder() as home:
            figures = visits("SQLite", home, f"sqlite:///{home / 'leaseline.db'}", idle)
        with folder() as home:
            figures |= with_suffix(visits("PostgreSQL", home, postgres.url(), idle))
        with folder("/dev/shm") as shared:
            figures |= raced("SQLite in /dev/shm", f"sqlite:///{shared / 'books.db'}", each, A_TURN)
        figures |= with_suffix(raced("PostgreSQL", postgres.url(), each, A_TURN_PG))
    finally:
        postgres.close()
    return figures


@contextmanager
def folder(where: str = "/tmp") -> Iterator[Path]:
    """A folder that is gone afterwards."""
    made = Path(tempfile.mkdtemp(prefix="ll-bench-", dir=where))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def with_suffix(figures: dict[str, float]) -> dict[str, float]:
    return {f"{key}_pg": value for key, value in figures.items()}


# ---- against nothing ----


@dataclass(frozen=True)
class Speed:
    """A server at the planned rate, and at its limit; CPU seconds a request at the planned rate."""

    planned: Measured
    fastest: Measured
    cpu: float


class Durable(Postgres):
    """The tests' cluster, but what it has committed survives a power cut, as SQLite's does."""

    options = "-c max_connections=200"


def nothing() -> Speed:
    """The baseline."""
    with folder() as home, served(NOTHING, home, {}) as server:
        return speed(server, arrivals("/nothing"))


def speed(server: Served, requests: Iterator[bytes]) -> Speed:
    """Warmed up first, so that nobody pays for what is done once."""
    load.at_rate(server.port, [*itertools.islice(requests, RATE)], RATE)
    before = server.cpu_seconds()
    planned = load.at_rate(server.port, [*itertools.islice(requests, RATE * SECONDS)], RATE)
    cpu = (server.cpu_seconds() - before) / (RATE * SECONDS)
    return Speed(planned, load.as_fast(server.port, requests, SECONDS), cpu)


def arrivals(path: str) -> Iterator[bytes]:
    """Visitors nobody knows, each from a network of his own, by turns on every site."""
    for number in itertools.count():
        body = {"site": f"key-site{number % SITES}", "title": "Pallets", "language": "en-GB"}
        body["url"] = f"https://site{number % SITES}.example/?utm_source=google&utm_medium=cpc&n={number}"
        yield posting(path, body, sender(number))


def sender(number: int) -> dict[str, str]:
    """What the proxy in front of us says about the browser."""
    address = f"{20 + number // 65536}.{number // 256 % 256}.{number % 256}.7"
    return {
        "X-Forwarded-For": address,
        "User-Agent": CHROME,
        "Origin": f"https://site{number % SITES}.example",
        "Content-Type": "text/plain;charset=UTF-8",
    }


def visits(name: str, home: Path, url: str, idle: Speed) -> dict[str, float]:
    """Leases and page views of a whole web process on that database."""
    make_ready(url)
    database = Database(url)
    with database.write() as session:
        for site in range(SITES):
            add_shop(session, datetime.now(UTC), f"site{site}", numbers=NUMBERS, first=site * NUMBERS)
    environ = {"LEASELINE_DATABASE_URL": url, "LEASELINE_TRUSTED_PROXIES": "127.0.0.1"}
    with served(OURS, home, environ) as server:
        ours = speed(server, arrivals("/api/v1/visits"))
        views = page_views(server, database, ours.planned.answers)
    database.close()
    figures = {
        "ratio": ours.fastest.per_second / idle.fastest.per_second,
        "cpu_ratio": ours.cpu / idle.cpu,
        "p50_ms": ours.planned.percentile_ms(50),
        "p99_ms": ours.planned.percentile_ms(99),
        "leases_per_s": ours.fastest.per_second,
        "durable_views_per_s": views,
        "failed": float(ours.planned.failed + ours.fastest.failed),
    }
    tell(name, ours, idle, views)
    return figures


def tell(name: str, ours: Speed, idle: Speed, views: float) -> None:
    print(f"{name}: a new visit with its lease, against the same Flask and granian doing nothing:")
    for what, each in (("doing nothing", idle), ("a lease", ours)):
        print(
            f"  {what:14} at {RATE}/s: p50 {each.planned.percentile_ms(50):6.1f} ms, p99 "
            f"{each.planned.percentile_ms(99):6.1f} ms, CPU {each.cpu * 1000:5.2f} ms each;"
            f" at most {each.fastest.per_second:7.0f}/s"
        )
    shown = sum(1 for answer in ours.planned.answers if answer["number"])
    print(f"  {shown} of {RATE * SECONDS} visitors at {RATE}/s were shown a number of their own")
    print(f"  page views acknowledged, and found in the database afterwards: {views:.0f}/s", flush=True)


def page_views(server: Served, database: Database, known: list[dict[str, Any]]) -> float:
    """Further pages of the visitors just seen, a second; none that was acknowledged may be missing."""
    before = count_views(database)

    def pages() -> Iterator[bytes]:
        for turn in itertools.count():
            number = turn % len(known)
            site = int(known[number]["visit"].split(".")[1]) - 1
            body = {"url": f"https://site{site}.example/{turn}", "title": "Prices"}
            headers = sender(number) | {"Origin": f"https://site{site}.example"}
            yield posting(f"/api/v1/visits/{known[number]['visit']}/pages", body, headers)

    measured = load.as_fast(server.port, pages(), SECONDS)
    stored = count_views(database) - before
    assert measured.answers, "no page view was acknowledged"
    assert stored >= len(measured.answers), f"{len(measured.answers) - stored} acknowledged views are missing"
    return measured.per_second


def count_views(database: Database) -> int:
    with database.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(PageView)) or 0


# ---- twice ----


def raced(name: str, url: str, attempts: int, a_transaction: int) -> dict[str, float]:
    """Claims by racing processes; `double` is how often a number was held twice at one instant."""
    found = claims.race(url, attempts, a_transaction)
    print(
        f"{name}: {found.attempts} claims by {claims.PROCESSES} processes, {claims.VISITS} visitors for"
        f" {claims.NUMBERS} numbers, {a_transaction} in a transaction, in {found.seconds:.0f} s:"
        f" {found.leases} leases, {found.double} numbers held twice",
        flush=True,
    )
    return {"double": float(found.double), "claims": float(found.attempts)}
