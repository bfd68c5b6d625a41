"""Missed callers: who was called back, who called again, who waits, how long it took; where it is shown."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.facts import Pallets, add_pallets, answered, ended, leg_ended, started
from support.recorded import settings_in
from support.site import Site

from tracker import calls
from tracker.books import record_all
from tracker.database import Database
from tracker.models import Company
from tracker.policy.call_filter import read_filter
from tracker.policy.facts import Direction, Fact
from tracker.policy.origins import NOWHERE
from tracker.policy.recovery import MissedCall, Recovered, Spoken, recovery
from tracker.recovery import describe, read_recovery, spoken_of

ANN, BOB, CAT, DAN = "+79161234567", "+79031112233", "+74957654321", "+79265550199"
START = datetime.fromisoformat("2026-11-20T09:00:00+00:00")


def missed(caller: str, minute: float, spoken: Spoken | None = None) -> MissedCall:
    at = START + timedelta(minutes=minute)
    return MissedCall(f"{caller}-{minute}", caller, at, at + timedelta(seconds=30), NOWHERE, spoken)


def spoken(call_id: int, minute: float, direction: str = "out", employee: str | None = "office") -> Spoken:
    return Spoken(call_id, START + timedelta(minutes=minute), Direction(direction), employee)


def test_a_person_who_calls_three_times_in_vain_waits_once() -> None:
    back = spoken(9, 40)
    found = recovery([missed(ANN, 0, back), missed(ANN, 10, back), missed(ANN, 30, back)], 0, {})
    assert (found.calls, found.whole.callers, found.whole.by_us) == (3, 1, 1)
    assert found.whole.median_seconds == 40 * 60 - 30  # from the end of his first call


def test_who_is_missed_again_after_he_was_spoken_to_waits_anew() -> None:
    found = recovery([missed(ANN, 0, spoken(9, 5, "in")), missed(ANN, 20)], 0, {ANN: 2})
    assert (found.whole.callers, found.whole.by_self, found.whole.waiting) == (2, 1, 1)
    assert [(it.first.key, it.tries) for it in found.waiting] == [(f"{ANN}-20", 2)]


@given(st.lists(st.tuples(st.sampled_from([ANN, BOB, CAT]), st.integers(0, 500), st.integers(-1, 5))))
def test_everybody_missed_is_recovered_or_waits(told: list[tuple[str, int, int]]) -> None:
    each = [missed(who, at, None if way < 0 else spoken(way, at + way, "in" if way % 2 else "out")) for
            who, at, way in told]  # fmt: skip
    found = recovery(each, 3, {})
    assert found.whole.callers == sum(it.callers for _, it in found.by_origin)
    assert found.whole.recovered == sum(it.callers for _, it in found.by_employee)
    assert len(found.waiting) == found.whole.waiting
    assert sum(len(it.calls) for it in found.waiting) <= found.calls == len(told)
    took = [found.whole.median_seconds, found.whole.p90_seconds]
    assert all(it is None or (it >= 0 and math.isfinite(it)) for it in took)


def write(database: Database, now: datetime) -> Pallets:
    """Ann is called back after a try in vain, Bob calls again, Cat waits, one has no number."""
    with database.write() as session:
        pallets = add_pallets(session, now)
        for place, (caller, minutes, direction, taken) in enumerate(
            [
                (ANN, 90, "in", False), (ANN, 80, "out", False), (ANN, 60, "out", True),
                (BOB, 50, "in", False), (BOB, 45, "in", True), (CAT, 40, "in", False),
                (CAT, 35, "out", False), ("", 30, "in", False), (DAN, 20, "in", True),
            ]
        ):  # fmt: skip
            at, key = now - timedelta(minutes=minutes), f"call-{place}"
            begin = started(pallets.billboard, at, key, caller=caller, direction=Direction(direction),
                            target_id=pallets.office_id if direction == "out" else None)  # fmt: skip
            over = at + timedelta(seconds=30)
            rest: list[Fact] = (
                [answered(pallets.office_id, at, key), ended(over, key)]
                if taken
                else [leg_ended(pallets.office_id, over, key), ended(over, key, status="NOANSWER")]
            )
            record_all(session, [begin, *rest])
    return pallets


def test_the_books_say_who_was_recovered_and_how(database: Database, now: datetime) -> None:
    pallets = write(database, now)
    with database.read() as session:
        company = session.get_one(Company, pallets.company_id)
        told = describe(read_recovery(session, company, {"period": ["7d"]}, now))
        ids = {call.key: call.id for call in calls.list_calls(session, [company.id]).calls}
        became = {key: spoken_of(session, [each]).get(each) for key, each in ids.items()}
    assert (told["missed_calls"], told["unknown_callers"], told["missed_callers"]) == (3, 1, 3)
    assert (told["called_back"], told["called_again"], told["waiting"]) == (1, 1, 1)
    assert (told["median_seconds"], told["p90_seconds"]) == (1020.0, 1770.0)
    assert told["by_employee"] == [
        {"employee": "office", "missed_callers": 2, "called_back": 1, "called_again": 1, "waiting": 0,
         "median_seconds": 1020.0, "p90_seconds": 1770.0}
    ]  # fmt: skip
    assert [each["source"] for each in told["by_source"]] == ["channel/Billboard"]
    (waits,) = told["still_waiting"]
    assert (waits["caller"], waits["calls"], waits["tries"]) == (CAT, 1, 1)
    assert {key for key, it in became.items() if it is not None} == {"call-0", "call-3", "call-5"}


@pytest.mark.parametrize(
    ("word", "keys"),
    [("no", {"call-5"}), ("yes", {"call-0", "call-3"}), ("us", {"call-0"}), ("self", {"call-3"})],
)
def test_the_list_finds_who_waits(sqlite: Database, now: datetime, word: str, keys: set[str]) -> None:
    pallets = write(sqlite, now)
    by = read_filter({"recovered": [word]}, ZoneInfo("UTC"), now.date())
    assert by.recovered is Recovered(word)
    with sqlite.read() as session:
        assert {call.key for call in calls.list_calls(session, [pallets.company_id], by=by).calls} == keys


def test_the_pages_tell_the_same(sqlite: Database, now: datetime, tmp_path: Path) -> None:
    pallets = write(sqlite, now)
    site = Site(sqlite, settings_in(tmp_path), now)
    ann = site.log_in("ann@pallets.example", pallets.company_id)
    page = ann.get("/reports/missed?period=7d").text
    for each in ("Who is still waiting", "17 minutes", "8 (495) 765-43-21", "Billboard", "office"):
        assert each in page
    assert "/calls?period=7d&amp;recovered=no" in page
    listed = ann.get("/calls?recovered=no").text
    assert "waits for a call" in listed
    assert "Missed, not called back" in listed
    assert "Called back by office, 30 minutes later" in ann.get("/calls/call-0").text
    assert "Called again and was answered, 4 minutes later" in ann.get("/calls/call-3").text
    assert "Not called back yet" in ann.get("/calls/call-5").text
    assert "Outgoing" in ann.get("/calls?direction=any").text
    ours, in_vain = ann.get("/calls/call-2").text, ann.get("/calls/call-1").text
    assert "office called" in ours
    assert "Call arrived" not in ours
    assert "by the company" in ours  # the channel that hung up is who called
    assert "No answer" in in_vain
    told = ann.get("/api/v1/missed?period=7d").get_json()
    assert (told["called_back"], told["called_again"], told["waiting"]) == (1, 1, 1)
    assert "Nobody called in vain" in ann.get("/reports/missed?since=2026-11-01&until=2026-11-02").text
    assert ann.get("/reports/missed?since=x").status_code == 400
