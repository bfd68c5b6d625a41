"""Telephone numbers: read from people and carriers, shown to people, spelt as carriers may send them.

The rules of each country are libphonenumber's. A region is an ISO 3166 code such as "DE".
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber, PhoneNumberFormat, PhoneNumberType

from tracker.errors import Rejected
from tracker.policy.facts import Presentation

LONGEST_CALLER = 32  # digits; the longest that networks carry
SHORTEST_SPELLING = 5  # anything shorter could be an extension or an emergency number
_WRITTEN = re.compile(r"\s*\+?[\d\s().\-/\u2010-\u2015\u00a0]{3,40}")


class Line(enum.StrEnum):
    """What kind of line a number belongs to, as its country numbers them."""

    FIXED = "fixed"
    MOBILE = "mobile"
    INTERNET = "internet"
    TOLL_FREE = "toll_free"


@dataclass(frozen=True)
class Place:
    """Where a number belongs: country (ISO 3166) and kind of line; None for what its digits do not say."""

    country: str | None
    line: Line | None


_LINES = {
    PhoneNumberType.FIXED_LINE: Line.FIXED,
    PhoneNumberType.MOBILE: Line.MOBILE,
    PhoneNumberType.VOIP: Line.INTERNET,
    PhoneNumberType.TOLL_FREE: Line.TOLL_FREE,
}


def place_of(e164: str) -> Place | None:
    """Where the number belongs; None for what is no number of any country.

    Cities are left out: libphonenumber's table of them takes 100 MB of memory and 0.7 s in each process, and
    has none for mobile phones, from which most people call.
    """
    number = _parsed(e164, "ZZ") if e164.startswith("+") else None
    if number is None:
        return None
    country = phonenumbers.region_code_for_number(number)
    if country is None:
        return None
    return Place(country if country.isalpha() else None, _LINES.get(phonenumbers.number_type(number)))


def read_number(text: str, region: str) -> str:
    """The number a person wrote, as E.164. Raises Rejected `number.malformed`.

    Spaces, brackets, dots, dashes and slashes are fine; letters and extensions are not. A number whose range
    libphonenumber does not know is taken only in international form.
    """
    number = _parsed(text, region) if _WRITTEN.fullmatch(text) else None
    if number is not None:
        international = text.strip().startswith("+")
        known = phonenumbers.is_valid_number(number)
        if known or (international and phonenumbers.is_possible_number(number)):
            return _e164(number)
    shown = text if len(text) <= 40 else text[:40] + "…"
    raise Rejected(
        "number.malformed",
        "%(text)r is not a telephone number",
        "Give it like %(international)s or, in %(region)s, %(national)s",
        text=shown,
        international=_example(region, PhoneNumberFormat.INTERNATIONAL),
        region=region,
        national=_example(region, PhoneNumberFormat.NATIONAL),
    )


def normalise_caller(raw: str, presentation: Presentation, region: str) -> str | None:
    """The caller to store: E.164 where it is a number, else its digits; None when withheld or no digits."""
    if presentation is not Presentation.ALLOWED:
        return None
    kept = re.sub(r"[^0-9+]", "", raw[:200])
    digits = kept.replace("+", "")[:LONGEST_CALLER]
    if not digits:
        return None
    international = kept.startswith("+")
    # A carrier that leaves out the + or writes 00 means the number a country would not know as its own.
    tries = ["+" + digits] if international else [digits, "+" + digits]
    if not international and digits.startswith("00"):
        tries.append("+" + digits[2:])
    for text in tries:
        number = _parsed(text, region)
        if number is not None and phonenumbers.is_valid_number(number):
            return _e164(number)
    return "+" + digits if international else digits


def is_country(word: str) -> bool:
    """Whether these two letters are a country that has telephone numbers."""
    return word in phonenumbers.SUPPORTED_REGIONS


@dataclass(frozen=True)
class Dialling:
    """How a country dials: its code, what stands before numbers at home and before those of abroad.

    `length`: digits of its mobile numbers, where all of them have as many; else 0.
    """

    code: str
    trunk: str
    international: tuple[str, ...]
    length: int


def dialling_of(region: str) -> Dialling:
    """How numbers are dialled in that country."""
    region = region.upper()
    prefix = _international_prefix(region)
    metadata = PhoneMetadata.metadata_for_region(region, None)
    mobile = metadata.mobile if metadata else None
    lengths = mobile.possible_length if mobile else ()
    return Dialling(
        str(phonenumbers.country_code_for_region(region)),
        phonenumbers.ndd_prefix_for_region(region, True) or "",
        (prefix,) if prefix else (),
        lengths[0] if lengths and len(lengths) == 1 else 0,
    )


def display(e164: str, region: str) -> str:
    """The number as people of that region write it: national at home, international abroad."""
    number = _parsed(e164, region) if e164.startswith("+") else None
    if number is None:
        return e164
    home = phonenumbers.country_code_for_region(region) == number.country_code
    style = PhoneNumberFormat.NATIONAL if home else PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, style)


def spellings(e164: str, region: str) -> frozenset[str]:
    """Every form in which a carrier may send this DID: +E.164, without +, after an international prefix,
    national with and without the trunk prefix.

    `region` is the company's: its international prefix is spelt too. A national form that the number's own
    country reads as another number, or that is too short to be sure, is left out. Two numbers may still share
    a form (4951234567 is Moscow, and Lower Saxony without its +): who knows all numbers has to settle that.
    """
    digits = e164.removeprefix("+")
    forms = {"+" + digits, digits, "00" + digits}
    number = _parsed("+" + digits, region)
    if number is None:
        return frozenset(forms)
    own = _own_region(number, region)
    forms |= {prefix + digits for prefix in map(_international_prefix, {own, region.upper()}) if prefix}
    forms |= {form for form in _national(number, own) if _reads_back(form, number, own)}
    return frozenset(forms)


def spelt_in(e164: str, country: str) -> frozenset[str]:
    """The forms, without +, in which a network of that country writes the number, and means no other."""
    digits = e164.removeprefix("+")
    number = _parsed("+" + digits, country)
    if number is None:
        return frozenset()
    forms = {digits, (_international_prefix(country.upper()) or "00") + digits}
    if phonenumbers.country_code_for_region(country.upper()) == number.country_code:
        forms |= _national(number, country.upper())
    return frozenset(form for form in forms if _reads_back(form, number, country.upper()))


def dialled_as(e164: str, style: str, country: str) -> str:
    """The number as a carrier of that country wants it dialled: `plus`, `digits` or `national`."""
    digits = e164.removeprefix("+")
    if style == "plus":
        return "+" + digits
    number = _parsed("+" + digits, country) if style == "national" and country else None
    if number is None:
        return digits
    if phonenumbers.country_code_for_region(country.upper()) == number.country_code:
        prefix = phonenumbers.ndd_prefix_for_region(country.upper(), True) or ""
        return prefix + phonenumbers.national_significant_number(number)
    return (_international_prefix(country.upper()) or "00") + digits


def _parsed(text: str, region: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region.upper())
    except NumberParseException:
        return None


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _example(region: str, style: int) -> str:
    example = phonenumbers.example_number(region.upper())
    return phonenumbers.format_number(example, style) if example else "+49 30 123456"


def _own_region(number: PhoneNumber, region: str) -> str:
    """The number's country: the company's when they share a country code and the range is not known."""
    found = phonenumbers.region_code_for_number(number)
    if found is None and phonenumbers.country_code_for_region(region.upper()) == number.country_code:
        found = region.upper()
    return found or phonenumbers.region_code_for_country_code(number.country_code or 0)


def _international_prefix(region: str) -> str | None:
    metadata = PhoneMetadata.metadata_for_region(region, None)
    if metadata is None:
        return None
    prefix = (metadata.preferred_international_prefix or metadata.international_prefix or "").replace("~", "")
    return prefix if prefix.isdigit() else None  # some countries have a pattern instead, one per carrier


def _national(number: PhoneNumber, own: str) -> set[str]:
    significant = phonenumbers.national_significant_number(number)
    trunk_prefix = phonenumbers.ndd_prefix_for_region(own, True)
    return {significant, (trunk_prefix or "") + significant}


def _reads_back(form: str, number: PhoneNumber, own: str) -> bool:
    read = _parsed(form, own)
    return len(form) >= SHORTEST_SPELLING and read is not None and _e164(read) == _e164(number)
