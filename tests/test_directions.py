"""Calls that go out stand in the books beside those that come in, and no figure counts them."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from support.facts import Pallets, add_pallets, answered, ended, leg_ended, started

from tracker import calls
from tracker.board import read_board
from tracker.books import record_all
from tracker.database import Database
from tracker.judge import judge_pending, rejudge
from tracker.models import Call
from tracker.number_states import last_called
from tracker.overview import read_overview, read_today
from tracker.policy.call_filter import read_filter
from tracker.policy.detail import as_detail, from_detail
from tracker.policy.facts import Direction, Fact
from tracker.policy.spool import BadLine, parse_line
from tracker.repeats import has_called

START = (
    '{"e":"start","call":"a-1","node":"main","uid":"1.1","lid":"1.1","trunk":"trunk-1","did":"+74951230001",'
    '"dialled":"","cli":"+79161234567","pres":"allowed","name":"","t":1764500000.123%s}'
)


@pytest.mark.parametrize(
    ("more", "direction"), [("", "in"), (',"dir":""', "in"), (',"dir":"out"', "out"), (',"dir":"in"', "in")]
)
def test_a_start_says_who_called_whom(more: str, direction: str) -> None:
    fact = parse_line((START % more).encode())
    assert getattr(fact, "direction", None) == Direction(direction)


def test_a_word_that_is_no_direction_is_no_line() -> None:
    with pytest.raises(BadLine, match="dir is 'up'"):
        parse_line((START % ',"dir":"up"').encode())


def test_what_was_kept_before_there_were_directions_is_the_same_fact(now: datetime) -> None:
    fact = started(Pallets.billboard, now)
    assert "direction" not in as_detail(fact)
    assert from_detail("started", fact.call, as_detail(fact)) == fact
    out = started(Pallets.billboard, now, direction=Direction.OUT)
    assert from_detail("started", out.call, as_detail(out)) == out


def write(database: Database, now: datetime) -> Pallets:
    """A call that was missed; ours, an hour later, to the same person; and his of yesterday."""
    at, back = now - timedelta(minutes=50), now - timedelta(minutes=20)
    before = now - timedelta(days=1)
    with database.write() as session:
        pallets = add_pallets(session, now - timedelta(days=3))
        for key, begun, direction in (("in-0", before, "in"), ("in-1", at, "in"), ("out-1", back, "out")):
            start = started(pallets.leased, begun, key, caller="+79161234567", direction=Direction(direction))
            taken = begun + timedelta(seconds=20)
            rest: list[Fact]
            if key == "in-1":
                rest = [leg_ended(pallets.office_id, taken, key), ended(taken, key, status="NOANSWER")]
            else:
                rest = [answered(pallets.office_id, taken, key), ended(taken, key)]
            record_all(session, [start, *rest])
    return pallets


def test_no_figure_counts_a_call_that_went_out(database: Database, now: datetime) -> None:
    pallets = write(database, now)
    ids, zone = [pallets.company_id], ZoneInfo("Europe/Berlin")
    with database.read() as session:
        overview = read_overview(session, ids, {"period": ["7d"]}, zone, now)
        assert overview.now.calls.count == 2
        assert sum(read_board(session, ids, now).outcomes.values()) == 1
        assert read_today(session, ids, zone, now)[0].calls.count == 1
        number = session.query(Call.number_id).filter(Call.key == "out-1").scalar()
        assert last_called(session, [number])[number] == now - timedelta(minutes=50)


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ((), ["in-1", "in-0"]), (("in",), ["in-1", "in-0"]), (("out",), ["out-1"]), (("callback",), []),
        (("any",), ["out-1", "in-1", "in-0"]), (("out", "in"), ["out-1", "in-1", "in-0"]),
    ],
)  # fmt: skip
def test_the_list_shows_what_counts_unless_asked_otherwise(
    sqlite: Database, now: datetime, words: tuple[str, ...], keys: list[str]
) -> None:
    pallets = write(sqlite, now)
    by = read_filter({"direction": words}, ZoneInfo("UTC"), now.date())
    with sqlite.read() as session:
        assert [it.key for it in calls.list_calls(session, [pallets.company_id], by=by).calls] == keys


def test_a_call_that_went_out_comes_of_no_advertisement_and_makes_nobody_a_repeat_caller(
    database: Database, now: datetime
) -> None:
    pallets = write(database, now)
    assert judge_pending(database, now) == 2
    with database.write() as session:
        assert rejudge(session, pallets.company_id, now - timedelta(days=7)) == 2
    with database.read() as session:
        story = calls.get_call(session, [pallets.company_id], "out-1")
        out = story.call
        assert (out.visit_id, out.channel_id, out.basis, out.direction) == (None, None, None, Direction.OUT)
        assert [it.key for it in story.earlier] == ["in-1", "in-0"]  # the person's own history
        assert calls.describe(out)["direction"] == "out"
    with database.write() as session:
        other = started(pallets.leased, now, "new", caller="+79031112233", direction=Direction.OUT)
        again = started(pallets.leased, now, "first", caller="+79031112233")
        record_all(session, [other, again])
    with database.read() as session:
        assert not calls.find_call(session, [pallets.company_id], "first").repeat


@pytest.mark.parametrize("direction", Direction)
def test_whoever_is_a_repeat_caller_while_it_rings_is_one_in_the_books(
    database: Database, now: datetime, direction: Direction
) -> None:
    with database.write() as session:
        pallets = add_pallets(session, now - timedelta(days=3))
        before = started(pallets.leased, now - timedelta(days=1), "before", direction=direction)
        record_all(session, [before])
        known = has_called(session, pallets.company_id, before.caller, now)
        record_all(session, [started(pallets.leased, now, "now")])
    with database.read() as session:
        assert calls.find_call(session, [pallets.company_id], "now").repeat is known
        assert known is (direction is not Direction.OUT)
