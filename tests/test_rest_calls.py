"""Calls over the API: the list as the page and the command line have it, what is said of calls, notes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.facts import Pallets
from support.rest import Program, furnished, program
from support.showroom import Told, place
from support.site import Site, log_in

from tracker import calls
from tracker.database import Database
from tracker.models import AuditEntry, CallerRule, Role
from tracker.policy.rights import Scope

CALLS = (
    Told(3, Pallets.billboard, "+79161234567", talk=30, sound=False),
    Told(9, Pallets.leaflet, "+79161234567", "missed", wait=41),
    Told(20, Pallets.leased, "+79031112233", talk=41, sound=False, name="Ann"),
    Told(30, Pallets.leaflet, "", "gave_up", wait=12),
)


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    return furnished(sqlite, tmp_path, now, CALLS)


@pytest.fixture
def crm(site: Site) -> Program:
    return program(site, *Scope)


@pytest.fixture
def path(site: Site) -> str:
    return f"/calls/{site.app.config['KEYS'][0]}"


def keys(crm: Program, **words: Any) -> list[str]:
    return [it["key"] for it in crm.get("/calls", **words).json["calls"]]


def test_the_list_is_what_the_books_have_and_its_pages_hold_while_calls_come(
    site: Site, crm: Program
) -> None:
    room = site.app.config["ROOM"]
    with site.database.read() as session:
        whole = [calls.describe(it) for it in calls.list_calls(session, [1]).calls]
    assert crm.get("/calls").json == {"calls": whole, "next": None}
    first = crm.get("/calls", limit=3).json
    with site.database.write() as session:
        place(session, room.pallets, site.now, (Told(1, Pallets.billboard, "+79990000000", "missed"),))
    for word in ("cursor", "before"):
        assert keys(crm, **{word: first["next"]}) == room.keys[3:]
    assert len(keys(crm)) == 5


def test_every_word_of_the_filter_is_taken_and_counts(site: Site, crm: Program) -> None:
    room = site.app.config["ROOM"]
    assert keys(crm, outcome=["missed", "gave-up"]) == [room.keys[1], room.keys[3]]
    assert keys(crm, number=Pallets.leaflet, known="no") == [room.keys[3]]
    assert keys(crm, q="ann") == [room.keys[2]]
    assert keys(crm, direction="out") == []
    everything: dict[str, Any] = {
        "period": "7d", "kind": "static", "channel": "Billboard", "category": "none", "spam": "also",
        "talk_from": "1.5", "talk_to": "60", "repeat": "yes", "without": "tag", "beside": "none",
    }  # fmt: skip
    assert keys(crm, **everything) == [room.keys[0]]
    hours = crm.get("/calls", hour=["mon-14", "tue-3"], since="2020-01-01", until="2020-02-01")
    assert hours.json["calls"] == []


@pytest.mark.parametrize(
    ("words", "id_"),
    [
        ({"period": "often"}, "request.invalid"),
        ({"outcome": "lost"}, "request.invalid"),
        ({"since": "soon"}, "request.invalid"),
        ({"since": "2026-13-40"}, "filter.malformed"),
        ({"colour": "red"}, "request.invalid"),
        ({"cursor": "x"}, "page.malformed"),
    ],
)
def test_a_word_that_cannot_be_meant_is_refused(crm: Program, words: dict[str, Any], id_: str) -> None:
    answer = crm.get("/calls", **words)
    assert (answer.status_code, answer.json["error"]["id"]) == (400, id_)


def test_people_get_the_calls_of_all_their_companies(site: Site, crm: Program) -> None:
    ann = log_in(site, "ann@agency.example", pallets=Role.MANAGER, rival=Role.LISTENER)
    assert len(ann.get("/api/v1/calls").json["calls"]) == 4  # type: ignore[index]
    assert ann.get("/api/v1/calls?company=rival").json["calls"] == []  # type: ignore[index]
    assert keys(program(site, *Scope, company_id=2)) == []


def test_what_is_said_of_a_call_stands_on_it_and_is_written_down(site: Site, crm: Program, path: str) -> None:
    wish = {
        "category": "target", "value": "1200.5", "tags": ["delivery", "spring"], "heard_of": "a friend",
        "promo_code": "may", "spam": True,
    }  # fmt: skip
    seen = crm.get(path)
    assert seen.status_code == 200
    changed = crm.patch(path, wish, headers={"If-Match": seen.headers["ETag"]})
    assert changed.status_code == 200
    call = changed.json["call"]
    assert {name: call[name] for name in wish} == {
        **wish, "promo_code": "MAY", "spam": "person"
    }  # fmt: skip
    assert crm.get(path).json == changed.json
    assert changed.json["category_history"][0]["actor"] == "key:crm"
    assert crm.patch(path, {}, headers={"If-Match": seen.headers["ETag"]}).status_code == 412
    less = crm.patch(path, {"category": None, "tags": ["spring"], "promo_code": None, "spam": False})
    call = less.json["call"]
    assert [call[name] for name in ("category", "tags", "promo_code", "heard_of", "value", "spam")] == [
        None, ["spring"], None, "a friend", "1200.5", None,
    ]  # fmt: skip
    with site.database.read() as session:
        said = {(it.action, it.actor) for it in session.scalars(sa.select(AuditEntry))}
    wanted = ("category", "value", "tag", "untag", "told", "spam")
    assert {(f"call.{what}", "key:crm") for what in wanted} <= said


@pytest.mark.parametrize(
    ("wish", "id_"),
    [
        ({"value": "-1"}, "request.invalid"),
        ({"value": "1.2345"}, "value.malformed"),
        ({"category": "best"}, "request.invalid"),
        ({"tags": [""]}, "request.invalid"),
        ({"promo_code": "x" * 41}, "request.invalid"),
    ],
)
def test_what_cannot_be_said_of_a_call_is_refused(
    crm: Program, path: str, wish: dict[str, Any], id_: str
) -> None:
    answer = crm.patch(path, wish)
    assert (answer.status_code, answer.json["error"]["id"]) == (400, id_)


def test_many_calls_are_judged_at_once(site: Site, crm: Program) -> None:
    some = site.app.config["KEYS"][:2]
    assert crm.post("/calls/judge", {"keys": [*some, "other"], "category": "service"}).json == {"changed": 2}
    assert keys(crm, category="service") == some
    assert crm.post("/calls/judge", {"keys": some, "tag": "June"}).json == {"changed": 2}
    assert crm.post("/calls/judge", {"keys": some, "category": None}).json == {"changed": 2}
    assert crm.post("/calls/judge", {"keys": some}).json["error"]["id"] == "judge.what"
    theirs = program(site, *Scope, company_id=2).post("/calls/judge", {"keys": some, "category": "target"})
    assert theirs.json == {"changed": 0}


def test_notes_are_written_and_one_s_own_taken_back(site: Site, crm: Program, path: str) -> None:
    made = crm.post(f"{path}/notes", {"text": "Call back\non Monday", "second": 12.5})
    assert made.status_code == 201
    note = made.headers["Location"].removeprefix("/api/v1")
    crm.post(f"{path}/notes", {"text": "Second"})
    assert crm.get(note).json == made.json == crm.get(path).json["notes"][0]
    page = crm.get(f"{path}/notes", limit=1).json
    assert [page["notes"], page["next"]] == [[made.json], str(made.json["id"])]
    other = program(site, Scope.CALLS_WRITE, name="other")
    assert other.delete(note).status_code == 404
    assert crm.delete(note).status_code == 204
    assert crm.get(note).status_code == 404
    assert crm.post(f"{path}/notes", {"text": "x", "second": 4000}).json["error"]["id"] == "note.malformed"


def test_a_caller_is_blocked_and_let_in_again(site: Site, crm: Program, path: str) -> None:
    assert crm.post(f"{path}/block", {"reason": "robot"}).status_code == 204
    with site.database.read() as session:
        rule = session.scalars(sa.select(CallerRule)).one()
    assert (rule.allows, rule.reason, rule.actor) == (False, "robot", "key:crm")
    assert crm.post(f"{path}/block", {}).json["error"]["id"] == "block.duplicate"
    assert crm.delete(f"{path}/block").status_code == 204
    assert crm.delete(f"{path}/block").status_code == 404
    hidden = f"/calls/{site.app.config['KEYS'][3]}"
    assert crm.post(f"{hidden}/block", {}).json["error"]["id"] == "block.nobody"


def test_a_call_of_another_company_is_unknown(site: Site, path: str) -> None:
    rival = program(site, *Scope, company_id=2)
    answers = [
        rival.get(path),
        rival.patch(path, {"category": "target"}),
        rival.get(f"{path}/notes"),
        rival.post(f"{path}/notes", {"text": "x"}),
        rival.post(f"{path}/code", {"code": "1234"}),
        rival.post(f"{path}/block", {}),
        rival.delete(f"{path}/block"),
    ]
    assert [it.status_code for it in answers] == [404] * 7
    assert {it.json["error"]["id"] for it in answers} == {"call.unknown"}


def test_a_code_that_nobody_was_shown_is_refused(crm: Program, path: str) -> None:
    assert crm.post(f"{path}/code", {"code": "1234"}).json["error"]["id"] == "code.unknown"
