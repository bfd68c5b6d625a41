"""Telephone numbers as people write them, carriers send them and pages show them."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.errors import Rejected
from tracker.policy.facts import Presentation
from tracker.policy.phone import (
    dialled_as,
    display,
    normalise_caller,
    read_number,
    spellings,
    spelt_in,
)

ALLOWED = Presentation.ALLOWED


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("+74951234567", "RU", "+74951234567"),
        ("8 (495) 123-45-67", "RU", "+74951234567"),
        (" 495 123 45 67 ", "RU", "+74951234567"),
        ("030/123456", "DE", "+4930123456"),
        ("0049 30 123456", "DE", "+4930123456"),
        ("+49 30 123456", "RU", "+4930123456"),
        ("020 7946 0123", "GB", "+442079460123"),
        ("(202) 555-0123", "us", "+12025550123"),
        ("+390612345678", "DE", "+390612345678"),
        ("+7 495\u00a0123\u201145\u201167", "DE", "+74951234567"),
    ],
)
def test_a_number_is_read_as_people_of_the_region_write_it(text: str, region: str, expected: str) -> None:
    assert read_number(text, region) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12",
        "112",
        "+123",
        "495 123 45",
        "8 495 123 45 67 ext. 5",
        "call me",
        "1-800-FLOWERS",
        "+7495123456789",
        "${EXTEN}",
        "+7495123\n4567;",
        "１２３",
        "8" * 5000,
        "+",
        "--",
    ],
)
def test_a_malformed_number_is_refused_with_what_would_be_accepted(text: str) -> None:
    with pytest.raises(Rejected) as refusal:
        read_number(text, "RU")
    assert refusal.value.id == "number.malformed"
    assert "+7 " in refusal.value.fix
    assert len(str(refusal.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("raw", "region", "expected"),
    [
        ("+4915112345678", "RU", "+4915112345678"),
        ("4915112345678", "RU", "+4915112345678"),  # E.164 without its +
        ("004915112345678", "RU", "+4915112345678"),
        ("8104915112345678", "RU", "+4915112345678"),
        ("84951234567", "RU", "+74951234567"),
        ("4951234567", "RU", "+74951234567"),
        ("030123456", "DE", "+4930123456"),
        ("112", "DE", "112"),
        ("101", "RU", "101"),
        ("+999999999999", "RU", "+999999999999"),
        ("anonymous", "RU", None),
        ("", "RU", None),
        ("+", "RU", None),
    ],
)
def test_a_caller_becomes_one_spelling_whatever_the_carrier_sends(
    raw: str, region: str, expected: str | None
) -> None:
    assert normalise_caller(raw, ALLOWED, region) == expected


@pytest.mark.parametrize("presentation", [Presentation.WITHHELD, Presentation.UNAVAILABLE])
def test_a_caller_who_did_not_allow_it_has_no_number(presentation: Presentation) -> None:
    assert normalise_caller("+4915112345678", presentation, "DE") is None


@settings(deadline=None)
@given(st.text(max_size=300), st.sampled_from(["RU", "DE", "US", "XX", ""]))
def test_a_hostile_caller_ends_as_harmless_digits_or_none(raw: str, region: str) -> None:
    found = normalise_caller(raw, ALLOWED, region)
    assert found is None or (found.isascii() and found.removeprefix("+").isdigit() and len(found) <= 40)
    if found is not None:
        assert normalise_caller(found, ALLOWED, region) == found


@pytest.mark.parametrize(
    ("e164", "region", "expected"),
    [
        (
            "+74951234567",
            "RU",
            {"+74951234567", "74951234567", "0074951234567", "81074951234567", "84951234567", "4951234567"},
        ),
        ("+4930123456", "DE", {"+4930123456", "4930123456", "004930123456", "030123456", "30123456"}),
        (
            "+4930123456",
            "RU",
            {"+4930123456", "4930123456", "004930123456", "8104930123456", "030123456", "30123456"},
        ),
        (
            "+12025550123",
            "US",
            {"+12025550123", "12025550123", "0012025550123", "01112025550123", "2025550123"},
        ),
        ("+390612345678", "IT", {"+390612345678", "390612345678", "00390612345678", "0612345678"}),
        # 8 10 is how Russia dials abroad: the national form without 8 would be read so
        (
            "+78101234567",
            "RU",
            {"+78101234567", "78101234567", "0078101234567", "81078101234567", "88101234567"},
        ),
        # no country: no national form
        ("+80012345678", "DE", {"+80012345678", "80012345678", "0080012345678"}),
    ],
)
def test_a_did_is_known_in_every_form_a_carrier_may_send(e164: str, region: str, expected: set[str]) -> None:
    assert spellings(e164, region) == expected


@settings(deadline=None)
@given(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)), st.sampled_from(["DE", "RU", "US"]))
def test_no_spelling_is_read_as_another_number(region: str, company: str) -> None:
    example = phonenumbers.example_number(region)
    assert example is not None
    e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    for form in spellings(e164, company):
        assert form.removeprefix("+").isdigit()
        if not form.endswith(e164[1:]):
            read = phonenumbers.parse(form, phonenumbers.region_code_for_number(example) or region)
            assert phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.E164) == e164
    assert {e164, e164[1:]} <= spellings(e164, company)


@pytest.mark.parametrize(
    ("e164", "region", "shown"),
    [
        ("+74951234567", "RU", "8 (495) 123-45-67"),
        ("+74951234567", "DE", "+7 495 123-45-67"),
        ("+4930123456", "DE", "030 123456"),
        ("112", "DE", "112"),
        ("", "DE", ""),
        ("+1", "DE", "+1"),
    ],
)
def test_a_number_is_shown_as_people_of_the_region_write_it(e164: str, region: str, shown: str) -> None:
    assert display(e164, region) == shown


@pytest.mark.parametrize(
    ("e164", "country", "forms"),
    [
        ("+74951234567", "RU", {"4951234567", "84951234567", "74951234567", "81074951234567"}),
        ("+4951234567", "DE", {"051234567", "004951234567"}),
        ("+4951234567", "RU", {"8104951234567"}),
        ("+442079460101", "GB", {"02079460101", "2079460101", "442079460101", "00442079460101"}),
    ],
)
def test_a_countrys_network_writes_a_number_in_forms_that_mean_no_other(
    e164: str, country: str, forms: set[str]
) -> None:
    assert forms <= spelt_in(e164, country)
    assert all(read_number(form, country) == e164 for form in spelt_in(e164, country))


def test_what_moscow_means_is_not_read_as_lower_saxony() -> None:
    assert "4951234567" in spelt_in("+74951234567", "RU")
    assert "4951234567" not in spelt_in("+4951234567", "RU")


@pytest.mark.parametrize(
    ("style", "country", "dialled"),
    [
        ("plus", "RU", "+74951234567"),
        ("digits", "RU", "74951234567"),
        ("national", "RU", "84951234567"),
        ("national", "DE", "0074951234567"),
        ("national", "", "74951234567"),
    ],
)
def test_a_number_is_dialled_as_the_carrier_wants_it(style: str, country: str, dialled: str) -> None:
    assert dialled_as("+74951234567", style, country) == dialled
