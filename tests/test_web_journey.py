"""Where a call came from, how sure that is, and what the visitor did: as the pages show it."""

from __future__ import annotations

import itertools
import re
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from support.books import fill
from support.facts import add_pallets
from support.journeys import tell_journeys
from support.recorded import settings_in
from support.site import Site, csrf_token
from werkzeug.test import TestResponse

from tracker.audit_log import Wanted, read_log
from tracker.database import Database
from tracker.judge import judge_pending
from tracker.models import Call, CallCandidate, CodeLease, Company, PageView, Visit, VisitEvent
from tracker.policy.attribution import Basis, Reason
from web import words
from web.timeline import readable, short_url

HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'-alert(1)-'", "{{7*7}}${7*7}",
    "</title><svg onload=alert(1)>", "javascript:alert(1)", "<!--", "]]>", "\u202egnp.exe", "%3Cscript%3E",
    "http://[::1", "https://x.example/%0a%00<script>alert(1)</script>", "x" * 4000,
)  # fmt: skip


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    fill(sqlite, "journeys", lambda: _tell(sqlite, now))
    return Site(sqlite, settings_in(tmp_path, secret_key="k" * 40), now)


def _tell(database: Database, now: datetime) -> None:
    with database.write() as session:
        pallets = add_pallets(session, now)
        session.get_one(Company, pallets.company_id).timezone = "Europe/Moscow"
        tell_journeys(session, pallets, now)


@pytest.fixture
def ann(site: Site) -> FlaskClient:
    return site.log_in("ann@pallets.example", 1)


def text_of(html: str) -> str:
    """What a person reads: without tags, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def visit_of(site: Site, key: str) -> int:
    with site.database.read() as session:
        return session.scalars(sa.select(Call.visit_id).where(Call.key == key)).one() or 0


def test_a_certain_call_shows_its_source_and_what_speaks_for_it(ann: FlaskClient) -> None:
    shown = text_of(ann.get("/calls/certain").text)
    for words_ in (
        "97 % sure", "Channel group Paid Search", "Campaign pallets-autumn", "Keyword euro pallets buy",
        "Ad ad-14",
        "This visitor was shown the number; was on the website when the call came; clicked the phone link",
        "gclid EAIaIQobChMI7Z", "Phone · Android 14 · Chrome Mobile 129", "Landing page pallets.example/euro",
    ):  # fmt: skip
        assert words_ in shown
    assert "Other candidates" not in shown


def test_the_journey_is_told_in_order_and_in_the_companys_time(ann: FlaskClient) -> None:
    shown = text_of(ann.get("/calls/certain").text)
    told = (
        "Earlier visits 2", "First touch", "Direct",
        "The visit · Today, 14:51 Last touch Last non-direct touch",
        "14:51:00 Euro pallets, new and used pallets.example/euro for 0:48",
        "14:52:59 Delivery to your yard pallets.example/delivery for 0:33",
        "14:53:50 Sent a form price-request", "14:54:50 Clicked the phone link 8 (495) 123-45-71",
        "14:55:00 Called 8 (495) 123-45-71", "14:55:06 office answered", "14:56:30 The call ended for 1:24",
        "Later visits 1 Today, 14:59",
    )  # fmt: skip
    places = [shown.index(words_) for words_ in told]
    assert places == sorted(places)


def test_an_uncertain_call_is_marked_in_the_list_and_names_the_other_candidates(ann: FlaskClient) -> None:
    row = ann.get("/calls").text.partition('id="call-uncertain"')[2].partition("</tr>")[0]
    assert "yandex Uncertain 56 %" in text_of(row)
    shown = text_of(ann.get("/calls/uncertain").text)
    for words_ in (
        "Three candidates 56 %", "This is the likeliest, with 56 %.",
        "vk.com social 27 % had left minutes before; the caller's phone is of another country",
        "forum.example referral 12 % had left minutes before; has been on the website again since",
    ):  # fmt: skip
        assert words_ in shown


def test_a_candidate_leads_to_its_visit(ann: FlaskClient) -> None:
    links = re.findall(r'href="(/visits/\d+)"', ann.get("/calls/uncertain").text)
    assert len(set(links)) == 3
    assert "Organic Social" in ann.get(links[0]).text


def test_a_call_of_nobody_known_says_so(ann: FlaskClient) -> None:
    shown = text_of(ann.get("/calls/unknown").text)
    assert "Source Not known Nothing says where this caller came from" in shown
    assert "journey" not in shown


def test_candidates_too_weak_to_be_named_are_shown_as_such(site: Site, ann: FlaskClient) -> None:
    with site.database.write() as session:
        nobody = {"visit_id": None, "basis": None, "probability": None}
        session.execute(sa.update(Call).where(Call.key == "uncertain").values(**nobody))
    shown = text_of(ann.get("/calls/uncertain").text)
    assert "None of the candidates is likely enough to be named." in shown
    assert "yandex cpc · 772040791973 · купить поддоны 56 %" in shown
    assert "Not attributed" in text_of(ann.get("/calls").text)


def test_a_known_caller_and_a_told_code_are_named_as_what_they_are(ann: FlaskClient) -> None:
    repeat, coded = (text_of(ann.get(f"/calls/{key}").text) for key in ("repeat", "code"))
    assert "The caller is known from an earlier call." in repeat
    assert "14:55:00 Called 8 (495) 123-45-71" in repeat  # the earlier call is part of that journey
    assert "The caller told this visitor's code." in coded
    assert "Was shown the code 482" in coded
    assert "None of his own: all were held for others" in coded


def test_a_visitors_page_has_all_visits_and_calls(site: Site, ann: FlaskClient) -> None:
    shown = text_of(ann.get(f"/visits/{visit_of(site, 'certain')}").text)
    assert "4 visits, 2 calls · first seen Mon 9 Nov, 15:00" in shown
    assert "All visits 4 Today, 14:59 Direct Last touch 1 page, 0:22 Today, 14:51 google" in shown


def test_a_call_days_after_the_visit_stands_under_its_own_day(site: Site, ann: FlaskClient) -> None:
    with site.database.write() as session:
        visit = session.get_one(Visit, visit_of(site, "code"))
        for page in session.scalars(sa.select(PageView).where(PageView.visit_id == visit.id)):
            page.at, page.until_at = page.at - timedelta(days=3), page.until_at - timedelta(days=3)
    shown = text_of(ann.get("/calls/code").text)
    assert "Tuesday 17 November 14:30:00 Pallets Ltd" in shown
    assert "Today 14:30:00 Was shown the code 482" in shown


def test_headings_skip_no_level_also_where_a_journey_goes_over_midnight(site: Site, ann: FlaskClient) -> None:
    with site.database.write() as session:
        session.execute(
            sa.update(Call).where(Call.key == "certain").values(started_at=site.now + timedelta(days=1))
        )
    for path in ("/calls/certain", f"/visits/{visit_of(site, 'certain')}"):
        html = ann.get(path).text
        assert 'class="date"' in html
        levels = [int(level) for level in re.findall(r"<h([1-6])", html)]
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), (path, levels)


def test_no_visit_of_another_company_is_shown_and_no_made_up_one(site: Site, ann: FlaskClient) -> None:
    with site.database.write() as session:
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=site.now))
    eve = site.log_in("eve@rival.example", 2)
    path = f"/visits/{visit_of(site, 'certain')}"
    assert (ann.get(path).status_code, eve.get(path).status_code) == (200, 404)
    for made_up in ("0", "-1", "9" * 18, "9" * 40, "x", "1 OR 1=1", "%00", "١"):
        assert ann.get(f"/visits/{made_up}").status_code == 404


def test_hostile_text_in_every_field_of_a_visit_stays_text(site: Site, ann: FlaskClient) -> None:
    for text in HOSTILE:
        spoil(site, text)
        paths = [f"/calls/{key}" for key in ("certain", "uncertain", "repeat", "code")]
        for path in (*paths, f"/visits/{visit_of(site, 'certain')}", "/calls", "/calls/now"):
            answer = ann.get(path)
            assert answer.status_code == 200
            for live in ("<script>alert", "<img", "<svg onload", "49$", "onerror=alert(1)>", 'href="java'):
                assert live not in answer.text, (path, text)


def spoil(site: Site, text: str) -> None:
    """Puts a text into every field that a visitor's browser, or who forges one, can fill."""
    short = text[:20]
    with site.database.write() as session:
        values = dict.fromkeys(("landing_url", "referrer"), text)
        values |= dict.fromkeys(("medium", "source", "campaign", "keyword", "content"), text[:100])
        values |= dict.fromkeys(("device", "language"), short) | {"country": text[:2], "group": text[:40]}
        values |= {"system": text[:60], "browser": text[:60], "suspicion": text[:100], "missed": text[:30]}
        told = {"click_ids": {text: text}, "parameters": {text: text}}
        session.execute(sa.update(Visit).values(**values, **told))
        session.execute(sa.update(PageView).values(url=text, title=text[:300]))
        session.execute(sa.update(VisitEvent).values(detail={"name": text, "text": text, "number": text}))
        session.execute(sa.update(CallCandidate).values(reasons=[text]))
        session.execute(sa.update(CodeLease).values(code=text[:8]))


def type_code(browser: FlaskClient, key: str, code: str, **more: Any) -> TestResponse:
    """Fills in the form of the call's page."""
    token = csrf_token(browser)
    return browser.post(f"/calls/{key}/code", data={"csrf": token, "code": code}, **more)


def test_a_code_that_nobody_had_is_said_beside_the_field(site: Site, ann: FlaskClient) -> None:
    answer = type_code(ann, "certain", "999")
    assert answer.status_code == 400
    assert 'value="999"' in answer.text
    assert 'aria-describedby="code-hint code-problem"' in answer.text
    problem = answer.text.partition('role="alert" id="code-problem">')[2].partition("</p>")[0]
    assert "Nobody was shown the code 999" in text_of(problem)
    as_json = type_code(ann, "certain", "<b>", headers={"Accept": "application/json"})
    assert as_json.json
    assert as_json.json["error"]["id"] == "code.malformed"


def test_the_code_told_names_the_visit_and_is_written_down(site: Site, ann: FlaskClient) -> None:
    answer = type_code(ann, "certain", " 4 82 ")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/calls/certain#origin")
    pending = ann.get("/calls/certain").text
    assert "data-judging" in pending
    assert "The source is being worked out with the code 482." in pending
    judge_pending(site.database, site.now)
    shown = text_of(ann.get("/calls/certain").text)
    assert "Source chatgpt.com" in shown
    assert "The caller told this visitor's code." in shown
    with site.database.read() as session:
        entry = read_log(session, [1], Wanted(), limit=1)[0]
    assert (entry.actor, entry.subject, entry.client) == ("ann@pallets.example", "certain", "127.0.0.1")


def test_nobody_types_a_code_for_another_companys_call(site: Site) -> None:
    with site.database.write() as session:
        session.add(Company(slug="rival", name="Rival", default_region="DE", created_at=site.now))
    assert type_code(site.log_in("eve@rival.example", 2), "certain", "482").status_code == 404
    with site.database.read() as session:
        code = sa.select(Call.visitor_code).where(Call.key == "certain")
        assert session.scalars(code).one() is None


def test_the_code_is_asked_for_only_where_visitors_are_shown_one(site: Site, ann: FlaskClient) -> None:
    assert 'name="code"' in ann.get("/calls/certain").text
    with site.database.write() as session:
        session.execute(sa.delete(CodeLease))
    assert 'name="code"' not in ann.get("/calls/certain").text


@pytest.mark.parametrize(
    ("probability", "words_"),
    [(None, ""), (0.0, "0 %"), (0.002, "under 1 %"), (0.974, "97 %"), (0.996, "over 99 %"), (1.0, "100 %")],
)
def test_a_probability_is_never_rounded_to_a_certainty_it_is_not(
    probability: float | None, words_: str
) -> None:
    assert words.percent(probability).replace("\N{NO-BREAK SPACE}", " ") == words_


def test_every_reason_and_basis_has_words_and_a_newer_reason_stands_for_itself() -> None:
    assert set(words.REASONS) == set(Reason)
    assert set(words.BASES) == set(Basis)
    newer = CallCandidate(basis=Basis.LEASE, reasons=["left_hours_ago", "of_tomorrow"])
    assert words.reasons(newer) == "had left hours before; of tomorrow"
    assert words.reasons(CallCandidate(basis=Basis.LEASE, reasons=[])) == "this visitor was shown the number"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://www.pallets.example/euro/?utm_source=x#top", "pallets.example/euro/"),
        ("https://pallets.example/", "pallets.example"),
        ("https://pallets.example/%D1%86%D0%B5%D0%BD%D1%8B", "pallets.example/цены"),
        ("https://user:secret@pallets.example:8443/a", "pallets.example/a"),
        ("android-app://com.google.android.gm", "android-app://com.google.android.gm"),
        ("http://[::1", "http://[::1"),
        ("https://a.example/\u202egnp.exe", "a.example/ gnp.exe"),
        (None, ""),
    ],
)
def test_an_address_is_shown_as_a_person_would_say_it(url: str | None, shown: str) -> None:
    assert short_url(url) == shown


def test_a_long_text_is_cut() -> None:
    assert readable("a" * 100) == "a" * 63 + "…"
