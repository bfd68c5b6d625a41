"""Which numbers may be dialled out: what keeps a mistyped or smuggled target from running up a bill."""

from __future__ import annotations

import phonenumbers

from tracker.errors import Rejected
from tracker.policy.phone import read_number

_COSTLY = {phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.SHARED_COST}


def read_outside_number(text: str, region: str, country: str | None = None) -> str:
    """A number that may be dialled out: valid, no premium rate, in the own or the named country (E.164).

    Raises Rejected: number.malformed, target.costly, target.unknown_range, target.abroad.
    """
    e164 = read_number(text, region)
    parsed = phonenumbers.parse(e164)
    if phonenumbers.number_type(parsed) in _COSTLY:
        raise Rejected(
            "target.costly",
            "%(e164)s is a premium-rate number",
            "Give a landline or mobile number",
            e164=e164,
        )
    if not phonenumbers.is_valid_number(parsed):
        raise Rejected(
            "target.unknown_range",
            "%(e164)s is in no range of numbers that is in use",
            "Give the number as its owner writes it",
            e164=e164,
        )
    found: str = phonenumbers.region_code_for_number(parsed) or "001"
    allowed = country.upper() if country else region
    if found != allowed:
        raise Rejected(
            "target.abroad",
            "%(e164)s is a number of %(found)s, not of %(allowed)s",
            "If calls should really go there, allow it: --country %(found)s",
            e164=e164,
            found=found,
            allowed=allowed,
        )
    return e164
