"""Sites over the API, how they call back, and whether what was changed is live."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.facts import Pallets
from support.rest import Program, program
from support.rest_checked import checked, cli, made, refused
from support.settings_page import two_companies
from support.site import Site

from tracker.database import Database
from tracker.models import ApplyRequest, AuditEntry
from tracker.policy.rights import Scope


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    return two_companies(sqlite, tmp_path, now)


@pytest.fixture
def crm(site: Site) -> Program:
    return checked(program(site, *Scope))


def test_a_site_lives_as_on_the_page(site: Site, crm: Program, tmp_path: Path) -> None:
    path = made(crm, "/sites", {"name": "Blog", "domains": ["Blog.example", "*.blogs.example"]})
    swap = crm.post(f"{path}/numbers", {"number": Pallets.real, "pool": "Website", "alias": "1-800-PALLETS"})
    assert swap.status_code == 201
    told = cli(site, tmp_path, "site", "show", "Blog")
    assert f"/s/{told['key']}.js" in crm.get(f"{path}/snippet").json["snippet"]
    assert [told.pop(name) for name in ("snippet", "pinned", "csp")]
    assert crm.get(path).json == told
    assert told["numbers"] == crm.get(f"{path}/numbers").json["numbers"] == [swap.json]
    seen = crm.get(path).headers["ETag"]
    assert crm.patch(path, {"needs_consent": True}, headers={"If-Match": seen}).json["needs_consent"] is True
    assert refused(crm.patch(path, {"domains": ["https://x"]}, headers={"If-Match": seen}))[0] == 412
    assert refused(crm.patch(path, {"domains": ["https://x"]})) == (400, "site.domain")
    twice = {"number": Pallets.real, "pool": "Website"}
    assert refused(crm.post(f"{path}/numbers", twice)) == (400, "swap.duplicate")
    assert refused(crm.post(f"{path}/numbers", twice | {"pool": "No"})) == (404, "pool.unknown")
    assert crm.delete(f"{path}/numbers/{swap.json['id']}").status_code == 204
    assert refused(crm.delete(f"{path}/numbers/{swap.json['id']}")) == (404, "swap.unknown")
    assert crm.delete(path).status_code == 204
    assert refused(crm.delete("/sites/1")) == (400, "site.in_use")
    with site.database.read() as session:
        acted = sa.select(AuditEntry.action).where(AuditEntry.actor == "key:crm").order_by(AuditEntry.id)
        acts = list(session.scalars(acted))
    assert acts == ["site.add", "site.number.add", "site.change", "site.number.delete", "site.delete"]


def test_a_page_of_a_site_is_looked_at(crm: Program) -> None:
    path = made(crm, "/sites", {"name": "Blog", "domains": ["blog.example"]})
    assert refused(crm.get(f"{path}/check")) == (404, "check.unknown")
    assert refused(crm.post(f"{path}/check", {"url": "http://10.0.0.1/"})) == (400, "check.foreign")
    asked = crm.post(f"{path}/check", {"url": "https://blog.example/"})
    assert (asked.status_code, asked.json["done_at"]) == (202, None)
    assert crm.get(f"{path}/check").json == asked.json


def test_how_a_site_calls_back_is_set_as_on_the_page(site: Site, crm: Program, tmp_path: Path) -> None:
    path = "/sites/1/callback"
    assert refused(crm.patch(path, {"on": True})) == (400, "callback.unready")
    wish = {
        "on": True, "trunk": "pallets-carrier", "number": Pallets.billboard, "color": "#3451D1",
        "rings": [{"target": "office"}, {"target": "mobile", "seconds": 20}], "hours": "mon-fri 09:00-18:00",
        "texts": {"en": {"title": "Call us"}}, "countries": ["RU"], "prefixes": ["+7495"], "tries": 2,
    }  # fmt: skip
    changed, words = crm.patch(path, wish), ("callback", "settings", "pallets.example")
    assert changed.json == crm.get(path).json == cli(site, tmp_path, *words)
    assert [it["target"] for it in changed.json["rings"]] == ["office", "mobile"]
    assert refused(crm.patch(path, {"tries": 99})) == (400, "callback.tries")
    assert refused(crm.patch(path, {"texts": {"en": {"tilte": "x"}}})) == (400, "callback.text")
    assert refused(crm.patch(path, {"rings": [{"target": "nobody"}]})) == (404, "target.unknown")
    assert crm.patch(path, {"rings": [], "texts": {"en": {"title": ""}}}).json["texts"] == {}
    tried = crm.post(f"{path}/test", {"phone": "12"}).json
    assert (tried["state"], tried["reason"] is None) == ("refused", False)


def test_another_company_s_sites_are_unknown(site: Site) -> None:
    rival = checked(program(site, *Scope, company_id=2))
    for path in ("", "/snippet", "/numbers", "/check", "/callback"):
        assert refused(rival.get(f"/sites/1{path}")) == (404, "site.unknown")
    for path in ("", "/callback"):
        assert rival.patch(f"/sites/1{path}", {}).status_code == 404
    assert rival.post("/sites/1/callback/test", {"phone": "+74951234567"}).status_code == 404


def test_what_was_changed_is_made_live(site: Site, crm: Program) -> None:
    assert crm.get("/live-settings").json["state"] == "away"  # there is no worker here
    asked = crm.post("/live-settings", {})
    assert asked.status_code == 202
    with site.database.read() as session:
        assert session.scalars(sa.select(ApplyRequest.actor)).all() == ["key:crm"]
