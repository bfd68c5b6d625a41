"""Unwanted callers in the database: the look-up while it rings, the list, marks, what no report counts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from support.command import Installation, make_ready
from support.facts import Pallets, add_pallets, answered, ended, started

from dialplan.facts import load_facts, problems
from tracker import blocks, companies, spam
from tracker.audit import By
from tracker.books import record_all
from tracker.call_export import rows
from tracker.calls import EVERY_CALL, get_call, list_calls
from tracker.database import Database
from tracker.errors import Rejected
from tracker.guard import look_up_guard
from tracker.models import AuditEntry, Call, CallerRule, CallEvent, Company
from tracker.overview import read_today
from tracker.policy.block_list import MOST_RULES, read_callers
from tracker.policy.call_filter import CallFilter, WithSpam
from tracker.policy.facts import Fact, Guarded, GuardGround, GuardStep, Presentation, Spam, Treatment
from tracker.policy.phone import normalise_caller
from tracker.policy.spam import RING, Block, Challenge, Decision, RuleKind
from tracker.policy.worth import Category
from tracker.sheet_maker import check, take_turn
from tracker.worth import categorise

CALLER = "+74951112233"
UTC_ZONE = ZoneInfo("UTC")


@pytest.fixture
def pallets(database: Database, now: datetime) -> Pallets:
    with database.write() as session:
        return add_pallets(session, now)


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_c: object, _k: object, statement: str, *_: object) -> None:
        statements.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    yield statements
    sa.event.remove(database.engine, "before_cursor_execute", note)


def hand(now: datetime) -> By:
    return By(now, "ann@pallets.example")


def block(database: Database, now: datetime, callers: str, company_id: int = 1, **wish: object) -> int:
    with database.write() as session:
        owner = session.get_one(Company, company_id)
        made = blocks.Wish(**wish)  # type: ignore[arg-type]
        return blocks.add(session, hand(now), owner, read_callers(callers, "RU"), made).id


def watch(database: Database, now: datetime, **more: object) -> None:
    with database.write() as session:
        conduct = blocks.Conduct(watches=True, **more)  # type: ignore[arg-type]
        blocks.change_conduct(session, hand(now), session.get_one(Company, 1), conduct)


def call_of(key: str, pallets: Pallets, at: datetime, caller: str = CALLER) -> list[Fact]:
    return [
        started(pallets.billboard, at, key, caller=caller),
        answered(pallets.office_id, at + timedelta(seconds=5), key),
        ended(at + timedelta(seconds=65), key),
    ]


def ask(database: Database, pallets: Pallets, at: datetime, caller: str = CALLER, **more: object) -> Decision:
    fact = started(pallets.billboard, at, "new", caller=caller, **more)
    with database.read() as session:
        known = normalise_caller(fact.caller, fact.presentation, "RU")
        return look_up_guard(session, pallets.company_id, 1, fact, known)


def test_a_company_without_rules_asks_one_small_question(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with counted(database) as statements:
        assert ask(database, pallets, now) == RING
    assert len([each for each in statements if each.startswith("SELECT")]) == 1


def test_the_callers_number_is_found_however_the_carrier_writes_it(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    first = block(database, now, CALLER, treatment=Treatment.REFUSED)
    second = block(database, now, "+7812*")
    block(database, now, "+78125550000", allows=True)
    hidden = block(database, now, "withheld", treatment=Treatment.CHALLENGED)
    for written in (CALLER, "84951112233", "4951112233", "74951112233"):
        assert ask(database, pallets, now, written) == Block(first, Treatment.REFUSED)
    assert ask(database, pallets, now, "88121112233") == Block(second, Treatment.BUSY)
    assert ask(database, pallets, now, "88125550000") == RING
    withheld = ask(database, pallets, now, presentation=Presentation.WITHHELD)
    assert withheld == Challenge(GuardGround.RULE, hidden)
    assert ask(database, pallets, now, "+493012345678") == RING


def test_rates_are_counted_of_the_callers_own_calls_and_end_with_a_passed_challenge(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    watch(database, now, per_minute=3, passed_days=2)
    with database.write() as session:
        facts = [*call_of("a", pallets, now - timedelta(seconds=50))]
        facts += call_of("b", pallets, now - timedelta(seconds=20))
        facts += call_of("c", pallets, now - timedelta(seconds=5), "+74959999999")
        record_all(session, facts)
    with counted(database) as statements:
        assert ask(database, pallets, now) == Challenge(GuardGround.MINUTE)
    assert len([each for each in statements if each.startswith("SELECT")]) == 2
    assert ask(database, pallets, now, "+74959999999") == RING
    with database.write() as session:
        at = now - timedelta(days=1, seconds=-1)
        passed = Guarded("a", "main", at, GuardStep.PASSED, GuardGround.HOUR, None, Treatment.CHALLENGED)
        record_all(session, [passed])
    assert ask(database, pallets, now) == RING
    with database.write() as session:
        session.execute(sa.update(Call).where(Call.key == "a").values(started_at=now - timedelta(days=3)))
        record_all(session, call_of("d", pallets, now - timedelta(seconds=8)))
    assert ask(database, pallets, now) == Challenge(GuardGround.MINUTE)


def test_the_look_up_seeks_and_never_scans(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        pallets = add_pallets(session, now)
    watch(sqlite, now)
    with counted(sqlite) as statements:
        ask(sqlite, pallets, now)
    wanted = [each for each in statements if each.startswith("SELECT")]
    assert len(wanted) == 2
    with sqlite.read() as session:
        for text in wanted:
            plan = session.connection().exec_driver_sql(
                "EXPLAIN QUERY PLAN " + text, tuple([0] * text.count("?"))
            )
            steps = [row[-1] for row in plan]
            assert not [step for step in steps if step.startswith("SCAN") and "subquery" not in step
                        and "anon" not in step and "CONSTANT" not in step], steps  # fmt: skip


def test_rules_are_listed_once_and_removed(database: Database, pallets: Pallets, now: datetime) -> None:
    block(database, now, CALLER, reason=" sells\ntoner ")
    with pytest.raises(Rejected, match="blocked already"):
        block(database, now, "8 495 111-22-33")
    with database.write() as session:
        rule = blocks.find_about(session, 1, read_callers(CALLER, "RU"))
        assert (rule.kind, rule.reason, rule.actor) == (RuleKind.NUMBER, "sells toner", "ann@pallets.example")
        blocks.remove(session, hand(now), rule)
        assert blocks.of_company(session, 1) == []
        with pytest.raises(Rejected, match="no such rule"):
            blocks.find(session, 1, 1)
        told = list(session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)))
    assert told[-2:] == ["block.add", "block.remove"]
    assert ask(database, pallets, now) == RING


def test_another_companys_rules_are_nobody_elses(database: Database, pallets: Pallets, now: datetime) -> None:
    with database.write() as session:
        rival = Company(slug="rival", name="Rival", default_region="RU", created_at=now)
        session.add(rival)
        session.flush()
        rival_id = rival.id
    theirs = block(database, now, CALLER, rival_id)
    assert ask(database, pallets, now) == RING
    with database.read() as session, pytest.raises(Rejected):
        blocks.find(session, 1, theirs)


def test_ten_thousand_rules_fit_and_no_more(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        pallets = add_pallets(session, now)
    block(sqlite, now, "+7000*")
    row = {"company_id": 1, "kind": RuleKind.NUMBER, "allows": False, "actor": "x", "created_at": now}
    numbers = [{**row, "digits": f"+7495{number:07}"} for number in range(MOST_RULES - 1)]
    with sqlite.write() as session:
        session.execute(sa.insert(CallerRule), numbers)
    with pytest.raises(Rejected, match="at most 10000"):
        block(sqlite, now, "+7001*")
    assert isinstance(ask(sqlite, pallets, now, "+74950000042"), Block)
    with sqlite.read() as session:
        facts = load_facts(session)
    assert len(facts.guards[0].rules) == MOST_RULES
    assert problems(facts) == []


@pytest.mark.parametrize("wrong", [{"per_minute": -1}, {"per_day": 10_001}, {"countries": ("XX",)}])
def test_conduct_that_cannot_be_is_refused(sqlite: Database, now: datetime, wrong: dict[str, object]) -> None:
    with sqlite.write() as session:
        add_pallets(session, now)
    with pytest.raises(Rejected):
        watch(sqlite, now, **wrong)


# ---- marks ----


def count_today(database: Database, now: datetime) -> int:
    with database.read() as session:
        return read_today(session, [1], UTC_ZONE, now)[0].counts.calls


def test_a_mark_takes_the_call_out_of_what_is_counted_and_its_end_puts_it_back(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    with database.write() as session:
        record_all(session, [*call_of("a", pallets, now), *call_of("b", pallets, now)])
        call = get_call(session, [1], "a").call
        assert spam.mark(session, hand(now), [call], True) == 1
        assert spam.mark(session, hand(now), [call], True) == 0
        assert call.spam is Spam.PERSON
    later = now + timedelta(minutes=5)
    assert count_today(database, later) == 1
    with database.read() as session:
        keys = [it.key for it in list_calls(session, [1]).calls]
        both = [it.key for it in list_calls(session, [1], by=CallFilter(spam=WithSpam.ALSO)).calls]
        only = list(rows(session, [1], CallFilter(spam=WithSpam.ONLY)))
    assert (keys, sorted(both)) == (["b"], ["a", "b"])
    assert [(row["key"], row["spam"]) for row in only] == [("a", Spam.PERSON)]
    with database.write() as session:
        call = get_call(session, [1], "a").call
        assert spam.mark(session, hand(now), [call], False) == 1
        # A witness who comes late does not undo what a person said.
        block_line = Guarded("a", "main", now, GuardStep.BLOCKED, GuardGround.RULE, 3, Treatment.BUSY)
        record_all(session, [block_line])
        session.refresh(call)
        assert (call.spam, call.guard) == (None, GuardStep.BLOCKED)
        told = session.scalars(sa.select(CallEvent.detail).where(CallEvent.kind == "spam_said")).all()
        assert sorted(it["is_spam"] for it in told) == [False, True]
        actions = list(session.scalars(sa.select(AuditEntry.action)))
        assert actions.count("call.spam") == 2
    assert count_today(database, later) == 2


def test_sheets_follow_a_mark(database: Database, pallets: Pallets, now: datetime) -> None:
    yesterday = now - timedelta(days=1)
    with database.write() as session:
        record_all(session, [*call_of("a", pallets, yesterday), *call_of("b", pallets, yesterday)])
    assert take_turn(database, now).days > 0
    assert take_turn(database, now).days == 0
    for is_spam in (True, False):
        with database.write() as session:
            spam.mark(session, hand(now), [get_call(session, [1], "a").call], is_spam)
        assert take_turn(database, now).days > 0
        assert all(it.agrees for it in check(database))


def test_the_page_tells_what_was_kept_out_and_whom_one_may_miss(
    database: Database, pallets: Pallets, now: datetime
) -> None:
    rule = block(database, now, CALLER)
    with database.write() as session:
        record_all(session, call_of("old", pallets, now - timedelta(days=90)))
        categorise(session, hand(now), [get_call(session, [1], "old").call], Category.TARGET)
        for key, step in (("b", GuardStep.BLOCKED), ("p", GuardStep.PASSED), ("f", GuardStep.FAILED)):
            at = now - timedelta(hours=1)
            caller = CALLER if key == "b" else f"+7495555000{ord(key) % 10}"
            told = Guarded(key, "main", at, step, GuardGround.RULE, rule, Treatment.BUSY)
            record_all(session, [started(pallets.billboard, at, key, caller=caller), told, ended(at, key)])
    with database.read() as session:
        page = spam.read_spam(session, [1], now)
        assert spam.read_spam(session, [99], now).calls == []
    it = page.figures
    assert (it.blocked, it.challenged, it.passed, it.failed, it.left, it.marked) == (1, 2, 1, 1, 0, 0)
    assert page.doubtful == 1
    wanted = {kept.call.key: kept.was_wanted for kept in page.calls}
    assert wanted == {"b": True, "p": False, "f": False}
    blocked = next(kept for kept in page.calls if kept.call.key == "b")
    assert blocked.rule is not None
    assert blocked.rule.word == CALLER
    with database.read() as session:
        assert list_calls(session, [1], by=EVERY_CALL).calls


def test_a_companys_rules_go_with_it(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        owner = companies.add(session, hand(now), "rival", "Rival", "RU")
        blocks.add(session, hand(now), owner, read_callers("+7812*", "RU"), blocks.Wish())
    with sqlite.write() as session:
        companies.delete(session, hand(now), session.get_one(Company, 1))
        assert session.scalar(sa.select(CallerRule.id)) is None


def test_unwanted_callers_from_the_terminal(tmp_path: Path, now: datetime) -> None:
    here = Installation(tmp_path)
    make_ready(here)
    opened = Database(f"sqlite:///{tmp_path / 'leaseline.db'}", wait_seconds=5)
    with opened.write() as session:
        add_pallets(session, now)
    opened.close()
    assert "Nobody is blocked" in here.done("block", "list")
    told = json.loads(here.done("block", "add", "8 812 *", "--reason", "robots", "--until", "30d", "--json"))
    assert (told["callers"], told["treatment"], told["reason"]) == ("+7812*", "busy", "robots")
    here.done("block", "add", "withheld", "--treatment", "challenged")
    assert "blocked already" in here.refused("block", "add", "+7812*")
    assert "no day" in here.refused("block", "add", "+7813*", "--until", "soon")
    (hidden, prefix) = json.loads(here.done("block", "list", "--json"))
    assert (hidden["callers"], prefix["callers"]) == ("withheld", "+7812*")
    assert json.loads(here.done("block", "remove", "+7812*", "--json")) == {"removed": "+7812*"}
    conduct = ("block", "conduct", "--challenge", "--per-minute", "3", "--countries", "ru,kz", "--json")
    told = json.loads(here.done(*conduct))
    assert (told["challenge"], told["per_minute"], told["countries"]) == (True, 3, ["KZ", "RU"])
    assert json.loads(here.done("block", "conduct", "--json")) == told
    assert "no country" in here.refused("block", "conduct", "--countries", "XX")
    assert "challenge" in {each["name"] for each in here.json_anyway("doctor")}
