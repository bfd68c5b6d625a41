"""Whom we call back, and when: tables of numbers, limits, hours and of what follows a try."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.errors import Rejected
from tracker.policy.callback import (
    Accept,
    Again,
    CallbackReason,
    CallbackState,
    Limits,
    Over,
    Refuse,
    Rules,
    Standing,
    Wish,
    after_try,
    decide,
)
from tracker.policy.callback_hours import is_open, next_opening, read_hours, slots, write_hours

NOON = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)  # a Friday, noon in Moscow
MOSCOW, BERLIN = ZoneInfo("Europe/Moscow"), ZoneInfo("Europe/Berlin")
RU = Rules(True, "RU", MOSCOW)
WORK = read_hours("mon-fri 9:00-18:00")

NUMBERS = [
    ("8 (495) 123-45-67", "RU", "+74951234567"),
    ("+7 916 123 45 67", "RU", "+79161234567"),
    ("0049 30 123456", "DE", "+4930123456"),
    ("0151 12345678", "DE", "+4915112345678"),
    # Abroad: not even where it is dear by accident.
    ("+49 30 123456", "RU", CallbackReason.COUNTRY),
    ("+1 876 555 1234", "US", CallbackReason.COUNTRY),  # Jamaica, behind the same +1
    ("+7 701 123 4567", "RU", CallbackReason.COUNTRY),  # Kazakhstan, behind the same +7
    ("+44 1481 256789", "GB", CallbackReason.COUNTRY),  # Guernsey
    ("+870 773 123456", "RU", CallbackReason.COUNTRY),  # a satellite
    ("+883 5100 0000 0094", "RU", CallbackReason.COUNTRY),  # an international network
    ("+992 918 123456", "RU", CallbackReason.COUNTRY),
    # Lines that cost the one who calls, or are not people's.
    ("8-809-123-45-67", "RU", CallbackReason.PREMIUM),
    ("+1 900 555 1234", "US", CallbackReason.PREMIUM),
    ("0900 1 123456", "DE", CallbackReason.PREMIUM),
    ("0180 1 123456", "DE", CallbackReason.PREMIUM),
    ("070 1234 5678", "GB", CallbackReason.PREMIUM),
    ("8 800 555 35 35", "RU", CallbackReason.PREMIUM),
    # Emergency numbers and short codes, bare or dressed up.
    *[(text, "RU", CallbackReason.SHORT) for text in ("112", "02", "101", "+7 101", "0890", "1 1 2")],
    *[(text, "US", CallbackReason.SHORT) for text in ("911", "+1 911", "411")],
    *[(text, "DE", CallbackReason.SHORT) for text in ("110", "+49 110", "116117")],
    # No numbers: what could reach a dialplan or a header as something else.
    *[
        (text, "RU", CallbackReason.MALFORMED)
        for text in (
            "", "call me", "sip:+79161234567@evil.example", "+79161234567@trunk-2", "+79161234567&PJSIP/x",
            "+79161234567,1", "${EXTEN}", "+7916123456;ext=7", "+79161234567\r\nVariable: X=1",
            "8 916 123 45 67 #31", "*21*89161234567#", "1234567", "+79" * 20, "７９１６１２３４５６７",
        )
    ],
]  # fmt: skip


@pytest.mark.parametrize(("written", "region", "expected"), NUMBERS)
def test_only_numbers_of_people_in_allowed_countries_are_dialled(
    written: str, region: str, expected: str | CallbackReason
) -> None:
    found = decide(Wish(written, NOON), replace(RU, region=region), Standing())
    assert (found.phone if isinstance(found, Accept) else found.reason) == expected


@given(
    st.text(max_size=60) | st.from_regex(r"\+?[0-9 ()-]{5,18}", fullmatch=True),
    st.sampled_from(["RU", "US", "DE", "GB", "KZ"]),
)
def test_whatever_is_written_only_a_plain_number_of_the_country_is_dialled(text: str, region: str) -> None:
    found = decide(Wish(text, NOON), replace(RU, region=region), Standing())
    if isinstance(found, Accept):
        assert found.phone[0] == "+"
        assert found.phone[1:].isascii()
        assert found.phone[1:].isdigit()
        assert phonenumbers.region_code_for_number(phonenumbers.parse(found.phone)) == region


def test_further_countries_and_prefixes_are_allowed_by_name() -> None:
    both = replace(RU, countries=("RU", "KZ"))
    assert isinstance(decide(Wish("+77011234567", NOON), both, Standing()), Accept)
    berlin = replace(RU, prefixes=("+4930",))
    assert isinstance(decide(Wish("+49 30 123456", NOON), berlin, Standing()), Accept)
    assert decide(Wish("+49 89 123456", NOON), berlin, Standing()) == Refuse(
        CallbackReason.COUNTRY, "+4989123456"
    )


LIMITS = [
    (Standing(), None),
    (Standing(from_client=2), CallbackReason.CLIENT_LIMIT),
    (Standing(for_number=1), CallbackReason.NUMBER_LIMIT),
    (Standing(of_site=10), CallbackReason.DAY_LIMIT),
    (Standing(seconds=600), CallbackReason.COST_CAP),
    (Standing(frozenset({"+74951234567"})), CallbackReason.OWN),
    (Standing(from_client=1, of_site=9, seconds=599), None),
]


@pytest.mark.parametrize(("before", "expected"), LIMITS)
def test_limits_and_the_companys_own_numbers_refuse(
    before: Standing, expected: CallbackReason | None
) -> None:
    rules = replace(RU, limits=Limits(per_client=2, per_number=1, per_day=10, seconds_per_day=600))
    found = decide(Wish("8 495 123-45-67", NOON), rules, before)
    assert (found.reason if isinstance(found, Refuse) else None) is expected


def test_a_site_that_calls_nobody_back_refuses_first() -> None:
    found = decide(Wish("112", NOON), replace(RU, is_on=False), Standing())
    assert found == Refuse(CallbackReason.OFF)


TIMES = [
    # Friday noon in Moscow; in hours, at once.
    (WORK, NOON, None, NOON),
    # Saturday: on Monday at nine.
    (WORK, NOON + timedelta(days=1), None, datetime(2026, 11, 23, 6, 0, tzinfo=UTC)),
    (WORK, NOON, datetime(2026, 11, 23, 7, 30, tzinfo=UTC), datetime(2026, 11, 23, 7, 30, tzinfo=UTC)),
    (WORK, NOON, datetime(2026, 11, 21, 7, 30, tzinfo=UTC), None),  # nobody is there on Saturday
    (WORK, NOON, NOON - timedelta(hours=1), None),
    (WORK, NOON, NOON + timedelta(days=30), None),
    ({}, NOON, NOON + timedelta(hours=20), NOON + timedelta(hours=20)),
]


@pytest.mark.parametrize(("hours", "at", "wanted", "due"), TIMES)
def test_outside_the_hours_the_visitor_waits_for_the_next_opening(
    hours: dict[str, tuple[tuple[str, str], ...]], at: datetime, wanted: datetime | None, due: datetime | None
) -> None:
    found = decide(Wish("84951234567", at, wanted), replace(RU, hours=hours), Standing())
    assert (found.due_at if isinstance(found, Accept) else None) == due


NEXT = [
    (CallbackReason.NO_EMPLOYEE, 1, 0, Again(NOON + timedelta(minutes=5))),
    (CallbackReason.NO_ANSWER, 2, 0, Again(NOON + timedelta(minutes=5))),
    (CallbackReason.BUSY, 3, 0, Over(CallbackState.GIVEN_UP)),
    (CallbackReason.UNKNOWN, 1, 1, Again(NOON)),
    (CallbackReason.UNKNOWN, 3, 1, Again(NOON)),
    (CallbackReason.UNKNOWN, 2, 2, Over(CallbackState.FAILED)),
    (CallbackReason.NO_TRUNK, 1, 0, Over(CallbackState.FAILED)),
    (CallbackReason.NO_TARGET, 1, 0, Over(CallbackState.FAILED)),
]


@pytest.mark.parametrize(("reason", "tries", "unknowns", "expected"), NEXT)
def test_what_follows_a_try(
    reason: CallbackReason, tries: int, unknowns: int, expected: Again | Over
) -> None:
    assert after_try(reason, tries, unknowns, RU, NOON) == expected


def test_no_try_is_made_after_closing_time() -> None:
    late = datetime(2026, 11, 20, 14, 58, tzinfo=UTC)  # two minutes to six
    found = after_try(CallbackReason.NO_ANSWER, 1, 0, replace(RU, hours=WORK), late)
    assert found == Again(datetime(2026, 11, 23, 6, 0, tzinfo=UTC))


def test_hours_follow_the_clocks_when_they_are_set() -> None:
    hours = read_hours("sun 8:00-20:00")
    before, after = datetime(2026, 10, 18, 6, 30, tzinfo=UTC), datetime(2026, 10, 25, 6, 30, tzinfo=UTC)
    assert is_open(hours, BERLIN, before)
    assert not is_open(hours, BERLIN, after)
    assert next_opening(hours, BERLIN, after) == datetime(2026, 10, 25, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("mon-fri 9:00-18:00, sat 10:00-14:00", "mon-fri 09:00-18:00, sat 10:00-14:00"),
        ("Mon 9:00-12:00 13:00-17:30", "mon 09:00-12:00 13:00-17:30"),
        ("sun 0:00-24:00", "sun 00:00-24:00"),
        ("", ""),
    ],
)
def test_hours_are_read_as_people_type_them(text: str, written: str) -> None:
    assert write_hours(read_hours(text)) == written


@pytest.mark.parametrize(
    "text", ["mon", "abc 9:00-10:00", "mon 10:00-9:00", "fri-mon 9:00-10:00", "mon 9-18"]
)
def test_hours_nobody_can_mean_are_refused(text: str) -> None:
    with pytest.raises(Rejected, match="hours"):
        read_hours(text)


def test_times_that_are_offered_are_half_an_hour_apart_and_in_hours() -> None:
    offered = slots(WORK, MOSCOW, datetime(2026, 11, 20, 14, 10, tzinfo=UTC))
    assert [each.astimezone(MOSCOW).strftime("%a %H:%M") for each in offered[:3]] == [
        "Fri 17:30", "Mon 09:00", "Mon 09:30",
    ]  # fmt: skip
    assert all(is_open(WORK, MOSCOW, each) for each in offered)
