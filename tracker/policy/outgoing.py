"""Who may call out, and where to: a stolen password or a phone left alone must not run up a bill.

Calls go to the countries and number ranges that a company allows, never to numbers that cost the caller
extra, and to so many a day. Emergency numbers are no matter of permission: they stand in the dialplan.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import cache

import phonenumbers
from phonenumbers import PhoneNumberType

_COSTLY = {PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.PERSONAL_NUMBER,
           PhoneNumberType.PAGER}  # fmt: skip
EVERYWHERE = "112"  # every mobile network and most others put it through
DAILY_CALLS, DAILY_MINUTES = 500, 1000  # of a company that has said nothing else


class Bar(enum.StrEnum):
    """Why a call does not go out."""

    NOT_ALLOWED = "not-allowed"  # the company, or this phone, calls nobody
    MALFORMED = "malformed"  # no telephone number
    UNKNOWN_RANGE = "unknown-range"  # in no range that is in use
    COSTLY = "costly"
    ABROAD = "abroad"
    DAILY_CALLS = "daily-calls"
    DAILY_MINUTES = "daily-minutes"
    NOT_ASKED = "not-asked"  # Leaseline did not answer in time: nobody could say whether it may


# What the phone is told (Q.850): no such number, an incomplete one, else rejected.
CAUSES = {Bar.UNKNOWN_RANGE: 1, Bar.MALFORMED: 28}
REJECTED = 21


@dataclass(frozen=True)
class Guard:
    """What a company allows. `prefixes` are E.164 beginnings allowed beside the countries."""

    region: str  # the company's: how national numbers are read
    countries: frozenset[str]
    prefixes: tuple[str, ...] = ()
    daily_calls: int = DAILY_CALLS
    daily_minutes: int = DAILY_MINUTES


@dataclass(frozen=True)
class Spent:
    """What has gone out today already."""

    calls: int
    seconds: float


def decide(wanted: str, guard: Guard, spent: Spent) -> str | Bar:
    """The number to call (E.164), or why it is not called."""
    number = _read(wanted, guard.region)
    if number is None:
        return Bar.MALFORMED
    e164: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return _barred(number, e164, guard) or _used_up(guard, spent) or e164


def _barred(number: phonenumbers.PhoneNumber, e164: str, guard: Guard) -> Bar | None:
    if phonenumbers.number_type(number) in _COSTLY:
        return Bar.COSTLY
    if not phonenumbers.is_valid_number(number):
        return Bar.UNKNOWN_RANGE
    country = phonenumbers.region_code_for_number(number)
    return None if country in guard.countries or e164.startswith(guard.prefixes) else Bar.ABROAD


def _used_up(guard: Guard, spent: Spent) -> Bar | None:
    if spent.calls >= guard.daily_calls:
        return Bar.DAILY_CALLS
    if spent.seconds >= guard.daily_minutes * 60:
        return Bar.DAILY_MINUTES
    return None


@cache
def emergency_numbers(region: str) -> tuple[str, ...]:
    """What is dialled there for police, fire brigade and ambulance, without those that 112 stands for."""
    three = (f"{number:03}" for number in range(1000))
    found = {each for each in three if phonenumbers.is_emergency_number(each, region.upper())}
    return tuple(sorted(found | {EVERYWHERE}))


def _read(wanted: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(wanted, region)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None
