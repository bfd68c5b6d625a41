"""Sources as SIP headers may hold them: plain, short, and with nothing in them that ends a line."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi.commands import LONGEST_VALUE_BYTES, quote
from tracker.policy.sip_words import source_text


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (("google", "cpc", "pallets-autumn"), "google/cpc/pallets-autumn"),
        (("leaflet", "offline", None), "leaflet/offline"), ((None, " ", ""), ""),
        (("a/b", None, "x\r\nX-Evil: 1"), "a%2Fb/x%0D%0AX-Evil%3A 1"),
        (("осень", None, None), "%D0%BE%D1%81%D0%B5%D0%BD%D1%8C"), (("\ud800", None, None), "%3F"),
    ],
)  # fmt: skip
def test_a_source_is_one_plain_word(parts: tuple[str | None, ...], text: str) -> None:
    assert source_text(*parts) == text


@given(*(st.text(),) * 3)
def test_no_source_ends_a_header_or_is_too_long_for_asterisk(source: str, medium: str, campaign: str) -> None:
    text = source_text(source, medium, campaign)
    assert re.fullmatch(r"[0-9A-Za-z._~ /-]*|(%[0-9A-F]{2}|[0-9A-Za-z._~ /-])*", text)
    assert quote(text) == f'"{text}"'
    assert len(text) < LONGEST_VALUE_BYTES
