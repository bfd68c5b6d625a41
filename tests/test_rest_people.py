"""People, keys, the audit log and alerts over the API: nobody gives more than he has."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from support.rest import Program, program
from support.rest_checked import checked, cli, refused
from support.settings_page import two_companies
from support.site import Site, log_in

from tracker.database import Database
from tracker.models import Alert, AuditEntry, Role
from tracker.policy.alerts import AlertKind
from tracker.policy.rights import Scope


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    return two_companies(sqlite, tmp_path, now)


@pytest.fixture
def crm(site: Site) -> Program:
    return checked(program(site, *Scope))


@pytest.fixture
def rival(site: Site) -> Program:
    return checked(program(site, *Scope, company_id=2))


def user_id(crm: Program, email: str) -> int:
    (found,) = [each["id"] for each in crm.get("/users").json["users"] if each["email"] == email]
    return int(found)


def test_a_person_is_invited_changed_and_let_go(site: Site, crm: Program, rival: Program) -> None:
    made = crm.post("/users", {"email": "Bob@pallets.example", "name": "Bob", "role": "listener"})
    path = made.headers["Location"].removeprefix("/api/v1")
    link = made.json["link"].removeprefix(site.settings.web_url)
    assert site.app.test_client().get(link).status_code == 200
    assert crm.get(path).json == {each: made.json[each] for each in made.json.keys() - {"link"}}
    assert (made.json["email"], made.json["password_set"]) == ("bob@pallets.example", False)
    assert refused(crm.post("/users", {"email": "bob@pallets.example", "role": "admin"})) == (
        409, "user.duplicate",
    )  # fmt: skip
    assert crm.patch(path, {"role": "admin"}).json["role"] == "admin"
    assert crm.post(f"{path}/link", None).json["link"] != made.json["link"]
    assert site.app.test_client().get(link).status_code != 200  # the link before has ended
    for answer in (rival.get(path), rival.patch(path, {"role": "listener"}), rival.delete(path)):
        assert refused(answer) == (404, "user.unknown")
    assert rival.post(f"{path}/link", None).status_code == 404
    assert crm.delete(path).status_code == 204
    assert crm.get(path).status_code == 404
    with site.database.read() as session:
        acted = sa.select(AuditEntry.action).where(AuditEntry.actor == "key:crm")
        assert {"user.invite", "user.link", "user.role"} <= set(session.scalars(acted))


def test_a_key_makes_no_owner_and_touches_none(site: Site, crm: Program) -> None:
    log_in(site, "olga@pallets.example", pallets=Role.OWNER)
    log_in(site, "bob@pallets.example", pallets=Role.LISTENER)
    olga, bob = (f"/users/{user_id(crm, f'{name}@pallets.example')}" for name in ("olga", "bob"))
    too_high = (403, "role.too_high")
    assert refused(crm.patch(bob, {"role": "owner"})) == too_high
    assert refused(crm.post("/users", {"email": "c@pallets.example", "role": "owner"})) == too_high
    assert refused(crm.patch(olga, {"role": "listener"})) == too_high
    assert refused(crm.delete(olga)) == too_high
    assert refused(crm.post(f"{olga}/link", None)) == (403, "link.foreign")
    assert refused(crm.patch(bob, {"role": "king"})) == (400, "request.invalid")


def test_nobody_s_roles_in_other_companies_are_told(site: Site, crm: Program) -> None:
    log_in(site, "both@agency.example", pallets=Role.MANAGER, rival=Role.OWNER)
    assert "rival" not in crm.get("/users").text
    path = f"/users/{user_id(crm, 'both@agency.example')}"
    assert refused(crm.post(f"{path}/link", None)) == (403, "link.foreign")


def test_a_key_makes_keys_that_open_no_more_than_itself(site: Site, crm: Program, tmp_path: Path) -> None:
    made = crm.post("/keys", {"name": "warehouse", "scopes": ["calls:read", "users:write"]})
    warehouse = checked(Program(site.app.test_client(), made.json["key"], 1))
    beyond = warehouse.post("/keys", {"name": "more", "scopes": ["calls:read", "money:read"]})
    assert refused(beyond) == (403, "key.beyond")
    assert "money:read" in beyond.json["error"]["message"]
    less = warehouse.post("/keys", {"name": "less", "scopes": ["calls:read"]}).json
    assert less["scopes"] == ["calls:read"]
    assert warehouse.get("/keys").status_code == 403
    listed = crm.get("/keys").json["keys"]
    assert sorted(listed, key=lambda it: it["name"]) == cli(site, tmp_path, "key", "list")
    assert not any(each in crm.get("/keys").text for each in (made.json["key"], less["key"], crm.key))
    assert refused(crm.post("/keys", {"name": "less", "scopes": ["calls:read"]})) == (409, "key.duplicate")
    for wrong in ({"name": "x", "scopes": []}, {"name": "X", "scopes": ["calls:read"]}, {"name": "x"}):
        assert crm.post("/keys", wrong).status_code == 400
    assert crm.delete("/keys/warehouse").status_code == 204
    assert crm.get("/keys/warehouse").json["revoked_at"]
    assert warehouse.get("/keys").status_code == 401
    assert refused(crm.delete("/keys/nobody")) == (404, "key.unknown")
    rival = checked(program(site, *Scope, company_id=2))
    assert rival.delete("/keys/less").status_code == 404


def test_an_admin_makes_a_key_for_anything(site: Site) -> None:
    ann = log_in(site, "ann@pallets.example", pallets=Role.ADMIN)
    assert ann.get("/api/v1/keys").status_code == 200
    bob = log_in(site, "bob@pallets.example", pallets=Role.MANAGER)
    assert bob.get("/api/v1/keys").status_code == bob.get("/api/v1/users").status_code == 403


def test_the_audit_log_is_read_page_by_page_and_narrowed(site: Site, crm: Program, rival: Program) -> None:
    for number in range(5):
        crm.post("/channels", {"name": f"C{number}"})
        site.later(minutes=1)

    def entries(**words: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor: dict[str, Any] = {}
        while True:
            page = crm.get("/audit", limit=2, **words, **cursor).json
            found += page["entries"]
            if page["next"] is None:
                return found
            cursor = {"cursor": page["next"]}

    mine = entries(actor="key:crm")
    assert [each["subject"] for each in mine] == ["C4", "C3", "C2", "C1", "C0"]
    assert {each["action"] for each in mine} == {"channel.add"}
    since = mine[1]["at"]
    assert [each["subject"] for each in entries(actor="key:", since=since)] == ["C4", "C3"]
    assert [each["subject"] for each in entries(actor="key:", kind="settings", until=since)] == [
        "C2",
        "C1",
        "C0",
    ]
    assert rival.get("/audit", actor="key:crm").json["entries"] == []
    nonsense: list[dict[str, Any]] = [
        {"since": "yesterday"}, {"since": "0001-01-01T00:00:00+14:00"}, {"kind": "x"}, {"cursor": "x"},
    ]  # fmt: skip
    for wrong in nonsense:
        assert crm.get("/audit", **wrong).status_code == 400


def test_alerts_are_seen_once(site: Site, crm: Program, rival: Program, now: datetime) -> None:
    kind = AlertKind.MISSED_CALLS
    its: dict[str, Any] = {
        "kind": kind,
        "name": "Shop",
        "detail": {"count": 3},
        "begun_at": now - timedelta(hours=1),
    }
    with site.database.write() as session:
        session.add(Alert(company_id=1, key="a", **its))
        session.add(Alert(company_id=1, key="b", ended_at=now, **its))
        session.add(Alert(company_id=None, key="c", **its))
    (alert,) = crm.get("/alerts").json["alerts"]
    assert len(crm.get("/alerts", over="yes").json["alerts"]) == 2
    path = f"/alerts/{alert['id']}"
    assert crm.post(f"{path}/seen", None).json["seen_by"] == "key:crm"
    assert crm.get(path).json["seen_at"]
    assert rival.get(path).status_code == rival.post(f"{path}/seen", None).status_code == 404
    assert crm.get("/alerts/3").status_code == 404  # the installation's
