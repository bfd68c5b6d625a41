"""Unwanted callers in the page: blocked from a call and back, marked, the settings, who may do it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect
from support.browser import axe, browser, complaints, serving  # noqa: F401  (browser)
from support.facts import Pallets, ended, started
from support.served import Served, books_in
from support.settings_page import HERE, actions, admin, done, field, refused, send, two_companies
from support.showroom import DAY, OWNER, add_company, place
from support.site import Site, log_in

from tracker import blocks, people, spam
from tracker.audit import By
from tracker.books import record_all
from tracker.calls import get_call
from tracker.database import Database
from tracker.models import Company, Role
from tracker.policy.block_list import Callers, read_callers
from tracker.policy.facts import Guarded, GuardGround, GuardStep, Presentation, Spam, Treatment
from tracker.policy.spam import RuleKind

AT = f"{HERE}/blocked"
CALLER = "+74951112233"
HOSTILE = '<img src=x onerror="alert(1)">{{7*7}}'


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    site = two_companies(sqlite, tmp_path, now)
    with sqlite.write() as session:
        for key, caller, shown in (
            ("one", CALLER, Presentation.ALLOWED),
            ("hidden", "", Presentation.WITHHELD),
            ("short", "101", Presentation.ALLOWED),
        ):
            at = now - timedelta(hours=1)
            begun = started("+74951234567", at, key, caller=caller, presentation=shown)
            record_all(session, [begun, ended(at + timedelta(seconds=9), key)])
    return site


@pytest.fixture
def ann(site: Site) -> FlaskClient:
    return admin(site)


def words_of(site: Site) -> list[str]:
    with site.database.read() as session:
        return [blocks.callers_of(rule).word for rule in blocks.of_company(session, 1)]


def spam_of(site: Site, key: str) -> Spam | None:
    with site.database.read() as session:
        return get_call(session, [1], key).call.spam


def test_a_caller_is_blocked_from_the_call_and_back(site: Site, ann: FlaskClient) -> None:
    assert "Block this caller" in ann.get("/calls/one").text
    answer = send(ann, "/calls/one/block", reason=HOSTILE)
    assert done(answer) == "/calls/one?block#unwanted"
    assert words_of(site) == [CALLER]
    html = ann.get("/calls/one?block").text
    assert ">Undo</button>" in html
    assert HOSTILE not in html
    assert HOSTILE in unescape(html)
    assert ann.post("/calls/one/block", data={}).status_code == 403
    done(send(ann, "/calls/one/block", do="undo"))
    assert words_of(site) == []
    assert actions(site)[-2:] == ["block.add", "block.remove"]
    done(send(ann, "/calls/one/block", do="allow"))
    assert "always comes through" in ann.get("/calls/one").text


@pytest.mark.parametrize("key", ["hidden", "short"])
def test_a_caller_without_a_telephone_number_is_not_blocked_by_one(
    site: Site, ann: FlaskClient, key: str
) -> None:
    assert "Block this caller" not in ann.get(f"/calls/{key}").text
    assert send(ann, f"/calls/{key}/block").status_code == 400
    assert words_of(site) == []


def test_a_call_is_marked_and_the_mark_taken_away(site: Site, ann: FlaskClient) -> None:
    assert 'id="call-one"' in ann.get("/calls").text
    done(send(ann, "/calls/one/spam", spam="yes"))
    assert spam_of(site, "one") is Spam.PERSON
    assert 'id="call-one"' not in ann.get("/calls").text
    for word in ("only", "also"):
        assert '<span class="tag spam">Spam</span>' in ann.get(f"/calls?spam={word}").text
    assert ann.get("/calls?spam=maybe").status_code == 400
    html = ann.get("/calls/one").text
    assert "Marked as spam" in html
    assert "marked by a person" in html
    assert "Marked by a person" in ann.get("/spam").text
    assert send(ann, "/calls/one/spam", spam="perhaps").status_code == 400
    done(send(ann, "/calls/one/spam", spam="no"))
    assert spam_of(site, "one") is None
    assert "Marked as no spam" in ann.get("/calls/one").text


def test_who_may_only_listen_changes_nothing_and_another_company_sees_nothing(site: Site) -> None:
    listener = log_in(site, "lea@pallets.example", pallets=Role.LISTENER)
    manager = log_in(site, "max@pallets.example", pallets=Role.MANAGER)
    rival = log_in(site, "eve@rival.example", rival=Role.OWNER)
    assert "Block this caller" not in listener.get("/calls/one").text
    for path, form in (("/calls/one/block", {}), ("/calls/one/spam", {"spam": "yes"})):
        assert send(listener, path, **form).status_code == 403
        assert send(rival, path, **form).status_code == 404
    assert send(manager, AT, do="add", callers="+7*").status_code == 403
    assert send(rival, AT, do="add", callers="+7*").status_code == 404
    assert words_of(site) == []
    assert spam_of(site, "one") is None
    done(send(manager, "/calls/one/block"))
    assert CALLER[2:5] not in rival.get("/spam").text
    with site.database.write() as session:
        owner = session.get_one(Company, 2)
        theirs = blocks.add(
            session, By(site.now, "eve"), owner, Callers(RuleKind.PREFIX, "+882"), blocks.Wish()
        ).id
    ann = admin(site)
    assert send(ann, AT, do=f"remove-{theirs}").status_code == 404
    assert "+882" not in ann.get(AT).text


def test_rules_are_added_and_removed_in_the_settings(site: Site, ann: FlaskClient) -> None:
    assert "Nobody is blocked" in ann.get(AT).text
    rule = {"do": "add", "callers": "8 (812) *", "treatment": "refused", "reason": HOSTILE, "until": "30d"}
    done(send(ann, AT, **rule))
    done(send(ann, AT, do="add", callers="withheld", treatment="allow"))
    html = ann.get(AT).text
    for text in ("+7812*", "Call declined", "Numbers withheld", "Always through"):
        assert text in html
    assert HOSTILE not in html
    assert "2 rules" in ann.get(HERE).text
    with site.database.read() as session:
        number = blocks.find_about(session, 1, read_callers("+7812*", "RU")).id
    done(send(ann, AT, do=f"remove-{number}"))
    assert words_of(site) == ["withheld"]


@pytest.mark.parametrize(
    ("name", "typed", "words"),
    [
        ("callers", "<script>", "not a telephone number"),
        ("callers", "+7\u0000*", ""),
        ("callers", "*", "not a telephone number"),
        ("until", "yesterday", "no day"),
        ("treatment", "shouted", "nothing that a blocked caller"),
        ("reason", "r" * 300, "characters"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_as_typed(
    site: Site, ann: FlaskClient, name: str, typed: str, words: str
) -> None:
    rule = {"do": "add", "callers": "+7812*", "treatment": "", "reason": "", "until": ""}
    answer = send(ann, AT, **rule | {name: typed})
    if words:
        assert words in unescape(field(answer.text, name))
        refused(answer, name)
    assert len(words_of(site)) == (0 if words else len(words_of(site)))


def test_when_a_caller_is_suspicious_is_set_and_checked(site: Site, ann: FlaskClient) -> None:
    wish = {
        "do": "conduct", "watches": "yes", "per_minute": "5", "per_hour": "20", "per_day": "0",
        "numbers": "3", "short_calls": "0", "short_seconds": "6", "countries": "ru kz", "passed_days": "7",
        "usual": "announced",
    }  # fmt: skip
    done(send(ann, AT, **wish))
    with site.database.read() as session:
        conduct = blocks.read_conduct(session, 1)
    assert conduct == blocks.Conduct(Treatment.ANNOUNCED, True, 5, 20, 0, 3, 0, 6, ("KZ", "RU"), 7)
    assert 'value="KZ, RU"' in ann.get(AT).text
    refused(send(ann, AT, **wish | {"countries": "XX"}), "countries", "no country")
    refused(send(ann, AT, **wish | {"per_minute": "many"}), "", "no number")
    refused(send(ann, AT, **wish | {"per_minute": "9999"}), "", "up to 100")
    refused(send(ann, AT, do="dance"), "", "does not say")
    assert actions(site)[-1] == "block.conduct"


# ---- in a browser ----


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with books_in(tmp_path_factory.mktemp("spam")) as (settings, database):
        now = datetime.now(UTC)
        with database.write() as session:
            pallets = add_company(session, now, "pallets")
            place(session, pallets, now, DAY)
            company, owner = session.get_one(Company, 1), people.add_user(session, OWNER, "Olga Orlova", now)
            people.give_role(session, owner, company, Role.OWNER)
            rule = blocks.add(
                session, By(now, OWNER), company, Callers(RuleKind.PREFIX, "+7812"), blocks.Wish()
            )
            at = now - timedelta(hours=1)
            told = Guarded("b", "main", at, GuardStep.BLOCKED, GuardGround.RULE, rule.id, Treatment.BUSY)
            begun = started(Pallets.billboard, at, "b", caller="+78125554433")
            record_all(session, [begun, told, ended(at, "b")])
            other = started(Pallets.billboard, at, "c", caller="+79995554433")
            record_all(session, [other, ended(at, "c")])
            spam.mark(session, By(now, OWNER), [get_call(session, [1], "c").call], True)
        with serving(settings) as url:
            yield Served(url, database)


@pytest.mark.parametrize(("size", "dark"), [("desktop", False), ("phone", True)])
def test_everybody_can_block_and_unblock(
    browser: Browser,  # noqa: F811
    served: Served,
    size: str,
    dark: bool,
) -> None:
    page = served.open(browser, size, dark=dark)
    said = complaints(page)
    for path in ("/spam", "/settings/pallets/blocked", "/calls/b", "/calls?spam=also"):
        page.goto(served.url + path)
        assert axe(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    page.goto(f"{served.url}/calls/c")
    card = page.locator("#unwanted")
    card.get_by_label("Reason").fill("robot")
    card.get_by_role("button", name="Block this caller").click()
    expect(card).to_contain_text("This caller is blocked.")
    expect(card).to_contain_text("robot")
    assert axe(page) == []
    card.get_by_role("button", name="Undo").click()
    expect(card).to_contain_text("This caller rings again.")
    card.get_by_role("button", name="This is no spam").click()
    card.get_by_role("button", name="Mark as spam").click()
    expect(card).to_contain_text("marked by a person")
    assert said == []
