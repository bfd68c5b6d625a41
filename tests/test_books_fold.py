"""The fold of facts: order, repetition and gaps cannot matter, and nothing is unlearned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from support.facts import answered, ended, leg_ended, started

from tracker.policy.books import CallState, Sound, fold
from tracker.policy.detail import as_detail, digest, from_detail, kind_of, tidy
from tracker.policy.facts import (
    Answered,
    Doing,
    Ended,
    Fact,
    HungUpBy,
    Interrupted,
    LegEnded,
    Outcome,
    Passed,
    Presentation,
    Started,
)

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

moments = st.integers(-3_600_000, 3_600_000).map(lambda ms: NOON + timedelta(milliseconds=ms))
maybe = st.one_of(st.none(), moments)
ids = st.integers(0, 3)
statuses = st.sampled_from(["", "ANSWER", "BUSY", "NOANSWER", "CANCEL", "CHANUNAVAIL", "CONGESTION"])
causes = st.sampled_from([None, 1, 16, 17, 19, 21, 34, 127])
words = st.text(max_size=12)
common = {"call": st.just("call-1"), "node": st.just("main"), "at": moments}
facts: st.SearchStrategy[Fact] = st.one_of(
    st.builds(
        Started,
        **common,
        uniqueid=words,
        linkedid=words,
        trunk_id=st.none() | ids,
        did=st.just("+74951234567"),
        dialled=words,
        caller=words,
        presentation=st.sampled_from(Presentation),
        caller_name=words,
    ),
    st.builds(
        LegEnded,
        **common,
        position=ids,
        target_id=ids,
        dialled_at=moments,
        rang_at=maybe,
        status=statuses,
        cause=causes,
    ),
    st.builds(Answered, **common, position=ids, target_id=ids, rang_at=maybe),
    st.builds(
        Ended,
        **common,
        status=statuses,
        cause=causes,
        hung_up_by=st.none() | st.sampled_from(HungUpBy),
        rang_at=maybe,
        seen_by_agi=st.booleans(),
    ),
    st.builds(Interrupted, **common),
)
some_facts = st.lists(facts, max_size=8)


@settings(deadline=None)
@given(some_facts, st.randoms())
def test_order_and_repetition_cannot_matter(known: list[Fact], dice: object) -> None:
    shuffled = known * 2
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fold(shuffled) == fold(known)


@settings(deadline=None)
@given(some_facts, some_facts)
def test_what_is_known_is_never_lowered(before: list[Fact], after: list[Fact]) -> None:
    old, new = fold(before), fold(before + after)
    assert (new.started is None) <= (old.started is None)
    if old.outcome is Outcome.ANSWERED:
        assert new.outcome is Outcome.ANSWERED
    if old.ended_at is not None:
        assert new.ended_at is not None
    if old.ended_at is not None and not old.interrupted:
        assert not new.interrupted
    if old.answered_at is not None and old.target_id is not None:
        assert new.answered_at is not None
        assert new.answered_at <= old.answered_at
    assert new.seen_by_agi >= old.seen_by_agi


@settings(deadline=None)
@given(some_facts)
def test_a_length_of_time_is_never_negative(known: list[Fact]) -> None:
    state = fold(known)
    assert (state.wait_seconds or 0.0) >= 0.0
    assert (state.talk_seconds or 0.0) >= 0.0


@settings(deadline=None)
@given(facts)
def test_a_fact_comes_back_from_what_is_kept(fact: Fact) -> None:
    kept = tidy(fact)
    detail = as_detail(kept)
    assert from_detail(kind_of(kept), kept.call, detail) == kept
    assert tidy(kept) == kept
    assert digest(kind_of(kept), detail) == digest(kind_of(kept), as_detail(kept))


def test_nothing_is_known_of_a_call_without_facts() -> None:
    assert fold([]) == CallState()


def test_a_call_that_goes_on_has_no_outcome() -> None:
    state = fold([started("+74951234567", NOON), answered(1, NOON)])
    assert (state.outcome, state.ended_at, state.talk_seconds) == (None, None, None)


def test_an_end_replaces_the_guess_made_after_a_crash() -> None:
    known: list[Fact] = [
        started("+74951234567", NOON),
        answered(1, NOON + timedelta(seconds=5)),
        Interrupted("call-1", "main", NOON + timedelta(seconds=20)),
    ]
    guess = fold(known)
    assert (guess.interrupted, guess.talk_seconds, guess.hung_up_by) == (True, 15.0, HungUpBy.SYSTEM)
    state = fold([*known, ended(NOON + timedelta(seconds=50))])
    assert (state.interrupted, state.talk_seconds, state.hung_up_by) == (False, 45.0, HungUpBy.CALLER)


def test_the_last_sign_of_life_ends_an_interrupted_call() -> None:
    state = fold(
        [
            started("+74951234567", NOON),
            Interrupted("call-1", "main", NOON + timedelta(seconds=3)),
            leg_ended(1, NOON + timedelta(seconds=9)),
        ]
    )
    assert (state.ended_at, state.outcome) == (NOON + timedelta(seconds=9), Outcome.MISSED)


def test_the_first_answer_counts_after_a_transfer() -> None:
    state = fold(
        [
            started("+74951234567", NOON),
            answered(2, NOON + timedelta(seconds=40), position=2),
            answered(1, NOON + timedelta(seconds=4)),
            ended(NOON + timedelta(seconds=64)),
        ]
    )
    assert (state.target_id, state.wait_seconds, state.talk_seconds) == (1, 4.0, 60.0)


def test_an_answer_whose_line_was_lost_is_no_waiting_time() -> None:
    state = fold([started("+74951234567", NOON), ended(NOON + timedelta(seconds=64))])
    assert (state.outcome, state.wait_seconds, state.talk_seconds) == (Outcome.ANSWERED, None, None)


def test_a_clock_set_back_in_a_call_makes_no_negative_talk() -> None:
    state = fold(
        [
            started("+74951234567", NOON),
            answered(1, NOON + timedelta(seconds=5)),
            ended(NOON - timedelta(hours=1)),
        ]
    )
    assert (state.talk_seconds, state.wait_seconds) == (0.0, 5.0)


def test_giving_up_is_the_callers_doing_even_when_asterisk_names_nobody() -> None:
    state = fold([started("+74951234567", NOON), ended(NOON, status="CANCEL", cause=127, hung_up_by=None)])
    assert (state.outcome, state.hung_up_by) == (Outcome.GAVE_UP, HungUpBy.CALLER)


def test_whoever_hangs_up_at_the_tone_has_left_no_message() -> None:
    tone_at = NOON + timedelta(seconds=20)
    tone = Passed("call-1", "main", tone_at, 7, 1, "box", Doing.MESSAGE, "")
    up = {"status": "", "hung_up_by": HungUpBy.CALLER}
    begun = started("+74951234567", NOON), tone
    assert fold(begun).message_at == tone_at
    for seconds, message_at in ((0.9, None), (1.0, tone_at)):
        state = fold((*begun, ended(tone_at + timedelta(seconds=seconds), **up)))
        assert (state.message_at, state.outcome, state.sound) == (message_at, Outcome.MISSED, Sound.MESSAGE)
