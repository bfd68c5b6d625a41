"""What pages are told about the calls going on."""

from __future__ import annotations

import socket
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from support.facts import Pallets, add_pallets, answered, ended, started

from tracker import books
from tracker.database import Database
from tracker.live import STALE_SECONDS, LiveCall, Sight, agi_answers, live_calls, publish
from tracker.models import Node
from tracker.policy.facts import Presentation


@pytest.fixture
def pallets(database: Database, now: datetime) -> Pallets:
    with database.write() as session:
        return add_pallets(session, now)


def row(at: datetime, call: str = "call-1", **more: Any) -> dict[str, Any]:
    plain = {"call": call, "state": "ringing", "since": at.isoformat(), "started": at.isoformat()}
    return plain | {"did": "", "target": None} | more


def seen(calls: list[dict[str, Any]], ami_up: bool = True) -> Sight:
    return Sight("main", ami_up, "22.10.1", None, calls)


def up(database: Database, company_ids: list[int], now: datetime) -> list[LiveCall]:
    with database.read() as session:
        return live_calls(session, company_ids, now)


def test_a_published_call_is_shown_with_what_the_books_know(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        books.record(session, started(pallets.billboard, now))
        publish(session, seen([row(now, target=pallets.office_id)]), now)
    (call,) = up(database, [pallets.company_id], now)
    assert (call.call, call.state, call.did) == ("call-1", "ringing", pallets.billboard)
    assert (call.target, call.target_name) == (pallets.office_id, "office")
    assert call.caller == "+4915112345678"
    assert up(database, [pallets.company_id + 1], now) == []


def test_a_withheld_caller_is_in_no_row(database: Database, pallets: Pallets, now: datetime) -> None:
    with database.write() as session:
        books.record(session, started(pallets.billboard, now, presentation=Presentation.WITHHELD))
        publish(session, seen([row(now)]), now)
    (call,) = up(database, [pallets.company_id], now)
    assert call.caller is None


def test_a_call_that_the_books_do_not_know_yet_is_shown_by_its_number(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        publish(
            session, seen([row(now, did=pallets.leaflet), row(now, "call-2"), row(now, "x", did="+1")]), now
        )
    (call,) = up(database, [pallets.company_id], now)
    assert (call.call, call.caller, call.did) == ("call-1", None, pallets.leaflet)


def test_a_call_that_has_ended_in_the_books_is_not_up(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        books.record(session, started(pallets.billboard, now))
        books.record(session, ended(now + timedelta(seconds=5)))
        publish(session, seen([row(now)]), now)
    assert up(database, [pallets.company_id], now) == []


def test_after_a_gap_the_books_say_since_when_people_talk(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    picked_up = now + timedelta(seconds=7)
    with database.write() as session:
        books.record(session, started(pallets.billboard, now))
        books.record(session, answered(pallets.office_id, picked_up))
        publish(session, seen([row(now, state="talking")]), now)
    assert up(database, [pallets.company_id], now)[0].since == picked_up


def test_a_node_that_fell_silent_has_no_live_calls(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        publish(session, seen([row(now, did=pallets.leaflet)]), now)
    assert up(database, [pallets.company_id], now + timedelta(seconds=STALE_SECONDS - 1))
    assert not up(database, [pallets.company_id], now + timedelta(seconds=STALE_SECONDS + 1))


def test_publishing_again_replaces_what_was_there(database: Database, now: datetime) -> None:
    with database.write() as session:
        publish(session, seen([row(now)]), now)
    with database.write() as session:
        publish(session, seen([], ami_up=False), now + timedelta(seconds=1))
    with database.read() as session:
        node = session.scalars(sa.select(Node)).one()
        assert (node.ami_up, node.live, node.seen_at) == (False, [], now + timedelta(seconds=1))


def test_a_port_that_only_accepts_does_not_count_as_an_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert not agi_answers("127.0.0.1", port, seconds=0.2)
        threading.Thread(target=hang_up_on, args=(listener,)).start()
        assert not agi_answers("127.0.0.1", port, seconds=1)
    assert not agi_answers("127.0.0.1", port, seconds=0.2)


def hang_up_on(listener: socket.socket) -> None:
    listener.accept()[0].close()
