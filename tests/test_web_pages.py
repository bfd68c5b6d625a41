"""What the pages show and send: headers, hostile text, recordings by range, live calls, JSON, health."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from support.facts import Pallets, answered, ended, started
from support.recorded import settings_in
from support.showroom import Showroom, Told, furnish
from support.site import Site

from tracker.books import record, record_all
from tracker.database import Database
from tracker.models import (
    AuditEntry,
    Call,
    Channel,
    Company,
    Node,
    Number,
    Recording,
    RecordingState,
    Target,
    Visit,
)
from tracker.policy.facts import Fact, Presentation
from web import words

CALLS = (
    Told(3, Pallets.billboard, "+79161234567", talk=4),
    Told(9, Pallets.leaflet, "+79161234567", "missed", wait=41),
    Told(20, Pallets.leased, "", talk=5, sound=False),
)
HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'-alert(1)-'", "{{7*7}}${7*7}",
    "</title><svg onload=alert(1)>",
    "javascript:alert(1)", "<!--", "]]>", "\u202egnp.exe", "%3Cscript%3E",
)  # fmt: skip


@pytest.fixture
def house(sqlite: Database, tmp_path: Path, now: datetime) -> tuple[Site, Showroom, FlaskClient]:
    settings = settings_in(tmp_path, secret_key="k" * 40)
    room = furnish(sqlite, settings, now, tuple(replace(call, sound=False) for call in CALLS))
    site = Site(sqlite, settings, now)
    return site, room, site.log_in("ann@pallets.example", 1)


@pytest.fixture
def heard(sqlite: Database, tmp_path: Path, now: datetime) -> tuple[Site, Showroom, FlaskClient]:
    """The same with a finished recording of the newest call."""
    settings = settings_in(tmp_path, secret_key="k" * 40)
    room = furnish(sqlite, settings, now, CALLS)
    site = Site(sqlite, settings, now)
    return site, room, site.log_in("ann@pallets.example", 1)


def node(now: datetime, *live: dict[str, Any], ami_up: bool = True) -> Node:
    return Node(name="main", seen_at=now, ami_up=ami_up, asterisk_started_at=now, live=list(live))


def row(key: str, state: str, now: datetime, target: int | None = None) -> dict[str, Any]:
    at = now.isoformat()
    return {
        "call": key,
        "state": state,
        "since": at,
        "started": at,
        "did": Pallets.billboard,
        "target": target,
    }


def test_every_answer_carries_the_guards(house: tuple[Site, Showroom, FlaskClient]) -> None:
    _, room, ann = house
    for path in (
        "/calls",
        f"/calls/{room.keys[0]}",
        "/nowhere",
        "/login",
        "/healthz",
        "/api/v1/calls",
        "/metrics",
    ):
        headers = ann.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        # What a program asks for again and again it may keep, to be told that nothing changed.
        assert headers["Cache-Control"] == ("private, no-cache" if "/api/" in path else "no-store")
    first, second = (ann.get("/calls").headers["Content-Security-Policy"] for _ in range(2))
    assert first != second


def test_no_page_has_an_inline_script_style_or_handler(house: tuple[Site, Showroom, FlaskClient]) -> None:
    _, room, ann = house
    for path in ("/calls", f"/calls/{room.keys[0]}", "/login", "/nowhere"):
        html = ann.get(path).text.lower()
        assert " style=" not in html
        assert "<style" not in html
        assert not any(f" {name}=" in html for name in ("onclick", "onload", "onerror", "onsubmit"))
        kinds = ("module", "application/json")
        assert html.count("<script") == sum(html.count(f'<script type="{kind}" nonce=') for kind in kinds)


def test_hostile_text_in_every_field_stays_text(house: tuple[Site, Showroom, FlaskClient]) -> None:
    site, room, ann = house
    for text in HOSTILE:
        with site.database.write() as session:
            session.execute(sa.update(Call).values(caller_name=text))
            session.execute(sa.update(Number).values(label=text))
            session.execute(sa.update(Company).values(name=text))
            session.execute(sa.update(Target).where(Target.name != "mobile").values(name=text[:40]))
            session.execute(
                sa.update(Channel).where(Channel.name == "Billboard").values(source=text, campaign=text)
            )
            session.execute(sa.update(Visit).values(source=text, campaign=text, keyword=text, medium=text))
            session.execute(sa.update(Call).where(Call.key == room.keys[1]).values(caller=text[:40]))
        for path in ("/calls", "/calls/now", *(f"/calls/{key}" for key in room.keys)):
            html = ann.get(path).text
            for live in ("<script>alert", "<img", "<svg onload", "49$", "onerror=alert(1)>"):
                assert live not in html, (path, text)


def test_hostile_addresses_get_a_plain_refusal(house: tuple[Site, Showroom, FlaskClient]) -> None:
    _, room, ann = house
    for part in ("..%2f..%2fetc%2fpasswd", "%00", "<script>", "' OR 1=1 --", "a" * 3000, "%ff%fe"):
        for path in (f"/calls/{part}", f"/calls/{part}/audio", f"/calls/{room.keys[0]}/download/{part}",
                     f"/static/{part}", f"/api/v1/calls/{part}", f"/link/{part}"):  # fmt: skip
            answer = ann.get(path)
            assert answer.status_code in {400, 404, 410}, (path, answer.status_code)
            assert "<script>" not in answer.text
    assert ann.get("/calls?before=%27%20OR%201=1").status_code == 400


def test_a_recording_is_sent_by_range_and_whole(heard: tuple[Site, Showroom, FlaskClient]) -> None:
    site, room, ann = heard
    path = f"/calls/{room.keys[0]}/download/wav"
    whole = ann.get(path)
    assert whole.mimetype == "audio/wav"
    assert "attachment" in whole.headers["Content-Disposition"]
    with site.database.read() as session:
        known = session.scalar(
            sa.select(Recording.sha256).join(Recording.call).where(Call.key == room.keys[0])
        )
    assert hashlib.sha256(whole.data).hexdigest() == known
    part = ann.get(path, headers={"Range": "bytes=100-199"})
    assert part.status_code == 206
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(whole.data)}"
    assert part.data == whole.data[100:200]
    assert ann.get(path, headers={"Range": "bytes=99999999-"}).status_code == 416
    played = ann.get(f"/calls/{room.keys[0]}/audio", headers={"Range": "bytes=0-"})
    assert (played.status_code, played.mimetype) == (206, "audio/mpeg")


def test_one_listening_is_one_entry_in_the_audit_log(heard: tuple[Site, Showroom, FlaskClient]) -> None:
    site, room, ann = heard
    path = f"/calls/{room.keys[0]}/audio"
    for start in (500, 0, 700):
        ann.get(path, headers={"Range": f"bytes={start}-"})
    site.later(minutes=11)
    ann.get(path)
    ann.get(f"/calls/{room.keys[0]}/download/mp3")
    with site.database.read() as session:
        wanted = sa.select(AuditEntry).where(AuditEntry.subject == room.keys[0]).order_by(AuditEntry.id)
        entries = session.scalars(wanted).all()
    assert [entry.action for entry in entries] == ["recording.play", "recording.play", "recording.download"]
    assert {(entry.actor, entry.company_id) for entry in entries} == {("ann@pallets.example", 1)}


@pytest.mark.parametrize(
    ("state", "word", "reason"),
    [
        (RecordingState.PENDING, "Being prepared", "will be here in a moment"),
        (RecordingState.DAMAGED, "Damaged", "cannot be played"),
        (RecordingState.DELETED, "Deleted", "What is known of the call stays"),
        (RecordingState.NONE, "No recording", "Nothing was recorded"),
    ],
)
def test_a_recording_that_cannot_be_heard_says_why(
    house: tuple[Site, Showroom, FlaskClient], state: RecordingState, word: str, reason: str
) -> None:
    site, room, ann = house
    with site.database.write() as session:
        session.execute(sa.update(Recording).values(state=state))
    assert word in ann.get("/calls").text
    page = ann.get(f"/calls/{room.keys[0]}")
    assert reason in page.text
    assert "<call-player" not in page.text
    assert ann.get(f"/calls/{room.keys[0]}/audio").status_code == 404


def test_live_calls_are_shown_and_an_unchanged_answer_is_empty(
    house: tuple[Site, Showroom, FlaskClient],
) -> None:
    site, room, ann = house
    with site.database.write() as session:
        record_all(session, [started(Pallets.billboard, site.now, "live-1", caller="+79165554433")])
        session.add(node(site.now, row("live-1", "ringing", site.now, room.pallets.office_id)))
    ringing = ann.get("/calls/now")
    assert all(word in ringing.text for word in ("Ringing", "8 (916) 555-44-33", "Billboard", "office"))
    assert 'id="call-live-1"' not in ringing.text  # it is on top, not in the list as well
    site.later(seconds=2)
    same = ann.get("/calls/now", headers={"If-None-Match": ringing.headers["ETag"]})
    assert (same.status_code, same.data) == (304, b"")
    with site.database.write() as session:
        at = site.now
        record(session, answered(room.pallets.office_id, at, "live-1"))
        record(session, ended(at + timedelta(seconds=5), "live-1"))
    over = ann.get("/calls/now", headers={"If-None-Match": ringing.headers["ETag"]})
    assert over.status_code == 200
    assert "No call at the moment" in over.text
    assert 'id="call-live-1"' in over.text


def test_a_withheld_caller_is_not_shown_while_ringing_either(
    house: tuple[Site, Showroom, FlaskClient],
) -> None:
    site, _, ann = house
    with site.database.write() as session:
        fact = started(Pallets.billboard, site.now, "live-1", presentation=Presentation.WITHHELD)
        record_all(session, [fact])
        session.add(node(site.now, row("live-1", "ringing", site.now), row("live-2", "arriving", site.now)))
    html = ann.get("/calls/now").text
    assert "Withheld number" in html
    assert "New caller" in html
    assert "15112345678" not in html.replace(" ", "")


def test_without_a_phone_system_the_page_says_so_and_shows_what_the_books_hold(
    house: tuple[Site, Showroom, FlaskClient],
) -> None:
    site, room, ann = house
    with site.database.write() as session:
        facts: list[Fact] = [
            started(Pallets.billboard, site.now, "open-1"),
            answered(room.pallets.office_id, site.now, "open-1"),
        ]
        record_all(session, facts)
        session.add(node(site.now, ami_up=False))
    html = ann.get("/calls").text
    assert "No connection to the phone system “main”" in html
    assert 'id="live-open-1" class="talking"' in html


def test_times_are_those_of_the_company(house: tuple[Site, Showroom, FlaskClient]) -> None:
    _, room, ann = house
    html = ann.get(f"/calls/{room.keys[0]}").text
    assert "Today, 14:57:00" in html  # noon UTC less three minutes, in Moscow


def test_the_api_lists_and_shows_calls(house: tuple[Site, Showroom, FlaskClient]) -> None:
    _, room, ann = house
    first = ann.get("/api/v1/calls?limit=2").json
    assert first
    rest = ann.get(f"/api/v1/calls?before={first['next']}").json
    assert rest
    assert [call["key"] for call in first["calls"] + rest["calls"]] == room.keys
    assert rest["next"] is None
    shown = ann.get(f"/api/v1/calls/{room.keys[0]}").json
    assert shown
    assert shown["call"]["outcome"] == "answered"
    assert shown["earlier"][0]["key"] == room.keys[1]
    assert {event["kind"] for event in shown["events"]} == {"started", "answered", "ended"}


@pytest.mark.parametrize(
    ("path", "status", "id_"),
    [
        ("/api/v1/calls?limit=0", 400, "request.invalid"),
        ("/api/v1/calls?limit=²", 400, "request.invalid"),
        ("/api/v1/calls?before=x", 400, "page.malformed"),
        ("/api/v1/calls/none", 404, "call.unknown"),
        ("/api/v1/nothing", 404, "api.unknown"),
        ("/api/v2", 404, "api.unknown"),
    ],
)
def test_the_api_refuses_in_one_shape(
    house: tuple[Site, Showroom, FlaskClient], path: str, status: int, id_: str
) -> None:
    answer = house[2].get(path)
    assert answer.status_code == status
    assert answer.json
    assert answer.json["error"]["id"] == id_
    assert set(answer.json["error"]) == {"id", "message", "fix"}


def test_a_page_asked_for_as_json_refuses_as_json(house: tuple[Site, Showroom, FlaskClient]) -> None:
    answer = house[2].get("/calls/none", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.is_json) == (404, True)
    assert "There is no such call" in house[2].get("/calls/none").text


def test_pages_go_out_compressed_to_who_takes_it(house: tuple[Site, Showroom, FlaskClient]) -> None:
    answer = house[2].get("/calls", headers={"Accept-Encoding": "gzip, br"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.data) < len(house[2].get("/calls").data) / 2


def test_built_files_are_kept_for_a_year_under_a_name_of_their_content(
    house: tuple[Site, Showroom, FlaskClient],
) -> None:
    site, _, ann = house
    html = ann.get("/login").text
    for name in ("app.js", "app.css", "icon.svg"):
        url = site.app.extensions["leaseline"].assets.url(name)
        assert url in html
        plain, packed = ann.get(url), ann.get(url, headers={"Accept-Encoding": "gzip"})
        assert "immutable" in plain.headers["Cache-Control"]
        assert packed.headers["Content-Encoding"] == "gzip"
        assert plain.mimetype == packed.mimetype
        assert len(packed.data) < len(plain.data)


def test_empty_states_say_what_to_do_next(sqlite: Database, tmp_path: Path, now: datetime) -> None:
    site = Site(sqlite, settings_in(tmp_path, secret_key="k" * 40), now)
    assert "leaseline user" in site.log_in("nobody@pallets.example").get("/calls").text
    with sqlite.write() as session:
        session.add(Company(slug="new", name="New", default_region="DE", created_at=now))
    assert "leaseline number add" in site.log_in("ann@pallets.example", 1).get("/calls").text
    with sqlite.write() as session:
        session.add(Number(company_id=1, e164="+493012345678", created_at=now))
    assert "leaseline number list" in site.log_in("bob@pallets.example", 1).get("/calls").text


def test_readiness_names_each_part(house: tuple[Site, Showroom, FlaskClient]) -> None:
    site, _, _ = house
    watcher = site.app.test_client()

    def ready() -> tuple[int, dict[str, bool]]:
        answer = watcher.get("/readyz")
        assert answer.json
        return answer.status_code, {
            name: answer.json[name]["ok"] for name in ("database", "agi", "ami", "asterisk")
        }

    bad = {"database": True, "agi": False, "ami": False, "asterisk": False}
    assert ready() == (503, bad)
    with site.database.write() as session:
        session.add(node(site.now))
    assert ready() == (200, dict.fromkeys(bad, True))
    with site.database.write() as session:
        session.merge(node(site.now, ami_up=False))
    assert ready() == (503, bad | {"agi": True})
    site.later(seconds=15)
    assert ready() == (503, bad)
    assert watcher.get("/healthz").text == "ok\n"


def test_a_database_that_is_away_is_named_and_answered_with_503(tmp_path: Path, now: datetime) -> None:
    away = Database(f"sqlite:///{tmp_path / 'missing' / 'books.db'}", wait_seconds=1)
    site = Site(away, settings_in(tmp_path, secret_key="k" * 40), now)
    watcher = site.app.test_client()
    answer = watcher.get("/readyz")
    assert answer.status_code == 503
    assert answer.json
    assert not answer.json["database"]["ok"]
    watcher.set_cookie("leaseline", "anything")
    assert watcher.get("/calls").status_code == 503
    assert watcher.get("/api/v1/calls").json["error"]["id"] == "database.away"  # type: ignore[index]


def test_metrics_are_figures_of_the_whole_installation(heard: tuple[Site, Showroom, FlaskClient]) -> None:
    site, _, _ = heard
    with site.database.write() as session:
        session.add(node(site.now))
    text = site.app.test_client().get("/metrics").text
    for line in ('leaseline_calls_total{outcome="answered"} 2', 'leaseline_calls_total{outcome="missed"} 1',
                 "leaseline_calls_open 0", 'leaseline_recordings{state="ready"} 1',
                 'leaseline_node_up{node="main"} 1',
                 "leaseline_quarantined_lines_total 0", "leaseline_refusals_total 0"):  # fmt: skip
        assert line in text.splitlines()


@pytest.mark.parametrize(
    ("caller", "company", "quiet"),
    [
        ([50] * 10, [0] * 10, []),
        ([50, 50, 0, 0, 0, 50, 50, 50, 50, 50], [0] * 10, [(2.0, 5.0)]),
        ([50, 0, 50, 50, 50, 50, 50, 50, 3, 2], [0] * 10, [(8.0, 10.0)]),  # one second is a breath
        ([0] * 10, [0] * 10, [(0.0, 10.0)]),
        ([], [], []),
    ],
)
def test_silence_is_where_neither_side_speaks_for_two_seconds(
    caller: list[int], company: list[int], quiet: list[tuple[float, float]]
) -> None:
    recording = Recording(seconds=10.0, peaks={"caller": caller, "company": company})
    assert words.quiet_of(recording) == quiet
