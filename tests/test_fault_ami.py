"""The link to Asterisk's manager interface is cut for a while: afterwards the live list is right again."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.agi_faults import Wire
from support.house import House, until
from support.ports import free_port
from support.talks import (
    Place,
    Sounds,
    Talk,
    answer_of,
    await_talking,
    begin,
    books_gain,
    channel_place,
    check_booked,
    finish,
    make_sounds,
)

from tracker.live import LiveCall, live_calls
from tracker.models import Node

LONGEST = 100.0
RECONNECTS_WITHIN_SECONDS = 25.0  # a refused login is not tried again for 15 s


@pytest.fixture(scope="module")
def places(house: House) -> list[Place]:
    with house.applying_once():
        return [channel_place(house, ring_seconds=60) for _ in range(6)]


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Sounds:
    return make_sounds(Path(tmp_path_factory.mktemp("sounds")), LONGEST)


@contextmanager
def silent(house: House) -> Iterator[None]:
    """The connection stays, and nothing comes through any more; new ones fare no better."""
    elsewhere = free_port()
    house.apply(ami_port=elsewhere)  # Asterisk moves; what agi still connects to is the wire
    wire = Wire(house.settings.ami_port, elsewhere)
    try:
        throw_out(house)
        until(lambda: ami_user(house), 10, why="agi is connected over the wire")
        until(lambda: node_of(house).ami_up, 10)
        wire.cut()
        yield
    finally:
        wire.mend()
        wire.close()
        house.apply()


@contextmanager
def revoked(house: House) -> Iterator[None]:
    """Asterisk throws the user out and does not take its password any more."""
    house.apply(ami_secret="x" * 40)
    throw_out(house)
    try:
        yield
    finally:
        house.apply()


def throw_out(house: House) -> None:
    found = ami_user(house)
    assert found, house.console("manager show connected")
    house.console(f"manager kick session {found}")


def ami_user(house: House) -> str | None:
    """The file descriptor by which Asterisk knows the session of our AMI user."""
    shown = re.search(
        r"^\s*leaseline\s+\S+\s+\d+\s+\d+\s+(\d+)", house.console("manager show connected"), re.MULTILINE
    )
    return shown[1] if shown else None


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("way", "seconds"), [(silent, 60.0), (revoked, 20.0)], ids=["silent", "revoked"])
def test_the_live_list_is_right_again_when_the_link_is_back(
    house: House, places: list[Place], sounds: Sounds, way: object, seconds: float
) -> None:
    until(lambda: not live(house), 10, why="no call is up")
    with books_gain(house, 6):
        ends_meanwhile = begin(house, places[0], 8, sounds)
        goes_on = begin(house, places[1], seconds + RECONNECTS_WITHIN_SECONDS + 5, sounds)
        picked_up_meanwhile = begin(house, places[2], seconds + RECONNECTS_WITHIN_SECONDS, sounds, ring=9)
        await_talking([ends_meanwhile, goes_on])
        expect(house, {ends_meanwhile: "talking", goes_on: "talking", picked_up_meanwhile: "ringing"})
        with way(house):  # type: ignore[operator]
            began = time.monotonic()
            comes_and_goes = begin(house, places[3], 3, sounds)
            until(lambda: not node_of(house).ami_up, 20, why="the cut is noticed")
            print(f"noticed after {time.monotonic() - began:.1f} s")
            stays = begin(house, places[4], seconds + RECONNECTS_WITHIN_SECONDS, sounds)
            finish([ends_meanwhile, comes_and_goes])
            await_talking([stays, picked_up_meanwhile])
            time.sleep(max(0.0, began + seconds - 1 - time.monotonic()))
            rings = begin(house, places[5], 1, sounds, ring=RECONNECTS_WITHIN_SECONDS + 3)
            until(rings.phone.messages, why="it rings")
            time.sleep(max(0.0, began + seconds - time.monotonic()))
        mended = time.monotonic()
        until(lambda: node_of(house).ami_up, RECONNECTS_WITHIN_SECONDS, why="the link is back")
        print(f"back after {time.monotonic() - mended:.1f} s")
        expect(
            house, {goes_on: "talking", picked_up_meanwhile: "talking", stays: "talking", rings: "ringing"}
        )
        talks = [ends_meanwhile, goes_on, picked_up_meanwhile, comes_and_goes, stays, rings]
        finish(talks, 60)
        for talk in talks:
            check_booked(house, talk)
    until(lambda: not live(house), 5, why="no call is live any more")


def expect(house: House, wanted: dict[Talk, str]) -> None:
    """Exactly these calls are live, in these states, since the right instants."""
    states = {talk.caller.number: state for talk, state in wanted.items()}
    until(lambda: {row.caller: row.state for row in live(house)} == states, 5, why=f"{states}: {live(house)}")
    rows = {row.caller: row for row in live(house)}
    for talk, state in wanted.items():
        row = rows[talk.caller.number]
        since = answer_of(talk) if state == "talking" else talk.sent_at
        assert row.since.timestamp() == pytest.approx(since, abs=2.0)
        assert row.started_at.timestamp() == pytest.approx(talk.sent_at, abs=0.5)
        assert row.target == talk.place.line.phones[0].target_id


def live(house: House) -> list[LiveCall]:
    with house.database.read() as session:
        return live_calls(session, [house.company_id])


def node_of(house: House) -> Node:
    with house.database.read() as session:
        return session.get_one(Node, house.settings.node)
