"""Log-in, one-time links, log-out; forged forms; who counts as the client."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.facts import add_pallets
from support.recorded import settings_in
from support.site import PASSWORD, Site, csrf_of, try_password

from tracker.database import Database
from tracker.models import AuditEntry, LoginSession
from tracker.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path, secret_key="k" * 40)


@pytest.fixture
def site(sqlite: Database, settings: Settings, now: datetime) -> Site:
    with sqlite.write() as session:
        add_pallets(session, now)
    site = Site(sqlite, settings, now)
    site.add_user("ann@pallets.example", 1)
    return site


def test_a_stranger_is_sent_to_the_log_in_and_back(site: Site) -> None:
    browser = site.app.test_client()
    answer = browser.get("/calls?before=1-1")
    assert (answer.status_code, answer.location) == (302, "/login?next=%2Fcalls%3Fbefore%3D1-1")
    page = browser.get(answer.location)
    form = {"csrf": csrf_of(page.text), "email": "ann@pallets.example", "password": PASSWORD}
    answer = browser.post("/login", data=form | {"next": "/calls?before=1-1"})
    assert (answer.status_code, answer.location) == (303, "/calls?before=1-1")
    assert browser.get("/calls").status_code == 200


@pytest.mark.parametrize(
    "after",
    ["//evil.example", "https://evil.example", "/\\evil", "javascript:alert(1)", "/x\r\nSet-Cookie: a=b"],
)
def test_the_way_back_leads_nowhere_else(site: Site, after: str) -> None:
    browser = site.app.test_client()
    token = csrf_of(browser.get("/login").text)
    form = {"csrf": token, "email": "ann@pallets.example", "password": PASSWORD, "next": after}
    assert browser.post("/login", data=form).location == "/"


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(site: Site) -> None:
    browser = site.app.test_client()
    token = csrf_of(browser.get("/login").text)
    form = {"csrf": token, "email": "ann@pallets.example", "password": PASSWORD}
    cookie = browser.post("/login", data=form).headers["Set-Cookie"]
    assert cookie.startswith("leaseline=")
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))


def test_over_https_the_cookie_is_bound_to_the_host(
    sqlite: Database, settings: Settings, now: datetime
) -> None:
    site = Site(sqlite, replace(settings, cookie_secure=True), now)
    site.add_user("ann@pallets.example")
    browser = site.app.test_client()
    page = browser.get("/login", base_url="https://localhost")
    form = {"csrf": csrf_of(page.text), "email": "ann@pallets.example", "password": PASSWORD}
    answer = browser.post("/login", data=form, base_url="https://localhost")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-leaseline=")
    assert "Secure" in cookie
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_a_form_from_elsewhere_is_refused(site: Site) -> None:
    browser = site.app.test_client()
    good = csrf_of(browser.get("/login").text)
    form = {"email": "ann@pallets.example", "password": PASSWORD}
    forged = good[:-1] + ("1" if good.endswith("0") else "0")
    for token in ("", "x", "x.y", forged, "ü.ü"):
        assert browser.post("/login", data=form | {"csrf": token}).status_code == 403
    stranger = site.app.test_client()
    assert stranger.post("/login", data=form | {"csrf": good}).status_code == 403
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert browser.post("/login", data=form | {"csrf": good}, headers=headers).status_code == 403


def test_a_cookie_from_before_the_log_in_is_worth_nothing(site: Site) -> None:
    browser = site.app.test_client()
    browser.set_cookie("leaseline", "planted-by-somebody")
    token = csrf_of(browser.get("/login").text)
    form = {"csrf": token, "email": "ann@pallets.example", "password": PASSWORD}
    assert browser.post("/login", data=form).status_code == 303
    thief = site.app.test_client()
    thief.set_cookie("leaseline", "planted-by-somebody")
    assert thief.get("/calls").status_code == 302


def test_logging_out_ends_the_session_in_the_database_too(site: Site) -> None:
    browser = site.log_in("bob@pallets.example", 1)
    kept = browser.get_cookie("leaseline")
    assert kept
    token = csrf_of(browser.get("/calls").text)
    assert browser.post("/logout", data={"csrf": token}).location == "/login"
    thief = site.app.test_client()
    thief.set_cookie("leaseline", kept.value)
    assert thief.get("/calls").status_code == 302


def test_an_idle_browser_is_logged_out_and_a_used_one_is_not(site: Site) -> None:
    browser = site.log_in("bob@pallets.example", 1)
    for _ in range(3):
        site.later(days=20)
        assert browser.get("/calls").status_code == 200
    site.later(days=30)
    assert browser.get("/calls").status_code == 302


def test_wrong_password_and_unknown_user_get_the_same_page(site: Site) -> None:
    pages = []
    for email in ("ann@pallets.example", "nobody@pallets.example"):
        browser = site.app.test_client()
        token = csrf_of(browser.get("/login").text)
        answer = browser.post("/login", data={"csrf": token, "email": email, "password": "wrong"})
        assert answer.status_code == 401
        pages.append(answer.text.split("<form")[1].split('name="csrf"')[0])
    assert pages[0] == pages[1]


def test_a_thousand_wrong_log_ins_are_turned_away(site: Site) -> None:
    browser = site.app.test_client()
    token = csrf_of(browser.get("/login").text)
    form = {"csrf": token, "password": "wrong"}
    answers = [browser.post("/login", data=form | {"email": f"user{n}@x.example"}) for n in range(1000)]
    assert [answer.status_code for answer in answers[:20]] == [401] * 20
    assert {answer.status_code for answer in answers[20:]} == {429}
    assert answers[-1].headers["Retry-After"] == "60"


def test_a_made_up_forwarding_header_does_not_change_the_client(site: Site) -> None:
    browser = site.app.test_client()
    token = csrf_of(browser.get("/login").text)
    status = 0
    for n in range(21):
        form = {"csrf": token, "email": f"u{n}@x.example", "password": "no"}
        status = browser.post("/login", data=form, headers={"X-Forwarded-For": f"10.1.1.{n}"}).status_code
    assert status == 429


@pytest.mark.parametrize(
    ("header", "client"),
    [("198.51.100.7", "198.51.100.7"), ("10.9.9.9, 198.51.100.7", "198.51.100.7"), ("", "192.0.2.1"),
     ("198.51.100.7, 192.0.2.2", "198.51.100.7"), ("nonsense", "192.0.2.1"),
     ("::ffff:198.51.100.7", "198.51.100.7")],
)  # fmt: skip
def test_a_trusted_proxy_says_who_its_client_is(
    sqlite: Database, settings: Settings, now: datetime, header: str, client: str
) -> None:
    site = Site(sqlite, replace(settings, trusted_proxies=("192.0.2.0/24",)), now)
    browser = site.app.test_client()
    environ = {"REMOTE_ADDR": "192.0.2.1"}
    token = csrf_of(browser.get("/login").text)
    form = {"csrf": token, "email": "no@body.example", "password": "no"}
    browser.post("/login", data=form, headers={"X-Forwarded-For": header}, environ_overrides=environ)
    with sqlite.read() as session:
        assert session.scalars(sa.select(AuditEntry.client)).all() == [client]


def test_a_one_time_link_asks_for_a_password_and_logs_in(site: Site) -> None:
    path = site.open_link("ann@pallets.example")
    browser = site.app.test_client()
    for _ in range(2):  # looking does not use it up
        page = browser.get(path)
        assert page.status_code == 200
    form = {"csrf": csrf_of(page.text), "password": "another good one"}
    assert browser.post(path, data=form | {"password": "qwertyuiop"}).status_code == 400
    assert browser.post(path, data=form).location == "/"
    assert browser.get("/calls").status_code == 200
    assert site.app.test_client().get(path).status_code == 410
    assert try_password(site.app.test_client(), "ann@pallets.example", "another good one") == 303
    assert try_password(site.app.test_client(), "ann@pallets.example", PASSWORD) == 401


def test_a_link_cannot_rename_who_has_a_password(site: Site) -> None:
    path = site.open_link("ann@pallets.example")
    browser = site.app.test_client()
    form = {"csrf": csrf_of(browser.get(path).text), "password": "another good one", "email": "eve@x.example"}
    browser.post(path, data=form)
    assert try_password(site.app.test_client(), "ann@pallets.example", "another good one") == 303


def test_the_api_says_what_to_do_to_a_stranger(site: Site) -> None:
    answer = site.app.test_client().get("/api/v1/calls")
    assert answer.status_code == 401
    assert answer.json == {
        "error": {
            "id": "login.needed",
            "message": "You are not logged in",
            "fix": "Log in at /login and send the cookie",
        }
    }


def test_every_log_in_is_in_the_audit_log_with_its_client(site: Site, sqlite: Database) -> None:
    try_password(site.app.test_client(), "ann@pallets.example", "wrong", "198.51.100.1")
    try_password(site.app.test_client(), "ann@pallets.example", PASSWORD, "198.51.100.2")
    with sqlite.read() as session:
        rows = session.execute(
            sa.select(AuditEntry.action, AuditEntry.actor, AuditEntry.client).order_by(AuditEntry.id)
        ).all()
        assert [tuple(row) for row in rows] == [
            ("login.refused", "ann@pallets.example", "198.51.100.1"),
            ("login", "ann@pallets.example", "198.51.100.2"),
        ]
        assert len(session.scalars(sa.select(LoginSession)).all()) == 1
