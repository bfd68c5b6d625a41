"""Everything that can happen to leases, in any order, against a plain model of them (hypothesis)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from support.lease_model import Guest, Model, Phone, Rules
from support.shop import Shop, overlaps

from tracker import leases, numbers
from tracker.audit import By
from tracker.database import Database
from tracker.models import Base, Call, Lease, Number, Visit, Visitor
from tracker.policy.facts import Presentation

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
RULES = st.builds(
    Rules,
    idle=st.sampled_from([60, 100]),
    hold=st.sampled_from([0, 30, 150]),
    longest=st.sampled_from([100, 170, 1000]),
    cooldown=st.sampled_from([0, 50, 300]),
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

    @initialize(rules=RULES, count=st.sampled_from([1, 1, 2, 4]))
    def begin(self, rules: Rules, count: int) -> None:
        self.session = sa.orm.Session(database().engine)
        self.shop = Shop(self.session, NOON, numbers=0)
        self.model = Model(rules)
        self.apply_rules()
        self.guests: list[Guest] = []
        for _ in range(count):
            self.add_number()
            self.arrive(paid=False)

    @property
    def now(self) -> datetime:
        return instant(self.model.now)

    def by(self) -> By:
        return By(self.now, "test")

    # ---- visitors ----

    @rule(paid=st.booleans())
    def arrive(self, paid: bool) -> None:
        self.come(self.shop.visitor(self.session, f"v{len(self.guests)}", self.now).id, paid=paid)

    @rule(which=ANY, what=st.sampled_from(["look", "look", "ping", "leave", "paid", "direct"]))
    def visitor_does(self, which: int, what: str) -> None:
        guest = self.guests[which % len(self.guests)]
        if what == "look":
            self.look(guest)
        elif what == "ping":
            self.model.sign(guest)
            leases.renew(self.session, guest.id, self.now)
        elif what == "leave":
            self.model.sign(guest, left=True)
            leases.leave(self.session, guest.id, self.now)
        else:
            self.come(guest.visitor, paid=what == "paid")

    def come(self, visitor_id: int, *, paid: bool) -> None:
        visitor = self.session.get_one(Visitor, visitor_id)
        group = "Paid Search" if paid else "Direct"
        visit = self.shop.visit(self.session, visitor, self.now, paid=paid, group=group)
        self.guests.append(Guest(visit.id, visitor_id, paid))
        self.look(self.guests[-1])

    def look(self, guest: Guest) -> None:
        expected = self.model.show(guest)
        shown = self.shop.show(self.session, self.session.get_one(Visit, guest.id), self.now)
        if isinstance(expected, str):
            assert (shown.reason, shown.e164, shown.lease_id) == (expected, None, None)
        else:
            assert (shown.e164, shown.reason) == (self.number(expected).e164, None)

    # ---- time, the worker, calls ----

    @rule(seconds=st.sampled_from([1, 10, 29, 30, 31, 50, 60, 61, 100, 400]), job=st.booleans())
    def time_passes(self, seconds: int, job: bool) -> None:
        self.model.now += seconds
        if job:
            assert leases.release_due(self.session, self.now) == self.model.release()

    def call_ended(self, phone: Phone) -> None:
        """Five seconds on that number; whoever has it since, has it still."""
        began = self.model.now - 5
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

    @rule(which=ANY, what=st.sampled_from(["add", "move", "retire", "call", "call", "", ""]))
    def number_is(self, which: int, what: str) -> None:
        phone = self.model.phones[which % len(self.model.phones)]
        if not what:
            return  # most of the time an admin does nothing
        if what == "add":
            self.add_number()
        elif what == "call":
            self.call_ended(phone)
        elif what == "retire" and phone.active:
            self.model.take_out(phone)
            phone.active = False
            numbers.retire(self.session, self.by(), self.number(phone), 60)
        elif not phone.active:
            phone.active = True
            numbers.restore(self.session, self.by(), self.number(phone))
        else:
            self.model.take_out(phone)
            phone.in_pool = not phone.in_pool
            place = self.shop.pool(self.session) if phone.in_pool else None
            numbers.move(self.session, self.by(), self.number(phone), place)

    def add_number(self) -> None:
        position = len(self.model.phones)
        number = self.shop.add_number(self.session, f"+7495100{position:04}", self.now)
        self.model.phones.append(Phone(number.id, self.model.now))

    @rule(rules=RULES, seldom=st.sampled_from([True, False, False]))
    def settings_changed(self, rules: Rules, seldom: bool) -> None:
        if seldom:
            self.model.rules = rules
            self.apply_rules()

    def apply_rules(self) -> None:
        rules, pool = self.model.rules, self.shop.pool(self.session)
        pool.idle_seconds, pool.hold_seconds = rules.idle, rules.hold
        pool.longest_seconds, pool.cooldown_seconds = rules.longest, rules.cooldown
        pool.paid_percent, pool.release_after_call = rules.paid_percent, rules.after_call
        pool.dynamic_for = ["Paid Search"] if rules.only_paid_search else []
        self.session.flush()

    def number(self, phone: Phone) -> Number:
        return self.session.get_one(Number, phone.id)

    # ---- what holds always ----

    @invariant()
    def the_database_says_what_the_model_says(self) -> None:
        self.session.flush()
        found = [tuple(row) for row in self.session.connection().execute(_LEASES)]
        expected = [
            (
                hold.phone.id,
                hold.guest.id,
                instant(hold.from_at),
                instant(hold.expires if hold.until is None else hold.until),
                hold.until is None,
                hold.end or ("left" if hold.left else None),
            )
            for hold in self.model.holds
        ]
        assert found == expected
        free = {row.id: row.free_at for row in self.session.connection().execute(_FREE)}
        assert free == {
            phone.id: None if phone.free_at is None else instant(phone.free_at) for phone in self.model.phones
        }

    @invariant()
    def no_number_is_held_twice(self) -> None:
        held = [hold.phone.id for hold in self.model.open()]
        assert len(held) == len(set(held))

    def teardown(self) -> None:
        if hasattr(self, "session"):
            assert overlaps(self.session) == 0
            assert self.shop.misses(self.session) == self.model.misses
            self.session.close()


_LEASES = sa.select(
    Lease.number_id,
    Lease.visit_id,
    Lease.from_at,
    sa.func.coalesce(Lease.until_at, Lease.expires_at),
    Lease.until_at.is_(None),
    Lease.ended_by,
).order_by(Lease.from_at, Lease.id)
_FREE = sa.select(Number.id, Number.free_at)

TestLeases = Leases.TestCase
TestLeases.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
