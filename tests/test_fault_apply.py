"""`leaseline apply` under calls, and with configuration that is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import sqlalchemy as sa
from support.command import Installation, one_line
from support.house import House, Phone, until
from support.talks import Place, begin, books_gain, channel_place, check_booked, finish

from demo.scenario import answered, hang_up, hung_up, invite, invited, pick_up, ringing, wait
from demo.sipp import Party
from tracker.models import Call, Target, Trunk
from tracker.policy.facts import Outcome

CALLS = 20
TALK_SECONDS = 10.0


@pytest.fixture
def place(house: House) -> Place:
    return channel_place(house)


def test_no_call_is_dropped_while_the_configuration_changes_under_it(house: House, place: Place) -> None:
    (old,) = place.line.phones
    new = Phone(old.target_id, house.sip_port())
    with books_gain(house, CALLS):
        phone = house.phone(old, [invited(), ringing(), pick_up(), hung_up(60)], calls=CALLS)
        caller = house.caller(
            place.line,
            [invite(), answered(), wait(TALK_SECONDS), hang_up()],
            calls=CALLS,
            options=("-r", str(CALLS)),
        )
        until(lambda: talking(caller.party) == CALLS, why="all of them talk")
        house.line()  # a new number, a new target
        change(house, Target, old.target_id, name="renamed", dial="77")
        assert "Asterisk reloaded" in house.cli("apply").stdout
        change(house, Target, old.target_id, port=new.port)  # the target of these very calls
        with changed(house, Trunk, house.trunk_id, trust_asserted=False):  # and their trunk
            assert "Asterisk reloaded" in house.cli("apply").stdout
        house.apply()
        assert f"{CALLS} active calls" in house.console("core show channels count")
        assert caller.party.wait(60) == 0, caller.party.errors
        assert phone.wait(60) == 0, phone.errors
        calls = until(lambda: ended(house, caller.number, CALLS), why="all are in the books")
    assert {(call.outcome, call.interrupted) for call in calls} == {(Outcome.ANSWERED, False)}
    assert [call.talk_seconds for call in calls] == pytest.approx([TALK_SECONDS] * CALLS, abs=0.3)
    moved = house.phone(new, [invited(), pick_up(), hung_up()])
    after = house.caller(place.line, [invite(), answered(), wait(0.5), hang_up()])
    assert house.call_of(after).outcome is Outcome.ANSWERED
    assert moved.wait() == 0, moved.errors


def talking(party: Party) -> int:
    """How many calls have been answered; nobody has hung up yet."""
    return sum(message.line.startswith("SIP/2.0 200") for message in party.messages())


def ended(house: House, number: str, count: int) -> list[Call] | None:
    found = house.calls(Call.caller == number, Call.ended_at.is_not(None))
    return found if len(found) >= count else None


WRONG_ADDITIONS = {
    "extensions-mine.conf": "[mine]\nexten => 1,1,NoOp()\nthis line is nothing\n",
    "pjsip-mine.conf": "[mine\ntype = endpoint\n",
    "manager-mine.conf": "secret = without a section\n",
}


@pytest.mark.parametrize("name", WRONG_ADDITIONS)
def test_an_addition_that_does_not_parse_is_named_and_changes_nothing(
    house: House, place: Place, name: str
) -> None:
    change(house, Target, place.line.phones[0].target_id, name=f"waits for {name}")
    before = running(house)
    with addition(house, name, WRONG_ADDITIONS[name]):
        said = refused(house)
        assert f"{name} line " in said
        assert running(house) == before
        check_call(house, place)
    assert "Asterisk reloaded" in house.cli("apply").stdout


WRONG_TARGETS: dict[str, dict[str, Any]] = {
    "host": {"host": "127.0.0.1\n[evil]\ntype = endpoint"},
    "dial": {"dial": "1&PJSIP/2@trunk-1"},
    "port": {"port": None},
}


@pytest.mark.parametrize("what", WRONG_TARGETS)
def test_a_target_that_cannot_be_rendered_is_named_and_changes_nothing(
    house: House, place: Place, what: str
) -> None:
    target_id = place.line.phones[0].target_id
    before = running(house)
    with changed(house, Target, target_id, **WRONG_TARGETS[what]):
        assert f"target {target_id} “" in refused(house)
        assert running(house) == before
        check_call(house, place)
    house.cli("apply")


REFUSED_ADDITIONS = {
    "unknown option": ("[target-{id}](+)\nno_such_option = 1\n", "no_such_option"),
    "second of its name": ("[target-{id}]\ntype = endpoint\ncontext = mine\n", "duplicate"),
    "object of its own": ("[mine]\ntype = endpoint\nno_such_option = 1\n", "pjsip-mine.conf"),
}


@pytest.mark.parametrize("how", REFUSED_ADDITIONS)
def test_an_addition_that_asterisk_refuses_is_named_and_changes_nothing(
    house: House, place: Place, how: str
) -> None:
    """It parses; Asterisk keeps what it has in memory, and would be without it after its next start."""
    text, reason = REFUSED_ADDITIONS[how]
    target_id = place.line.phones[0].target_id
    change(house, Target, target_id, name=f"waits for {how}")
    before = running(house)
    with addition(house, "pjsip-mine.conf", text.format(id=target_id)):
        said = refused(house)
        assert reason in said
        assert "{id}" not in text or f"target {target_id} “" in said
        assert running(house) == before
        check_call(house, place)
    assert "Asterisk reloaded" in house.cli("apply").stdout


def test_a_trunk_whose_carrier_cannot_be_found_is_named_and_changes_nothing(
    house: House, place: Place
) -> None:
    before = running(house)
    carriers = ["127.0.0.2", "no-such-carrier.invalid"]
    with changed(house, Trunk, house.trunk_id, match=carriers):
        assert f"trunk {house.trunk_id} “carrier”" in refused(house)
        assert running(house) == before
        check_call(house, place)
    house.cli("apply")


def test_a_good_addition_survives_and_works(house: House, place: Place) -> None:
    text = "[mine]\nexten => 1,1,NoOp(hand-made)\n"
    with addition(house, "extensions-mine.conf", text):
        house.cli("apply")
        assert "hand-made" in house.console("dialplan show mine")
        house.line()
        house.cli("apply")
        assert "hand-made" in house.console("dialplan show mine")
        assert (house.place.additions / "extensions-mine.conf").read_text() == text
        check_call(house, place)
    house.cli("apply")
    assert "hand-made" not in house.console("dialplan show mine")


def check_call(house: House, place: Place) -> None:
    talk = begin(house, place, 0.5)
    finish([talk])
    check_booked(house, talk, seen_by_agi=True)


def refused(house: House) -> str:
    """What `leaseline apply` says in its one line when it fails."""
    environ = {**house.environ, "LEASELINE_ASTERISK": house.program.path}
    done = Installation(house.home, environ).real("apply")
    assert done.returncode == 1, done.stdout
    return one_line(done.stderr)


def running(house: House) -> tuple[str, ...]:
    """What Asterisk has in its memory, and the files it would read.

    Without where phones are that other tests logged in: that ends by itself.
    """
    asked = ("dialplan show", "pjsip show aors", "pjsip show identifies", "manager show users")
    endpoints = sorted(
        line.split()[1]
        for line in house.console("pjsip show endpoints").splitlines()
        if line.startswith(" Endpoint:  t")
    )
    shown = (
        "\n".join(sorted(row for row in house.console(line).splitlines() if row.split()[:1] != ["Contact:"]))
        for line in asked
    )
    return (str(house.place.current.resolve()), *endpoints, *shown)


@contextmanager
def addition(house: House, name: str, text: str) -> Iterator[None]:
    path = house.place.additions / name
    path.write_text(text)
    try:
        yield
    finally:
        with suppress(FileNotFoundError):
            path.unlink()


def change(house: House, model: type[Target | Trunk], row: int, **values: Any) -> dict[str, Any]:
    """Straight into the table, past everything that would refuse it; what was there before."""
    table = model.__table__
    with house.database.write() as session:
        columns = [table.c[name] for name in values]
        before = session.execute(sa.select(*columns).where(table.c.id == row)).one()._asdict()
        session.execute(sa.update(model).where(table.c.id == row).values(**values))
    return dict(before)


@contextmanager
def changed(house: House, model: type[Target | Trunk], row: int, **values: Any) -> Iterator[None]:
    before = change(house, model, row, **values)
    try:
        yield
    finally:
        change(house, model, row, **before)
