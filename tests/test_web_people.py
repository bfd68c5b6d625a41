"""People of a company by the page: invitations, roles, links, one's own browsers, the audit log."""

from __future__ import annotations

import csv
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from support.facts import add_pallets
from support.recorded import settings_in
from support.site import Site, csrf_of, csrf_token, log_in, try_password
from werkzeug.test import TestResponse

from tracker import logins, people
from tracker.database import Database
from tracker.models import AuditEntry, Company, LoginSession, Membership, Role, User

JSON = {"Accept": "application/json"}


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    """Pallets (1) and a rival (2)."""
    with sqlite.write() as session:
        add_pallets(session, now)
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=now))
    return Site(sqlite, settings_in(tmp_path, secret_key="k" * 40), now)


@pytest.fixture
def olga(site: Site) -> FlaskClient:
    return log_in(site, "olga@pallets.example", pallets=Role.OWNER)


def send(browser: FlaskClient, path: str, **form: str) -> TestResponse:
    token = csrf_token(browser)
    return browser.post(path, data={"csrf": token, "company": "pallets", **form}, headers=JSON)


def problem(answer: TestResponse) -> tuple[int, str]:
    assert answer.json
    return answer.status_code, answer.json["error"]["id"]


def user_id(site: Site, email: str) -> int:
    with site.database.read() as session:
        return people.find_user(session, email).id


def role_of(site: Site, email: str, company: int = 1) -> Role | None:
    with site.database.read() as session:
        wanted = (
            sa.select(Membership.role).join(User).where(User.email == email, Membership.company_id == company)
        )
        return session.scalar(wanted)


def test_an_owner_invites_somebody_who_comes_in_by_the_link(site: Site, olga: FlaskClient) -> None:
    html = send(olga, "/people", email="Bob@Pallets.example", name="Bob", role="listener").text
    assert "Send this link to bob@pallets.example" in html
    link = re.search(r"/link/[\w-]+", html)
    assert link
    bob = site.app.test_client()
    form = {"csrf": csrf_of(bob.get(link.group()).text), "password": "correct horse battery"}
    assert bob.post(link.group(), data=form).status_code == 303
    assert bob.get("/calls").status_code == 200
    assert bob.get("/people").status_code == 403
    assert role_of(site, "bob@pallets.example") is Role.LISTENER
    assert "/link/" not in olga.get("/people").text  # shown once


def test_who_has_a_password_needs_no_link(site: Site, olga: FlaskClient) -> None:
    log_in(site, "eve@rival.example", rival=Role.MANAGER)
    html = send(olga, "/people", email="eve@rival.example", role="manager").text
    assert "eve@rival.example can see it now" in html
    assert "/link/" not in html
    assert problem(send(olga, "/people", email="eve@rival.example", role="admin")) == (409, "user.duplicate")


def test_a_link_is_not_made_for_who_sees_another_company(site: Site, olga: FlaskClient) -> None:
    """It would open that one as well."""
    log_in(site, "eve@rival.example", rival=Role.MANAGER, pallets=Role.LISTENER)
    answer = send(olga, f"/people/{user_id(site, 'eve@rival.example')}/link")
    assert problem(answer) == (403, "link.foreign")
    log_in(site, "bob@pallets.example", pallets=Role.LISTENER)
    assert "/link/" in send(olga, f"/people/{user_id(site, 'bob@pallets.example')}/link").text


def test_roles_change_up_to_ones_own_and_an_owner_stays(site: Site, olga: FlaskClient) -> None:
    adam = log_in(site, "adam@pallets.example", pallets=Role.ADMIN)
    log_in(site, "bob@pallets.example", pallets=Role.LISTENER)
    bob, owner = user_id(site, "bob@pallets.example"), user_id(site, "olga@pallets.example")
    assert send(adam, f"/people/{bob}/role", role="admin").status_code == 303
    assert problem(send(adam, f"/people/{bob}/role", role="owner")) == (403, "role.too_high")
    assert problem(send(adam, f"/people/{owner}/role", role="listener")) == (403, "role.too_high")
    assert problem(send(adam, f"/people/{owner}/link")) == (403, "link.foreign")
    assert problem(send(olga, f"/people/{owner}/role", role="admin")) == (409, "role.last_owner")
    assert problem(send(olga, f"/people/{owner}/role", role="none")) == (409, "role.last_owner")
    assert send(olga, f"/people/{bob}/role", role="owner").status_code == 303
    assert send(olga, f"/people/{owner}/role", role="none").status_code == 303
    assert (role_of(site, "bob@pallets.example"), role_of(site, "olga@pallets.example")) == (Role.OWNER, None)


@pytest.mark.parametrize("role", [Role.MANAGER, Role.LISTENER])
def test_others_see_no_people_and_no_log(site: Site, role: Role) -> None:
    ann = log_in(site, "ann@pallets.example", pallets=role)
    for path in ("/people", "/audit"):
        assert problem(ann.get(path, headers=JSON)) == (403, "role.needed")
    answer = send(ann, f"/people/{user_id(site, 'ann@pallets.example')}/role", role="owner")
    assert problem(answer) == (403, "role.needed")
    assert ">People<" not in ann.get("/calls").text


def test_an_admin_of_one_company_has_no_hand_in_another(site: Site, olga: FlaskClient) -> None:
    log_in(site, "eve@rival.example", rival=Role.OWNER)
    eve = user_id(site, "eve@rival.example")
    assert "eve@rival.example" not in olga.get("/people").text + olga.get("/audit").text
    assert problem(send(olga, f"/people/{eve}/role", company="rival", role="none")) == (403, "role.needed")
    assert problem(send(olga, f"/people/{eve}/role", role="listener"))[1] == "user.unknown"
    assert problem(send(olga, "/people/x/role", role="listener")) == (404, "user.unknown")
    assert problem(send(olga, "/people", email="not one", role="manager")) == (400, "user.malformed")
    assert problem(send(olga, "/people", email="a@b.example", role="king")) == (400, "role.malformed")


def test_one_ends_ones_own_browsers_and_nobody_elses(site: Site, olga: FlaskClient) -> None:
    with site.database.write() as session:
        agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/129.0.0.0 Safari/537.36"
        client = logins.Client("203.0.113.9", agent)
        logins.start_session(session, people.find_user(session, "olga@pallets.example"), client, site.now)
    html = olga.get("/account").text
    assert "Chrome" in html
    assert "203.0.113.9" in html
    found = re.findall(r"/account/sessions/([0-9a-f]+)/end", html)
    assert len(found) == 1  # the present one is logged out by the menu
    eve = log_in(site, "eve@rival.example", rival=Role.OWNER)
    for name in (found[0], found[0][:15], "%", "_" * 16):
        assert problem(send(eve, f"/account/sessions/{name}/end"))[1] == "session.unknown"
    assert send(olga, f"/account/sessions/{found[0]}/end").status_code == 303
    with site.database.read() as session:
        mine = sa.select(sa.func.count()).where(LoginSession.user_id == user_id(site, "olga@pallets.example"))
        assert session.scalar(mine) == 1


def test_the_log_is_read_page_by_page(site: Site, olga: FlaskClient) -> None:
    with site.database.write() as session:
        session.add_all(
            AuditEntry(
                at=site.now, actor=f"actor{number}", company_id=1, action="number.add", detail={"a": "<b>"}
            )
            for number in range(150)
        )
    first = olga.get("/audit").text
    assert "actor149" in first
    assert "actor49<" not in first
    assert "<b>" not in first.replace("<b>Ol", "")[first.index("<main") :]
    older = re.search(r'href="(/audit\?before=\d+)"', first)
    assert older
    assert "actor49" in olga.get(older.group(1)).text


def entries_of(browser: FlaskClient, query: str = "") -> str:
    answer = browser.get("/audit" + query)
    assert answer.status_code == 200, answer.text
    return answer.text.partition("<tbody>")[2]


def test_the_log_tells_of_log_ins_at_the_accounts_of_ones_people(site: Site, olga: FlaskClient) -> None:
    log_in(site, "bob@pallets.example", pallets=Role.LISTENER)
    log_in(site, "eve@rival.example", rival=Role.OWNER)
    for email in ("bob@pallets.example", "eve@rival.example", "nobody@else.example"):
        assert try_password(site.app.test_client(), email, "wrong", "203.0.113.77") == 401
    shown = entries_of(olga, "?kind=login")
    assert "Was not let in" in shown
    assert "wrong password" in shown
    assert "203.0.113.77" in shown
    assert "bob@pallets.example" in shown
    assert "eve@" not in shown
    assert "nobody@" not in shown


def test_the_log_is_narrowed_by_person_kind_and_period(site: Site, olga: FlaskClient) -> None:
    kinds = {
        "recording.play": "listening", "recording.download": "listening", "call.export": "export",
        "call.category": "judgement", "user.role": "people", "number.add": "settings",
    }  # fmt: skip
    with site.database.write() as session:
        for age, action in enumerate(kinds):
            session.add(
                AuditEntry(
                    at=site.now - timedelta(days=age),
                    actor=f"{action}@x.example",
                    company_id=1,
                    action=action,
                )
            )
    for action, kind in kinds.items():
        found = re.findall(r"([a-z.]+)@x\.example", entries_of(olga, f"?kind={kind}"))
        assert found == [it for it in reversed(kinds) if kinds[it] == kind], action
    assert re.findall(r"([a-z.]+)@x\.example", entries_of(olga, "?actor=DOWNLOAD")) == ["recording.download"]
    assert "user.role@" not in entries_of(olga, "?period=yesterday")
    assert "recording.download@" in entries_of(olga, "?period=yesterday")
    assert "No such entries" in olga.get("/audit?actor=%25").text
    for query in ("?kind=x", "?since=x", "?period=x"):
        assert olga.get("/audit" + query).status_code == 400


def test_the_log_leaves_as_csv_without_formulas_and_says_so(site: Site, olga: FlaskClient) -> None:
    with site.database.write() as session:
        session.add_all(
            AuditEntry(at=site.now, actor="=cmd()", company_id=company, action="number.add", subject="+4930")
            for company in (1, 2)
        )
    text = olga.get("/audit.csv?kind=settings").text
    rows = list(csv.DictReader(text.lstrip("\N{ZERO WIDTH NO-BREAK SPACE}").splitlines()))
    assert [(row["actor"], row["company"], row["subject"]) for row in rows] == [
        ("'=cmd()", "pallets", "+4930")
    ]
    assert "Exported the audit log" in entries_of(olga, "?kind=export")
    ann = log_in(site, "ann@pallets.example", pallets=Role.MANAGER)
    assert problem(ann.get("/audit.csv", headers=JSON)) == (403, "role.needed")
