"""Which days are compared with which, how hours become the company's days, and what is better."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.policy.facts import Outcome
from tracker.policy.figures import Better, Change, Counts, Spread
from tracker.policy.origins import NOT_SET, NOWHERE, Origin, origin_of, read_origin
from tracker.policy.overview import FromWhere, Read, StaticNumber, Talked, Waited, assemble
from tracker.policy.spans import Span, buckets, place_of, read_spans, step_seconds
from tracker.policy.week import WeekHour, read_week_hour, week_hour_of
from tracker.policy.worth import Category

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 20, 13, 31, 40, tzinfo=UTC)  # half past two in Berlin


def spans(**words: str) -> tuple[Span, Span]:
    return read_spans({name: [word] for name, word in words.items()}, BERLIN, NOW)


@pytest.mark.parametrize(
    ("words", "days", "before"),
    [
        ({}, "2026-10-22 2026-11-20", "since=2026-09-22 until=2026-10-21T14:31"),
        ({"period": "today"}, "2026-11-20 2026-11-20", "since=2026-11-19 until=2026-11-19T14:31"),
        ({"period": "yesterday"}, "2026-11-19 2026-11-19", "since=2026-11-18 until=2026-11-18"),
        ({"period": "7d"}, "2026-11-14 2026-11-20", "since=2026-11-07 until=2026-11-13T14:31"),
        ({"since": "2026-11-01", "until": "2026-11-10"}, "2026-11-01 2026-11-10",
         "since=2026-10-22 until=2026-10-31"),
        ({"since": "2026-11-18"}, "2026-11-18 2026-11-20", "since=2026-11-15 until=2026-11-17T14:31"),
        # Days that have not come are none: the rest is compared with as many.
        ({"since": "2026-11-19", "until": "2026-11-30"}, "2026-11-19 2026-11-20",
         "since=2026-11-17 until=2026-11-18T14:31"),
        ({"until": "2026-01-30"}, "2026-01-01 2026-01-30", "since=2025-12-02 until=2025-12-31"),
        ({"period": "last_week"}, "2026-11-09 2026-11-15", "since=2026-11-02 until=2026-11-08"),
        ({"period": "this-month"}, "2026-11-01 2026-11-20", "since=2026-10-01 until=2026-10-20T14:31"),
    ],
)  # fmt: skip
def test_days_are_compared_with_as_many_before(words: dict[str, str], days: str, before: str) -> None:
    span, earlier = spans(**words)
    assert f"{span.first} {span.last}" == days
    assert " ".join(f"{name}={value}" for name, value in earlier.asks) == before
    assert earlier.days == span.days
    period = words.get("period", "30d").replace("-", "_")
    assert span.asks == ((("period", period),) if "period" in words or not words else
                         (("since", days[:10]), ("until", days[11:])))  # fmt: skip


def test_a_month_is_compared_with_the_one_before_however_long() -> None:
    span, before = spans(period="last_month")
    assert (span.first, span.last) == (date(2026, 10, 1), date(2026, 10, 31))
    assert (before.first, before.last) == (date(2026, 9, 1), date(2026, 9, 30))
    # The 31st of March, compared with all of February until the minute.
    late = datetime(2026, 3, 31, 12, 30, tzinfo=UTC)
    span, before = read_spans({"period": ["this_month"]}, BERLIN, late)
    assert (span.first, span.last) == (date(2026, 3, 1), date(2026, 3, 31))
    assert (before.first, before.last) == (date(2026, 2, 1), date(2026, 2, 28))


def test_a_day_of_25_hours_is_compared_by_its_clocks() -> None:
    span, before = spans(since="2026-10-25", until="2026-10-25")
    assert span.until - span.since == timedelta(hours=25)
    assert before.until - before.since == timedelta(hours=24)


@pytest.mark.parametrize(
    ("first", "last", "count", "name"),
    [("2026-11-01", "2026-11-01", 24, "hour"), ("2026-09-01", "2026-11-01", 62, "day"),
     ("2026-01-01", "2026-11-01", 44, "week")],
)  # fmt: skip
def test_long_spans_are_drawn_by_weeks_and_single_days_by_hours(
    first: str, last: str, count: int, name: str
) -> None:
    span, _ = spans(since=first, until=last)
    found = list(buckets(span))
    assert len(found) == count
    assert (found[0].hour is not None) == (name == "hour")
    assert found[0].first == span.first
    assert found[-1].last == span.last


@given(
    hours=st.integers(0, 120 * 24 * 4 - 1),
    zone=st.sampled_from(["Europe/Berlin", "Asia/Kolkata", "America/New_York"]),
)
def test_every_instant_is_in_the_bar_of_its_day(hours: int, zone: str) -> None:
    where = ZoneInfo(zone)
    span, _ = read_spans({"since": ["2026-08-01"], "until": ["2026-11-08"]}, where, NOW)
    at = span.since + timedelta(minutes=15 * hours)
    if at >= span.until:
        return
    bar = list(buckets(span))[place_of(at, span, where)]
    assert bar.first <= at.astimezone(where).date() <= bar.last
    assert read_week_hour(week_hour_of(at, where).word) == week_hour_of(at, where)


@pytest.mark.parametrize(
    ("zone", "seconds"),
    [("Europe/Berlin", 3600), ("Asia/Kolkata", 900), ("Asia/Kathmandu", 900), ("UTC", 3600)],
)
def test_time_is_counted_in_steps_that_no_local_hour_divides(zone: str, seconds: int) -> None:
    where = ZoneInfo(zone)
    assert step_seconds(read_spans({}, where, NOW)[0], where) == seconds


@pytest.mark.parametrize(
    ("origin", "word", "asks"),
    [
        (Origin("Paid Search", "a/b"), "Paid Search/a/b", (("group", "Paid Search"), ("source", "a/b"))),
        (Origin(None, "Billboard"), "channel/Billboard", (("channel", "Billboard"),)),
        (NOWHERE, "none", (("attributed", "no"),)),
        (origin_of("", "", None), f"{NOT_SET}/{NOT_SET}", (("group", NOT_SET), ("source", NOT_SET))),
    ],
)
def test_an_origin_is_read_as_it_is_written(
    origin: Origin, word: str, asks: tuple[tuple[str, str], ...]
) -> None:
    assert (origin.word, origin.asks) == (word, asks)
    assert read_origin(word) == origin


@pytest.mark.parametrize(
    ("now", "before", "better", "is_share", "by", "tone"),
    [
        (12, 10, Better.MORE, False, 0.2, "good"),
        (12, 10, Better.LESS, False, 0.2, "bad"),
        (8, 10, Better.LESS, False, -0.2, "good"),
        (8, 10, Better.NEITHER, False, -0.2, "mute"),
        (1000, 1001, Better.MORE, False, -0.001, "mute"),  # shown as no change
        (5, 0, Better.MORE, False, None, "mute"),
        (None, 3, Better.MORE, False, None, "mute"),
        (0.5, 0.4, Better.MORE, True, 0.1, "good"),
        (0.4, 0.0, Better.MORE, True, 0.4, "good"),
    ],
)
def test_a_change_is_good_where_it_is_what_one_wants(
    now: float | None, before: float | None, better: Better, is_share: bool, by: float | None, tone: str
) -> None:
    change = Change(now, before, better, is_share)
    assert change.by == (None if by is None else pytest.approx(by, abs=1e-3))
    assert change.tone == tone


@given(st.lists(st.integers(0, 400), min_size=1, max_size=80), st.integers(1, 100))
def test_a_percentile_is_the_shortest_time_within_which_so_many_were_done(
    times: list[int], percent: int
) -> None:
    found = Spread((each, 1) for each in times).at(percent)
    assert found in times
    assert found is not None
    assert sum(each <= found for each in times) * 100 >= percent * len(times)
    assert sum(each < found for each in times) * 100 < percent * len(times)


def test_nobody_waited_no_time() -> None:
    assert Spread([]).at(50) is None


def read(**more: object) -> Read:
    span, before = spans(since="2026-11-09", until="2026-11-15")
    usual: dict[str, object] = {
        "span": span, "before": before, "also": (("company", "pallets"),), "hours": {}, "earlier": Counts(),
        "callers": 0, "earlier_callers": 0, "origins": [], "waits": [], "earlier_waits": [], "talks": [],
        "rings": {}, "numbers": [],
    }  # fmt: skip
    return Read(**{**usual, **more})  # type: ignore[arg-type]


def test_sources_beyond_the_tenth_are_one_line_that_excludes_the_ten() -> None:
    rows = [
        FromWhere(Origin("Referral", f"s{place:02}"), None, Counts(calls=20 - place)) for place in range(13)
    ]
    lines = assemble(read(origins=rows), BERLIN).lines
    assert [line.origin.name if line.origin else None for line in lines] == [
        *(f"s{n:02}" for n in range(10)),
        None,
    ]
    rest = lines[-1].figures
    assert rest.calls.count == 10 + 9 + 8
    assert [value for name, value in rest.calls.asks if name == "beside"] == [
        f"Referral/s{n:02}" for n in range(10)
    ]
    assert rest.missed.asks[:3] == (("company", "pallets"), ("since", "2026-11-09"), ("until", "2026-11-15"))


def test_eleven_sources_need_no_others() -> None:
    rows = [FromWhere(Origin("Referral", f"s{place:02}"), None, Counts(calls=1)) for place in range(11)]
    assert all(line.origin for line in assemble(read(origins=rows), BERLIN).lines)


def test_numbers_are_told_by_what_they_brought_and_silent_ones_too() -> None:
    numbers = [
        StaticNumber(f"+49301{place}", None, name)
        for place, name in enumerate(("Leaflet", "Billboard", "Van"))
    ]
    rows = [
        FromWhere(Origin(None, "Leaflet"), "+493010", Counts(calls=9, target=1, non_target=3)),
        FromWhere(Origin(None, "Billboard"), "+493011", Counts(calls=5, target=2, service=1)),
        FromWhere(Origin(None, "Former"), "+493019", Counts(calls=1)),
        FromWhere(Origin("Direct", "(direct)"), None, Counts(calls=7, target=7)),
    ]
    lines = assemble(read(origins=rows, numbers=numbers), BERLIN).numbers
    assert [(it.number.channel, it.best, it.worst) for it in lines] == [
        ("Billboard", True, False), ("Leaflet", False, False), ("Former", False, False), ("Van", False, True),
    ]  # fmt: skip


def test_without_any_call_no_number_is_better_than_another() -> None:
    numbers = [StaticNumber(f"+49301{place}", None, "Leaflet") for place in range(3)]
    lines = assemble(read(numbers=numbers), BERLIN).numbers
    assert not any(it.best or it.worst for it in lines)


def test_employees_are_told_by_what_they_answered() -> None:
    waits = [
        Waited("Ann", Category.TARGET, 4, 3, 90.0),
        Waited("Ann", None, 20, 1, 10.0),
        Waited("", None, 9, 1, 5.0),
    ]
    talks = [Talked("Ann", 10, 1), Talked("Ann", 30, 3)]
    found = assemble(read(waits=waits, talks=talks, rings={"Ann": 2, "Bob": 1}), BERLIN)
    ann, bob = found.employees
    assert (ann.name, ann.answered.count, ann.missed.count, ann.target_share) == ("Ann", 4, 2, 1.0)
    assert (ann.times.wait, ann.times.wait_most, ann.times.talk, ann.times.talk_total) == (4, 20, 30, 100.0)
    assert (bob.answered.count, bob.target_share, bob.times.wait) == (0, None, None)
    assert found.times.talk_total == 105.0


def test_an_hour_that_came_twice_is_one_hour_of_the_week() -> None:
    span, _ = spans(since="2026-10-19", until="2026-10-25")
    twice = {datetime(2026, 10, 25, hour, tzinfo=UTC): Counts(calls=1, missed=1) for hour in (0, 1)}
    found = assemble(read(span=span, hours=twice), BERLIN)
    assert found.week[WeekHour(6, 2)].calls.count == 2
    assert [bar.figures.calls.count for bar in found.bars] == [0] * 6 + [2]
    assert found.bars[-1].bucket.first == date(2026, 10, 25)


def test_what_is_missed_is_all_that_nobody_took() -> None:
    counts = Counts(calls=9, answered=2, missed=1, busy=1, failed=1, gave_up=1, refused=1)
    span = read().span
    found = assemble(read(hours={span.since: counts}), BERLIN).now
    assert found.missed.count == 5
    assert found.answered_share == 2 / 7  # two are going on
    assert {value for name, value in found.missed.asks if name == "outcome"} == set(Outcome) - {
        Outcome.ANSWERED
    }
