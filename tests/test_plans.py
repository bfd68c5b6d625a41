"""Plans in the books: versions, where they count, what is known of a call for them, kept trials."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from support.command import Installation, make_ready
from support.facts import CALLER, Pallets, add_pallets, answered, ended, started

from dialplan.facts import load_facts, problems
from dialplan.program import Program
from dialplan.render import render
from tracker import forward, plan_cases, plan_list, plan_uses, plans, prompts, responsibles, targets
from tracker.audit import By
from tracker.books import record_all
from tracker.database import Database
from tracker.errors import Rejected
from tracker.forwarding import ways
from tracker.inbound import look_up
from tracker.known_callers import known_of
from tracker.models import AuditEntry, CallPlan, Channel, Company, Number, Pool, Target
from tracker.policy.plan_cases import read_case
from tracker.policy.prompts import Words
from tracker.settings import Settings

BOX = {"kind": "voicemail", "say": "Please leave a message"}


@pytest.fixture
def books(sqlite: Database, now: datetime) -> Iterator[tuple[Session, Pallets, By]]:
    with sqlite.write() as session:
        yield session, add_pallets(session, now), By(now, "cli:test")


def company_of(session: Session, pallets: Pallets) -> Company:
    return session.get_one(Company, pallets.company_id)


def office(session: Session, pallets: Pallets) -> dict[str, Any]:
    name = session.get_one(Target, pallets.office_id).name
    return {"steps": {"ring": {"kind": "ring", "targets": [f"{name}:20"], "then": "box"}, "box": BOX}}


def test_a_change_is_a_version_and_the_one_before_stays_for_a_day(books: tuple[Session, Pallets, By]) -> None:
    session, pallets, by = books
    owner = company_of(session, pallets)
    plan = plans.add(session, by, owner, "office", office(session, pallets))
    assert not plans.change(session, by, owner, plan, office(session, pallets))
    assert plans.change(session, by, owner, plan, {"steps": {"box": BOX}})
    day = timedelta(days=1)
    rendered = [(each.plan_id, each.version) for each in plan_list.rendered(session, by.at, day)]
    assert rendered == [(plan.id, 1), (plan.id, 2)]
    later = plan_list.rendered(session, by.at + day + timedelta(seconds=1), day)
    assert [each.version for each in later] == [2]
    told = session.scalars(sa.select(AuditEntry.action).where(AuditEntry.action.startswith("plan."))).all()
    assert told == ["plan.add", "plan.change"]


def test_a_deleted_plan_stays_for_a_day_for_calls_that_are_in_it(
    books: tuple[Session, Pallets, By], tmp_path: Path
) -> None:
    session, pallets, by = books
    owner = company_of(session, pallets)
    prompts.add(session, by, owner, "bye", prompts.Ready(Words("en", "Goodbye"), 1.0))
    inner = plans.add(session, by, owner, "inner", office(session, pallets))
    over = {"steps": {"a": {"kind": "say", "say": {"sound": "bye"}, "then": "b"},
                      "b": {"kind": "plan", "plan": "inner"}}}  # fmt: skip
    outer = plans.add(session, by, owner, "outer", over)
    plans.change(session, by, owner, outer, {"steps": {"box": BOX}})
    for plan in (outer, inner):
        plans.delete(session, by, owner, plan)
    prompts.remove(session, by, prompts.get(session, owner, "bye"))
    assert plan_list.listed(session, owner) == []
    assert plan_list.find(session, owner, "inner") is None
    with pytest.raises(Rejected):
        plan_list.by_id(session, owner, inner.id)
    again = plans.add(session, by, owner, "inner", {"steps": {"box": BOX}})
    facts = load_facts(session, by.at)
    assert problems(facts) == []
    text = render(Settings(home=tmp_path), Program("asterisk", (22, 10, 1), "", Path(), Path()), facts)[
        "plans.conf"
    ]
    for name in (f"{inner.id}-1", f"{outer.id}-1", f"{outer.id}-2", f"{again.id}-1"):
        assert f"[leaseline-plan-{name}]" in text
    assert f"Goto(leaseline-plan-{inner.id}-1,start,1)" in text
    later = load_facts(session, by.at + timedelta(days=1, seconds=1))
    assert [(plan.id, plan.version) for plan in later.plans] == [(again.id, 1)]


def test_targets_and_plans_may_be_renamed(books: tuple[Session, Pallets, By]) -> None:
    session, pallets, by = books
    owner = company_of(session, pallets)
    inner = plans.add(session, by, owner, "inner", office(session, pallets))
    outer = plans.add(session, by, owner, "outer", {"steps": {"a": {"kind": "plan", "plan": "inner"}}})
    session.get_one(Target, pallets.office_id).name = "Front desk"
    plans.rename(session, by, owner, inner, "deep")
    assert plan_list.read(session, owner, inner).targets == ("Front desk",)
    assert plan_list.read(session, owner, outer).steps["a"].plan == "deep"  # type: ignore[union-attr]


def test_a_trial_of_a_plan_that_is_renamed_goes_as_before(books: tuple[Session, Pallets, By]) -> None:
    session, pallets, by = books
    owner = company_of(session, pallets)
    inner = plans.add(session, by, owner, "a/b", office(session, pallets))
    outer = plans.add(session, by, owner, "outer", {"steps": {"a": {"kind": "plan", "plan": "a/b"}}})
    plan_cases.keep(session, by, outer, "nobody", read_case({"at": "2026-12-01 09:30"}))
    plans.rename(session, by, owner, inner, "deep")
    plans.rename(session, by, owner, outer, "a")
    (result,) = plan_cases.results(session, outer)
    assert result.as_expected
    assert result.expected[:2] == ("a/a: came", "deep/ring: came")


def test_a_trial_names_targets_that_there_are(books: tuple[Session, Pallets, By]) -> None:
    session, pallets, by = books
    plan = plans.add(session, by, company_of(session, pallets), "office", office(session, pallets))
    for script in ({"targets": {"Offise": ["busy"]}}, {"taken": {"Offise": 1}}, {"last": "Offise"}):
        with pytest.raises(Rejected, match="There is no target 'Offise'"):
            plan_cases.keep(session, by, plan, "typo", read_case({"at": "2026-12-01 09:30", **script}))


def test_of_two_who_change_a_plan_at_once_the_second_is_told(database: Database, now: datetime) -> None:
    by = By(now, "test")
    with database.write() as session:
        pallets = add_pallets(session, now)
        owner = company_of(session, pallets)
        plan_id = plans.add(session, by, owner, "office", office(session, pallets)).id

    def change(seconds: int) -> str:
        document = {"steps": {"box": BOX | {"most_seconds": seconds}}}
        with database.write() as session:
            plan = session.get_one(CallPlan, plan_id)
            try:
                plans.change(session, by, company_of(session, pallets), plan, document, since=1)
            except Rejected as refused:
                return refused.id
        return "done"

    with ThreadPoolExecutor(4) as pool:
        told = sorted(pool.map(change, range(60, 64)))
    assert told == ["done", "plan.stale", "plan.stale", "plan.stale"]
    with database.read() as session:
        assert [each.version for each in session.get_one(CallPlan, plan_id).versions] == [1, 2]


def test_what_is_used_is_not_deleted(books: tuple[Session, Pallets, By]) -> None:
    session, pallets, by = books
    owner = company_of(session, pallets)
    inner = plans.add(session, by, owner, "inner", office(session, pallets))
    plans.add(session, by, owner, "outer", {"steps": {"a": {"kind": "plan", "plan": "inner"}}})
    forward.clear(session, by, owner)
    with pytest.raises(Rejected) as refused:
        plans.delete(session, by, owner, inner)
    assert refused.value.id == "plan.used"
    with pytest.raises(Rejected) as refused:
        targets.delete(session, by, session.get_one(Target, pallets.office_id))
    assert refused.value.id == "target.in_use"


def test_the_most_particular_counts_of_plans_and_forwarding(books: tuple[Session, Pallets, By]) -> None:
    session, pallets, by = books
    owner, channel = company_of(session, pallets), session.get_one(Channel, pallets.billboard_channel_id)
    pool = session.get_one(Pool, pallets.pool_id)
    number = session.scalars(sa.select(Number).where(Number.e164 == pallets.billboard)).one()
    wide = plans.add(session, by, owner, "wide", office(session, pallets))
    narrow = plans.add(session, by, owner, "narrow", {"steps": {"box": BOX}})

    def in_force() -> str:
        way = ways(session, [number.id])[number.id]
        found = look_up(session, pallets.billboard, by.at)
        assert found is not None
        assert found.way == way
        return (
            "rings" if way.rings else session.get_one(type(wide), way.plan.plan_id).name if way.plan else ""
        )

    assert in_force() == "rings"
    plan_uses.use(session, by, owner, wide)  # takes the place of the company's forwarding
    assert in_force() == "wide"
    assert forward.of_company(session, owner) == []
    plan_uses.use(session, by, pool, narrow)
    assert in_force() == "wide"
    plan_uses.use(session, by, channel, narrow)
    assert in_force() == "narrow"
    forward.set_rings(session, by, number, [(session.get_one(Target, pallets.office_id), 20)])
    assert in_force() == "rings"
    plan_uses.use(session, by, number, wide)
    assert in_force() == "wide"
    plan_uses.clear(session, by, number)
    assert in_force() == "narrow"
    forward.set_rings(session, by, channel, [(session.get_one(Target, pallets.office_id), 20)])
    assert in_force() == "rings"


def test_a_plan_is_asked_only_what_it_asks_for(books: tuple[Session, Pallets, By], now: datetime) -> None:
    session, pallets, by = books
    owner = company_of(session, pallets)
    steps = {
        "a": {"kind": "branch", "by": "source", "cases": {"billboard": "b"}, "then": "b"},
        "b": {"kind": "branch", "by": "caller", "cases": {"repeat": "last"}, "then": "box"},
        "last": {"kind": "last", "then": "own"},
        "own": {"kind": "responsible", "then": "box"},
        "box": BOX,
    }
    plan = plans.add(session, by, owner, "office", {"steps": steps})
    plan_uses.use(session, by, owner, plan)

    def known() -> dict[str, str]:
        found = look_up(session, pallets.billboard, now)
        assert found is not None
        fact = started(pallets.billboard, now, "call-2")
        return known_of(session, found, fact, fact.caller)

    source = session.get_one(Channel, pallets.billboard_channel_id).source.lower()
    assert known() == {"source": source, "caller": "first", "last": "", "responsible": ""}
    office = session.get_one(Target, pallets.office_id)
    responsibles.tell(session, by, owner, {CALLER: office})
    record_all(
        session,
        [
            started(pallets.billboard, now - timedelta(hours=1), "call-1"),
            answered(pallets.mobile_id, now - timedelta(minutes=59), "call-1"),
            ended(now - timedelta(minutes=58), "call-1"),
        ],
    )
    whose = {"last": str(pallets.mobile_id), "responsible": str(pallets.office_id)}
    assert known() == {"source": source, "caller": "repeat", **whose}


def test_a_change_that_sends_a_kept_trial_elsewhere_is_refused(books: tuple[Session, Pallets, By]) -> None:
    session, pallets, by = books
    owner = company_of(session, pallets)
    inner = plans.add(session, by, owner, "inner", office(session, pallets))
    outer = plans.add(session, by, owner, "outer", {"steps": {"a": {"kind": "plan", "plan": "inner"}}})
    plan_cases.keep(session, by, outer, "nobody there", read_case({"at": "2026-12-01 09:30"}))
    with pytest.raises(Rejected, match="outer/nobody there"):
        plans.change(session, by, owner, inner, {"steps": {"box": BOX}})
    assert plan_list.newest(inner).version == 1
    assert plans.change(session, by, owner, inner, {"steps": {"box": BOX}}, anew=True)
    (result,) = plan_cases.results(session, outer)
    assert result.as_expected
    assert result.expected[-1] == "inner/box: message"


def test_a_plan_is_rendered_as_it_stands(books: tuple[Session, Pallets, By]) -> None:
    session, pallets, by = books
    owner = company_of(session, pallets)
    plan_uses.use(session, by, owner, plans.add(session, by, owner, "office", office(session, pallets)))
    facts = load_facts(session, by.at)
    assert problems(facts) == []
    (plan,) = facts.plans
    assert {number.plan for number in facts.numbers} == {f"{plan.id}-1"}
    assert plan.steps.targets == (str(pallets.office_id),)


def test_plans_from_the_terminal(tmp_path: Path, now: datetime) -> None:
    here = Installation(tmp_path)
    make_ready(here)
    opened = Database(f"sqlite:///{tmp_path / 'leaseline.db'}", wait_seconds=5)
    with opened.write() as session:
        name = session.get_one(Target, add_pallets(session, now).office_id).name
    opened.close()
    ring = f"{{kind: ring, targets: ['{name}:20'], then: box}}"
    asked = f"steps: {{ring: {ring}, box: {{kind: voicemail, say: Hi}}}}"
    here.done("plan", "add", "office", "-", given=asked)
    twice = "steps:\n  box: {kind: voicemail, say: a}\n  box: {kind: voicemail, say: b}\n"
    assert "line 3 names “box” again" in here.refused("plan", "change", "office", "-", given=twice)
    assert "UTF-8" in here.refused("plan", "change", "office", "-", given=asked.encode("utf-16"))
    at = ("plan", "test", "office", "--at", "2026-12-01 09:30")
    assert "no target 'Offise'" in here.refused(*at, "--target", "Offise=busy")
    told = here.done(*at, "--target", f"{name}=busy:2", "--keep", "busy")
    assert told.splitlines()[-1].split() == ["2.0", "s", "office/box:", "message"]
    assert "another way: office/busy" in here.refused(
        "plan", "change", "office", "-", given="steps: {box: {kind: voicemail, say: Hi}}"
    )
    here.done("plan", "rename", "office", "main")
    assert here.json("plan", "test", "main")[0]["as_expected"]


def test_trials_are_kept_when_a_plan_or_a_step_gets_another_name(books: tuple[Session, Pallets, By]) -> None:
    session, pallets, by = books
    owner, document = company_of(session, pallets), office(session, pallets)
    plan = plans.add(session, by, owner, "office", document)
    plan_cases.keep(session, by, plan, "Morning", read_case({"at": "2026-12-01 09:30"}))
    plans.rename(session, by, owner, plan, "Front desk")
    assert all(each.as_expected for each in plan_cases.results(session, plan))
    ring = {**document["steps"]["ring"], "then": "messages"}
    changed = {"steps": {"ring": ring, "messages": BOX}}
    assert plans.change(session, by, owner, plan, changed, step=("box", "messages"))
    (kept,) = plan_cases.results(session, plan)
    assert kept.as_expected
    assert kept.expected[-1] == "Front desk/messages: message"
