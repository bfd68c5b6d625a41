"""Settings in the page: targets, who rings in what order, trunks to look at."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from support.settings_page import HERE, actions, admin, done, refused, send, two_companies
from support.site import Site, csrf_token, log_in
from werkzeug.test import TestResponse

from tracker import forward
from tracker.database import Database
from tracker.models import Company, Number, Role, Target, TargetKind, Trunk


@pytest.fixture
def site(database: Database, tmp_path: Path, now: datetime) -> Site:
    return two_companies(database, tmp_path, now)


@pytest.fixture
def ann(site: Site) -> FlaskClient:
    return admin(site)


def target(site: Site, name: str) -> Target:
    with site.database.read() as session:
        return session.scalars(sa.select(Target).where(Target.name == name)).one()


# ---- targets ----


def test_a_phone_system_is_added(site: Site, ann: FlaskClient) -> None:
    form = {"kind": "peer", "host": "pbx.example", "port": "5070", "transport": "tcp", "dial": "100"}
    at = done(send(ann, f"{HERE}/targets/add", name="Main line", **form))
    made = target(site, "Main line")
    assert (made.host, made.port, made.transport, made.dial) == ("pbx.example", 5070, "tcp", "100")
    assert "pbx.example:5070" in ann.get(at).text


def test_a_phones_password_is_shown_once(site: Site, ann: FlaskClient) -> None:
    answer = send(ann, f"{HERE}/targets/add", kind="phone", name="Reception")
    made = target(site, "Reception")
    assert made.username == "pallets-reception"
    assert f'value="{made.password}"' in answer.text
    at = f"{HERE}/targets/{made.id}"
    assert str(made.password) not in ann.get(at).text
    renewed = send(ann, at, do="password").text
    fresh = target(site, "Reception").password
    assert fresh != made.password
    assert f'value="{fresh}"' in renewed
    assert str(fresh) not in ann.get(f"{HERE}/targets").text + ann.get("/audit").text


def test_an_outside_number_is_dialled_over_a_trunk(site: Site, ann: FlaskClient) -> None:
    with site.database.read() as session:
        trunk = str(session.scalars(sa.select(Trunk.id)).one())
    form = {"kind": "outside", "name": "Mobile", "number": "8 915 123-45-67", "trunk": trunk}
    done(send(ann, f"{HERE}/targets/add", **form))
    assert (target(site, "Mobile").e164, target(site, "Mobile").kind) == ("+79151234567", TargetKind.OUTSIDE)


@pytest.mark.parametrize(
    ("form", "name", "words"),
    [
        ({"kind": "peer", "name": "office", "host": "a.example"}, "name", "already"),
        ({"kind": "peer", "name": "a/b", "host": "a.example"}, "name", "cannot be the name"),
        ({"kind": "peer", "name": "A", "host": "sip:x"}, "host", "is no host"),
        ({"kind": "peer", "name": "A", "host": "a.example", "port": "x"}, "port", "is no port"),
        ({"kind": "peer", "name": "A", "host": "a.example", "port": "99999"}, "port", "is no port"),
        ({"kind": "peer", "name": "A", "host": "a.example", "dial": "1;2"}, "dial", "cannot be dialled"),
        ({"kind": "peer", "name": "A", "host": "a.example", "transport": "x"}, "transport", "not known"),
        ({"kind": "peer", "name": "A", "host": "a.example", "caller_id": "x"}, "caller_id", "not known"),
        ({"kind": "phone", "name": "A", "username": "A B"}, "username", "user name"),
        ({"kind": "outside", "name": "A", "number": "8 809 505-00-00", "trunk": "1"}, "number", "premium"),
        ({"kind": "outside", "name": "A", "number": "+4930123456", "trunk": "1"}, "country", "number of DE"),
        ({"kind": "outside", "name": "A", "number": "8 915 123-45-67"}, "", "No trunk is chosen"),
        ({"kind": "drum", "name": "A"}, "", "what rings"),
    ],
)
def test_a_target_that_cannot_be_is_refused_as_typed(
    ann: FlaskClient, form: dict[str, str], name: str, words: str
) -> None:
    html = refused(send(ann, f"{HERE}/targets/add", **form), name, words)
    assert f'value="{form["name"]}"' in html


def test_a_target_that_rings_is_not_deleted(site: Site, ann: FlaskClient) -> None:
    office = target(site, "office").id
    refused(send(ann, f"{HERE}/targets/{office}", do="delete"), "", "is used by 1 forwarding")
    refused(send(ann, f"{HERE}/targets/{office}", do="password"), "", "has no password")
    refused(send(ann, f"{HERE}/targets/{office}", do="dance"), "", "what to do")
    form = {"kind": "peer", "host": "a.example"}
    at = done(send(ann, f"{HERE}/targets/add", name="Idle", **form))
    assert done(send(ann, at, do="delete")) == f"{HERE}/targets"
    assert actions(site)[-1] == "target.delete"


# ---- who rings ----


def ring(browser: FlaskClient, scope: str, do: str, *steps: tuple[int, str], **more: str) -> TestResponse:
    """Sends the order of a scope with a button's word."""
    form = {"csrf": csrf_token(browser), "do": do, **more}
    lists = {"target": [str(each) for each, _ in steps], "seconds": [each for _, each in steps]}
    return browser.post(f"{HERE}/forwarding/{scope}", data={**form, **lists})


def rings(site: Site, scope: str) -> list[tuple[str, int]]:
    with site.database.read() as session:
        owner = session.get_one(Company, 1)
        rows = forward.of_company(session, owner)
        ids = {"channel": "channel_id", "pool": "pool_id", "number": "number_id"}
        kind, _, number = scope.partition("-")
        if kind in ids:
            rows = [row for row in rows if getattr(row, ids[kind]) == int(number)]
        else:
            rows = [row for row in rows if not any(getattr(row, name) for name in ids.values())]
        return [(row.target.name, row.ring_seconds) for row in rows]


def shown(html: str) -> list[tuple[str, str]]:
    """The order in the form: names and seconds."""
    names = re.findall(r"<b>\d+\. ([^<]+)</b>", html)
    return list(zip(names, re.findall(r'name="seconds" value="([^"]*)"', html), strict=True))


def test_the_order_is_arranged_by_buttons_and_stored_by_saving(site: Site, ann: FlaskClient) -> None:
    office, mobile = target(site, "office").id, target(site, "mobile").id
    before = rings(site, "company")
    assert shown(ann.get(f"{HERE}/forwarding/company").text) == [("office", "25"), ("mobile", "25")]
    steps = ((office, "25"), (mobile, "40"))
    html = ring(ann, "company", "up-2", *steps).text
    assert shown(html) == [("mobile", "40"), ("office", "25")]
    assert "Not saved yet" in html
    assert shown(ring(ann, "company", "down-1", *steps).text) == [("mobile", "40"), ("office", "25")]
    assert shown(ring(ann, "company", "remove-1", *steps).text) == [("mobile", "40")]
    more = ring(ann, "company", "add", *steps, new_target=str(office), new_seconds="5").text
    assert shown(more) == [("office", "25"), ("mobile", "40"), ("office", "5")]
    for odd in ("up-1", "down-2", "up-9", "remove-0", "dance-1", ""):
        assert len(shown(ring(ann, "company", odd, *steps).text)) == 2
    assert rings(site, "company") == before
    done(ring(ann, "company", "save", (mobile, "40"), (office, "15")))
    assert rings(site, "company") == [("mobile", 40), ("office", 15)]
    assert actions(site)[-1] == "forward.set"


@pytest.mark.parametrize("scope", ["channel-1", "pool-1", "number-1"])
def test_every_scope_has_its_own_order_and_forgets_it(site: Site, ann: FlaskClient, scope: str) -> None:
    mobile = target(site, "mobile").id
    html = ann.get(f"{HERE}/forwarding/{scope}").text
    assert "office for 25 s" in html  # as for the whole company
    done(ring(ann, scope, "save", (mobile, "12")))
    assert rings(site, scope) == [("mobile", 12)]
    assert "mobile for 12 s" in ann.get(f"{HERE}/forwarding").text
    done(ring(ann, scope, "clear"))
    assert rings(site, scope) == []
    answer = ring(ann, scope, "clear")
    assert answer.status_code == 400
    assert "Nothing is set" in answer.text


def test_a_number_follows_its_channel_until_it_has_its_own(site: Site, ann: FlaskClient) -> None:
    done(ring(ann, "channel-1", "save", (target(site, "mobile").id, "12")))
    assert "mobile for 12 s" in ann.get(f"{HERE}/forwarding/number-1").text
    assert "mobile for 12 s" in ann.get(f"{HERE}/numbers/1").text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [("0", "no time to ring"), ("301", "no time to ring"), ("soon", "no time to ring"), (None, "No target")],
)
def test_an_order_that_cannot_be_is_refused_as_typed(
    site: Site, ann: FlaskClient, seconds: str | None, words: str
) -> None:
    steps = () if seconds is None else ((target(site, "office").id, seconds),)
    answer = ring(ann, "company", "save", *steps)
    html = refused(answer, "", words)
    assert shown(html) == ([] if seconds is None else [("office", seconds)])


def test_another_companys_targets_and_scopes_are_out_of_reach(site: Site, ann: FlaskClient) -> None:
    eve = log_in(site, "eve@rival.example", rival=Role.OWNER)
    office = target(site, "office").id
    token = csrf_token(eve)
    stolen = {"csrf": token, "do": "save", "target": str(office), "seconds": "20"}
    answer = eve.post("/settings/rival/forwarding/company", data=stolen)
    assert answer.status_code == 400  # nothing of hers is in the order
    assert "office" not in answer.text
    with site.database.read() as session:
        theirs = session.scalars(sa.select(Number.id).where(Number.company_id == 2)).one()
    for scope in (f"number-{theirs}", "channel-3", "drum-1", "number-x"):
        assert ann.get(f"{HERE}/forwarding/{scope}").status_code == 404, scope
    assert ann.get(f"{HERE}/targets/99").status_code == 404
    assert eve.get(f"/settings/rival/targets/{office}").status_code == 404


def test_the_choice_of_a_scope_leads_nowhere_else(ann: FlaskClient) -> None:
    answer = ann.get(f"{HERE}/forwarding?scope=number-1")
    assert answer.headers["Location"] == f"{HERE}/forwarding/number-1"
    answer = ann.get(f"{HERE}/forwarding?scope=//evil.example")
    assert answer.headers["Location"] == f"{HERE}/forwarding/company"


def test_trunks_are_shown_without_their_log_ins(site: Site, ann: FlaskClient) -> None:
    with site.database.write() as session:
        session.execute(sa.update(Trunk).values(username="4711", password="hush"))
    html = ann.get(f"{HERE}/trunks").text
    assert "pallets-carrier" in html
    assert "leaseline trunk add" in html
    assert "4711" not in html
    assert "hush" not in html
