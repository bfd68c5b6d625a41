"""Judging the calls in the books, on both databases: what is stored, when, and what a race leaves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from support.facts import CALLER, Pallets, add_pallets, answered, ended, started

from tracker.audit import By
from tracker.books import record, record_all
from tracker.database import Database
from tracker.errors import Rejected
from tracker.judge import judge, judge_pending, rejudge
from tracker.models import (
    AuditEntry,
    Call,
    CallCandidate,
    CodeLease,
    Lease,
    Number,
    NumberUse,
    PageView,
    Visit,
    VisitEvent,
    VisitEventKind,
    Visitor,
)
from tracker.policy.attribution import Basis, Reason
from tracker.policy.facts import Doing, Fact, Passed, Presentation
from tracker.told import type_code

OTHER = "+4915198765432"


@pytest.fixture
def pallets(database: Database, now: datetime) -> Pallets:
    with database.write() as session:
        pallets = add_pallets(session, now)
        session.execute(sa.delete(Lease))
    return pallets


class Site:
    """The website's visitors: each `shown` adds one who was shown the number, in a transaction of its own."""

    def __init__(self, database: Database, pallets: Pallets, now: datetime) -> None:
        self.database, self.pallets, self.now = database, pallets, now

    def at(self, seconds: float) -> datetime:
        return self.now + timedelta(seconds=seconds)

    def shown(
        self,
        came: float,
        seen: float,
        *,
        left: bool = False,
        click: float | None = None,
        visitor: int | None = None,
        **more: Any,
    ) -> tuple[int, int]:
        """Ids of the visit and its visitor; times in seconds after `now`."""
        with self.database.write() as session:
            who = visitor or self._visitor(session)
            visit = Visit(
                visitor_id=who,
                site_id=self.pallets.site_id,
                started_at=self.at(came),
                seen_at=self.at(seen),
                left_at=self.at(seen) if left else None,
                medium="cpc",
                source="google",
                **more,
            )
            session.add(visit)
            session.flush()
            session.add(PageView(visit_id=visit.id, at=self.at(came), until_at=self.at(seen), url="/"))
            if click is not None:
                kind = VisitEventKind.PHONE_CLICK
                session.add(VisitEvent(visit_id=visit.id, at=self.at(click), kind=kind, detail={}))
            self._lease(session, visit.id, came, seen + 300)
            return visit.id, who

    def _visitor(self, session: Session) -> int:
        count = session.scalars(sa.select(sa.func.count()).select_from(Visitor)).one()
        visitor = Visitor(company_id=self.pallets.company_id, key=f"key-{count}", created_at=self.now)
        session.add(visitor)
        session.flush()
        return visitor.id

    def _lease(self, session: Session, visit_id: int, came: float, until: float) -> None:
        number = sa.select(Number.id).where(Number.e164 == self.pallets.leased)
        session.add(
            Lease(
                number_id=session.scalars(number).one(),
                pool_id=self.pallets.pool_id,
                visit_id=visit_id,
                from_at=self.at(came),
                expires_at=self.at(until),
                until_at=self.at(until),
            )
        )

    def called(self, *facts: Fact) -> None:
        with self.database.write() as session:
            record_all(session, facts)

    def judged(self, key: str = "call-1") -> Call:
        judge_pending(self.database, self.at(1))
        return self.call(key)

    def call(self, key: str = "call-1") -> Call:
        with self.database.read() as session:
            return session.scalars(sa.select(Call).where(Call.key == key)).one()

    def candidates(self, key: str = "call-1") -> list[CallCandidate]:
        wanted = sa.select(CallCandidate).join(Call, Call.id == CallCandidate.call_id).where(Call.key == key)
        with self.database.read() as session:
            return list(session.scalars(wanted.order_by(CallCandidate.position)))


@pytest.fixture
def site(database: Database, pallets: Pallets, now: datetime) -> Site:
    return Site(database, pallets, now)


def test_a_call_gets_its_source_its_probability_and_the_others(site: Site) -> None:
    old, _ = site.shown(-400, -200, left=True)
    new, _ = site.shown(-100, 0, device="phone", click=-5)
    site.called(started(site.pallets.leased, site.now))
    call = site.judged()
    assert (call.visit_id, call.basis, call.uncertain) == (new, Basis.LEASE, False)
    assert call.attributed_at == site.at(1)
    first, second = site.candidates()
    assert (first.visit_id, second.visit_id) == (new, old)
    assert first.probability == call.probability
    assert set(first.reasons) == {Reason.PHONE_CLICK, Reason.PRESENT, Reason.DEVICE_PHONE}
    assert second.reasons == [Reason.JUST_LEFT]


def test_a_call_that_nobody_can_explain_is_nobodys_and_says_so(site: Site) -> None:
    site.called(started(site.pallets.leased, site.now))
    call = site.judged()
    assert (call.basis, call.visit_id, call.probability, call.uncertain) == (None, None, None, True)
    assert call.attributed_at is not None
    assert site.candidates() == []


def test_a_channels_call_is_certain(site: Site) -> None:
    site.called(started(site.pallets.billboard, site.now))
    call = site.judged()
    assert (call.channel_id, call.basis, call.probability, call.uncertain) == (
        site.pallets.billboard_channel_id,
        Basis.CHANNEL,
        1.0,
        False,
    )


def test_a_call_is_judged_again_when_it_ends_and_then_rests(site: Site) -> None:
    site.shown(-100, 0)
    site.called(started(site.pallets.leased, site.now))
    assert judge_pending(site.database, site.now) == 1
    assert judge_pending(site.database, site.now) == 0
    site.called(answered(site.pallets.office_id, site.at(5)))
    assert judge_pending(site.database, site.now) == 0
    site.called(ended(site.at(60)))
    assert judge_pending(site.database, site.now) == 1
    assert judge_pending(site.database, site.now) == 0


def test_who_calls_again_keeps_his_visit_while_a_stranger_has_the_number(site: Site) -> None:
    mine, _ = site.shown(-4000, -3900, left=True, click=-3905)
    site.called(started(site.pallets.leased, site.at(-3895)))
    assert site.judged().visit_id == mine
    stranger, _ = site.shown(-100, 0)
    site.called(started(site.pallets.leased, site.now, "call-2"))
    call = site.judged("call-2")
    assert (call.visit_id, call.basis) == (mine, Basis.REPEAT)
    assert Reason.KNOWN_CALLER in site.candidates("call-2")[0].reasons
    assert stranger in {each.visit_id for each in site.candidates("call-2")}


def test_who_calls_again_is_named_as_before_though_not_all_others_were_kept(site: Site) -> None:
    for place in range(9):
        site.shown(-8000 - 40 * place, -7900 - 40 * place, left=True)
    site.called(started(site.pallets.leased, site.at(-6000)))
    first = site.judged()
    assert first.visit_id is not None
    assert sum(each.probability for each in site.candidates()) < 0.7
    site.called(started(site.pallets.leased, site.now, "call-2"))
    call = site.judged("call-2")
    assert (call.visit_id, call.basis, call.uncertain) == (first.visit_id, Basis.REPEAT, True)


def test_who_was_nobody_is_nobody_when_he_calls_again(site: Site) -> None:
    site.shown(-30000, -29000, left=True)
    site.called(started(site.pallets.leased, site.at(-6000)))
    assert site.judged().visit_id is None
    site.called(started(site.pallets.leased, site.now, "call-2"))
    assert site.judged("call-2").visit_id is None


def test_two_calls_of_one_caller_judged_in_one_turn_know_of_each_other(site: Site) -> None:
    mine, _ = site.shown(-4000, -3900, left=True, click=-3905)
    site.shown(-100, 0)
    site.called(
        started(site.pallets.leased, site.now, "call-2"), started(site.pallets.leased, site.at(-3895))
    )
    assert judge_pending(site.database, site.now) == 2
    assert site.call("call-2").visit_id == mine


def test_a_stranger_does_not_inherit_the_visit_of_one_who_has_just_called(site: Site) -> None:
    waiting, _ = site.shown(-500, -350, left=True)
    site.shown(-100, 0)
    site.called(started(site.pallets.leased, site.at(-50)))
    site.judged()
    site.called(started(site.pallets.leased, site.now, "call-2", caller=OTHER))
    call = site.judged("call-2")
    assert call.visit_id == waiting or call.uncertain
    assert Reason.OTHER_PHONE in {reason for each in site.candidates("call-2") for reason in each.reasons}


def test_a_withheld_callers_calls_are_not_taken_for_anybodys(site: Site) -> None:
    withheld = {"caller": "", "presentation": Presentation.WITHHELD}
    mine, _ = site.shown(-90000, -89900, left=True)
    site.called(started(site.pallets.leased, site.at(-89900), **withheld))
    site.judged()
    new, _ = site.shown(-100, 0)
    site.called(started(site.pallets.leased, site.now, "call-2", **withheld))
    assert site.judged("call-2").visit_id == new
    assert mine in {each.visit_id for each in site.candidates("call-2")}


def test_a_call_found_a_month_later_is_judged_as_it_would_have_been(site: Site) -> None:
    mine, who = site.shown(-100, -60, left=True)
    facts = started(site.pallets.leased, site.now), ended(site.at(60))
    site.called(*facts)
    at_once = site.judged()
    before = (at_once.visit_id, at_once.probability, [each.visit_id for each in site.candidates()])
    with site.database.write() as session:
        session.execute(sa.delete(CallCandidate))
        session.execute(sa.update(Call).values(attributed_at=None, visit_id=None))
    for minutes in range(10, 200, 10):
        site.shown(minutes * 60, minutes * 60 + 100)
    site.shown(86400, 86500, visitor=who)
    site.called(started(site.pallets.leased, site.at(86600), "call-2"))
    judge_pending(site.database, site.now + timedelta(days=30))
    call = site.call()
    assert (call.visit_id, call.probability, [each.visit_id for each in site.candidates()]) == before
    assert call.visit_id == mine


def test_a_call_to_a_number_that_changed_hands_is_judged_by_what_it_was_then(site: Site) -> None:
    with site.database.write() as session:
        number = session.scalars(sa.select(Number.id).where(Number.e164 == site.pallets.billboard)).one()
        uses = sa.update(NumberUse).where(NumberUse.number_id == number)
        session.execute(uses.values(until_at=site.at(-3600)))
        session.add(NumberUse(number_id=number, pool_id=site.pallets.pool_id, from_at=site.at(-3600)))
    site.called(started(site.pallets.billboard, site.at(-7200)))
    call = site.judged()
    assert (call.channel_id, call.probability) == (site.pallets.billboard_channel_id, 1.0)


def code_of(site: Site, code: str, came: float, until: float) -> int:
    visit, _ = site.shown(came, came + 60)
    with site.database.write() as session:
        session.execute(sa.delete(Lease).where(Lease.visit_id == visit))
        session.add(
            CodeLease(
                company_id=site.pallets.company_id,
                pool_id=site.pallets.pool_id,
                code=code,
                visit_id=visit,
                from_at=site.at(came),
                expires_at=site.at(until),
                until_at=site.at(until),
            )
        )
    return visit


def test_a_code_that_the_caller_types_counts_like_one_an_employee_types(site: Site) -> None:
    site.shown(-100, 0)
    earlier, later = code_of(site, "482", -9000, -8000), code_of(site, "483", -500, -100)
    call = started(site.pallets.leased, site.now)
    typed = [
        Passed(call.call, call.node, site.at(after), 1, 1, "ask", Doing.CODE, code)
        for after, code in ((5, "999"), (9, "482"), (12, "483"))  # 999 is nobody's
    ]
    site.called(call, *typed, ended(site.at(60)))
    assert (site.judged().visitor_code, site.judged().visit_id) == ("482", earlier)
    with site.database.write() as session:
        type_code(
            session, By(site.at(70), "ann@pallets.example"), session.scalars(sa.select(Call)).one(), "483"
        )
    site.called(*typed)  # told once more
    assert (site.judged().visitor_code, site.judged().visit_id) == ("483", later)


def test_a_code_that_was_typed_names_the_visit(site: Site) -> None:
    site.shown(-100, 0)
    earlier, later = code_of(site, "482", -9000, -8000), code_of(site, "482", -500, -100)
    site.called(started(site.pallets.leased, site.now), ended(site.at(60)))
    site.judged()
    with site.database.write() as session:
        call = session.scalars(sa.select(Call)).one()
        assert (
            type_code(session, By(site.at(70), "ann@pallets.example"), call, " 48-2 ").visitor_code == "482"
        )
    call = site.judged()
    assert (call.visit_id, call.basis, call.uncertain) == (later, Basis.CODE, False)
    assert earlier not in {each.visit_id for each in site.candidates()}
    with site.database.read() as session:
        entry = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "call.code")).one()
        assert (entry.subject, entry.detail) == ("call-1", {"code": "482", "before": None})


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("483", "code.unknown"),
        ("48", "code.malformed"),
        ("", "code.malformed"),
        ("x' OR 1", "code.malformed"),
    ],
)
def test_a_code_that_nobody_was_shown_is_refused(site: Site, code: str, error: str) -> None:
    code_of(site, "482", -500, -100)
    code_of(site, "483", -90000, -87000)  # more than a day ago
    site.called(started(site.pallets.leased, site.now))
    with site.database.write() as session:
        call = session.scalars(sa.select(Call)).one()
        with pytest.raises(Rejected) as refused:
            type_code(session, By(site.now, "ann"), call, code)
        assert call.visitor_code is None
    assert refused.value.id == error


def test_another_companys_code_is_unknown(site: Site) -> None:
    code_of(site, "482", -500, -100)
    with site.database.write() as session:
        from tracker.models import Company

        other = Company(slug="crates", name="Crates", default_region="RU", created_at=site.now)
        session.add(other)
        session.flush()
        session.execute(sa.update(CodeLease).values(company_id=other.id))
    site.called(started(site.pallets.leased, site.now))
    with site.database.write() as session, pytest.raises(Rejected, match="Nobody was shown"):
        type_code(session, By(site.now, "ann"), session.scalars(sa.select(Call)).one(), "482")


def test_a_call_that_changed_while_it_was_judged_is_judged_again(site: Site) -> None:
    """Whatever was weighed before the end of a call was known is not written over it."""
    site.shown(-100, 0)
    site.called(started(site.pallets.leased, site.now))
    with overtaken(site.database, lambda: site.called(ended(site.at(60)))):
        assert judge_pending(site.database, site.now) == 0
    assert site.call().attributed_at is None
    assert judge_pending(site.database, site.now) == 1


@contextmanager
def overtaken(database: Database, happens: Any) -> Iterator[None]:
    """Something happens once, right after the call's callers were counted: between weighing and writing."""
    waiting = [happens]

    def note(_c: object, _k: object, statement: str, *_: object) -> None:
        if waiting and "call_candidates" in statement and statement.startswith("SELECT"):
            waiting.pop()()

    sa.event.listen(database.engine, "after_cursor_execute", note)
    yield
    sa.event.remove(database.engine, "after_cursor_execute", note)


def test_all_calls_since_an_instant_can_be_judged_again(site: Site) -> None:
    for count in range(3):
        key = f"call-{count}"
        site.called(started(site.pallets.leased, site.at(count * 3600), key, caller=f"+49151000000{count}"))
    assert judge_pending(site.database, site.now, limit=2) == 2
    assert judge_pending(site.database, site.now, limit=2) == 1
    with site.database.write() as session:
        assert rejudge(session, site.pallets.company_id, site.at(3600)) == 2
        assert rejudge(session, site.pallets.company_id + 1, site.at(0)) == 0
    assert judge_pending(site.database, site.now) == 2


def test_chosen_calls_are_judged_in_the_callers_transaction(site: Site) -> None:
    mine, _ = site.shown(-100, 0)
    with site.database.write() as session:
        call = record(session, started(site.pallets.leased, site.now))
        assert call is not None
        assert judge(session, [call.id], site.now) == 1
    assert (site.call().visit_id, site.call().attributed_at) == (mine, site.now)


def test_judging_takes_few_statements_a_call_and_never_scans(sqlite: Database, now: datetime) -> None:
    with sqlite.write() as session:
        pallets = add_pallets(session, now)
    site = Site(sqlite, pallets, now)
    for count in range(4):
        site.called(started(pallets.leased, site.at(count), f"call-{count}", caller=CALLER if count else ""))
    statements: list[tuple[str, Any]] = []

    def note(_c: object, _k: object, statement: str, values: Any, *_: object) -> None:
        if statement.startswith("SELECT"):
            statements.append((statement, values))

    sa.event.listen(sqlite.engine, "before_cursor_execute", note)
    assert judge_pending(sqlite, now) == 4
    sa.event.remove(sqlite.engine, "before_cursor_execute", note)
    assert len(statements) <= 2 + 8 * 4
    with sqlite.read() as session:
        for statement, values in statements:
            plan = session.connection().exec_driver_sql("EXPLAIN QUERY PLAN " + statement, values)
            steps = [row[-1] for row in plan]
            scans = [step for step in steps if step.startswith("SCAN") and "ix_calls_unjudged" not in step]
            assert not [step for step in scans if step != "SCAN anon_1"], (
                statement,
                steps,
            )
