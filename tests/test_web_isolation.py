"""Two companies on one installation: over every route that there is, neither sees the other."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from support.recorded import settings_in
from support.showroom import Told, furnish
from support.site import Site, csrf_of
from werkzeug.routing import Rule

from tracker import people, worth
from tracker.audit import By
from tracker.database import Database
from tracker.models import Call, Company, Node, Role
from web.public import is_from_anywhere, is_public

HERS = (Told(5, "+74951234567", "+79160000001", talk=3, name="Secret Caller"),)
# What pages of other sites speak to: tests/test_visit_api_attacks.py holds them apart.
FROM_ANYWHERE = {"/s/<name>.js", "/api/v1/visits"} | {
    f"/api/v1/visits/<token>/{what}" for what in ("pages", "ping", "leave", "events")
}
# tests/test_callback_asks.py holds these apart.
FROM_ANYWHERE |= {"/api/v1/callbacks/ask", "/api/v1/callbacks/offer"}
FROM_ANYWHERE |= {"/in/<inlet_key>"}  # and tests/test_inlets.py this one
DOORS = {"/login", "/login/code", "/link/<token>"}
PUBLIC = DOORS | {"/healthz", "/readyz", "/metrics", "/static/<name>", "/api/v1/openapi.json"} | FROM_ANYWHERE
PUBLIC |= {"/cb/<site_key>"}
PUBLIC |= {"/shared/reports/<token>"}  # and tests/test_web_saved_reports.py this one
PUBLIC |= {"/shared/<token>", "/shared/<token>/audio"}  # tests/test_share_links.py holds them apart

PUBLIC |= {"/phone/<token>", "/phone/<token>/linphone.xml"}  # tests/test_provisioning.py holds them apart

STREAMED = {"/api/v1/live/events"}  # goes on for minutes; tests/test_rest_going.py holds it apart


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    settings = settings_in(tmp_path, secret_key="k" * 40)
    room = furnish(sqlite, settings, now, HERS)
    with sqlite.write() as session:
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=now))
        at = now.isoformat()
        live = {"call": room.keys[0] + "x", "state": "ringing", "since": at, "started": at,
                "did": "+74951234567", "target": room.pallets.office_id}  # fmt: skip
        session.add(Node(name="main", seen_at=now, ami_up=True, live=[live]))
        call = session.scalars(sa.select(Call).where(Call.key == room.keys[0])).one()
        worth.add_note(session, By(now, "ann@pallets.example"), call, "Secret Caller's note")
    site = Site(sqlite, settings, now)
    site.app.config.update(KEY=room.keys[0], VISIT=str(room.pallets.visit_id))
    return site


def rules(site: Site) -> list[Rule]:
    return sorted(site.app.url_map.iter_rules(), key=lambda rule: rule.rule)


def name(rule: Rule) -> str:
    """The address; of one that speaks to websites by POST, and to programs by GET, with the method."""
    is_read = rule.rule == "/api/v1/visits" and "GET" in (rule.methods or set())
    return f"GET {rule.rule}" if is_read else rule.rule


def address(site: Site, rule: Rule) -> str:
    values = {"key": site.app.config["KEY"], "kind": "wav", "token": "t", "name": "x", "_rest": "x"}
    values |= {"visit": site.app.config["VISIT"], "note": "1", "user": "1", "login": "x" * 16}
    values |= {"alert": "1", "address": "1", "target": "1", "scope": "company"}
    values |= {"destination": "1", "word": "ga4", "inlet": "1", "inlet_key": "x"}
    values |= {"report": "1", "schedule": "1", "plan": "1", "step": "sales"}
    values |= {"site_key": "x", "callback": "x"}
    values |= {"link": "1", "view": "1", "rent": "1", "sale": "1"}
    values |= {"prompt": "1", "account": "pallets", "call": site.app.config["KEY"]}
    values |= {"cost": "1", "rate": "1", "hook": "1", "delivery": "1"}
    values |= {"swap": "1", "trial": "1", "block": "1", "caller": "1", "rule": "1"}
    values |= {"cost": "1", "rate": "1", "hook": "1", "delivery": "1"}
    values |= {"company": "pallets", "number": "1", "channel": "1", "pool": "1", "site": "1"}
    return rule.rule.replace("<path:", "<").translate({ord("<"): "{", ord(">"): "}"}).format(**values)


def test_every_route_is_public_on_purpose_or_needs_a_log_in(site: Site) -> None:
    stranger = site.app.test_client()
    for rule in rules(site):
        view = site.app.view_functions[rule.endpoint]
        assert is_public(view) == (name(rule) in PUBLIC), rule
        assert is_from_anywhere(view) == (name(rule) in FROM_ANYWHERE), rule
        if name(rule) in PUBLIC:
            continue
        for method in (rule.methods or set()) - {"OPTIONS"}:
            status = stranger.open(address(site, rule), method=method).status_code
            assert status in {302, 401, 403}, (method, rule, status)


def test_no_route_shows_one_company_to_the_other(site: Site) -> None:
    owner, rival = site.log_in("ann@pallets.example", 1), site.log_in("eve@rival.example", 2)
    telling = 0
    for rule in rules(site):
        if name(rule) in PUBLIC:
            continue
        path = address(site, rule)
        if "GET" not in (rule.methods or set()) or rule.rule in STREAMED:
            continue
        hers, theirs = owner.get(path), rival.get(path)
        if "<key>" in rule.rule or "<visit>" in rule.rule:
            assert (hers.status_code, theirs.status_code) == (200, 404), rule
            telling += 1
        if "<company>" in rule.rule:
            assert theirs.status_code == 404, rule
        for secret in (
            b"Secret Caller",
            b"9160000001",
            b"916) 000-00-01",
            site.app.config["KEY"].encode(),
            b"123-45-67",
            "деревянные".encode(),
        ):
            assert secret not in theirs.data, (rule, secret)
    assert telling >= 5
    assert b"916) 000-00-01" in owner.get("/calls").data


def test_who_lost_the_role_sees_nothing_at_once(site: Site) -> None:
    browser = site.log_in("ann@pallets.example", 1)
    path = f"/calls/{site.app.config['KEY']}/audio"
    assert browser.get(path).status_code == 200
    with site.database.write() as session:
        people.take_role(
            session, people.find_user(session, "ann@pallets.example"), session.get_one(Company, 1)
        )
    assert browser.get(path).status_code == 404
    assert b"You see no company yet" in browser.get("/calls").data


def test_every_changing_route_refuses_a_form_without_its_token(site: Site) -> None:
    browser = site.log_in("ann@pallets.example", 1)
    csrf_of(browser.get("/calls").text)
    for rule in rules(site):
        if name(rule) in FROM_ANYWHERE:
            continue
        for method in (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}:
            assert browser.open(address(site, rule), method=method).status_code == 403, rule


def test_what_is_spoken_to_from_anywhere_looks_at_no_log_in(site: Site) -> None:
    ann, stranger = site.log_in("ann@pallets.example", 1), site.app.test_client()
    for rule in rules(site):
        if name(rule) not in FROM_ANYWHERE:
            continue
        method = "POST" if "POST" in (rule.methods or set()) else "GET"
        hers, theirs = (who.open(address(site, rule), method=method) for who in (ann, stranger))
        assert (hers.status_code, hers.data) == (theirs.status_code, theirs.data), rule
        assert hers.status_code in {403, 404}, rule
        assert "Set-Cookie" not in hers.headers


def looking_at(site: Site, slug: str) -> FlaskClient:
    """Somebody of both companies who chose that one, as the header's menu does."""
    browser = site.log_in(f"both-{slug}@agency.example", 1, 2)
    with site.database.write() as session:
        user = people.find_user(session, f"both-{slug}@agency.example")
        for company_id in (1, 2):
            people.give_role(session, user, session.get_one(Company, company_id), Role.OWNER)
    assert browser.get(f"/calls?company={slug}").status_code == 200
    return browser


def test_whoever_chose_one_company_sees_that_one_on_every_page(site: Site) -> None:
    """Generated from the map of addresses: no page but one that names a thing shows the other company's."""
    chose_hers, chose_other = looking_at(site, "pallets"), looking_at(site, "rival")
    shown = 0
    for rule in rules(site):
        if (
            name(rule) in PUBLIC
            or rule.rule in STREAMED
            or rule.arguments
            or "GET" not in (rule.methods or set())
        ):
            continue
        hers, other = chose_hers.get(rule.rule), chose_other.get(rule.rule)
        assert hers.status_code == other.status_code, rule
        for secret in (b"Secret Caller", b"916) 000-00-01", site.app.config["KEY"].encode()):
            assert secret not in other.data, (rule, secret)
            shown += secret in hers.data
        if other.mimetype == "text/html" and b"<header" in other.data:
            assert b"Pallets</summary>" in hers.data, rule
            assert b"Rival</summary>" in other.data, rule
    assert shown >= 3


def test_what_an_address_names_is_found_in_the_other_company_too(site: Site) -> None:
    browser = looking_at(site, "rival")
    stranger = site.log_in("eve@rival.example", 2)
    for rule in rules(site):
        if (
            {"key", "visit"} & rule.arguments
            and "GET" in (rule.methods or set())
            and name(rule) not in PUBLIC
        ):
            assert browser.get(address(site, rule)).status_code == 200, rule
            assert stranger.get(address(site, rule)).status_code == 404, rule
    html = browser.get(f"/calls/{site.app.config['KEY']}").text
    assert "All companies</summary>" in html
    form = {"csrf": csrf_of(html), "category": "target"}
    assert browser.post(f"/calls/{site.app.config['KEY']}/category", data=form).status_code == 303
    assert b"Rival</summary>" in browser.get("/calls").data  # the choice stands


def test_a_choice_gives_no_right(site: Site) -> None:
    """Neither a cookie nor an address opens a company that one does not see."""
    eve = site.log_in("eve@rival.example", 2)
    eve.set_cookie("leaseline-company", "pallets")
    assert b"Secret Caller" not in eve.get("/calls").data
    assert eve.get("/calls?company=pallets").status_code == 404
    assert eve.get("/api/v1/calls?company=pallets", headers={"Accept": "application/json"}).status_code == 404
    both = looking_at(site, "pallets")
    with site.database.write() as session:
        user = people.find_user(session, "both-pallets@agency.example")
        people.take_role(session, user, session.get_one(Company, 1))
    assert b"Secret Caller" not in both.get("/calls").data


def test_programs_choose_by_the_address_and_keep_nothing(site: Site) -> None:
    browser = site.log_in("both@agency.example", 1, 2)

    def count(address: str) -> int:
        answer = browser.get(address, headers={"Sec-Fetch-Dest": "empty"})
        assert "Set-Cookie" not in answer.headers
        assert answer.json
        return len(answer.json["calls"])

    assert count("/api/v1/calls?company=pallets") == count("/api/v1/calls?company=") == 1
    assert count("/api/v1/calls?company=rival") == 0
    assert count("/api/v1/calls") == 1


def test_each_company_is_shown_in_its_own_time(site: Site) -> None:
    with site.database.write() as session:
        session.get_one(Company, 1).timezone = "Europe/Moscow"
        session.get_one(Company, 2).timezone = "America/New_York"
    browser = looking_at(site, "rival")
    assert "Times are in America/New_York" in browser.get("/calls").text
    assert "Times are in Europe/Moscow" in browser.get("/calls?company=pallets").text
    assert "Times are in Europe/Moscow" in browser.get("/calls?company=").text
