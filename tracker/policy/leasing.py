"""Leases, decided: how long one lasts, who may have a number, and what he is shown who gets none."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

CODE_DIGITS = 3  # of the shortest visitor code
CLOCK_STEP_SECONDS = 20.0  # a difference between two clocks that is no drift


class LeaseEnd(enum.StrEnum):
    """What ended a lease."""

    LEFT = "left"  # the visitor left, and the hold time is over
    IDLE = "idle"  # no sign of life for too long
    LONGEST = "longest"  # the absolute limit
    CALL = "call"  # the visitor called, and the pool releases after a call
    MOVED = "moved"  # the number was taken out of the pool
    NEXT = "next"  # the visitor came anew, and has it for his next visit


class ShownKind(enum.StrEnum):
    """What a visitor is shown where the company's number stands."""

    LEASE = "lease"  # a number of his own
    SOURCE = "source"  # the number of a channel, shown to visitors of his source
    OVERFLOW = "overflow"  # the pool's static number for visitors it has none for
    CODE = "code"  # the number that stands there, with a code of his own
    REAL = "real"  # the number that stands there


class Miss(enum.StrEnum):
    """Why a visitor got no number of his own."""

    POOL_EMPTY = "pool_empty"
    RESERVED = "reserved"  # what is left is kept for visits from paid ads
    SHARED = "shared"  # by the pool's rule, visitors of his source share that source's number
    NO_POOL = "no_pool"  # the site swaps no number
    CONSENT = "consent"  # nothing may be remembered of him
    BOT = "bot"
    LIMITED = "limited"  # too many requests
    UNTRUSTED = "untrusted"  # perhaps no person, while numbers are scarce


# ---- how long ----


@dataclass(frozen=True)
class Limits:
    """A pool's times, in seconds."""

    idle: int
    hold: int
    longest: int
    cooldown: int


def expiry(from_at: datetime, at: datetime, limits: Limits, *, left: bool = False) -> datetime:
    """When a lease ends by itself: after a sign of life at `at`, or after leaving then.

    Never before it began, nor before what is known of it: a limit shortened meanwhile ends it at `at`.
    """
    end = at + timedelta(seconds=limits.hold if left else limits.idle)
    return max(from_at, at, min(end, from_at + timedelta(seconds=limits.longest)))


def ended_by(from_at: datetime, expires_at: datetime, limits: Limits, *, left: bool) -> LeaseEnd:
    """What ended a lease that ran out at `expires_at`."""
    if expires_at >= from_at + timedelta(seconds=limits.longest):
        return LeaseEnd.LONGEST
    return LeaseEnd.LEFT if left else LeaseEnd.IDLE


def rested(until_at: datetime, limits: Limits) -> datetime:
    """From when on anybody may have a number that was given back at `until_at`."""
    return until_at + timedelta(seconds=limits.cooldown)


@dataclass(frozen=True)
class Clocks:
    """The wall clock, and a clock nobody sets (seconds), read in the same moment."""

    wall: datetime
    ticks: float


def clock_step(before: Clocks, now: Clocks) -> float:
    """By how many seconds the wall clock was set between two readings; 0.0 for what may be drift."""
    step = (now.wall - before.wall).total_seconds() - (now.ticks - before.ticks)
    return step if abs(step) > CLOCK_STEP_SECONDS else 0.0


def is_before_step(seen_at: datetime, at: datetime) -> bool:
    """Whether an instant was read before the clock was set; `at` is now, a few seconds after that."""
    return not at - timedelta(seconds=CLOCK_STEP_SECONDS / 2) <= seen_at <= at


@dataclass(frozen=True)
class Held:
    """A number held from then on; `until_at` is None while it is."""

    from_at: datetime
    until_at: datetime | None


def most_at_once(leases: Iterable[Held]) -> int:
    """How many numbers were held at the same time at most; one that ends frees its number at once."""
    steps = [
        step for each in leases for step in ((each.from_at, 1), (each.until_at, -1)) if step[0] is not None
    ]
    held = most = 0
    for _, change in sorted(steps, key=lambda step: (step[0], step[1])):
        held += change
        most = max(most, held)
    return most


# ---- who ----


@dataclass(frozen=True)
class Stock:
    """A pool's active numbers: all, those this visitor could be given, those leased to paid visits."""

    size: int
    free: int
    held_by_paid: int


def may_share_only(group: str, dynamic_for: Collection[str]) -> bool:
    """Whether visitors of that channel group share their source's number, by the pool's rule."""
    return bool(dynamic_for) and group.casefold() not in {each.casefold() for each in dynamic_for}


def reserved(size: int, paid_percent: int) -> int:
    """How many of a pool's numbers are kept for paid visits, rounded up."""
    return -(-size * paid_percent // 100)


def needs_stock(paid_percent: int, *, paid: bool, trusted: bool) -> bool:
    """Whether a visit may have a number only if enough are left: ask `refusal` then."""
    return not trusted or (paid_percent > 0 and not paid)


def refusal(stock: Stock, paid_percent: int, *, paid: bool, trusted: bool) -> Miss | None:
    """Why a visit may have none of the numbers that are free; None when it may.

    Paid visits can at any time hold as many numbers as are reserved for them, those they hold counted in.
    """
    if not stock.free:
        return Miss.POOL_EMPTY
    if not paid and paid_percent and stock.free + stock.held_by_paid <= reserved(stock.size, paid_percent):
        return Miss.RESERVED
    return None if trusted or 2 * stock.free > stock.size else Miss.UNTRUSTED


# ---- instead ----


def instead(reason: Miss, when_empty: str) -> ShownKind:
    """What to try to show him who got no number, by the pool's `when_empty`; what is not there is real.

    Sharing is about the source's number, and codes are no more for floods than numbers are.
    """
    if reason is Miss.SHARED:
        return ShownKind.SOURCE
    kind = ShownKind(when_empty)
    return ShownKind.REAL if reason is Miss.UNTRUSTED and kind is ShownKind.CODE else kind


@dataclass(frozen=True)
class Offer:
    """A channel's number, and whom it is shown to: a source, a channel group, or "*"."""

    shown_to: str
    e164: str


def source_number(offers: Iterable[Offer], source: str, group: str) -> str | None:
    """The number for visitors of that source, else of that group, else of any; the first offered."""
    found: dict[str, str] = {}
    for offer in offers:
        found.setdefault(offer.shown_to.strip().casefold(), offer.e164)
    wanted = (source.casefold(), group.casefold(), "*")
    return next((found[each] for each in wanted if each and each in found), None)


def code_digits(open_codes: int) -> int:
    """How long a new visitor code is: so that about half of that length are free."""
    digits = CODE_DIGITS
    while open_codes >= 10**digits // 2:
        digits += 1
    return digits
