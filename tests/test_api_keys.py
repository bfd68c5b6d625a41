"""Keys of programs: who is let in, who is turned away and braked, what of it is kept; their page."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from support.settings_page import HERE, admin, refused, send, two_companies
from support.site import Site, csrf_token, log_in
from werkzeug.test import TestResponse

from tracker import api_keys
from tracker.audit import By
from tracker.database import Database
from tracker.models import ApiKey, AuditEntry, Company, Role


@pytest.fixture
def site(database: Database, tmp_path: Path, now: datetime) -> Site:
    return two_companies(database, tmp_path, now)


@pytest.fixture
def ann(site: Site) -> FlaskClient:
    return admin(site)


def add_key(site: Site, name: str = "crm") -> str:
    with site.database.write() as session:
        return api_keys.add_key(session, By(site.now, "cli:root"), session.get_one(Company, 1), name)[1]


def ask(site: Site, header: str, path: str = "/api/v1/sales") -> TestResponse:
    return site.app.test_client().get(path, headers={"Authorization": header})


def basic(password: str) -> str:
    return "Basic " + b64encode(f"who:{password}".encode()).decode()


def used_at(site: Site) -> datetime | None:
    with site.database.read() as session:
        return session.scalar(sa.select(ApiKey.used_at))


def entries(site: Site, action: str) -> list[tuple[str, int | None, str | None]]:
    with site.database.read() as session:
        wanted = sa.select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
        return [(it.actor, it.company_id, it.detail.get("reason")) for it in session.scalars(wanted)]


def test_a_key_s_last_use_is_kept_to_the_hour(site: Site) -> None:
    key = add_key(site)
    assert used_at(site) is None
    assert ask(site, f"Bearer {key}").status_code == 200
    first = used_at(site)
    assert first == site.now
    site.later(minutes=59)
    ask(site, f"Bearer {key}")
    assert used_at(site) == first
    site.later(minutes=2)
    ask(site, f"Bearer {key}")
    assert used_at(site) == site.now


def test_wrong_keys_are_written_down_and_braked_and_right_ones_are_not(site: Site) -> None:
    key = add_key(site)
    answers = [ask(site, "Bearer llk_wrong").status_code for _ in range(7)]
    assert answers == [401] * 5 + [429] * 2
    assert entries(site, "key.refused") == [("nobody", None, "unknown")] * 5
    answers = [ask(site, f"Bearer llk_{number}").status_code for number in range(20)]
    assert answers == [401] * 15 + [429] * 5  # twenty a minute from one address
    assert ask(site, f"Bearer {key}").status_code == 200
    site.later(minutes=2)
    assert ask(site, "Bearer llk_another").status_code == 401


def test_a_company_sees_that_its_revoked_key_is_still_tried(site: Site, ann: FlaskClient) -> None:
    key = add_key(site)
    send(ann, f"{HERE}/keys", do="revoke", name="crm")
    assert ask(site, f"Bearer {key}").status_code == 401
    assert entries(site, "key.refused") == [("key:crm", 1, "revoked")]
    page = ann.get("/audit").text
    assert "Turned a program away" in page
    assert "revoked key" in page


def test_a_proxy_s_basic_log_in_is_no_key(site: Site, ann: FlaskClient) -> None:
    key = add_key(site)
    assert ask(site, basic(key)).status_code == 200
    answer = ask(site, basic("the proxy's own"))
    assert (answer.status_code, answer.json["error"]["id"]) == (401, "login.needed")  # type: ignore[index]
    assert entries(site, "key.refused") == []
    headers = {"Authorization": basic("the proxy's own")}
    assert ann.get("/api/v1/sales", headers=headers).status_code == 200  # by her log-in
    told = {"at": "2026-11-05", "revenue": "5"}
    assert (
        ann.post("/api/v1/sales", json=told, headers=headers).status_code == 403
    )  # without the page's token
    headers["X-CSRF-Token"] = csrf_token(ann)
    assert ann.post("/api/v1/sales", json=told, headers=headers).status_code == 200


def test_a_key_is_made_in_the_page_shown_once_and_revoked(site: Site, ann: FlaskClient) -> None:
    assert "No keys yet" in ann.get(f"{HERE}/keys").text
    made = send(ann, f"{HERE}/keys", do="add", name="crm", scopes="money:read")
    (key,) = re.findall(r'class="once" readonly value="(llk_[^"]+)"', made.text)
    assert (made.status_code, made.headers["Cache-Control"]) == (200, "no-store")
    assert ask(site, f"Bearer {key}").status_code == 200
    page = ann.get(f"{HERE}/keys").text
    assert ("llk_" in page, "crm" in page, "Valid" in page) == (False, True, True)
    refused(send(ann, f"{HERE}/keys", do="add", name="crm", scopes="money:read"), "name", "already")
    refused(send(ann, f"{HERE}/keys", do="add", name="C R M", scopes="money:read"), "name", "cannot be a key")
    assert "A key is for something" in send(ann, f"{HERE}/keys", do="add", name="erp").text
    for _ in range(2):
        assert send(ann, f"{HERE}/keys", do="revoke", name="crm").status_code == 303
    assert "Revoked:" in ann.get(f"{HERE}/keys").text
    assert ask(site, f"Bearer {key}").status_code == 401
    assert entries(site, "key.add") == [("ann@pallets.example", 1, None)]
    assert entries(site, "key.revoke") == [("ann@pallets.example", 1, None)]


def test_only_who_administers_the_company_sees_its_keys(site: Site, ann: FlaskClient) -> None:
    add_key(site)
    bob = log_in(site, "bob@pallets.example", pallets=Role.MANAGER)
    eve = log_in(site, "eve@rival.example", rival=Role.OWNER)
    for who, status in ((bob, 403), (eve, 404)):
        assert who.get(f"{HERE}/keys").status_code == status
        assert send(who, f"{HERE}/keys", do="add", name="mine").status_code == status
        assert send(who, f"{HERE}/keys", do="revoke", name="crm").status_code == status
    assert send(ann, "/settings/rival/keys", do="add", name="mine").status_code == 404
    assert send(eve, "/settings/rival/keys", do="revoke", name="crm").status_code == 404
    with site.database.read() as session:
        assert session.execute(sa.select(ApiKey.name, ApiKey.revoked_at)).all() == [("crm", None)]
