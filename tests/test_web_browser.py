"""The page in a real Chromium, served by granian: what a manager does with it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect
from support.browser import axe, browser, complaints, open_page, serving  # noqa: F401  (browser is a fixture)
from support.facts import Pallets, answered, ended, started
from support.journeys import tell_journeys
from support.served import books_in, log_in
from support.showroom import OWNER, Showroom, Told, finish_all, furnish, two_tones

from tracker import people
from tracker.books import record, record_all
from tracker.database import Database
from tracker.judge import judge_pending
from tracker.models import Call, Node, PageView, Recording, Visit
from tracker.settings import Settings

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>"
CALLS = (
    Told(3, Pallets.billboard, "+79161234567", talk=8, sound=False, name="Two tones"),
    Told(9, Pallets.leaflet, "+79161234567", "missed", wait=41),
    Told(20, Pallets.leased, "", "busy", wait=4),
    Told(1500, Pallets.leased, "+4915112345678", "gave_up", name=HOSTILE),
)
LOUDEST = """() => {
  const player = document.querySelector("call-player");
  const analyser = player.sides[0].context.createAnalyser();
  analyser.fftSize = 8192;
  player.sides.forEach((side) => side.connect(analyser));
  return new Promise((done) => setTimeout(() => {
    const bins = new Uint8Array(analyser.frequencyBinCount);
    analyser.getByteFrequencyData(bins);
    const near = (hz) => Math.max(...[-1, 0, 1].map(
      (step) => bins[Math.round(hz * analyser.fftSize / analyser.context.sampleRate) + step]));
    done([near(440) > 150, near(1000) > 150]);
  }, 700));
}"""


def until(page: Page, condition: str) -> None:
    """Waits for a condition on `at`, the player's place in seconds; Playwright's own wait needs eval."""
    deadline = time.monotonic() + 15
    while not page.evaluate(f"(at => {condition})(document.querySelector('call-player').audio.currentTime)"):
        assert time.monotonic() < deadline, condition
        page.wait_for_timeout(50)


@dataclass
class Served:
    """A running page, and the house behind it."""

    url: str
    settings: Settings
    database: Database
    room: Showroom
    at: datetime

    def log_in(self, page: Page) -> Page:
        return log_in(page, self.url, self.database, OWNER)

    def visit_of(self, key: str) -> str:
        """The page of the visit that a call is attributed to."""
        with self.database.read() as session:
            return f"/visits/{session.scalar(sa.select(Call.visit_id).where(Call.key == key))}"

    def see(self, *live: dict[str, Any]) -> None:
        """What the AMI listener publishes: these calls are up."""
        now = datetime.now(UTC)
        with self.database.write() as session:
            # A minute ahead, as the listener of these tests does not come back every five seconds.
            seen = now + timedelta(minutes=1)
            session.merge(
                Node(name="main", seen_at=seen, ami_up=True, asterisk_started_at=now, live=list(live))
            )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder, at = tmp_path_factory.mktemp("page"), datetime.now(UTC)
    with books_in(folder) as (settings, database):
        room = furnish(database, settings, at, CALLS)
        with database.write() as session:
            tell_journeys(session, room.pallets, at)
        two_tones(settings, room.keys[0])
        finish_all(database, settings, at + timedelta(minutes=1))
        with serving(settings) as url:
            yield Served(url, settings, database, room, at)


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:  # noqa: F811
    opened = served.log_in(open_page(browser, served.url))
    yield opened
    assert complaints(opened) == []
    opened.context.close()


def test_a_one_time_link_leads_to_the_overview(browser: Browser, served: Served) -> None:  # noqa: F811
    with served.database.write() as session:
        user = people.find_user(session, "olga@pallets.example")
        token = people.make_login_link(session, user, datetime.now(UTC))
    page = open_page(browser, served.url)
    page.goto(f"/link/{token}")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Save and log in").click()
    expect(page).to_have_url(re.compile("/overview$"))
    page.get_by_role("link", name="Calls", exact=True).first.click()
    expect(page.locator("tr.call")).to_have_count(9)
    page.get_by_label("Your account").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.get_by_label("E-mail").fill("olga@pallets.example")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    assert complaints(page) == []
    page.context.close()


def test_a_live_call_comes_is_answered_and_goes_into_the_list_without_reload(
    page: Page, served: Served
) -> None:
    served.see()
    page.goto("/calls")
    page.evaluate("window.stayed = true")
    expect(page.get_by_text("No call at the moment")).to_be_visible()
    now, office = datetime.now(UTC), served.room.pallets.office_id
    live = {"call": "live-1", "state": "ringing", "since": now.isoformat(), "started": now.isoformat(),
            "did": Pallets.billboard, "target": office}  # fmt: skip
    with served.database.write() as session:
        record(session, started(Pallets.billboard, now, "live-1", caller="+79165554433"))
    served.see(live)
    card = page.locator("#live-live-1")
    expect(card).to_contain_text("Ringing")
    expect(card).to_contain_text("8 (916) 555-44-33")
    expect(page).to_have_title(re.compile(r"^\(1\) "))
    served.see(live | {"state": "talking", "since": datetime.now(UTC).isoformat()})
    expect(card).to_contain_text("Talking")
    expect(card).to_contain_text(re.compile("0:0[1-9]"))
    with served.database.write() as session:
        took = datetime.now(UTC)
        record_all(session, [answered(office, took, "live-1"), ended(took + timedelta(seconds=1), "live-1")])
    served.see()
    expect(card).to_have_count(0)
    row = page.locator("#call-live-1")
    expect(row).to_contain_text("Answered")
    assert page.locator("tr.call").first.get_attribute("id") == "call-live-1"
    assert page.evaluate("window.stayed")


def test_a_recording_plays_and_seeks_by_range(page: Page, served: Served) -> None:
    page.goto("/calls")
    ranges: list[tuple[str, int]] = []
    page.on("response", lambda it: ranges.append((it.url, it.status)) if "/audio" in it.url else None)
    player = page.locator(f"#call-{served.room.keys[0]} call-player")
    player.get_by_role("button", name="Play the recording").click()
    until(page, "at > 0.4")
    expect(player.get_by_role("button", name="Pause the recording")).to_be_visible()
    wave = player.get_by_role("slider")
    box = wave.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + 5)
    until(page, "at > 5.9")
    wave.press("Home")
    wave.press("ArrowRight")
    until(page, "Math.abs(at - 5) < 1")
    wave.press("Space")
    expect(player.get_by_role("button", name="Play the recording")).to_be_visible()
    expect(wave).to_have_attribute("aria-valuetext", re.compile("0:0[56] of 0:08"))
    player.get_by_label("Speed").select_option("1.5")
    assert page.evaluate("document.querySelector('call-player').audio.playbackRate") == 1.5
    assert {status for _, status in ranges} == {206}


def test_silence_is_skipped_where_that_is_wanted(page: Page, served: Served) -> None:
    silent = {
        side: [50] * 100 + [0] * 300 + [50] * 100 for side in ("caller", "company")
    }  # from 1.6 to 6.4 s
    with served.database.write() as session:
        recording = session.scalars(
            sa.select(Recording).join(Call).where(Call.key == served.room.keys[0])
        ).one()
        kept, recording.peaks = recording.peaks, silent
    page.goto(f"/calls/{served.room.keys[0]}")
    page.get_by_label("Skip silence").check()
    page.get_by_role("button", name="Play the recording").click()
    page.evaluate(
        "() => { window.seeked = []; const { audio } = document.querySelector('call-player');"
        " audio.addEventListener('seeked', () => seeked.push(audio.currentTime)); }"
    )
    until(page, "at > 6")
    assert [round(each, 1) for each in page.evaluate("seeked")] == [6.1]
    with served.database.write() as session:
        session.execute(sa.update(Recording).where(Recording.id == recording.id).values(peaks=kept))


def test_either_side_can_be_heard_alone(page: Page, served: Served) -> None:
    page.goto(f"/calls/{served.room.keys[0]}")
    page.get_by_role("button", name="Play the recording").click()
    until(page, "at > 0.2")
    assert page.evaluate(LOUDEST) == [True, True]
    page.locator(".sides").get_by_text("Caller").click()
    assert page.evaluate(LOUDEST) == [True, False]
    page.locator(".sides").get_by_text("Company").click()
    assert page.evaluate(LOUDEST) == [False, True]


def test_the_list_can_be_used_with_the_keyboard_alone(page: Page, served: Served) -> None:
    page.goto("/calls")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    link = page.locator(f"#call-{served.room.keys[1]} a").first
    link.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="8 (916) 123-45-67")).to_be_visible()
    expect(page.get_by_text("Nobody answered, so nothing was recorded.")).to_be_visible()


def test_keys_walk_through_the_list_and_say_what_calls_were_worth(page: Page, served: Served) -> None:
    page.goto("/calls")
    rows = page.locator("tr.call")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(rows.first.locator(".who a")).to_be_focused()
    page.keyboard.press("3")
    pressed = rows.first.get_by_role("button", name="Non-target", pressed=True)
    expect(pressed).to_be_visible()
    page.reload()  # it was stored, not only shown
    expect(pressed).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("3")  # the same key again takes it back
    expect(pressed).to_have_count(0)
    page.reload()
    expect(pressed).to_have_count(0)


def test_several_calls_are_chosen_and_judged_at_once(page: Page, served: Served) -> None:
    page.goto("/calls?source=&q=916")
    boxes = page.get_by_role("checkbox", name="Choose this call")
    expect(page.locator("#bulk")).to_be_hidden()
    boxes.first.check()
    boxes.last.click(modifiers=["Shift"])
    every = boxes.count()
    expect(page.get_by_role("status").filter(has_text=f"{every} chosen")).to_be_visible()
    assert axe(page) == []
    page.locator("#bulk").get_by_role("button", name="Service").click()
    expect(page).to_have_url(re.compile(r"q=916"))  # back in the same view
    expect(page.get_by_role("button", name="Service", pressed=True)).to_have_count(every)
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.get_by_placeholder("Tag").fill("autumn")
    page.get_by_placeholder("Tag").press("Enter")
    expect(page.locator("tr.call .words").filter(has_text="autumn")).to_have_count(1)


def test_a_manager_says_what_a_call_was_worth_and_writes_down_why(page: Page, served: Served) -> None:
    page.goto(f"/calls/{served.room.keys[0]}")
    page.get_by_label("New tag").fill("delivery")
    page.get_by_role("button", name="Target", exact=True).click()  # what is being typed stays
    expect(page.get_by_role("button", name="Target", exact=True, pressed=True)).to_be_visible()
    expect(page.get_by_text("Set by Olga Orlova")).to_be_visible()
    page.get_by_label("New tag").press("Enter")
    expect(page.get_by_role("button", name="Take the tag delivery away")).to_be_visible()
    page.get_by_role("button", name="Play the recording").click()
    until(page, "at > 1")
    page.get_by_role("button", name="Pause the recording").click()
    page.get_by_role("textbox", name="Note").fill(HOSTILE)
    page.get_by_label("of the recording").check()
    page.get_by_role("button", name="Write").click()
    expect(page.get_by_text(HOSTILE)).to_be_visible()
    page.get_by_title("Play from here").click()
    until(page, "at > 1")
    assert axe(page) == []
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text(HOSTILE)).to_have_count(0)


def test_a_manager_narrows_the_list_and_keeps_the_view_as_its_address(page: Page, served: Served) -> None:
    page.goto("/calls")
    page.get_by_role("combobox", name="Outcome").select_option("Missed")
    expect(page).to_have_url(re.compile(r"/calls\?outcome=missed$"))  # nothing empty in the address
    expect(page.locator("tr.call")).to_have_count(1)
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("916")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Without Missed")).to_be_visible()
    page.locator(".further summary").click()
    page.get_by_label("Channel", exact=True).select_option("Leaflet")
    assert axe(page) == []
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tr.call")).to_have_count(1)
    page.get_by_role("link", name="Without Channel: Leaflet").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.path().read_text("utf-8-sig").count("\n") == 2
    page.get_by_role("link", name="Show all").click()
    expect(page).to_have_url(re.compile(r"/calls$"))


def test_a_category_that_cannot_be_stored_is_taken_back_and_said(page: Page, served: Served) -> None:
    page.goto("/calls")
    page.route("**/category", lambda route: route.abort())
    row = page.locator(f"#call-{served.room.keys[1]}")
    row.get_by_role("button", name="Non-target").click()
    expect(page.get_by_role("alert")).to_contain_text("nothing was changed")
    expect(row.get_by_role("button", name="Non-target", pressed=False)).to_be_visible()
    complaints(page).clear()  # the request that the test refused


def test_hostile_text_is_shown_and_not_run(page: Page, served: Served) -> None:
    with served.database.read() as session:
        assert session.scalar(sa.select(Call.caller_name).where(Call.key == served.room.keys[3])) == HOSTILE
    page.goto("/calls")
    expect(page.get_by_text(HOSTILE)).to_be_visible()
    page.goto(f"/calls/{served.room.keys[3]}")
    expect(page.get_by_text(HOSTILE)).to_be_visible()


def test_a_manager_finds_out_where_an_uncertain_call_may_have_come_from(page: Page, served: Served) -> None:
    page.goto("/calls")
    row = page.locator("#call-uncertain")
    expect(row.get_by_text("Uncertain")).to_be_visible()
    row.get_by_role("link").first.click()
    expect(page.get_by_text("Three candidates")).to_be_visible()
    expect(page.locator("#visit-card")).to_contain_text("Country Russia", use_inner_text=True)
    page.locator(".others a").first.click()
    expect(page).to_have_url(re.compile(r"/visits/\d+$"))
    expect(page.get_by_text("Organic Social")).to_be_visible()


def test_the_code_that_a_caller_tells_changes_the_source_on_the_open_page(page: Page, served: Served) -> None:
    page.goto("/calls/unknown")
    page.get_by_label("Visitor code").fill("999")
    page.locator(".code").get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Nobody was shown the code 999")
    expect(page.get_by_label("Visitor code")).to_be_focused()
    assert axe(page) == []
    page.get_by_label("Visitor code").fill("482")
    page.get_by_label("Visitor code").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("being worked out")
    judge_pending(served.database, datetime.now(UTC))
    expect(page.locator("#origin")).to_contain_text("chatgpt.com")
    expect(page.locator("#journey-card")).to_contain_text("Was shown the code 482")
    assert [it for it in complaints(page) if "400" not in it] == []
    complaints(page).clear()


def test_hostile_text_of_a_visitor_is_shown_and_not_run(page: Page, served: Served) -> None:
    with served.database.write() as session:
        visit = session.scalars(sa.select(Visit).join(Call).where(Call.key == "code")).one()
        fields = ("landing_url", "referrer", "source", "medium", "campaign", "keyword", "content", "browser")
        for name in fields:
            setattr(visit, name, HOSTILE)
        visit.click_ids = {HOSTILE: HOSTILE}
        visit.country, visit.language = "<b", "<script>"
        theirs = sa.update(PageView).where(PageView.visit_id == visit.id)
        session.execute(theirs.values(url=f"javascript:{HOSTILE}", title=HOSTILE))
    for path in ("/calls", "/calls/code", served.visit_of("code")):
        page.goto(path)
        expect(page.get_by_text(HOSTILE).first).to_be_visible()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_every_page_is_accessible_and_fits(
    browser: Browser,  # noqa: F811
    served: Served,
    size: str,
    dark: bool,
) -> None:
    page = served.log_in(open_page(browser, served.url, size=size, dark=dark))
    for path in (
        "/calls",
        f"/calls/{served.room.keys[0]}",
        f"/calls/{served.room.keys[1]}",
        "/calls/certain",
        "/calls/uncertain",
        served.visit_of("certain"),
        "/people",
        "/account",
        "/audit",
        "/nowhere",
        "/login",
    ):
        page.goto(path)
        if path == "/calls":
            page.get_by_role("button", name="Play the recording").first.click()
        assert axe(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    assert [it for it in complaints(page) if "404" not in it] == []
    page.context.close()


def test_a_server_that_is_gone_is_said_and_its_return_noticed(browser: Browser, served: Served) -> None:  # noqa: F811
    page = served.log_in(open_page(browser, served.url))
    page.goto("/calls")
    page.route("**/calls/now", lambda route: route.abort())
    expect(page.locator(".stale")).to_have_count(1, timeout=15_000)
    page.unroute("**/calls/now")
    expect(page.locator(".stale")).to_have_count(0, timeout=15_000)
    page.context.close()


def test_an_ended_session_leads_to_the_log_in(browser: Browser, served: Served, tmp_path: Path) -> None:  # noqa: F811
    page = served.log_in(open_page(browser, served.url))
    page.goto("/calls")
    page.context.clear_cookies()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible(timeout=10_000)
    page.context.close()
