"""Calls going on over the API: once, and as a stream from the real server."""

from __future__ import annotations

import http.client
import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from support.browser import serving
from support.facts import Pallets, add_pallets, started
from support.rest import program
from support.served import books_in
from support.site import Site

from tracker.books import record
from tracker.database import Database
from tracker.live import Sight, publish
from tracker.models import Company
from tracker.policy.rights import Scope


def see(database: Database, *keys: str) -> None:
    now = datetime.now(UTC)
    same = {"state": "ringing", "since": now.isoformat(), "did": Pallets.billboard, "target": None}
    rows = [{"call": key, "started": now.isoformat(), **same} for key in keys]
    with database.write() as session:
        publish(session, Sight("main", True, None, now, rows), now)


def test_calls_going_on_are_told_as_they_change(tmp_path: Path) -> None:
    with books_in(tmp_path) as (settings, database):
        with database.write() as session:
            add_pallets(session, datetime.now(UTC))
            session.add(
                Company(slug="rival", name="Rival", default_region="DE", created_at=datetime.now(UTC))
            )
        site = Site(database, settings, datetime.now(UTC))
        crm, rival = program(site, *Scope), program(site, *Scope, company_id=2)
        see(database, "live-1")
        (going,) = crm.get("/live/calls").json["calls"]
        assert (going["key"], going["state"], going["call"]) == ("live-1", "ringing", None)
        assert rival.get("/live/calls").json["calls"] == []
        assert "live-1" not in rival.get("/live/events", seconds=0).text
        with serving(settings) as url:
            see(database, "live-1")  # what was seen before the server was up may be too old by now
            link = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
            link.request(
                "GET", "/api/v1/live/events?seconds=20", headers={"Authorization": f"Bearer {crm.key}"}
            )
            answer = link.getresponse()
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            lines = (line.decode().strip() for line in answer)
            assert next(lines) == "retry: 2000"
            told = (json.loads(line[6:])["calls"] for line in lines if line.startswith("data: "))
            assert [it["call"] for it in next(told)] == [None]  # nothing of its caller
            with database.write() as session:
                record(
                    session, started(Pallets.billboard, datetime.now(UTC), "live-1", caller="+79165554433")
                )
            see(database, "live-1")
            assert [it["call"]["caller"] for it in next(told)] == ["+79165554433"]
            link.close()


def test_no_more_listen_than_can(tmp_path: Path) -> None:
    with books_in(tmp_path) as (settings, database):
        with database.write() as session:
            add_pallets(session, datetime.now(UTC))
        crm = program(Site(database, settings, datetime.now(UTC)), *Scope)
        streams = [crm.ask("GET", "/live/events?seconds=0", buffered=False) for _ in range(4)]
        refused = crm.get("/live/events", seconds=0)
        assert (refused.status_code, refused.json["error"]["id"]) == (503, "live.busy")
        for each in streams:
            each.close()
        assert crm.get("/live/events", seconds=0).status_code == 200
