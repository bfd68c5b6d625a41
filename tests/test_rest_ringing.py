"""Who rings, over the API: targets, forwarding, plans and their trials."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from support.rest import Program, program
from support.rest_checked import acts, checked, cli, made, refused
from support.settings_page import two_companies
from support.site import Site

from tracker.database import Database
from tracker.policy.rights import Scope

DOCUMENT: dict[str, Any] = {
    "start": "sales",
    "steps": {
        "sales": {"kind": "ring", "targets": ["office:20", "mobile:25"], "then": "over"},
        "over": {"kind": "hangup"},
    },
}
YAML = """\
start: sales
steps:
  sales: {kind: ring, targets: ["mobile:30"], then: over}
  over: {kind: hangup}
"""


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    return two_companies(sqlite, tmp_path, now)


@pytest.fixture
def crm(site: Site) -> Program:
    return checked(program(site, *Scope))


def test_a_target_lives_as_on_the_page(site: Site, crm: Program, tmp_path: Path) -> None:
    peer = {
        "kind": "peer",
        "name": "PBX",
        "host": "pbx.example",
        "login": "ll",
        "login_password": "s3cret-word",
    }
    answer = crm.post("/targets", peer)
    assert (answer.status_code, answer.json["password"]) == (201, None)
    assert "s3cret" not in answer.text
    path = answer.headers["Location"].removeprefix("/api/v1")
    assert crm.get(path).json == cli(site, tmp_path, "target", "show", "PBX")
    seen = crm.get(path).headers["ETag"]
    assert crm.patch(path, {"srtp": "optional"}, headers={"If-Match": seen}).json["srtp"] == "optional"
    assert refused(crm.patch(path, {"whispers": False}, headers={"If-Match": seen}))[0] == 412
    assert refused(crm.post("/targets", peer)) == (400, "target.duplicate")
    assert refused(crm.post("/targets", {"kind": "peer", "name": "X"})) == (400, "request.invalid")
    abroad = {"kind": "outside", "name": "Berlin", "number": "+4930123456", "trunk": "pallets-carrier"}
    assert refused(crm.post("/targets", abroad)) == (400, "target.abroad")
    assert refused(crm.post("/targets", abroad | {"trunk": "none"})) == (404, "trunk.unknown")
    assert crm.delete(path).status_code == 204
    assert refused(crm.delete("/targets/1")) == (400, "target.in_use")
    assert acts(site) == ["target.add", "target.change", "target.delete"]


def test_a_phone_s_password_is_answered_once(crm: Program) -> None:
    phone = crm.post("/targets", {"kind": "phone", "name": "Reception"}).json
    path = f"/targets/{phone['id']}"
    renewed = crm.post(f"{path}/password", {}).json
    assert renewed["password"] not in {phone["password"], None}
    link = crm.post(f"{path}/provision", {"hours": 2}).json
    assert (link["hours"], "/phone/" in link["link"]) == (2, True)
    for answer in (crm.get(path), crm.get("/targets"), crm.patch(path, {"srtp": "required"})):
        assert not any(it in answer.text for it in (phone["password"], renewed["password"]))
    assert refused(crm.post("/targets/1/password", {})) == (400, "target.password")


def test_who_rings_is_set_scope_by_scope(site: Site, crm: Program, tmp_path: Path) -> None:
    wish = {"rings": [{"target": "mobile", "ring_seconds": 15}, {"target": "office"}]}
    told = crm.put("/forwarding/channel-1", wish).json
    assert told["name"] == "Billboard"
    assert crm.get("/forwarding/channel-1").json == told
    flat = [
        {"scope": it["kind"], "name": it["name"], "position": place} | ring
        for it in crm.get("/forwarding").json["forwarding"]
        for place, ring in enumerate(it["rings"], start=1)
    ]
    rows = [it | {"name": it["name"] or "pallets"} for it in cli(site, tmp_path, "forward", "show")]
    assert sorted(flat, key=str) == sorted(rows, key=str)
    assert refused(crm.put("/forwarding/channel-1", {"rings": [{"target": "x"}]})) == (404, "target.unknown")
    assert crm.delete("/forwarding/channel-1").status_code == 204
    assert crm.get("/forwarding/channel-1").json["rings"] == []
    assert refused(crm.delete("/forwarding/channel-1")) == (400, "forward.unset")
    assert refused(crm.get("/forwarding/site-1")) == (404, "scope.unknown")
    assert refused(crm.get("/forwarding/channel-99")) == (404, "channel.unknown")
    assert acts(site) == ["forward.set", "forward.clear"]


def test_a_plan_lives_as_on_the_page(site: Site, crm: Program, tmp_path: Path) -> None:
    path = made(crm, "/plans", {"name": "office", "document": DOCUMENT})
    assert crm.get(path).json["document"] == cli(site, tmp_path, "plan", "show", "office")
    seen = crm.get(path).headers["ETag"]
    changed = crm.patch(path, {"text": YAML, "name": "Main"}, headers={"If-Match": seen}).json
    assert (changed["name"], changed["version"]) == ("Main", 2)
    assert refused(crm.patch(path, {"document": DOCUMENT, "since": 1})) == (409, "plan.stale")
    assert refused(crm.patch(path, {"document": DOCUMENT}, headers={"If-Match": seen}))[0] == 412
    assert refused(crm.post("/plans", {"name": "b", "document": {"steps": 1}})) == (400, "plan.malformed")
    unsound = {"steps": {"a": {"kind": "ring", "targets": ["nobody"], "then": "end"}}}
    assert refused(crm.post("/plans", {"name": "b", "document": unsound})) == (400, "plan.unsound")
    assert refused(crm.post("/plans", {"name": "b"})) == (400, "request.invalid")
    versions = crm.get(f"{path}/versions").json["versions"]
    assert [it["version"] for it in versions] == [2, 1]
    assert versions[1]["document"]["steps"]["sales"]["targets"] == DOCUMENT["steps"]["sales"]["targets"]
    uses = crm.put(f"{path}/uses/site-1", {}).json["uses"]
    assert [it["scope"] for it in uses] == ["site-1"]
    assert crm.get("/plans").json["plans"] == cli(site, tmp_path, "plan", "list")
    assert refused(crm.delete(path)) == (400, "plan.used")
    assert refused(crm.delete(f"{path}/uses/company")) == (400, "plan.unset")
    assert crm.delete(f"{path}/uses/site-1").status_code == 204
    assert crm.delete(path).status_code == 204
    assert refused(crm.get(path)) == (404, "plan.unknown")
    assert acts(site) == ["plan.add", "plan.change", "plan.rename", "plan.use", "plan.clear", "plan.delete"]


def test_a_plan_is_tried_out_and_its_trials_are_kept(site: Site, crm: Program, tmp_path: Path) -> None:
    path = made(crm, "/plans", {"name": "office", "document": DOCUMENT})
    call = {"at": "2026-12-01 09:30", "targets": {"office": ["busy"], "mobile": ["answers:5"]}}
    tried = crm.post(f"{path}/try", call).json["events"]
    words = ("--at", call["at"], "--target", "office=busy", "--target", "mobile=answers:5")
    assert tried == cli(site, tmp_path, "plan", "test", "office", *map(str, words))
    assert crm.post(f"{path}/trials", call | {"name": "busy"}).json["events"] == tried
    kept = crm.get(f"{path}/trials").json["trials"]
    assert [(it["trial"], it["as_expected"]) for it in kept] == [("busy", True)]
    assert refused(crm.patch(path, {"text": YAML})) == (400, "plan.cases")
    assert crm.patch(path, {"text": YAML, "anew": True}).json["version"] == 2
    assert refused(crm.post(f"{path}/try", {"targets": {"nobody": ["busy"]}})) == (400, "plan.script")
    assert crm.delete(f"{path}/trials/{kept[0]['id']}").status_code == 204
    assert refused(crm.delete(f"{path}/trials/{kept[0]['id']}")) == (404, "plan_case.unknown")


def test_another_company_s_ringing_is_unknown(site: Site, crm: Program) -> None:
    rival = checked(program(site, *Scope, company_id=2))
    plan = made(crm, "/plans", {"name": "office", "document": DOCUMENT})
    for path in ("/targets/1", "/forwarding/channel-1", plan, f"{plan}/uses", f"{plan}/trials"):
        assert rival.get(path).status_code == 404
    assert refused(rival.put(f"{plan}/uses/company", {})) == (404, "plan.unknown")
    foreign = rival.put("/forwarding/company", {"rings": [{"target": "office"}]})
    assert refused(foreign) == (404, "target.unknown")
    assert rival.get("/forwarding").json["forwarding"] == []
