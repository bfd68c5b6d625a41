"""Inlets over the API: added, tried, told, changed, taken away."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from support.rest import Program, program
from support.rest_checked import checked, made, refused
from support.settings_page import two_companies
from support.site import Site

from tracker.database import Database
from tracker.policy.rights import Scope


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    return two_companies(sqlite, tmp_path, now)


@pytest.fixture
def crm(site: Site) -> Program:
    return checked(program(site, *Scope))


def test_an_inlet_lives_as_on_the_page(site: Site, crm: Program) -> None:
    answer = crm.post(
        "/inlets", {"kind": "own", "name": "Shop", "signature": "token-header", "place": "X-Token"}
    )
    assert answer.status_code == 201, answer.text
    path, secret = answer.headers["Location"].removeprefix("/api/v1"), answer.json["secret"]
    assert secret not in crm.get(path).text
    assert crm.get("/inlets").json["inlets"] == [crm.get(path).json]
    told = json.dumps({"reference": "A-1", "revenue": "90", "status": "won", "phone": "+79161234567"})
    address = answer.json["address"].partition("/in/")[2]
    sent = site.app.test_client().post(f"/in/{address}", data=told, headers={"X-Token": "wrong"})
    assert sent.status_code == 401
    sent = site.app.test_client().post(f"/in/{address}", data=told, headers={"X-Token": secret})
    assert sent.status_code == 200, sent.text
    became = [it["became"] for it in crm.get(f"{path}/arrivals").json["arrivals"]]
    assert became == ["taken", "refused"]
    newer = crm.post(f"{path}/secret", None)
    assert newer.json["secret"] != secret
    changed = crm.patch(path, {"over_people": True, "mapping": {"map.note": "comment"}})
    assert (changed.json["over_people"], changed.json["mapping"]["map.note"]) == (True, "comment")
    assert crm.delete(path).status_code == 204
    assert refused(crm.get(path)) == (404, "inlet.unknown")


def test_a_sample_says_what_it_would_do_and_stores_nothing(crm: Program) -> None:
    path = made(crm, "/inlets", {"kind": "own"})
    told = json.dumps({"reference": "A-1", "revenue": "90", "status": "won", "phone": "+79161234567"})
    results = crm.post(f"{path}/try", {"body": told}).json["results"]
    assert {it["row"] for it in results} == {1}
    assert "sale" in {it["what"] for it in results}
    assert crm.get("/sales").json["sales"] == []
    assert refused(crm.post(f"{path}/try", {"body": "5"})) == (400, "inlet.malformed")
    assert crm.get(f"{path}/arrivals").json["arrivals"] == []


def test_another_company_s_inlets_are_unknown(site: Site, crm: Program) -> None:
    path = made(crm, "/inlets", {"kind": "own"})
    rival = checked(program(site, *Scope, company_id=2))
    for answer in (rival.get(path), rival.delete(path), rival.post(f"{path}/secret", None)):
        assert refused(answer) == (404, "inlet.unknown")
    assert rival.get("/inlets").json["inlets"] == []


def test_a_key_makes_no_inlet_that_does_more_than_itself(site: Site, crm: Program) -> None:
    path = made(crm, "/inlets", {"kind": "own"})
    books = {Scope.MONEY_WRITE, Scope.CALLS_WRITE}
    for count, missing in enumerate((books, *({each} for each in books))):
        clerk = checked(program(site, *(set(Scope) - missing), name=f"clerk-{count}"))
        for answer in (
            clerk.post("/inlets", {"kind": "own", "name": "Mine"}),
            clerk.patch(path, {"over_people": True}),
            clerk.post(f"{path}/secret", None),
        ):
            assert refused(answer) == (403, "key.scope")
            assert any(each.value in answer.json["error"]["fix"] for each in missing)
    clerk = checked(program(site, Scope.SETTINGS_READ, Scope.SETTINGS_WRITE, name="clerk"))
    assert [it["over_people"] for it in clerk.get("/inlets").json["inlets"]] == [False]
    assert clerk.delete(path).status_code == 204
    told = site.app.test_client().get("/api/v1/openapi.json").json["paths"]["/api/v1/inlets"]["post"]  # type: ignore[index]
    assert "Scope: `settings:write`, also `calls:write`, `money:write`" in told["description"]
