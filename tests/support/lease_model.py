"""What leases should do, as plainly as it can be said: one pool, lists, no database.

The state machine in tests/test_leases_model.py does everything here and there and compares.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass
class Rules:
    """The pool's settings, times in seconds."""

    idle: int = 600
    hold: int = 300
    longest: int = 3600
    cooldown: int = 0
    paid_percent: int = 0
    only_paid_search: bool = False
    after_call: bool = False


@dataclass
class Phone:
    """A number: in the pool or out of it, in use or retired, free from an instant on (None: leased)."""

    id: int
    free_at: int | None
    in_pool: bool = True
    active: bool = True


@dataclass
class Guest:
    """A visit."""

    id: int
    visitor: int
    paid: bool


@dataclass
class Hold:
    """A lease."""

    phone: Phone
    guest: Guest
    from_at: int
    expires: int
    left: bool = False
    until: int | None = None
    end: str | None = None


@dataclass
class Model:
    """The pool at `now`, and every lease there ever was, in the order they began."""

    rules: Rules
    now: int = 0
    phones: list[Phone] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    misses: dict[str, int] = field(default_factory=dict)
    missed: set[int] = field(default_factory=set)

    # ---- what happens ----

    def show(self, guest: Guest) -> Phone | str:
        """The number the visit is shown, or why none of its own."""
        mine = next((hold for hold in self.open() if hold.guest.visitor == guest.visitor), None)
        if mine is not None and self._goes_on(mine):
            if mine.guest.id < guest.id:
                self._close(mine, self.now, "next")
                self._begin(mine.phone, guest)
            return mine.phone
        found = self._choose(guest)
        if isinstance(found, str):
            if found != "shared" and self.release():
                found = self._choose(guest)
            if isinstance(found, str):
                if guest.id not in self.missed:
                    self.missed.add(guest.id)
                    self.misses[found] = self.misses.get(found, 0) + 1
                return found
        self._begin(found, guest)
        return found

    def sign(self, guest: Guest, *, left: bool = False) -> None:
        for hold in self.open():
            if hold.guest is guest:
                if hold.expires <= self.now:
                    self._run_out(hold, hold.expires)
                else:
                    hold.expires, hold.left = self._expiry(hold, left=left), left

    def release(self) -> int:
        due = [hold for hold in self.open() if hold.expires <= self.now]
        for hold in due:
            self._run_out(hold, hold.expires)
        return len(due)

    def called(self, phone: Phone, began: int) -> None:
        for hold in self.open():
            if (
                self.rules.after_call
                and hold.phone is phone
                and hold.from_at <= began
                and hold.expires > self.now
            ):
                self._close(hold, self.now, "call")

    def take_out(self, phone: Phone) -> None:
        """Moved, or retired: nobody has it any more."""
        for hold in self.open():
            if hold.phone is phone:
                if hold.expires <= self.now:
                    self._run_out(hold, hold.expires)
                else:
                    self._close(hold, self.now, "moved")

    def open(self) -> list[Hold]:
        return [hold for hold in self.holds if hold.until is None]

    # ---- by which rules ----

    def _goes_on(self, hold: Hold) -> bool:
        if hold.expires > self.now:
            hold.expires, hold.left = self._expiry(hold, left=False), False
        if hold.expires <= self.now:
            self._run_out(hold, hold.expires)
        return hold.until is None

    def _expiry(self, hold: Hold, *, left: bool) -> int:
        more = self.rules.hold if left else self.rules.idle
        return max(self.now, min(self.now + more, hold.from_at + self.rules.longest))

    def _choose(self, guest: Guest) -> Phone | str:
        if self.rules.only_paid_search and not guest.paid:
            return "shared"
        pool = [phone for phone in self.phones if phone.in_pool and phone.active]
        last = next((hold for hold in reversed(self.holds) if hold.guest.visitor == guest.visitor), None)
        his = last.phone if last and self._nobody_since(last) else None
        free = [p for p in pool if p.free_at is not None and (p.free_at <= self.now or p is his)]
        if not free:
            return "pool_empty"
        kept = math.ceil(len(pool) * self.rules.paid_percent / 100)
        held_by_paid = sum(hold.guest.paid for hold in self.open() if hold.phone in pool)
        if not guest.paid and kept and len(free) + held_by_paid <= kept:
            return "reserved"
        return min(free, key=lambda p: (last is None or p is not last.phone, p.free_at, p.id))

    def _nobody_since(self, last: Hold) -> bool:
        return not any(hold.phone is last.phone and hold.from_at > last.from_at for hold in self.holds)

    def _begin(self, phone: Phone, guest: Guest) -> None:
        phone.free_at = None
        expires = self.now + min(self.rules.idle, self.rules.longest)
        self.holds.append(Hold(phone, guest, self.now, expires))

    def _run_out(self, hold: Hold, at: int) -> None:
        longest = at >= hold.from_at + self.rules.longest
        self._close(hold, at, "longest" if longest else "left" if hold.left else "idle")

    def _close(self, hold: Hold, at: int, end: str) -> None:
        hold.until, hold.end = at, end
        hold.phone.free_at = at + self.rules.cooldown
