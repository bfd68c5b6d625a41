"""A link to one call for somebody without an account: what it shows, how long, what is written down."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from support.facts import Pallets, add_pallets, answered, ended, started
from support.recorded import settings_in
from support.showroom import Told, furnish
from support.site import Site, csrf_token

from recordings import store
from tracker import people, share_links, worth
from tracker.audit import By
from tracker.books import record_all
from tracker.database import Database
from tracker.errors import Rejected
from tracker.models import AuditEntry, Call, Company, Recording, RecordingState, Role, ShareLink
from tracker.policy.facts import Presentation

ANN = "ann@pallets.example"
CALLS = (
    Told(3, Pallets.billboard, "+79161234567", talk=4, name="Secret Caller"),
    Told(9, Pallets.leaflet, "", talk=4, sound=False),
)


def by(now: datetime) -> By:
    return By(now, ANN, "192.0.2.1")


def call_of(session: Session, key: str) -> Call:
    return session.scalars(sa.select(Call).where(Call.key == key)).one()


@pytest.fixture
def books(database: Database, now: datetime) -> Database:
    """One call that is over and one that is going on."""
    with database.write() as session:
        pallets = add_pallets(session, now - timedelta(days=3))
        ann = people.add_user(session, ANN, "Ann", now)
        people.give_role(session, ann, session.get_one(Company, pallets.company_id), Role.MANAGER)
        begun = started(pallets.billboard, now, "over"), answered(pallets.office_id, now, "over")
        record_all(session, [*begun, ended(now + timedelta(minutes=1), "over")])
        record_all(session, [started(pallets.billboard, now, "going-on")])
    return database


def make(database: Database, at: datetime, days: int = 7, *, shows_caller: bool = False) -> str:
    with database.write() as session:
        call = call_of(session, "over")
        return share_links.make_link(session, by(at), call, days=days, shows_caller=shows_caller)


@pytest.mark.parametrize("days", [1, 7, 30])
def test_a_link_opens_its_call_until_it_expires(books: Database, now: datetime, days: int) -> None:
    token = make(books, now, days)
    for later, opens in ((timedelta(0), True), (timedelta(days=days), False)):
        with books.read() as session:
            if opens:
                link, call = share_links.find_link(session, token, now + later)
                assert (call.key, link.shows_caller) == ("over", False)
                continue
            with pytest.raises(Rejected, match="has expired"):
                share_links.find_link(session, token, now + later)


def test_the_books_hold_no_token(books: Database, now: datetime) -> None:
    token = make(books, now)
    with books.read() as session:
        link = session.scalars(sa.select(ShareLink)).one()
        assert len(token) >= 40
        assert token not in {str(value) for value in vars(link).values()}
        assert link.token_sha256 == people.token_sha256(token)


def test_a_link_that_was_taken_back_opens_nothing(books: Database, now: datetime) -> None:
    token, other = make(books, now), make(books, now)
    for minute in (1, 2):  # the second time changes nothing
        with books.write() as session:
            found = session.scalars(sa.select(ShareLink.id).order_by(ShareLink.id)).first()
            assert found
            at = now + timedelta(minutes=minute)
            share_links.revoke_link(session, by(at), call_of(session, "over"), found)
    with books.read() as session:
        with pytest.raises(Rejected, match="taken back"):
            share_links.find_link(session, token, now)
        share_links.find_link(session, other, now)
        links = share_links.links_of(session, call_of(session, "over"))
        assert [(it.by, it.link.revoked_at) for it in links] == [
            ("Ann", None), ("Ann", now + timedelta(minutes=1)),
        ]  # fmt: skip
        assert list(session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id))) == [
            "share.make", "share.make", "share.revoke",
        ]  # fmt: skip


@pytest.mark.parametrize("loss", ["demoted", "gone", "disabled"])
def test_a_link_opens_nothing_while_its_maker_may_not_share(
    books: Database, now: datetime, loss: str
) -> None:
    token = make(books, now)
    with books.write() as session:
        ann, company = people.find_user(session, ANN), session.get_one(Company, 1)
        if loss == "demoted":
            people.give_role(session, ann, company, Role.LISTENER)
        elif loss == "gone":
            people.take_role(session, ann, company)
        else:
            people.disable_user(session, ann, now)
    with books.write() as session:
        with pytest.raises(Rejected, match="taken back"):
            share_links.find_link(session, token, now)
        assert [it.is_void for it in share_links.links_of(session, call_of(session, "over"))] == [True]
        people.enable_user(session, people.find_user(session, ANN))
        people.give_role(session, people.find_user(session, ANN), session.get_one(Company, 1), Role.MANAGER)
        share_links.find_link(session, token, now)


def test_a_link_is_taken_back_on_its_own_call_only(books: Database, now: datetime) -> None:
    make(books, now)
    for key, link in (("going-on", 1), ("over", 99)):
        with books.write() as session, pytest.raises(Rejected, match="no such link"):
            share_links.revoke_link(session, by(now), call_of(session, key), link)


@pytest.mark.parametrize(("key", "days", "problem"), [("over", 2, "share.days"), ("over", 0, "share.days"),
                                                      ("going-on", 7, "share.going_on")])  # fmt: skip
def test_a_link_that_makes_no_sense_is_refused(
    books: Database, now: datetime, key: str, days: int, problem: str
) -> None:
    with books.write() as session, pytest.raises(Rejected) as refused:
        share_links.make_link(session, by(now), call_of(session, key), days=days, shows_caller=False)
    assert refused.value.id == problem


def test_openings_and_listenings_are_counted_and_written_down(books: Database, now: datetime) -> None:
    token = make(books, now)
    for minute in range(3):
        with books.write() as session:
            link, call = share_links.find_link(session, token, now)
            hand = By(now + timedelta(minutes=minute), share_links.actor_of(link), "198.51.100.7")
            share_links.note_opened(session, hand, link, call)
            if not share_links.was_played(session, hand, call):
                share_links.note_played(session, hand, link, call)
    with books.read() as session:
        link = session.scalars(sa.select(ShareLink)).one()
        assert (link.opened, link.played) == (3, 1)  # who goes on listening listens once
        entries = session.scalars(sa.select(AuditEntry).where(AuditEntry.actor == "link:1")).all()
        assert [it.action for it in entries] == ["share.open", "recording.play", *["share.open"] * 2]
        assert {(it.subject, it.company_id, it.client) for it in entries} == {("over", 1, "198.51.100.7")}


# ---- the pages ----


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    settings = settings_in(tmp_path, secret_key="k" * 40)
    room = furnish(sqlite, settings, now, CALLS)
    site = Site(sqlite, settings, now)
    site.app.config.update(KEYS=room.keys)
    with sqlite.write() as session:
        call = call_of(session, room.keys[0])
        worth.add_note(session, by(now), call, "A secret note")
        worth.add_tag(session, by(now), [call], "secret-tag")
    return site


@pytest.fixture
def ann(site: Site) -> FlaskClient:
    return site.log_in(ANN, 1)


def share(site: Site, ann: FlaskClient, place: int = 0, **form: str) -> str:
    """Makes a link as the page does; its path."""
    token = csrf_token(ann)
    form = {"csrf": token, "days": "7", **form}
    answer = ann.post(f"/calls/{site.app.config['KEYS'][place]}/share", data=form)
    assert answer.status_code == 200, answer.text
    found = re.search(r'value="[^"]*(/shared/[A-Za-z0-9_-]+)"', answer.text)
    assert found
    return found[1]


def stranger(site: Site) -> FlaskClient:
    return site.app.test_client()


def test_a_stranger_sees_the_call_and_hears_it_and_nothing_else(site: Site, ann: FlaskClient) -> None:
    path = share(site, ann)
    who = stranger(site)
    page = who.get(path)
    assert page.status_code == 200
    for told in (
        "Pallets",
        "Billboard",
        "Answered",
        "20 November 2026, 14:57",
        "0:07",
        "0:04",
        "<call-player",
    ):
        assert told in page.text, told
    key = site.app.config["KEYS"][0]
    for secret in ("Secret Caller", "123-45-67", "9161234567", "secret note", "secret-tag", key, "Journey",
                   "download", "Earlier"):  # fmt: skip
        assert secret not in page.text, secret
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert page.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in page.headers
    played = who.get(f"{path}/audio", headers={"Range": "bytes=0-99"})
    assert (played.status_code, len(played.data), played.mimetype) == (206, 100, "audio/mpeg")
    assert played.headers["Referrer-Policy"] == "no-referrer"
    for other in ("/calls", f"/calls/{key}", f"/calls/{key}/audio"):
        assert who.get(other).status_code == 302


def test_the_caller_is_shown_where_the_maker_said_so_and_the_caller_allows_it(
    site: Site, ann: FlaskClient
) -> None:
    page = stranger(site).get(share(site, ann, caller="yes")).text
    assert "8 (916) 123-45-67" in page
    assert "Secret Caller" not in page
    with site.database.write() as session:
        session.execute(sa.update(Call).values(presentation=Presentation.WITHHELD))
    assert "123-45-67" not in stranger(site).get(share(site, ann, caller="yes")).text


def test_every_opening_and_listening_is_told_on_the_calls_page(site: Site, ann: FlaskClient) -> None:
    path = share(site, ann)
    who = stranger(site)
    for _ in range(2):
        who.get(path)
    for start in (0, 50):
        who.get(f"{path}/audio", headers={"Range": f"bytes={start}-"})
    who.head(path)  # a mail program that only looks whether it is there
    html = ann.get(f"/calls/{site.app.config['KEYS'][0]}").text
    for told in ("Opened 2 times", "Played 1 time", "Made by Ann", "Until"):
        assert told in html, told
    assert path.rsplit("/", 1)[1] not in html  # shown once, when it was made
    with site.database.read() as session:
        wanted = sa.select(AuditEntry.action).where(AuditEntry.actor == "link:1").order_by(AuditEntry.id)
        assert list(session.scalars(wanted)) == ["share.open", "share.open", "recording.play"]


def test_an_expired_and_a_revoked_link_say_so_kindly(site: Site, ann: FlaskClient) -> None:
    gone, old = share(site, ann), share(site, ann, days="1")
    token = csrf_token(ann)
    back = ann.post(f"/calls/{site.app.config['KEYS'][0]}/share/1/revoke", data={"csrf": token})
    assert (back.status_code, back.headers["Location"].split("#")[1]) == (303, "share")
    site.later(days=2)
    for path, words in ((gone, "This link was taken back"), (old, "This link has expired")):
        answer = stranger(site).get(path)
        assert (answer.status_code, words in answer.text) == (410, True)
        assert "Pallets" not in answer.text
        assert stranger(site).get(f"{path}/audio").status_code == 410
        told = stranger(site).get(path, headers={"Accept": "application/json"}).json
        assert set(told["error"]) == {"id", "message", "fix"}  # type: ignore[index]
    assert stranger(site).get("/shared/unknown").status_code == 404
    assert stranger(site).get("/shared/unknown/audio").status_code == 404
    html = ann.get(f"/calls/{site.app.config['KEYS'][0]}").text
    assert "Taken back" in html
    assert "Expired" in html


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (RecordingState.DELETED, "was deleted"),
        (RecordingState.DAMAGED, "cannot be played"),
        (RecordingState.PENDING, "is being prepared"),
        (RecordingState.NONE, "Nothing was recorded"),
    ],
)
def test_a_recording_that_is_gone_is_told_honestly(
    site: Site, ann: FlaskClient, state: RecordingState, words: str
) -> None:
    path = share(site, ann)
    with site.database.write() as session:
        recording = session.scalars(
            sa.select(Recording).join(Call).where(Call.key == site.app.config["KEYS"][0])
        ).one()
        if state is RecordingState.DELETED:
            store.delete(session, site.app.extensions["leaseline"].settings, recording)
        recording.state = state
    page = stranger(site).get(path)
    assert (page.status_code, words in page.text) == (200, True)
    assert "<call-player" not in page.text
    assert stranger(site).get(f"{path}/audio").status_code == 404


def test_only_who_may_judge_makes_and_takes_back(site: Site, ann: FlaskClient, now: datetime) -> None:
    share(site, ann)
    leo = site.log_in("leo@pallets.example", 1)
    with site.database.write() as session:
        user = people.find_user(session, "leo@pallets.example")
        people.give_role(session, user, session.get_one(Company, 1), Role.LISTENER)
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=now))
    eve = site.log_in("eve@rival.example", 2)
    key = site.app.config["KEYS"][0]
    for browser, status in ((leo, 403), (eve, 404)):
        form = {"csrf": csrf_token(browser), "days": "7"}
        for what in ("share", "share/1/revoke"):
            assert browser.post(f"/calls/{key}/{what}", data=form).status_code == status
    html = leo.get(f"/calls/{key}").text
    assert "Made by Ann" in html  # he sees that there is one
    assert "Make a link" not in html
    assert "Take back" not in html
    with site.database.read() as session:
        assert session.scalars(sa.select(ShareLink.revoked_at)).all() == [None]


def test_who_tries_many_links_is_told_to_wait(site: Site, ann: FlaskClient) -> None:
    path, who = share(site, ann), stranger(site)
    here = {"REMOTE_ADDR": "203.0.113.9"}
    statuses = [who.get(f"/shared/{each}", environ_overrides=here).status_code for each in range(31)]
    assert statuses == [404] * 30 + [429]
    assert who.get(path, environ_overrides=here).status_code == 429
    assert who.get(path, environ_overrides={"REMOTE_ADDR": "203.0.113.10"}).status_code == 200
    with site.database.read() as session:
        assert session.scalars(sa.select(ShareLink.opened)).one() == 1


def test_hostile_names_stay_text(site: Site, ann: FlaskClient) -> None:
    hostile = "<script>alert(1)</script>"
    with site.database.write() as session:
        session.get_one(Company, 1).name = hostile
    path = share(site, ann)
    page = stranger(site).get(path).text
    assert hostile not in page
    assert "&lt;script&gt;alert(1)" in page
    assert stranger(site).get(f"/shared/{hostile}").status_code in {404, 400}


def test_a_stranger_reads_the_instant_in_his_language_and_the_companys_time(
    site: Site, ann: FlaskClient
) -> None:
    path = share(site, ann)
    for language, told in (("en-GB", "Friday, 20 November 2026, 14:57"), ("ru", "20 ноября 2026, 14:57")):
        assert told in stranger(site).get(path, headers={"Accept-Language": language}).text
