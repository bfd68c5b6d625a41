"""Calls that a phone system beside us reports over HTTP: good rows are taken once and attributed like any."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.facts import CALLER, Pallets, add_pallets, started
from support.recorded import settings_in
from support.site import Site
from werkzeug.test import TestResponse

from tracker import api_keys, calls
from tracker.audit import By
from tracker.books import record
from tracker.database import Database
from tracker.judge import judge_pending
from tracker.models import AuditEntry, Call, CallEvent, Company, Number, Recording, RecordingState
from tracker.policy.attribution import Basis
from tracker.policy.facts import Direction, Outcome, Presentation
from tracker.policy.reported_calls import Dids, How, LeftOut, ReportedLine, read_row, read_rows
from tracker.policy.rights import read_scopes

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ROW = {
    "reference": "4711", "did": "8 (495) 123-45-71", "caller": "8 915 111-22-33",
    "started_at": "2026-11-20T14:30:00+03:00", "ring_seconds": 7, "talk_seconds": "65.5",
    "extension": 101, "employee": "Anna", "recording_url": "https://pbx.example/rec/4711.wav",
}  # fmt: skip


@pytest.fixture
def site(database: Database, tmp_path: Path, now: datetime) -> Site:
    with database.write() as session:
        add_pallets(session, now)
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=now))
    return Site(database, settings_in(tmp_path, secret_key="k" * 40), now)


def add_key(site: Site, company_id: int = 1, scope: str = "calls") -> str:
    with site.database.write() as session:
        by, company = By(site.now, "cli:ann"), session.get_one(Company, company_id)
        return api_keys.add_key(session, by, company, f"pbx-{scope}", read_scopes([scope]))[1]


def report(site: Site, key: str, told: Any, query: str = "?system=main") -> TestResponse:
    return site.app.test_client().post(
        f"/api/v1/calls{query}",
        data=told if isinstance(told, str | bytes) else json.dumps(told),
        headers={"Authorization": f"Bearer {key}"},
    )


def counts(answer: TestResponse) -> tuple[int, int, int, int]:
    told = answer.json
    assert told is not None
    return told["new"], told["changed"], told["same"], len(told["problems"])


def only_call(site: Site) -> Call:
    with site.database.read() as session:
        (call,) = calls.list_calls(session, [1]).calls
        return call


def test_a_reported_call_is_a_call_like_any_other(site: Site) -> None:
    key = add_key(site)
    assert counts(report(site, key, [ROW])) == (1, 0, 0, 0)
    judge_pending(site.database, site.now)
    call = only_call(site)
    assert (call.number.e164, call.caller, call.outcome) == (Pallets.leased, "+79151112233", Outcome.ANSWERED)
    assert (call.basis, call.visit and call.visit.source) == (Basis.LEASE, "yandex")
    assert (call.wait_seconds, call.talk_seconds) == (7, 65.5)
    assert call.started_at == datetime(2026, 11, 20, 11, 30, tzinfo=UTC)
    assert calls.answered_by(call) == "Anna (101)"
    assert call.reported is not None
    assert (call.reported.system, call.reported.reference) == ("main", "4711")
    assert call.recording is not None
    assert call.recording.state is RecordingState.NONE
    browser = site.log_in("ann@pallets.example", 1)
    assert "Reported by main" in browser.get("/calls").text
    page = browser.get(f"/calls/{call.key}").text
    for words in ("Anna (101)", "No sound came through here", 'href="https://pbx.example/rec/4711.wav"'):
        assert words in page
    listed = browser.get("/api/v1/calls").json
    assert listed is not None
    assert listed["calls"][0]["reported"] == {
        "system": "main",
        "reference": "4711",
        "recording_url": "https://pbx.example/rec/4711.wav",
    }


def test_the_same_again_changes_nothing_and_a_correction_only_what_it_says(site: Site) -> None:
    key = add_key(site)
    report(site, key, [ROW])
    assert counts(report(site, key, [ROW, ROW])) == (0, 0, 2, 0)
    shorter = {name: ROW[name] for name in ("reference", "did", "caller", "started_at")}
    assert counts(report(site, key, {**shorter, "ring_seconds": 7, "talk_seconds": 80})) == (0, 1, 0, 0)
    call = only_call(site)
    assert (call.talk_seconds, calls.answered_by(call)) == (80, "Anna (101)")
    moved = {**ROW, "did": Pallets.billboard, "started_at": "2026-11-20T09:00:00Z", "talk_seconds": 80}
    assert counts(report(site, key, moved)) == (0, 1, 0, 0)
    judge_pending(site.database, site.now)
    call = only_call(site)
    assert (call.number.e164, call.channel and call.channel.name) == (Pallets.billboard, "Billboard")
    with site.database.read() as session:  # what was told stays: the last edition counts
        assert session.scalar(sa.select(sa.func.count()).select_from(CallEvent)) == 3
        assert session.scalars(sa.select(Recording.state)).all() == [RecordingState.NONE]
        assert not session.scalars(sa.select(AuditEntry).where(AuditEntry.action.like("call%"))).all()


def test_every_bad_row_is_answered_and_nothing_of_the_good_ones_is_lost(site: Site) -> None:
    key = add_key(site)
    rows = [
        {**ROW, "reference": "1"},
        {**ROW, "reference": ""},
        {**ROW, "reference": "3", "did": "+4930999"},
        {**ROW, "reference": "4", "started_at": "2026-11-20 14:30:00"},
        {**ROW, "reference": "5", "answered": "yes"},
        {**ROW, "reference": "6", "recording_url": "file:///etc/passwd"},
        {**ROW, "reference": "7", "started_at": "2026-11-21T14:30:00Z"},
        {**ROW, "reference": "8", "direction": "internal"},
        {**ROW, "reference": "9", "outcome": "busy", "talk_seconds": None},
        "no row",
    ]
    answer = report(site, key, rows)
    assert answer.status_code == 200
    told = answer.json
    assert told is not None
    assert [(each["row"], each["column"]) for each in told["problems"]] == [
        (2, "reference"), (3, "did"), (4, "started_at"), (5, ""), (6, "recording_url"), (7, "started_at"),
        (10, ""),
    ]  # fmt: skip
    assert (told["new"], told["left_out"]) == (2, {"internal": 1})
    lines = "\n".join([json.dumps({**ROW, "reference": "11"}), "{broken", json.dumps(rows[8])])
    told = report(site, key, lines).json
    assert told is not None
    assert (told["new"], told["same"], [it["row"] for it in told["problems"]]) == (1, 1, [2])
    worst = report(site, key, [rows[1]])
    assert worst.status_code == 400
    assert worst.json is not None
    assert worst.json["error"]["id"] == "rows.bad"
    for body in ("[]", json.dumps([ROW] * 1001)):
        assert report(site, key, body).json["error"]["id"] == "rows.many"  # type: ignore[index]
    assert report(site, key, [ROW], "?system=A b").json["error"]["id"] == "system.name"  # type: ignore[index]


def test_a_key_reports_its_company_s_calls_and_opens_nothing_else(site: Site) -> None:
    key, money, rival = add_key(site), add_key(site, scope="money"), add_key(site, 2)
    for wrong, path in ((money, "/api/v1/calls"), (key, "/api/v1/costs"), (key, "/api/v1/sales")):
        answer = site.app.test_client().post(path, data="[]", headers={"Authorization": f"Bearer {wrong}"})
        assert (answer.status_code, answer.json["error"]["id"]) == (403, "key.scope")  # type: ignore[index]
    assert site.app.test_client().get(
        "/api/v1/calls", headers={"Authorization": f"Bearer {key}"}
    ).status_code == 403  # fmt: skip
    theirs = report(site, rival, [{**ROW, "did": Pallets.leased}])
    assert theirs.status_code == 400  # the number is none of theirs
    with site.database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Call)) == 0


def test_two_systems_may_use_the_same_reference_and_ours_is_not_told_twice(site: Site) -> None:
    key, at = add_key(site), datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
    assert counts(report(site, key, [ROW]))[0] == 1
    assert counts(report(site, key, [ROW], "?system=branch"))[0] == 1
    with site.database.write() as session:
        record(session, started(Pallets.billboard, at, caller=CALLER))
    through_us = {**ROW, "reference": "x", "did": Pallets.billboard, "caller": CALLER}
    through_us["started_at"] = (at + timedelta(seconds=20)).isoformat()
    told = report(site, key, [through_us]).json
    assert told is not None
    assert (told["new"], told["left_out"]) == (0, {"ours": 1})


def test_a_call_that_went_out_stands_in_the_person_s_history_and_is_put_down_to_nothing(site: Site) -> None:
    key = add_key(site)
    out = {**ROW, "reference": "out", "direction": "outgoing", "started_at": "2026-11-20T10:00:00Z"}
    assert counts(report(site, key, [ROW, out]))[0] == 2
    judge_pending(site.database, site.now)
    with site.database.read() as session:
        (came,) = calls.list_calls(session, [1]).calls  # those that came in, unless asked otherwise
        (went,) = calls.get_call(session, [1], came.key).earlier
        assert (went.direction, went.visit_id, went.repeat) == (Direction.OUT, None, False)
        assert (came.direction, came.basis) == (Direction.IN, Basis.LEASE)


def how(**more: Any) -> How:
    given: dict[str, Any] = {"dids": Dids([Pallets.real], "RU"), "region": "RU", "zone": None, "now": NOW}
    return How(**(given | more))


def read(row: dict[str, str], **more: Any) -> ReportedLine:
    plain = {"reference": "1", "did": Pallets.real, "started_at": "2026-11-20T10:00:00Z"}
    return read_row(1, plain | row, how(**more))


@pytest.mark.parametrize(
    ("row", "answered", "seconds", "outcome"),
    [
        ({"ring_seconds": "5", "talk_seconds": "60"}, 5, 65, Outcome.ANSWERED),
        ({"talk_seconds": "60"}, 0, 60, Outcome.ANSWERED),
        ({"talk_seconds": "00:01:00", "ended_at": "2026-11-20T10:01:10Z"}, 10, 70, Outcome.ANSWERED),
        ({"answered_at": "2026-11-20T10:00:03Z", "ended_at": "2026-11-20T10:00:09Z"}, 3, 9, Outcome.ANSWERED),
        ({"ring_seconds": "20"}, None, 20, Outcome.MISSED),
        ({"outcome": "NO ANSWER", "ring_seconds": "20"}, None, 20, Outcome.MISSED),
        ({"outcome": "Busy"}, None, 0, Outcome.BUSY),
        ({"outcome": "canceled", "ended_at": "2026-11-20T10:00:09Z"}, None, 9, Outcome.GAVE_UP),
        ({"outcome": "busy", "talk_seconds": "9"}, None, 0, Outcome.BUSY),
    ],
)  # fmt: skip
def test_what_a_row_says_of_times_is_put_together(
    row: dict[str, str], answered: int | None, seconds: int, outcome: Outcome
) -> None:
    line = read(row)
    after = None if line.answered_at is None else (line.answered_at - line.at).total_seconds()
    assert (after, (line.ended_at - line.at).total_seconds(), line.outcome) == (answered, seconds, outcome)


@pytest.mark.parametrize(
    ("told", "caller", "presentation"),
    [
        ("anonymous", "", Presentation.WITHHELD),
        ("", "", Presentation.UNAVAILABLE),
        ("8 (915) 111-22-33", "89151112233", Presentation.ALLOWED),
    ],
)
def test_a_caller_may_hide(told: str, caller: str, presentation: Presentation) -> None:
    line = read({"caller": told})
    assert (line.caller, line.presentation) == (caller, presentation)


def test_the_hour_that_comes_twice_is_told_and_the_one_that_never_was_is_refused() -> None:
    from zoneinfo import ZoneInfo

    berlin = ZoneInfo("Europe/Berlin")
    line = read({"started_at": "2026-10-25 02:30:00"}, zone=berlin)
    assert (line.at, line.doubtful) == (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), True)
    epoch = int(datetime(2026, 10, 25, 1, 30, tzinfo=UTC).timestamp())
    line = read({"started_at": "2026-10-25 02:30:00", "uniqueid": f"pbx-{epoch}.17"}, zone=berlin)
    assert (line.at, line.doubtful) == (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), False)
    found = read_rows([(1, {"reference": "1", "did": Pallets.real, "started_at": "2026-03-29 02:30:00"})],
                      how(zone=berlin))  # fmt: skip
    assert [each.problem for each in found.problems] == [
        "'2026-03-29 02:30:00' was on no clock of Europe/Berlin"
    ]


def test_numbers_are_found_in_every_spelling_and_others_are_left_out() -> None:
    for spelling in ("+7 495 765-43-21", "84957654321", "74957654321", "0074957654321", "4957654321"):
        assert read({"did": spelling}).did == Pallets.real
    with pytest.raises(LeftOut):
        read({"did": "100"}, strict=False)
    assert read({"did": ""}, did=Pallets.real).did == Pallets.real


def test_a_number_without_a_use_is_the_company_s_own(site: Site) -> None:
    with site.database.write() as session:
        session.add(Number(company_id=1, e164=Pallets.real, created_at=site.now - timedelta(days=1)))
    assert counts(report(site, add_key(site), [{**ROW, "did": Pallets.real}]))[0] == 1
    judge_pending(site.database, site.now)
    call = only_call(site)
    assert (call.basis, call.channel, call.attributed_at) == (None, None, site.now)
