"""When reports are sent: once a day whatever the clocks do, on the last day of short months, to addresses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.errors import Rejected
from tracker.policy.report_text import times
from tracker.policy.schedules import Every, Schedule, instant, next_at, read_addresses, read_schedule
from tracker.policy.tongue import Tongue

BERLIN = ZoneInfo("Europe/Berlin")
# Clocks that move at two, at midnight, by half an hour, over a whole day, and never.
ZONES = ("Europe/Berlin", "Africa/Cairo", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata")


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        (Schedule(Every.DAY, 0, 8), "2026-11-20T06:59:59", "2026-11-20T07:00"),
        (Schedule(Every.DAY, 0, 8), "2026-11-20T07:00:00", "2026-11-21T07:00"),  # after, not at
        (Schedule(Every.WEEK, 0, 8), "2026-11-20T12:00:00", "2026-11-23T07:00"),  # Monday
        (Schedule(Every.WEEK, 6, 0), "2026-11-20T12:00:00", "2026-11-21T23:00"),  # Sunday's first hour
        (Schedule(Every.MONTH, 1, 8), "2026-11-20T12:00:00", "2026-12-01T07:00"),
        (Schedule(Every.MONTH, 31, 8), "2026-11-20T12:00:00", "2026-11-30T07:00"),
        (Schedule(Every.MONTH, 30, 8), "2027-02-01T12:00:00", "2027-02-28T07:00"),
        (Schedule(Every.MONTH, 29, 8), "2028-02-01T12:00:00", "2028-02-29T07:00"),
        (Schedule(Every.MONTH, 31, 8), "2026-12-31T07:00:00", "2027-01-31T07:00"),
        (Schedule(Every.DAY, 0, 2), "2026-03-28T12:00:00", "2026-03-29T01:00"),  # there is no two: at three
        (Schedule(Every.DAY, 0, 2), "2026-10-24T12:00:00", "2026-10-25T00:00"),  # the first of two
        (Schedule(Every.DAY, 0, 2), "2026-10-25T00:00:00", "2026-10-26T01:00"),  # and not the second
    ],
)
def test_the_next_time_is_told_by_the_zone_s_clocks(schedule: Schedule, after: str, expected: str) -> None:
    found = next_at(schedule, BERLIN, datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert f"{found:%Y-%m-%dT%H:%M}" == expected
    assert found.tzinfo is UTC


ALL_SCHEDULES = st.one_of(
    st.builds(Schedule, st.just(Every.DAY), st.just(0), st.integers(0, 23)),
    st.builds(Schedule, st.just(Every.WEEK), st.integers(0, 6), st.integers(0, 23)),
    st.builds(Schedule, st.just(Every.MONTH), st.integers(1, 31), st.integers(0, 23)),
)
FIRST, LAST = datetime.fromisoformat("2007-01-01"), datetime.fromisoformat("2032-01-01")
INSTANTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC))


@given(st.sampled_from(ZONES), st.integers(0, 23), INSTANTS)
def test_each_day_has_it_once_also_where_the_hour_comes_twice_or_never(
    name: str, hour: int, begun: datetime
) -> None:
    zone, schedule, at = ZoneInfo(name), Schedule(Every.DAY, 0, hour), begun
    found = [at := next_at(schedule, zone, at) for _ in range(400)]
    for one, following in pairwise(found):
        assert timedelta(hours=22) <= following - one <= timedelta(hours=49 if name == "Pacific/Apia" else 26)
    days = [each.astimezone(zone).date() for each in found]
    if name != "Pacific/Apia":  # which left out the 30 December 2011
        assert days == [days[0] + timedelta(days=past) for past in range(400)]


@given(ALL_SCHEDULES, st.sampled_from(ZONES), INSTANTS, st.timedeltas(timedelta(0), timedelta(days=80)))
def test_it_is_the_first_after_and_asking_later_never_leads_back(
    schedule: Schedule, name: str, at: datetime, later: timedelta
) -> None:
    zone = ZoneInfo(name)
    found = next_at(schedule, zone, at)
    assert found > at
    assert next_at(schedule, zone, at + later) >= found
    assert next_at(schedule, zone, found - timedelta(microseconds=1)) == found


@given(st.integers(1, 31), st.integers(2007, 2031))
def test_every_month_has_it_once(day: int, year: int) -> None:
    at, months = datetime(year, 1, 1, tzinfo=UTC), []
    for _ in range(12):
        at = next_at(Schedule(Every.MONTH, day, 12), BERLIN, at)
        months.append(at.month)
    assert months == list(range(1, 13))


def test_an_hour_that_is_left_out_is_struck_an_hour_later_that_day() -> None:
    local = instant(date(2026, 3, 29), 2, BERLIN).astimezone(BERLIN)
    assert f"{local:%d %H:%M}" == "29 03:00"


@pytest.mark.parametrize(
    ("words", "schedule"),
    [
        (("day", "", "8"), Schedule(Every.DAY, 0, 8)),
        (("day", "17", "08"), Schedule(Every.DAY, 0, 8)),
        (("week", "mon", "0"), Schedule(Every.WEEK, 0, 0)),
        (("week", "6", "23"), Schedule(Every.WEEK, 6, 23)),
        (("month", "31", "8"), Schedule(Every.MONTH, 31, 8)),
    ],
)
def test_words_are_read(words: tuple[str, str, str], schedule: Schedule) -> None:
    assert read_schedule(*words) == schedule


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("hourly", "", "8"), "schedule.malformed"), (("day", "", "24"), "schedule.hour"),
        (("day", "", "noon"), "schedule.hour"), (("week", "7", "8"), "schedule.day"),
        (("week", "", "8"), "schedule.day"), (("month", "0", "8"), "schedule.day"),
        (("month", "32", "8"), "schedule.day"), (("month", "-1", "8"), "schedule.day"),
        (("month", "٣", "8"), "schedule.day"),
    ],
)  # fmt: skip
def test_other_words_are_refused(words: tuple[str, str, str], problem: str) -> None:
    with pytest.raises(Rejected) as refused:
        read_schedule(*words)
    assert refused.value.id == problem


@pytest.mark.parametrize(
    ("every", "day", "fix"),
    [
        ("week", "", "mon to sun"),
        ("week", "9", "mon to sun"),
        ("month", "32", "1 to 31"),
        ("month", "x", "1 to 31"),
    ],
)
def test_who_names_no_day_is_told_days_as_they_are_typed(every: str, day: str, fix: str) -> None:
    with pytest.raises(Rejected) as refused:
        read_schedule(every, day, "8")
    assert refused.value.fix == f"Give {fix}"


def test_addresses_stand_with_commas_lines_or_spaces_between_them() -> None:
    text = "olga@pallets.example, boss@pallets.example;\n OLGA@pallets.example  ann@x.example"
    # The same twice is told once, by the spelling that came last.
    assert read_addresses(text) == ("OLGA@pallets.example", "boss@pallets.example", "ann@x.example")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "schedule.nobody"), (" ,; ", "schedule.nobody"), ("olga", "address.malformed"),
        ("Olga <olga@pallets.example>", "address.malformed"), ("https://hook.example/", "address.malformed"),
        (f"{'a' * 64}@{'b' * 150}.example", "address.malformed"),
        (" ".join(f"a{place}@x.example" for place in range(21)), "schedule.many"),
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str, problem: str) -> None:
    with pytest.raises(Rejected) as refused:
        read_addresses(text)
    assert refused.value.id == problem


def test_times_are_told_in_words() -> None:
    told = [
        times(each, Tongue())
        for each in (Schedule(Every.DAY, 0, 8), Schedule(Every.WEEK, 0, 18), Schedule(Every.MONTH, 31, 0))
    ]
    assert told == ["Every day: 08:00", "Every week: Monday, 18:00", "Every month: day 31, 00:00"]
