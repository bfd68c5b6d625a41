"""Settings in the page: who calls out and how, a number tried out, and what of a target may be changed."""

from __future__ import annotations

from datetime import datetime
from html import unescape
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from support.command import ready
from support.settings_page import HERE, actions, admin, done, field, refused, send, two_companies
from support.site import Site, csrf_token, log_in
from werkzeug.test import TestResponse

from tracker import applying, outgoing, targets
from tracker.audit import By
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import Company, DialAs, Number, Refusal, Role, Srtp, Target, TargetKind, Trunk

AT = f"{HERE}/outgoing"
RULE = {
    "do": "allow", "trunk": "pallets-carrier", "countries": "RU", "prefixes": "", "daily_calls": "500",
    "daily_minutes": "1000", "record": "yes",
}  # fmt: skip


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    return two_companies(sqlite, tmp_path, now)


@pytest.fixture
def ann(site: Site) -> FlaskClient:
    return admin(site)


@pytest.fixture
def shown(site: Site) -> str:
    """A number of Pallets."""
    with site.database.read() as session:
        return session.scalars(sa.select(Number.e164).where(Number.company_id == 1)).first() or ""


def target(site: Site, name: str) -> Target:
    with site.database.read() as session:
        return session.scalars(sa.select(Target).where(Target.name == name)).one()


def rule(site: Site) -> dict[str, object] | None:
    with site.database.read() as session:
        found = outgoing.rule_of(session, 1)
        return outgoing.describe(found) if found else None


def grant(browser: FlaskClient, *targets: int) -> TestResponse:
    form = {"csrf": csrf_token(browser), "do": "grant", "target": [str(each) for each in targets]}
    return browser.post(AT, data=form)


def granted(site: Site) -> list[str]:
    with site.database.read() as session:
        return [each.name for each in outgoing.granted(session, session.get_one(Company, 1))]


def tried(browser: FlaskClient, wanted: str, target_id: int) -> str:
    html = browser.get(AT, query_string={"try": wanted, "from": str(target_id)}).text
    assert 'class="decided"' in html
    return " ".join(unescape(html.split('class="decided"')[1].split("</form>")[0]).split())


def test_calling_out_is_allowed_changed_tried_and_forbidden(site: Site, ann: FlaskClient, shown: str) -> None:
    office, mobile = target(site, "office").id, target(site, "mobile").id
    assert "Not allowed" in ann.get(AT).text
    assert "Nobody calls out" in ann.get(HERE).text
    assert "may not call out" in tried(ann, "8 916 555-01-01", office)
    assert done(send(ann, AT, **RULE, number=shown)) == AT
    assert "Allowed, but no phone may yet" in ann.get(HERE).text
    with site.database.read() as session:
        assert applying.newest_change(session) > 0  # it waits to be made live
    assert done(grant(ann, office)) == AT
    assert granted(site) == ["office"]
    told = tried(ann, "8 916 555-01-01", office)
    for word in ("Is called", "555-01-01", "pallets-carrier", ">Yes<"):
        assert word in told
    assert "may not call out" in tried(ann, "8 916 555-01-01", mobile)
    assert "An emergency number" in tried(ann, "112", mobile)
    assert "another country" in tried(ann, "+49 30 123456", office)
    assert "costs whoever calls" in tried(ann, "8 809 505-00-00", office)
    assert "no telephone number" in tried(ann, "hello", office)
    wider = RULE | {"countries": "ru de", "prefixes": "+4122", "daily_calls": "0"}
    done(send(ann, AT, **wider, number=shown))
    assert "calls allowed a day are used up" in tried(ann, "+49 30 123456", office)
    assert rule(site) == {
        "trunk": "pallets-carrier", "number": shown, "countries": ["DE", "RU"], "prefixes": ["+4122"],
        "daily_calls": 0, "daily_minutes": 1000, "record": True,
    }  # fmt: skip
    count = len(actions(site))
    done(send(ann, AT, **wider, number=shown))
    done(grant(ann, office))
    assert len(actions(site)) == count  # nothing was changed
    done(grant(ann, mobile))
    assert granted(site) == ["mobile"]
    done(send(ann, AT, do="forbid"))
    assert rule(site) is None
    assert actions(site)[-6:] == [
        "outgoing.allow", "outgoing.grant", "outgoing.allow", "outgoing.revoke", "outgoing.grant",
        "outgoing.forbid",
    ]  # fmt: skip


def test_a_carrier_gets_the_number_as_it_wants_it_dialled(site: Site, ann: FlaskClient, shown: str) -> None:
    office = target(site, "office").id
    done(send(ann, AT, **RULE, number=shown))
    done(grant(ann, office))
    with site.database.write() as session:
        session.execute(sa.update(Trunk).values(dial_as=DialAs.NATIONAL, country="RU"))
    with site.database.read() as session:
        found = outgoing.permit(session, office, "+7 916 555-01-01", site.now)
        assert isinstance(found, outgoing.Permit)
        assert (found.e164, found.dialled) == ("+79165550101", "89165550101")
    assert "dialled as 89165550101" in tried(ann, "+7 916 555-01-01", office)


@pytest.mark.parametrize(
    ("form", "name", "words"),
    [
        ({"trunk": ""}, "trunk", "No trunk is chosen"),
        ({"trunk": "nobody"}, "trunk", "no trunk"),
        ({"number": ""}, "number", "No number is chosen"),
        ({"countries": "XX"}, "countries", "is no country"),
        ({"prefixes": "0049"}, "prefixes", "no beginning"),
        ({"daily_calls": "many"}, "daily_calls", "no limit"),
        ({"daily_minutes": "-1"}, "daily_minutes", "no limit"),
        ({"do": "dance"}, "", "what to do"),
    ],
)
def test_what_is_no_rule_is_refused_beside_its_field(
    site: Site, ann: FlaskClient, shown: str, form: dict[str, str], name: str, words: str
) -> None:
    html = refused(send(ann, AT, **{**RULE, "number": shown, **form}), name, words)
    if name not in {"", "trunk", "number"}:
        assert f'value="{form[name]}"' in field(html, name)
    assert rule(site) is None


def test_a_trunk_that_is_switched_off_is_no_way_out(site: Site, ann: FlaskClient, shown: str) -> None:
    done(send(ann, AT, **RULE, number=shown))
    with site.database.write() as session:
        session.execute(sa.update(Trunk).values(retired_at=site.now))
    refused(send(ann, AT, **RULE, number=shown), "trunk", "is switched off")


def test_what_did_not_go_out_is_listed_with_its_reason(site: Site, ann: FlaskClient) -> None:
    with site.database.write() as session:
        session.add(
            Refusal(key="r-1", at=site.now, node="main", did="+4930123456", reason="outgoing-abroad",
                    target_id=target(site, "office").id)
        )  # fmt: skip
    html = ann.get(AT).text
    assert "A number of another country" in html
    assert "+49 30 123456" in html


def test_only_admins_of_the_company_see_or_change_it(site: Site, ann: FlaskClient, shown: str) -> None:
    office = target(site, "office").id
    done(send(ann, AT, **RULE, number=shown))
    eve = log_in(site, "eve@rival.example", rival=Role.OWNER)
    olga = log_in(site, "olga@pallets.example", pallets=Role.MANAGER)
    for browser, status in ((eve, 404), (olga, 403)):
        assert browser.get(AT).status_code == status
        for do in ("allow", "grant", "forbid"):
            assert send(browser, AT, do=do, target=str(office)).status_code == status
        assert send(browser, f"{HERE}/targets/{office}", do="change").status_code == status
    theirs = "/settings/rival/outgoing"
    assert eve.get(f"{theirs}?try=112&from={office}").status_code == 404
    assert send(eve, theirs, do="grant", target=str(office)).status_code == 303  # not among their own
    assert send(eve, f"/settings/rival/targets/{office}", do="change").status_code == 404
    assert send(eve, theirs, **RULE, number=shown).status_code == 404
    assert send(ann, AT, **RULE, number="+493011112222").status_code == 404
    assert "office" not in eve.get(theirs).text
    assert (granted(site), rule(site) is not None) == ([], True)


# ---- what may be changed of a target ----


def test_how_a_phone_system_is_called_is_changed_on_its_page(site: Site, ann: FlaskClient) -> None:
    at = f"{HERE}/targets/{target(site, 'office').id}"
    form = {"do": "change", "caller_id": "diversion", "srtp": "optional", "tls_verify": "yes"}
    done(send(ann, at, **form, tells_source="yes"))
    it = target(site, "office")
    assert (it.caller_id, it.srtp, it.tells_source, it.whispers) == ("diversion", Srtp.OPTIONAL, True, False)
    assert "the number dialled in Diversion" in unescape(ann.get(at).text)
    refused(send(ann, at, **form | {"srtp": "required"}), "srtp", "sent in the clear")
    refused(send(ann, at, **form | {"caller_id": "x"}), "caller_id", "not known")
    assert target(site, "office").srtp is Srtp.OPTIONAL
    count = len(actions(site))
    done(send(ann, at, **form, tells_source="yes"))
    assert len(actions(site)) == count
    assert actions(site)[-1] == "target.change"


def test_a_phones_sound_and_its_links_life_are_chosen(site: Site, ann: FlaskClient) -> None:
    send(ann, f"{HERE}/targets/add", kind="phone", name="Reception", srtp="required")
    made = target(site, "Reception")
    at = f"{HERE}/targets/{made.id}"
    assert made.srtp is Srtp.REQUIRED
    done(send(ann, at, do="change", srtp="off", whispers="yes"))
    assert target(site, "Reception").srtp is Srtp.OFF
    refused(send(ann, at, do="provision", hours="999"), "hours", "cannot live 999 hours")
    refused(send(ann, at, do="provision", hours="soon"), "hours", "cannot live soon hours")
    assert "A link that sets up the phone" in send(ann, at, do="provision", hours="2", renew="yes").text
    assert target(site, "Reception").password != made.password
    assert actions(site)[-2:] == ["target.provision", "target.password"]


def test_a_phone_system_that_asks_who_we_are_is_added(site: Site, ann: FlaskClient) -> None:
    form = {"kind": "peer", "name": "PBX", "host": "pbx.example", "transport": "tls", "srtp": "required"}
    refused(send(ann, f"{HERE}/targets/add", **form, login="us"), "login", "user name and a password")
    done(send(ann, f"{HERE}/targets/add", **form, login="us", login_password="hush", tells_source="yes"))
    it = target(site, "PBX")
    assert (it.login, it.login_password, it.srtp, it.tells_source) == ("us", "hush", Srtp.REQUIRED, True)
    assert "hush" not in ann.get(f"{HERE}/targets/{it.id}").text + ann.get("/audit").text


def test_the_command_line_does_the_same(tmp_path: Path) -> None:
    here = ready(tmp_path)
    here.done("company", "add", "pallets", "--region", "RU")
    here.done("trunk", "add", "carrier", "--host", "192.0.2.1")
    here.done("number", "add", "+74951112233")
    here.done("target", "add", "PBX", "--peer", "192.0.2.2")
    here.done("target", "change", "PBX", "--caller-id", "own", "--tell-source")
    assert here.json("target", "show", "PBX")["caller_id"] == "own"
    assert "in the clear" in here.refused("target", "change", "PBX", "--srtp", "required")
    here.done("outgoing", "allow", "--trunk", "carrier", "--number", "+74951112233")
    here.done("outgoing", "grant", "PBX")
    told = here.json("outgoing", "try", "8 916 555-01-01", "--from", "PBX")
    assert (told["goes_out"], told["dialled"], told["trunk"]) == (True, "+79165550101", "carrier")
    assert here.json("outgoing", "try", "+4930123456", "--from", "PBX")["why"] == "abroad"


def test_what_a_kind_of_target_has_not_is_not_changed(site: Site) -> None:
    with site.database.write() as session:
        it = Target(
            company_id=1, name="cell", kind=TargetKind.OUTSIDE, e164="+79165550101", created_at=site.now
        )
        session.add(it)
        session.flush()
        with pytest.raises(Rejected, match="has no"):
            targets.change(session, By(site.now, "test"), it, targets.Wish(srtp="off"))
