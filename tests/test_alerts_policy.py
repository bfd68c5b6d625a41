"""What deserves an alert, and that one neither flaps nor stays for ever."""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.policy.alert_words import WORDS, words_for
from tracker.policy.alerts import PATIENCE, SETTLED, AlertKind, Going, Reading, State, Thresholds, judge
from tracker.policy.callback import CallbackReason
from tracker.policy.company_alerts import (
    AskedBack,
    AskedOnSite,
    FailingDestination,
    Habit,
    Line,
    LostCall,
    PoolFacts,
    UnsentMail,
    UnsentReport,
    in_a_row,
    is_lost,
    read_callbacks,
    read_destination,
    read_habit,
    read_lost,
    read_pool,
    read_unsent,
)
from tracker.policy.installation_alerts import (
    NodeFacts,
    RecordingFacts,
    TrunkSight,
    read_agi,
    read_books,
    read_disk,
    read_node,
    read_recordings,
    read_trunk,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
USUAL = Thresholds()
BAD, UNSURE, FINE = State.BAD, State.UNSURE, State.FINE


@pytest.mark.parametrize(
    ("free", "size", "misses", "before", "expected"),
    [
        (10, 100, 0, 0, UNSURE),
        (9, 100, 0, 0, BAD),
        (19, 100, 0, 0, UNSURE),
        (20, 100, 0, 0, FINE),
        (0, 2, 0, 0, BAD),
        (1, 2, 0, 0, FINE),
        (90, 100, 4, 0, FINE),
        (90, 100, 5, 0, BAD),
        (90, 100, 1, 4, UNSURE),  # the hour has just begun
        (90, 100, 0, 4, FINE),
    ],
)
def test_a_pool_is_low_by_what_is_free_or_by_who_got_none(
    free: int, size: int, misses: int, before: int, expected: State
) -> None:
    assert read_pool(PoolFacts(1, 1, "Website", free, size, misses, before), USUAL).state is expected


def test_a_rule_that_is_switched_off_is_always_fine() -> None:
    off = Thresholds(0, 0, 0, 0, 0)
    assert read_pool(PoolFacts(1, 1, "Website", 0, 9, 99, 99), off).state is FINE
    (lost,) = in_a_row([LostCall(Line(1, 1), "+1", NOW)] * 50, {})
    assert read_lost(lost, 0).state is FINE
    asked = AskedOnSite(1, 1, "shop", "pallets", [AskedBack(500.0)])
    assert read_callbacks(asked, 0).state is FINE
    habit = Habit(1, 1, "+1", 500, timedelta(days=80), timedelta(days=60))
    assert read_habit(habit, 0).state is FINE


@given(st.integers(0, 200), st.integers(1, 200), st.integers(0, 20), st.integers(0, 20), st.integers(0, 100))
def test_a_pool_gets_no_worse_by_having_more_free(
    free: int, size: int, misses: int, before: int, percent: int
) -> None:
    limit = replace(USUAL, pool_free_percent=percent)
    rank = [BAD, UNSURE, FINE]
    less, more = (
        read_pool(PoolFacts(1, 1, "x", min(n, size), size, misses, before), limit).state
        for n in (free, free + 1)
    )
    assert rank.index(less) <= rank.index(more)


@pytest.mark.parametrize(
    ("outcome", "wait", "expected"),
    [
        ("missed", 40.0, True),
        ("busy", 1.0, True),
        ("failed", None, True),
        ("gave_up", 3.0, None),
        ("gave_up", 10.0, True),
        ("answered", 5.0, False),
        ("refused", 5.0, False),
    ],
)
def test_a_slip_of_the_finger_is_no_lost_call(
    outcome: str, wait: float | None, expected: bool | None
) -> None:
    assert is_lost(outcome, wait) is expected


def test_calls_in_a_row_are_counted_since_one_was_taken() -> None:
    first, second, other = Line(1, 1), Line(1, 2), Line(2, 3)

    def lost(line: Line, *minutes: int) -> list[LostCall]:
        return [LostCall(line, f"+{line.number_id}", NOW - timedelta(minutes=ago)) for ago in minutes]

    calls = [*lost(first, 50, 5, 4), *lost(second, 3), *lost(other, 2, 1)]
    found = {it.subject: it.count for it in in_a_row(calls, {first: NOW - timedelta(minutes=10)})}
    assert found == {"n1": 2, "n2": 1, "n3": 2, "c1": 3}  # one number alone is no company
    found = {it.subject: it.count for it in in_a_row(calls, {first: NOW})}
    assert found == {"n1": 0, "n2": 1, "n3": 2}


@pytest.mark.parametrize(
    ("calls", "known_days", "silent_days", "expected"),
    [
        (40, 28, 6, FINE),
        (40, 28, 7, BAD),
        (4, 28, 20, UNSURE),  # no habit
        (8, 56, 20, UNSURE),  # one a week: twenty days without are nothing
        (8, 56, 40, BAD),
        (5, 0, 7, BAD),  # all in a day: as good as a week's
        (5, 0, 5, FINE),
    ],
)
def test_a_number_is_silent_when_chance_cannot_explain_it(
    calls: int, known_days: int, silent_days: int, expected: State
) -> None:
    habit = Habit(1, 1, "+1", calls, timedelta(days=known_days), timedelta(days=silent_days, hours=1))
    assert read_habit(habit, USUAL.silent_days).state is expected


ON_TIME, LATE = AskedBack(12.0), AskedBack(61.0)


@pytest.mark.parametrize(
    ("asked", "at_least", "expected", "how", "count"),
    [
        ([], 1, FINE, "late", 0),
        ([ON_TIME] * 20, 1, FINE, "late", 0),
        ([ON_TIME] * 20 + [LATE], 1, BAD, "late", 1),
        ([LATE], 2, FINE, "late", 1),
        ([AskedBack(1.0, CallbackReason.NO_TARGET)], 1, BAD, "lost", 1),
        ([AskedBack(30.0, CallbackReason.NO_EMPLOYEE), LATE], 2, BAD, "lost", 1),
        ([AskedBack(30.0, CallbackReason.NO_ANSWER)], 1, FINE, "late", 0),  # the visitor did not answer
        ([AskedBack(90.0, CallbackReason.BUSY)], 1, BAD, "late", 1),
        ([AskedBack(900.0, CallbackReason.CANCELLED)], 1, FINE, "late", 0),  # somebody saw to it
    ],
)
def test_a_callback_is_missed_when_it_rings_late_or_comes_to_nothing(
    asked: list[AskedBack], at_least: int, expected: State, how: str, count: int
) -> None:
    found = read_callbacks(AskedOnSite(1, 1, "shop", "pallets", asked), at_least)
    assert (found.state, found.detail["how"], found.detail["count"]) == (expected, how, count)


@pytest.mark.parametrize(
    ("seconds", "ami_up", "expected", "how"),
    [
        (5, True, FINE, "silent"),
        (20, True, UNSURE, "silent"),
        (60, True, BAD, "silent"),
        (5, False, BAD, "unconnected"),
        (60, False, BAD, "silent"),
    ],
)
def test_a_node_is_away_when_it_is_silent_or_cut_off(
    seconds: int, ami_up: bool, expected: State, how: str
) -> None:
    reading = read_node(NodeFacts("main", NOW - timedelta(seconds=seconds), ami_up), NOW)
    assert (reading.state, reading.detail["how"]) == (expected, how)


@pytest.mark.parametrize(
    ("seconds", "unseen", "answers", "expected"),
    [
        (5, 0, True, FINE),
        (5, 1, True, UNSURE),
        (5, 3, True, BAD),
        (5, 0, False, BAD),
        (5, 0, None, UNSURE),
        (90, 9, False, UNSURE),  # that it is away altogether is told already
    ],
)
def test_the_agi_fails_when_it_does_not_answer_or_calls_pass_it_by(
    seconds: int, unseen: int, answers: bool | None, expected: State
) -> None:
    node = NodeFacts("main", NOW - timedelta(seconds=seconds), True, unseen)
    assert read_agi(node, NOW, answers=answers).state is expected


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (read_disk("main", 2047, 2048), BAD),
        (read_disk("main", 2048, 2048), UNSURE),
        (read_disk("main", 2560, 2048), FINE),
        (read_disk("main", 0, 0), FINE),
        (read_books("main", 61), BAD),
        (read_books("main", 30), UNSURE),
        (read_books("main", 0), FINE),
        (read_recordings(RecordingFacts("main", 1, 0)), BAD),
        (read_recordings(RecordingFacts("main", 0, 3)), BAD),
        (read_recordings(RecordingFacts("main", 0, 1)), UNSURE),
        (read_recordings(RecordingFacts("main", 0, 0)), FINE),
        (read_trunk(TrunkSight(1, "carrier", "silent")), BAD),
        (read_trunk(TrunkSight(1, "carrier", None)), FINE),
    ],
)
def test_the_machine_and_its_trunks(reading: Reading, expected: State) -> None:
    assert reading.state is expected


# ---- begin and end ----

kinds, states = st.sampled_from(AlertKind), st.sampled_from(State)
minutes = st.integers(1, 30).map(lambda count: timedelta(minutes=count))


def reading(kind: AlertKind, state: State) -> Reading:
    return Reading(kind, "1", "it", state)


@given(kinds, st.lists(st.tuples(states, minutes), max_size=40))
def test_an_alert_begins_only_where_it_is_bad_and_ends_only_where_it_is_fine(
    kind: AlertKind, turns: list[tuple[State, timedelta]]
) -> None:
    going: Going | None = None
    streaks: dict[str, int] = {}
    at, in_a_row_bad, fine_since = NOW, 0, None
    for state, pause in turns:
        at += pause
        in_a_row_bad = in_a_row_bad + 1 if state is BAD else 0
        fine_since = (fine_since or at) if state is FINE else None
        it = reading(kind, state)
        verdict = judge([going] if going else [], [it], streaks, at)
        streaks = dict(verdict.streaks)
        if going is None:
            assert bool(verdict.begun) == (in_a_row_bad >= PATIENCE.get(kind, 1))
            going = Going(it.key, kind, None) if verdict.begun else None
        else:
            assert not verdict.begun  # one open alert a key
            long_fine = fine_since is not None and at - fine_since >= SETTLED.get(kind, timedelta())
            assert bool(verdict.ended) == long_fine
            going = None if verdict.ended else replace(going, fine_since=verdict.going_on[0][1])


@given(st.lists(states, min_size=1, max_size=60))
def test_what_wavers_by_the_minute_is_told_rarely(turns: list[State]) -> None:
    going: Going | None = None
    streaks: dict[str, int] = {}
    told = 0
    for minute, state in enumerate(turns):
        it = reading(AlertKind.POOL_LOW, state)
        verdict = judge([going] if going else [], [it], streaks, NOW + timedelta(minutes=minute))
        streaks, told = dict(verdict.streaks), told + len(verdict.begun)
        if verdict.begun:
            going = Going(it.key, it.kind, None)
        elif verdict.ended:
            going = None
        elif going:
            going = replace(going, fine_since=verdict.going_on[0][1])
    assert told <= 1 + len(turns) // 10


def test_what_is_there_no_more_is_over_and_what_was_not_looked_at_goes_on() -> None:
    pool, disk = Going("pool_low:1", AlertKind.POOL_LOW, None), Going("disk", AlertKind.DISK_FULL, None)
    verdict = judge([pool, disk], [], {}, NOW, complete={AlertKind.POOL_LOW})
    assert verdict.ended == ("pool_low:1",)
    assert not verdict.going_on


# ---- reports that should have been mailed ----


def spring(*mails: UnsentMail) -> UnsentReport:
    return UnsentReport(7, 1, "pallets", "Spring", mails)


@pytest.mark.parametrize(
    ("minutes", "answer", "is_given_up", "expected"),
    [
        (0, None, False, UNSURE),  # on its way
        (99, None, False, UNSURE),  # nobody has tried it: another alert's business
        (14, "451 greylisted", False, UNSURE),
        (15, "451 greylisted", False, BAD),
        (0, "550 no such mailbox", True, BAD),
    ],
)
def test_a_report_is_told_of_when_its_mail_is_given_up_or_was_tried_in_vain_for_a_while(
    minutes: int, answer: str | None, is_given_up: bool, expected: State
) -> None:
    mail = UnsentMail("boss@x.example", answer, NOW - timedelta(minutes=minutes), is_given_up)
    assert read_unsent(spring(mail), NOW).state is expected
    assert read_unsent(spring(), NOW).state is FINE


def test_of_a_report_that_reaches_nobody_some_are_named() -> None:
    mails = [UnsentMail(f"{place}@x.example", "550 " + "no " * 99, NOW, True) for place in range(5)]
    told = read_unsent(spring(*mails), NOW).detail
    assert told["to"] == "0@x.example, 1@x.example, 2@x.example …"
    assert len(told["answer"]) == 120


# ---- words ----


def test_every_reading_has_words_for_all_its_figures() -> None:
    lost = in_a_row([LostCall(Line(1, 1), "+1", NOW)], {})[0]
    old = NOW - timedelta(hours=1)
    readings = [
        read_pool(PoolFacts(1, 1, "Website", 0, 9, 9, 9), USUAL),
        read_lost(lost, 1),
        read_habit(Habit(1, 1, "+1", 500, timedelta(days=80), timedelta(days=60)), 7),
        read_unsent(spring(UnsentMail("boss@x.example", "451 full", old, False)), NOW),
        read_unsent(spring(UnsentMail("boss@x.example", "550 nobody", NOW, True)), NOW),
        read_callbacks(AskedOnSite(1, 1, "shop", "pallets", [LATE]), 1),
        read_callbacks(AskedOnSite(1, 1, "shop", "pallets", [AskedBack(1.0, CallbackReason.NO_TRUNK)]), 1),
        read_destination(FailingDestination(1, 1, "pallets", "CRM", old, False, 7, "503"), NOW),
        read_destination(FailingDestination(1, 1, "pallets", "CRM", None, True, 0, "410"), NOW),
        read_destination(
            FailingDestination(1, 1, "pallets", "CRM", old, False, 7, "400", shut_out=True), NOW
        ),
        read_trunk(TrunkSight(1, "carrier", "silent")),
        read_trunk(TrunkSight(1, "carrier", "unregistered")),
        read_node(NodeFacts("main", old, True), NOW),
        read_node(NodeFacts("main", NOW, False), NOW),
        read_agi(NodeFacts("main", NOW, True), NOW, answers=False),
        read_agi(NodeFacts("main", NOW, True, 4), NOW, answers=True),
        read_disk("main", 7, 9),
        read_books("main", 99),
        read_recordings(RecordingFacts("main", 2, 0)),
        read_recordings(RecordingFacts("main", 0, 5)),
    ]
    told = {words_for(it.kind, it.name, it.detail).title for it in readings}
    assert len(told) == len(WORDS) == len(readings)
    assert {it.kind for it in readings} == set(AlertKind)
    assert all(it.state is BAD for it in readings)
    assert not any("%(" in text for text in told)
    for words in WORDS.values():
        assert words.advice[-1] == "."
        assert words.command.startswith("leaseline ")
        assert words.title[-1] not in string.punctuation.replace(")", "")
