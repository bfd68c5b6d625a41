"""Settings in the page: “check my site” and “call my number”, as the page shows them."""

from __future__ import annotations

from datetime import datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from support.facts import Pallets, answered, ended, started
from support.settings_page import HERE, actions, admin, done, number, refused, send, two_companies
from support.site import Site

from tracker import site_checks
from tracker.books import record, record_all
from tracker.database import Database
from tracker.models import Refusal, SiteCheck, Target

AT = f"{HERE}/sites/1/check"
REPORT = {
    "ok": False,
    "problem": None,
    "key": "k",
    "not_there": ["+74957654321"],
    "policy": ["connect-src forbids https://calls.example/"],
    "console": ["<script>alert(1)</script>"],
    "findings": [
        {"number": "+74957654321", "verdict": "missed", "where": "text in p", "before": "<b>8 495</b>",
         "after": "8 495", "why": "split over elements"},
    ],
}  # fmt: skip


@pytest.fixture
def site(database: Database, tmp_path: Path, now: datetime) -> Site:
    return two_companies(database, tmp_path, now)


@pytest.fixture
def ann(site: Site) -> FlaskClient:
    return admin(site)


def checks(site: Site) -> list[SiteCheck]:
    with site.database.read() as session:
        return list(session.scalars(sa.select(SiteCheck).order_by(SiteCheck.id)))


# ---- check my site ----


def test_a_check_is_asked_for_and_its_result_shown(site: Site, ann: FlaskClient) -> None:
    assert 'value="https://pallets.example/"' in ann.get(AT).text
    assert done(send(ann, AT, url="pallets.example/contact")) == AT
    html = ann.get(AT).text
    assert "being looked at" in html
    assert 'data-again="yes"' in html
    done(send(ann, AT, url="pallets.example/other"))  # the one that is under way
    (check,) = checks(site)
    assert (check.url, check.actor) == ("https://pallets.example/contact", "ann@pallets.example")
    with site.database.write() as session:
        site_checks.finish(session, check.id, site.now, report=REPORT, problem=None)
    html = ann.get(AT).text
    for words in ("Not good", "Missed", "split over elements", "+74957654321", "connect-src forbids"):
        assert words in html
    assert "<script>alert" not in html
    assert "<b>8 495" not in html
    assert 'data-again="no"' in html
    assert actions(site)[-1] == "site.check"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "no address"),
        ("ftp://pallets.example/", "no address"),
        ("http://", "no address"),
        ("https://rival.example/", "none of the domains"),
        ("http://127.0.0.1/", "none of the domains"),
        ("http://pallets.example@127.0.0.1/", "none of the domains"),
    ],
)
def test_only_pages_of_the_site_are_looked_at(site: Site, ann: FlaskClient, typed: str, words: str) -> None:
    html = refused(send(ann, AT, url=typed), "url", words)
    assert f'value="{typed}"' in unescape(html)
    assert checks(site) == []


def test_a_check_that_could_not_be_made_says_why(site: Site, ann: FlaskClient) -> None:
    done(send(ann, AT, url="pallets.example"))
    site.later(minutes=4)
    assert "longer than it should" in ann.get(AT).text
    with site.database.write() as session:
        site_checks.finish(session, 1, site.now, report=None, problem="Chromium is not installed")
    assert "Chromium is not installed" in ann.get(AT).text


def test_a_check_is_held_by_one_worker_and_taken_over_when_that_died(site: Site, ann: FlaskClient) -> None:
    done(send(ann, AT, url="pallets.example"))

    def claim(at: datetime) -> int | None:
        with site.database.write() as session:
            found = site_checks.claim(session, at)
            return found.tries if found else None

    now = site.now
    assert claim(now) == 1
    assert claim(now + timedelta(minutes=2)) is None
    assert claim(now + timedelta(minutes=3)) == 2
    assert claim(now + timedelta(minutes=6)) == 3  # the worker gives this one up
    with site.database.write() as session:
        site_checks.finish(session, 1, now, report=None, problem="x")
        assert not site_checks.waits(session, now + timedelta(hours=1))


def test_old_checks_are_forgotten(site: Site, ann: FlaskClient) -> None:
    for _ in range(25):
        done(send(ann, AT, url="pallets.example"))
        with site.database.write() as session:
            session.execute(sa.update(SiteCheck).values(done_at=site.now))
    assert len(checks(site)) == site_checks.KEPT


# ---- call my number ----


def calling(ann: FlaskClient, e164: int) -> str:
    """The page's address with the instant at which the waiting began."""
    answer = ann.get(f"{HERE}/numbers/{e164}/check")
    assert answer.status_code == 302
    return answer.headers["Location"]


def test_a_call_appears_when_it_comes(site: Site, ann: FlaskClient) -> None:
    with site.database.write() as session:
        earlier = site.now - timedelta(minutes=9)
        record_all(session, [started(Pallets.billboard, earlier, "earlier"), ended(earlier, "earlier")])
    at = calling(ann, number(site, Pallets.billboard).id)
    html = ann.get(at).text
    assert Pallets.billboard in html
    assert "Now call it" in html
    assert 'data-again="yes"' in html
    site.later(seconds=20)
    with site.database.write() as session:
        record(session, started(Pallets.billboard, site.now, "rings"))
    html = ann.get(at).text
    assert "It is going on" in html
    assert 'href="/calls/rings"' in html
    with site.database.write() as session:
        office = session.scalars(sa.select(Target.id).where(Target.name == "office")).one()
        over = site.now + timedelta(seconds=9)
        record_all(session, [answered(office, site.now, "rings"), ended(over, "rings")])
    html = ann.get(at).text
    assert "Answered" in html
    assert "(office)" in html
    assert 'data-again="no"' in html


def test_a_call_that_was_turned_away_is_told(site: Site, ann: FlaskClient) -> None:
    at = calling(ann, number(site, Pallets.billboard).id)
    with site.database.write() as session:
        did = Pallets.billboard
        session.add(Refusal(key="r1", at=site.now, node="main", did=did, reason="unknown_number"))
    assert "turned away" in ann.get(at).text


def test_what_is_wrong_before_anybody_calls_is_told(site: Site, ann: FlaskClient) -> None:
    html = ann.get(calling(ann, number(site, Pallets.billboard).id)).text
    assert "office for 25 s" in html
    assert "Not known" in html
    with site.database.write() as session:
        session.execute(sa.text("DELETE FROM forwardings"))
    at = done(send(ann, f"{HERE}/numbers/add", numbers="8 495 111-22-33"))
    html = ann.get(calling(ann, int(at.rsplit("/", 1)[1]))).text
    assert "Nobody" in html
    assert "no source" in html


def test_nobody_waits_for_ever(site: Site, ann: FlaskClient) -> None:
    at = calling(ann, number(site, Pallets.billboard).id)
    site.later(hours=2)
    html = ann.get(at).text
    assert "No call came" in html
    assert 'data-again="no"' in html
    for since in ("x", "1", str(int(site.now.timestamp()) + 9)):
        assert ann.get(f"{at.split('?')[0]}?since={since}").status_code == 302
