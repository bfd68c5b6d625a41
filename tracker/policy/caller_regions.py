"""The country of a telephone number by its first digits, so that a database can group and find callers by it.

The calling code says it. Of countries that share one it is the largest, except where three more digits tell
them apart: +1 (the United States, Canada, the Caribbean) and +7 (Russia, Kazakhstan).
"""

from __future__ import annotations

from functools import cache

import phonenumbers

DIGITS = 3  # of a number, that say its country; after +1 three more
NORTH_AMERICA = "1"
UNKNOWN = "ZZ"  # as CLDR has it: digits that are no country's
_KAZAKH = ("76", "77")


@cache
def regions() -> dict[str, str]:
    """ISO 3166's country, or "001" for what is no country's, by "+" and the digits that say it."""
    found = {f"+{code:03}": _region(f"{code:03}") for code in range(200, 1000)}
    found |= {f"+1{code:03}": _north_american(f"{code:03}") for code in range(200, 1000)}
    return {digits: region for digits, region in found.items() if region is not None}


def region_of(e164: str) -> str:
    """The country of a number; UNKNOWN where its digits are no country's."""
    digits = len(f"+{NORTH_AMERICA}") + DIGITS if e164.startswith(f"+{NORTH_AMERICA}") else 1 + DIGITS
    return regions().get(e164[:digits]) or UNKNOWN


def prefixes_of(region: str) -> list[str]:
    """The beginnings of its numbers; none where no country is called so."""
    return [digits for digits, each in regions().items() if each == region]


def _region(digits: str) -> str | None:
    if digits.startswith(_KAZAKH):
        return "KZ"
    for length in (1, 2, 3):
        if found := phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(digits[:length])):
            return str(found[0])
    return None


def _north_american(area: str) -> str | None:
    number = phonenumbers.PhoneNumber(country_code=1, national_number=int(f"{area}2345678"))
    found: str | None = phonenumbers.region_code_for_number(number)
    return found
