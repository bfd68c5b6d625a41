"""Setting up a phone: a link that gives its account once, to whoever has it, until it expires."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
import sqlalchemy as sa
from support.command import ready
from support.config import by, main_line, pallets
from support.recorded import settings_in
from support.site import Site, csrf_of, csrf_token, log_in

from tracker import provisioning, targets
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import AuditEntry, Role, Target
from tracker.policy.phone_account import PhoneAccount, account_line, linphone_xml

ACCOUNT = PhoneAccount("Reception", "calls.example", 5060, 5061, "reception", "Kj7<&S3aQ", True, False)
NAMESPACE = "{http://www.linphone.org/xsds/lpconfig.xsd}"


def phone(database: Database, now: datetime) -> str:
    """A link to a new phone of Pallets."""
    with database.write() as session:
        company = pallets(session, now)
        target = targets.add(session, by(now), company, "Reception", targets.Phone("reception"))
        return provisioning.make_link(session, by(now), target)


def test_linphone_gets_an_account_it_can_read() -> None:
    tree = ElementTree.fromstring(linphone_xml(ACCOUNT))
    found = {
        (section.get("name"), entry.get("name")): entry.text
        for section in tree.iter(f"{NAMESPACE}section")
        for entry in section
    }
    assert found["proxy_0", "reg_proxy"] == "<sip:calls.example:5061;transport=tls>"
    assert found["proxy_0", "reg_identity"] == "<sip:reception@calls.example>"
    assert (found["auth_info_0", "username"], found["auth_info_0", "passwd"]) == ("reception", "Kj7<&S3aQ")
    assert (found["sip", "media_encryption"], found["sip", "verify_server_certs"]) == ("srtp", "0")


def test_baresip_gets_it_on_one_line() -> None:
    assert account_line(ACCOUNT) == (
        "<sip:reception@calls.example:5061;transport=tls>;auth_user=reception;auth_pass=Kj7<&S3aQ;mediaenc=srtp"
        ";regint=600"
    )


def test_a_link_gives_the_account_once(database: Database, now: datetime, tmp_path: Path) -> None:
    token, settings = phone(database, now), settings_in(tmp_path)
    with database.write() as session:
        account = provisioning.serve(session, now, "192.0.2.1", settings, token)
        assert account.password == session.scalars(sa.select(Target.password)).one()
    with pytest.raises(Rejected) as no, database.write() as session:
        provisioning.serve(session, now, "192.0.2.1", settings, token)
    assert no.value.id == "provision.served"
    with database.read() as session:
        entries = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [each.action for each in entries][-2:] == ["target.provision", "target.provisioned"]
    assert account.password not in str([each.detail for each in entries])


def test_a_newer_link_ends_an_older_one_and_every_link_expires(sqlite: Database, now: datetime) -> None:
    first = phone(sqlite, now)
    with sqlite.write() as session:
        target = session.scalars(sa.select(Target)).one()
        second = provisioning.make_link(session, by(now), target, hours=2)
    for token, at, problem in (
        (first, now, "share.revoked"),
        (second, now + timedelta(hours=2), "share.expired"),
        ("guessed", now, "share.unknown"),
    ):
        with pytest.raises(Rejected) as no, sqlite.read() as session:
            provisioning.find_link(session, token, at)
        assert no.value.id == problem
    with sqlite.write() as session:
        targets.delete(session, by(now), session.scalars(sa.select(Target)).one())


def test_only_a_phone_is_set_up(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        company = pallets(session, now)
        with pytest.raises(Rejected, match="is no phone"):
            provisioning.make_link(session, by(now), main_line(session, now, company))


def test_a_link_of_somebody_who_may_no_longer_change_settings_opens_nothing(site: Site) -> None:
    ann = log_in(site, "ann@pallets.example", pallets=Role.ADMIN)
    page = ann.post("/settings/pallets/targets/1", data={"csrf": csrf_token(ann), "do": "provision"}).text
    token = page.split("/phone/")[1].split('"')[0].split("/")[0]
    stranger = site.app.test_client()
    assert stranger.get(f"/phone/{token}").status_code == 200
    with site.database.write() as session:
        session.execute(sa.text("UPDATE memberships SET role = 'listener'"))
    assert stranger.get(f"/phone/{token}").status_code == 410
    assert stranger.get(f"/phone/{token}/linphone.xml").status_code == 410


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    with sqlite.write() as session:
        company = pallets(session, now)
        targets.add(session, by(now), company, "Reception", targets.Phone("reception"))
    return Site(sqlite, settings_in(tmp_path, secret_key="k" * 40), now)


def test_the_page_gives_nothing_away_until_somebody_asks(site: Site) -> None:
    with site.database.write() as session:
        target = session.scalars(sa.select(Target)).one()
        token = provisioning.make_link(session, by(site.now), target)
        password = target.password or ""
    stranger = site.app.test_client()
    for _ in range(2):  # whoever looks at links before people do
        page = stranger.get(f"/phone/{token}")
        assert page.status_code == 200
        assert password not in page.text
        assert "<svg" in page.text
    told = stranger.post(f"/phone/{token}", data={"csrf": csrf_of(page.text)})
    assert password in told.text
    assert told.headers["Cache-Control"] == "no-store"
    assert stranger.get(f"/phone/{token}").status_code == 410
    assert password not in stranger.get(f"/phone/{token}/linphone.xml").text


def test_linphone_fetches_it_without_a_log_in(site: Site) -> None:
    with site.database.write() as session:
        target = session.scalars(sa.select(Target)).one()
        token = provisioning.make_link(session, by(site.now), target)
        password = target.password or ""
    fetched = site.app.test_client().get(f"/phone/{token}/linphone.xml")
    assert fetched.mimetype == "application/xml"
    assert password in fetched.text


def test_the_command_line_shows_a_link_and_a_code(tmp_path: Path) -> None:
    here = ready(tmp_path)
    here.done("company", "add", "pallets", "--name", "Pallets", "--region", "RU")
    added = here.json("target", "add", "Reception", "--phone")
    thing = here.json("target", "provision", "Reception", "--new-password")
    assert "/phone/" in thing["link"]
    assert (thing["tls_port"], thing["certificate"]) == (5061, "signed by itself")
    told = here.done("target", "provision", "Reception")
    assert "█" in told or "▀" in told
    assert added["password"] not in told
    assert "Give 1 to 168" in here.refused("target", "provision", "Reception", "--hours", "0")
