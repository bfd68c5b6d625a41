"""Amounts as people write them: read in one way, or refused with a sentence that says how to write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from babel.numbers import format_currency, get_currency_precision, list_currencies
from hypothesis import given
from hypothesis import strategies as st

from tracker.companies import LANGUAGES
from tracker.errors import Rejected
from tracker.policy.money import MOST, read_amount, write_amount

READ = [
    ("1200", "EUR", "en", "1200"),
    ("1200.5", "EUR", "en", "1200.5"),
    ("1200,5", "EUR", "en", "1200.5"),
    ("1,200.50", "EUR", "en", "1200.50"),
    ("1.200,50", "EUR", "en", "1200.50"),
    ("1 200,50", "EUR", "en", "1200.50"),
    ("1\u00a0200,50\u00a0€", "EUR", "ru", "1200.50"),
    ("1\u202f200,50", "EUR", "pl", "1200.50"),
    ("1'200.50", "CHF", "en", "1200.50"),
    ("1,200", "EUR", "en", "1200"),  # a lone comma groups in English
    ("1,200,000", "EUR", "ru", "1200000"),  # two of them group everywhere
    ("1.200.000", "PLN", "pl", "1200000"),
    ("1 200 000", "RUB", "ru", "1200000"),
    ("0", "EUR", "en", "0"),
    ("0,05", "UAH", "uk", "0.05"),
    ("€1,200.50", "EUR", "en", "1200.50"),
    ("  1200 eur ", "EUR", "en", "1200"),
    ("$ 99", "USD", "ru", "99"),
    ("99 $", "CAD", "en", "99"),  # a dollar is a dollar where no other counts
    ("CA$99", "CAD", "en", "99"),
    ("1200 руб.", "RUB", "ru", "1200"),
    ("1200р", "RUB", "en", "1200"),
    ("1 200,50 ₽", "RUB", "ru", "1200.50"),
    ("500 грн", "UAH", "uk", "500"),
    ("1200,50 zł", "PLN", "pl", "1200.50"),
    ("¥1,200", "JPY", "en", "1200"),
    ("1,234", "BHD", "pl", "1.234"),  # a dinar has a thousand fils
    ("1.234", "BHD", "en", "1.234"),
    ("10 000 000 000", "EUR", "ru", "10000000000"),
]
REFUSED = [
    ("", "EUR", "en", "value.malformed"),
    ("much", "EUR", "en", "value.malformed"),
    ("1200 or so", "EUR", "en", "value.currency"),
    ("12 34", "EUR", "en", "value.malformed"),
    ("1,20,000", "EUR", "en", "value.malformed"),
    ("1.200.00", "EUR", "en", "value.malformed"),
    ("1,200 000", "EUR", "en", "value.malformed"),
    ("1 200.300,50", "EUR", "en", "value.malformed"),
    ("1.200,50,30", "EUR", "en", "value.malformed"),
    ("1..5", "EUR", "en", "value.malformed"),
    ("5,", "EUR", "en", "value.currency"),
    ("1e5", "EUR", "en", "value.malformed"),
    ("0x10", "EUR", "en", "value.malformed"),
    ("١٢٠٠", "EUR", "en", "value.malformed"),
    ("12.345,678", "EUR", "en", "value.malformed"),
    ("0.125", "EUR", "en", "value.malformed"),
    ("99.5", "JPY", "en", "value.malformed"),
    ("1" * 61, "EUR", "en", "value.malformed"),
    ("1,200", "EUR", "ru", "value.ambiguous"),
    ("1.200", "EUR", "en", "value.ambiguous"),
    ("1.200", "PLN", "pl", "value.ambiguous"),
    ("1,200", "BHD", "en", "value.ambiguous"),
    ("$100", "EUR", "en", "value.currency"),
    ("€100€", "EUR", "en", "value.currency"),
    ("100 р", "EUR", "ru", "value.currency"),
    ("<script>5", "EUR", "en", "value.currency"),
    ("-5", "EUR", "en", "value.negative"),
    ("\u2212 5", "EUR", "en", "value.negative"),
    ("€-5", "EUR", "en", "value.negative"),
    ("(5)", "EUR", "en", "value.negative"),
    ("10000000000.01", "EUR", "en", "value.too_large"),
]


@pytest.mark.parametrize(("text", "currency", "language", "amount"), READ)
def test_an_amount_is_read_as_it_was_meant(text: str, currency: str, language: str, amount: str) -> None:
    assert read_amount(text, currency, language) == Decimal(amount)


@pytest.mark.parametrize(("text", "currency", "language", "problem"), REFUSED)
def test_what_is_no_amount_or_could_be_two_is_refused(
    text: str, currency: str, language: str, problem: str
) -> None:
    with pytest.raises(Rejected) as refused:
        read_amount(text, currency, language)
    assert refused.value.id == problem
    assert refused.value.fix


def test_a_refusal_says_how_to_write_it() -> None:
    with pytest.raises(Rejected, match=r"1,200 can be read in two ways\. Write 1200 if it is no 1,20"):
        read_amount("1,200", "EUR", "ru")
    with pytest.raises(Rejected, match=r"Give it like 1,200\.50 EUR"):
        read_amount("much", "EUR", "en")
    with pytest.raises(Rejected, match=r"'\$' is no sign of EUR"):
        read_amount("$5", "EUR", "en")


amounts = st.decimals(0, MOST, places=3) | st.decimals(0, 2000, places=3)
currencies, languages = st.sampled_from([*sorted(list_currencies()), "BHD"]), st.sampled_from(LANGUAGES)


@given(amounts, currencies, languages, languages)
def test_what_the_page_shows_reads_back(amount: Decimal, currency: str, shown: str, read: str) -> None:
    """In the language it was written in; in any other it is the same, or refused, never another amount."""
    amount = round(amount, get_currency_precision(currency))
    for text in (format_currency(amount, currency, locale=shown), write_amount(amount, currency, shown)):
        assert read_amount(text, currency, shown) == amount, text
        assert outcome(text, currency, read) in {amount, "value.ambiguous"}, text


@given(st.text(max_size=70), currencies, languages)
def test_any_text_is_an_amount_within_bounds_or_refused(text: str, currency: str, language: str) -> None:
    amount = outcome(text, currency, language)
    if isinstance(amount, str):
        assert amount.startswith("value.")
    else:
        assert 0 <= amount <= MOST
        assert amount == round(amount, get_currency_precision(currency))


def outcome(text: str, currency: str, language: str) -> Decimal | str:
    """The amount, or the id of the refusal."""
    try:
        return read_amount(text, currency, language)
    except Rejected as problem:
        return problem.id
