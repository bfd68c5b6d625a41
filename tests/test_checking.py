"""The worker's part in “check my site”: a page in Chromium, and the pages that it refuses to open."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from support.command import Installation, furnish
from support.trap import answering, speaking, trap

from commands.checking import check_next
from commands.context import Here
from tracker import site_checks, sites
from tracker.audit import By
from tracker.models import Company, Site, SiteCheck
from tracker.settings import read_settings

PAGE = "<!doctype html><title>Shop</title><p>Call 8 (495) 765-43-21</p>"


@contextmanager
def shop() -> Iterator[int]:
    """A website on this machine; /away leads to the same under another name. Its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            away = self.path == "/away"
            self.send_response(302 if away else 200)
            if away:
                self.send_header("Location", f"http://localhost:{server.server_port}/")
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(b"" if away else PAGE.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Here]:
    here = Installation(tmp_path)
    furnish(here)
    made = Here()
    made.__dict__["settings"] = read_settings(here.environ)
    with made.database.write() as session:
        owner, site = session.get_one(Company, 1), session.get_one(Site, 1)
        sites.change(session, By(made.now, "ann"), owner, site, domains=["127.0.0.1", "shop.example"])
    yield made
    made.close()


def ask(worker: Here, url: str) -> None:
    with worker.database.write() as session:
        site_checks.ask(session, By(worker.now, "ann"), session.get_one(Site, 1), url)


def result(worker: Here) -> SiteCheck:
    with worker.database.read() as session:
        found = site_checks.newest(session, session.get_one(Site, 1))
        assert found is not None
        assert found.done_at is not None
        return found


def test_a_page_is_looked_at_in_a_browser(worker: Here) -> None:
    check_next(worker)  # nothing waits
    with shop() as port:
        ask(worker, f"http://127.0.0.1:{port}/")
        line = threading.Thread(target=check_next, args=(worker,))  # as the worker does
        line.start()
        line.join()
    report = result(worker).report
    assert report is not None
    assert (report["ok"], report["key"]) == (False, None)
    assert "no script of ours" in report["problem"]


def test_a_page_that_leads_away_is_not_told(worker: Here) -> None:
    with shop() as port:
        ask(worker, f"http://127.0.0.1:{port}/away")
        check_next(worker)
    found = result(worker)
    assert found.report is None
    assert "leads away, to localhost" in str(found.problem)


def test_a_page_that_does_not_open_says_why(worker: Here) -> None:
    ask(worker, "http://127.0.0.1:1/")
    check_next(worker)
    assert "cannot be opened" in str(result(worker).problem)


def test_an_inner_network_is_not_looked_into_from_a_public_installation(worker: Here) -> None:
    worker.__dict__["settings"] = replace(worker.settings, web_url="https://1.1.1.1")
    ask(worker, "http://127.0.0.1/")
    check_next(worker)
    assert "inner network" in str(result(worker).problem)


def test_what_a_page_embeds_and_asks_for_leads_nowhere_inside(worker: Here) -> None:
    """Its own network is named, as a shop's that stands in the house; everything else is inside."""
    worker.__dict__["settings"] = replace(
        worker.settings, web_url="https://1.1.1.1", webhook_networks=("127.0.0.2/32",)
    )
    with worker.database.write() as session:
        owner, site = session.get_one(Company, 1), session.get_one(Site, 1)
        sites.change(session, By(worker.now, "ann"), owner, site, domains=["127.0.0.2"])
    with trap() as canary:
        at = f"127.0.0.1:{canary.port}"
        page = f"""<!doctype html><title>Shop</title><img src="/seen.png"><img src="http://{at}/a.png">
            <iframe src="http://localhost:{canary.port}/"></iframe><script src="https://{at}/x.js"></script>
            <script>fetch("http://[::1]:{canary.port}/", {{mode: "no-cors", method: "POST", body: "x"}});
            new WebSocket("ws://{at}/"); navigator.sendBeacon("http://{at}/b", "x");</script>"""
        html = answering(page.encode(), "Content-Type: text/html", "Connection: close")
        with speaking(html, host="127.0.0.2") as server:
            ask(worker, f"http://127.0.0.2:{server.port}/")
            check_next(worker)
        assert canary.reached == 0
    report = result(worker).report
    assert report is not None, result(worker).problem
    assert "no script of ours" in report["problem"]
    assert any(head.startswith(b"GET /seen.png HTTP/1.1\r\n") for head in server.asked)


def test_what_cut_two_workers_off_is_given_up(worker: Here) -> None:
    ask(worker, "http://127.0.0.1:1/")
    for turn in range(2):
        with worker.database.write() as session:
            assert site_checks.claim(session, worker.now - timedelta(hours=2 - turn)) is not None
    check_next(worker)
    assert "cut off each time" in str(result(worker).problem)
