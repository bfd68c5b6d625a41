"""A column of amounts as programs and people write them: read in one way, or not at all.

"1,200" is more than a thousand or little more than one. Whether a comma or a point begins the decimals is
told by the other cells of the column, else by the file's other amounts, else by whoever gives the file; where
nobody tells, the cell is refused.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from tracker.errors import Said, say
from tracker.policy.money import MOST, currency_named
from tracker.policy.tables import Unreadable

DECIMALS = 4  # ad systems count in parts of a cent


class Mark(enum.StrEnum):
    """What begins the decimals."""

    POINT = "point"
    COMMA = "comma"


_SPACES = re.compile(r"[\s\u200e\u200f'\N{RIGHT SINGLE QUOTATION MARK}]+")
_PARTS = re.compile(r"([^0-9]*)([0-9](?:[0-9., ]*[0-9])?)([^0-9]*)")
_MINUS = re.compile(r"[-\u2010-\u2015\u2212(]")
_PLAIN = re.compile(r"[0-9]{1,11}(?:\.[0-9]{1,2})?")
_GROUPED = r"[0-9]+|[1-9][0-9]{0,2}(?:%s[0-9]{3})+|[1-9][0-9]{0,2}(?: [0-9]{3})+"
_FORMS = {
    Mark.POINT: re.compile(rf"({_GROUPED % ','})(?:\.([0-9]+))?"),
    Mark.COMMA: re.compile(rf"({_GROUPED % '[.]'})(?:,([0-9]+))?"),
}
_OTHERWISE = {
    Mark.POINT: say("'%(text)s' is not written with a decimal point"),
    Mark.COMMA: say("'%(text)s' is not written with a decimal comma"),
}
_DIGITS = re.compile("[^0-9]")


@dataclass(frozen=True, slots=True)
class Written:
    """An amount, and the currency that its cell names."""

    amount: Decimal
    currency: str | None


class Amounts:
    """How the amounts of a column are written. `told` overrules what the cells say."""

    def __init__(self, cells: Iterable[str], told: Mark | None = None, others: Iterable[str] = ()) -> None:
        self.told = told
        self.mark = told or _only_mark(cells) or _only_mark(others)

    def read(self, text: str, expected: str | None = None, *, below_zero: bool = False) -> Written:
        """The amount and the currency that the cell names, None for none. Raises Unreadable."""
        if _PLAIN.fullmatch(text) and self.told is not Mark.COMMA:
            return Written(_bounded(Decimal(text), text), None)
        negative, number, sign = _split(text)
        if negative and not below_zero:
            raise Unreadable(say("'%(text)s' is below zero: give zero or more", text=text[:40]))
        currency = currency_named(sign, expected) if sign else None
        if sign and currency is None:
            raise Unreadable(say("'%(text)s' is no amount of money", text=text[:40]))
        amount = _bounded(self._number(number, text), text)
        return Written(-amount if negative else amount, currency)

    def _number(self, number: str, text: str) -> Decimal:
        meant = {mark: _meaning(number, mark) for mark in _FORMS}
        if self.told:
            value = meant[self.told]
            if value is None:
                raise Unreadable(Said(_OTHERWISE[self.told].text, {"text": text[:40]}))
            return value
        values = {value for value in meant.values() if value is not None}
        if not values:
            raise Unreadable(say("'%(text)s' is no amount of money", text=text[:40]))
        if len(values) == 1:
            return values.pop()
        if self.mark is None:
            raise Unreadable(
                say(
                    "'%(text)s' can be %(one)s or %(other)s: say if decimals begin with a point or a comma",
                    text=text[:40],
                    one=f"{meant[Mark.POINT]:f}",
                    other=f"{meant[Mark.COMMA]:f}",
                )
            )
        return meant[self.mark] or Decimal(0)


def _split(text: str) -> tuple[bool, str, str]:
    """Whether it is below zero, the number with its marks, and the sign of a currency."""
    parts = _PARTS.fullmatch(_SPACES.sub(" ", text).strip()) if len(text) <= 60 else None
    if parts is None:
        if not text.strip():
            raise Unreadable(say("it is empty"))
        raise Unreadable(say("'%(text)s' is no amount of money", text=text[:40]))
    before, number, after = (part.strip() for part in parts.groups())
    negative = bool(_MINUS.search(before))
    bare = _MINUS.sub("", before).strip() if negative else before
    if negative and "(" in before:
        after = after.removesuffix(")").rstrip()
    if bare and after:
        raise Unreadable(say("'%(text)s' is no amount of money", text=text[:40]))
    return negative, number, bare + after


def _meaning(number: str, mark: Mark) -> Decimal | None:
    """What the number is if its decimals begin with that mark; None where it cannot be written so."""
    found = _FORMS[mark].fullmatch(number)
    if found is None:
        return None
    whole = _DIGITS.sub("", found[1])
    return Decimal(f"{whole}.{found[2]}" if found[2] else whole)


def _only_mark(cells: Iterable[str]) -> Mark | None:
    """What begins the decimals, if all the cells that can be read in one way only agree on it."""
    seen: set[Mark] = set()
    for text in cells:
        if "," not in text and "." not in text:
            continue
        try:
            number = _split(text)[1]
        except Unreadable:
            continue
        fitting = [mark for mark in _FORMS if _FORMS[mark].fullmatch(number)]
        if len(fitting) == 1:
            seen.add(fitting[0])
            if len(seen) > 1:
                return None
    return seen.pop() if seen else None


def _bounded(amount: Decimal, text: str) -> Decimal:
    if amount > MOST:
        raise Unreadable(say("'%(text)s' is too large", text=text[:40]))
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > DECIMALS:
        raise Unreadable(
            say("'%(text)s' has more than %(most)s decimals: round it", text=text[:40], most=DECIMALS)
        )
    return amount
