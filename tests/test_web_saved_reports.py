"""Saved reports on the page: saved, scheduled, shared, exported; each role and company its own."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from support.recorded import settings_in
from support.showroom import DAY, Showroom, furnish
from support.site import Site, csrf_token, log_in
from support.workbook import Book
from werkzeug.test import TestResponse

from tracker import costs, people
from tracker.audit import By
from tracker.database import Database
from tracker.models import AuditEntry, Company, ReportLink, ReportMail, ReportSchedule, Role, SavedReport

HOUR = timedelta(hours=1)
WORDS = "?by=source&period=30d&x=1"
HOSTILE = '<script>alert("x")</script>'


@pytest.fixture
def room(sqlite: Database, tmp_path: Path, now: datetime) -> Showroom:
    found = furnish(sqlite, settings_in(tmp_path, secret_key="k" * 40), now, DAY)
    with sqlite.write() as session:
        company = session.get_one(Company, 1)
        company.currency = "EUR"
        wanted, day = costs.wanted_of(session, company), (now - timedelta(days=1)).date().isoformat()
        row = {"day": day, "channel": "Billboard", "amount": "900"}
        costs.add_cost(session, By(now, "cli:root"), company, wanted, row)
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=now))
    return found


@pytest.fixture
def site(room: Showroom, sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    assert room.keys
    return Site(sqlite, settings_in(tmp_path, secret_key="k" * 40, web_url="https://calls.example"), now)


@pytest.fixture
def ann(site: Site) -> FlaskClient:
    return log_in(site, "ann@pallets.example", pallets=Role.ADMIN)


def send(browser: FlaskClient, path: str, **form: Any) -> TestResponse:
    return browser.post(path, data={"csrf": csrf_token(browser), **form})


def save(
    browser: FlaskClient, name: str = "Spring", query: str = "?by=source&period=30d&x=1"
) -> TestResponse:
    return send(browser, "/reports/saved", name=name, query=query, company="pallets")


def shared(browser: FlaskClient, days: str = "7") -> str:
    """The path of a new link to the first report."""
    page = send(browser, "/reports/saved/1/share", report="1", do="share", days=days).text
    found = re.search(r'value="https://calls.example(/shared/reports/[^"]+)"', page)
    assert found, page
    return found[1]


def count(site: Site, model: type[Any]) -> int:
    with site.database.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def actions(site: Site) -> list[str]:
    with site.database.read() as session:
        wanted = sa.select(AuditEntry.action).where(AuditEntry.action.startswith("report."))
        return list(session.scalars(wanted.order_by(AuditEntry.id)))


def test_a_report_is_saved_renamed_and_deleted(site: Site, ann: FlaskClient) -> None:
    assert "No report is saved yet" in ann.get("/reports/saved").text
    assert save(ann).location == "/reports/saved#report-1"
    page = ann.get("/reports/saved").text
    assert 'href="/reports?company=pallets&amp;by=source&amp;period=30d"' in page
    assert "Source · 30 days" in page
    assert "Saved by Ann" in page
    assert "There is a report named" in save(ann).text
    assert save(ann, "Other", "?by=colour").status_code == 400
    assert send(ann, "/reports/saved/1/rename", report="1", do="rename", name=HOSTILE).status_code == 303
    page = ann.get("/reports/saved").text
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    assert send(ann, "/reports/saved/1/delete", report="1", do="delete").status_code == 303
    assert count(site, SavedReport) == 0
    assert actions(site) == ["report.save", "report.rename", "report.delete"]


def test_it_is_sent_when_and_to_whom_an_admin_says(site: Site, ann: FlaskClient) -> None:
    save(ann)
    path = "/reports/saved/1/schedules"
    form = {"report": "1", "do": "schedule", "every": "week", "weekday": "0", "day": "5", "hour": "8"}
    page = send(ann, path, **form, to="olga").text
    assert "&#39;olga&#39; is no e-mail address" in page
    assert ">olga</textarea>" in page
    assert send(ann, path, **form, to="boss@x.example, olga@pallets.example").status_code == 303
    page = ann.get("/reports/saved").text
    assert "Every week: Monday, 08:00" in page
    assert "boss@x.example, olga@pallets.example" in page
    assert "No mail server is set yet" in page
    assert send(ann, f"{path}/1/send", report="1", do="time").status_code == 303
    assert count(site, ReportMail) == 2
    assert "On its way to boss@x.example." in ann.get("/reports/saved").text
    with site.database.write() as session:
        session.execute(
            sa.update(ReportMail).where(ReportMail.address == "boss@x.example").values(sent_at=site.now)
        )
        session.execute(
            sa.update(ReportMail)
            .where(ReportMail.address != "boss@x.example")
            .values(given_up_at=site.now, tried_at=site.now, answer="550 no such mailbox")
        )
    page = ann.get("/reports/saved").text
    assert "Sent to boss@x.example: Today" in page
    assert "Not delivered to olga@pallets.example: 550 no such mailbox" in page
    assert "It is not tried again: press Send now when all is right." in page
    tried = {"tried_at": site.now, "given_up_at": None, "answer": "451 full", "due_at": site.now + HOUR}
    with site.database.write() as session:
        session.execute(sa.update(ReportMail).values(sent_at=None, **tried))
    page = ann.get("/reports/saved").text
    assert "Not delivered to olga@pallets.example yet: 451 full" in page
    assert re.search(r"Last try: Today.*\d\d:\d\d\. Next try: Today.*\d\d:\d\d\.", page)
    assert send(ann, f"{path}/1/delete", report="1", do="time").status_code == 303
    assert (count(site, ReportSchedule), count(site, ReportMail)) == (0, 0)
    assert actions(site) == ["report.save", "report.schedule", "report.send", "report.unschedule"]


def test_a_manager_saves_and_shares_and_a_listener_does_neither(site: Site, ann: FlaskClient) -> None:
    manager = log_in(site, "max@pallets.example", pallets=Role.MANAGER)
    listener = log_in(site, "liz@pallets.example", pallets=Role.LISTENER)
    assert save(manager).status_code == 303
    schedule = {"every": "day", "hour": "8", "to": "a@x.example"}
    assert send(manager, "/reports/saved/1/schedules", **schedule).status_code == 403
    assert "Send it regularly" not in manager.get("/reports/saved").text
    assert shared(manager)
    assert send(ann, "/reports/saved/1/schedules", **schedule).status_code == 303
    assert send(manager, "/reports/saved/1/delete").status_code == 403  # an admin has it sent
    for path in ("/reports/saved", "/reports.xlsx"):
        assert listener.get(path).status_code == 403
    for what in ("", "/1/rename", "/1/delete", "/1/share", "/1/share/1/revoke", "/1/schedules"):
        assert send(listener, f"/reports/saved{what}", name="x").status_code == 403, what


def test_another_company_finds_none_of_it(site: Site, ann: FlaskClient) -> None:
    save(ann, "Secret spring")
    shared(ann)
    send(ann, "/reports/saved/1/schedules", every="day", hour="8", to="a@x.example")
    eve = log_in(site, "eve@rival.example", rival=Role.OWNER)
    assert "Secret spring" not in eve.get("/reports/saved").text
    for what in (
        "rename", "delete", "share", "share/1/revoke", "schedules", "schedules/1/delete", "schedules/1/send",
    ):  # fmt: skip
        form = {"name": "x", "days": "7", "every": "day", "hour": "8", "to": "eve@rival.example"}
        assert send(eve, f"/reports/saved/1/{what}", **form).status_code == 404, what
    assert send(eve, "/reports/saved", name="x", query="", company="pallets").status_code == 404
    assert count(site, SavedReport) == 1


def test_a_link_shows_figures_and_nobody_s_calls(site: Site, ann: FlaskClient) -> None:
    save(ann, "Spring", "?by=source&compare=yes")
    path = shared(ann)
    stranger = site.app.test_client()
    answer = stranger.get(path)
    page = answer.text
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow, noarchive"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Spring" in page
    assert "What follows from this" in page
    assert "900" in page
    assert "calls have a source" in page
    assert "/calls" not in page
    assert "+7" not in page
    assert "<form" not in page
    stranger.head(path)
    with site.database.read() as session:
        assert session.scalars(sa.select(ReportLink.opened)).one() == 1
        entry = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "report.open")).one()
        assert (entry.actor, entry.subject) == ("link:report 1", "Spring")
    assert "Opened 1 time" in ann.get("/reports/saved").text
    assert "Link report 1" in log_in(site, "own@pallets.example", pallets=Role.OWNER).get("/audit").text
    assert send(ann, "/reports/saved/1/share/1/revoke", report="1").status_code == 303
    assert stranger.get(path).status_code == 410
    assert "This link was taken back" in stranger.get(path).text


def test_a_link_ends_with_its_days_and_nobody_guesses_one(site: Site, ann: FlaskClient) -> None:
    save(ann)
    path, stranger = shared(ann, "1"), site.app.test_client()
    assert "cannot live 5 days" in send(ann, "/reports/saved/1/share", report="1", do="share", days="5").text
    site.later(days=1)
    assert stranger.get(path).status_code == 410
    statuses = {
        stranger.get(f"/shared/reports/{place}", environ_overrides={"REMOTE_ADDR": "192.0.2.9"}).status_code
        for place in range(40)
    }
    assert statuses == {404, 429}


def test_a_link_of_who_has_left_opens_nothing(site: Site, ann: FlaskClient) -> None:
    save(ann)
    path, stranger = shared(ann, "1"), site.app.test_client()
    eve = log_in(site, "eve@pallets.example", pallets=Role.OWNER)
    assert "Take back" in eve.get("/reports/saved").text
    with site.database.write() as session:
        people.take_role(
            session, people.find_user(session, "ann@pallets.example"), session.get_one(Company, 1)
        )
    assert stranger.get(path).status_code == 410
    listed = eve.get("/reports/saved").text
    assert "Taken back" in listed
    assert "Take back" not in listed


def test_a_workbook_has_the_words_of_the_address(site: Site, ann: FlaskClient) -> None:
    answer = ann.get("/reports.xlsx?by=channel&split=weekday&period=7d&compare=yes")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="channel-2026-11-')
    book = Book(answer.data)
    assert book.names == ["Report", "How to read it"]
    rows = book.rows()
    assert rows[-1]["Channel"] == "Total"
    assert rows[-1]["Calls"] == sum(row["Calls"] for row in rows[:-1]) == 17
    assert sum(row["Cost, EUR"] or 0 for row in rows[:-1]) == rows[-1]["Cost, EUR"] == 900
    assert "Before: Calls" in rows[0]
    assert ann.get("/reports.xlsx?by=colour").status_code == 400
    assert actions(site) == ["report.export"]
    both = log_in(site, "both@agency.example", pallets=Role.OWNER, rival=Role.OWNER)
    assert "about one company" in both.get("/reports.xlsx").text
    assert Book(both.get("/reports.xlsx?company=rival").data).rows()[-1]["Calls"] == 0
