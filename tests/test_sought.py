"""What a search finds callers by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.policy.facts import Presentation
from tracker.policy.sought import caller_parts, sought

NUMBER = st.text("0123456789", min_size=7, max_size=13).map(lambda digits: "+" + digits)


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        ("Müller", ["müller"]),
        ("1234567", ["1234567"]),
        ("123 45-67", ["123 45-67", "1234567"]),
        ("8 (916) 123-45-67", ["8 (916) 123-45-67", "89161234567", "9161234567"]),
        ("0151 1234567", ["0151 1234567", "01511234567", "1511234567"]),
        ("080", ["080"]),  # too short to begin with a trunk prefix
        ("12", ["12"]),
        ("12 Monkeys", ["12 monkeys"]),
    ],
)
def test_a_number_is_looked_for_as_it_may_be_typed(typed: str, parts: list[str]) -> None:
    assert caller_parts(typed) == parts


@given(NUMBER, st.text(max_size=30))
def test_who_hides_his_number_is_found_by_nothing(number: str, name: str) -> None:
    assert sought(number, name, Presentation.WITHHELD) is None
    assert sought(number, name, Presentation.UNAVAILABLE) is None


@given(NUMBER, st.text(min_size=1, max_size=30), st.data())
def test_any_part_of_a_number_or_a_name_finds_the_caller(number: str, name: str, data: st.DataObject) -> None:
    written = sought(number, name, Presentation.ALLOWED) or ""
    first = data.draw(st.integers(1, len(number) - 3))
    typed = number[first : data.draw(st.integers(first + 3, len(number)))]
    assert any(part in written for part in caller_parts(typed))
    assert any(part in written for part in caller_parts(name))
