"""Whether a visitor is called back, when, and what follows a try that came to nothing.

Whoever can have us dial a number of his choice can run up a bill: numbers abroad, premium rates, a thousand
calls a night. So a number is called only if everything speaks for it, and every refusal has a reason that the
manager reads.
"""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

from tracker.policy.callback_hours import Hours, is_open, next_opening

PROMISE_SECONDS = 60.0
SAME_MINUTES = 10  # a second wish for the same number within so long is the first one again
FARTHEST_DAYS = 14  # that somebody may ask to be called


class CallbackState(enum.StrEnum):
    WAITING = "waiting"  # for its time, or for the next try
    RINGING_EMPLOYEE = "ringing_employee"
    RINGING_VISITOR = "ringing_visitor"  # an employee has taken the phone
    TALKED = "talked"
    FAILED = "failed"  # by a fault: no trunk, no target, a crash that came twice
    REFUSED = "refused"  # never dialled; the reason says why
    GIVEN_UP = "given_up"  # tried as often as is allowed, or called off by a person


OPEN_STATES = (CallbackState.WAITING, CallbackState.RINGING_EMPLOYEE, CallbackState.RINGING_VISITOR)
CALLING = OPEN_STATES[1:]


class CallbackReason(enum.StrEnum):
    """Why a request was refused, or what became of its last try."""

    # Refused:
    OFF = "off"  # the site calls nobody back
    MALFORMED = "malformed"  # no telephone number
    SHORT = "short"  # emergency numbers, short codes
    COUNTRY = "country"
    PREMIUM = "premium"
    OWN = "own"  # a number of the company's
    CLIENT_LIMIT = "client_limit"  # too many from one address
    NUMBER_LIMIT = "number_limit"
    DAY_LIMIT = "day_limit"
    COST_CAP = "cost_cap"  # the seconds of the day are used up
    HOURS = "hours"  # the wished time is none that is offered
    # What became of a try:
    NO_EMPLOYEE = "no_employee"
    EMPLOYEE_LEFT = "employee_left"  # hung up before the visitor had answered
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    DECLINED = "declined"
    UNREACHABLE = "unreachable"  # the carrier does not put the call through
    NO_TARGET = "no_target"  # nobody is set to be rung
    NO_TRUNK = "no_trunk"
    CLOSED = "closed"  # the plan of the shown number rings nobody at this hour
    UNKNOWN = "unknown"  # nobody can tell: something of ours died in the middle
    CANCELLED = "cancelled"  # by a person


REFUSALS = frozenset(list(CallbackReason)[:11])
_FAULTS = frozenset({CallbackReason.NO_TARGET, CallbackReason.NO_TRUNK})


@dataclass(frozen=True)
class Limits:
    """How often, at most; 0 refuses all."""

    per_client: int = 5  # wishes from one address within an hour
    per_number: int = 3  # wishes for one number within 24 hours
    per_day: int = 200  # wishes of a site within 24 hours
    seconds_per_day: int = 14_400  # that are spoken within 24 hours


@dataclass(frozen=True)
class Rules:
    """What a site allows. `countries` empty: the company's own alone. `prefixes`: allowed besides (+3712)."""

    is_on: bool
    region: str
    zone: ZoneInfo
    hours: Hours = field(default_factory=dict)
    countries: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    limits: Limits = Limits()
    tries: int = 3
    retry_minutes: int = 5


@dataclass(frozen=True)
class Wish:
    """What somebody asks for: a number as he wrote it, at once (None) or at a time."""

    phone: str
    at: datetime
    wanted_at: datetime | None = None


@dataclass(frozen=True)
class Standing:
    """What went before: wishes from that address, for that number, of that site; seconds spoken today."""

    own_numbers: frozenset[str] = frozenset()
    from_client: int = 0
    for_number: int = 0
    of_site: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Accept:
    phone: str
    due_at: datetime


@dataclass(frozen=True)
class Refuse:
    """`phone` is "" where what was written is no number."""

    reason: CallbackReason
    phone: str = ""


def read_phone(text: str, region: str) -> str | CallbackReason:
    """The number to dial, as E.164, or why what was written is none that anybody could be called on."""
    short = _short(text, region)
    if short:
        return CallbackReason.SHORT
    number = _parsed(text, region)
    if number is None or number.extension:
        return CallbackReason.MALFORMED
    kind = phonenumbers.number_type(number)
    if kind in _COSTLY:
        return CallbackReason.PREMIUM
    if not phonenumbers.is_valid_number(number) or kind not in _PEOPLES:
        return CallbackReason.MALFORMED
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def decide(wish: Wish, rules: Rules, before: Standing) -> Accept | Refuse:
    """Whether that number is called back, and when first."""
    read = read_phone(wish.phone, rules.region)
    phone = read if not isinstance(read, CallbackReason) else ""
    if not rules.is_on:
        return Refuse(CallbackReason.OFF, phone)
    if isinstance(read, CallbackReason):
        return Refuse(read)
    if not _is_allowed(phone, rules):
        return Refuse(CallbackReason.COUNTRY, phone)
    if phone in before.own_numbers:
        return Refuse(CallbackReason.OWN, phone)
    if reason := _over(before, rules.limits):
        return Refuse(reason, phone)
    due_at = _due(wish, rules)
    return Accept(phone, due_at) if due_at else Refuse(CallbackReason.HOURS, phone)


@dataclass(frozen=True)
class Again:
    """Another try at that time."""

    at: datetime


@dataclass(frozen=True)
class Over:
    state: CallbackState


def after_try(
    reason: CallbackReason,
    tries: int,
    unknowns: int,
    rules: Rules,
    now: datetime,
    *,
    opens_at: datetime | None = None,
) -> Again | Over:
    """What follows a try that connected nobody: `tries` and `unknowns` count it already.

    Where nobody can tell whether the phones rang, it is tried once more, and no second time. Where a plan
    rings nobody at this hour, it waits until it does (`opens_at`), however often it was tried.
    """
    if reason is CallbackReason.CLOSED:
        return Again(opens_at) if rules.is_on and opens_at else Over(CallbackState.FAILED)
    if reason is CallbackReason.UNKNOWN:
        return Again(now) if unknowns <= 1 else Over(CallbackState.FAILED)
    if reason in _FAULTS:
        return Over(CallbackState.FAILED)
    if not rules.is_on or tries >= rules.tries:
        return Over(CallbackState.GIVEN_UP)
    later = now + timedelta(minutes=rules.retry_minutes)
    return Again(next_opening(rules.hours, rules.zone, later) or later)


def one_client(address: str) -> str:
    """What counts as one client: an address, of IPv6 the /64 that one customer has for himself."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if found.version == 4:
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))


# Lines that people have and answer. Toll-free numbers, numbers that are charged to the caller, pagers and
# voice mail boxes are not among them.
_PEOPLES = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.VOIP,
    }
)
_COSTLY = frozenset(
    {
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.PERSONAL_NUMBER,
        PhoneNumberType.UAN,
        PhoneNumberType.TOLL_FREE,
    }
)
_LETTERS_ALLOWED = frozenset(" +().-/\u00a0\u2010\u2011\u2012\u2013\u2014")


def _parsed(text: str, region: str) -> PhoneNumber | None:
    """Digits and what people put between them; whoever writes anything else is no person with a phone."""
    if not 3 <= len(text.strip()) <= 40 or not all(
        each in _LETTERS_ALLOWED or "0" <= each <= "9" for each in text.strip()
    ):
        return None
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return None


def _short(text: str, region: str) -> bool:
    """Emergency numbers and short codes, of the company's country and with its country code before them."""
    digits = "".join(each for each in text if "0" <= each <= "9")
    if not 2 <= len(digits) <= 15:
        return False
    if phonenumbers.is_emergency_number(digits, region):
        return True
    number = _parsed(text, region)
    if number is None:
        return len(digits) <= 6
    return len(phonenumbers.national_significant_number(number)) <= 6 and (
        phonenumbers.is_possible_short_number(number) or not phonenumbers.is_valid_number(number)
    )


def _is_allowed(phone: str, rules: Rules) -> bool:
    country = phonenumbers.region_code_for_number(phonenumbers.parse(phone))
    allowed = rules.countries or (rules.region,)
    return country in allowed or any(phone.startswith(prefix) for prefix in rules.prefixes if prefix)


def _over(before: Standing, limits: Limits) -> CallbackReason | None:
    """The first limit that is used up."""
    checks: Sequence[tuple[bool, CallbackReason]] = (
        (before.from_client >= limits.per_client, CallbackReason.CLIENT_LIMIT),
        (before.for_number >= limits.per_number, CallbackReason.NUMBER_LIMIT),
        (before.of_site >= limits.per_day, CallbackReason.DAY_LIMIT),
        (before.seconds >= limits.seconds_per_day, CallbackReason.COST_CAP),
    )
    return next((reason for over, reason in checks if over), None)


def _due(wish: Wish, rules: Rules) -> datetime | None:
    """When to call; None for a time that nobody offered."""
    if wish.wanted_at is None:
        return next_opening(rules.hours, rules.zone, wish.at)
    soonest, latest = wish.at - timedelta(minutes=1), wish.at + timedelta(days=FARTHEST_DAYS)
    if not soonest <= wish.wanted_at <= latest or not is_open(rules.hours, rules.zone, wish.wanted_at):
        return None
    return max(wish.wanted_at, wish.at)


def quantile(seconds: Sequence[float], share: float) -> float | None:
    """The wait that so large a share did not exceed; None of none."""
    if not seconds:
        return None
    ordered = sorted(seconds)
    return ordered[max(0, -(-int(share * 1000 * len(ordered)) // 1000) - 1)]


def late_share(waited: Sequence[float]) -> float | None:
    """The share that waited for longer than was promised; None of none."""
    return sum(each > PROMISE_SECONDS for each in waited) / len(waited) if waited else None
