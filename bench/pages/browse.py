"""A browser without eyes that is logged in, asks for pages, and notes how long each took."""

from __future__ import annotations

import gzip
import http.client
import itertools
import math
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from support.addresses import shown

from bench.pages.books import Books
from tracker import logins, people
from tracker.database import Database
from tracker.settings import read_settings
from web.app import create_app

# The list of calls as people look at it.
VIEWS = {
    "7 days": "/calls?period=7d",
    "missed": "/calls?outcome=missed",
    "to judge": "/calls?outcome=answered&category=none",
    "target": "/calls?category=target",
    "a campaign": "/calls?campaign=campaign+3",
    "a rare keyword": "/calls?keyword=buy+pallets+4321",
    "a channel": "/calls?channel=Billboard+7",
    "a source": "/calls?medium=organic&source=google",
    "an employee": "/calls?answered_by=employee3",
    "a tag": "/calls?tag=tag+3",
    "repeat": "/calls?repeat=yes",
    "uncertain": "/calls?uncertain=yes",
    "long talk": "/calls?talk_from=300",
    "part of a number": "/calls?q=0000123",
    "a word of a note": "/calls?q=quote",
    "nobody": "/calls?q=nobody+of+this+name",
    "missed, 30 days, a source": "/calls?outcome=missed&period=30d&medium=cpc&source=yandex",
    "nothing there": "/calls?channel=none+such",
}


@dataclass
class Watch:
    """How long a page took, each time it was asked for, in seconds, and its compressed size."""

    name: str
    took: list[float] = field(default_factory=list)
    kilobytes: float = 0.0

    def percentile_ms(self, percent: float) -> float:
        ordered = sorted(self.took)
        return 1000 * ordered[math.ceil(len(ordered) * percent / 100) - 1]


@dataclass
class Visitor:
    """A connection that is kept, with the cookie of a session."""

    port: int
    cookie: str = ""

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def get(self, path: str) -> bytes:
        """The body as it was transferred; AssertionError unless it is there."""
        headers = {"Accept-Encoding": "gzip", "Cookie": self.cookie, "Accept": "text/html"}
        try:
            self.connection.request("GET", path, headers=headers)
            answer = self.connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError):  # a server closes what is idle for long
            self.connection.close()
            self.connection.request("GET", path, headers=headers)
            answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status in {200, 302}, (path, answer.status, body[:500])
        return body

    def transferred(self, path: str) -> int:
        """Bytes of the page with all that it loads from us."""
        body = self.get(path)
        html = gzip.decompress(body).decode()
        files = sorted(set(re.findall(r'(?:src|href)="(/static/[^"]+)"', html)))
        assert files, "the page loads nothing"
        return len(body) + sum(len(self.get(file)) for file in files)


def log_in(port: int, database: Database, email: str) -> Visitor:
    """A browser with a session of that user."""
    with database.write() as session:
        user, client = people.find_user(session, email), logins.Client("127.0.0.1", "bench")
        token = logins.start_session(session, user, client, datetime.now(UTC))
    return Visitor(port, f"leaseline={token}")


def pages(database: Database) -> dict[str, str]:
    """By route, the address of what it shows to who is logged in; `<key>` and `<visit>` are left open."""
    settings = read_settings({"LEASELINE_HOME": "/nonexistent", "LEASELINE_SECRET_KEY": "k" * 40})
    app = create_app(settings, Database("sqlite://"))
    with database.read() as session:
        return shown(app, session, key="<key>", visit="<visit>")


def addresses(page: str, books: Books, times: int) -> list[str]:
    """So many addresses of a page, each of another call or visit."""
    calls, visits = itertools.cycle(books.calls), itertools.cycle(books.visits)
    return [
        page.replace("<key>", key).replace("<visit>", str(visit))
        for key, visit in itertools.islice(zip(calls, visits, strict=False), times)
    ]


def watch(visitor: Visitor, name: str, paths: list[str]) -> Watch:
    """Ask for each, after a first one that is not counted."""
    seen = Watch(name)
    for path in [*paths[:1], *paths]:
        begun = time.perf_counter()
        body = visitor.get(path)
        seen.took.append(time.perf_counter() - begun)
        seen.kilobytes = len(body) / 1024
    del seen.took[:1]
    return seen
