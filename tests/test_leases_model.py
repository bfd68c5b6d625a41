"""Everything that can happen to leases, in any order, against a plain model of them (hypothesis)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.lease_model import Guest, Model, Phone, Rules
from support.shop import Shop, history, overlaps

from tracker import leases, numbers
from tracker.audit import By
from tracker.database import Database
from tracker.models import Base, Call, Number, Visit, Visitor
from tracker.policy.facts import Presentation

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
RULES = st.builds(
    Rules,
    idle=st.sampled_from([60, 100]),
    hold=st.sampled_from([0, 30, 150]),
    longest=st.sampled_from([60, 170, 1000]),
    cooldown=st.sampled_from([0, 0, 50]),
    paid_percent=st.sampled_from([0, 0, 30, 100]),
    only_paid_search=st.sampled_from([False, False, True]),
    after_call=st.booleans(),
)
ANY = st.integers(0, 1000)


def instant(second: int) -> datetime:
    return NOON + timedelta(seconds=second)


@cache
def database() -> Database:
    """One for all examples: each is one transaction, undone at its end."""
    made = Database("sqlite://")
    Base.metadata.create_all(made.engine)
    return made


class Leases(RuleBasedStateMachine):
    """One pool, its visitors, its admin, and the worker's job at any moment."""

    @initialize(rules=RULES, count=st.integers(1, 4))
    def begin(self, rules: Rules, count: int) -> None:
        self.session = sa.orm.Session(database().engine)
        self.shop = Shop(self.session, NOON, numbers=0)
        self.model = Model(rules)
        self.apply_rules()
        self.guests: list[Guest] = []
        for _ in range(count):
            self.number_added()

    def teardown(self) -> None:
        if hasattr(self, "session"):
            self.session.close()

    @property
    def now(self) -> datetime:
        return instant(self.model.now)

    def by(self) -> By:
        return By(self.now, "test")

    # ---- visitors ----

    @rule(paid=st.booleans())
    def arrive(self, paid: bool) -> None:
        self.come(self.shop.visitor(self.session, f"v{len(self.guests)}", self.now).id, paid=paid)

    @precondition(lambda self: self.guests)
    @rule(which=ANY, paid=st.booleans())
    def come_anew(self, which: int, paid: bool) -> None:
        self.come(self.guest(which).visitor, paid=paid)

    def come(self, visitor_id: int, *, paid: bool) -> None:
        visitor = self.session.get_one(Visitor, visitor_id)
        group = "Paid Search" if paid else "Direct"
        visit = self.shop.visit(self.session, visitor, self.now, paid=paid, group=group)
        self.guests.append(Guest(visit.id, visitor_id, paid))
        self.look(len(self.guests) - 1)

    @precondition(lambda self: self.guests)
    @rule(which=ANY)
    def look(self, which: int) -> None:
        guest = self.guest(which)
        expected = self.model.show(guest)
        shown = self.shop.show(self.session, self.session.get_one(Visit, guest.id), self.now)
        if isinstance(expected, str):
            assert (shown.reason, shown.e164, shown.lease_id) == (expected, None, None)
        else:
            assert (shown.e164, shown.reason) == (self.number(expected).e164, None)

    @precondition(lambda self: self.guests)
    @rule(which=ANY)
    def ping(self, which: int) -> None:
        self.model.sign(self.guest(which))
        leases.renew(self.session, self.guest(which).id, self.now)

    @precondition(lambda self: self.guests)
    @rule(which=ANY)
    def leave(self, which: int) -> None:
        self.model.sign(self.guest(which), left=True)
        leases.leave(self.session, self.guest(which).id, self.now)

    def guest(self, which: int) -> Guest:
        return self.guests[which % len(self.guests)]

    # ---- time, the worker, calls ----

    @rule(seconds=st.sampled_from([1, 10, 29, 30, 31, 50, 60, 61, 100, 400]))
    def time_passes(self, seconds: int) -> None:
        self.model.now += seconds

    @rule()
    def job(self) -> None:
        assert leases.release_due(self.session, self.now) == self.model.release()

    @rule(which=ANY, lasted=st.sampled_from([0, 5, 100]))
    def call_ended(self, which: int, lasted: int) -> None:
        phone = self.phone(which)
        began = self.model.now - lasted
        call = Call(
            key="call",
            node="main",
            company_id=self.shop.company_id,
            number_id=phone.id,
            presentation=Presentation.ALLOWED,
            started_at=instant(began),
            ended_at=self.now,
        )
        self.session.add(call)
        self.session.flush()
        self.model.called(phone, began)
        leases.released_after_call(self.session, self.now)
        self.session.delete(call)
        self.session.flush()

    # ---- the admin ----

    @rule()
    def number_added(self) -> None:
        position = len(self.model.phones)
        number = self.shop.add_number(self.session, f"+7495100{position:04}", self.now)
        self.model.phones.append(Phone(number.id, self.model.now))

    @rule(which=ANY)
    def number_moved(self, which: int) -> None:
        phone = self.phone(which)
        if phone.active:
            self.model.take_out(phone)
            phone.in_pool = not phone.in_pool
            place = self.shop.pool(self.session) if phone.in_pool else None
            numbers.move(self.session, self.by(), self.number(phone), place)

    @rule(which=ANY)
    def number_retired_or_restored(self, which: int) -> None:
        phone = self.phone(which)
        phone.active = not phone.active
        if phone.active:
            numbers.restore(self.session, self.by(), self.number(phone))
        else:
            self.model.take_out(phone)
            numbers.retire(self.session, self.by(), self.number(phone), 60)

    @rule(rules=RULES)
    def settings_changed(self, rules: Rules) -> None:
        self.model.rules = rules
        self.apply_rules()

    def apply_rules(self) -> None:
        rules, pool = self.model.rules, self.shop.pool(self.session)
        pool.idle_seconds, pool.hold_seconds = rules.idle, rules.hold
        pool.longest_seconds, pool.cooldown_seconds = rules.longest, rules.cooldown
        pool.paid_percent, pool.release_after_call = rules.paid_percent, rules.after_call
        pool.dynamic_for = ["Paid Search"] if rules.only_paid_search else []
        self.session.flush()

    def phone(self, which: int) -> Phone:
        return self.model.phones[which % len(self.model.phones)]

    def number(self, phone: Phone) -> Number:
        return self.session.get_one(Number, phone.id)

    # ---- what holds always ----

    @invariant()
    def the_history_is_the_models(self) -> None:
        found = [
            (
                row.number_id,
                row.visit_id,
                row.from_at,
                row.until_at or row.expires_at,
                row.ended_by and row.ended_by.value,
            )
            for row in history(self.session)
        ]
        expected = [
            (
                hold.phone.id,
                hold.guest.id,
                instant(hold.from_at),
                instant(hold.expires if hold.until is None else hold.until),
                hold.end or ("left" if hold.left else None),
            )
            for hold in self.model.holds
        ]
        assert found == expected

    @invariant()
    def no_number_is_ever_held_twice(self) -> None:
        assert overlaps(self.session) == 0
        held = [hold.phone.id for hold in self.model.open()]
        assert len(held) == len(set(held))

    @invariant()
    def numbers_are_free_when_the_model_says(self) -> None:
        rows = self.session.execute(sa.select(Number.id, Number.free_at)).all()
        expected: dict[int, Any] = {
            phone.id: None if phone.free_at is None else instant(phone.free_at) for phone in self.model.phones
        }
        assert {row[0]: row[1] for row in rows} == expected

    @invariant()
    def every_miss_is_counted_once(self) -> None:
        assert self.shop.misses(self.session) == self.model.misses


TestLeases = Leases.TestCase
TestLeases.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
