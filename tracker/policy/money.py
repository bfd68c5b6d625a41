"""Amounts of money as people write them: "1 200,50 €", "$1,200.50", "1200"; read in one way or not at all.

A language is one of the page's: it says what a lone comma or point before three digits means, and nothing
else, for people write numbers as at home whatever language a page is in.
"""

from __future__ import annotations

import functools
import re
from decimal import Decimal

from babel.numbers import (
    format_decimal,
    get_currency_precision,
    get_currency_symbol,
    get_decimal_symbol,
    get_group_symbol,
    list_currencies,
)

from tracker.errors import Rejected

MOST = Decimal(10) ** 10
_LONGEST = 60  # characters; the largest amount with its sign has about 25
_WRITERS = ("en", "ru", "uk", "pl")  # whose signs are understood, whatever the page's language
_SPELT = {  # as people write them, besides what Unicode's data has
    "RUB": ("руб", "руб.", "р", "р."), "BYN": ("руб", "руб.", "р", "р."), "UAH": ("грн", "грн."),
    "PLN": ("zl",), "KZT": ("тг", "тенге"), "EUR": ("евро", "євро", "euro"),
}  # fmt: skip
_BEST_KNOWN = (
    "EUR", "USD", "RUB", "UAH", "PLN", "GBP", "KZT", "BYN", "CHF", "CZK", "SEK", "NOK", "DKK", "HUF", "RON",
    "TRY", "GEL", "AMD", "AZN", "UZS", "KGS", "MDL", "ILS", "CNY", "JPY", "INR", "CAD", "AUD",
)  # fmt: skip
_BETWEEN = re.compile(r"[\s\u200e\u200f'\N{RIGHT SINGLE QUOTATION MARK}]+")  # groups of digits
_PARTS = re.compile(r"([^0-9]*)([0-9](?:[0-9., ]*[0-9])?)([^0-9]*)")
_MINUS = re.compile(r"[-\u2010-\u2015\u2212(]")
_GROUPED = re.compile(r"[0-9]+|[0-9]{1,3}([., ])[0-9]{3}(?:\1[0-9]{3})*")


def read_amount(text: str, currency: str, language: str) -> Decimal:
    """The amount a person wrote, with no more decimals than its currency has.

    Raises Rejected `value.malformed`, `value.ambiguous`, `value.currency`, `value.negative` and
    `value.too_large`.
    """
    parts = _PARTS.fullmatch(_BETWEEN.sub(" ", text).strip()) if len(text) <= _LONGEST else None
    if parts is None:
        raise _malformed(text, currency, language)
    before, number, after = (part.strip() for part in parts.groups())
    if _MINUS.search(before):
        raise Rejected("value.negative", "An amount is never below zero", "Leave it empty for none")
    if sign := (before + after).casefold():
        _check_sign(sign, currency, language)
    mark = _decimal_mark(number, currency, language)
    whole, _, decimals = number.rpartition(mark) if mark else (number, "", "")
    if not _GROUPED.fullmatch(whole) or (mark and not decimals.isdigit()):
        raise _malformed(text, currency, language)
    if len(decimals) > (most := get_currency_precision(currency)):
        raise Rejected(
            "value.malformed",
            "%(text)r has more decimals than %(currency)s",
            "Give at most %(most)s" if most else "Give a whole number",
            text=text[:_LONGEST],
            currency=currency,
            most=most,
        )
    amount = Decimal(f"{re.sub('[^0-9]', '', whole)}.{decimals or 0}")
    if amount > MOST:
        raise Rejected("value.too_large", "The amount is too large", "Give at most %(most)s", most=MOST)
    return amount


def write_amount(amount: Decimal, currency: str, language: str) -> str:
    """The amount as the language writes it, without a sign, with the currency's decimals: "1,200.50"."""
    decimals = get_currency_precision(currency)
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    return str(format_decimal(amount, pattern, locale=language))


def currency_named(text: str, expected: str | None = None) -> str | None:
    """The currency of a code or sign such as "EUR", "₽", "грн": the one expected if the sign may be its own.

    None where there is none such. A sign of several, as $, is the best known one's.
    """
    word = _BETWEEN.sub(" ", text).strip().casefold()
    if expected and word in _signs(expected):
        return expected
    if word.upper() in list_currencies():
        return word.upper()
    return _known_signs().get(word)


def _decimal_mark(number: str, currency: str, language: str) -> str:
    """The comma or point that begins the decimals; "" when there are none.

    Raises Rejected `value.ambiguous`: 1,200 is more than a thousand in English, and not so sure elsewhere.
    """
    marks = re.sub("[^.,]", "", number)
    if not marks or (len(marks) > 1 and len(set(marks)) == 1):
        return ""
    mark = marks[-1]
    whole, _, tail = number.rpartition(mark)
    if len(marks) > 1 or len(tail) != 3 or not re.fullmatch("[1-9][0-9]{0,2}", whole):
        return mark  # 1.200,50 and 1 200,50 and 12,5 and 0,125: nothing else can be meant
    in_thousandths = get_currency_precision(currency) == 3
    if in_thousandths and mark == get_decimal_symbol(language):
        return mark
    if not in_thousandths and mark == get_group_symbol(language):
        return ""
    small = write_amount(Decimal(f"{whole}.{tail}"), currency, language)
    raise Rejected(
        "value.ambiguous",
        "%(number)s can be read in two ways",
        "Write %(whole)s%(tail)s if it is no %(small)s",
        number=number,
        whole=whole,
        tail=tail,
        small=small,
    )


def _check_sign(sign: str, currency: str, language: str) -> None:
    if sign not in _signs(currency):
        raise Rejected(
            "value.currency",
            "%(sign)r is no sign of %(currency)s, in which this company counts",
            "Give it like %(example)s",
            sign=sign[:20],
            currency=currency,
            example=_example(currency, language),
        )


@functools.lru_cache(64)
def _signs(currency: str) -> frozenset[str]:
    """All ways to name the currency, in small letters: its code, its signs, a sign without its country."""
    told = {get_currency_symbol(currency, locale) for locale in _WRITERS}
    bare = {symbol.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for symbol in told}
    known = {currency, *told, *bare, *_SPELT.get(currency, ())} - {""}
    return frozenset(_BETWEEN.sub(" ", each).strip().casefold() for each in known)


@functools.cache
def _known_signs() -> dict[str, str]:
    """The signs of the currencies that such lists are in; where several have one, the first has it."""
    found: dict[str, str] = {}
    for currency in _BEST_KNOWN:
        for sign in _signs(currency):
            found.setdefault(sign, currency)
    return found


def _malformed(text: str, currency: str, language: str) -> Rejected:
    shown = text if len(text) <= 40 else text[:40] + "…"
    return Rejected(
        "value.malformed",
        "%(text)r is no amount of money",
        "Give it like %(example)s",
        text=shown,
        example=_example(currency, language),
    )


def _example(currency: str, language: str) -> str:
    return f"{write_amount(Decimal('1200.50'), currency, language)} {currency}"
