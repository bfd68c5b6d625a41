"""Over the API: unwanted callers, sounds, calling out, rules on sources, the company, the carriers."""

from __future__ import annotations

import base64
from datetime import datetime
from pathlib import Path

import pytest
from support.facts import Pallets
from support.rest import Program, program
from support.rest_checked import acts, checked, cli, made, refused
from support.settings_page import two_companies
from support.site import Site

from tracker.database import Database
from tracker.models import NodeConfiguration
from tracker.policy.rights import Scope


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    return two_companies(sqlite, tmp_path, now)


@pytest.fixture
def crm(site: Site) -> Program:
    return checked(program(site, *Scope))


def test_callers_are_blocked_and_let_through(site: Site, crm: Program, tmp_path: Path) -> None:
    path = made(crm, "/blocks", {"callers": "8 495 999-00-01", "reason": "toner", "until": "2026-12-31"})
    made(crm, "/blocks", {"callers": "+7812*", "allow": True})
    told = crm.get("/blocks").json["blocks"]
    assert told[::-1] == cli(site, tmp_path, "block", "list")
    assert [it["allowed"] for it in told] == [False, True]
    assert refused(crm.post("/blocks", {"callers": "+74959990001"})) == (400, "block.duplicate")
    assert refused(crm.post("/blocks", {"callers": "+0*"})) == (400, "block.prefix")
    assert refused(crm.post("/blocks", {"callers": "+49*", "until": "2020-01-01"})) == (400, "block.expiry")
    assert crm.delete(path).status_code == 204
    assert refused(crm.get(path)) == (404, "block.unknown")
    guard = crm.patch("/guard", {"challenge": True, "per_minute": 2, "countries": ["ru"]}).json
    assert guard == crm.get("/guard").json == cli(site, tmp_path, "block", "conduct")
    assert (guard["challenge"], guard["countries"], guard["treatment"]) == (True, ["RU"], "busy")
    assert refused(crm.patch("/guard", {"per_minute": 5000})) == (400, "guard.limit")
    assert acts(site) == ["block.add", "block.allow", "block.remove", "block.conduct"]


def test_what_callers_hear_is_set(site: Site, crm: Program, tmp_path: Path) -> None:
    path = made(crm, "/prompts", {"name": "told", "words": "This call is recorded.", "language": "en"})
    assert crm.get("/prompts").json["prompts"] == cli(site, tmp_path, "prompt", "list")
    assert crm.get(f"{path}/sound").data[:4] == b"RIFF"
    said = crm.put("/consents/number-1", {"prompt": "told", "mode": "refusable", "key": "9"}).json
    assert said == {"number": Pallets.billboard, "mode": "refusable", "prompt": "told", "key": "9"}
    assert crm.get("/consents").json["consents"] == cli(site, tmp_path, "consent", "show") == [said]
    assert refused(crm.put("/consents/company", {"prompt": "told", "mode": "required"})) == (
        400, "consent.key",
    )  # fmt: skip
    assert refused(crm.put("/consents/pool-1", {"prompt": "told"})) == (404, "scope.unknown")
    assert refused(crm.delete(path)) == (400, "prompt.in_use")
    assert crm.delete("/consents/number-1").status_code == 204
    assert crm.delete(path).status_code == 204
    assert refused(crm.put("/consents/company", {"prompt": "told"})) == (404, "prompt.unknown")
    assert refused(crm.post("/prompts", {"name": "a", "file": "?"})) == (400, "sound.unreadable")
    noise = base64.b64encode(b"no sound at all").decode()
    assert refused(crm.post("/prompts", {"name": "a", "file": noise})) == (400, "sound.unreadable")
    assert refused(crm.post("/prompts", {"name": "a", "words": "x", "file": noise}))[0] == 400
    assert acts(site) == ["prompt.add", "consent.set", "consent.clear", "prompt.remove"]


def test_who_is_never_recorded_is_listed(site: Site, crm: Program, tmp_path: Path) -> None:
    path = made(crm, "/unrecorded", {"caller": "8 916 000-00-01"})
    assert crm.get("/unrecorded").json["unrecorded"] == cli(site, tmp_path, "unrecorded", "list")
    assert refused(crm.post("/unrecorded", {"caller": "+79160000001"})) == (400, "unrecorded.duplicate")
    assert crm.delete(path).status_code == 204
    assert refused(crm.delete(path)) == (404, "unrecorded.unknown")


def test_calling_out_is_allowed_granted_and_tried(site: Site, crm: Program, tmp_path: Path) -> None:
    assert refused(crm.get("/outgoing/rule")) == (404, "outgoing.off")
    assert crm.get("/outgoing").json["rule"] is None
    assert refused(crm.patch("/outgoing/rule", {"record": False})) == (400, "outgoing.how")
    rule = crm.patch("/outgoing/rule", {"trunk": "pallets-carrier", "number": Pallets.billboard}).json
    assert rule["countries"] == ["RU"]
    assert crm.put("/outgoing/granted", {"targets": ["office"]}).json == {"granted": ["office"]}
    shown, told = crm.get("/outgoing").json, cli(site, tmp_path, "outgoing", "show")
    assert shown["rule"] == {name: told[name] for name in rule}
    assert (shown["granted"], shown["calls_today"]) == (told["granted"], told["calls_today"])
    tried = crm.get("/outgoing/try", number="8 495 123-45-00", target="office").json
    words = ("outgoing", "try", "8 495 123-45-00", "--from", "office")
    assert {name: it for name, it in tried.items() if it is not None} == cli(site, tmp_path, *words)
    assert tried["goes_out"] is True
    barred = crm.get("/outgoing/try", number="+4930123456", target="office").json
    assert (barred["goes_out"], barred["why"]) == (False, "abroad")
    assert crm.put("/outgoing/granted", {"targets": []}).json == {"granted": []}
    assert crm.delete("/outgoing/rule").status_code == 204
    assert acts(site) == ["outgoing.allow", "outgoing.grant", "outgoing.revoke", "outgoing.forbid"]


def test_rules_on_sources_are_asked_in_their_order(site: Site, crm: Program, tmp_path: Path) -> None:
    wish = {"part": "landing", "pattern": "promo=radio", "medium": "offline", "source": "radio"}
    made(crm, "/source-rules", wish)
    path = made(crm, "/source-rules", wish | {"pattern": "promo=tv", "source": "tv"})
    assert crm.patch(path, {"position": 1}).json["position"] == 1
    rules = crm.get("/source-rules").json["rules"]
    assert rules == cli(site, tmp_path, "source", "rule", "list")
    assert [it["source"] for it in rules] == ["tv", "radio"]
    url = "https://pallets.example/?promo=tv"
    assert crm.get("/source-rules/decide", url=url).json == cli(site, tmp_path, "source", "test", url)
    assert refused(crm.post("/source-rules", wish | {"pattern": "(a+)+$"})) == (400, "source.pattern")
    assert refused(crm.patch(path, {"position": 9})) == (400, "source.position")
    assert crm.delete(path).status_code == 204
    assert refused(crm.delete(path)) == (404, "source.unknown")


def test_the_company_is_read_and_changed(site: Site, crm: Program) -> None:
    seen = crm.get("/company")
    changed = crm.patch("/company", {"timezone": "Europe/Berlin"}, headers={"If-Match": seen.headers["ETag"]})
    assert changed.json == seen.json | {"timezone": "Europe/Berlin"}
    late = crm.patch("/company", {"name": "P"}, headers={"If-Match": seen.headers["ETag"]})
    assert refused(late) == (412, "etag.outdated")
    assert refused(crm.patch("/company", {"timezone": "../etc"})) == (400, "company.timezone")
    assert refused(crm.patch("/company", {"slug": "other"})) == (400, "request.invalid")
    assert acts(site) == ["company.change"]


def test_carriers_are_shown_without_what_opens_them(site: Site, crm: Program) -> None:
    with site.database.write() as session:
        states = {"trunk-1": "Unavailable", "target-1": "Not in use"}
        plain = {"audit_id": 0, "waiting": [], "request_id": 0, "runs": True, "restart": []}
        session.add(NodeConfiguration(node="main", looked_at=site.now, endpoints=states, **plain))
    (trunk,) = crm.get("/trunks").json["trunks"]
    assert trunk == {
        "id": 1, "name": "pallets-carrier", "kind": "ip", "host": "192.0.2.10", "port": 5060,
        "state": "active", "answers": False,
    }  # fmt: skip
    standing = crm.get("/targets/1/standing").json
    assert standing == {"answers": True, "forwarding": ["company"], "plans": []}


def test_another_company_s_things_are_unknown(site: Site, crm: Program) -> None:
    rival = checked(program(site, *Scope, company_id=2))
    block = made(crm, "/blocks", {"callers": "+74959990001"})
    rule = made(crm, "/source-rules", {"part": "landing", "pattern": "a=b", "medium": "m", "source": "s"})
    for path in (block, rule):
        assert rival.get(path).status_code == 404
        assert rival.delete(path).status_code == 404
    assert rival.put("/consents/number-1", {"prompt": "told"}).status_code == 404
    assert rival.get("/outgoing/try", number="112", target="office").status_code == 404
    assert rival.get("/company").json["slug"] == "rival"
