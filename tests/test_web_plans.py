"""Plans in the page: added, changed as text with every fault at its step, used, tried out, kept."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from support.recorded import settings_in
from support.settings_page import HERE, actions, admin, done, refused, send, two_companies
from support.site import Site, csrf_token, log_in
from werkzeug.test import TestResponse

from tracker import plan_list, plan_uses, prompts, sounds
from tracker.audit import By
from tracker.database import Database
from tracker.models import CallPlan, Company, Number, Role

PLAIN = """\
start: hours
steps:
  hours:
    kind: hours
    open: {mon-fri: 09:00-18:00}
    holidays: [01-01]
    then: sales
    closed: end
  sales:
    kind: ring
    targets: [office:20, mobile:25]
    busy: end
"""
MORNING = "day=2026-12-01&time=10:00&does-1=busy&after-1=2&does-2=answers&after-2=5"


@pytest.fixture
def site(sqlite: Database, tmp_path: Path, now: datetime) -> Site:
    return two_companies(sqlite, tmp_path, now)


@pytest.fixture
def ann(site: Site) -> FlaskClient:
    return admin(site)


@pytest.fixture
def at(ann: FlaskClient) -> str:
    """The address of a plan that there is."""
    return done(send(ann, f"{HERE}/plans/add", name="Office", document=PLAIN))


def in_use(site: Site) -> list[str]:
    with site.database.read() as session:
        return [plan_uses.scope_of(session, each) for each in plan_uses.of_company(session, 1)]


def version(site: Site) -> int:
    with site.database.read() as session:
        return session.get_one(CallPlan, 1).version


def text_of(html: str) -> str:
    """What stands in the editor."""
    found = re.search(r"<textarea[^>]*>\n?(.*?)</textarea>", html, re.DOTALL)
    assert found
    return unescape(found[1])


def test_a_plan_is_added_and_told_step_by_step(site: Site, ann: FlaskClient) -> None:
    assert "No plans yet" in ann.get(f"{HERE}/plans").text
    at = done(send(ann, f"{HERE}/plans/add", name="Office", document=PLAIN))
    html = unescape(ann.get(at).text)
    assert re.findall(r'id="step-([a-z]+)"', html) == ["hours", "sales"]
    for words in (
        "Mon–Fri",
        "09:00–18:00",
        "1 January",
        'href="#step-sales"',
        "20 seconds",
        "counts for nothing yet",
    ):
        assert words in html
    assert "Office" in ann.get(f"{HERE}/plans").text
    assert "mobile" in ann.get(f"{HERE}/targets").text
    assert "plan Office" in ann.get(f"{HERE}/targets/2").text
    assert actions(site)[-1] == "plan.add"


@pytest.mark.parametrize("template", ["turn", "hours", "menu", "office"])
def test_each_template_is_a_plan_of_the_companys_own_targets(ann: FlaskClient, template: str) -> None:
    document = text_of(ann.get(f"{HERE}/plans/add?template={template}").text)
    assert "office:" in document
    refused_for_words = send(
        ann, f"{HERE}/plans/add", name=template, document=document.replace("office:", "x:")
    )
    assert "“x” is no target" in unescape(refused_for_words.text)


def test_every_fault_stands_at_its_step_and_nothing_typed_is_lost(
    site: Site, ann: FlaskClient, at: str
) -> None:
    wrong = PLAIN.replace("then: sales", "then: gone").replace("office:20", "nobody:999")
    answer = send(ann, f"{at}/document", document=wrong)
    html = unescape(answer.text)
    assert answer.status_code == 400
    assert text_of(html) == wrong.replace("\n", "\r\n") or text_of(html) == wrong
    for words in (
        "hours</a> (line 3): “open” leads to “gone”, which is no step.",
        "sales</a> (line 9): “nobody” is no target of the company’s.",
        "sales</a> (line 9): 999 s is no time to ring.",
    ):
        assert words in html
    assert html.count('class="fault"') == 4  # with: no call comes to sales
    assert version(site) == 1


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("steps: {a: [", "This is no YAML: line 1"),
        ("start: &a hours\nsteps: *a", "line 2 refers to another part"),
        ("steps:\n  a: {kind: last, then: end}\n  a: {kind: last, then: end}", "line 3 names “a” again"),
        ("[" * 5000, "it cannot be read"),
        ("a" * 70_000, "characters are too many"),
        ("just words", "It is no list of words and values"),
        ("steps:\n  a: {kind: drum}", "Step a: “drum” is no kind of step"),
        ("? [1]\n: 2", "This is no YAML: line 1"),
    ],
)
def test_what_is_no_plan_is_refused_as_typed(ann: FlaskClient, at: str, document: str, words: str) -> None:
    html = refused(send(ann, f"{at}/document", document=document), "", words)
    assert text_of(html)[:60] == document[:60]


def test_a_plan_counts_where_it_is_said_to_and_the_forwarding_page_says_so(
    site: Site, ann: FlaskClient, at: str
) -> None:
    for where in ("company", "channel-1", "pool-1"):
        done(send(ann, at, do="use", where=where))
    done(send(ann, at, do="use", where="company", number="+7 495 123-45-67"))
    assert in_use(site) == ["company pallets", "channel 'Billboard'", "pool 'Website'", "number +74951234567"]
    assert ann.get(f"{HERE}/forwarding").text.count("By the plan") == 4
    assert "takes its place" in ann.get(f"{HERE}/forwarding/channel-1").text
    refused(send(ann, at, do="delete"), "", "so many places: 4")
    done(send(ann, f"{HERE}/forwarding/channel-1", do="save", target="1", seconds="20"))
    done(send(ann, at, do="clear", where="number-1"))
    assert in_use(site) == ["company pallets", "pool 'Website'"]
    assert "Calls go by the plan" in ann.get(f"{HERE}/forwarding/number-3").text
    refused(send(ann, at, do="use", number="12"), "number", "12")
    refused(send(ann, at, do="use", number="+79990000000"), "number", "+79990000000")
    refused(send(ann, at, do="use", where="drum"), "", "Nothing is chosen")
    refused(send(ann, at, do="dance"), "", "what to do")


def test_the_numbers_of_a_plan_say_so_wherever_they_say_who_rings(
    site: Site, ann: FlaskClient, at: str
) -> None:
    with site.database.read() as session:
        numbers = [each.id for each in session.scalars(sa.select(Number).where(Number.company_id == 1))]
    pages = [f"{HERE}/numbers", *(f"{HERE}/numbers/{number}" for number in numbers)]
    checks = [f"{HERE}/numbers/{number}/check" for number in numbers]
    before = [ann.get(page, follow_redirects=True).text for page in pages + checks]
    assert not any(f'href="{at}"' in html for html in before)
    done(send(ann, at, do="use", where="company"))
    for page in pages + checks:
        html = ann.get(page, follow_redirects=True).text
        assert f'href="{at}"' in html, page
        assert not re.search(r'"(?:amiss|state bad)">Nobody', html), page


def test_a_plan_is_renamed_and_deleted(site: Site, ann: FlaskClient, at: str) -> None:
    send(ann, f"{HERE}/plans/add", name="Evenings", document=PLAIN)
    refused(send(ann, at, do="rename", name="Evenings"), "name", "already")
    done(send(ann, at, do="rename", name="Main"))
    assert done(send(ann, at, do="delete")) == f"{HERE}/plans"
    assert ann.get(at).status_code == 404
    assert actions(site)[-2:] == ["plan.rename", "plan.delete"]


def test_a_call_is_tried_kept_and_told_of_when_it_would_go_another_way(
    site: Site, ann: FlaskClient, at: str
) -> None:
    assert 'id="way"' not in ann.get(f"{at}/try").text
    html = ann.get(f"{at}/try?{MORNING}").text
    assert re.findall(r"<span>([a-z]+ [a-z ]+)</span>", html) == [
        "office rings", "office is busy or declines", "mobile rings", "mobile answers"
    ]  # fmt: skip
    done(send(ann, f"{at}/try", do="keep", name="Morning", **dict(parse_qsl(MORNING))))
    changed = PLAIN.replace("[office:20, mobile:25]", "[office:20]")
    html = unescape(send(ann, f"{at}/document", document=changed).text)
    assert "1 kept trial would go another way" in html
    assert "sales: mobile answers" in html
    assert "sales: The call ends: busy" in html
    assert version(site) == 1
    done(send(ann, f"{at}/document", document=changed, anew="yes"))
    assert version(site) == 2
    assert "1 goes as kept" in ann.get(f"{HERE}/plans").text
    done(send(ann, f"{at}/try", do="forget", name="Morning"))
    assert "None kept" in ann.get(f"{HERE}/plans").text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("day=2026-13-01&time=10:00", "Give the day and time"),
        ("day=2026-12-01&does-1=busy&after-1=soon", "nothing a target does"),
        ("day=2026-12-01&gives_up=x", "Give a number"),
    ],
)
def test_a_call_that_cannot_be_is_told_so(ann: FlaskClient, at: str, query: str, words: str) -> None:
    html = unescape(ann.get(f"{at}/try?{query}").text)
    assert words in html
    assert 'id="way"' not in html


def test_another_companys_plan_is_unknown(site: Site, ann: FlaskClient, at: str) -> None:
    eve = log_in(site, "eve@rival.example", rival=Role.OWNER)
    bob = log_in(site, "bob@pallets.example", pallets=Role.MANAGER)
    for path in ("", "/document", "/try", "/steps/sales"):
        assert eve.get(f"/settings/rival/plans/1{path}").status_code == 404
        assert send(eve, f"/settings/rival/plans/1{path}", do="delete", document=PLAIN).status_code == 404
        assert bob.get(f"{at}{path}").status_code == 403
        assert ann.get(f"{HERE}/plans/99{path}").status_code == 404
    assert "Office" not in eve.get("/settings/rival/plans").text
    with site.database.read() as session:
        assert plan_list.listed(session, session.get_one(Company, 2)) == []


# ---- a step in a form ----


def step(site: Site, place: str) -> dict[str, object]:
    """The step's document as it is kept."""
    with site.database.read() as session:
        found: dict[str, object] = plan_list.newest(session.get_one(CallPlan, 1)).document["steps"][place]
        return found


def test_hours_and_holidays_are_changed_without_yaml(site: Site, ann: FlaskClient, at: str) -> None:
    html = ann.get(f"{at}/steps/hours").text
    assert re.findall(r'name="open-(?:fri|sat)" type="text" value="([^"]*)"', html) == ["09:00-18:00", ""]
    days = {f"open-{day}": "10:00-13:00, 14:00-19:00" for day in ("mon", "tue", "wed")}
    form = {"do": "save", **days, "open-sat": "10:00-14:00", "holidays": "01-01\r\n2027-04-05"}
    form |= {"special": "12-24 09:00-12:00", "then": "sales", "closed": "end"}
    assert done(send(ann, f"{at}/steps/hours", **form)) == f"{at}?saved#step-hours"
    assert step(site, "hours") == {
        "kind": "hours",
        "open": {"mon-wed": "10:00-13:00, 14:00-19:00", "sat": "10:00-14:00"},
        "holidays": ["01-01", "2027-04-05"],
        "special": {"12-24": "09:00-12:00"},
        "then": "sales",
    }
    html = refused(send(ann, f"{at}/steps/hours", **form | {"open-sat": "soon"}), "", "“soon” are no hours")
    assert 'value="soon"' in html
    refused(send(ann, f"{at}/steps/hours", **form | {"special": "12-24"}), "special", "no day with hours")
    as_people_write = {"holidays": "1.1. 5.4.2027", "special": "24.12. 09:00–12:00"}
    done(send(ann, f"{at}/steps/hours", **form | as_people_write | {"closed": "sales"}))
    assert step(site, "hours")["holidays"] == ["01-01", "2027-04-05"]
    assert step(site, "hours")["special"] == {"12-24": "09:00-12:00"}


def test_who_rings_is_arranged_by_buttons_and_stored_by_saving(site: Site, ann: FlaskClient, at: str) -> None:
    def ring(do: str, *members: tuple[str, str], **more: str) -> TestResponse:
        form = {"csrf": csrf_token(ann), "do": do, "order": "in turn", "then": "end", **more}
        lists = {"target": [it for it, _ in members], "seconds": [it for _, it in members]}
        usual = {"weight": ["1"] * len(members), "most": ["0"] * len(members)}
        return ann.post(f"{at}/steps/sales", data={**form, **lists, **usual})

    two = (("office", "20"), ("mobile", "25"))
    assert re.findall(r"<b>\d\. (\w+)</b>", ring("up-2", *two).text) == ["mobile", "office"]
    assert "Not saved yet" in ring("remove-1", *two).text
    more = ring("add", *two, new_target="office", new_seconds="5").text
    assert re.findall(r"<b>\d\. (\w+)</b>", more) == ["office", "mobile", "office"]
    assert version(site) == 1
    done(ring("save", *reversed(two), busy="end"))
    assert step(site, "sales") == {"kind": "ring", "targets": ["2:25", "1:20"], "busy": "end"}
    assert "999 s is no time to ring" in ring("save", ("office", "999")).text
    assert "Give a whole number for seconds" in ring("save", ("office", "soon")).text
    assert ann.get(f"{at}/steps/gone").status_code == 404


BRANCHED = """\
start: kind
steps:
  kind: {kind: branch, by: number, cases: {withheld: bye, +4930*: ring}, then: code}
  code: {kind: code, say: {sound: beep}, then: over}
  over: {kind: plan, plan: Office}
  ring: {kind: ring, targets: [office:20]}
  bye: {kind: hangup, cause: busy}
"""


@pytest.fixture
def branched(site: Site, ann: FlaskClient, at: str, tmp_path: Path) -> str:
    """The address of a plan with the rarer kinds of steps; what it says is a file, and needs no voice."""
    ready = prompts.Ready(sounds.keep(settings_in(tmp_path), b"beep"), 1.0, b"beep")
    with site.database.write() as session:
        prompts.add(session, By(site.now, "ann"), session.get_one(Company, 1), "beep", ready)
    return done(send(ann, f"{HERE}/plans/add", name="Branched", document=BRANCHED))


def test_every_kind_of_step_has_its_form(site: Site, ann: FlaskClient, branched: str) -> None:
    for words in ("Number of the caller", "withheld", "The caller hears that it is busy"):
        assert words in ann.get(branched).text
    send(ann, f"{HERE}/plans/add", name="Evenings", document=PLAIN)
    form = {"csrf": csrf_token(ann), "do": "save", "by": "source", "then": "code"}
    cases = {"case": ["Google Ads", "", "bing"], "case_to": ["ring", "end", "bye"]}
    assert ann.post(f"{branched}/steps/kind", data=form | cases).status_code == 303
    done(send(ann, f"{branched}/steps/code", do="save", sound="beep", digits="5", seconds="3", then="over"))
    done(send(ann, f"{branched}/steps/over", do="save", plan="Evenings"))
    done(send(ann, f"{branched}/steps/bye", do="save", cause="no answer"))
    with site.database.read() as session:
        steps = plan_list.newest(session.get_one(CallPlan, 2)).document["steps"]
    assert steps["kind"]["cases"] == {"google-ads": "ring", "bing": "bye"}
    assert (steps["code"]["digits"], steps["over"]["plan"], steps["bye"]["cause"]) == (5, "3", "no answer")
    refused(send(ann, f"{branched}/steps/code", do="save", say=" ", then="over"), "say", "Nothing is said")
    html = unescape(ann.post(f"{branched}/steps/kind", data=form).text)
    assert "There is no case. Give at least one." in html


def test_steps_are_put_in_named_anew_and_taken_out(site: Site, ann: FlaskClient, at: str) -> None:
    hours = {"do": "save", "open-mon": "09:00-18:00", "then": "sales", "closed": "new:hangup"}
    assert done(send(ann, f"{at}/steps/hours", **hours)) == f"{at}/steps/hangup"
    done(send(ann, f"{at}/steps/hangup", do="save", cause="busy", name="night"))
    assert step(site, "hours")["closed"] == "night"
    assert done(send(ann, f"{at}/steps", kind="last")) == f"{at}/steps/last"
    assert step(site, "last") == {"kind": "last", "then": "hours"}
    assert done(send(ann, f"{at}/steps", kind="responsible")) == f"{at}/steps/responsible"
    done(send(ann, f"{at}/steps/responsible", do="save", seconds="15", then="last"))
    assert step(site, "responsible") == {"kind": "responsible", "seconds": 15, "then": "last"}
    assert "Whoever is responsible for this caller rings, for 15 seconds." in ann.get(at).text
    assert "Responsible for this caller" in ann.get(f"{at}/try").text
    done(send(ann, f"{at}/steps/responsible", do="drop"))
    refused(send(ann, f"{at}/steps/night", do="save", cause="busy", name="sales"), "name", "already")
    refused(send(ann, f"{at}/steps", kind="drum"), "", "no such kind")
    html = ann.get(f"{at}/steps/hours").text
    assert "they go on to “sales” then" in html
    assert "nothing else leads to them: night" in html
    done(send(ann, f"{at}/steps/hours", do="drop"))
    with site.database.read() as session:
        document = plan_list.newest(session.get_one(CallPlan, 1)).document
    assert (document["start"], sorted(document["steps"])) == ("last", ["last", "sales"])
    assert actions(site)[-1] == "plan.change"


def test_a_step_that_alters_kept_trials_is_put_in_and_taken_out_after_asking(
    site: Site, ann: FlaskClient, at: str
) -> None:
    done(send(ann, f"{at}/try", do="keep", name="Morning", **dict(parse_qsl(MORNING))))
    for path, form in ((f"{at}/steps", {"kind": "last"}), (f"{at}/steps/hours", {"do": "drop"})):
        before = version(site)
        assert "1 kept trial would go another way" in send(ann, path, **form).text
        assert version(site) == before
        done(send(ann, path, **form, anew="yes"))
        assert version(site) == before + 1
    done(send(ann, f"{at}/steps/sales", do="drop", anew="yes"))
    html = unescape(send(ann, f"{at}/steps/last", do="drop").text)
    assert "It begins with “end”, which is no step." in html


def test_a_step_whose_change_alters_kept_trials_asks_first(site: Site, ann: FlaskClient, at: str) -> None:
    done(send(ann, f"{at}/try", do="keep", name="Morning", **dict(parse_qsl(MORNING))))
    form = {"do": "save", "target": "office", "seconds": "20", "weight": "1", "most": "0", "order": "in turn"}
    html = send(ann, f"{at}/steps/sales", **form, then="end").text
    assert "1 kept trial would go another way" in html
    assert version(site) == 1
    done(send(ann, f"{at}/steps/sales", **form, then="end", anew="yes"))
    assert version(site) == 2


def test_a_plan_that_somebody_else_has_changed_meanwhile_is_not_written_over_unseen(
    site: Site, ann: FlaskClient, at: str
) -> None:
    looked_at = field_of(ann.get(f"{at}/steps/sales").text, "version")
    form = {"do": "save", "target": "office", "weight": "1", "most": "0", "order": "in turn", "then": "end"}
    done(send(ann, f"{at}/steps/sales", **form, seconds="20", version=looked_at))
    late = send(ann, f"{at}/steps/sales", **form, seconds="30", version=looked_at)
    refused(late, "", "has been changed meanwhile; it is version 2 now")
    assert version(site) == 2
    done(send(ann, f"{at}/steps/sales", **form, seconds="30", version=field_of(late.text, "version")))
    assert version(site) == 3
    assert 'name="version" value="3"' in ann.get(f"{at}/document").text


def test_of_many_who_add_the_same_in_the_same_moment_one_does_and_nobody_sees_an_error(
    database: Database, tmp_path: Path, now: datetime
) -> None:
    site = two_companies(database, tmp_path, now)
    token = csrf_token(ann := admin(site))
    cookie = ann.get_cookie("leaseline")
    assert cookie

    def add(_: int) -> int:
        browser = site.app.test_client()
        browser.set_cookie("leaseline", cookie.value)
        form = {"csrf": token, "name": "Twice", "document": PLAIN}
        return browser.post(f"{HERE}/plans/add", data=form).status_code

    with ThreadPoolExecutor(6) as pool:
        told = [status for turn in range(3) for status in pool.map(add, range(6))]
    assert told.count(303) == 1
    assert set(told) <= {303, 400, 409}


def field_of(html: str, name: str) -> str:
    (found, *_) = re.findall(rf'name="{name}" value="([^"]*)"', html)
    return str(found)
