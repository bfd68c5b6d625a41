"""Plans at their limits on a real Asterisk: calls in the same moment, sounds that are lost, nobody to ask."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from support.agi_faults import frozen
from support.exchange import Exchange, OutCall
from support.house import CARRIER, OFFICE, House, until
from support.plan_house import PROMPT, Office, call_of, caller_number, recording_of

from tracker import consents
from tracker.models import Call, CallEvent, Company, Number, Prompt, Unrecorded, Wish
from tracker.policy.facts import Outcome
from tracker.policy.plan_trial import Answer, Reaction
from tracker.policy.taping import Withheld

AT_ONCE = 12


@pytest.fixture(scope="module")
def office(house: House) -> Office:
    made = Office(house, "limits")
    with house.database.write() as session:
        session.get_one(Company, made.id).remember_refusals = True
    return made


@pytest.fixture
def exchange(house: House) -> Iterator[Exchange]:
    """Its phones talk until the caller hangs up."""
    made = Exchange((OFFICE, house.settings.sip_port), callers=CARRIER, phones=OFFICE, talk_seconds=60)
    yield made
    made.close()


def ring(*targets: str, most: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "kind": "ring",
        "targets": [{"target": it, "seconds": 10, "most": most} for it in targets],
        **more,
    }


FULL = {"kind": "hangup", "cause": "busy"}


def test_of_calls_in_the_same_moment_a_target_has_no_more_than_it_may(
    house: House, office: Office, exchange: Exchange
) -> None:
    names = ("desk", "ann", "bob", "gone")
    ids = {name: office.target(name, port=exchange.phones_port, dial=name) for name in names}
    in_turn = office.number("in turn", {"steps": {"ring": ring("desk", most=2, busy="full"), "full": FULL}})
    at_once = office.number(
        "at once",
        {"steps": {"ring": ring("ann", "bob", "gone", most=2, order="at once", busy="full"), "full": FULL}},
    )
    house.apply()
    for name in names:
        exchange.answers(name, [Reaction(Answer.ANSWERS, 0.3)])
    exchange.answers("gone", [Reaction(Answer.UNREACHABLE)])
    for _ in range(3):
        calls = [exchange.call(caller_number(), each) for each in (in_turn, at_once) for _ in range(AT_ONCE)]
        until(lambda calls=calls: all(call.code for call in calls), 30, why="each is taken or not")  # type: ignore[misc]
        taken = [call for call in calls if call.code == 200]
        assert sum(call.did == in_turn for call in taken) == 2
        by_target = [call.target_id for call in ended(house, exchange, taken)]
        assert max(by_target.count(ids[name]) for name in ("ann", "bob")) <= 2
        assert {call.code for call in calls} == {200, 486}
    again = exchange.call(caller_number(), at_once)  # and whoever comes later finds them free
    assert until(lambda: again.code, why="it is taken") == 200
    exchange.give_up(again)


def test_of_calls_in_the_same_moment_each_begins_with_the_next_target(
    house: House, office: Office, exchange: Exchange
) -> None:
    names = ("first", "second", "third")
    ids = [office.target(name, port=exchange.phones_port, dial=name) for name in names]
    e164 = office.number("in rounds", {"steps": {"ring": ring(*names, order="round")}})
    house.apply()
    for name in names:
        exchange.answers(name, [Reaction(Answer.ANSWERS, 0.2)])
    calls = [exchange.call(caller_number(), e164) for _ in range(AT_ONCE)]
    until(lambda: all(call.code for call in calls), 30, why="each is taken")
    taken = [call.target_id for call in ended(house, exchange, calls)]
    assert [taken.count(each) for each in ids] == [AT_ONCE // 3] * 3


def test_a_clock_that_was_set_forward_and_forgotten_is_right_again(
    house: House, office: Office, exchange: Exchange
) -> None:
    hours = {"kind": "hours", "open": {}, "then": "box", "closed": "closed"}
    later = datetime.now(UTC) + timedelta(days=3)
    hours["special"] = {f"{later:%Y-%m-%d}": "00:00-24:00"}
    box, closed = {"kind": "voicemail", "say": PROMPT}, {"kind": "hangup", "cause": "refused"}
    e164 = office.number("later", {"start": "hours", "steps": {"hours": hours, "box": box, "closed": closed}})
    house.apply()

    def answered(until_at: float) -> int:
        house.console(f"dialplan set global LL_CLOCK {3 * 86_400}")
        house.console(f"dialplan set global LL_CLOCK_UNTIL {until_at:.0f}")
        call = exchange.call(caller_number(), e164)
        code = until(lambda: call.code, why="it is taken or not")
        exchange.give_up(call)
        return code

    try:
        assert [answered(time.time() + away) for away in (60, -60)] == [200, 403]
    finally:
        for name, value in (("LL_CLOCK", 0), ("LL_CLOCK_UNTIL", 9_999_999_999)):
            house.console(f"dialplan set global {name} {value}")


def ended(house: House, exchange: Exchange, calls: list[OutCall]) -> list[Call]:
    for call in calls:
        exchange.give_up(call)
    return [call_of(house, call.caller) for call in calls]


# ---- recorded only after consent ----


def consent(refuse: str | None, say: object = PROMPT) -> dict[str, Any]:
    asks = {"kind": "consent", "say": say, "refuse": refuse, "then": "ring"}
    return {"steps": {"ask": {word: it for word, it in asks.items() if it}, "ring": ring("Consented")}}


def test_a_plan_records_nobody_who_refused_was_not_told_or_was_asked_for_more(
    house: House, office: Office, exchange: Exchange
) -> None:
    office.target("Consented", port=exchange.phones_port, dial="consented")
    exchange.answers("consented", [Reaction(Answer.ANSWERS, 0.1)])
    lost, file = {"sound": "lost"}, office.prompt("lost", 350)
    said = {
        "refused": office.number("refused", consent("9"), record=True),
        "lost": office.number("lost", consent(None, lost), record=True),
        "unasked": office.number("unasked", consent("9", lost), record=True),
        "strict": office.number("strict", consent(None), record=True),
    }
    with house.database.write() as session:
        company = session.get_one(Company, office.id)
        number = session.scalars(sa.select(Number).where(Number.e164 == said["strict"])).one()
        ours = sa.select(Prompt).where(Prompt.company_id == office.id, Prompt.name == "prompt")
        prompt = session.scalars(ours).one()
        consents.set_consent(session, office.hand, company, prompt, "required", key="1", number=number)
    house.apply()
    kept = file.rename(file.with_suffix(".kept"))
    calls = {name: exchange.call(caller_number(), e164) for name, e164 in said.items()}
    until(lambda: calls["refused"].media, why="he hears something")
    exchange.after(0.4, lambda: exchange.press(calls["refused"], "9"))
    for call in calls.values():
        until(lambda call=call: house.calls(Call.caller == call.caller, Call.answered_at.is_not(None)), 25)  # type: ignore[misc]
        exchange.give_up(call)
    kept.rename(file)
    found = {name: recording_of(house, call.caller).withheld for name, call in calls.items()}
    assert found == {
        "refused": Withheld.REFUSED,
        "lost": Withheld.NOT_ASKED,
        "unasked": Withheld.NOT_ASKED,
        "strict": Withheld.NOT_AGREED,
    }
    with house.database.read() as session:
        wish = session.scalars(
            sa.select(Unrecorded).where(Unrecorded.caller == calls["refused"].caller)
        ).one()
    assert wish.wish is Wish.CALLER


# ---- with nobody to ask ----

TAKEN = ring("Open")
LED = {
    "menu": {"kind": "menu", "say": PROMPT, "keys": {"1": "ring"}, "then": "ring", "seconds": 1, "tries": 1},
    "say": {"kind": "say", "say": PROMPT, "then": "ring"},
    "code": {"kind": "code", "say": PROMPT, "then": "ring"},
    "consent": {"kind": "consent", "say": PROMPT, "refuse": "9", "then": "ring"},
    "hours": {"kind": "hours", "open": {"mon-sun": "00:00-24:00"}, "then": "ring"},
    "last": {"kind": "last", "then": "ring"},
    "branch": {"kind": "branch", "by": "source", "cases": {"nowhere": "ring"}, "then": "ring"},
}
RINGS = {
    "together": ring("Shut", "Open", order="at once"),
    "limited": ring("Open", most=9),
    "round": ring("Open", "Open", order="round"),
    "weight": ring("Open", order="weight"),
    "failover": ring("Away", busy="ring", unreachable="ring"),
}


def test_with_the_tracker_dead_every_kind_of_plan_rings_as_it_was_rendered_last(
    house: House, office: Office, exchange: Exchange
) -> None:
    for name, does in (("Open", Answer.ANSWERS), ("Shut", Answer.SILENT), ("Away", Answer.UNREACHABLE)):
        office.target(name, port=exchange.phones_port, dial=name.lower())
        exchange.answers(name.lower(), [Reaction(does, 0.1)])
    plans = {
        **{kind: {"start": "first", "steps": {"first": step, "ring": TAKEN}} for kind, step in LED.items()},
        **{name: {"start": "first", "steps": {"first": step}} for name, step in RINGS.items()},
        "failover": {"start": "first", "steps": {"first": RINGS["failover"], "ring": TAKEN}},
        "over": {"start": "first", "steps": {"first": {"kind": "plan", "plan": "say"}}},
        "voicemail": {"start": "first", "steps": {"first": {"kind": "voicemail", "say": PROMPT}}},
    }
    numbers = {name: office.number(name, document) for name, document in plans.items()}
    house.apply()
    with frozen(house.pid("agi")):
        calls = {name: exchange.call(caller_number(), e164) for name, e164 in numbers.items()}
        until(lambda: all(len(legs(house, it)) or name == "voicemail" for name, it in calls.items()), 25)
        for call in calls.values():
            exchange.give_up(call)
    found = {name: call_of(house, call.caller) for name, call in calls.items()}
    assert {name: call.outcome for name, call in found.items()} == {
        name: Outcome.MISSED if name == "voicemail" else Outcome.ANSWERED for name in plans
    }
    asked, rang = (step_at(house, found["code"], step) for step in ("first", "ring"))
    assert rang - asked < 3  # who has no code does not wait for those who have


def legs(house: House, call: OutCall) -> list[Call]:
    return house.calls(Call.caller == call.caller, Call.answered_at.is_not(None))


def step_at(house: House, call: Call, step: str) -> float:
    """When the call came to that step, epoch seconds."""
    wanted = sa.select(CallEvent).where(CallEvent.call_id == call.id, CallEvent.kind == "passed")
    with house.database.read() as session:
        events = [event for event in session.scalars(wanted) if event.detail["step"] == step]
        return min(event.at for event in events).timestamp()
