"""Numbers of reports as the page's language writes them: rounded half up first, then dressed.

A table has thousands of them, so they are not written by Babel's patterns one by one, but with its signs.
"""

from __future__ import annotations

import functools
from decimal import Decimal
from fractions import Fraction

from babel import Locale
from babel.numbers import format_currency, get_currency_symbol, get_decimal_symbol, get_group_symbol
from flask_babel import get_locale

from tracker.policy.money_figures import Number, percent, rounded

NOTHING = "–"
SMALL = 100  # an amount below it shows its cents
MINUS = "\N{MINUS SIGN}"
_ENGLISH = Locale("en")


def count(value: Number | None) -> str:
    """A count; credit may be a part of one: "12", "0.33"."""
    if value is None:
        return NOTHING
    return _dressed(rounded(value, 0 if value == int(value) else 2))


def amount(value: Number | None) -> str:
    """Money in whole units, a small amount with its cents, without its currency: "617,700", "9.50"."""
    if value is None:
        return NOTHING
    exact = Fraction(value)
    return _dressed(rounded(exact, 2 if abs(exact) < SMALL and exact.denominator != 1 else 0))


def cash(value: Number, currency: str) -> str:
    """The same in a sentence, with its currency: "€17,900"."""
    locale = get_locale() or _ENGLISH
    exact = Fraction(value)
    decimals = 2 if abs(exact) < SMALL and exact.denominator != 1 else 0
    pattern: str = locale.currency_formats["standard"].pattern
    pattern = pattern if decimals else pattern.replace(".00", "")
    if get_currency_symbol(currency, locale)[-1:].isalpha():
        pattern = pattern.replace("¤#", "¤\N{NO-BREAK SPACE}#")
    shown = rounded(value, decimals) or 0
    return str(format_currency(shown, currency, pattern, locale=locale, currency_digits=False))


def share(value: Number | None) -> str:
    """ "15.1 %" """
    return NOTHING if value is None else _dressed(percent(value, 1), sign=True)


def rate(value: Number | None) -> str:
    """ "1,135.40 %" """
    return NOTHING if value is None else _dressed(percent(value, 2), sign=True)


def _dressed(value: Decimal | None, *, sign: bool = False) -> str:
    signs, percents = _signs(get_locale() or _ENGLISH)
    text = f"{value:,}".translate(signs)
    return text + percents if sign else text


@functools.cache
def _signs(locale: Locale) -> tuple[dict[int, str], str]:
    """What stands for each sign of a number, and per cent with what the language puts before it."""
    pattern: str = locale.percent_formats[None].pattern
    signs = {ord(","): get_group_symbol(locale), ord("."): get_decimal_symbol(locale), ord("-"): MINUS}
    return signs, pattern[pattern.rindex("0") + 1 :]
