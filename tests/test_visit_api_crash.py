"""An acknowledged page view is durable: the real web process is killed under writes, again and again."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.ports import free_port
from support.recorded import settings_in
from support.visiting import CHROME, Shop, add_shop

from tracker.database import Database
from tracker.models import PageView
from tracker.settings import CHECKOUT, Settings

ROUNDS, ROUNDS_PG, WRITERS = 12, 4, 4
PROGRAM = "import os, web; from tracker.settings import read_settings; web.run(read_settings(os.environ))"


@contextmanager
def web_process(settings: Settings, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """`leaseline web` with its workers in a process group of its own, so that one signal ends all of it."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("LEASELINE_")}
    environ = kept | {
        "LEASELINE_HOME": str(settings.home),
        "LEASELINE_DATABASE_URL": settings.database_url,
        "LEASELINE_WEB_PORT": str(port),
        "LEASELINE_TRUSTED_PROXIES": "127.0.0.0/8",
    }
    with (settings.home / "web.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            cwd=CHECKOUT, env=environ, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(15)


class Writer(threading.Thread):
    """A visitor who opens one page after the other, each under an address of its own, until told to stop."""

    def __init__(self, shop: Shop, port: int, name: str, acknowledged: list[str]) -> None:
        super().__init__(daemon=True)
        self.shop, self.port, self.title, self.acknowledged = shop, port, name, acknowledged
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
                    self._open_pages(connection)
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)  # nobody is there: not yet, or no more

    def _open_pages(self, connection: http.client.HTTPConnection) -> None:
        token = None
        for page in range(1_000_000):
            if self.stop.is_set():
                return
            url = f"https://{self.shop.host}/{self.title}/{id(connection)}/{time.monotonic_ns()}/{page}"
            body = {"site": self.shop.key, "url": url}
            path = f"/api/v1/visits/{token}/pages" if token else "/api/v1/visits"
            headers = {
                "User-Agent": CHROME,
                "X-Forwarded-For": f"198.51.{random.randrange(256)}.{page % 256}",
            }
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            told = json.loads(answer.read())
            if answer.status == 200 and told["visit"]:
                token = told["visit"]
                self.acknowledged.append(url)


def test_no_acknowledged_page_view_is_lost_or_doubled(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        shop = add_shop(session, datetime.now(UTC), numbers=2)
    url = database.url.render_as_string(hide_password=False)
    settings, port = settings_in(tmp_path, database_url=url), free_port()
    acknowledged: list[str] = []
    writers = [Writer(shop, port, f"writer{index}", acknowledged) for index in range(WRITERS)]
    for writer in writers:
        writer.start()
    rounds = ROUNDS if database.is_sqlite else ROUNDS_PG
    for seed in range(rounds):
        with web_process(settings, port) as process:
            wanted = len(acknowledged) + random.Random(seed).randrange(20, 120)
            wait_until_there_are(wanted, acknowledged, process)
    for writer in writers:
        writer.stop.set()
    for writer in writers:
        writer.join(15)
    with database.read() as session:
        stored = Counter(session.scalars(sa.select(PageView.url)))
    assert len(acknowledged) >= 20 * rounds
    assert [page for page in acknowledged if stored[page] != 1] == []
    assert max(stored.values()) == 1
    if database.is_sqlite:
        with database.read() as session:
            assert session.scalar(sa.text("PRAGMA integrity_check")) == "ok"


def wait_until_there_are(wanted: int, acknowledged: list[str], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while len(acknowledged) < wanted:
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail("the web process serves nothing")
        time.sleep(0.005)
