"""Callbacks on real Asterisk: the employee first, then the visitor, and what stands in the books."""

from __future__ import annotations

import json
import os
import signal
import time
import wave
from pathlib import Path

import numpy as np
from support.audio import RATE, correlation, read_sides, speech, write_ulaw
from support.browser import axe
from support.callback import Shop, shop
from support.house import OFFICE, House, until
from support.page import Page as PageOf
from support.visiting import CHROME

from demo import visitors
from demo.scenario import hung_up, invited, phone_hangs_up, pick_up, ringing, say, turn_down, wait
from demo.shop import shop as website
from demo.sipp import Party
from tracker import sounds
from tracker.models import Call, CallbackReason, CallbackRequest, CallbackState, Recording, RecordingState
from tracker.policy.callback import PROMISE_SECONDS
from tracker.policy.facts import Direction, HungUpBy, Outcome
from tracker.policy.prompts import Words

VISITORS_WORDS = "Hello, I asked to be called back about your pallets, the used ones."
EMPLOYEES_WORDS = "Pallets limited, good morning. You wanted to be called, how many do you need?"
OWN = "+74957654321"
HEARD, NOT_HEARD = 0.8, 0.4


def test_an_employee_is_rung_then_the_visitor_and_both_hear_each_other(house: House, tmp_path: Path) -> None:
    site = shop(house)
    visitors, employees = speech(VISITORS_WORDS), speech(EMPLOYEES_WORDS, "en+f3")
    seconds = max(len(visitors), len(employees)) / RATE
    here, there = write_ulaw(tmp_path / "v.ul", visitors), write_ulaw(tmp_path / "e.ul", employees)
    employee = site.employee([invited(), ringing(), wait(0.3), pick_up(), wait(0.6), say(there), hung_up()])
    visitor = site.visitor(
        [
            invited(),
            ringing(),
            wait(0.3),
            pick_up(),
            wait(0.2),
            say(here),
            wait(seconds + 0.5),
            phone_hangs_up(),
        ]
    )
    request = site.over(site.ask("8 916 555-01-01"))
    assert request.state is CallbackState.TALKED, site.tale(request)
    call = site.call(request)
    assert call.direction is Direction.CALLBACK
    assert (call.outcome, call.hung_up_by) == (Outcome.ANSWERED, HungUpBy.CALLER)
    assert (call.caller, call.number_id, call.trunk_id) == (
        "+79165550101",
        site.line.number_id,
        site.trunk.id,
    )
    assert call.target_id == request.target_id == site.line.phones[0].target_id
    assert employee.wait() == 0, employee.errors
    assert visitor.wait() == 0, visitor.errors
    assert "+79165550101" in wire(employee)
    assert site.line.e164 in wire(visitor)
    check_times(site, request.id, employee.instant("^INVITE"), visitor.instant("^INVITE"))
    recording = recorded(house, call)
    assert recording.path
    left, right = read_sides(house.settings.recordings_folder / recording.path)
    assert min(correlation(left, visitors), correlation(right, employees)) > HEARD
    assert max(correlation(left, employees), correlation(right, visitors)) < NOT_HEARD


def test_a_click_on_the_website_rings_both_within_the_minute_and_tells_its_campaign(house: House) -> None:
    site = shop(house)
    name = site.name()
    site.employee([invited(), ringing(), wait(0.3), pick_up(), hung_up()])
    site.visitor([invited(), ringing(), wait(0.3), pick_up(), wait(0.5), phone_hangs_up()])
    snippet = json.loads(house.cli("site", "show", name, "--json").stdout)["snippet"]
    policy = f"default-src 'self'; script-src {house.settings.web_url}; connect-src {house.settings.web_url}"
    strict = f'<meta http-equiv="Content-Security-Policy" content="{policy}">{snippet}'
    with visitors.browser() as browser, website(0, snippet=strict, e164=OWN, phone=OWN) as address:
        page = browser.new_page(locale="en-GB", user_agent=CHROME)
        problems: list[str] = []
        page.on("console", lambda told: problems.append(told.text) if told.type == "error" else None)
        with page.expect_response(lambda answer: "/api/v1/visits" in answer.url):
            page.goto(address + visitors.BEN.lands_on, referer="https://www.google.com/")
        page.get_by_role("button", name="Call me back").click()
        page.get_by_label("Your phone number").fill("8 916 555-01-06")
        assert axe(page) == []
        clicked = time.time()
        page.get_by_role("button", name="Call me", exact=True).click()
        page.get_by_text("We are calling you").wait_for()
        request = site.over(site.newest())
    assert [each for each in problems if "Security" in each] == []
    assert request.state is CallbackState.TALKED, site.tale(request)
    for rang_at in (request.employee_rang_at, request.visitor_rang_at):
        assert rang_at
        assert 0 < rang_at.timestamp() - clicked < PROMISE_SECONDS / 2
    call = until(
        lambda: next(
            iter(house.calls(Call.id == site.call(request).id, Call.attributed_at.is_not(None))), None
        )
    )
    assert call.visit_id == request.visit_id is not None
    told = PageOf(house).json(f"/api/v1/calls/{call.key}")["call"]
    assert (told["source"]["campaign"], told["source"]["keyword"]) == ("spring", "euro pallets")
    assert told["attribution"]["candidates"][0]["reasons"] == ["callback"]
    assert told["visit"]["landing_url"].endswith("utm_term=euro+pallets")
    assert "asked on the website to be called back" in PageOf(house).get(f"/calls/{call.key}")


def test_the_employee_is_told_what_is_to_come_before_the_visitor_is_rung(house: House) -> None:
    company_id = house.company("calls-back", whisper="from {source}")
    site, words = shop(house, company_id=company_id), Words("en", "Callback", kept=False)
    with wave.open(str(sounds.sound_for(house.settings, words)) + ".wav") as sound:
        spoken = np.frombuffer(sound.readframes(-1), "<i2") / 32768
    employee = house.telephone(OFFICE, port=site.line.phones[0].port)
    visitor = site.visitor([invited(), ringing(), wait(0.3), pick_up(), wait(0.3), phone_hangs_up()])
    request = site.ask("8 916 555-01-09")
    talk = employee.take_call(20)
    assert site.over(request).state is CallbackState.TALKED
    assert correlation(talk.media.heard(), spoken) > HEARD
    assert visitor.wait() == 0, visitor.errors


def check_times(site: Shop, request_id: int, employee_at: float, visitor_at: float) -> None:
    """The minute is kept, and what the books say of it is what went over the wire."""
    with site.house.database.read() as session:
        request = session.get_one(CallbackRequest, request_id)
    assert request.employee_rang_at
    assert request.visitor_rang_at
    assert abs(request.employee_rang_at.timestamp() - employee_at) < 1
    assert abs(request.visitor_rang_at.timestamp() - visitor_at) < 1
    waited = (request.visitor_rang_at - request.requested_at).total_seconds()
    print(f"\ncallback first_ring_s={waited:.1f}")
    assert waited < PROMISE_SECONDS / 2


def wire(party: Party) -> str:
    """Everything that party sent and was sent."""
    return (party.folder / "wire").read_text(errors="replace")


def recorded(house: House, call: Call) -> Recording:
    def ready() -> Recording | None:
        (now,) = house.calls(Call.id == call.id)
        return now.recording if now.recording and now.recording.state is RecordingState.READY else None

    return until(ready, 30, why="the recording is ready")


def test_several_at_once_a_busy_employee_a_double_click_and_a_refused_country(house: House) -> None:
    site = shop(house, phones=2, tries=2)
    site.employee([invited(), turn_down(486, "Busy Here")], calls=2)
    second = site.employee([invited(), ringing(), wait(0.2), pick_up(), hung_up()], place=1, calls=2)
    site.visitor([invited(), ringing(), wait(0.2), pick_up(), wait(0.5), phone_hangs_up()], calls=2)
    first = site.ask("+79165550102", token="click")
    again = site.ask("+79165550102", token="click")
    other = site.ask("+79165550103", token="another")
    abroad = site.ask("+49 30 123456")
    assert first.id == again.id
    assert (abroad.state, abroad.reason) == (CallbackState.REFUSED, CallbackReason.COUNTRY)
    for request in (site.over(first), site.over(other)):
        assert (request.state, request.tries) == (CallbackState.TALKED, 1), site.tale(request)
        assert request.target_id == site.line.phones[1].target_id
        assert site.call(request).outcome is Outcome.ANSWERED
    assert second.wait() == 0, second.errors


def test_a_visitor_who_is_busy_is_tried_again_and_given_up(house: House) -> None:
    site = shop(house, tries=2)
    employee = site.employee([invited(), pick_up(), hung_up()], calls=2)
    site.visitor([invited(), ringing(), turn_down(486, "Busy Here")], calls=2)
    request = site.over(site.ask("+79165550104"), 40)
    assert (request.state, request.reason, request.tries) == (
        CallbackState.GIVEN_UP, CallbackReason.BUSY, 2,
    )  # fmt: skip
    assert employee.wait() == 0, employee.errors
    tried = {entry["call"] for entry in request.story}
    calls = house.calls(Call.key.in_(tried))
    assert [call.outcome for call in calls] == [Outcome.BUSY] * 2


def test_a_call_server_that_dies_while_the_phone_rings_calls_nobody_twice(house: House) -> None:
    site = shop(house, ring_seconds=20)
    employee = site.employee([invited(), ringing(), wait(4), pick_up(), hung_up()])
    site.visitor([invited(), ringing(), wait(0.2), pick_up(), wait(0.5), phone_hangs_up()])
    request = site.ask("+79165550105")
    until(lambda: site.now(request).employee_rang_at, why="the employee's phone rings")
    os.kill(house.pid("agi"), signal.SIGKILL)
    over = site.over(request, 40)
    assert (over.state, over.tries) == (CallbackState.TALKED, 1)
    assert employee.wait() == 0, employee.errors
    assert house.count(Call.caller == "+79165550105") == 1
