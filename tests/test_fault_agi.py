"""The AGI server fails in every way it can; each caller reaches the company, and the books miss nothing.

The delays that are allowed: 2.5 s where Asterisk waits for a connection that never comes (its own limit is
2 s, res_agi.c), 1.5 s everywhere else (our deadline is 0.8 s).
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from support.agi_faults import WAYS, broken, frozen
from support.house import House, until
from support.talks import (
    CLOSE,
    Place,
    Sounds,
    Talk,
    begin,
    channel_place,
    check_booked,
    check_heard,
    finish,
    leased_place,
    make_sounds,
)

from demo.scenario import give_up, invite, wait
from tracker.live import agi_answers
from tracker.policy.facts import HungUpBy, Outcome

ALLOWED_DELAY = 1.5
ALLOWED_DELAY_WITHOUT_CONNECTION = 2.5


@pytest.fixture(scope="module")
def places(house: House) -> list[Place]:
    """Three lines of channels, one of a pool that is leased to a visitor."""
    with house.applying_once():
        return [*(channel_place(house) for _ in range(3)), leased_place(house)]


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Sounds:
    return make_sounds(Path(tmp_path_factory.mktemp("sounds")), 1.2)


def test_with_a_server_that_answers_there_is_no_delay(
    house: House, places: list[Place], sounds: Sounds
) -> None:
    talks = call_everywhere(house, places, sounds)
    finish(talks)
    check(house, talks, allowed_delay=0.5, seen_by_agi=True)


@pytest.mark.parametrize("how", WAYS)
def test_callers_reach_the_company_when_the_server(
    house: House, places: list[Place], sounds: Sounds, how: str
) -> None:
    try:
        with broken(how) as port:
            house.apply(agi_port=port)
            talks = call_everywhere(house, places, sounds)
            finish(talks)
    finally:
        house.apply()
    allowed = ALLOWED_DELAY_WITHOUT_CONNECTION if how == "swallows the SYN" else ALLOWED_DELAY
    check(house, talks, allowed, seen_by_agi=False)


def test_callers_reach_the_company_when_the_server_is_frozen(
    house: House, places: list[Place], sounds: Sounds
) -> None:
    with frozen(house.pid("agi")):
        talks = call_everywhere(house, places, sounds)
        finish(talks)
    check(house, talks, ALLOWED_DELAY, seen_by_agi=False)


def test_callers_reach_the_company_when_the_server_is_killed_in_mid_session(
    house: House, places: list[Place], sounds: Sounds
) -> None:
    pid = house.pid("agi")
    with frozen(pid):  # the session stays open for as long as it is
        talks = call_everywhere(house, places, sounds)
        until(lambda: all(talk.caller.party.messages() for talk in talks), why="all have called")
        time.sleep(0.2)  # the questions are on their way to the AGI; nothing shows when they are there
        os.kill(pid, signal.SIGKILL)
    finish(talks)
    check(house, talks, ALLOWED_DELAY, seen_by_agi=False)
    until(lambda: agi_answers("127.0.0.1", house.settings.agi_port), 20, why="the AGI server is back")


def test_a_caller_who_gives_up_while_the_server_hangs_is_in_the_books(
    house: House, places: list[Place]
) -> None:
    try:
        with broken("accepts and hangs") as port:
            house.apply(agi_port=port)
            caller = house.caller(places[-1].line, [invite(), '<recv response="100"/>', wait(0.3), give_up()])
            call = house.call_of(caller)
            assert caller.party.wait() == 0, caller.party.errors
            assert "0 active channels" in house.console("core show channels count")
    finally:
        house.apply()
    assert (call.outcome, call.hung_up_by) == (Outcome.GAVE_UP, HungUpBy.CALLER)
    assert (call.lease_id, call.seen_by_agi, call.rang_at) == (places[-1].lease_id, False, None)
    assert call.ended_at is not None
    assert call.ended_at.timestamp() == pytest.approx(caller.party.instant("^CANCEL"), abs=CLOSE)


def call_everywhere(house: House, places: list[Place], sounds: Sounds) -> list[Talk]:
    return [begin(house, place, 1.5, sounds) for place in places]


def check(house: House, talks: list[Talk], allowed_delay: float, *, seen_by_agi: bool) -> None:
    delays = [talk.delay for talk in talks]
    print("delays", " ".join(f"{delay:.3f}" for delay in delays))
    assert max(delays) < allowed_delay
    for talk in talks:
        call = check_booked(house, talk, seen_by_agi=seen_by_agi)
        check_heard(house, call)
