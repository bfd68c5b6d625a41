"""Callbacks as a plan rings: who is rung at which hour, and requests that wait until it opens."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.plan_draw import draw
from test_callbacks import Shop, furnish

from tracker import alert_facts, callback_tries, plan_uses, plans
from tracker.audit import By
from tracker.callback_employees import Asked, employees_of
from tracker.callback_rules import plan_of
from tracker.database import Database
from tracker.models import (
    CallbackReason,
    CallbackRequest,
    CallbackSettings,
    CallbackState,
    Company,
    Number,
    Target,
    TargetKind,
)
from tracker.policy.alerts import AlertKind, State
from tracker.policy.installation_alerts import Machine
from tracker.policy.plan import By as Word
from tracker.policy.plan import Plan
from tracker.policy.plan_ringers import has_hours, next_ringing, ringers
from tracker.policy.plan_text import read_plan
from tracker.policy.plan_trial import Script, What, tried

BERLIN = ZoneInfo("Europe/Berlin")
NOON, NIGHT = (datetime(2026, 12, 1, hour, tzinfo=BERLIN) for hour in (12, 23))  # a Tuesday
BOX: dict[str, Any] = {"kind": "voicemail", "say": "Please leave a message"}
HOURS: dict[str, Any] = {"kind": "hours", "open": {"mon-fri": "09:00-18:00"}, "then": "day", "closed": "box"}


def ring(*targets: str, **more: Any) -> dict[str, Any]:
    return {"kind": "ring", "targets": [f"{target}:20" for target in targets], "then": "box", **more}


def plan(steps: Mapping[str, Any], name: str = "office") -> Plan:
    return read_plan(name, {"steps": steps})


def rung(*made: Plan, here: datetime | None = NOON, **more: Any) -> list[str]:
    return [member.target for member in ringers({it.name: it for it in made}, made[0].name, here, **more)]


@pytest.mark.parametrize(
    ("steps", "at_noon", "at_night", "ever"),
    [
        ({"day": ring("A", "B"), "box": BOX}, ["A", "B"], ["A", "B"], ["A", "B"]),
        ({"hours": HOURS, "day": ring("A"), "box": BOX}, ["A"], [], ["A"]),
        (
            {"hours": HOURS | {"closed": "night"}, "day": ring("A"), "night": ring("N"), "box": BOX},
            ["A"], ["N"], ["A"],
        ),
        (  # those rung in vain are followed by those who ring then, each once
            {"day": ring("A", "B", then="more"), "more": ring("B", "C", order="at once"), "box": BOX},
            ["A", "B", "C"], ["A", "B", "C"], ["A", "B", "C"],
        ),
        (  # who presses nothing; where that rings nobody, the keys in their order
            {
                "menu": {"kind": "menu", "say": "?", "keys": {"1": "day", "2": "more"}, "then": "more"},
                "day": ring("A"), "more": ring("B"), "box": BOX,
            },
            ["B"], ["B"], ["B"],
        ),
        (
            {
                "menu": {"kind": "menu", "say": "?", "keys": {"1": "day", "2": "more"}, "then": "box"},
                "day": ring("A"), "more": ring("B"), "box": BOX,
            },
            ["A"], ["A"], ["A"],
        ),
        ({"hello": {"kind": "say", "say": "Hello", "then": "box"}, "box": BOX}, [], [], []),
    ],
)  # fmt: skip
def test_those_ring_who_would_for_a_caller_who_presses_nothing(
    steps: dict[str, Any], at_noon: list[str], at_night: list[str], ever: list[str]
) -> None:
    made = plan(steps)
    assert (rung(made), rung(made, here=NIGHT), rung(made, here=None)) == (at_noon, at_night, ever)


def test_branches_and_whoever_spoke_last_go_by_what_is_known_of_the_visitor() -> None:
    made = plan(
        {
            "where": {"kind": "branch", "by": "region", "cases": {"de": "german"}, "then": "last"},
            "last": {"kind": "last", "seconds": 15, "then": "day"},
            "german": ring("D"), "day": ring("A"), "box": BOX,
        }
    )  # fmt: skip
    assert rung(made) == ["A"]
    assert rung(made, last="L") == ["L", "A"]
    hers = plan({"own": {"kind": "responsible", "then": "day"}, "day": ring("A"), "box": BOX})
    assert (rung(hers), rung(hers, responsible="R", last="L")) == (["A"], ["R", "A"])
    assert rung(made, known={Word.REGION: "de"}, last="L") == ["D"]


def test_another_plan_is_followed_and_its_hours_count() -> None:
    first = plan({"on": {"kind": "plan", "plan": "night"}})
    second = plan({"hours": HOURS, "day": ring("A"), "box": BOX}, "night")
    both = {"office": first, "night": second}
    assert rung(first, second) == ["A"]
    assert has_hours(both, "office")
    assert not has_hours({"office": plan({"day": ring("A"), "box": BOX})}, "office")
    week = {"tue": (("09:00", "10:00"),), "wed": (("10:00", "11:00"),)}
    opens = next_ringing(both, "office", NIGHT, clocks=BERLIN, week=week, zone=BERLIN)
    assert opens == datetime(2026, 12, 2, 10, tzinfo=BERLIN)
    assert (
        next_ringing(both, "office", NIGHT, clocks=BERLIN, week={"sun": (("09:00", "10:00"),)}, zone=BERLIN)
        is None
    )


@given(st.integers(0, 2**32))
def test_whoever_rings_in_a_trial_where_nobody_answers_rings_for_a_callback(seed: int) -> None:
    known = {Word.REGION: "de", Word.CALLER: "first", Word.SOURCE: "ads", Word.NUMBER: "+4915155"}
    drawn = draw(random.Random(seed), 1, ("A", "B", "C"), NOON, known)
    trial = tried(drawn.plans, drawn.name, NOON, BERLIN, Script(known=known, last="C", responsible="B"))
    members = ringers(drawn.plans, drawn.name, NOON, known=known, last="C", responsible="B")
    found = [member.target for member in members]
    assert {event.about for event in trial.events if event.what is What.RINGS} <= set(found)
    assert len(found) == len(set(found))


# ---- requests ----


@pytest.fixture
def shop(sqlite: Database, now: datetime) -> Shop:
    """Its number goes by a plan: from 9 to 18 the desk, else a colleague's box."""
    made = furnish(sqlite, now)
    with sqlite.write() as session:
        company, by = session.get_one(Company, made.company_id), By(now, "test")
        session.add(Target(company_id=company.id, name="night", kind=TargetKind.PEER, host="192.0.2.9",
                           port=5060, created_at=now))  # fmt: skip
        session.flush()
        steps = {"hours": HOURS, "day": ring("night", "desk"), "box": BOX}
        plan_uses.use(session, by, company, plans.add(session, by, company, "office", {"steps": steps}))
    return made


def settings_of(shop: Shop, session: Any) -> CallbackSettings:
    found: CallbackSettings = session.get_one(CallbackSettings, shop.site_id)
    return found


def test_a_callback_follows_the_plan_of_the_shown_number(shop: Shop) -> None:
    moscow = ZoneInfo("Europe/Moscow")
    day, night = (datetime(2026, 12, 1, hour, tzinfo=moscow).astimezone(UTC) for hour in (10, 20))
    with shop.database.read() as session:
        it = settings_of(shop, session)
        names = {target.id: target.name for target in session.query(Target)}
        for at, expected in ((day, ["night", "desk"]), (night, []), (None, ["night", "desk"])):
            found = employees_of(session, it, Asked(at) if at else None)
            assert [names[each.target_id] for each in found] == expected
    asked = shop.ask(at=day)
    assert asked.due_at == day
    late = shop.ask("+79165550102", at=night)
    opens = datetime(2026, 12, 2, 9, tzinfo=moscow)
    assert (late.due_at, late.promised_at) == (opens, opens)  # who asks is told so
    with shop.database.write() as session:
        settings_of(shop, session).rings = [{"target": shop.target_id, "seconds": 9}]
    with shop.database.read() as session:
        assert [each.seconds for each in employees_of(session, settings_of(shop, session), Asked(night))] == [
            9
        ]


def test_a_callback_due_at_an_hour_at_which_the_plan_rings_nobody_waits_for_it(shop: Shop) -> None:
    moscow = ZoneInfo("Europe/Moscow")
    night = datetime(2026, 12, 4, 20, tzinfo=moscow).astimezone(UTC)  # a Friday
    request = shop.ask(at=night - timedelta(hours=5))
    claim = shop.claim(at=night)
    assert claim is not None
    with shop.database.write() as session:
        row = session.get_one(CallbackRequest, request.id)
        assert plan_of(session, row, night) is CallbackReason.CLOSED
        callback_tries.end_try(session, claim, "house:1:a", CallbackReason.CLOSED, night)
    it = shop.of(request)
    assert (it.state, it.due_at) == (CallbackState.WAITING, datetime(2026, 12, 7, 9, tzinfo=moscow))
    assert it.reason is CallbackReason.CLOSED


def test_a_callback_that_nobody_was_rung_for_in_time_is_an_alert_of_its_site(shop: Shop) -> None:
    with shop.database.write() as session:
        number = session.query(Number).one()
        plan_uses.clear(session, By(shop.now, "test"), session.get_one(Company, shop.company_id))
        assert number.company_id == shop.company_id

    def told(at: datetime) -> list[tuple[State, Any]]:
        with shop.database.read() as session:
            readings, complete = alert_facts.read_all(session, Machine("main"), at, disk_low_mb=1)
        assert AlertKind.CALLBACK_LATE in complete
        return [(it.state, it.detail["count"]) for it in readings if it.kind is AlertKind.CALLBACK_LATE]

    at = shop.now
    assert told(at) == [(State.FINE, 0)]
    request = shop.ask(at=at)
    assert told(at + timedelta(seconds=59)) == [(State.FINE, 0)]
    assert told(at + timedelta(seconds=61)) == [(State.BAD, 1)]
    assert told(at + timedelta(hours=9)) == [(State.BAD, 1)]  # it waits still
    claim = shop.claim(at=at + timedelta(hours=9))
    assert claim is not None
    with shop.database.write() as session:
        over = at + timedelta(hours=9)
        callback_tries.end_try(session, claim, "house:1:a", CallbackReason.NO_TARGET, over)
        assert session.get_one(CallbackRequest, request.id).state is CallbackState.FAILED
    assert told(over) == [(State.FINE, 0)]  # of the last hour only
