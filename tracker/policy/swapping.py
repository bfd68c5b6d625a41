"""How the numbers of a site are written: what the script looks for, and what it puts in their place."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat


class Swapped(Protocol):
    """A number that stands on a site's pages, for visitors of one region or (with "") of all others."""

    @property
    def e164(self) -> str: ...
    @property
    def alias(self) -> str | None: ...
    @property
    def region(self) -> str: ...


S = TypeVar("S", bound=Swapped)


@dataclass(frozen=True)
class Written:
    """A number as people read it: at home, from abroad, and as the digits of `variants`."""

    display: str
    international: str
    variants: tuple[str, ...]


def variants(e164: str) -> tuple[str, ...]:
    """The digits of a number: international; with the trunk prefix, if its country has one; national.

    "+74951234567" -> ("74951234567", "84951234567", "4951234567"). Always that order: the script puts the
    variant of the new number in the place of the same variant of the old one.
    """
    number = _parsed(e164)
    return (e164.removeprefix("+"),) if number is None else _variants(e164, number)


def _variants(e164: str, number: PhoneNumber) -> tuple[str, ...]:
    significant = phonenumbers.national_significant_number(number)
    region = phonenumbers.region_code_for_number(number) or phonenumbers.region_code_for_country_code(
        number.country_code or 0
    )
    trunk_prefix = phonenumbers.ndd_prefix_for_region(region, True)
    with_trunk = (trunk_prefix + significant,) if trunk_prefix else ()
    return (e164.removeprefix("+"), *with_trunk, significant)


@functools.lru_cache(8192)
def written(e164: str, region: str) -> Written:
    """How a number is shown to visitors of a company of that region: national at home, else international."""
    number = _parsed(e164)
    if number is None:
        return Written(e164, e164, variants(e164))
    international = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    home = phonenumbers.country_code_for_region(region) == number.country_code
    display = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL) if home else international
    return Written(display, international, _variants(e164, number))


def swaps_for(swaps: Iterable[S], country: str | None) -> list[S]:
    """One swap a number on the page: the one of the visitor's country, else the one for all others.

    In the order given, a number standing where its first swap stands; a number that is swapped only for
    other countries is left out.
    """
    chosen: dict[str, S | None] = {}
    for swap in swaps:
        chosen.setdefault(swap.e164, None)
        if swap.region == country or (not swap.region and chosen[swap.e164] is None):
            chosen[swap.e164] = swap
    return [swap for swap in chosen.values() if swap is not None]


def looked_for(swaps: Sequence[Swapped]) -> list[dict[str, Any]]:
    """The numbers the script looks for, with all their spellings: `n` of its configuration."""
    aliases: dict[str, str | None] = {}
    for swap in swaps:
        aliases[swap.e164] = aliases.get(swap.e164) or swap.alias
    return [
        {"e": e164, "v": list(variants(e164))} | ({"a": alias} if alias else {})
        for e164, alias in aliases.items()
    ]


def _parsed(e164: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(e164)
    except NumberParseException:
        return None
