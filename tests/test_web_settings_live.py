"""Settings in the page: whether changes are live, and the button that has them made so."""

from __future__ import annotations

from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from support.settings_page import HERE, actions, admin, done, send, two_companies
from support.site import Site, log_in

from tracker.database import Database
from tracker.models import ApplyRequest, NodeConfiguration, Role, Target


@pytest.fixture
def site(database: Database, tmp_path: Path, now: datetime) -> Site:
    return two_companies(database, tmp_path, now)


@pytest.fixture
def ann(site: Site) -> FlaskClient:
    return admin(site)


def saw(site: Site, **more: Any) -> None:
    """What the worker of the node wrote down a moment ago."""
    plain = {"audit_id": 0, "request_id": 0, "waiting": [], "live_at": site.now, "runs": True, "restart": [],
             "problem": None, "fix": None, "endpoints": {}}  # fmt: skip
    with site.database.write() as session:
        session.merge(NodeConfiguration(node="main", looked_at=site.now, **plain | more))


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ({}, "Live since today"),
        ({"runs": False}, "the phone system is not running"),
        ({"restart": ["rtp.conf"]}, "next start"),
        ({"waiting": ["pjsip.conf"]}, "Not live yet."),
    ],
)
def test_every_page_says_how_the_changes_stand(
    site: Site, ann: FlaskClient, seen: dict[str, Any], words: str
) -> None:
    assert "the worker is not running" in ann.get(HERE).text
    saw(site, **seen)
    for path in ("", "/numbers", "/numbers/1", "/forwarding/company", "/live"):
        assert words in ann.get(HERE + path).text, path


def test_a_change_is_not_live_before_somebody_asks(site: Site, ann: FlaskClient) -> None:
    saw(site)
    done(send(ann, f"{HERE}/channels/1", name="Bus", source="bus", medium="offline"))
    page = ann.get(f"{HERE}/channels").text
    assert "Not live yet." in page
    assert f'action="{HERE}/live"' in page
    assert f'name="back" value="{HERE}/channels"' in page
    assert done(send(ann, f"{HERE}/live", back=f"{HERE}/channels")) == f"{HERE}/channels"
    assert "being made live" in ann.get(f"{HERE}/channels").text
    assert actions(site)[-1] == "apply.ask"
    site.later(seconds=30)
    assert "longer than it should" in ann.get(HERE).text
    with site.database.read() as session:
        request = session.scalars(sa.select(ApplyRequest)).one()
    assert (request.actor, request.company_id) == ("ann@pallets.example", 1)
    saw(site, audit_id=999, request_id=request.id)
    assert "Live since" in ann.get(HERE).text
    site.later(minutes=4)
    assert "the worker is not running" in ann.get(HERE).text


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/calls", f"{HERE}/\\evil", ""])
def test_the_button_leads_back_into_the_settings_only(ann: FlaskClient, back: str) -> None:
    assert done(send(ann, f"{HERE}/live", back=back)) == HERE


def test_what_is_wrong_names_an_entry_only_to_who_administers_all(site: Site, ann: FlaskClient) -> None:
    saw(site, problem="target 7 “Vault” of Rival: host 'x' is no address", fix="Correct it")
    both = log_in(site, "both@agency.example", pallets=Role.OWNER, rival=Role.ADMIN)
    assert "Vault" in unescape(both.get(HERE).text)
    html = ann.get(HERE).text
    assert "cannot be made live" in html
    assert "Vault" not in html


def test_targets_and_trunks_say_whether_they_answer(site: Site, ann: FlaskClient) -> None:
    with site.database.read() as session:
        office = session.scalars(sa.select(Target.id).where(Target.name == "office")).one()
    saw(site, endpoints={f"target-{office}": "Not in use", "trunk-1": "Unavailable"})
    html = ann.get(f"{HERE}/targets").text
    assert html.count(">Answers<") == 1
    assert html.count(">Not known<") == 1
    assert ">Does not answer<" in ann.get(f"{HERE}/trunks").text
    assert ">Answers<" in ann.get(f"{HERE}/targets/{office}").text
    saw(site, endpoints={"trunk-1": "Unregistered"})
    assert ">Not logged in<" in ann.get(f"{HERE}/trunks").text


def test_others_make_nothing_live(site: Site) -> None:
    bob = log_in(site, "bob@pallets.example", pallets=Role.MANAGER)
    eve = log_in(site, "eve@rival.example", rival=Role.OWNER)
    assert send(bob, f"{HERE}/live").status_code == 403
    assert send(eve, f"{HERE}/live").status_code == 404
    with site.database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ApplyRequest)) == 0
