"""What every operation of the API does alike: keys, refusals, pages, ETags, repeats, limits, the document."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from support.app import make_app
from support.rest import Program, program
from support.settings_page import admin, two_companies
from support.site import Site, csrf_token, log_in

from tracker.database import Database
from tracker.models import ApiAnswer, AuditEntry, Channel, Role
from tracker.policy.rights import Scope
from web.public import is_from_anywhere
from web.rest.operation import operation_of


@pytest.fixture
def site(database: Database, tmp_path: Path, now: datetime) -> Site:
    return two_companies(database, tmp_path, now)


@pytest.fixture
def crm(site: Site) -> Program:
    return program(site, *Scope)


def names(crm: Program, **words: Any) -> list[str]:
    return [it["name"] for it in crm.get("/channels", **words).json["channels"]]


def test_what_is_added_is_read_changed_and_deleted(crm: Program) -> None:
    made = crm.post("/channels", {"name": "Flyer", "campaign": "spring"})
    assert made.status_code == 201
    path = made.headers["Location"].removeprefix("/api/v1")
    assert crm.get(path).json == made.json
    assert made.json["source"] == "Flyer"
    changed = crm.patch(path, {"campaign": "", "medium": "print"})
    assert (changed.json["campaign"], changed.json["medium"]) == (None, "print")
    assert crm.delete(path).status_code == 204
    assert crm.get(path).status_code == 404
    assert crm.get(path).json["error"]["id"] == "channel.unknown"


def test_a_list_is_read_page_by_page(crm: Program) -> None:
    for number in range(5):
        crm.post("/channels", {"name": f"C{number}"})
    whole = names(crm, limit=500)
    seen: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        page = crm.get("/channels", limit=2, **cursor).json
        seen += [it["name"] for it in page["channels"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert seen == whole
    assert len(seen) >= 5


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ({"limit": "0"}, "query.limit"),
        ({"limit": "many"}, "query.limit"),
        ({"limit": "501"}, "query.limit"),
        ({"colour": "red"}, "query.colour"),
        ({"limit": ["1", "2"]}, "query.limit"),
    ],
)
def test_a_word_that_is_not_taken_is_named(crm: Program, words: dict[str, Any], place: str) -> None:
    answer = crm.get("/channels", **words)
    assert answer.status_code == 400
    assert answer.json["error"]["id"] == "request.invalid"
    assert [it["place"] for it in answer.json["problems"]] == [place]


@pytest.mark.parametrize(
    ("body", "id_"),
    [
        ({}, "request.invalid"),
        ({"name": "A", "colour": "red"}, "request.invalid"),
        ({"name": "A\x00B"}, "request.invalid"),
        ({"name": "A" * 101}, "request.invalid"),
        ([], "request.invalid"),
        (b"{", "body.malformed"),
        (b'{"name": NaN}', "body.malformed"),
        (b"[" * 100_000, "body.malformed"),
        (b"\xff", "body.malformed"),
    ],
)
def test_a_body_that_is_not_taken_is_refused_and_nothing_done(crm: Program, body: Any, id_: str) -> None:
    before = names(crm)
    answer = crm.post("/channels", body)
    assert (answer.status_code, answer.json["error"]["id"]) == (400, id_)
    assert names(crm) == before


def test_a_body_that_is_no_json_is_refused(crm: Program) -> None:
    answer = crm.ask("POST", "/channels", data={"name": "A"})
    assert (answer.status_code, answer.json["error"]["id"]) == (415, "body.type")


def test_a_key_opens_what_it_is_for(site: Site) -> None:
    reader = program(site, Scope.SETTINGS_READ, name="reader")
    assert reader.get("/channels").status_code == 200
    refused = reader.post("/channels", {"name": "A"})
    assert (refused.status_code, refused.json["error"]["id"]) == (403, "key.scope")
    assert "settings:write" in refused.json["error"]["fix"]
    other = program(site, *(set(Scope) - {Scope.SETTINGS_READ}), name="other")
    assert other.get("/channels").status_code == 403


def test_every_operation_is_closed_to_a_key_that_is_for_all_else(site: Site) -> None:
    """Generated from the routes: no operation forgot its scope."""
    seen: set[Scope] = set()
    keys = {it: program(site, *(set(Scope) - {it}), name=f"all-but-{it.replace(':', '-')}") for it in Scope}
    for rule in site.app.url_map.iter_rules():
        it = operation_of(site.app.view_functions[rule.endpoint])
        if it is None:
            continue
        seen.add(it.scope)
        path = rule.rule.removeprefix("/api/v1").replace("<", "").replace(">", "")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            answer = keys[it.scope].ask(method, path, json={})
            assert (answer.status_code, answer.json["error"]["id"]) == (403, "key.scope"), (method, rule)
    assert Scope.SETTINGS_WRITE in seen


def test_what_one_has_already_is_answered_304(crm: Program) -> None:
    first = crm.get("/channels")
    again = crm.get("/channels", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    crm.post("/channels", {"name": "New"})
    assert crm.get("/channels", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_who_looked_before_somebody_else_changed_it_is_told_so(crm: Program) -> None:
    path = "/channels/" + str(crm.post("/channels", {"name": "A"}).json["id"])
    seen = crm.get(path).headers["ETag"]
    assert crm.patch(path, {"medium": "print"}, headers={"If-Match": seen}).status_code == 200
    late = crm.patch(path, {"medium": "radio"}, headers={"If-Match": seen})
    assert (late.status_code, late.json["error"]["id"]) == (412, "etag.outdated")
    assert crm.delete(path, headers={"If-Match": seen}).status_code == 412
    for odd in ('"", W/"x", "y"', "?", '""'):
        assert crm.delete(path, headers={"If-Match": odd}).status_code == 412
    now = crm.get(path)
    assert now.json["medium"] == "print"
    assert crm.delete(path, headers={"If-Match": now.headers["ETag"]}).status_code == 204


def test_the_same_request_sent_again_is_done_once(site: Site, crm: Program) -> None:
    key = {"Idempotency-Key": "3f0d"}
    first = crm.post("/channels", {"name": "Once"}, headers=key)
    again = crm.post("/channels", {"name": "Once"}, headers=key)
    assert (again.status_code, again.data, again.headers["Location"]) == (
        201, first.data, first.headers["Location"],
    )  # fmt: skip
    assert again.headers["Idempotency-Replayed"] == "true"
    assert names(crm).count("Once") == 1
    other = crm.post("/channels", {"name": "Twice"}, headers=key)
    assert (other.status_code, other.json["error"]["id"]) == (422, "idempotency.reused")
    stranger = program(site, *Scope, name="stranger")
    assert stranger.post("/channels", {"name": "Other"}, headers=key).status_code == 201  # keys are one's own
    site.later(days=1, seconds=1)
    assert crm.post("/channels", {"name": "Once"}, headers=key).json["error"]["id"] == "channel.duplicate"


def test_a_refusal_is_not_kept_and_what_is_kept_is_sealed(site: Site, crm: Program) -> None:
    key = {"Idempotency-Key": "4a"}
    assert crm.post("/channels", {"name": ""}, headers=key).status_code == 400
    assert crm.post("/channels", {"name": "Readable"}, headers=key).status_code == 201
    with site.database.read() as session:
        (kept,) = session.scalars(sa.select(ApiAnswer)).all()
    assert "Readable" not in kept.answer
    assert crm.post("/channels", {"name": "X"}, headers={"Idempotency-Key": "a b"}).status_code == 400


def test_who_asks_too_often_is_told_when_to_come_again(site: Site) -> None:
    clock = [0.0]
    settings = replace(site.settings, api_per_minute=5)
    site.app = make_app(settings, site.database, lambda: site.now, lambda: clock[0])
    crm, neighbour = program(site, *Scope), program(site, *Scope, name="neighbour")
    answers = [crm.get("/channels") for _ in range(6)]
    assert [it.status_code for it in answers] == [200] * 5 + [429]
    assert [int(it.headers["RateLimit-Remaining"]) for it in answers] == [4, 3, 2, 1, 0, 0]
    assert answers[-1].json["error"]["id"] == "api.too_many"
    told = [answers[-1].headers[name] for name in ("Retry-After", "RateLimit-Limit", "RateLimit-Reset")]
    assert told == ["12", "5", "60"]
    assert neighbour.get("/channels").status_code == 200
    clock[0] += 12
    assert [crm.get("/channels").status_code for _ in range(2)] == [200, 429]


def test_people_use_it_from_their_page(site: Site) -> None:
    ann: FlaskClient = admin(site)
    headers = {"Accept": "application/json", "X-CSRF-Token": csrf_token(ann)}
    assert ann.get("/api/v1/channels").status_code == 200
    assert ann.post("/api/v1/channels", json={"name": "Hers"}).status_code == 403  # no token of a form
    assert ann.post("/api/v1/channels", json={"name": "Hers"}, headers=headers).status_code == 201
    with site.database.read() as session:
        assert session.scalar(sa.select(Channel.company_id).where(Channel.name == "Hers")) == 1


def looking(site: Site, slug: str) -> FlaskClient:
    """Somebody who administers both companies and looks at that one."""
    both = log_in(site, f"both-{slug}@agency.example", pallets=Role.ADMIN, rival=Role.ADMIN)
    assert both.get(f"/calls?company={slug}").status_code == 200
    return both


def test_a_change_reaches_no_other_company_than_the_one_that_is_named(site: Site, crm: Program) -> None:
    path = "/api/v1/channels/" + str(crm.post("/channels", {"name": "Hers"}).json["id"])
    both = looking(site, "rival")
    headers = {"X-CSRF-Token": csrf_token(both)}
    for told in (both.delete(path, headers=headers), both.delete(f"{path}?company=rival", headers=headers)):
        assert told.status_code == 404
    gone = both.get("/api/v1/channels/99999?company=pallets")
    assert (gone.status_code, gone.json and gone.json["error"]["id"]) == (404, "channel.unknown")
    assert both.get(f"{path}?company=pallets").status_code == 200


def test_an_answer_is_kept_for_the_company_that_it_is_about(site: Site) -> None:
    both = looking(site, "pallets")
    headers = {"X-CSRF-Token": csrf_token(both), "Idempotency-Key": "k1"}
    assert both.post("/api/v1/channels", json={"name": "Both"}, headers=headers).status_code == 201
    assert both.get("/calls?company=rival").status_code == 200
    told = both.post("/api/v1/channels", json={"name": "Both"}, headers=headers)
    assert told.json
    assert told.json["error"]["id"] == "idempotency.reused"


def test_of_two_who_saw_the_same_one_is_told_of_the_other(site: Site, crm: Program) -> None:
    path = "/channels/" + str(crm.post("/channels", {"name": "A"}).json["id"])
    seen, both_saw = crm.get(path).headers["ETag"], threading.Barrier(2)

    def change(medium: str) -> int:
        other = Program(site.app.test_client(), crm.key, crm.company_id)
        both_saw.wait(10)
        return int(other.patch(path, {"medium": medium}, headers={"If-Match": seen}).status_code)

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(change, ("print", "radio"))) == [200, 412]


def test_a_header_that_nothing_is_held_against_is_refused(crm: Program) -> None:
    answer = crm.post("/channels", {"name": "A"}, headers={"If-Match": '"x"'})
    assert (answer.status_code, answer.json["error"]["id"]) == (400, "etag.unheld")


def test_an_address_that_there_is_not_and_a_wrong_method_are_told_as_such(crm: Program) -> None:
    unknown, wrong = crm.post("/nonsense", {}), crm.put("/channels", {})
    assert (unknown.status_code, unknown.json["error"]["id"]) == (404, "api.unknown")
    assert wrong.status_code == 405
    assert {"GET", "POST"} <= {each.strip() for each in wrong.headers["Allow"].split(",")}


def test_what_shows_more_than_its_scope_needs_more(site: Site, crm: Program) -> None:
    (number, *_) = [it["id"] for it in crm.get("/numbers").json["numbers"]]
    narrow = program(site, Scope.SETTINGS_READ, Scope.SETTINGS_WRITE, name="narrow")
    assert narrow.get(f"/numbers/{number}/story").json["last_calls"] == []
    wish = {"every": "month", "day": 1, "hour": 8, "to": ["eve@evil.example"]}
    assert narrow.post("/saved-reports/1/schedules", wish).json["error"]["id"] == "key.scope"


def test_one_company_s_things_are_unknown_to_another_s_key(site: Site, crm: Program) -> None:
    rival = program(site, *Scope, company_id=2)
    path = "/channels/" + str(crm.post("/channels", {"name": "Hers"}).json["id"])
    for answer in (rival.get(path), rival.patch(path, {"name": "Mine"}), rival.delete(path)):
        assert answer.status_code == 404
    assert names(rival) == ["Secret bus"]
    assert rival.get("/channels", company="pallets").status_code == 404
    assert crm.get(path).json["name"] == "Hers"


def test_the_document_names_every_route_of_the_api(site: Site) -> None:
    document = site.app.test_client().get("/api/v1/openapi.json").json
    assert document is not None
    assert document["openapi"] == "3.1.0"
    told = {(method.upper(), path) for path, its in document["paths"].items() for method in its}
    there = set()
    for rule in site.app.url_map.iter_rules():
        spoken = is_from_anywhere(site.app.view_functions[rule.endpoint])
        if spoken or not rule.rule.startswith("/api/v1/") or rule.rule.startswith(UNTOLD):
            continue
        path = rule.rule.replace("<", "{").replace(">", "}")
        there |= {(method, path) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    assert told == there
    names = [it["operationId"] for its in document["paths"].values() for it in its.values()]
    assert len(names) == len(set(names))
    for path, its in document["paths"].items():
        for method, it in its.items():
            assert it["summary"], (method, path)
            assert it["x-scope"] in set(Scope)


# The document itself, and what there is not; beside them what visitors' browsers speak (docs/integrator.md).
UNTOLD = tuple(f"/api/v1/{it}" for it in ("openapi", "<"))


def test_changes_are_written_down_with_the_key_s_name(site: Site, crm: Program) -> None:
    crm.post("/channels", {"name": "Leaflet 2"})
    with site.database.read() as session:
        entry = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "channel.add")).one()
    assert entry.actor == "key:crm"
