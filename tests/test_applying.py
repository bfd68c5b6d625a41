"""Made live from the page: the worker compares, applies when somebody asked, and survives its own death."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from support.command import Installation, furnish
from support.house import House, until

from commands.applying import take_turn
from commands.context import Here
from demo.scenario import answered, hang_up, hung_up, invite, invited, pick_up, ringing, wait
from dialplan.apply import answered as known_numbers
from dialplan.render import place_of
from tracker import applying, targets
from tracker.audit import By
from tracker.models import AuditEntry, Company, NodeConfiguration, Target
from tracker.policy.liveness import Live, Liveness
from tracker.settings import read_settings

ANN = "ann@pallets.example"


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Here]:
    """A worker's invocation in an installation whose Asterisk is there and does not run."""
    here = Installation(tmp_path, {"LEASELINE_ASTERISK": ""})
    furnish(here)
    made = Here()
    made.__dict__["settings"] = read_settings(here.environ)
    yield made
    made.close()


def how(worker: Here) -> Liveness:
    with worker.database.read() as session:
        return applying.liveness(session, worker.now)


def ask(worker: Here) -> None:
    with worker.database.write() as session:
        applying.ask(session, By(worker.now, ANN, "203.0.113.9"), session.get_one(Company, 1))


def add_target(worker: Here, name: str) -> None:
    with worker.database.write() as session:
        owner = session.get_one(Company, 1)
        targets.add(session, By(worker.now, ANN), owner, name, targets.Peer("127.0.0.1"))


def test_a_change_waits_until_somebody_asks_and_then_is_live(worker: Here) -> None:
    assert how(worker).state is Live.AWAY
    take_turn(worker)
    assert how(worker).state is Live.WAITING
    assert not known_numbers(place_of(worker.settings))
    ask(worker)
    assert how(worker).state is Live.ASKED
    take_turn(worker)
    found = how(worker)
    assert (found.state, found.runs, found.problem) == (Live.LIVE, False, None)
    assert found.since is not None
    assert known_numbers(place_of(worker.settings)) == {"+74951234567"}
    with worker.database.read() as session:
        entry = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "apply")).one()
        assert (entry.actor, entry.client, entry.company_id) == (ANN, "203.0.113.9", 1)
    add_target(worker, "Second")
    assert how(worker).state is Live.WAITING  # before the worker has looked
    take_turn(worker)
    assert how(worker).state is Live.WAITING


def test_nothing_is_rendered_while_nothing_happens(worker: Here) -> None:
    take_turn(worker)
    with worker.database.read() as session:
        before = session.get_one(NodeConfiguration, worker.settings.node).looked_at
    take_turn(worker)
    with worker.database.read() as session:
        assert session.get_one(NodeConfiguration, worker.settings.node).looked_at == before


def test_an_entry_that_is_wrong_is_named_and_a_correction_counts(worker: Here) -> None:
    ask(worker)
    take_turn(worker)
    with worker.database.write() as session:
        session.execute(sa.update(Target).where(Target.name == "Main line").values(host="no host"))
    ask(worker)
    take_turn(worker)
    found = how(worker)
    assert found.state is Live.REFUSED
    assert "Main line" in str(found.problem)
    assert "Nothing was changed" in str(found.fix)
    assert known_numbers(place_of(worker.settings)) == {"+74951234567"}
    with worker.database.write() as session:
        session.execute(sa.update(Target).where(Target.name == "Main line").values(host="127.0.0.1"))
        By(worker.now, ANN).note(session, "target.change", 1)
    assert how(worker).state is Live.WAITING
    take_turn(worker)
    assert how(worker).state is Live.LIVE  # as it was


def test_a_worker_that_died_before_it_told_does_it_again(worker: Here) -> None:
    ask(worker)
    take_turn(worker)
    with worker.database.write() as session:
        session.execute(sa.update(NodeConfiguration).values(request_id=0))  # as if the last write never came
    assert how(worker).state is Live.ASKED
    take_turn(worker)
    assert how(worker).state is Live.LIVE


def test_it_reaches_a_running_asterisk_while_a_call_goes_on(house: House) -> None:
    line = house.line()
    phone = house.phone(line.phones[0], [invited(), ringing(), pick_up(), hung_up(60)])
    caller = house.caller(line, [invite(), answered(), wait(8), hang_up()])
    until(lambda: "200" in str([each.line for each in caller.party.messages()]), why="they talk")
    now = datetime.now(UTC)
    with house.database.write() as session:
        owner = session.get_one(Company, house.company_id)
        made = targets.add(session, By(now, ANN), owner, f"Late {now:%H%M%S}", targets.Peer("127.0.0.1"))
        applying.ask(session, By(now, ANN), owner)
        name = f"target-{made.id}"

    def live() -> bool:
        with house.database.read() as session:
            return applying.liveness(session, datetime.now(UTC)).state is Live.LIVE

    until(live, 30, why="the worker made it live")
    assert name in house.console("pjsip show endpoints")
    with house.database.read() as session:
        assert name in applying.endpoints(session)
    assert caller.party.wait(60) == 0, caller.party.errors
    assert phone.wait(60) == 0, phone.errors
    assert house.call_of(caller).talk_seconds == pytest.approx(8, abs=0.5)
