"""A call that was just placed, as the command line and the page show it."""

from __future__ import annotations

import json
import re
from datetime import datetime

import pytest
from support.audio import speech, write_ulaw
from support.house import Caller, House, Line, until
from support.page import Page

from demo.scenario import answered, hang_up, hung_up, invite, invited, pick_up, ringing, say, wait
from tracker.models import Call, RecordingState

CLOSE = 0.1  # seconds our times may differ from those on the wire


@pytest.fixture
def talked(house: House) -> tuple[Line, Caller, Call]:
    """A call with a talk of a second and a half, ended, its recording ready."""
    line = house.line()
    words = write_ulaw(house.home / "words.ul", speech("I am calling about the pallets."))
    house.phone(line.phones[0], [invited(), ringing(), wait(0.4), pick_up(), say(words), hung_up()])
    caller = house.caller(line, [invite(), answered(), say(words), wait(1.5), hang_up()])
    call = house.call_of(caller)

    def ready() -> Call | None:
        (now,) = house.calls(Call.id == call.id)
        return now if now.recording and now.recording.state is RecordingState.READY else None

    return line, caller, until(ready, 20, why="the recording is ready")


def check(shown: dict[str, object], line: Line, caller: Caller, call: Call) -> None:
    """Everything a listing says of the call is what happened."""
    assert (shown["key"], shown["number"], shown["caller"]) == (call.key, line.e164, caller.number)
    assert (shown["caller_name"], shown["presentation"]) == ("Ann Caller", "allowed")
    assert (shown["outcome"], shown["hung_up_by"]) == ("answered", "caller")
    assert call.channel
    assert isinstance(shown["source"], dict)
    assert shown["source"]["channel"] == call.channel.name
    recording = shown["recording"]
    assert isinstance(recording, dict)
    assert (recording["state"], recording["seconds"]) == ("ready", pytest.approx(1.5, abs=0.4))
    wire = caller.party
    for name, pattern, sent in (("started_at", "^INVITE", True), ("answered_at", "200 OK", False)):
        at = datetime.fromisoformat(str(shown[name]))
        assert at.timestamp() == pytest.approx(wire.instant(pattern, sent=sent), abs=CLOSE)
    talk = wire.instant("^BYE") - wire.instant("200 OK", sent=False)
    assert shown["talk_seconds"] == pytest.approx(talk, abs=CLOSE)


def test_the_command_line_lists_and_shows_the_call(house: House, talked: tuple[Line, Caller, Call]) -> None:
    line, caller, call = talked
    listed = json.loads(house.cli("calls", "list", "--json").stdout)["calls"]
    check(next(each for each in listed if each["key"] == call.key), line, caller, call)
    shown = json.loads(house.cli("calls", "show", call.key, "--json").stdout)
    check(shown, line, caller, call)
    assert [event["kind"] for event in shown["events"]] == ["started", "answered", "ended"]


def test_the_page_lists_and_shows_the_call_and_plays_it(
    house: House, talked: tuple[Line, Caller, Call]
) -> None:
    line, caller, call = talked
    page = Page(house)
    row = re.search(rf'<tr class="call" id="call-{call.key}">.*?</tr>', page.get("/calls"), re.DOTALL)
    assert row
    assert call.channel
    for text in ("Answered", "Ann Caller", call.channel.name):
        assert text in row[0]
    listed = page.json("/api/v1/calls")["calls"]
    check(next(each for each in listed if each["key"] == call.key), line, caller, call)
    check(page.json(f"/api/v1/calls/{call.key}")["call"], line, caller, call)
    assert "Ann Caller" in page.get(f"/calls/{call.key}")
    sound = re.search(r'data-src="([^"]+)"', row[0])
    assert sound
    assert len(page.read(sound[1])) > 1000
