"""Reading calls: pages, sources, what is hidden, and whose calls are whose."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from support.facts import Pallets, add_pallets, answered, ended, started

from tracker import calls
from tracker.books import record_all
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import Call, Company, Number
from tracker.policy.facts import Presentation


def place(database: Database, pallets: Pallets, now: datetime, count: int) -> None:
    """So many answered calls, one a second, two of them in each second."""
    with database.write() as session:
        for index in range(count):
            key, at = f"call-{index:03}", now + timedelta(seconds=index // 2)
            took = at + timedelta(seconds=3)
            record_all(
                session,
                [
                    started(pallets.billboard, at, key, caller=f"+7495{index:07}"),
                    answered(pallets.office_id, took, key),
                    ended(took + timedelta(seconds=60), key),
                ],
            )


@pytest.fixture
def pallets(database: Database, now: datetime) -> Pallets:
    with database.write() as session:
        return add_pallets(session, now)


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(database.engine, "before_cursor_execute", note)


def test_pages_join_without_a_gap_or_a_double(database: Database, pallets: Pallets, now: datetime) -> None:
    place(database, pallets, now, 23)
    seen: list[str] = []
    before: str | None = None
    with database.read() as session:
        while True:
            page = calls.list_calls(session, [pallets.company_id], before, 5)
            seen += [call.key for call in page.calls]
            if (before := page.next) is None:
                break
    assert sorted(seen) == [f"call-{index:03}" for index in range(23)]
    assert [key for key in seen if key in {"call-022", "call-000"}] == ["call-022", "call-000"]


def test_a_page_takes_two_statements_however_many_calls(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    place(database, pallets, now, 12)
    with database.read() as session, statements(database) as seen:
        for call in calls.list_calls(session, [pallets.company_id]).calls:
            calls.describe(call)
    # The calls with all that a row shows, and the tags of all of them.
    assert len([it for it in seen if it.startswith("SELECT")]) == 2


def test_another_companys_calls_are_not_there(database: Database, pallets: Pallets, now: datetime) -> None:
    place(database, pallets, now, 3)
    with database.write() as session:
        other = Company(slug="other", name="Other", default_region="DE", created_at=now)
        session.add(other)
        session.flush()
        other_id = other.id
    with database.read() as session:
        for ids in ([other_id], []):
            assert calls.list_calls(session, ids).calls == []
            assert calls.calls_by_key(session, ids, ["call-000"]) == {}
            assert calls.open_calls(session, ids, now) == []
            with pytest.raises(Rejected, match="no such call"):
                calls.get_call(session, ids, "call-000")


@pytest.mark.parametrize(
    "before", ["x", "1", "1-2-3", "-1", "1-" + "9" * 19, "٣-٣", "1 OR 1=1", "9" * 18 + "-1"]
)
def test_a_made_up_cursor_is_refused(sqlite: Database, before: str) -> None:
    with sqlite.read() as session, pytest.raises(Rejected, match="no place in the list"):
        calls.list_calls(session, [1], before)


def test_a_lease_tells_the_visits_source_and_a_channel_its_own(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        record_all(
            session, [started(pallets.leased, now, "leased"), started(pallets.billboard, now, "static")]
        )
    with database.read() as session:
        known = calls.calls_by_key(session, [pallets.company_id], ["leased", "static"])
    leased, static = calls.source_of(known["leased"]), calls.source_of(known["static"])
    assert leased
    assert (leased.medium, leased.source, leased.keyword) == ("cpc", "yandex", "купить поддоны деревянные")
    assert static
    assert (static.channel, static.medium) == ("Billboard", "offline")


def test_earlier_calls_are_those_of_the_same_caller_before(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        for minutes in range(3):
            at = now + timedelta(minutes=minutes)
            record_all(
                session, [started(pallets.billboard, at, f"c{minutes}"), ended(at, f"c{minutes}", status="")]
            )
    with database.read() as session:
        story = calls.get_call(session, [pallets.company_id], "c1")
    assert [call.key for call in story.earlier] == ["c0"]
    assert story.earlier_count == 1
    assert {event.kind for event in story.events} == {"started", "ended"}


def test_a_withheld_caller_stays_withheld(database: Database, pallets: Pallets, now: datetime) -> None:
    with database.write() as session:
        record_all(session, [started(pallets.billboard, now, presentation=Presentation.WITHHELD)])
        # Even if a row should hold what it must not.
        session.execute(sa.update(Call).values(caller="+4915112345678", caller_name="Secret"))
    with database.read() as session:
        story = calls.get_call(session, [pallets.company_id], "call-1")
    shown = repr(calls.describe(story.call))
    assert "4915112345678" not in shown
    assert "Secret" not in shown


def test_a_call_as_json_has_every_agreed_field(database: Database, pallets: Pallets, now: datetime) -> None:
    place(database, pallets, now, 1)
    with database.read() as session:
        shown = calls.describe(calls.find_call(session, [pallets.company_id], "call-000"))
    assert shown["outcome"] == "answered"
    assert (shown["wait_seconds"], shown["talk_seconds"]) == (3.0, 60.0)
    assert shown["started_at"] == "2026-11-20T12:00:00.000Z"
    assert shown["answered_by"] == "office"
    assert shown["recording"] == {"state": "pending", "seconds": None, "sha256": None}


def test_open_calls_are_those_without_an_end(database: Database, pallets: Pallets, now: datetime) -> None:
    place(database, pallets, now, 1)
    with database.write() as session:
        record_all(session, [started(pallets.billboard, now, "going")])
    with database.read() as session:
        assert [call.key for call in calls.open_calls(session, [pallets.company_id], now)] == ["going"]
        assert session.scalar(sa.select(sa.func.count()).select_from(Number)) == 4


def test_later_calls_are_the_next_ones_of_the_same_caller(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        for minute in range(25):
            begin = started(pallets.billboard, now + timedelta(minutes=minute), f"c{minute:02}")
            record_all(session, [begin, ended(now + timedelta(minutes=minute, seconds=9), f"c{minute:02}")])
        record_all(session, [started(pallets.billboard, now + timedelta(minutes=3), "other", caller="+7495")])
    with database.read() as session:
        story = calls.get_call(session, [pallets.company_id], "c02")
    assert [call.key for call in story.later] == [f"c{minute:02}" for minute in range(3, 23)]
    assert [call.key for call in story.earlier] == ["c01", "c00"]
    assert story.earlier_count == 2
