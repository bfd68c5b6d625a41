"""Plans as documents: read, written, looked through, tried out by a virtual clock."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from support.plan_draw import draw

from commands.plan import EXAMPLE
from tracker.errors import Rejected
from tracker.policy.plan import By, Hours, Opening, Plan, Span, SpecialDay, fits, keyed
from tracker.policy.plan_cases import case_document, read_case, try_case, way
from tracker.policy.plan_check import faults
from tracker.policy.plan_document import document_of
from tracker.policy.plan_text import read_plan
from tracker.policy.plan_trial import Answer, Reaction, Script, chosen, is_open, tried

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 12, 1, 12, 0, tzinfo=BERLIN)  # a Tuesday
TARGETS = ("Reception", "Mobile")
KNOWN = {By.REGION: "de", By.CALLER: "first", By.SOURCE: "billboard-9", By.NUMBER: "+4915155"}
BOX = {"kind": "voicemail", "say": "Please leave a message"}


def plan(steps: Mapping[str, Any], name: str = "office") -> Plan:
    return read_plan(name, {"steps": steps})


def told(*plans: Plan) -> list[str]:
    """What is wrong with them: where and what."""
    return [f"{each.place}: {each.text}" for each in faults({it.name: it for it in plans}, TARGETS)]


def went(steps: Mapping[str, Any], at: datetime = NOON, **script: Any) -> list[str]:
    made = plan(steps)
    return [
        line.removeprefix("office/")
        for line in way(tried({"office": made}, "office", at, BERLIN, Script(**script)))
    ]


# ---- documents ----


def test_the_example_is_sound() -> None:
    made = read_plan("office", yaml.safe_load(EXAMPLE))
    assert told(made) == []
    assert made.targets == TARGETS


@given(st.integers(0, 2**32))
def test_a_plan_is_read_back_as_it_was_written(seed: int) -> None:
    drawn = draw(random.Random(seed), 1, ("a", "b", "c"), NOON, KNOWN)
    for made in drawn.plans.values():
        assert read_plan(made.name, document_of(made)) == made


@given(st.integers(0, 2**32))
def test_a_sound_plan_always_comes_to_an_end(seed: int) -> None:
    drawn = draw(random.Random(seed), 1, ("a", "b", "c"), NOON, KNOWN)
    assert list(faults(drawn.plans, ("a", "b", "c"))) == []
    trial = tried(drawn.plans, drawn.name, NOON, BERLIN, drawn.script)
    assert trial.end.what in {"ended", "answered", "message"}
    assert [event.seconds for event in trial.events] == sorted(event.seconds for event in trial.events)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ("ring", "It is no list of words and values"),
        ({"steps": {"Sales": BOX}}, "“Sales” is no name of a step"),
        ({"steps": {"end": BOX}}, "“end” is no name of a step"),
        ({"steps": {"a": {"kind": "dance"}}}, "Step a: “dance” is no kind of step"),
        ({"steps": {"a": BOX | {"colour": "red"}}}, "Step a: colour says nothing here"),
        ({"steps": {"a": {"kind": "say", "say": "", "then": "end"}}}, "Step a: say is ''"),
        (
            {"steps": {"a": {"kind": "hours", "open": {"someday": "9:00-10:00"}, "then": "end"}}},
            "“someday” are no days",
        ),
        ({"steps": {"a": {"kind": "hours", "open": {"mon": "9-10"}, "then": "end"}}}, "“9-10” are no hours"),
        ({"steps": {"a": {"kind": "hours", "holidays": ["Easter"], "then": "end"}}}, "“Easter” is no day"),
        *(
            (
                {"steps": {"a": {"kind": "hours", "holidays": [days], "then": "end"}}},
                f"“{days}” are not 1 to 62 days",
            )
            for days in ("01-06..2027-01-08", "2027-01-08..2027-01-06", "01-01..12-31", "12-24..02-31")
        ),
        (
            {"steps": {"a": {"kind": "branch", "by": "region", "cases": {False: "end"}, "then": "end"}}},
            "cases has the word False",
        ),
        ({"steps": {"a": {"kind": "ring", "targets": ["Mobile"], "order": "loud"}}}, "“loud” is no order"),
        (
            {"steps": {"a": {"kind": "branch", "by": "mood", "cases": {}, "then": "end"}}},
            "“mood” is nothing that is known",
        ),
        (
            {"steps": {"a": {"kind": "branch", "by": "number", "cases": {"0800": "end"}, "then": "end"}}},
            "“0800” are no callers",
        ),
        ({"steps": {"a": {"kind": "hangup", "cause": "rain"}}}, "“rain” is no cause"),
        ({"steps": {"a": BOX | {"most_seconds": "long"}}}, "most_seconds is 'long'"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_step(document: object, problem: str) -> None:
    with pytest.raises(Rejected) as refused:
        read_plan("office", document)
    assert refused.value.id == "plan.malformed"
    assert problem in refused.value.message


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        (
            {"a": {"kind": "ring", "targets": ["Mobile"], "then": "b"}},
            "a: “nobody” leads to “b”, which is no step",
        ),
        ({"a": {"kind": "ring", "targets": ["Nobody"]}}, "a: “Nobody” is no target of the company’s"),
        ({"a": {"kind": "ring", "targets": []}}, "a: 0 targets ring"),
        ({"a": {"kind": "ring", "targets": ["Mobile:0"]}}, "a: 0 s is no time to ring"),
        (
            {"a": {"kind": "ring", "targets": ["Mobile:9", "Reception:8"], "order": "at once"}},
            "a: “Reception” rings 8 s, others at once 9 s",
        ),
        ({"a": BOX, "b": BOX}, "b: No call comes here"),
        ({"a": {"kind": "hangup", "cause": "busy"}}, "None: Nobody ever rings and no message is taken"),
        (
            {"a": {"kind": "menu", "say": "x", "keys": {"12": "b"}, "then": "b"}, "b": BOX},
            "a: “12” is no key",
        ),
        (
            {"a": {"kind": "hours", "open": {"mon": "18:00-09:00"}, "then": "b"}, "b": BOX},
            "a: Hours end before they begin",
        ),
        ({"a": {"kind": "hours", "holidays": ["02-30"], "then": "b"}, "b": BOX}, "a: There is no day 02-30"),
        ({"a": {"kind": "plan", "plan": "other"}}, "a: “other” is no plan of the company’s"),
        ({"a": BOX | {"mail": ["office"]}}, "a: “office” is no e-mail address"),
        (
            {
                "a": {"kind": "say", "say": "x", "then": "b"},
                "b": {"kind": "ring", "targets": ["Mobile"], "then": "a"},
            },
            "a: It goes in a circle: a → b → a",
        ),
    ],
)
def test_what_cannot_ring_is_said_as_a_whole(steps: Mapping[str, Any], problem: str) -> None:
    assert problem in told(plan(steps))


def test_plans_that_lead_to_each_other_go_in_a_circle() -> None:
    here = plan({"a": {"kind": "plan", "plan": "there"}}, "here")
    there = plan({"b": {"kind": "plan", "plan": "here"}}, "there")
    assert any("It goes in a circle" in line for line in told(here, there))


# ---- trials ----


def test_targets_ring_in_turn_and_a_way_is_chosen_by_what_came_of_it() -> None:
    steps = {
        "a": {
            "kind": "ring",
            "targets": ["Reception:10", "Mobile:20"],
            "busy": "b",
            "unreachable": "c",
            "then": "d",
        },
        "b": {"kind": "hangup", "cause": "busy"},
        "c": {"kind": "hangup", "cause": "refused"},
        "d": BOX,
    }
    busy, away = Reaction(Answer.BUSY, 1), Reaction(Answer.UNREACHABLE)
    assert went(steps, targets={"Reception": [busy], "Mobile": [away]})[-1] == "b: ended busy"
    assert went(steps, targets={"Reception": [away], "Mobile": [away]})[-1] == "c: ended refused"
    assert went(steps, targets={"Reception": [busy]})[-1] == "d: message"
    assert went(steps, targets={"Mobile": [Reaction(Answer.ANSWERS, 3)]}) == [
        "a: came", "a: rings Reception", "a: no answer Reception", "a: rings Mobile", "a: answered Mobile",
    ]  # fmt: skip


def test_the_first_of_several_at_once_has_the_call() -> None:
    steps = {"a": {"kind": "ring", "order": "at once", "targets": ["Reception:10", "Mobile:10"]}}
    answers = {"Reception": [Reaction(Answer.ANSWERS, 4)], "Mobile": [Reaction(Answer.ANSWERS, 2)]}
    assert went(steps, targets=answers)[-1] == "a: answered Mobile"


def test_a_target_with_its_calls_is_passed_over() -> None:
    member = {"target": "Reception", "seconds": 10, "most": 2}
    steps = {"a": {"kind": "ring", "targets": [member], "busy": "b"}, "b": BOX}
    assert went(steps, taken={"Reception": 2}) == ["a: came", "a: full Reception", "b: came", "b: message"]
    assert "a: rings Reception" in went(steps, taken={"Reception": 1})


def test_rounds_and_weights_begin_elsewhere() -> None:
    steps = {"a": {"kind": "ring", "order": "round", "targets": ["Reception:5", "Mobile:5"]}}
    assert [went(steps, turn=turn)[1] for turn in (0, 1, 2)] == [
        "a: rings Reception", "a: rings Mobile", "a: rings Reception",
    ]  # fmt: skip
    assert [chosen((1, 0, 3), chance) for chance in (0.0, 0.24, 0.25, 0.99)] == [0, 0, 2, 2]


def test_a_caller_who_presses_nothing_goes_on_after_the_tries() -> None:
    steps = {"a": {"kind": "menu", "say": "x", "keys": {"1": "b"}, "then": "end"}, "b": BOX}
    assert went(steps, keys=["", "1"]) == ["a: came", "a: pressed 1", "b: came", "b: message"]
    assert went(steps, keys=["7"]) == ["a: came", "a: pressed 7", "a: ended no answer"]


def test_a_caller_may_give_up_anywhere() -> None:
    steps = {"a": {"kind": "ring", "targets": ["Reception:10", "Mobile:20"]}}
    assert went(steps, gives_up=12)[-2:] == ["a: rings Mobile", "a: gave up"]


def test_branches_go_by_what_is_known_and_nothing_is_known_without_leaseline() -> None:
    steps = {
        "a": {"kind": "branch", "by": "source", "cases": {"Google Ads": "b"}, "then": "end"},
        "b": {"kind": "branch", "by": "number", "cases": {"+49 30*": "c", "withheld": "c"}, "then": "end"},
        "c": BOX,
    }
    google = {By.SOURCE: "google ads"}
    assert went(steps, known=google | {By.NUMBER: "+4930123456"})[-1] == "c: message"
    assert went(steps, known=google | {By.NUMBER: "withheld"})[-1] == "c: message"
    assert went(steps, known=google | {By.NUMBER: "+4940123456"})[-1] == "b: ended no answer"
    assert went(steps, known=None)[-1] == "a: ended no answer"


def test_words_are_compared_without_case_and_signs() -> None:
    assert keyed("Google  Ads!") == keyed("google-ads") == "google-ads"
    assert fits("+4930*", "+49301")
    assert not fits("+4930", "+49301")


# ---- hours ----

OFFICE = Hours((Opening((0, 1, 2, 3, 4), (Span(9 * 60, 18 * 60),)),), "there")


@pytest.mark.parametrize(
    ("at", "open_"),
    [
        ("2026-12-01 08:59", False),
        ("2026-12-01 09:00", True),
        ("2026-12-01 17:59", True),
        ("2026-12-01 18:00", False),
        ("2026-12-05 12:00", False),
    ],
)
def test_hours_begin_with_their_minute_and_end_before_it(at: str, open_: bool) -> None:
    assert is_open(OFFICE, datetime.fromisoformat(at).replace(tzinfo=BERLIN)) is open_


def test_a_special_day_takes_the_place_of_the_week() -> None:
    days = (SpecialDay(12, 24, None, (Span(600, 720),)), SpecialDay(4, 5, 2027))
    hours = Hours(OFFICE.openings, "there", special=days)
    at = {
        "2026-12-24 11:00": True,
        "2026-12-24 15:00": False,
        "2027-04-05 10:00": False,
        "2028-04-05 10:00": True,
    }
    for text, open_ in at.items():
        assert is_open(hours, datetime.fromisoformat(text).replace(tzinfo=BERLIN)) is open_, text


def test_days_are_told_from_one_to_another_over_new_year_too() -> None:
    holidays = ["12-24..01-06", "2027-04-05", "2027-02-27..2027-03-01", "02-28..03-01"]
    special = {"2027-07-01..2027-07-31": "10:00-12:00"}
    asked = {"kind": "hours", "open": {"mon-sun": "00:00-24:00"}, "holidays": holidays, "special": special}
    made = plan({"a": asked | {"then": "b"}, "b": BOX})
    hours = made.steps["a"]
    assert isinstance(hours, Hours)
    assert len(hours.special) == 14 + 1 + 3 + 3 + 31
    shut = [day for day in every_day(2027, 2028) if not is_open(hours, datetime(*day, 9, tzinfo=BERLIN))]
    assert len(shut) == 2 * (8 + 6) + 1 + 3 + 31 + 3  # in 2027 the last days of February are told twice
    assert (2028, 2, 29) in shut
    assert read_plan("office", document_of(made)) == made
    assert document_of(made)["steps"]["a"]["holidays"] == holidays
    assert document_of(made)["steps"]["a"]["special"] == special


def every_day(first: int, last: int) -> list[tuple[int, int, int]]:
    begin, end = date(first, 1, 1), date(last, 12, 31)
    days = [begin + timedelta(days=number) for number in range((end - begin).days + 1)]
    return [(day.year, day.month, day.day) for day in days]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
def test_hours_go_by_the_clocks_on_the_days_they_change(zone: str) -> None:
    """Whatever the offset, a wall that shows 09:00 opens: nine hours a working day, minute by minute."""
    here = ZoneInfo(zone)
    for begin in (
        datetime(2026, 3, 26, tzinfo=UTC),
        datetime(2026, 10, 1, tzinfo=UTC),
        datetime(2026, 10, 30, tzinfo=UTC),
    ):
        for minute in range(0, 6 * 1440, 7):
            local = (begin + timedelta(minutes=minute)).astimezone(here)
            there = local.weekday() < 5 and 9 <= local.hour < 18
            assert is_open(OFFICE, local) is there, local


# ---- kept trials ----


@given(st.integers(0, 2**32))
def test_a_trial_is_read_back_as_it_was_kept(seed: int) -> None:
    drawn = draw(random.Random(seed), 1, ("a", "b", "c"), NOON, KNOWN)
    case = read_case({"at": "2026-12-01 12:00"} | {})
    case = type(case)(case.at, drawn.script)
    again = read_case(case_document(case))
    trials = [try_case(drawn.plans, drawn.name, each, BERLIN) for each in (case, again)]
    assert way(trials[0]) == way(trials[1])


@pytest.mark.parametrize(
    "script",
    [
        "busy",
        {"when": "now"},
        {"at": "tomorrow"},
        {"at": "9999-12-31 23:59"},
        {"at": "2026-12-01 09:00", "targets": {"a": "sings"}},
        {"at": "2026-12-01 09:00", "targets": {"a": "busy:soon"}},
        {"at": "2026-12-01 09:00", "known": {"mood": "x"}},
        {"at": "2026-12-01 09:00", "gives_up": "soon"},
        {"at": "2026-12-01 09:00", "targets": ["a"]},
    ],
)
def test_a_trial_that_cannot_be_is_refused(script: object) -> None:
    with pytest.raises(Rejected) as refused:
        read_case(script)
    assert refused.value.id == "plan.script"
