"""A reader's language: what puts texts into it; its numbers, money and dates, as Unicode's CLDR has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, get_currency_precision, get_currency_symbol

from tracker.policy.intervals import Count
from tracker.policy.money_figures import Number, percent, rounded
from tracker.policy.spans import Span

MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Tongue:
    """A language: what puts texts into it, and its code, by which numbers, money and dates are written."""

    translate: Callable[[str], str] = str
    language: str = "en"

    def tell(self, text: str, **values: str) -> str:
        """The text in the language, with these values in their places."""
        return self.translate(text) % values if values else self.translate(text)

    def count(self, value: Count) -> str:
        """A number; parts of it with two decimals."""
        whole = value == int(value)
        return str(format_decimal(rounded(value, 0 if whole else 2) or 0, locale=self.language))

    def money(self, value: Number | None, currency: str) -> str:
        """An amount in whole units, a small one with its cents; "–" for none."""
        if value is None:
            return "–"
        exact = Fraction(value)
        small = abs(exact) < 100 and exact.denominator != 1
        decimals = get_currency_precision(currency) if small else 0
        pattern = str(Locale.parse(self.language).currency_formats["standard"].pattern)
        pattern = pattern.replace(".00", "." + "0" * decimals if decimals else "")
        if get_currency_symbol(currency, self.language).isalpha():  # letters do not touch figures (CLDR)
            pattern = pattern.replace("¤#", "¤\u00a0#")
        amount = rounded(value, decimals) or 0
        told = format_currency(amount, currency, pattern, locale=self.language, currency_digits=False)
        return str(told).replace("-", MINUS)

    def amount(self, value: Number | None) -> str:
        """An amount in whole units where its currency stands above; "–" for none."""
        if value is None:
            return "–"
        return str(format_decimal(rounded(value) or 0, locale=self.language)).replace("-", MINUS)

    def percent(self, value: Fraction | Decimal | None) -> str:
        """A fraction in per cent with one decimal; "–" for none."""
        found = percent(value, 1)
        if found is None:
            return "–"
        return f"{format_decimal(found, '#,##0.0', locale=self.language)} %".replace("-", MINUS)

    def day(self, day: date) -> str:
        return str(format_date(day, "d MMM y", locale=self.language))

    def month(self, month: str) -> str:
        """One as 2026-11."""
        return str(format_date(date.fromisoformat(f"{month}-01"), "LLLL y", locale=self.language))

    def days(self, span: Span) -> str:
        """ "1 Nov 2026 – 30 Nov 2026"; one day alone."""
        return self.day(span.first) if span.days == 1 else f"{self.day(span.first)} – {self.day(span.last)}"
